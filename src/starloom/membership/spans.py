"""From a folded text to the stretches of it that stand in files: found by hash, confirmed and grown on the text.

A tile that stands in the table up to `most` times is compared with every place it has. One that stands there more
often (licence headers, tables of zeros), and one in the midst of a text that repeats itself within 50 bytes, would make
work without end: those are compared with `most` places, of as many files as possible, and only where nothing longer
covers them already. So every stretch of 99 bytes that a file has too is found with that file, as long as one of its
tiles stands at most `most` times in the dataset; where all its tiles are commoner, the stretch is found, with some of
the files. Memory: 24 bytes for each byte of the text at which
a tile begins.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.stretches import Stretches, grown, trimmed
from starloom.kernels.text import Int64s, UInt8s
from starloom.kernels.tiles import WIDTH, Found, look_up, run_end
from starloom.membership.store import Store, damaged

MOST: Final = 32
ALL: Final = 4096  # entries of a common tile that are looked at, at most
_CANDIDATES: Final = 1 << 20  # at a time

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Spans:
    """What was found in a text. `stretches.file` is a row of the store; they begin and end with whole characters that
    are no white space; no two are equal.

    `rare`: offsets of tiles that were compared with every place they have. `common`: offsets of the others that were
    compared with some, and `sharing`: in how many files each stands, by its hash.
    """

    stretches: Stretches
    rare: Int64s
    common: Int64s
    sharing: Int64s


def find(store: Store, query: UInt8s, most: int = MOST) -> Spans:
    """Every stretch of the folded text `query` that stands in a file; see the module. Raises UserError when damaged."""
    found = look_up(query, store.table, most)
    rare = (found.length <= most) & ~_midst(found)
    stretches = _joined([*_confirmed(store, query, *_all_places(found, rare))])
    left = np.flatnonzero(~rare)
    common: list[int] = []
    sharing: list[int] = []
    known: dict[int, tuple[Int64s, int]] = {}
    while True:
        left = left[~_covered(stretches, found.offsets[left], len(query))]
        if not len(left):
            break
        now = left[_apart(found.offsets[left])]
        firsts = found.first[now].tolist()
        for first in {*firsts} - {*known}:
            known[first] = _some_places(store, first, most)
        entries = [known[first] for first in firsts]
        common += found.offsets[now].tolist()
        sharing += [files for _, files in entries]
        offsets = np.repeat(found.offsets[now], [len(some) for some, _ in entries])
        places = offsets, np.concatenate([some for some, _ in entries])
        stretches = _joined([stretches, *_confirmed(store, query, *places)])
        left = left[~np.isin(left, now)]
    order = np.argsort(common, kind="stable")
    return Spans(
        trimmed(query, stretches),
        found.offsets[rare],
        np.array(common, dtype=np.int64)[order],
        np.array(sharing, dtype=np.int64)[order],
    )


def _midst(found: Found) -> Bools:
    """Where the text repeats itself within a tile's width: all but the first and last 50 offsets of the repetition.

    A stretch of a file that reaches out of the repetition has a tile among those; what is inside is one of many.
    """
    if len(found.offsets) == 0:
        return np.zeros(0, dtype=np.bool_)
    order = np.lexsort((found.offsets, found.first))
    offsets, first = found.offsets[order], found.first[order]
    begins = np.ones(len(order), dtype=np.bool_)
    begins[1:] = (first[1:] != first[:-1]) | (np.diff(offsets) >= WIDTH)
    number = np.cumsum(begins) - 1
    starts = offsets[begins]
    ends = np.append(offsets[np.flatnonzero(begins)[1:] - 1], offsets[-1])
    inside = np.empty(len(order), dtype=np.bool_)
    inside[order] = (offsets - starts[number] >= WIDTH) & (ends[number] - offsets >= WIDTH)
    return inside


def _all_places(found: Found, wanted: Bools) -> tuple[Int64s, Int64s]:
    """(offset, entry of the table) of every place of the wanted ones."""
    offsets, first, length = (column[wanted] for column in found)
    before = np.cumsum(length) - length
    return np.repeat(offsets, length), np.repeat(first - before, length) + np.arange(length.sum())


def _some_places(store: Store, first: int, most: int) -> tuple[Int64s, int]:
    """(up to `most` entries of the run that begins at `first`, of as many files as there are; number of files)."""
    entries = np.arange(first, run_end(store.table, first, ALL))
    file, _ = store.files_of(store.table.tiles[entries].astype(np.int64))
    new = np.ones(len(file), dtype=np.bool_)
    new[1:] = file[1:] != file[:-1]  # the tiles of a run are in order, so a file's are together
    return np.concatenate([entries[new], entries[~new]])[:most], int(new.sum())


def _confirmed(store: Store, query: UInt8s, offsets: Int64s, entries: Int64s) -> Iterator[Stretches]:
    """The stretches around tiles, found by hash at `offsets`, that the texts bear out; in bounded memory."""
    for start in range(0, len(offsets), _CANDIDATES):
        some = slice(start, start + _CANDIDATES)
        file, tile = store.files_of(store.table.tiles[entries[some]].astype(np.int64))
        try:
            yield grown(query, store.offsets, store.text, file, offsets[some], tile * WIDTH)
        except ValueError as problem:
            raise damaged(store.folder, str(problem)) from None


def _joined(pieces: list[Stretches]) -> Stretches:
    """All of them, by start, each once."""
    columns = [np.concatenate([np.zeros(0, dtype=np.int64), *some]) for some in zip(*pieces)] or [_NONE] * 4
    both = Stretches(*columns)
    order = np.lexsort((both.position, both.file, both.end, both.start))
    rows = np.stack([column[order] for column in both])
    new = np.ones(rows.shape[1], dtype=np.bool_)
    new[1:] = (rows[:, 1:] != rows[:, :-1]).any(axis=0)
    return Stretches(*rows[:, new])


_NONE: Final = np.zeros(0, dtype=np.int64)


def _covered(stretches: Stretches, offsets: Int64s, size: int) -> Bools:
    """Which tiles of the text at `offsets` lie inside one of the stretches."""
    reach = np.zeros(size + 1, dtype=np.int64)  # by start, the furthest end
    np.maximum.at(reach, stretches.start, stretches.end)
    covered: Bools = np.maximum.accumulate(reach)[offsets] >= offsets + WIDTH
    return covered


def _apart(offsets: Int64s) -> Int64s:
    """Positions of some of these ascending offsets, the first among them, at least 50 apart."""
    kept = []
    at = 0
    while at < len(offsets):
        kept.append(at)
        at = int(np.searchsorted(offsets, offsets[at] + WIDTH))
    return np.array(kept, dtype=np.int64)
