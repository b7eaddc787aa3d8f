"""`starloom index`."""

import os
from pathlib import Path
from typing import cast

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option

ENGINES = ("quickwit", "opensearch")


@click.group("index", invoke_without_command=True, short_help="Index the dataset for search and check.")
@workspace_option
@json_option
@click.pass_context
def command(context: click.Context, workspace: Path | None, as_json: bool) -> None:
    """Index the dataset: full text for `search`, exact tiles for `check`.

    Both by default; runs only what is stale, and then does only what is new: an index takes in files that came and
    drops those that went. Together they take about twice the text: the
    membership index holds it once more, white space folded, so that an answer takes milliseconds.

    \b
    Examples:
        starloom index
        starloom index search
        starloom index export quickwit for-quickwit/
    """
    if context.invoked_subcommand is None:
        _make(None, workspace, as_json)
    else:
        context.obj = (workspace, as_json)


@command.command("search", short_help="Full text, for `search`.")
@workspace_option
@json_option
@click.pass_obj
def search(given: tuple[Path | None, bool], workspace: Path | None, as_json: bool) -> None:
    """Index full text, for `search`.

    \b
    Examples:
        starloom index search
    """
    _make("search", workspace or given[0], as_json or given[1])


@command.command("membership", short_help="Exact tiles, for `check`.")
@workspace_option
@json_option
@click.pass_obj
def membership(given: tuple[Path | None, bool], workspace: Path | None, as_json: bool) -> None:
    """Index exact tiles, for `check`.

    \b
    Examples:
        starloom index membership
    """
    _make("membership", workspace or given[0], as_json or given[1])


@command.command("export", short_help="Keywords, for Quickwit or OpenSearch.")
@click.argument("engine", type=click.Choice(ENGINES))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@workspace_option
@json_option
@click.pass_obj
def export(given: tuple[Path | None, bool], engine: str, folder: Path, workspace: Path | None, as_json: bool) -> None:
    """Write the keyword part of the search index for Quickwit or OpenSearch into a new folder: the index's definition,
    the files as JSON lines, and a README with the commands.

    A word finds the same files there. Regular expressions, pieces of text and our order stay with `starloom search`.

    \b
    Examples:
        starloom index export quickwit for-quickwit/
        starloom index export opensearch for-opensearch/
    """
    from starloom.progress import counted, say
    from starloom.search.export import Engine
    from starloom.search.export import export as write

    files = write(find(workspace or given[0]), cast(Engine, engine), folder)
    if as_json or given[1]:
        emit({"folder": str(folder), "files": files})
    else:
        say(f"{folder}: {counted(files, 'files')}")


def _make(what: str | None, workspace: Path | None, as_json: bool) -> None:
    # Arrow's allocator asks for pages of 2 MB, gives them back as soon as a batch is done, and the system zeroes each
    # that comes again: 7 % of the time of the membership index. It looks when it is loaded, in the workers too.
    os.environ.setdefault("MIMALLOC_ALLOW_THP", "0")
    from dataclasses import asdict

    from starloom.stages import index_stages, load_settings
    from starloom.workspace.run import build

    root = find(workspace)
    settings = load_settings(root)
    stages = [stage for stage in index_stages() if what in (None, stage.name)]
    done = build(root, stages, settings, settings.engine, "starloom index")
    if as_json:
        emit({"stages": [asdict(one) for one in done]})
