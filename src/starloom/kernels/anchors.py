"""Where anchors stand in many texts: one pass of a compiled `automaton` over their bytes.

A step of the automaton waits for the one before it, so four stretches of the texts are gone through side by side: what
a state says is told by as many bytes before it as the longest anchor has, wherever one begins. Only where an anchor
ends it is asked in which text, at which character, and what stands near and around it. Found places are given in
pieces of bounded size, however many there are. Cost: see `bench/safety`.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.automaton import Automaton
from starloom.kernels.cache import kernel, leaf
from starloom.kernels.counting import continuation_bytes
from starloom.kernels.tails import FAR, Tails
from starloom.kernels.text import Int64s, UInt8s, checked

PIECE: Final = 1 << 16  # places given at once, about
CHUNK: Final = 1 << 18  # bytes gone through at once
_ROOM: Final = 1 << 10
_LANES: Final = 4  # six are as fast, eight slower
_NEWLINE: Final = 10


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
        self.ends = _array(np.cumsum([0, *map(len, automaton.endings)]))
        self.endings = _array([anchor for some in automaton.endings for anchor in some])
        self.lengths = _array(automaton.lengths)
        self.needs = _array(np.cumsum([0, *map(len, automaton.conditions)]))
        self.conditions = _array([field for some in automaton.conditions for one in some for field in one])
        self.bits = np.frombuffer(automaton.bits.tobytes(), np.uint64)
        every = [around for some in automaton.around for around in some]
        before = list(dict.fromkeys(one.before for one in every))
        after = list(dict.fromkeys(one.after for one in every))
        tails = Tails(after, before)
        states = [(tails.starts[len(after) + before.index(b)], tails.starts[after.index(a)]) for b, a in every]
        self.first_around = _array(np.cumsum([0, *map(len, automaton.around)]))
        self.around = _array(states).reshape(-1, 2)
        self.tail_classes = np.frombuffer(tails.classes, np.uint8)
        self.tail_table = np.frombuffer(tails.table.tobytes(), np.uint32)
        most = max(map(len, automaton.endings), default=0)
        longest = max(automaton.lengths, default=0)
        self.shape = _array([automaton.first, automaton.width, most, longest, tails.yes])

    def places(self, offsets: Int64s, data: UInt8s) -> Iterator[Places]:
        """Every place where an anchor stands with what must stand near it and around it."""
        offsets, data = checked(offsets, data)
        size = int(offsets[-1] - offsets[0])
        room = min(PIECE, _ROOM + size) + int(self.shape[2])  # what ends at one byte is never split
        files, anchors = np.empty(room, np.int32), np.empty(room, np.int32)
        starts = np.empty(room, np.int64)
        chunk = min(CHUNK, size)
        stops, states = np.empty(chunk, np.int64), np.empty(chunk, np.uint32)
        at = np.zeros(6, np.int64)  # where to go on: see _places
        at[0] = at[4] = offsets[0]
        more = True
        while more:
            found = _places(
                *(offsets, data, self.classes, self.table, self.shape, self.ends, self.endings, self.lengths),
                *(self.needs, self.conditions, self.bits),
                *(self.first_around, self.around, self.tail_classes, self.tail_table),
                *(at, stops, states, files, starts, anchors),
            )
            if found:
                yield Places(files[:found].copy(), starts[:found].copy(), anchors[:found].copy())
            more = bool(at[0] < offsets[-1] or at[2] < at[1])


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
    first_around: Any,
    around: Any,
    tail_classes: Any,
    tail_table: Any,
    at: Any,
    stops: Any,
    states: Any,
    files: Any,
    starts: Any,
    anchors: Any,
) -> int:
    """`at`: where the next chunk begins; how many bytes of the last one end an anchor, and how many of these are done
    with; the file, up to which byte its characters are counted, and how many they are."""
    first, width, longest, yes = np.uint32(shape[0]), shape[1], shape[3], shape[4]
    room = len(files) - shape[2]
    begin, count, done, file, counted, characters = at[0], at[1], at[2], at[3], at[4], at[5]
    found = 0
    while found < room and (done < count or begin < offsets[-1]):
        if done == count:
            stop = min(begin + len(stops), offsets[-1])
            count = _ending(data, offsets[0], begin, stop, classes, table, first, longest, stops, states)
            begin, done = stop, 0
        while done < count and found < room:
            stop, row = stops[done], np.int64(states[done] - first) // width
            done += 1
            while offsets[file + 1] < stop:
                file += 1
                counted, characters = offsets[file], 0
            text = data[offsets[file] : offsets[file + 1]]
            for k in range(ends[row], ends[row + 1]):
                anchor = endings[k]
                end = stop - offsets[file]
                start = end - lengths[anchor]
                if (
                    start >= 0
                    and _counts(text, start, end, needs[anchor], needs[anchor + 1], conditions, bits)
                    and _stands(
                        *(text, start, end, first_around[anchor], first_around[anchor + 1]),
                        *(around, tail_classes, tail_table, yes),
                    )
                ):
                    characters += stop - counted - continuation_bytes(data[counted:stop])
                    counted = stop
                    files[found], starts[found], anchors[found] = file, characters - lengths[anchor], anchor
                    found += 1
    at[0], at[1], at[2], at[3], at[4], at[5] = begin, count, done, file, counted, characters
    return found


@leaf
def _ending(
    data: Any,
    floor: int,
    begin: int,
    stop: int,
    classes: Any,
    table: Any,
    first: Any,
    longest: int,
    stops: Any,
    states: Any,
) -> int:
    """How many of the bytes from `begin` to `stop` end an anchor; in order where they end, in `stops`, and in which of
    the automaton's `states`. No byte before `floor` is one of a text."""
    size = (stop - begin) // _LANES
    b, c, d = begin + size, begin + 2 * size, begin + 3 * size
    state_a = _state(data, max(begin - longest, floor), begin, classes, table)
    state_b = _state(data, max(b - longest, floor), b, classes, table)
    state_c = _state(data, max(c - longest, floor), c, classes, table)
    state_d = _state(data, max(d - longest, floor), d, classes, table)
    in_a, in_b, in_c, in_d = 0, size, 2 * size, 3 * size  # a lane has as much room as it has bytes
    for p in range(size):
        state_a = table[state_a + classes[data[begin + p]]]
        state_b = table[state_b + classes[data[b + p]]]
        state_c = table[state_c + classes[data[c + p]]]
        state_d = table[state_d + classes[data[d + p]]]
        if max(max(state_a, state_b), max(state_c, state_d)) >= first:
            if state_a >= first:
                stops[in_a], states[in_a] = begin + p + 1, state_a
                in_a += 1
            if state_b >= first:
                stops[in_b], states[in_b] = b + p + 1, state_b
                in_b += 1
            if state_c >= first:
                stops[in_c], states[in_c] = c + p + 1, state_c
                in_c += 1
            if state_d >= first:
                stops[in_d], states[in_d] = d + p + 1, state_d
                in_d += 1
    for p in range(d + size, stop):  # what does not go into four
        state_d = table[state_d + classes[data[p]]]
        if state_d >= first:
            stops[in_d], states[in_d] = p + 1, state_d
            in_d += 1
    count = in_a
    for low, high in ((size, in_b), (2 * size, in_c), (3 * size, in_d)):
        for k in range(low, high):
            stops[count], states[count] = stops[k], states[k]
            count += 1
    return count


