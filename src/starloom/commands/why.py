"""`starloom why`."""

from pathlib import Path

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option


@click.command("why", short_help="What happened to a file, and by which rule.")
@click.argument("what")
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="Files to show.")
@click.option(
    "--diff",
    type=click.IntRange(min=1),
    metavar="LINES",
    help="So many lines of how a near-duplicate differs from its twin; default: 20, where no more than 3 are shown.",
)
@click.option("--no-diff", is_flag=True, help="No texts: what the ledger says only.")
@click.option("--raw", is_flag=True, help="Show what is private in these lines too: addresses, keys, passwords.")
@workspace_option
@json_option
def command(
    what: str, limit: int, diff: int | None, no_diff: bool, raw: bool, workspace: Path | None, as_json: bool
) -> None:
    """What happened to a file or repository, and by which rule.

    WHAT is a path (whole, or its end), a repository, REPOSITORY:PATH, a content id or a SWHID. A near-duplicate is
    shown with its twin, their exact Jaccard similarity, and the lines in which they differ.

    \b
    Examples:
        starloom why json/decoder.py
        starloom why pypi/click
        starloom why json/decoder.py --diff 100
        starloom why swh:1:cnt:e69de29bb2d1d6434b8b29ae775ad8c2e48c5391
    """
    import os
    import shlex

    from starloom.documents.told import documents_of
    from starloom.outside.paths import printable, text_path
    from starloom.stages import load_settings
    from starloom.the_stack.why import explain, words
    from starloom.workspace.run import engine

    root = find(workspace)
    if not what.isprintable():  # a name that is no UTF-8 is listed in another form
        what = text_path(os.fsencode(what))
    with engine(root, load_settings(root).engine) as local:
        found = explain(root, local, what, limit, 0 if no_diff else diff, raw)
        told = documents_of(root, local, what)
    documents = [one for one in told if not one.problem]
    damaged = [one for one in told if one.problem]
    if as_json:
        problems = {"problems": [one.words() for one in damaged]}
        emit(found.to_json() | {"documents": {one.folder: one.counts for one in documents}} | problems)
        return
    click.echo(words(found))
    if documents:
        place = shlex.quote(os.path.relpath(root / documents[0].folder))
        click.echo(f"\ndocuments made of it, which `starloom why {shlex.quote(what)} -w {place}` explains:")
    for one in documents:
        click.echo(f"  {one.words()}")
    for one in damaged:
        click.echo(f"\n{printable(one.words())}")
