"""`starloom status`."""

from pathlib import Path

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option


@click.command("status")
@workspace_option
@json_option
def command(workspace: Path | None, as_json: bool) -> None:
    """What is built, what is stale, and which repositories could not be read.

    \b
    Examples:
        starloom status
        starloom status --json | jq '.stages[] | select(.state != "fresh")'
    """
    from dataclasses import asdict

    from starloom.outside.paths import printable
    from starloom.progress import human
    from starloom.stages import all_stages, load_settings
    from starloom.the_stack.why import repository_problems
    from starloom.workspace.run import statuses

    root = find(workspace)
    settings = load_settings(root)
    rows = statuses(root, all_stages(), settings, settings.engine)
    problems = repository_problems(root)
    if as_json:
        emit({"stages": [asdict(row) for row in rows], "problems": problems})
        return
    for row in rows:
        seconds = "" if row.seconds is None else f"{row.seconds:8.1f} s"
        click.echo(f"{row.name:<8} {row.state:<8} {row.rows:>12,} rows {human(row.bytes, 'bytes'):>10} {seconds}")
    for problem in problems:
        click.echo(f"\n{printable(problem['location'])}\n  {printable(problem['reason'])}")
        if problem["hint"]:
            click.echo(printable(f"  hint: {problem['hint']}"))
