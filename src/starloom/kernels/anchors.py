"""Where anchors stand in many texts: one pass of a compiled `automaton` over their bytes.

Per byte: its class, one load from the table, and whether it begins a character; what must stand near an anchor, and
after it, is looked at only where the anchor does. Cost: see `bench/safety`; the rows of the table that are in use fit
the fast part of memory. Found places are given in pieces of bounded size, however many there are.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.automaton import Automaton
from starloom.kernels.cache import kernel
from starloom.kernels.tails import FAR, Tails
from starloom.kernels.text import Int64s, UInt8s, checked

PIECE: Final = 1 << 16  # places given at once, about


class Places(NamedTuple):
    """In order of files, in each as anchors end; those that end together by number."""

    files: NDArray[np.int32]
    starts: Int64s  # characters from the beginning of the file
    anchors: NDArray[np.int32]


class Compiled:
    """An automaton in the arrays that the kernel takes, all read-only."""

    def __init__(self, automaton: Automaton) -> None:
        self.classes = np.frombuffer(automaton.classes, np.uint8)
        self.table = np.frombuffer(automaton.table.tobytes(), np.uint32)
        self.shape = _array([automaton.first, automaton.width, max(map(len, automaton.endings), default=0)])
        self.ends = _array(np.cumsum([0, *map(len, automaton.endings)]))
        self.endings = _array([anchor for some in automaton.endings for anchor in some])
        self.lengths = _array(automaton.lengths)
        self.needs = _array(np.cumsum([0, *map(len, automaton.conditions)]))
        self.conditions = _array([field for some in automaton.conditions for one in some for field in one])
        self.bits = np.frombuffer(automaton.bits.tobytes(), np.uint64)
        tails = Tails(automaton.patterns)
        self.tails = _array([tails.yes if one < 0 else tails.starts[one] for one in automaton.tails])
        self.tail_classes = np.frombuffer(tails.classes, np.uint8)
        self.tail_table = np.frombuffer(tails.table.tobytes(), np.uint32)
        self.yes = tails.yes

    def places(self, offsets: Int64s, data: UInt8s) -> Iterator[Places]:
        """Every place where an anchor stands with what must stand near it."""
        offsets, data = checked(offsets, data)
        room = PIECE + int(self.shape[2])  # what ends at one byte is never split
        files, anchors = np.empty(room, np.int32), np.empty(room, np.int32)
        starts = np.empty(room, np.int64)
        at = np.zeros(4, np.int64)  # where to go on: file, byte of it, characters before, state
        while at[0] < len(offsets) - 1:
            found = _places(
                *(offsets, data, self.classes, self.table, self.shape, self.ends, self.endings, self.lengths),
                *(self.needs, self.conditions, self.bits, self.tails, self.tail_classes, self.tail_table, self.yes),
                *(at, files, starts, anchors),
            )
            if found:
                yield Places(files[:found].copy(), starts[:found].copy(), anchors[:found].copy())


def _array(values: Any) -> Int64s:
    made = np.array(values, dtype=np.int64)
    made.flags.writeable = False
    return made


@kernel
def _places(
    offsets: Any,
    data: Any,
    classes: Any,
    table: Any,
    shape: Any,
    ends: Any,
    endings: Any,
    lengths: Any,
    needs: Any,
    conditions: Any,
    bits: Any,
    tails: Any,
    tail_classes: Any,
    tail_table: Any,
    yes: int,
    at: Any,
    files: Any,
    starts: Any,
    anchors: Any,
) -> int:
    first, width = np.uint32(shape[0]), shape[1]
    room = len(files) - shape[2]
    found = 0
    begin, characters, state = at[1], at[2], np.uint32(at[3])
    for i in range(at[0], len(offsets) - 1):
        text = data[offsets[i] : offsets[i + 1]]
        for p in range(begin, len(text)):
            byte = text[p]
            characters += (byte & 0xC0) != 0x80
            state = table[state + classes[byte]]
            if state >= first:
                row = np.int64(state - first) // width
                for k in range(ends[row], ends[row + 1]):
                    anchor = endings[k]
                    length = lengths[anchor]
                    if _counts(
                        text, p + 1 - length, p + 1, needs[anchor], needs[anchor + 1], conditions, bits
                    ) and _follows(text, p + 1, tails[anchor], tail_classes, tail_table, yes):
                        files[found], starts[found], anchors[found] = i, characters - length, anchor
                        found += 1
                if found >= room:
                    at[0], at[1], at[2], at[3] = i, p + 1, characters, state
                    return found
        begin, characters, state = 0, 0, np.uint32(0)
    at[0] = len(offsets) - 1
    return found


@kernel
def _counts(text: Any, start: int, stop: int, condition: int, last: int, conditions: Any, bits: Any) -> bool:
    """Whether all that must stand near text[start:stop] does: see `automaton.Near`."""
    while condition < last:
        c = 5 * condition
        bit, least, within = np.uint64(conditions[c + 1]), conditions[c + 2], conditions[c + 3]
        step, place, end = 1, stop, min(stop + within, len(text))
        if conditions[c] == 0:
            step, place, end = -1, start - 1, max(start - within, 0) - 1
        run = 0
        while place != end and run < least:
            run = run + 1 if (bits[text[place]] >> bit) & np.uint64(1) else 0
            place += step
        if (run == least) != (conditions[c + 4] != 0):
            return False
        condition += 1
    return True


@kernel
def _follows(text: Any, at: int, begin: int, classes: Any, table: Any, yes: int) -> bool:
    """Whether what the state `begin` asks for stands at text[at:]: see `tails`."""
    state = np.int64(begin)
    for p in range(at, min(at + FAR, len(text))):
        if state <= yes:
            break
        state = np.int64(table[state + classes[text[p]]])
    return bool(state == yes)
