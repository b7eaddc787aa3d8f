"""Findings in ordinary code, drawn by a hash and judged by a reader who read each in its place (guideline.md).

`labels.jsonl` holds the content's id, the offsets, the kind, the label and in which draw it was given, if not the
first; never the value. A draw takes the findings with the smallest hashes of (content, start, end, kind), so another
version of a detector draws the same as far as it finds the same, and labels serve again. A later draw hashes with its
number, and takes no finding that had a label before: what detectors were mended by is not in it.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from safety.corpus import File
from safety.findings import Item

LABELS = Path(__file__).parent / "labels.jsonl"
MEANING = {
    "yes": "somebody's, or a secret",
    "made up": "evidently invented, of the same form",
    "no": "nothing of the kind",
    "span": "something of the kind, but cut short or too long",
}


class Key(NamedTuple):
    """What a label is about: whoever finds it."""

    content: str
    start: int
    end: int
    kind: str


def key_of(files: Sequence[File], item: Item) -> Key:
    return Key(files[item.row].id, item.start, item.end, item.kind)


def fresh(files: Sequence[File], items: Sequence[Item], number: int) -> list[Item]:
    """Findings that had no label before draw `number`."""
    known = read(before=number)
    return [one for one in items if key_of(files, one) not in known]


def draw(files: Sequence[File], items: Sequence[Item], size: int, least: int, number: int = 1) -> list[Item]:
    """At most one of a kind from a file (a change log holds thousands); `size` of those in proportion to their kinds,
    but `least` of each kind at least, where there are so many."""
    by_kind = firsts(files, items, number)
    all_of = sum(map(len, by_kind.values()))
    return [one for some in by_kind.values() for one in some[: max(round(size * len(some) / max(all_of, 1)), least)]]


def firsts(files: Sequence[File], items: Sequence[Item], number: int = 1) -> dict[str, list[Item]]:
    """By kind, of each file the finding whose hash is smallest, by hash."""
    found: dict[tuple[str, int], tuple[bytes, Item]] = {}
    for one in items:
        ranked = (_hash(key_of(files, one), number), one)
        place = (one.kind, one.row)
        found[place] = min(found.get(place, ranked), ranked)
    by_kind: dict[str, list[Item]] = {}
    for (kind, _), (_, one) in sorted(found.items(), key=lambda entry: (entry[0][0], entry[1])):
        by_kind.setdefault(kind, []).append(one)
    return by_kind


def _hash(key: Key, number: int) -> bytes:
    return hashlib.sha256("\0".join(map(str, key if number == 1 else (number, *key))).encode()).digest()


def read(path: Path = LABELS, before: int | None = None) -> dict[Key, str]:
    """All labels, or those of draws before number `before`."""
    rows = map(json.loads, path.read_text().splitlines()) if path.exists() else ()
    return {
        Key(one["content"], one["start"], one["end"], one["kind"]): one["label"]
        for one in rows
        if before is None or one.get("draw", 1) < before
    }


def add(labels: dict[Key, str], number: int, path: Path = LABELS) -> None:
    """Labels of draw `number`, beside those that are there."""
    rows = [json.loads(one) for one in path.read_text().splitlines()] if path.exists() else []
    rows += [
        key._asdict() | {"label": label} | ({"draw": number} if number > 1 else {}) for key, label in labels.items()
    ]
    rows.sort(key=lambda one: (one["content"], one["start"], one["end"], one["kind"]))
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))


def shown(file: File, item: Item, around: int = 110) -> str:
    """A finding in its place, for whoever labels: value in ⟦ ⟧."""
    text = file.content
    before = text[max(item.start - around, 0) : item.start].split("\n")[-3:]
    after = text[item.end : item.end + around].split("\n")[:2]
    value = text[item.start : item.end]
    value = value if len(value) < 150 else f"{value[:100]} … {value[-30:]} ({len(value)})"
    return ("↵".join(before) + "⟦" + value + "⟧" + "↵".join(after)).replace("\n", "↵").replace("\t", " ")


def precision(files: Sequence[File], items: Sequence[Item], drawn: Sequence[Item]) -> dict[str, object]:
    """By kind: drawn, labels, precision strict ("yes") and of the form ("yes" and "made up"), with 95 % intervals; all:
    kinds weighed by the files in which there are any."""
    known = read()
    counts = Counter(one.kind for one in items)
    by_kind = {kind: len(some) for kind, some in firsts(files, items).items()}
    all_of = sum(by_kind.values())
    found: dict[str, object] = {}
    strict = form = 0.0
    for kind in sorted({one.kind for one in drawn}):
        told = Counter(known.get(key_of(files, one), "not labelled") for one in drawn if one.kind == kind)
        if told["not labelled"]:
            raise SystemExit(f"{told['not labelled']} drawn findings of kind {kind} have no label: label them first")
        size = sum(told.values())
        yes, formed = told["yes"], told["yes"] + told["made up"]
        found[kind] = {
            "findings": counts[kind],
            "files": by_kind[kind],
            "drawn": size,
            "labels": dict(told),
            "precision": [yes / size, *wilson(yes, size)],
            "of the form": [formed / size, *wilson(formed, size)],
        }
        strict += yes / size * by_kind[kind] / all_of
        form += formed / size * by_kind[kind] / all_of
    return {"by kind": found, "precision": strict, "of the form": form, "findings": len(items)}


def wilson(right: int, size: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927)."""
    share = right / size
    middle = (share + z * z / (2 * size)) / (1 + z * z / size)
    half = z / (1 + z * z / size) * (share * (1 - share) / size + z * z / (4 * size * size)) ** 0.5
    return max(middle - half, 0.0), min(middle + half, 1.0)
