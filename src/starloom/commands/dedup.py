"""`starloom dedup`."""

import os
from pathlib import Path
from typing import Any

import click

from starloom.commands._inputs import column_options, signature_options
from starloom.commands._numbers import NumberRange
from starloom.commands._workspace import emit, json_option


@click.command("dedup", short_help="Near-duplicates in anybody's data: Parquet, JSON lines, folders.")
@click.argument("what", metavar="FILE|DIR...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--threshold",
    type=NumberRange(0, 1, min_open=True),
    default=0.7,
    show_default=True,
    help="Jaccard similarity from which one of two goes.",
)
@click.option("--within", metavar="COLUMN", help="Compare only texts that are equal in this column.")
@click.option(
    "--prefer",
    metavar="COLUMN[:desc]",
    multiple=True,
    help="Which of a cluster stays: the least, or with :desc the greatest; may be repeated. Default: the first.",
)
@signature_options
@click.option(
    "--explain", "explained", is_flag=True, help="How texts are compared, and what is found: no text is read."
)
@column_options
@click.option("--out", type=click.Path(path_type=Path), help="Write the rows that stay: .parquet, .jsonl; replaced.")
@click.option(
    "--removed",
    type=click.Path(path_type=Path),
    help="Write id, twin and Jaccard of what goes: .parquet, .jsonl, .csv; replaced.",
)
@json_option
def command(
    what: tuple[Path, ...],
    threshold: float,
    within: str | None,
    prefer: tuple[str, ...],
    tokenisation: Any,
    permutations: int,
    explained: bool,
    id_column: str | None,
    content_column: str | None,
    out: Path | None,
    removed: Path | None,
    as_json: bool,
) -> None:
    """Find near-duplicates in any Parquet, JSON lines (.jsonl, .ndjson, .json; also .gz, .zst), folder of such, folder
    of source files, or workspace (its dataset).

    Candidates come from MinHash; every pair is then compared exactly, so nothing goes that is not as similar as is said
    to the text that stays. Texts of fewer than 5 tokens have no near-duplicates. Without --out nothing is written but a
    summary. A name that ends in .jsonl.gz or .jsonl.zst is compressed; rows of JSON lines are copied byte for byte.
    Scratch files, about the size of the texts, lie in the folder TMPDIR meanwhile.

    \b
    Examples:
        starloom dedup data.jsonl --out kept.jsonl
        starloom dedup the-stack-smol/ --within lang --prefer max_stars_count:desc --removed gone.csv
        starloom dedup src/ vendor/
        starloom dedup --explain --threshold 0.85
    """
    # Arrow's allocator gives what is freed back to the system after 10 ms, and a page that comes again is zeroed again:
    # of the time of reading a third or more. It looks when it is loaded, in the workers too.
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", "-1")
    from dataclasses import asdict

    from starloom.dedup.signature import tuned

    settings = tuned(threshold, permutations, tokenisation)
    if explained:
        from starloom.dedup.explain import explain

        text = explain(settings, threshold)
        if as_json:
            emit({"threshold": threshold, "settings": asdict(settings), "explanation": text})
        else:
            click.echo(text)
        return
    if not what:
        raise click.UsageError("Missing argument 'FILE|DIR...'.")

    from starloom.commands._inputs import engine_for, open_texts
    from starloom.commands._output import check_outputs, output
    from starloom.dedup.account import Account
    from starloom.dedup.by_column import groups, preferred
    from starloom.dedup.inputs import together
    from starloom.dedup.parquet_texts import near_duplicates_in_files
    from starloom.dedup.rows_out import form_of, write_rows, write_table
    from starloom.progress import say
    from starloom.scratch import scratch_folder

    out_form, removed_form = out and form_of(out), removed and form_of(removed, csv_too=True)
    check_outputs({"--out": out, "--removed": removed}, what)
    with scratch_folder("starloom-dedup-") as scratch:
        source = together([open_texts(one, scratch, id_column, content_column) for one in what])
        rank = preferred(source, prefer) if prefer else None
        equal = groups(source, within) if within else None
        with engine_for([source], scratch) as engine:
            found = near_duplicates_in_files(engine, source.files, threshold, rank, settings, equal, scratch=scratch)
        account = Account(source, found, settings, threshold)
        if removed and removed_form:
            with output(removed) as file:
                write_table(account.table(), file, removed_form)
        if out and out_form:
            with output(out) as file:
                write_rows(source, account.keep, file, out_form)
        if as_json:
            emit(account.to_json())
            return
        click.echo(account.words())
    if out is None and removed is None:
        say("\nnothing was written: --out FILE writes the rows that stay, --removed FILE names those that go")
