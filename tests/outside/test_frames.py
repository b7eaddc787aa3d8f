"""Frames: what goes in comes out, and nothing that is no frame does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.outside.frames import from_bytes, to_bytes

values = st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=9) | st.lists(st.booleans()))
arrays = st.dictionaries(
    st.text(max_size=5),
    st.one_of(
        st.lists(st.integers(-(2**63), 2**63 - 1), max_size=9).map(lambda some: np.array(some, dtype=np.int64)),
        st.binary(max_size=20).map(lambda some: np.frombuffer(some, dtype=np.uint8)),
    ),
    max_size=4,
)


@given(values, arrays)
def test_there_and_back(told, columns):
    frame = from_bytes(to_bytes(told, columns))
    assert frame.values == told
    assert list(frame.arrays) == list(columns)
    for name, column in columns.items():
        read = frame.uint8s(name) if column.dtype == np.uint8 else frame.int64s(name)
        assert read.tolist() == column.tolist()
        assert not read.flags.writeable


@given(values, arrays, st.data())
def test_a_frame_that_was_cut_or_has_something_behind_it(told, columns, data):
    whole = to_bytes(told, columns)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ValueError, match="frame"):
        from_bytes(whole[:cut])
    with pytest.raises(ValueError, match="frame"):
        from_bytes(whole + b"x")


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda tail: b"starlm01\x10\0\0\0" + tail))
def test_what_is_no_frame(data):
    with pytest.raises(ValueError, match="frame"):
        from_bytes(data)


@pytest.mark.parametrize(
    "head",
    [
        b"[]",
        b"{}",
        b'{"values": [], "arrays": []}',
        b'{"values": {}, "arrays": [["a", "<i8", -1]]}',
        b'{"values": {}, "arrays": [["a", "<i8", 99999999999999999999]]}',
        b'{"values": {}, "arrays": [["a", "|O", 1]]}',
        b'{"values": {}, "arrays": [["a", "<f8", 0]]}',
        b'{"values": {}, "arrays": [["a", "<i8", 0], ["a", "<i8", 0]]}',
        b'{"values": {}, "arrays": [["a", "<i8"]]}',
        b'{"values": {}, "arrays": 5}',
        b'{"values": {}, "arrays": ' + b"[" * 50_000,
        b"\xff",
    ],
    ids=range(12),
)
def test_heads_that_are_none(head):
    with pytest.raises(ValueError, match="frame"):
        from_bytes(b"starlm01" + len(head).to_bytes(4, "little") + head)


def test_arrays_that_do_not_travel():
    for array in (np.zeros(2), np.zeros((2, 2), dtype=np.int64), np.zeros(1, dtype=np.uint64), np.array(["x"])):
        with pytest.raises(ValueError, match="a is no array"):
            to_bytes({}, {"a": array})


def test_an_array_that_is_not_there():
    frame = from_bytes(to_bytes({}, {"a": np.zeros(1, dtype=np.int64)}))
    for ask in (lambda: frame.int64s("b"), lambda: frame.uint8s("a")):
        with pytest.raises(ValueError, match="a frame without"):
            ask()
