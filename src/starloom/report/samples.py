"""Samples of what each rule dropped and of what it nearly dropped, each with the part that the rule is about.

Those dropped are drawn by a keyed hash, so the same ledger gives the same ones; those nearly dropped are the files kept
whose values come nearest to a limit. Cost: one pass over the dropped rows, in batches; then the ids of the cached
contents, and the row groups that hold a sample, one text at a time.
"""

import hashlib
import heapq
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from starloom.engine.verbs import Engine
from starloom.kernels.random import keyed_uint64s
from starloom.privacy.hidden import hidden
from starloom.privacy.marked import Row, marked_excerpt
from starloom.privacy.span import Span
from starloom.the_stack import tables
from starloom.the_stack.offence import offending, stated_lines
from starloom.the_stack.texts import cached_texts

SEED, PURPOSE = 0, "report samples"
MOST_LINES, MOST_CHARACTERS = 9, 560  # of an excerpt: twenty of them stand under a rule


@dataclass(frozen=True)
class Near:
    """A kept file that a rule nearly dropped: the value that came near, and the comparison it did not meet; of
    near-duplicates, the other file."""

    repo_name: str
    path: str
    value: str
    limit: str
    twin_repo_name: str | None = None
    twin_path: str | None = None
    twin_content_id: str | None = None


@dataclass(frozen=True)
class Sample:
    """A file; `value` and `limit`: why it went, or nearly did. `rows` is None where its content was never read;
    `found`: what is marked in them."""

    repo_name: str
    path: str
    value: str | None
    limit: str | None
    length_bytes: int | None
    language: str | None
    license_type: str | None
    detected_licenses: tuple[str, ...]
    told_by: str | None  # of those that went for their licence: REPO:PATH:LINES, where that is another file
    twin_repo_name: str | None
    twin_path: str | None
    rows: tuple[Row, ...] | None
    found: str | None


@dataclass(frozen=True)
class Samples:
    """Of one rule."""

    dropped: tuple[Sample, ...]
    nearly: tuple[Sample, ...]


_COLUMNS = (
    *("repo_name", "path", "content_id", "length_bytes", "language", "license_type", "detected_licenses"),
    "license_source",
)
_EITHER = ('"value"', '"limit"', "twin_repo_name", "twin_path", "twin_content_id")


def samples(root: Path, engine: Engine, nearly: Mapping[str, Sequence[Near]], per_rule: int = 10) -> dict[str, Samples]:
    """Of each rule that dropped or nearly dropped any: up to `per_rule` files of the least keyed hash of repository and
    path, and those of `nearly`."""
    near = [{"rule": rule} | asdict(one) for rule, some in nearly.items() for one in some]
    asked = pa.Table.from_pylist(
        [row | {"nearly": False, "place": place} for place, row in enumerate(_draw(root, engine, per_rule))]
        + [row | {"nearly": True, "place": place} for place, row in enumerate(near)],
        schema=_ASKED,
    )
    rows = engine.table(
        f"SELECT a.rule, a.nearly, {', '.join(f'l.{name}' for name in _COLUMNS)}, "
        f"{', '.join(f'coalesce(a.{name}, l.{name}) AS {name}' for name in _EITHER)} FROM ledger l "
        "JOIN asked a ON l.repo_name = a.repo_name AND l.path = a.path ORDER BY a.nearly, a.place",
        {"ledger": tables.ledger(root), "asked": asked},
    ).to_pylist()
    by_content: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        if row["content_id"] and not _about(row, "malware"):  # a page with its head would be taken for it
            by_content.setdefault(row["content_id"], []).append(number)
    twins = {row["twin_content_id"] for row in rows if row["rule"] == tables.NEAR_DUPLICATE and row["twin_content_id"]}
    lines: dict[str | None, Set[bytes]] = {one: _digests(text) for one, text in cached_texts(root, twins)}
    shown: dict[int, tuple[tuple[Row, ...], str | None]] = {}
    for content_id, text in cached_texts(root, by_content):  # one at a time: texts may be large
        for number in by_content[content_id]:
            shown[number] = _excerpt(text, rows[number], lines)
    found: dict[str, tuple[list[Sample], list[Sample]]] = {}
    for number, row in enumerate(rows):
        excerpt, words = shown.get(number, (None, None))
        source = row.pop("license_source")
        told_by = source if _about(row, "license") and words is None else None
        del row["content_id"], row["twin_content_id"]
        some = found.setdefault(row.pop("rule"), ([], []))
        licenses = tuple(row.pop("detected_licenses") or ())
        some[row.pop("nearly")].append(
            Sample(**row, detected_licenses=licenses, told_by=told_by, rows=excerpt, found=words)
        )
    return {rule: Samples(tuple(dropped), tuple(near)) for rule, (dropped, near) in found.items()}


