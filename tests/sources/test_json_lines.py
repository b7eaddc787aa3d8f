"""Lines of large files: the same whatever the block, and each in exactly one part."""

import gzip
from itertools import pairwise
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.sources import json_lines
from starloom.sources.json_lines import LinesError, lines

TEXTS = st.lists(st.binary(max_size=12).map(lambda data: data.replace(b"\n", b"")) | st.just(b""), max_size=12)


def expected(data):
    at, found = 0, []
    for line in data.split(b"\n"):
        found.append((at, line if len(line) <= 8 else None))
        at += len(line) + 1
    return found if found[-1][1] != b"" else found[:-1]  # nothing follows the last line end


@given(TEXTS, st.integers(1, 20), st.booleans(), st.booleans())
def test_lines_and_their_places(tmp_path_factory, texts, block, packed, ended):
    data = b"\n".join(texts) + (b"\n" if ended else b"")
    path = tmp_path_factory.mktemp("lines") / "x"
    path.write_bytes(gzip.compress(data) if packed else data)
    with patch.object(json_lines, "BLOCK", block):
        assert list(lines(str(path), max_line=8, max_bytes=1 << 20)) == expected(data)


@given(TEXTS, st.lists(st.integers(0, 150), max_size=5), st.integers(1, 20))
def test_each_line_is_in_one_part(tmp_path_factory, texts, cuts, block):
    data = b"\n".join(texts)
    path = tmp_path_factory.mktemp("lines") / "x"
    path.write_bytes(data)
    found = []
    with patch.object(json_lines, "BLOCK", block):
        for start, stop in pairwise([0, *sorted(cuts), 1 << 20]):
            found += lines(str(path), max_line=8, max_bytes=1 << 20, start=start, stop=stop)
    assert found == expected(data)


def test_no_more_than_asked_for_is_unpacked(tmp_path):
    (tmp_path / "bomb").write_bytes(gzip.compress(b"\0" * (64 << 20)))
    with pytest.raises(LinesError, match="more than 10,000,000 bytes"):
        list(lines(str(tmp_path / "bomb"), max_line=1 << 20, max_bytes=10_000_000))


@pytest.mark.parametrize(
    "data", [gzip.compress(b"x\n" * 1000)[:-9], b"\x1f\x8b garbage", b"\x1f\x8b"], ids=["cut", "garbage", "head"]
)
def test_damage(tmp_path, data):
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(LinesError, match="damaged or truncated gzip"):
        list(lines(str(tmp_path / "x"), max_line=100, max_bytes=10_000))
    with pytest.raises(LinesError, match="unreadable"):
        list(lines(str(tmp_path / "none"), max_line=100, max_bytes=10_000))