@leaf
def _state(data: Any, begin: int, stop: int, classes: Any, table: Any) -> Any:
    state = np.uint32(0)
    for p in range(begin, stop):
        state = table[state + classes[data[p]]]
    return state


@leaf
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


@leaf
def _stands(
    text: Any, start: int, stop: int, one: int, last: int, around: Any, classes: Any, table: Any, yes: int
) -> bool:
    """Whether one of `around` stands around text[start:stop], or none is asked: see `automaton.Around`."""
    if one == last:
        return True
    while one < last:
        if _leads_to_yes(text, start - 1, -1, around[one, 0], classes, table, yes) and _leads_to_yes(
            text, stop, 1, around[one, 1], classes, table, yes
        ):
            return True
        one += 1
    return False


@leaf
def _leads_to_yes(text: Any, at: int, step: int, begin: int, classes: Any, table: Any, yes: int) -> bool:
    """Whether what the state `begin` asks for stands at text[at] and on: see `tails`."""
    state = np.int64(begin)
    for _ in range(FAR):
        if state <= yes:
            break
        if at < -1 or at > len(text):
            return False
        byte = text[at] if 0 <= at < len(text) else np.uint8(_NEWLINE)
        state = np.int64(table[state + classes[byte]])
        at += step
    return bool(state == yes)
