"""`starloom search`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from starloom.commands._numbers import NumberRange
from starloom.commands._workspace import emit, emit_line, find, json_option, workspace_option

if TYPE_CHECKING:
    from starloom.search.hits import Answer, Hit
    from starloom.search.index import SearchIndex

_COUNT_SECONDS = 0.03  # nobody notices, and "at least" is said less often


class _Search(click.Command):
    """Tells how a query is given that begins with an exclusion, which is taken for an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as problem:
            if problem.option_name.startswith("--"):
                raise
            raise click.UsageError(
                f"{problem.format_message()} A query that begins with - stands last, behind --: "
                "starloom search -- '-path:test json'",
                ctx,
            ) from None


@click.command("search", cls=_Search)
@click.argument("query")
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="Files to show.")
@click.option("--cursor", metavar="TEXT", help="Go on behind a page, as that page says.")
@click.option("--all", "everything", is_flag=True, help="Show all files, as they are found; with --json one a line.")
@click.option("--facets", is_flag=True, help="Count the hits by language, licence and repository.")
@click.option("--seconds", type=NumberRange(0), metavar="N", help="Time the search may take.  [default: 2]")
@click.option(
    "--raw", is_flag=True, help="Show what is private in these lines too, but for what the dataset has replaced."
)
@workspace_option
@json_option
def command(
    query: str,
    limit: int,
    cursor: str | None,
    everything: bool,
    facets: bool,
    seconds: float | None,
    raw: bool,
    workspace: Path | None,
    as_json: bool,
) -> None:
    """Search the dataset, full text. Every hit is verified on the text.

    \b
    read_json             a word: a whole identifier, or a part of one (read)
    "def read"  a->b      exact text: in quotes, or no plain word; anywhere
    /read_\\w+\\(/          a regular expression (RE2: always in linear time)
    sym:Tree              what defines it: a function, class, type, constant
    lang:python           language, by name or alias
    repo:numpy path:test  a piece of the repository's name, of the path
    file:setup            a piece of the file's name; /…/ works for all three
    license:MIT           permissive, no_license, non_permissive, or SPDX
    -word  a or b  (a b)  excluded, either, grouped
    case:yes  count:all   as written; count every hit (else some 30 ms long)

    Small letters match in any case, a term with capitals only as it is written. Put the whole query in single quotes,
    so that the shell leaves it alone. Where the time is up, the answer says "at least".

    \b
    Examples:
        starloom search 'lang:python "def quicksort"'
        starloom search 'sym:Tree -path:test' --facets
        starloom search 'einsum (file:layer or file:attention)' --json | jq -r '.hits[].path'
        starloom search '/TODO\\(\\w+\\)/' --all --json | jq -r .repo_name | sort | uniq -c
        starloom search -- '-license:permissive lang:c'
    """
    from starloom.progress import say
    from starloom.search.ask import SECONDS
    from starloom.search.hints import hint
    from starloom.search.index import SearchIndex

    limited = click.get_current_context().get_parameter_source("limit") is ParameterSource.COMMANDLINE
    if everything and (cursor or facets or limited):
        raise click.UsageError("--all shows everything: leave --cursor, --facets and --limit away")
    index = SearchIndex.open(find(workspace))
    if index.stale:
        say("note: the dataset has changed since it was indexed; `starloom index search` renews the index")
    if everything:
        _all(index, query, seconds, raw, as_json)
        return
    time = SECONDS if seconds is None else seconds
    answer = index.search(
        query, limit, cursor=cursor, seconds=time, count_seconds=_COUNT_SECONDS, facets=facets, raw=raw
    )
    if as_json:
        emit(answer.to_json())
        return
    for hit in answer.hits:
        _show(hit)
    for name, values in (answer.facets or {}).items():
        _show_facet(name, values)
    say(f"{answer.summary()}{_notes(answer)}, {answer.seconds * 1000:.1f} ms")
    if answer.found_nothing and (meant := hint(query)):
        say(f"hint: {meant}")
    if answer.cursor and not answer.hits:
        say(f"to look further: --cursor {answer.cursor}")
    elif answer.cursor:
        say(f"more: --cursor {answer.cursor}")


def _all(index: "SearchIndex", query: str, seconds: float | None, raw: bool, as_json: bool) -> None:
    from dataclasses import asdict

    from starloom.progress import counted, say

    shown, partial = 0, False
    for answer in index.pages(query, seconds=seconds, raw=raw):
        partial = answer.partial or answer.cursor is not None
        shown += len(answer.hits)
        for hit in answer.hits:
            if as_json:
                emit_line(asdict(hit))
            else:
                _show(hit)
    say(f"{counted(shown, 'files')}{', and perhaps more: the time was up' if partial else ''}")


def _notes(answer: "Answer") -> str:
    shown = f", {len(answer.hits):,} shown" if len(answer.hits) < answer.total else ""
    if answer.partial:
        return f"{shown}; not all of it was looked at: {'; '.join(answer.problems) or 'the time was up'}"
    return shown


def _show(hit: "Hit") -> None:
    from starloom.outside.paths import printable

    click.echo(f"{printable(hit.place)}  {click.style(printable(hit.license), dim=True)}")
    click.echo("\n".join(f"    {line}" for line in _highlighted(hit).split("\n")) + "\n")


def _show_facet(name: str, values: Mapping[str, int]) -> None:
    from starloom.outside.paths import printable

    told = ", ".join(f"{printable(value)} {many:,}" for value, many in values.items())
    click.echo(f"{name.replace('_', ' ').replace('license', 'licence') + ':':<14}{told or 'none'}")


def _highlighted(hit: "Hit") -> str:
    """The snippet with its matches in bold; `echo` takes the colours away where no terminal is."""
    pieces, at = [], 0
    for start, end in hit.highlights:
        pieces += [hit.snippet[at:start], click.style(hit.snippet[start:end], fg="red", bold=True)]
        at = end
    return "".join([*pieces, hit.snippet[at:]])
