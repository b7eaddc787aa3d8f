"""Which findings of which contents `write` replaces, and what the ledger says of that.

Findings lie in the parts of the signal `private`, characters of the text as it is in `files/`. Only rows of contents
that are kept and have any are held: a part's findings, in memory, a few bytes each.
"""

import functools
import hashlib
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from starloom.errors import UserError
from starloom.privacy.finding import KINDS, Finding
from starloom.privacy.replace import RedactSettings, replaced
from starloom.the_stack import tables

SIGNAL = "private"
RULE = "redaction"

# The signal's columns: how many of each kind, and where.
COUNTS = {
    "EMAIL": "emails",
    "IP_ADDRESS": "ip_addresses",
    "KEY": "keys",
    "PASSWORD": "passwords",
    "NAME": "names",
    "USERNAME": "usernames",
}
FINDINGS = pa.list_(
    pa.struct(
        [
            pa.field("start", pa.int32(), nullable=False),
            pa.field("end", pa.int32(), nullable=False),
            pa.field("kind", pa.string(), nullable=False),
            pa.field("detector", pa.string(), nullable=False),
            pa.field("confidence", pa.float32(), nullable=False),
        ]
    )
)
_ROWS = 10_000  # of a part, looked at together


def of_content(settings: RedactSettings) -> str:
    """SQL over the signal beside f: what the ledger says is replaced in a content, e.g. `2 EMAIL`; null: nothing."""
    counts = {kind: COUNTS[kind] for kind in KINDS if kind in settings.source.replaces}
    each = [
        f"CASE WHEN f.{SIGNAL}.{column} > 0 THEN f.{SIGNAL}.{column} || ' {kind}' END"
        for kind, column in counts.items()
    ]
    return f"nullif(concat_ws(', ', {', '.join(each) or 'NULL'}), '')"


def limit(settings: RedactSettings) -> str:
    """What the ledger says that is held against: the kinds that are replaced."""
    return f"[redact.source] kinds: {', '.join(kind for kind in KINDS if kind in settings.source.replaces)}"


def counted(numbers: Mapping[str, int]) -> str:
    """The same of numbers by kind."""
    return ", ".join(f"{numbers[kind]:,} {kind}" for kind in KINDS if numbers.get(kind))


def decisive(settings: RedactSettings) -> list[str]:
    """Of the settings, what the ledger depends on."""
    return list(settings.source.replaces)


def telling(settings: RedactSettings) -> dict[str, Any]:
    """What the dataset depends on; a hash stands for the key, which who has the dataset is not to know."""
    found: dict[str, Any] = {"kinds": decisive(settings), "replace": settings.source.replace}
    return found | ({"key": _hash(settings.key)} if settings.source.replace == "synthetic" else {})


@functools.cache
def _hash(key: str) -> str:
    """A slow one (50 ms), so that likely keys are not tried."""
    return hashlib.scrypt(key.encode(), salt=b"starloom redact", n=1 << 14, r=8, p=1).hex()[:16]


def of_part(root: Path, part: str, wanted: Container[str]) -> pa.Table:
    """content_id and findings of those contents among `wanted` (ids) that have any, from the part of the signal that
    goes with this part of `files/`. Raises UserError when it is not there, or damaged."""
    path = root / tables.SIGNALS / SIGNAL / part / f"{SIGNAL}.parquet"
    schema = pa.schema([("content_id", pa.string()), ("findings", FINDINGS)])
    found: list[pa.RecordBatch] = []
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_ROWS, columns=schema.names):
                some = batch.filter(pc.greater(pc.list_value_length(batch.column("findings")), 0))
                found.append(some.filter(pa.array([one in wanted for one in some.column(0).to_pylist()], pa.bool_())))
    except (OSError, pa.ArrowException) as problem:
        raise UserError(
            f"{path} cannot be read ({str(problem).splitlines()[0]})",
            f"delete {root / tables.SIGNALS} and run `starloom build`: it is measured again",
        ) from None
    return pa.Table.from_batches(found).cast(schema) if found else schema.empty_table()


def redacted(
    contents: pa.ChunkedArray,
    findings: Mapping[int, Sequence[Mapping[str, Any]]],
    languages: Sequence[str | None],
    settings: RedactSettings,
) -> tuple[pa.ChunkedArray, pa.Array]:
    """The contents (strings) with the findings, by row, replaced, and what was: `redactions` of the dataset, an empty
    list where nothing was."""
    noted: list[list[dict[str, Any]]] = [[] for _ in range(len(contents))]
    changed: list[str] = []
    mask = np.zeros(len(contents), np.bool_)
    for row in sorted(findings):
        some = (Finding(**one) for one in findings[row])
        text, redactions = replaced(contents[row].as_py(), some, settings, languages[row] or "")
        if redactions:
            changed.append(text)
            mask[row] = True
            noted[row] = [one._asdict() for one in redactions]
    if changed:
        contents = pc.replace_with_mask(contents, pa.array(mask), pa.array(changed, contents.type))
    return contents, pa.array(noted, tables.REDACTIONS)
