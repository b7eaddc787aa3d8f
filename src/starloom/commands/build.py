"""`starloom build`."""

from pathlib import Path

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option


@click.command("build")
@click.argument("stage", required=False)
@click.option("--dry-run", is_flag=True, help="Say what would run and on how much; run nothing.")
@workspace_option
@json_option
def command(stage: str | None, dry_run: bool, workspace: Path | None, as_json: bool) -> None:
    """Run what is stale, in order: list, read, measure, pair, decide, write.

    With STAGE: up to and with that one. Ctrl-C loses nothing: the next build goes on.

    \b
    Examples:
        starloom build --dry-run
        starloom build
        starloom build decide
    """
    from dataclasses import asdict

    from starloom.stages import load_settings, stages_up_to
    from starloom.workspace.run import build, forecasts

    root = find(workspace)
    settings = load_settings(root)
    stages = stages_up_to(stage)
    if dry_run:
        rows = forecasts(root, stages, settings, settings.engine)
        if as_json:
            emit({"stages": [{"name": name, "state": state, "would": words} for name, state, words in rows]})
            return
        for name, state, words in rows:
            click.echo(f"{name:<8} {state:<8} {words}")
        return
    done = build(root, stages, settings, settings.engine, "starloom build")
    if as_json:
        emit({"stages": [asdict(one) for one in done]})
