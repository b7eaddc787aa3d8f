"""Which of many packed texts have what is sought, and the lines that have it: a batch of them in one call.

Each text is unpacked (`lz4`) into the same room and gone through there (`seek`), so that only what may be a hit costs
Python anything; of a cut text (`cuts`) only the blocks that may have something: as these are of whole lines, they are
as the text would be without other lines of it. Cost: 0.4 ns a byte of text to unpack, 0.1 for each piece sought, some
0.3 us a text.
"""

from array import array
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from starloom.kernels.cache import import_numba, kernel, leaf
from starloom.kernels.cuts import HEAD, blocks_of, ends_of, may_have, most_blocks, number, packed_questions, unpack_some
from starloom.kernels.lz4 import ROOM, unpack
from starloom.kernels.piece_groups import in_text, on_lines
from starloom.kernels.seek import Seeker
from starloom.kernels.text import Int64s, UInt8s, frozen

import_numba()  # before what follows: see there

from llvmlite import ir  # type: ignore[import-untyped]  # noqa: E402
from numba.core import types  # noqa: E402
from numba.extending import intrinsic  # noqa: E402
from numba.np.arrayobj import populate_array  # noqa: E402

LACKS, HAS, TORN = range(3)  # of a text: it lacks something; it has all; its block is none
_NEWLINE: Final = 0x0A


class Packed:
    """Packed texts, row by row: row i is files[file[i]][start[i]:start[i] + size[i]] and has length[i] bytes; those of
    more than `large` are cut."""

    def __init__(self, files: Mapping[int, Any], file: Any, start: Any, size: Any, length: Any, large: int) -> None:
        """`files`: buffers by their numbers, which are not negative; the rest: columns, all of one length. What they
        say is proved where it is used."""
        self._kept = {one: np.frombuffer(buffer, np.uint8) for one, buffer in files.items()}
        places = np.zeros((max(files, default=-1) + 1, 2), np.int64)  # of each file: its address, its bytes
        for one, data in self._kept.items():
            places[one] = data.ctypes.data, len(data)
        self.length = frozen(np.asarray(length), np.int64)
        starts, sizes = (frozen(np.asarray(one), np.int64) for one in (start, size))
        self.columns = (places, frozen(np.asarray(file), np.int16), starts, sizes, self.length, large)
        if len({len(one) for one in (file, start, size, length)}) > 1:
            raise ValueError("columns of one length make rows")


class Told(NamedTuple):
    """Of each text `state`: LACKS, HAS or TORN; and its lines, lines[bounds[i]:bounds[i + 1]], each with a line's
    end, where lines were sought."""

    state: UInt8s
    bounds: Int64s
    lines: UInt8s


class Sought:
    """What is sought in texts. A group is met where one of its pieces stands."""

    def __init__(
        self,
        there: Sequence[Sequence[Seeker]] = (),
        absent: Sequence[Sequence[Seeker]] = (),
        on_line: Sequence[Sequence[Seeker]] = (),
        closely: Sequence[Sequence[bytes]] = (),
    ) -> None:
        """Each group of `there` and none of `absent` is met in the text; all of `on_line` on one of its lines, the
        first of them the rarest, if that is known. `closely`: groups that are met on that line too, of which the
        filters of blocks alone are asked. Raises ValueError for a line with a line's end."""
        groups = [*absent, *there, *on_line]
        pieces = [piece for group in groups for piece in group]
        if any(_NEWLINE in piece.piece for group in on_line for piece in group):
            raise ValueError("on no line is a line's end")
        if not all(groups):
            raise ValueError("nothing is met by no piece")
        self._lined, first_on_line = bool(on_line), len(absent) + len(there)
        wanted = [[one.piece.tobytes() for one in group] for group in groups]
        lined = [*wanted[first_on_line:], *closely]
        lined.sort(key=lambda group: sum(map(len, group)))  # what is told by a look or two first
        asked = packed_questions(wanted[:first_on_line], lined)
        self._sought: tuple[Any, ...] = (
            *(_joined([one.piece for one in pieces]), _joined([one.masks for one in pieces])),
            ends_of(len(one.piece) for one in pieces),
            np.frombuffer(array("q", [one.longest for one in pieces]).tobytes(), np.int64),
            *(ends_of(map(len, groups)), len(absent), first_on_line, *asked),
        )
        self._next = np.empty(max(len(pieces), 1), np.int64)
        self._room, self._chosen, self._lines = (np.empty(0, np.uint8) for _ in range(3))

    def told(self, packed: Packed, rows: Int64s) -> Told:
        """What it says of these rows, of one batch after the other: it keeps its room, `lines` too. Raises IndexError
        for a row that there is not."""
        rows = frozen(rows, np.int64)
        lengths = packed.length[rows]
        longest = max(int(lengths.max(initial=0)), 0)
        if len(self._room) < longest + ROOM:
            self._room = np.empty(2 * longest + ROOM, np.uint8)
            self._chosen = np.empty(most_blocks(2 * longest), np.uint8)
        together = int(np.maximum(lengths, 0).sum()) + len(rows) if self._lined else 0
        if len(self._lines) < together:
            self._lines = np.empty(2 * together, np.uint8)
        state, bounds = np.empty(len(rows), np.uint8), np.zeros(len(rows) + 1, np.int64)
        room = (self._next, self._chosen, self._room, state, bounds, self._lines)
        _told(rows, *(*packed.columns, *self._sought, *room))
        return Told(state, bounds, self._lines[: bounds[-1]])


