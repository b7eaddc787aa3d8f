"""Writes docs/reference.md from the code: every command's help, every setting, every column of a rule, every recipe.

    python docs/reference.py [--check]

`--check` writes nothing and fails when the page is not what the code says.
"""

import dataclasses
import inspect
import re
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from starloom.commands import group
from starloom.stages import Settings, recipe_names, recipe_settings
from starloom.the_stack import tables
from starloom.the_stack.columns import COLUMNS
from starloom.the_stack.conditions import FUNCTIONS

PAGE = Path(__file__).with_name("reference.md")
_FIELD = re.compile(r"^    (\w+): ([^=#]+?)(?: = (.+?))?(?:  # (.*))?$")


def main() -> int:
    text = (
        "\n".join(
            [
                "# Reference",
                "",
                "Made from the code by `python docs/reference.py`.",
                "",
                *commands(),
                *settings(),
                *rules(),
            ]
        ).rstrip("\n")
        + "\n"
    )
    if "--check" in sys.argv:
        if not PAGE.exists() or PAGE.read_text() != text:
            print(f"{PAGE.name} is not what the code says: run `python docs/reference.py`", file=sys.stderr)
            return 1
        return 0
    PAGE.write_text(text)
    return 0


def commands() -> list[str]:
    lines = ["## Commands", ""]
    context = click.Context(group, info_name="starloom")
    for name, command, parent in walk(group, context):
        help_text = command.get_help(click.Context(command, info_name=name, parent=parent, terminal_width=100))
        title = f"{parent.command_path} {name}"
        lines += [f"### {title}", "", "```", help_text.rstrip(), "```", ""]
    return lines


def walk(above: click.Group, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command below a group: its name, itself, the context of what it stands in."""
    for name in above.list_commands(context):
        command = above.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield name, command, context
            yield from walk(command, click.Context(command, info_name=name, parent=context))
        else:
            yield name, command, context


def settings() -> list[str]:
    lines = [
        "## starloom.toml",
        "",
        "An unknown key is an error. A recipe has the same sections, without `sources`.",
        "",
    ]
    hints = typing.get_type_hints(Settings)
    for field in dataclasses.fields(Settings):
        kind: Any = hints[field.name]
        many = typing.get_origin(kind) is tuple
        kind = typing.get_args(kind)[0] if many else kind
        if not dataclasses.is_dataclass(kind):
            continue
        title = f"[[{field.name}]]" if many else f"[{field.name}]"
        lines += [f"### `{title}`", "", "| key | default | |", "|---|---|---|"]
        for line in inspect.getsource(typing.cast(type, kind)).splitlines():
            found = _FIELD.match(line)
            if found and found[1] in {one.name for one in dataclasses.fields(kind)}:
                lines.append(f"| `{found[1]}` | {_default(kind, found[1])} | {_cell(found[4] or '')} |")
        lines.append("")
    return lines


def _default(kind: Any, name: str) -> str:
    (field,) = (one for one in dataclasses.fields(kind) if one.name == name)
    return "required" if field.default is dataclasses.MISSING else f"`{field.default!r}`"


def rules() -> list[str]:
    lines = ["## Rules", "", f"Functions: {', '.join(f'`{name}`' for name in FUNCTIONS)}.", ""]
    lines += ["| column | kind | meaning |", "|---|---|---|"]
    lines += [f"| `{name}` | {column.kind} | {column.meaning} |" for name, column in COLUMNS.items()]
    lines += ["", "## Recipes", ""]
    for name in recipe_names():
        recipe = recipe_settings(name)
        base = recipe_settings(recipe.extends) if recipe.extends else None
        lines += [f"### {name}", "", f"{recipe.title}." + (f" It is `{recipe.extends}` with:" if base else ""), ""]
        rules_of = [rule for rule in recipe.rules if base is None or rule not in base.rules]
        if rules_of:
            lines += ["| rule | drop | unless | source |", "|---|---|---|---|"]
        for rule in rules_of:
            cells = (rule.name, _code(rule.drop), _code(rule.unless), rule.source)
            lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
        budgets = [one for one in recipe.budgets if base is None or one not in base.budgets]
        if budgets:
            lines += ["", "| budget | where | each | bytes | source |", "|---|---|---|---|---|"]
        for one in budgets:
            cells = (one.name, _code(one.where), _code(one.each), f"{one.bytes:,}", one.source)
            lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
        changed = list(_changed(recipe, base))
        lines += ["", *(f"- `{key} = {value!r}`" for key, value in changed), ""] if changed else [""]
    lines += ["## Columns of the ledger and the dataset", ""]
    for title, schema in (("Ledger", tables.LEDGER_ROWS), ("Dataset by file", tables.DATASET_FILES)):
        lines += [f"{title}: {', '.join(f'`{field.name}` {field.type}' for field in schema)}.", ""]
    return lines


def _changed(recipe: Settings, base: Settings | None) -> Iterator[tuple[str, Any]]:
    """The values of sections in which a recipe differs from the one it extends, else from the defaults."""
    for field in dataclasses.fields(Settings):
        own, other = getattr(recipe, field.name), getattr(base or Settings(), field.name)
        if dataclasses.is_dataclass(own):
            for one in dataclasses.fields(own):
                if getattr(own, one.name) != getattr(other, one.name):
                    yield f"[{field.name}] {one.name}", getattr(own, one.name)


def _code(text: str) -> str:
    return f"`{' '.join(text.split())}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
