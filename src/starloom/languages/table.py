"""The languages Starloom knows, and what each is recognised by: `table.toml`, written by hand.

The names are those of The Stack v2 (which are GitHub's), since recipes name them: "C++", "Jupyter Notebook",
"Graphviz (DOT)". Which of the languages sharing an extension a file is in, only its content tells; the table
states the most common one. Cost: 20-35 ms to read, once a process; nothing at import.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

Kind = Literal["programming", "markup", "data", "prose"]

_FIELDS = frozenset(["extensions", "names", "interpreters", "aliases"])


@dataclass(frozen=True, slots=True)
class Language:
    """One language. Its name alone is enough to be found by, as an alias in lower case."""

    name: str  # as in the published column `language`
    kind: Kind
    extensions: tuple[str, ...]  # without the leading dot; the most usual one first
    names: tuple[str, ...]  # whole file names
    interpreters: tuple[str, ...]  # programs of a "#!" line, without version
    aliases: tuple[str, ...]  # lower case, the lower-cased name included


@dataclass(frozen=True, slots=True)
class Table:
    """All languages, and the dictionaries that detection looks into."""

    languages: dict[str, Language]  # by name
    by_extension: dict[str, tuple[Language, ...]]  # the default first
    by_file_name: dict[str, Language]
    by_interpreter: dict[str, Language]
    by_alias: dict[str, Language]


@cache
def load() -> Table:
    """The table. Raises ValueError where table.toml contradicts itself."""
    # Imported here since both are slow to import (15 ms), and most who import this module never detect.
    import tomllib
    from importlib.resources import files

    return build(tomllib.loads(files(__package__).joinpath("table.toml").read_text("utf-8")))


def by_name(name: str) -> Language | None:
    """The language with this name or alias, in any case: "python", "C++", "cpp", "bash" (which is Shell)."""
    table = load()
    return table.languages.get(name) or table.by_alias.get(name.lower())


def build(document: dict[str, Any]) -> Table:
    """`document` (the shape is at the head of table.toml) as a table. Raises ValueError where it contradicts itself."""
    defaults: dict[str, str] = document.get("defaults", {})
    languages: dict[str, Language] = {}
    for kind in get_args(Kind):
        for name, fields in document.get(kind, {}).items():
            if name in languages:
                raise ValueError(f"{name} is there twice")
            languages[name] = _language(name, kind, fields)
    sharing: dict[str, list[Language]] = {}
    for language in languages.values():
        for extension in language.extensions:
            sharing.setdefault(extension, []).append(language)
    _check_defaults(defaults, sharing)
    return Table(
        languages,
        {
            extension: tuple(sorted(sharers, key=lambda language: language.name != defaults.get(extension)))
            for extension, sharers in sharing.items()
        },
        _unique(languages, "names"),
        _unique(languages, "interpreters"),
        _unique(languages, "aliases"),
    )


def _language(name: str, kind: Kind, fields: dict[str, str]) -> Language:
    if unknown := fields.keys() - _FIELDS:
        raise ValueError(f"{name}: unknown {', '.join(sorted(unknown))}")
    values = {field: tuple(fields.get(field, "").split()) for field in _FIELDS}
    for field, listed in values.items():
        if len(set(listed)) < len(listed):
            raise ValueError(f"{name}: {field} lists something twice")
    if not (values["extensions"] or values["names"] or values["interpreters"]):
        raise ValueError(f"{name}: no file can be found to be in it")
    if any(alias != alias.lower() for alias in values["aliases"]):
        raise ValueError(f"{name}: aliases are lower case")
    if name.lower() in values["aliases"]:
        raise ValueError(f"{name}: its own name is an alias without being listed")
    values["aliases"] = (name.lower(), *values["aliases"])
    return Language(name, kind, **values)


def _check_defaults(defaults: dict[str, str], sharing: dict[str, list[Language]]) -> None:
    for extension, sharers in sharing.items():
        names = [language.name for language in sharers]
        if len(names) > 1 and defaults.get(extension) not in names:
            raise ValueError(f"defaults: {extension} should be one of {', '.join(names)}")
    if needless := [extension for extension in defaults if len(sharing.get(extension, ())) < 2]:
        raise ValueError(f"defaults: not shared by any two languages: {', '.join(needless)}")


def _unique(languages: dict[str, Language], field: str) -> dict[str, Language]:
    found: dict[str, Language] = {}
    for language in languages.values():
        for value in getattr(language, field):
            if value in found:
                raise ValueError(f"{field}: {value} is listed by {found[value].name} and {language.name}")
            found[value] = language
    return found