_ASKED = pa.schema(
    [
        ("rule", pa.string()),
        ("repo_name", pa.string()),
        ("path", pa.string()),
        ("value", pa.string()),
        ("limit", pa.string()),
        ("twin_repo_name", pa.string()),
        ("twin_path", pa.string()),
        ("twin_content_id", pa.string()),
        ("nearly", pa.bool_()),
        ("place", pa.int64()),
    ]
)


def _excerpt(
    text: str, row: Mapping[str, str | None], twins: Mapping[str | None, Set[bytes]]
) -> tuple[tuple[Row, ...], str | None]:
    """What to show of a file, and what is marked there."""
    if row["rule"] == tables.NEAR_DUPLICATE:
        marks = _own_lines(text, twins.get(row["twin_content_id"], frozenset()))
    else:
        marks = (
            _license_lines(text, row)
            or _benchmark_lines(text, row)
            or offending(row["limit"] or "", text, row["language"])
        )
    rows = marked_excerpt(text, marks, hidden(text), max_lines=MOST_LINES, max_chars=MOST_CHARACTERS)
    return tuple(rows), marks[0].label if marks else None


def _digests(text: str) -> Set[bytes]:
    """Of its lines: less to hold than the text."""
    return {_digest(line) for line in text.split("\n")}


def _digest(line: str) -> bytes:
    return hashlib.blake2b(line.strip().encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _own_lines(text: str, twin: Set[bytes]) -> list[Span]:
    """The lines that the twin has not, the largest block first."""
    spans: list[Span] = []
    start = 0
    for line in text.split("\n"):
        end = start + len(line)
        if line.strip() and _digest(line) not in twin:
            if spans and spans[-1].end + 1 == start:
                spans[-1] = Span(spans[-1].start, end, spans[-1].label)
            else:
                spans.append(Span(start, end, "lines that the other has not"))
        start = end + 1
    return sorted(spans, key=lambda one: (one.start - one.end, one.start))


def _license_lines(text: str, row: Mapping[str, str | None]) -> list[Span]:
    """Where the file itself states the licence that it went for."""
    before = f"{row['repo_name']}:{row['path']}:"
    source = row["license_source"] or ""
    if not _about(row, "license") or not source.startswith(before):
        return []
    return stated_lines(text, source.removeprefix(before))


def _about(row: Mapping[str, str | None], column: str) -> bool:
    return column in (row["limit"] or "")


_LINES = re.compile(r": lines? (\d{1,9})(?: to (\d{1,9}))?")


def _benchmark_lines(text: str, row: Mapping[str, str | None]) -> list[Span]:
    """Where the problem stands, as `benchmark_match` says."""
    found = _LINES.search(row["value"] or "") if _about(row, "benchmark_match") else None
    lines = stated_lines(text, f"{found[1]}-{found[2] or found[1]}") if found else []
    return [Span(one.start, one.end, "a benchmark's problem") for one in lines]


def _draw(root: Path, engine: Engine, per_rule: int) -> list[dict[str, str]]:
    """rule, repo_name, path of those drawn; nothing of what is in quarantine."""
    least: dict[str, list[tuple[int, str, str]]] = {}
    sql = "SELECT rule, repo_name, path FROM ledger WHERE verdict = 'dropped' AND path <> ''"
    with engine.query(sql, {"ledger": tables.ledger(root)}) as batches:
        for batch in batches:
            rules, repos, paths = (column.to_pylist() for column in batch.columns)
            keys = keyed_uint64s(SEED, PURPOSE, (f"{repo}\0{path}" for repo, path in zip(repos, paths, strict=True)))
            by_rule: dict[str, list[tuple[int, str, str]]] = {}
            for rule, key, repo, path in zip(rules, keys.tolist(), repos, paths, strict=True):
                by_rule.setdefault(rule, []).append((key, repo, path))
            for rule, rows in by_rule.items():
                least[rule] = heapq.nsmallest(per_rule, least.get(rule, []) + rows)
    return [{"rule": rule, "repo_name": repo, "path": path} for rule in sorted(least) for _, repo, path in least[rule]]
