"""`starloom status`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option

if TYPE_CHECKING:
    from starloom.workspace.run import StageStatus

_SHOWN = 3  # places of one problem


@click.command("status", short_help="What is built, what is stale.")
@workspace_option
@json_option
def command(workspace: Path | None, as_json: bool) -> None:
    """What is built, what is stale, which models there are, and which repositories could not be read.

    \b
    Examples:
        starloom status
        starloom status --json | jq '.stages[] | select(.state != "fresh")'
    """
    from dataclasses import asdict

    from starloom.outside.paths import printable
    from starloom.progress import human
    from starloom.stages import all_stages, load_settings, made_stages
    from starloom.the_stack.why import repository_problems
    from starloom.training import evaluated
    from starloom.training.runs import every
    from starloom.workspace.run import statuses

    root = find(workspace)
    settings = load_settings(root)
    rows = statuses(root, (*all_stages(), *made_stages()), settings, settings.engine)
    models = every(root)
    problems = repository_problems(root)
    if as_json:
        runs = [
            {
                "run": one.name,
                "finished": one.finished,
                "steps": one.record.steps,
                "evaluated": last.values() if (last := evaluated.last(one.folder)) else None,
            }
            for one in models
        ]
        emit({"stages": [asdict(row) for row in rows], "runs": runs, "problems": problems})
        return
    for row in rows:
        seconds = "" if row.seconds is None else f"{row.seconds:8.1f} s"
        click.echo(f"{row.name:<10} {row.state:<8} {row.rows:>12,} rows {human(row.bytes, 'bytes'):>10} {seconds}")
    for one in models:
        state = "finished" if one.finished else "begun"
        size = f"{one.record.parameters:,} parameters"
        last = evaluated.last(one.folder)
        scored = f", {last.bits_per_byte:.3f} bits per byte after step {last.step:,}" if last else ""
        click.echo(f"{'model':<10} {state:<8} {one.record.steps:>12,} steps  run {one.name}, {size}{scored}")
    for (problem, hint), names in _of_stages(rows).items():
        click.echo(f"\n{', '.join(names)}\n  {printable(problem)}")
        if hint:
            click.echo(printable(f"  hint: {hint}"))
    for (reason, hint), places in _grouped(problems).items():
        names = list(dict.fromkeys(places))
        more = f" and {len(names) - _SHOWN:,} other places" if len(names) > _SHOWN else ""
        click.echo(f"\n{printable(', '.join(names[:_SHOWN]))}{more}")
        times = f"{len(places):,} repositories: " if len(places) > 1 else ""
        click.echo(f"  {times}{printable(reason)}")
        if hint:
            click.echo(printable(f"  hint: {hint}"))


def _of_stages(rows: "list[StageStatus]") -> dict[tuple[str, str | None], list[str]]:
    """Which stages each (problem, hint) is of."""
    found: dict[tuple[str, str | None], list[str]] = {}
    for row in rows:
        if row.problem:
            found.setdefault((row.problem, row.hint), []).append(row.name)
    return found


def _grouped(problems: list[dict[str, Any]]) -> dict[tuple[str, str | None], list[str]]:
    """Where each (reason, hint) was met."""
    found: dict[tuple[str, str | None], list[str]] = {}
    for problem in problems:
        found.setdefault((problem["reason"], problem["hint"]), []).append(problem["location"])
    return found