def _joined(arrays: Sequence[UInt8s]) -> UInt8s:
    return np.frombuffer(b"".join(one.tobytes() for one in arrays), np.uint8)


@kernel
def _told(
    rows: Any,
    places: Any,
    file: Any,
    start: Any,
    size: Any,
    length: Any,
    large: int,
    pieces: Any,
    masks: Any,
    ends: Any,
    longest: Any,
    groups: Any,
    absent: int,
    first_on_line: int,
    asked: Any,
    asked_ends: Any,
    asked_groups: Any,
    following: Any,
    chosen: Any,
    room: Any,
    state: Any,
    bounds: Any,
    lines: Any,
) -> None:
    for i in range(len(rows)):
        row = rows[i]
        bounds[i + 1] = bounds[i]
        state[i] = TORN
        of_file = file[row]
        if not 0 <= of_file < len(places):
            continue
        file_size = places[of_file, 1]
        if size[row] < 0 or start[row] < 0 or size[row] > file_size or start[row] > file_size - size[row]:
            continue
        filled = _unpacked(
            _bytes_at(places[of_file, 0], file_size),
            *(start[row], start[row] + size[row], length[row], length[row] > large),
            *(asked, asked_ends, asked_groups, absent, first_on_line, chosen, room),
        )
        if filled == -1:
            continue
        data = room[: max(filled, 0)]
        if filled < 0 or not in_text(data, pieces, masks, ends, longest, groups, absent, first_on_line):
            state[i] = LACKS
            continue
        state[i] = HAS
        if first_on_line < len(groups) - 1:
            bounds[i + 1] = on_lines(
                data, pieces, masks, ends, longest, groups, first_on_line, following, lines, bounds[i]
            )
            if bounds[i + 1] == bounds[i]:
                state[i] = LACKS


@leaf
def _unpacked(
    data: Any,
    start: Any,
    stop: Any,
    length: Any,
    is_cut: Any,
    asked: Any,
    asked_ends: Any,
    asked_groups: Any,
    absent: Any,
    first_on_line: Any,
    chosen: Any,
    room: Any,
) -> Any:
    """How many bytes of a text are in the room, all that need be looked at; -1: it is none; -2: it lacks something."""
    if not is_cut:
        return length if unpack(data, start, stop, room, length) else -1
    many = blocks_of(data, start, stop, len(chosen))
    if many < 0:
        return -1
    if not _choose(data, start, many, asked, asked_ends, asked_groups, absent, first_on_line, chosen):
        return -2
    return unpack_some(data, start, many, chosen, room, length)


@leaf
def _choose(
    data: Any,
    start: Any,
    many: Any,
    asked: Any,
    ends: Any,
    groups: Any,
    absent: Any,
    first_on_line: Any,
    chosen: Any,
) -> Any:
    """Marks the blocks that may have something; whether the text may have what it must."""
    last = len(groups) - 1
    lined = last > first_on_line
    on_line = False
    at = start + 4 + many * HEAD
    for block in range(many):
        head = start + 4 + block * HEAD
        take = lined
        group = first_on_line
        while take and group < last:
            take = _group_may(data, at, head, asked, ends, groups, group)
            group += 1
        on_line |= take
        chosen[block] = take
        at += number(data, head + 8) + number(data, head + 12)
    if lined and not on_line:
        return False
    for group in range(first_on_line):
        somewhere = False
        at = start + 4 + many * HEAD
        for block in range(many):
            head = start + 4 + block * HEAD
            if _group_may(data, at, head, asked, ends, groups, group):
                somewhere = True
                chosen[block] = True
            at += number(data, head + 8) + number(data, head + 12)
        if group >= absent and not somewhere:
            return False
    return True


@leaf
def _group_may(data: Any, at: Any, head: Any, asked: Any, ends: Any, groups: Any, group: Any) -> Any:
    """Whether one of the pieces of a group may stand in a block."""
    may = False
    for k in range(groups[group], groups[group + 1]):
        may = may or may_have(data, at, head, asked, ends[k], ends[k + 1])
    return may


@intrinsic
def _bytes_at(_typing: Any, _address: Any, _size: Any) -> Any:
    """So many bytes at an address, as an array that nobody counts: whoever calls keeps them."""
    array = types.Array(types.uint8, 1, "C", readonly=True)

    def code(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        address, size = arguments
        made = context.make_array(array)(context, builder)
        data, one = builder.inttoptr(address, ir.IntType(8).as_pointer()), context.get_constant(types.intp, 1)
        populate_array(made, data=data, shape=[size], strides=[one], itemsize=one, meminfo=None)
        return made._getvalue()

    return array(types.int64, types.int64), code
