"""What is told of packed texts, small and cut ones, against plain Python on each text."""

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import cuts
from starloom.kernels.packed import HAS, LACKS, TORN, Packed, Sought
from starloom.kernels.seek import Seeker
from starloom.search.identifiers import LONGEST, is_word

CODEC = pa.Codec("lz4_raw")
LARGE = 300


def compress(text):
    return CODEC.compress(text, asbytes=True)


def packed(texts, files=2):
    """The texts in some files in turn, something else around each."""
    blocks = [cuts.cut(text, compress) if len(text) > LARGE else compress(text) for text in texts]
    data, place = [b"\x00" * 5 for _ in range(files)], []
    for number, block in enumerate(blocks):
        place.append((number % files, len(data[number % files]), len(block)))
        data[number % files] += block + b"\xff" * 3
    columns = np.array(place, np.int64).reshape(-1, 3).T
    return Packed(dict(enumerate(map(pa.py_buffer, data))), *columns, list(map(len, texts)), LARGE)


lines = st.lists(
    st.sampled_from([b"a", b"A", b"b", b"ab", b"Ba", b"_", b" ", b"cde", b"Def", b"\xc3\xa9"]), max_size=8
).map(b"".join)
small = st.lists(lines, max_size=6).map(b"\n".join)
large = st.builds(
    lambda some, many: b"\n".join([*some[:1], *[b"filling %d" % number for number in range(many)], *some[1:]]),
    st.lists(lines, max_size=4),
    st.sampled_from([40, 900]),
)
pieces = st.sampled_from([b"a", b"ab", b"aB", b"b", b"_", b"cde", b"def", b"filling 12", b"de", b"bb", b"a\nb"])
groups = st.lists(st.lists(st.tuples(pieces, st.booleans(), st.booleans()), min_size=1, max_size=2), max_size=2)


def seekers(group):
    return [
        Seeker(piece.lower() if any_case else piece, any_case, LONGEST if word and piece.isalpha() else 0)
        for piece, any_case, word in group
    ]


def met(group, text):
    """Plainly."""
    for piece, any_case, word in group:
        where, what = (text.lower(), piece.lower()) if any_case else (text, piece)
        starts = [found.start() for found in re.finditer(b"(?=%s)" % re.escape(what), where)]
        if word and piece.isalpha():
            starts = [at for at in starts if is_word(text, at, at + len(piece))]
        if starts:
            return True
    return False


@settings(deadline=None, max_examples=300)
@given(st.lists(st.one_of(small, large), max_size=6), groups, groups, groups)
def test_what_is_told_is_what_python_tells(texts, there, absent, on_line):
    on_line = [[one for one in group if b"\n" not in one[0]] for group in on_line]
    on_line = [group for group in on_line if group]
    sought = Sought(*([seekers(group) for group in some] for some in (there, absent, on_line)))
    rows = np.arange(len(texts))[::-1]
    state, bounds, shown = sought.told(packed(texts), rows)
    for number, text in enumerate(texts[::-1]):
        fits = all(met(group, text) for group in there) and not any(met(group, text) for group in absent)
        kept = [line for line in text.split(b"\n") if all(met(group, line) for group in on_line)] if on_line else []
        holds = fits and (not on_line or bool(kept))
        assert state[number] == (HAS if holds else LACKS)
        expected = b"".join(line + b"\n" for line in kept) if holds else b""
        assert shown[bounds[number] : bounds[number + 1]].tobytes() == expected


def test_filters_are_asked_more_closely():
    texts = [b"\n".join([b"filling"] * 900 + [b"one two"]), b"\n".join([b"one"] + [b"filling"] * 900 + [b"two"])]
    one = [[Seeker(b"one", any_case=True)]]
    assert Sought(on_line=one).told(packed(texts), np.arange(2)).state.tolist() == [HAS, HAS]
    closely = Sought(on_line=one, closely=[[b"zwei", b"two"]])
    assert closely.told(packed(texts), np.arange(2)).state.tolist() == [HAS, LACKS]


@settings(deadline=None, max_examples=200)
@given(st.lists(st.one_of(small, large), min_size=1, max_size=4), st.data())
def test_what_is_torn_is_told(texts, data):
    where = packed(texts)
    columns = [one.copy() for one in where.columns[1:5]]
    column, row = data.draw(st.integers(0, 3)), data.draw(st.integers(0, len(texts) - 1))
    columns[column][row] = data.draw(st.sampled_from([-1, 0, 1, 2, 7, 1000, 10_000]))
    torn = Packed(where._kept, *columns, LARGE)
    state, bounds, shown = Sought(on_line=[[Seeker(b"a", any_case=True)]]).told(torn, np.arange(len(texts)))
    assert set(state.tolist()) <= {HAS, LACKS, TORN}
    assert bounds[-1] == len(shown)
    assert column != 3 or columns[3][row] == len(texts[row]) or len(texts[row]) > LARGE or state[row] == TORN


def test_rows_that_there_are_not():
    with pytest.raises(IndexError):
        Sought([[Seeker(b"a", any_case=True)]]).told(packed([b"a"]), np.array([1]))


def test_nothing_is_sought():
    with pytest.raises(ValueError, match="no piece"):
        Sought([[]])
    with pytest.raises(ValueError, match="no line"):
        Sought(on_line=[[Seeker(b"a\nb", any_case=True)]])
