"""Plants secrets, personal data and decoys in real files, and judges what a detector finds there."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from safety.corpus import File
from safety.made_people import DECOYS, PEOPLE
from safety.made_secrets import KINDS, Kind
from safety.places import FAMILIES, Elsewhere, line_for

SEED = 88
EACH = 60  # of each kind
_MOST_IN_A_FILE = 4
_SIZE = (300, 40_000)  # characters of a file that is planted in
_FAMILY_OF = {"define": "php"}  # a form that one language has
_COUNTS = ("planted", "found", "exact", "touched")
_OVERLAP = 0.8  # of both spans: as BigCode's evaluation has it


class Planted(NamedTuple):
    """Of a kind that may be taken whole `first` to `last` may be found, `start` to `end` must be."""

    kind: Kind
    start: int
    end: int
    first: int
    last: int


class Planting(NamedTuple):
    name: str
    language: str
    text: str
    planted: list[Planted]
    host: list[tuple[int, int]]  # stretches of `text` that were there before


class Found(NamedTuple):
    """A finding of whatever detector."""

    start: int
    end: int
    kind: str


def plant(
    files: Sequence[File], each: int = EACH, seed: int = SEED, elsewhere: Elsewhere | None = None
) -> list[Planting]:
    """`each` of every kind, one to four in a file, at ends of lines that a seeded draw chooses. `elsewhere`: in
    other places than those that detectors were developed with."""
    rng = random.Random(seed)
    wanted = [kind for kind in (*KINDS, *PEOPLE, *DECOYS) for _ in range(each)]
    rng.shuffle(wanted)
    hosts = [
        one
        for one in files
        if one.language in FAMILIES and _SIZE[0] <= len(one.content) <= _SIZE[1] and "\n" in one.content
    ]
    by_family: dict[str, list[File]] = {}
    for one in hosts:
        by_family.setdefault(FAMILIES[one.language], []).append(one)
    for some in by_family.values():
        rng.shuffle(some)
    families = sorted(by_family)
    found = []
    while wanted:
        family = _FAMILY_OF.get(wanted[-1].form) or rng.choice(families)
        if not by_family[family]:
            families.remove(family)
            continue
        here = [wanted.pop() for _ in range(min(rng.randint(1, _MOST_IN_A_FILE), len(wanted)))]
        if any(_FAMILY_OF.get(one.form, family) != family for one in here):
            wanted += here[1:]
            rng.shuffle(wanted)
            here = here[:1]
        found.append(_in_file(by_family[family].pop(), family, here, rng, elsewhere))
    return found


def _in_file(
    file: File, family: str, kinds: Sequence[Kind], rng: random.Random, elsewhere: Elsewhere | None
) -> Planting:
    end = "\r\n" if "\r\n" in file.content else "\n"
    lines = file.content.split(end)
    if family == "json":  # after what opens an object: elsewhere it would not be JSON
        places = [number for number, line in enumerate(lines) if line.rstrip().endswith("{")] or [0]
    else:
        places = list(range(len(lines)))
    chosen = sorted(rng.choice(places) for _ in kinds)
    pieces: list[str] = []
    planted: list[Planted] = []
    host: list[tuple[int, int]] = []
    at = 0
    for number, line in enumerate(lines):
        host.append((at, at + len(line)))
        pieces.append(line)
        at += len(line)
        following = next((one for one in lines[number + 1 :] if one.strip()), line)
        indent = following[: len(following) - len(following.lstrip())][:20]
        while chosen and chosen[0] == number:
            chosen.pop(0)
            kind = kinds[len(planted)]
            made = line_for(kind, family, rng, elsewhere)
            pieces.append(end + indent + made.text)
            at += len(end + indent)
            planted.append(Planted(kind, *(at + place for place in made[1:])))
            at += len(made.text)
        if number + 1 < len(lines):
            pieces.append(end)
            at += len(end)
    return Planting(file.name, file.language, "".join(pieces), planted, host)


def judge(
    plantings: Sequence[Planting], findings: Iterable[Sequence[Found]], judge_kind: bool = True
) -> dict[str, object]:
    """Recall by kind and group; precision of what is found in and about what was planted.

    Recalled: findings together cover at least 80 % of the value and the finding that covers most of it is at most a
    quarter longer than what may go; exact: one has its very span; touched: one overlaps it. The first two by findings
    of its kind, where `judge_kind`. Wrong: a finding in planted lines
    that overlaps no planted value (decoys are none). What lies in lines that were there before is counted apart.
    """
    count: Counter[tuple[str, str]] = Counter()
    wrong: Counter[str] = Counter()
    right = in_host = 0
    for planting, found in zip(plantings, findings, strict=True):
        true = [one for one in planting.planted if one.kind.group != "decoy"]
        for one in planting.planted:
            near = [item for item in found if item.start < one.end and one.start < item.end]
            name = one.kind.name
            count[name, "planted"] += 1
            if one.kind.group == "decoy":
                wrong[name] += len(near)
                count[name, "found"] += bool(near)
                continue
            count[name, "touched"] += bool(near)
            if judge_kind:
                near = [item for item in near if item.kind in one.kind.finding]
            count[name, "found"] += _recalled(one, near)
            count[name, "exact"] += any(
                one.first <= item.start <= one.start and one.end <= item.end <= one.last for item in near
            )
        for item in found:
            if any(item.start < one.end and one.start < item.end for one in true):
                right += 1
            elif any(a <= item.start and item.end <= b for a, b in planting.host) or not _at_planted(planting, item):
                in_host += 1
            elif not any(item.start < one.last and one.first < item.end for one in planting.planted):
                wrong["beside"] += 1
    groups: dict[str, Counter[str]] = {}
    for kind in (*KINDS, *PEOPLE, *DECOYS):
        for what in _COUNTS:
            groups.setdefault(kind.group, Counter())[what] += count[kind.name, what]
    return {
        "by kind": {
            kind.name: {"group": kind.group} | {what: count[kind.name, what] for what in _COUNTS}
            for kind in (*KINDS, *PEOPLE, *DECOYS)
        },
        "by group": {name: dict(one) for name, one in groups.items()},
        "right": right,
        "wrong": dict(wrong),
        "in lines of the file": in_host,
    }


def _recalled(one: Planted, near: Sequence[Found]) -> bool:
    covered = bytearray(one.end - one.start)
    for item in near:
        start, end = max(item.start, one.start) - one.start, min(item.end, one.end) - one.start
        covered[start:end] = b"\1" * (end - start)
    if sum(covered) < _OVERLAP * len(covered):
        return False
    longest = max(near, key=lambda item: min(item.end, one.end) - max(item.start, one.start))
    return (longest.end - longest.start) * _OVERLAP <= one.last - one.first


def _at_planted(planting: Planting, item: Found) -> bool:
    """Whether a finding that is in no line of the host touches a planted line."""
    return not all(any(a <= at < b for a, b in planting.host) for at in (item.start, item.end - 1))
