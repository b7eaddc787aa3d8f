"""Personal data and secrets in figures: what was found, by kind and by detector, and places where it stood.

A found value is shown nowhere: of each place there is the text around it, with all that was found there masked. Cost:
three queries over the signal, and the row groups that hold a sample.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from starloom.engine.verbs import Engine
from starloom.kernels.random import keyed_uint64, keyed_uint64s
from starloom.privacy.finding import KINDS
from starloom.privacy.marked import Row, marked_excerpt
from starloom.privacy.span import Span
from starloom.the_stack import tables
from starloom.the_stack.texts import cached_texts

SEED, PURPOSE = 0, "private samples"
_LINES, _CHARACTERS = 5, 400  # of an excerpt

_FINDINGS = "(SELECT content_id, unnest(findings) AS one FROM private WHERE len(findings) > 0)"


@dataclass(frozen=True)
class Found:
    """Of one kind, or of one detector of it (None: the kind as a whole). `certain`: those that were checked by more
    than their looks. A content counts once; in files that are kept, as often as it is."""

    kind: str
    detector: str | None
    findings: int
    contents: int
    certain: int
    kept_findings: int
    kept_files: int


@dataclass(frozen=True)
class Place:
    """A kept file in which something was found, and the lines around it."""

    repo_name: str
    path: str
    detector: str
    rows: tuple[Row, ...]


def found(root: Path, engine: Engine) -> list[tuple[Found, list[Found]]]:
    """Each kind of which anything was found, in the order of KINDS, with its detectors, the busiest first."""
    rows = engine.table(
        f"""WITH kept AS (SELECT content_id, count(*) FILTER (split IS NOT NULL) AS files
          FROM ledger WHERE content_id IS NOT NULL GROUP BY content_id),
        counted AS (SELECT content_id, one.kind AS kind, one.detector AS detector, count(*) AS findings,
            count(*) FILTER (one.confidence = 1) AS certain
          FROM {_FINDINGS} GROUP BY GROUPING SETS ((content_id, one.kind), (content_id, one.kind, one.detector)))
        SELECT kind, detector, CAST(sum(findings) AS BIGINT) AS findings, count(*) AS contents,
          CAST(sum(certain) AS BIGINT) AS certain, CAST(sum(findings * files) AS BIGINT) AS kept_findings,
          CAST(sum(files) AS BIGINT) AS kept_files
        FROM counted c JOIN kept k ON c.content_id = k.content_id
        GROUP BY kind, detector ORDER BY findings DESC, detector""",
        _given(root),
    ).to_pylist()
    every = [Found(**row) for row in rows]
    return [
        (whole, [one for one in every if one.kind == kind and one.detector is not None])
        for kind in KINDS
        for whole in every
        if whole.kind == kind and whole.detector is None
    ]


def places(root: Path, engine: Engine, per_kind: int) -> dict[str, list[Place]]:
    """Of each kind up to `per_kind` kept files in which one was found, drawn by a keyed hash of their names: the same
    ledger gives the same ones."""
    drawn = _draw(root, engine, per_kind)
    asked: dict[str, list[Mapping[str, Any]]] = {row["content_id"]: [] for rows in drawn.values() for row in rows}
    given = _given(root) | {"asked": pa.table({"content_id": pa.array(list(asked), pa.string())})}
    sql = (
        f'SELECT f.content_id, one.start AS start, one.end AS "end", one.kind AS kind, one.detector AS detector '
        f'FROM {_FINDINGS} f JOIN asked a ON f.content_id = a.content_id ORDER BY f.content_id, start, "end", kind'
    )
    for row in engine.table(sql, given).to_pylist():
        asked[row["content_id"]].append(row)
    shown: dict[tuple[str, str, str], Place] = {}
    for content_id, text in cached_texts(root, asked):  # one at a time: texts may be large
        for kind, rows in drawn.items():
            for row in rows:
                if row["content_id"] == content_id:
                    shown[kind, row["repo_name"], row["path"]] = _place(row, kind, text, asked[content_id])
    return {
        kind: [one for row in rows if (one := shown.get((kind, row["repo_name"], row["path"])))]
        for kind, rows in drawn.items()
    }


def _place(row: Mapping[str, str], kind: str, text: str, findings: Sequence[Mapping[str, Any]]) -> Place:
    """One of the findings of `kind`, drawn too, and the lines around it."""
    private = [Span(one["start"], one["end"], one["kind"]) for one in findings]
    some = [one for one in findings if one["kind"] == kind]
    one = some[keyed_uint64(SEED, PURPOSE, f"{row['repo_name']}\0{row['path']}\0{kind}") % len(some)]
    mark = Span(one["start"], one["end"], kind)
    rows = marked_excerpt(text, [mark], private, max_lines=_LINES, max_chars=_CHARACTERS)
    return Place(row["repo_name"], row["path"], one["detector"], tuple(rows))


def _draw(root: Path, engine: Engine, per_kind: int) -> dict[str, list[dict[str, str]]]:
    """repo_name, path, content_id of those drawn, by kind."""
    least: dict[str, list[tuple[int, str, str, str]]] = {}
    sql = f"""SELECT DISTINCT f.one.kind AS kind, l.repo_name, l.path, l.content_id
      FROM {_FINDINGS} f JOIN ledger l ON f.content_id = l.content_id WHERE l.split IS NOT NULL"""
    with engine.query(sql, _given(root)) as batches:
        for batch in batches:
            columns = [column.to_pylist() for column in batch.columns]
            keys = keyed_uint64s(SEED, PURPOSE, map("\0".join, zip(*columns[:3], strict=True)))
            by_kind: dict[str, list[tuple[int, str, str, str]]] = {}
            for kind, key, *rest in zip(columns[0], keys.tolist(), *columns[1:], strict=True):
                by_kind.setdefault(kind, []).append((key, *rest))
            for kind, rows in by_kind.items():
                least[kind] = heapq.nsmallest(per_kind, least.get(kind, []) + rows)
    names = ("repo_name", "path", "content_id")
    return {kind: [dict(zip(names, row[1:], strict=True)) for row in rows] for kind, rows in sorted(least.items())}


def _given(root: Path) -> dict[str, Any]:
    return {"private": tables.signal_rows(root, "private"), "ledger": tables.ledger(root)}
