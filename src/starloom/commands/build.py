"""`starloom build`."""

from pathlib import Path

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option


@click.command("build", short_help="Build the dataset: run what is stale.")
@click.argument("stage", required=False)
@click.option("--dry-run", is_flag=True, help="Say what would run and on how much; run nothing.")
@click.option("--update", is_flag=True, help="Fetch remote repositories and packages again: their newest state.")
@workspace_option
@json_option
def command(stage: str | None, dry_run: bool, update: bool, workspace: Path | None, as_json: bool) -> None:
    """Run what is stale, in order: list, read, measure, pair, decide, write, collect.

    With STAGE: up to and with that one. Ctrl-C loses nothing: the next build goes on. What lies elsewhere (a URL, a
    package) is fetched once and stays as it was fetched until --update.

    \b
    Examples:
        starloom build --dry-run
        starloom build
        starloom build decide
        starloom build --update
    """
    from dataclasses import asdict

    from starloom.stages import all_stages, load_settings
    from starloom.the_stack.door import UPDATE
    from starloom.workspace.run import build, forecasts

    stages = all_stages()
    names = [one.name for one in stages]
    if stage is not None and stage not in names:
        raise click.UsageError(f"`{stage}` is no stage; they are, in order: {', '.join(names)}")
    root = find(workspace)
    settings = load_settings(root)
    stages = stages[: names.index(stage) + 1] if stage else stages
    if dry_run:
        rows = forecasts(root, stages, settings, settings.engine)
        if as_json:
            emit({"stages": [{"name": name, "state": state, "would": words} for name, state, words in rows]})
            return
        for name, state, words in rows:
            click.echo(f"{name:<8} {state:<8} {words}")
        return
    done = build(root, stages, settings, settings.engine, "starloom build", {UPDATE: update})
    if as_json:
        emit({"stages": [asdict(one) for one in done]})
