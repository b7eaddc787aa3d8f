"""`starloom index`."""

from pathlib import Path

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option


@click.command("index", short_help="Index the dataset for search and check.")
@click.argument("what", type=click.Choice(["search", "membership"]), required=False)
@workspace_option
@json_option
def command(what: str | None, workspace: Path | None, as_json: bool) -> None:
    """Index the dataset: full text for `search`, exact tiles for `check`.

    Both by default; runs only what is stale. Together they take about one and a half times the text: the membership
    index holds it once more, white space folded, so that an answer takes milliseconds.

    \b
    Examples:
        starloom index
        starloom index search
    """
    from dataclasses import asdict

    from starloom.stages import index_stages, load_settings
    from starloom.workspace.run import build

    root = find(workspace)
    settings = load_settings(root)
    stages = [stage for stage in index_stages() if what in (None, stage.name)]
    done = build(root, stages, settings, settings.engine, "starloom index")
    if as_json:
        emit({"stages": [asdict(one) for one in done]})
