"""Common tiles, against plain Python."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from starloom.kernels import common_tiles, common_tiles_twin, slots

unhurried = settings(deadline=None, max_examples=200)
tiles = st.dictionaries(st.integers(0, 60), st.integers(0, 3), max_size=40)


def numbers(some):
    return np.array([*some], dtype=np.int64)


@unhurried
@given(tiles, st.integers(1, 6))
@example(dict.fromkeys(range(0, 40, 2), 7), 5)  # a repetition
@example(dict.fromkeys(range(11), 7), 5)  # just a width before one of them, and behind it
@example(dict.fromkeys(range(0, 40, 2), slots.FREE % 2**64), 5)  # of a hash that the table has no room for
def test_midst(hashes, width):
    offsets = sorted(hashes)
    each = np.array([hashes[one] for one in offsets], dtype=np.uint64)
    expected = common_tiles_twin.midst(offsets, each.tolist(), width)
    assert common_tiles.midst(numbers(offsets), each, width).tolist() == expected


@unhurried
@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 12), st.lists(st.integers(0, 3), max_size=5)), max_size=4),
    st.dictionaries(st.integers(0, 60), st.integers(0, 9), max_size=30),
    st.sets(st.integers(0, 60)),
    st.booleans(),
)
@example([(2, 8, [0, 1, 2, 2])], {2: 5, 6: 4, 3: 9}, {2, 6, 3, 5}, False)
def test_sharing(spans, asked, frequent, all_frequent):
    width = 4
    frequent = {*range(61)} if all_frequent else frequent | {*asked}
    starts, ends = numbers(start for start, *_ in spans), numbers(start + width + size for start, size, _ in spans)
    held = numbers(way for *_, some in spans for way in some), np.cumsum([0, *(len(some) for *_, some in spans)])
    told = numbers(sorted(asked)), numbers(asked[one] for one in sorted(asked))
    found = common_tiles.sharing(starts, ends, told, numbers(sorted(frequent)), held, width)
    expected = [
        common_tiles_twin.sharing(start, start + width + size, asked, frequent, some, width)
        for start, size, some in spans
    ]
    assert found.tolist() == expected
