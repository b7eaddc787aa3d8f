"""`starloom compare`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from starloom.commands._inputs import TOKENISATIONS, column_options, signature_options
from starloom.commands._numbers import NumberRange
from starloom.commands._workspace import emit, json_option

if TYPE_CHECKING:
    from starloom.dedup.algebra import Comparison, Key, Operation, Side
    from starloom.dedup.inputs import Input
    from starloom.dedup.signature import MinHashSettings
    from starloom.engine.verbs import Engine

F = TypeVar("F", bound=Callable[..., Any])
_THRESHOLD = 0.7


@click.group("compare", short_help="What two corpora have in common, exactly and nearly.")
def command() -> None:
    """Compare two corpora by their contents: what both have, exactly or nearly, and what only one has.

    A and B are each a workspace (its dataset), Parquet, JSON lines (.jsonl, .ndjson, .json; also .gz, .zst), a folder
    of such, a folder of source files, or a file of signatures. Near means a Jaccard similarity of 5 tokens in a row; it
    is exact where the texts of both sides are there, and an estimate where one side has signatures only.

    \b
    Examples:
        starloom compare diff old/ new/
        starloom compare subtract crawl.jsonl stack/ --out new-files.jsonl
        starloom compare sign private/ --key-file key.txt --out private.signatures
        starloom compare intersect private.signatures stack/ --key-file key.txt
    """


def _options(rows: bool) -> Callable[[F], F]:
    """The arguments and options that the four comparisons share; `rows`: whether --out makes sense."""
    path: Any = click.Path(path_type=Path)
    options = [
        click.argument("a", type=path),
        click.argument("b", type=path),
        click.option(
            "--threshold",
            type=NumberRange(0, 1, min_open=True),
            help=f"Jaccard similarity from which two are near.  [default: {_THRESHOLD}]",
        ),
        click.option("--exact", is_flag=True, help="Equal contents only: much faster."),
        click.option("--tokenisation", type=click.Choice(TOKENISATIONS), help="What a token is.  [default: words]"),
        click.option("--key-file", type=path, help="The agreed key, where one side is signed with one."),
        column_options,
        click.option(
            "--list", "listed", type=path, help="Write side, id, match, twin, Jaccard: .parquet, .jsonl, .csv."
        ),
        *([click.option("--out", type=path, help="Write the rows themselves: .parquet, .jsonl; replaced.")] * rows),
        click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="Files to name of a kind."),
        json_option,
    ]

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


@command.command("diff", short_help="Only in A, only in B, in both.")
@_options(rows=False)
def diff(**options: Any) -> None:
    """What is only in A, what only in B, what in both: exactly, or nearly with the most similar one.

    \b
    Examples:
        starloom compare diff old/ new/ --list changes.csv
        starloom compare diff a.parquet b.parquet --exact --json | jq '.a.none.files'
    """
    _compare("diff", **options)


@command.command("intersect", short_help="What of A is in B too.")
@_options(rows=True)
def intersect(**options: Any) -> None:
    """What of A has a copy in B, exactly or nearly. --out writes those rows of A.

    \b
    Examples:
        starloom compare intersect mine/ stack-v2.parquet
        starloom compare intersect mine/ theirs.signatures --key-file key.txt
    """
    _compare("intersect", **options)


@command.command("subtract", short_help="What of A is not in B.")
@_options(rows=True)
def subtract(**options: Any) -> None:
    """What of A has no copy in B, neither exactly nor nearly: do I need A beside B? --out writes those rows of A.

    \b
    Examples:
        starloom compare subtract crawl.jsonl stack/ --out new-files.jsonl
        starloom compare subtract v2/ v3/ --exact
    """
    _compare("subtract", **options)


@command.command("union", short_help="A, and what B adds to it.")
@_options(rows=True)
def union(**options: Any) -> None:
    """A whole, then what of B has no copy in A. --out writes those rows. Copies within A or within B stay.

    \b
    Examples:
        starloom compare union old.jsonl new.jsonl --out both.jsonl
        starloom compare union a/ b/ --threshold 0.85 --list both.csv
    """
    _compare("union", **options)


@command.command("sign", short_help="A file to compare with, without the texts.")
@click.argument("a", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The file of signatures; replaced.")
@click.option("--key-file", type=click.Path(path_type=Path), help="The agreed key: without it the file tells nothing.")
@click.option("--names/--no-names", default=None, help="Whether it names the texts; default: not with a key.")
@signature_options
@column_options
@json_option
def sign(
    a: Path,
    out: Path,
    key_file: Path | None,
    names: bool | None,
    tokenisation: Any,
    permutations: int,
    id_column: str | None,
    content_column: str | None,
    as_json: bool,
) -> None:
    """Write the signatures of A: with them somebody else can compare, without seeing a line of it.

    Without a key, whoever has a candidate file can sign it too, and see whether A has it: for public corpora. With a
    key that both sides agreed on, only they can; the file still shows how many texts there are, and how much they
    resemble each other. About 1.1 KB a text.

    \b
    Examples:
        starloom compare sign stack/ --out stack.signatures
        starloom compare sign private/ --key-file key.txt --out private.signatures
    """
    from starloom.commands._inputs import engine_for, open_texts
    from starloom.commands._output import check_outputs, output
    from starloom.dedup.algebra import Key, Terms, is_signature_file, sign_files, write_signatures
    from starloom.dedup.inputs import left_out_lines
    from starloom.dedup.signature import MinHashSettings
    from starloom.errors import UserError
    from starloom.progress import counted, human
    from starloom.scratch import scratch_folder

    check_outputs({"--out": out}, [a, *([key_file] if key_file else [])])
    if is_signature_file(a):
        raise UserError(f"{a} is a file of signatures already", "sign the texts that it was made of")
    key = Key.read(key_file) if key_file else None
    settings = MinHashSettings(tokenisation, 5, permutations, 1, 1)
    with scratch_folder("starloom-sign-") as scratch:
        source = open_texts(a, scratch, id_column, content_column)
        with engine_for([source], scratch) as engine:
            signed = sign_files(engine, source.files, settings, scratch, key)
        with output(out) as file:
            named = key is None if names is None else names
            rows = write_signatures(file, source.ids, signed, Terms.of(settings, key), key, named)
    size = out.stat().st_size
    if as_json:
        left_out = [one._asdict() for one in source.left_out]
        emit({"file": str(out), "files": rows, "bytes": size, "key": bool(key), "names": named, "left_out": left_out})
        return
    for line in left_out_lines(source.left_out, 3, "   "):
        click.echo(line)
    reader = "who has the key can compare with it" if key else "whoever has a file can test whether it is among them"
    click.echo(f"{out}: {counted(rows, 'files')} signed, {human(size, 'bytes')}; {reader}")


def _compare(
    operation: "Operation",
    a: Path,
    b: Path,
    threshold: float | None,
    exact: bool,
    tokenisation: Any,
    key_file: Path | None,
    id_column: str | None,
    content_column: str | None,
    listed: Path | None,
    limit: int,
    as_json: bool,
    out: Path | None = None,
) -> None:
    from starloom.commands._inputs import engine_for, open_texts
    from starloom.commands._output import check_outputs, output
    from starloom.dedup.algebra import Key, agreed, compare, is_signature_file, read_terms, result, to_json, words
    from starloom.dedup.rows_out import form_of, write_table
    from starloom.errors import UserError
    from starloom.scratch import scratch_folder

    if exact and (threshold or tokenisation):
        raise click.UsageError("--exact compares bytes: it does not go with --threshold or --tokenisation")
    check_outputs({"--list": listed, "--out": out}, [a, b, *([key_file] if key_file else [])])
    forms = (listed and form_of(listed, csv_too=True), out and form_of(out))
    signed = [(path, read_terms(path) if is_signature_file(path) else None) for path in (a, b)]
    for path, known in signed[: 2 if operation == "union" else 1]:
        if out and known:
            raise UserError(f"{path} holds signatures, no rows that {out} could have", "write ids with --list FILE")
    key = Key.read(key_file) if key_file else None
    least = threshold or _THRESHOLD
    settings = agreed((str(a), signed[0][1]), (str(b), signed[1][1]), least, tokenisation, key)
    by = None if exact else settings
    with scratch_folder("starloom-compare-") as scratch:
        sources = [None if known else open_texts(path, scratch, id_column, content_column) for path, known in signed]
        with engine_for([one for one in sources if one], scratch) as engine:
            one, two = (
                _signed(engine, source, by, key, scratch) if source else _sent(path, scratch)
                for source, (path, _) in zip(sources, signed, strict=True)
            )
            found = compare(engine, operation, one, two, settings=by, threshold=least, scratch=scratch)
        if listed and forms[0]:
            with output(listed) as file:
                write_table(result(found), file, forms[0])
        if out and forms[1]:
            _write_rows(found, [one for one in sources if one], out, forms[1])
        if as_json:
            emit(to_json(found, by, limit))
        else:
            click.echo(words(found, by, limit))


def _signed(
    engine: "Engine", source: "Input", settings: "MinHashSettings | None", key: "Key | None", scratch: Path
) -> "Side":
    from starloom.dedup.algebra import Side, sign_files

    signed = sign_files(engine, source.files, settings, scratch, key)
    return Side(source.name, source.ids, signed, source.files, source.left_out)


def _sent(path: Path, scratch: Path) -> "Side":
    from starloom.dedup.algebra import Side, read_signatures

    ids, signed, _ = read_signatures(path, scratch)
    return Side(str(path), ids, signed, None)


def _write_rows(found: "Comparison", sources: "list[Input]", out: Path, form: str) -> None:
    import numpy as np

    from starloom.commands._output import output
    from starloom.dedup.algebra import selected
    from starloom.dedup.inputs import together
    from starloom.dedup.rows_out import write_rows

    parts = selected(found)
    masks = []
    for source, (_, rows) in zip(sources, parts, strict=False):
        mask = np.zeros(source.rows, dtype=bool)
        mask[rows] = True
        masks.append(mask)
    with output(out) as file:
        write_rows(together(sources[: len(parts)]), np.concatenate(masks), file, form)
