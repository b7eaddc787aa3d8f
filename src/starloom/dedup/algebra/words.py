"""What a comparison of two collections found, for people and for programs."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from starloom.dedup.algebra.comparison import Comparison, Copies, Side, rows_of, selected
from starloom.dedup.inputs import left_out_lines
from starloom.dedup.signature import MinHashSettings
from starloom.outside.paths import printable
from starloom.progress import counted, human


@dataclass(frozen=True)
class _Section:
    title: str
    side: Literal["a", "b"]
    rows: NDArray[np.int64]


def to_json(found: Comparison, settings: MinHashSettings | None, limit: int) -> dict[str, Any]:
    """Counts of all texts; `files` names `limit` of each kind that the operation is about."""
    sections = _sections(found)
    total = {
        "files": sum(len(rows) for _, rows in selected(found)),
        "bytes": _sum([_bytes(_side(found, side), rows) for side, rows in selected(found)]),
    }
    return {
        "operation": found.operation,
        "a": _side_json(found.a, found.in_b),
        "b": _side_json(found.b, found.in_a),
        "threshold": found.threshold,
        "tokenisation": settings and settings.tokenisation,
        "permutations": settings and settings.permutations,
        "verified": None if found.threshold is None else not found.estimated,
        "standard_error": found.error,
        "candidates": sum(one.candidates for one in (found.in_b, found.in_a) if one),
        "capped_buckets": sum(one.capped for one in (found.in_b, found.in_a) if one),
        "doubtful": sum(one.doubtful for one in (found.in_b, found.in_a) if one),
        **({} if found.operation == "diff" else {"result": total}),
        "files": [row for one in sections for row in rows_of(found, one.side, one.rows[:limit]).to_pylist()],
    }


def words(found: Comparison, settings: MinHashSettings | None, limit: int) -> str:
    """For a person."""
    lines = []
    for letter, side in (("A", found.a), ("B", found.b)):
        lines += [_about(letter, side), *left_out_lines(side.left_out, 3, "   ")]
    lines += [*_how(found, settings), ""]
    for copies, side, here, there in ((found.in_b, found.a, "A", "B"), (found.in_a, found.b, "B", "A")):
        if copies is not None:
            lines += _table(copies, side, here, there, found.threshold is not None)
    if found.operation == "union":
        parts = selected(found)
        size = _sum([_bytes(_side(found, side), rows) for side, rows in parts])
        lines += ["", f"union: {_amount(sum(len(rows) for _, rows in parts), size)}"]
    for section in _sections(found):
        count = len(section.rows)
        if not count or not limit:
            continue
        side = _side(found, section.side)
        lines += ["", f"{section.title}: {_amount(count, _bytes(side, section.rows))}"]
        for row in rows_of(found, section.side, section.rows[:limit]).to_pylist():
            twin = row["twin"]
            about = "" if twin is None else f"  =  {twin}" if row["match"] == "exact" else _near(found, row)
            lines.append(f"  {row['id']}{about}")
        if count > limit:
            lines.append(f"  … and {count - limit:,} more; --limit shows more, --list writes all")
    return "\n".join(printable(line) for line in lines)


def _near(found: Comparison, row: dict[str, Any]) -> str:
    sign = "≈" if found.estimated and row["jaccard"] < 1.0 else ""
    return f"  {sign}{row['jaccard']:.2f}  {row['twin']}"


def _about(letter: str, side: Side) -> str:
    size = _bytes(side, np.arange(len(side.ids)))
    return f"{letter}  {side.name}: {_amount(len(side.ids), size)}" + (
        " (signatures only)" if side.files is None else ""
    )


def _how(found: Comparison, settings: MinHashSettings | None) -> list[str]:
    if settings is None or found.threshold is None:
        return ["   compared by their bytes alone"]
    said = f"   near: Jaccard of {found.threshold:g} or more, of {settings.shingle} tokens in a row"
    said += "" if settings.tokenisation == "words" else f" (tokens: {settings.tokenisation})"
    lines = [f"{said}, exact for every pair told" if not found.estimated else said]
    copies = [one for one in (found.in_b, found.in_a) if one]
    if found.estimated:
        lines.append(
            f"   estimated from signatures, standard error {found.error:.3f}: not the texts of both sides are here"
        )
        if doubtful := sum(one.doubtful for one in copies):
            lines.append(
                f"   {counted(doubtful, 'files')} within two standard errors of {found.threshold:g}: may be misjudged"
            )
    if capped := sum(one.capped for one in copies):
        lines.append(f"   {counted(capped, 'hot buckets')} compared with their first 64 only")
    return lines


def _table(copies: Copies, side: Side, here: str, there: str, near: bool) -> list[str]:
    kinds = [
        (f"of {here} exactly in {there}", copies.exact),
        (f"of {here} nearly in {there}", copies.near),
        (f"only in {here}", copies.none),
    ]
    found = [(name, np.flatnonzero(mask)) for name, mask in kinds if near or mask is not kinds[1][1]]
    width = max(len(f"{len(rows):,}") for _, rows in found)
    return [
        f"{len(rows):>{width},}  {name}"
        + ("" if (size := _bytes(side, rows)) is None else f"  ({human(size, 'bytes')})")
        for name, rows in found
    ]


def _sections(found: Comparison) -> list[_Section]:
    """What is worth naming: everything but exact copies, unless they were asked for."""
    in_b, in_a = found.in_b, found.in_a
    sections = []
    if in_b is not None:
        if found.operation == "intersect":
            sections.append(_Section("exactly in both", "a", np.flatnonzero(in_b.exact)))
        if found.operation in ("diff", "subtract"):
            sections.append(_Section("only in A", "a", np.flatnonzero(in_b.none)))
        if found.operation in ("diff", "intersect"):
            sections.append(_Section("of A nearly in B, with the most similar one", "a", np.flatnonzero(in_b.near)))
    if in_a is not None:
        sections.append(_Section("only in B", "b", np.flatnonzero(in_a.none)))
        if found.operation == "diff":
            sections.append(_Section("of B nearly in A, with the most similar one", "b", np.flatnonzero(in_a.near)))
    return sections


def _side(found: Comparison, side: str) -> Side:
    return found.a if side == "a" else found.b


def _side_json(side: Side, copies: Copies | None) -> dict[str, Any]:
    """`exact`, `near`, `none`: how many of its texts have such a copy on the other side, where that was asked."""
    masks = {"exact": copies.exact, "near": copies.near, "none": copies.none} if copies else {}
    return {
        "name": side.name,
        "files": len(side.ids),
        "bytes": _bytes(side, np.arange(len(side.ids))),
        "signatures_only": side.files is None,
        "left_out": [one._asdict() for one in side.left_out],
        **{
            name: {"files": int(mask.sum()), "bytes": _bytes(side, np.flatnonzero(mask))}
            for name, mask in masks.items()
        },
    }


def _bytes(side: Side, rows: NDArray[np.int64]) -> int | None:
    lengths = side.signed.length_bytes
    return None if lengths is None else int(lengths[rows].sum())


def _sum(sizes: list[int | None]) -> int | None:
    known = [one for one in sizes if one is not None]
    return sum(known) if len(known) == len(sizes) else None


def _amount(files: int, size: int | None) -> str:
    return counted(files, "files") + ("" if size is None else f", {human(size, 'bytes')}")
