"""`starloom check`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option

if TYPE_CHECKING:
    from starloom.membership.check import Check
    from starloom.membership.given import Given


@click.command("check", short_help="Matching code: files, repositories, licences.")
@click.argument("what", metavar="FILE|DIR|-", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--all", "everything", is_flag=True, help="Every match and every file; takes longer.")
@workspace_option
@json_option
def command(what: Path, everything: bool, workspace: Path | None, as_json: bool) -> None:
    """Find code of a file, a folder or standard input that matches code in the dataset.

    Tells which lines match which files, in which repositories, under which licences. Exact but for white space: a
    re-indented copy of 99 or more characters is always found, renamed identifiers are not. What matches is matching
    code; who wrote it first is not said. `starloom index` makes the index.

    \b
    Examples:
        starloom check src/model.py
        starloom check . --json | jq -r '.matches[].files[].detected_licenses[]' | sort | uniq -c
        git diff --cached | starloom check -
    """
    import sys

    from starloom import progress
    from starloom.membership import given, words
    from starloom.membership.check import FILES, Index

    index = Index.open(find(workspace))
    files = None if everything else FILES if as_json else words.FILES
    if what.is_dir():
        answers: list[tuple[Given, Check | None]] = []
        with progress.task("check", None, "files") as bar:
            for one in given.from_folder(what):
                answers.append((one, None if one.text is None else index.check(one.text, files)))
                bar.advance(1)
        if as_json:
            emit(_folder_json(answers))
        else:
            click.echo(words.about_folder(answers, everything))
        return
    if str(what) == "-":
        one = given.from_stream(sys.stdin.buffer)
    else:
        one = given.from_file(what)
    found = index.check(one.text or "", files)
    if as_json:
        emit({"path": one.path, **_json(one, found)})
    else:
        click.echo(words.about_text(one, found, everything))


def _json(given: "Given", found: "Check") -> dict[str, Any]:
    told = found.to_json()
    return told | {"matches": [{"path": given.path, **match} for match in told["matches"]]}


def _folder_json(answers: "list[tuple[Given, Check | None]]") -> dict[str, Any]:
    """As for one text, and `texts`: what became of each file. Matches are those of all, each with its `path`."""
    from starloom.membership.words import coverage

    told = [(one, None if found is None else _json(one, found)) for one, found in answers]
    checked = [found for _, found in answers if found]
    return {
        "coverage": coverage(checked),
        "seconds": sum(found.seconds for found in checked),
        "characters": sum(found.characters for found in checked),
        "matches": [match for _, found in told if found for match in found["matches"]],
        "texts": [
            {
                "path": one.path,
                "verdict": found["verdict"] if found else f"not covered: {one.problem}",
                "coverage": found["coverage"] if found else None,
                "characters": found["characters"] if found else None,
                "matches": len(found["matches"]) if found else None,
            }
            for one, found in told
        ],
    }
