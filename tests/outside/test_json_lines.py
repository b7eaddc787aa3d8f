"""Lines of large files: the same whatever the block, and each in exactly one part."""

import gzip
from itertools import pairwise
from unittest.mock import patch

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from starloom.outside import json_lines
from starloom.outside.json_lines import LinesError, is_packed, lines

TEXTS = st.lists(st.binary(max_size=12).map(lambda data: data.replace(b"\n", b"")) | st.just(b""), max_size=12)


def zstandard(data):
    return pa.Codec("zstd").compress(data, asbytes=True)


MAGIC = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")  # by which gzip and Zstandard are told
PACKINGS = {"plain": bytes, "gzip": gzip.compress, "zstandard": zstandard}


def expected(data):
    at, found = 0, []
    for line in data.split(b"\n"):
        found.append((at, line if len(line) <= 8 else None))
        at += len(line) + 1
    return found if found[-1][1] != b"" else found[:-1]  # nothing follows the last line end


@given(TEXTS, st.integers(1, 20), st.sampled_from(sorted(PACKINGS)), st.booleans())
def test_lines_and_their_places(tmp_path_factory, texts, block, packed, ended):
    data = b"\n".join(texts) + (b"\n" if ended else b"")
    assume(not data.startswith(MAGIC))
    path = tmp_path_factory.mktemp("lines") / "x"
    path.write_bytes(PACKINGS[packed](data))
    assert is_packed(str(path)) == (packed != "plain")
    with patch.object(json_lines, "BLOCK", block):
        assert list(lines(str(path), max_line=8, max_bytes=1 << 20)) == expected(data)


@given(TEXTS, st.lists(st.integers(0, 150), max_size=5), st.integers(1, 20))
def test_each_line_is_in_one_part(tmp_path_factory, texts, cuts, block):
    data = b"\n".join(texts)
    assume(not data.startswith(MAGIC))
    path = tmp_path_factory.mktemp("lines") / "x"
    path.write_bytes(data)
    found = []
    with patch.object(json_lines, "BLOCK", block):
        for start, stop in pairwise([0, *sorted(cuts), 1 << 20]):
            found += lines(str(path), max_line=8, max_bytes=1 << 20, start=start, stop=stop)
    assert found == expected(data)


@pytest.mark.parametrize("packed", [gzip.compress, zstandard], ids=["gzip", "zstandard"])
def test_no_more_than_asked_for_is_unpacked(tmp_path, packed):
    (tmp_path / "bomb").write_bytes(packed(b"\0" * (64 << 20)))
    with pytest.raises(LinesError, match="more than 10,000,000 bytes"):
        list(lines(str(tmp_path / "bomb"), max_line=1 << 20, max_bytes=10_000_000))


DAMAGED = {
    "gzip-cut": gzip.compress(b"x\n" * 1000)[:-9],
    "gzip-garbage": b"\x1f\x8b garbage",
    "gzip-head": b"\x1f\x8b",
    "zstandard-cut": zstandard(b"x\n" * 1000)[:-3],
    "zstandard-garbage": b"\x28\xb5\x2f\xfd garbage",
    "zstandard-head": b"\x28\xb5\x2f\xfd",
    "zstandard-and-more": zstandard(b"x\n" * 1000) + b"more",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage(tmp_path, name):
    (tmp_path / "x").write_bytes(DAMAGED[name])
    with pytest.raises(LinesError, match=f"damaged or truncated (?i:{name.split('-')[0]})"):
        list(lines(str(tmp_path / "x"), max_line=100, max_bytes=10_000))
    with pytest.raises(LinesError, match="unreadable"):
        list(lines(str(tmp_path / "none"), max_line=100, max_bytes=10_000))


@pytest.mark.parametrize("packed", [gzip.compress, zstandard], ids=["gzip", "zstandard"])
def test_streams_one_after_the_other_are_one(tmp_path, packed):
    (tmp_path / "x").write_bytes(packed(b"one\ntw") + packed(b"o\nthree"))
    found = list(lines(str(tmp_path / "x"), max_line=100, max_bytes=10_000))
    assert found == [(0, b"one"), (4, b"two"), (8, b"three")]
