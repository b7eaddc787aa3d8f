"""`decide`: one ledger row for every listed file: kept, changed, dropped or quarantined, by which rule and value.

Order: what `read` refused, and what is opted out → the licence verdict by path → every rule on every copy that could be
read; the first that fires decides, all are recorded (`matched_rules`) → the keeper among the exact copies that passed →
clusters of near-duplicates among keepers → budgets → `split`. Touches no content: SQL over narrow tables, and one
kernel. Cost: see bench/decide.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from starloom.engine.verbs import Engine, Table
from starloom.errors import UserError
from starloom.settings import as_json
from starloom.the_stack import arrow_memory, opt_outs, redactions, tables
from starloom.the_stack.columns import COLUMNS
from starloom.the_stack.copies import Question, question
from starloom.the_stack.door import opted_out
from starloom.the_stack.fates import fates
from starloom.the_stack.ledger_rows import rows, said
from starloom.the_stack.licensing import HEARD, LISTED, LicenseSettings, license_verdicts
from starloom.the_stack.measured import KINDS, kinds
from starloom.the_stack.placed import Placed, asked_of, beside, by_number, placed, read, with_columns, with_numbers
from starloom.the_stack.rules import check, describe
from starloom.the_stack.signal import signal
from starloom.workspace.stage import Done, Job, Stage

VERSION = tables.LEDGER_VERSION


@dataclass(frozen=True)
class DecideSettings:
    """`[decide]`: what is no condition over columns."""

    near_duplicates: float = 0.7  # Jaccard similarity from which one of two files goes; 0: none goes
    near_duplicates_within: Literal["all", "language"] = "all"  # language: files of two languages are not alike
    clusters: Literal["stars", "components"] = "stars"  # components: what a chain of pairs links goes too
    held_out: float = 0.02  # share of repositories that no model is trained on
    seed: int = 0  # of the split

    def __post_init__(self) -> None:
        if not 0.0 <= self.near_duplicates <= 1.0:
            raise UserError(
                f"[decide] near_duplicates = {self.near_duplicates} is out of range", "use a Jaccard similarity, 0 to 1"
            )
        if not 0.0 <= self.held_out < 1.0:
            raise UserError(f"[decide] held_out = {self.held_out} is out of range", "use a share, 0 to less than 1")


_LICENSES = ("license_file", "notice", "statements")
_SIGNALS = (
    *dict.fromkeys(need for column in COLUMNS.values() for need in column.needs if need != KINDS),
    *(*_LICENSES, "scancode"),
)
# What is known where a file was made of others, else found.
_LICENSE = ("license_type", "detected_licenses", "license_evidence", "license_source", "license_rule", "license_score")


def decided(root: Path, engine: Engine, settings: Any, opted: opt_outs.OptOuts | None = None) -> pa.Table:
    """The ledger (LEDGER_ROWS, by repository and path) that `settings` make of what was listed, read, measured and
    paired; nothing is written. `opted`: the opt-outs; None: those of the workspace as they are now."""
    with arrow_memory.kept():
        pieces = _decided(root, engine, settings, opted)
        return pa.concat_tables([tables.LEDGER_ROWS.empty_table(), *pieces]).combine_chunks()


def _decided(root: Path, engine: Engine, settings: Any, opted: opt_outs.OptOuts | None) -> Iterator[pa.Table]:
    """The same in pieces: all is decided before the first comes."""
    asked = question(check(settings.rules), settings.budgets, settings.redact)
    listing, files, measured = _files(root, engine, asked, settings.licenses)
    wishes = opt_outs.of(root, settings.list.opt_outs) if opted is None else opted
    given = {
        "files": with_numbers(with_columns(files, measured)),
        "repositories": tables.repositories(root),
        "refused": tables.refused(root) or tables.REFUSED.empty_table(),
        "opted_contents": wishes.contents_table(),
        "opted_files": wishes.files_table(),
        **kinds(asked.needs),
    }
    copies = asked.answer(engine, given, settings.list.max_bytes)
    del given, measured
    streams = read(tables.streams(root), tables.STREAM_ROWS, tables.STREAM_ROWS.names)
    found = fates(engine, listing, copies, tables.pairs(root), streams, settings, _drawn(root, engine))
    copies = with_columns(copies, found)
    words = said(engine, copies, settings)
    return rows(engine, files, copies, words, tables.problems(root))


def _files(
    root: Path, engine: Engine, asked: Question, settings: LicenseSettings
) -> tuple[Placed, pa.Table, dict[str, pa.Array]]:
    """The listing; its files with verdicts on their licences; and what was measured of each."""
    with ThreadPoolExecutor(1) as aside:  # to read is one core's work
        reading = aside.submit(asked_of, root, asked.needs, asked.sql)
        listing = placed(root, asked.listed | set(LISTED))
        measured = aside.submit(lambda: beside(listing, reading.result()))
        files = with_columns(listing.files, _verdicts(root, engine, listing.files, settings))
        return listing, files, measured.result()


def _verdicts(root: Path, engine: Engine, files: pa.Table, settings: LicenseSettings) -> dict[str, Any]:
    """What the ledger says of each file's licence: found, or brought along with the listing."""
    if not (known := tables.decided(root)):
        heard: dict[str, Table] = {"notice": tables.signal_rows(root, "notice"), "scans": tables.scans(root)}
        for name, asked in HEARD.items():  # of few files, and asked several times
            heard[name] = read(tables.signal(root, name), signal(name).schema, asked)
        return license_verdicts(engine, files, tables.repositories(root), heard, settings)
    columns = ", ".join(f"k.{name}" for name in _LICENSE)
    sql = f"SELECT number, {columns} FROM files f LEFT JOIN decided k USING (repo_name, path)"
    found = by_number(engine.table(sql, {"files": with_numbers(files), "decided": known}))
    return {name: found.column(name) for name in _LICENSE}


