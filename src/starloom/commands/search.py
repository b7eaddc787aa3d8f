"""`starloom search`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option

if TYPE_CHECKING:
    from starloom.search.hits import Hit


@click.command("search")
@click.argument("query")
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="Files to show.")
@click.option("--offset", type=click.IntRange(0), default=0, help="Files to pass over.")
@click.option("--raw", is_flag=True, help="Show what is private in these lines too: addresses, keys, passwords.")
@workspace_option
@json_option
def command(query: str, limit: int, offset: int, raw: bool, workspace: Path | None, as_json: bool) -> None:
    """Search the dataset, full text. Every hit is verified on the text.

    \b
    quicksort             a whole identifier (letters, digits, _)
    "def quick"  a->b     exact text: in quotes, or no plain word; wherever it stands
    lang:python           language, by name or alias
    repo:numpy path:test  a piece of the repository's name, of the path
    license:MIT           permissive, no_license, non_permissive, or SPDX
    -word -path:test      excluded

    All must hold. Small letters match in any case, a term with capitals only as it is written. Put the whole query in
    single quotes, so that the shell leaves it alone.

    \b
    Examples:
        starloom search 'lang:python "def quicksort"'
        starloom search 'einsum -path:tests' --json | jq -r '.hits[].path'
        starloom search -- '-license lang:c'
    """
    from starloom.outside.paths import printable
    from starloom.progress import say
    from starloom.search.index import SearchIndex

    index = SearchIndex.open(find(workspace))
    if index.stale:
        say("note: the dataset has changed since it was indexed; `starloom index search` renews the index")
    answer = index.search(query, limit, offset, raw=raw)
    if as_json:
        emit(answer.to_json())
        return
    for hit in answer.hits:
        click.echo(f"{printable(hit.place)}  {click.style(printable(hit.license), dim=True)}")
        click.echo("\n".join(f"    {line}" for line in _highlighted(hit).split("\n")) + "\n")
    shown = "" if answer.total <= len(answer.hits) else f", {offset + 1} to {offset + len(answer.hits)} shown"
    say(f"{answer.summary()}{shown if answer.hits else ''}, {answer.seconds * 1000:.1f} ms")


def _highlighted(hit: "Hit") -> str:
    """The snippet with its matches in bold; `echo` takes the colours away where no terminal is."""
    pieces, at = [], 0
    for start, end in hit.highlights:
        pieces += [hit.snippet[at:start], click.style(hit.snippet[start:end], fg="red", bold=True)]
        at = end
    return "".join([*pieces, hit.snippet[at:]])
