"""ScanCode's answers about licence texts that nothing else recognised: `signals/scancode/`, each text once.

The signals `license_file` and `notice` keep such texts in canonical form; here those not answered yet go through one
resident ScanCode (licenses/scancode). Without ScanCode they stay unknown, and the build says so. Another version of
ScanCode asks again; a text on which it fails (time, memory) has no answer, and the next build asks again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from starloom import progress
from starloom.engine.verbs import Engine, Table
from starloom.errors import UserError
from starloom.licenses import scancode
from starloom.licenses.expressions import join
from starloom.the_stack import tables
from starloom.workspace.manifest import fingerprint
from starloom.workspace.parts import Parts
from starloom.workspace.stage import COMPLETE, Job

VERSION = 2  # 2: of joined licences each is named once
SCANCODE = "scancode"  # its folder beside those of the signals
_KIND = f"signal-{SCANCODE}"
_BATCH = 200  # texts a part
_WORDS = ("auto", "off", "required")

_ASKED = """
SELECT text_id, min(text) AS text FROM (
  SELECT text_id, text FROM license_file WHERE text_id IS NOT NULL
  UNION ALL SELECT text_id, text FROM notice WHERE text_id IS NOT NULL)
GROUP BY text_id ORDER BY text_id
"""


@dataclass(frozen=True)
class ScanSettings:
    """`[scan]`: the licence scanner."""

    scancode: str = "auto"  # auto: used where it is installed; off; required: an error where it is not
    seconds: int = 120  # for one text; then it counts as an unknown licence

    def __post_init__(self) -> None:
        if self.scancode not in _WORDS:
            raise UserError(f'[scan] scancode = "{self.scancode}" is unknown', f"use one of {', '.join(_WORDS)}")
        if self.seconds < 1:
            raise UserError(f"[scan] seconds = {self.seconds} is out of range", "use 1 or more")


def version(settings: ScanSettings) -> str | None:
    """ScanCode's version, or None where it is not to be asked. Raises UserError when it is required and missing."""
    if settings.scancode == "off":
        return None
    found = scancode.version()
    if found is None and settings.scancode == "required":
        raise UserError(
            "ScanCode is not installed", "pip install 'starloom[licenses]', or set [scan] scancode = \"auto\""
        )
    return found


def scan(job: Job) -> tuple[str, int]:
    """Asks about every text that lacks an answer; what there is to tell of it, and how many have none for now."""
    settings: ScanSettings = job.settings.scan
    found = version(settings)
    mark = fingerprint(SCANCODE, VERSION, found)
    parts = Parts(job.root / tables.SIGNALS / SCANCODE, _KIND)
    parts.retire(part for part, one in parts.manifests().items() if one.fingerprint != mark)
    given = {name: tables.signal_rows(job.root, name) for name in ("license_file", "notice")}
    asked = texts(job.engine, given, tables.scans(job.root))
    failed = 0
    if found is not None and len(asked):
        with (
            progress.task("scan licence texts", len(asked), "texts") as bar,
            parts.committing() as commit,
            scancode.Scanner(seconds=settings.seconds) as scanner,
        ):
            for start in range(0, len(asked), _BATCH):
                some = asked.slice(start, _BATCH)
                rows = answers(scanner, some, bar.advance)
                failed += len(some) - len(rows)
                part = fingerprint(mark, *rows.column("text_id").to_pylist())[:16]
                if not len(rows):
                    continue
                with parts.publish(part, version=VERSION, fingerprint=mark, inputs={}, settings={}) as draft:
                    draft.parquet("scancode.parquet", tables.SCANS, [rows])
                commit(part)
    complete = fingerprint(mark, job.inputs())
    parts.set_facts({COMPLETE: f"{complete} but {failed}" if failed else complete, "version": found})
    if not len(asked):
        return "", 0
    number = progress.counted(len(asked), "licence texts")
    if found is None:
        return f"{number} unknown: pip install 'starloom[licenses]' names them", 0
    note = f"; ScanCode failed on {failed:,}, and the next build asks again" if failed else ""
    return f"{number} scanned{note}", failed


def texts(engine: Engine, given: dict[str, Table], scans: Table) -> pa.Table:
    """(text_id, text) of what has no answer in `scans` yet."""
    return engine.table(
        f"SELECT a.* FROM ({_ASKED}) a ANTI JOIN scans s ON a.text_id = s.text_id ORDER BY a.text_id",
        {**given, "scans": scans},
    )


def answers(scanner: "scancode.Scanner", asked: pa.Table, advance: Any = None) -> pa.Table:
    """Rows of tables.SCANS for (text_id, text), in their order; those on which ScanCode failed are left out."""
    rows = []
    pairs: Iterable[tuple[str, str]] = zip(*(asked.column(name).to_pylist() for name in ("text_id", "text")))
    for one in scanner.scan(pairs):
        matches = one.matches
        if advance:
            advance(1)
        if one.problem:
            continue
        rows.append(
            {
                "text_id": one.text_id,
                "expression": join(list(one.expressions), "AND") if one.expressions else None,
                "rule": ", ".join(dict.fromkeys(match.rule for match in matches[:3])) or None,
                "score": min((match.score for match in matches), default=None),
                "start": min((match.start for match in matches), default=None),
                "end": max((match.end for match in matches), default=None),
            }
        )
    return pa.Table.from_pylist(rows, tables.SCANS)