def _drawn(root: Path, engine: Engine) -> set[str] | None:
    """The repositories that are held out already; None where they are to be drawn."""
    if not (known := tables.decided(root)):
        return None
    found = engine.table("SELECT DISTINCT repo_name FROM decided WHERE held_out", {"decided": known})
    return set(found.column(0).to_pylist())


def _run(job: Job) -> Done:
    counts: Counter[str] = Counter()

    def counted(pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
        for piece in pieces:
            counts.update({one["values"]: one["counts"] for one in piece.column("verdict").value_counts().to_pylist()})
            yield piece

    with arrow_memory.kept():
        pieces = _decided(job.root, job.engine, job.settings, opted_out(job))
        with job.publish() as draft:
            draft.parquet("ledger.parquet", tables.LEDGER_ROWS, counted(pieces))
            draft.facts = {"verdicts": dict(sorted(counts.items()))}
    return Done(0, ", ".join(f"{count:,} {verdict}" for verdict, count in sorted(counts.items())))


def _settings(settings: Any) -> Any:
    return {
        "decide": settings.decide,
        "licenses": settings.licenses,
        "max_bytes": settings.list.max_bytes,
        "verified": settings.pair.verify,
        "rules": [describe(rule) for rule in settings.rules],
        "budgets": as_json(settings.budgets),
        "redacted": redactions.decisive(settings.redact),
    }


STAGE = Stage(
    name="decide",
    folder=tables.LEDGER,
    version=VERSION,
    reads=(
        tables.LISTING,
        tables.FILES,
        *(f"{tables.SIGNALS}/{name}" for name in _SIGNALS),
        tables.PAIRS,
    ),
    settings=_settings,
    run=_run,
    outside=lambda job: opted_out(job).mark,
    forecast=lambda job: f"apply {len(job.settings.rules)} rules and the near-duplicate threshold",
)
