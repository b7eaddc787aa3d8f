"""`bundles`, `best_fit` and `gather` again in plain Python: what they mean, and what the tests hold them to."""

from collections.abc import Sequence
from itertools import pairwise


def bundles(
    starts: Sequence[int], borders: Sequence[int], size: int, ahead: int
) -> tuple[list[tuple[int, int, int]], list[int]]:
    """Twin of `bundles.bundles`: the parts as (start, stop, bundle), and the sizes of the bundles."""
    parts: list[tuple[int, int, int]] = []
    sizes: list[int] = []

    def bundled(pieces: Sequence[tuple[int, int]]) -> None:
        parts.extend((*one, len(sizes)) for one in pieces)
        sizes.append(sum(stop - start for start, stop in pieces))

    for start, stop in pairwise(starts):
        if stop - start <= size:
            if stop > start:
                bundled([(start, stop)])
            continue
        pieces = []
        for at, end in pairwise([start, *sorted({one for one in borders if start < one < stop}), stop]):
            while end - at > size:
                bundled([(at, at + size)])
                at += size
            pieces.append((at, end))
        places = list(range(len(pieces)))  # of those that are left
        while places:
            chosen: list[int] = []
            room, reached = size, len(pieces)
            for place in places:
                if pieces[place][1] - pieces[place][0] > room:
                    reached = place
                    break
                chosen.append(place)
                room -= pieces[place][1] - pieces[place][0]
            while True:
                near = [one for one in places if reached <= one < reached + ahead and one not in chosen]
                fitting = [one for one in near if pieces[one][1] - pieces[one][0] <= room]
                if not fitting:
                    break
                chosen.append(max(fitting, key=lambda one: (pieces[one][1] - pieces[one][0], -one)))
                room -= pieces[chosen[-1]][1] - pieces[chosen[-1]][0]
            bundled([pieces[one] for one in chosen])
            places = [one for one in places if one not in chosen]
    merged: list[tuple[int, int, int]] = []
    for at, end, bundle in sorted(parts):
        if merged and merged[-1][1:] == (at, bundle):
            merged[-1] = (merged[-1][0], end, bundle)
        else:
            merged.append((at, end, bundle))
    return merged, sizes


def best_fit(lengths: Sequence[int], size: int) -> list[int]:
    """Twin of `best_fit.best_fit`: the row of each item."""
    found = [-1] * len(lengths)
    room: list[int] = []
    came: list[int] = []  # when each row came to its room
    for time, item in enumerate(sorted(range(len(lengths)), key=lambda item: (-lengths[item], item))):
        fitting = [row for row in range(len(room)) if room[row] >= lengths[item]]
        row = min(fitting, key=lambda row: (room[row], -came[row]), default=len(room))
        if row == len(room):
            room.append(size)
            came.append(time)
        found[item] = row
        room[row] -= lengths[item]
        came[row] = time
    return found


def grouped(row: Sequence[int]) -> list[list[int]]:
    """Twin of `best_fit.grouped`: the items of each row."""
    return sorted([item for item in range(len(row)) if row[item] == one] for one in set(row))


def gather(
    tokens: Sequence[int], rows: Sequence[Sequence[tuple[int, bool, int]]], size: int, padding: int
) -> tuple[list[list[int]], list[list[int]], list[list[int]]]:
    """Twin of `gather.gather`; a stretch is (length, open, number)."""
    ids, targets, told = [], [], []
    rest = iter(tokens)
    for row in rows:
        inputs: list[int] = []
        wanted: list[int] = []
        numbers: list[int] = []
        for length, open_, number in row:
            some = [next(rest) for _ in range(length)]
            after = [next(rest)] if open_ else [-1]
            inputs += some
            wanted += [*some[1:], *after]
            numbers += [number] * length
        left = size - len(inputs)
        ids.append(inputs + [padding] * left)
        targets.append(wanted + [-1] * left)
        told.append(numbers + [-1] * left)
    return ids, targets, told
