"""Counts of bytes, lines and words, against the plain twin."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from starloom.kernels import texture, texture_twin

_PIECES = st.sampled_from(
    [
        b"\n",
        b"\n\n",
        b"  ",
        b"\t",
        b"\r\n",
        b"# ",
        b"// ",
        b"/* ",
        b" * ",
        b"--",
        b'"""',
        b"<!--",
        b"return value",
        b"9",
        b"}",
    ]
)
ANY = st.lists(st.one_of(_PIECES, st.binary(max_size=12)), max_size=40).map(b"".join)


def counts(*texts):
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in texts])]).astype(np.int64)
    found = texture.texture(offsets, np.frombuffer(b"".join(texts), dtype=np.uint8))
    return [dict(zip(texture.COUNTS, column)) for column in found.T.tolist()]


@given(st.lists(ANY, max_size=4))
@example([b"", b"\0", b"\n", b"a" * 40, b"a" * 41, b"x" * 120, b"x" * 121, b"\xff" * 9])
@settings(max_examples=200, deadline=None)
def test_the_kernel_is_its_twin(texts):
    assert counts(*texts) == [texture_twin.texture(one) for one in texts]


@pytest.mark.parametrize("at", [0, 1, 22, 23, 24, 62, 63, 64, 65, 127])
def test_where_64_bytes_end(at):
    """Lines and words that are as long as what is compared at once, or cross its ends."""
    before = b"x\n" * (at // 2) + b"-" * (at % 2)
    sizes, ends = (20, 31, 40, 41, 63, 64, 65, 130), (b"", b"\n", b" \nz")
    texts = [before + piece * size + end for piece in (b"a", b"a ", b" ") for size in sizes for end in ends]
    assert counts(*texts) == [texture_twin.texture(one) for one in texts]


def test_real_files(standard_library):
    texts = [one.encode() for one in standard_library]
    assert counts(*texts) == [texture_twin.texture(one) for one in texts]


def test_counts_by_hand():
    (found,) = counts(b"# a comment\nvalue_1 = 10\n\n  value_1 = 10\n}\n}\n" + b"y" * 130 + b"\n")
    assert found == {
        "letters": 8 + 12 + 130,
        "digits": 6,
        "spaces": 2 + 2 + 4,
        "signs": 1 + 2 + 2,
        "lines": 7,
        "blank": 1,
        "telling": 4,  # not the braces
        "repeated": 1,  # white space at the ends aside
        "comments": 1,
        "overhang": 10,
        "words": 5,
        "word_bytes": 8 + 14 + 130,
        "long_word_bytes": 130,
    }


@pytest.mark.parametrize(
    "line", [b"# x", b"// x", b"/* x", b" * x", b"-- x", b"; x", b"% x", b'""" x', b"<!-- x", b"#"]
)
def test_comments(line):
    assert counts(line)[0]["comments"] == 1
    assert counts(b"x " + line)[0]["comments"] == 0


def test_more_lines_than_the_table_holds():
    """Nothing fails and nothing is slow; a line that finds no place counts as new."""
    lines = b"".join(b"line number %08d\n" % number for number in range(1_200_000))
    (found,) = counts(lines)
    assert found["telling"] == 1_200_000
    assert found["repeated"] == 0
    twice = counts(lines[: len(lines) // 4] * 2)[0]
    assert twice["repeated"] == pytest.approx(300_000, rel=0.01)
