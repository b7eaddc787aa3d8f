"""Scratch files of workers become a segment's: in the order of the pieces, whoever wrote them."""

import pytest

from starloom.membership.parts import Stretch
from starloom.membership.segments import _join


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [("one", 0, 4), ("one", 4, 10)],  # one worker, in order: its file as it is
        [("one", 0, 10)],
        [("one", 0, 0), ("one", 0, 10)],
        [("one", 4, 10), ("one", 0, 4)],
        [("one", 0, 4), ("two", 0, 8), ("one", 4, 10)],
        [("one", 4, 10)],  # something else stands before it
        [("one", 0, 4)],  # or after it
    ],
)
def test_pieces_are_joined_in_order(tmp_path, pieces):
    written = {"one": b"abcdefghij", "two": b"ABCDEFGH"}
    for name, data in written.items():
        (tmp_path / name).write_bytes(data)
    _join(tmp_path / "target", [Stretch(tmp_path / name, begin, end) for name, begin, end in pieces])
    assert (tmp_path / "target").read_bytes() == b"".join(written[name][begin:end] for name, begin, end in pieces)
    assert not any((tmp_path / name).exists() for name, *_ in pieces)
