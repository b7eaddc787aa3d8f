"""Lines around a place, cut: against the same in plain Python."""

import sys
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels.extracts import Row, extracts

WIDTH, LEAD = 12, 3
alphabet = st.sampled_from(["a", "b", " ", "\t", "\r", "\n", "\n", "é", "\u2003", "\u3000", "𝄞", "x" * 40, "é" * 70])
texts = st.lists(st.lists(alphabet, max_size=40).map("".join), min_size=1, max_size=3)


def plain(text, start, end):
    """(number, best, piece, cut left, cut right) of each row, all in characters."""
    lines = text.split("\n")
    begins = list(accumulate((len(line) + 1 for line in lines), initial=0))
    here = text.count("\n", 0, start)
    rows = []
    for number in (here - 1, here, here + 1):
        if not 0 <= number < len(lines) or (number != here and not lines[number].strip()):
            continue
        begin, line = begins[number], lines[number].removesuffix("\r")
        left, stop = begin, begin + len(line)
        if len(line) > WIDTH and begin <= start < stop and end > begin + WIDTH - LEAD:
            left = max(min(start - LEAD, stop - WIDTH), begin)
        right = min(left + WIDTH, stop)
        rows.append((number + 1, number == here, text[left:right], left > begin, right < stop))
    return rows


@settings(deadline=None, max_examples=200)
@given(texts, st.data())
def test_rows_are_those_of_plain_python(some, drawn):
    places = [sorted(drawn.draw(st.integers(0, len(text))) for _ in range(2)) for text in some]
    data = "".join(some).encode()
    offsets = np.array(list(accumulate((len(text.encode()) for text in some), initial=0)))
    starts, ends = np.array(
        [[len(text[:place].encode()) for place in pair] for text, pair in zip(some, places, strict=True)]
    ).T
    found = extracts(offsets, np.frombuffer(data, np.uint8), starts, ends, WIDTH, LEAD)
    expected = [
        (k, *row) for k, (text, pair) in enumerate(zip(some, places, strict=True)) for row in plain(text, *pair)
    ]
    assert [
        (row.text, row.number, row.best, data[row.left : row.right].decode(), *row[5:]) for row in found
    ] == expected


def test_white_space_is_what_python_takes_for_it():
    """A line of one character beside that of the place is shown where it is no white space."""
    characters = [chr(point) for point in (*range(0x3100), *range(0xE000, sys.maxunicode, 997)) if chr(point) != "\n"]
    assert not any(chr(point).isspace() for point in range(0x3100, sys.maxunicode + 1))
    some = [f"x\n{c}".encode() for c in characters]
    offsets = np.array(list(accumulate(map(len, some), initial=0)))
    zeros = np.zeros(len(some), np.int64)
    found = extracts(offsets, np.frombuffer(b"".join(some), np.uint8), zeros, zeros, WIDTH, LEAD)
    assert [row.text for row in found if not row.best] == [k for k, c in enumerate(characters) if c.strip()]


def test_a_row_is_told_by_name():
    (row,) = extracts(np.array([0, 3]), np.frombuffer(b"abc", np.uint8), np.array([1]), np.array([2]), 2, 0)
    assert row == Row(text=0, number=1, best=True, left=0, right=2, cut_left=False, cut_right=True)


@pytest.mark.parametrize("place", [-1, 4])
def test_a_place_outside_the_text(place):
    with pytest.raises(ValueError, match="outside"):
        extracts(np.array([0, 3]), np.frombuffer(b"abc", np.uint8), np.array([place]), np.array([place]), 9, 0)
