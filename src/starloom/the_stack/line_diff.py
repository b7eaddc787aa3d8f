"""Which lines two texts have in common, in order: exact where that is cheap, and never slow.

Lines that each side has once anchor the rest (patience diff); what lies between anchors is aligned by its longest
common subsequence, found with one bit a pair of lines. Where that would take more than `MOST_PAIRS` bits, lines between
anchors count as changed: the diff is right then, but longer than it need be. Cost: linear but for a sort, below half a
second for 100,000 lines that are made to be hard; memory 16 MB.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

MOST_PAIRS = 1 << 27  # pairs of lines that are compared between anchors, a bit each, in all
_DEPTH = 6  # how often what lies between anchors is searched for further ones


class Block(NamedTuple):
    """`size` lines, alike on both sides: old[old_start + k] == new[new_start + k]."""

    old_start: int
    new_start: int
    size: int


def common_blocks(old: Sequence[str], new: Sequence[str], most_pairs: int = MOST_PAIRS) -> list[Block]:
    """The lines that stay, as long blocks in order; whatever lies between two blocks was removed or added.

    >>> common_blocks(["a", "b", "c"], ["a", "x", "c"])
    [Block(old_start=0, new_start=0, size=1), Block(old_start=2, new_start=2, size=1)]
    """
    numbers: dict[str, int] = {}
    one = [numbers.setdefault(line, len(numbers)) for line in old]
    two = [numbers.setdefault(line, len(numbers)) for line in new]
    found: list[tuple[int, int]] = []  # a line on either side
    left = most_pairs
    ranges = [(0, len(one), 0, len(two), 0)]
    while ranges:
        low, high, start, stop, depth = ranges.pop()
        while low < high and start < stop and one[low] == two[start]:
            found.append((low, start))
            low, start = low + 1, start + 1
        while low < high and start < stop and one[high - 1] == two[stop - 1]:
            high, stop = high - 1, stop - 1
            found.append((high, stop))
        if low == high or start == stop:
            continue
        anchors = _anchors(one, two, low, high, start, stop) if depth < _DEPTH else []
        if anchors:
            found += anchors
            bounds = [(low - 1, start - 1), *anchors, (high, stop)]
            for (a, b), (c, d) in pairwise(bounds):
                ranges.append((a + 1, c, b + 1, d, depth + 1))
        elif (high - low) * (stop - start) <= left:
            left -= (high - low) * (stop - start)
            found += [(low + a, start + b) for a, b in _longest_common(one[low:high], two[start:stop])]
    return _joined(sorted(found))


def _anchors(
    one: Sequence[int], two: Sequence[int], low: int, high: int, start: int, stop: int
) -> list[tuple[int, int]]:
    """The longest ascending run of lines that one[low:high] and two[start:stop] have once each."""
    here, there = Counter(one[low:high]), Counter(two[start:stop])
    places = {line: place for place, line in enumerate(two[start:stop], start) if there[line] == 1 == here[line]}
    pairs = [(place, places[line]) for place, line in enumerate(one[low:high], low) if line in places]
    ends: list[int] = []  # the least last place of an ascending run of each length
    tops: list[int] = []  # the number of that pair
    before = [-1] * len(pairs)
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(ends, place)
        before[number] = tops[length - 1] if length else -1
        ends[length : length + 1] = [place]
        tops[length : length + 1] = [number]
    run = []
    number = tops[-1] if tops else -1
    while number >= 0:
        run.append(pairs[number])
        number = before[number]
    return run[::-1]


def _longest_common(one: Sequence[int], two: Sequence[int]) -> list[tuple[int, int]]:
    """A longest common subsequence, as pairs of places in reverse order (bit-parallel, after Hyyrö 2004).

    Row r of the classic table (its steps only): bit k is 0 where two[:r] has one line more in common with one[:k + 1]
    than with one[:k].
    """
    masks: dict[int, int] = {}
    for place, line in enumerate(one):
        masks[line] = masks.get(line, 0) | 1 << place
    full = (1 << len(one)) - 1
    rows = [full]
    for line in two:
        row = rows[-1]
        alike = row & masks.get(line, 0)
        rows.append(((row + alike) | (row - alike)) & full)
    found = []
    column = len(one)
    for number in range(len(two), 0, -1):
        row, above = rows[number], rows[number - 1]
        # The last column within reach where this row steps; none: no line is left in common.
        column = (~row & ((1 << column) - 1)).bit_length()
        if not column:
            break
        if above >> (column - 1) & 1:  # the row above does not step there: these two lines are the pair
            column -= 1
            found.append((column, number - 1))
    return found


def _joined(pairs: Sequence[tuple[int, int]]) -> list[Block]:
    """Neighbours as one block."""
    blocks: list[Block] = []
    for a, b in pairs:
        if blocks and blocks[-1].old_start + blocks[-1].size == a and blocks[-1].new_start + blocks[-1].size == b:
            blocks[-1] = blocks[-1]._replace(size=blocks[-1].size + 1)
        else:
            blocks.append(Block(a, b, 1))
    return blocks
