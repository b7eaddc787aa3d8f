"""Arrow strings become (offsets, data); what would read out of bounds is refused."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.kernels import lines, shingles, text

CONTENTS = ["one\n", "", "zwei é\n", "三"]


@pytest.mark.parametrize(
    "array",
    [
        pa.array(CONTENTS),
        pa.array(CONTENTS, pa.large_string()),
        pa.array(["left out", *CONTENTS, "too"], pa.large_string())[1:5],  # a slice keeps its parent's buffers
        pa.chunked_array([CONTENTS[:1], CONTENTS[1:]]),
        pa.chunked_array([CONTENTS]),
        pa.array(["one\n", None, "zwei é\n", "三"]),  # a null counts as empty
    ],
)
def test_buffers(array):
    offsets, data = text.text_buffers(array)
    found = [bytes(data[a:b]).decode() for a, b in itertools.pairwise(offsets)]
    assert found == CONTENTS


@pytest.mark.parametrize("array", [pa.array([], pa.string()), pa.chunked_array([], pa.string()), pa.array(["", ""])])
def test_nothing(array):
    offsets, data = text.text_buffers(array)
    assert len(offsets) == len(array) + 1
    assert lines.line_statistics(offsets, data).num_lines.tolist() == [0] * len(array)
    assert shingles.shingle_sets(offsets, data)[0].tolist() == [0] * (len(array) + 1)


@pytest.mark.parametrize("offsets", [[], [-1, 2], [0, 4], [0, 3, 2]])
def test_offsets_out_of_bounds(offsets):
    with pytest.raises(ValueError, match="offsets do not describe"):
        lines.line_statistics(np.array(offsets, dtype=np.int64), np.zeros(3, dtype=np.uint8))


@pytest.mark.parametrize("broken", [b"\xff", b"\xf4\xbf\xbf\xbf", b"a\xe4\xb8", b"\xf0", b"\x80\x80 \xc3"])
def test_what_is_not_utf8_reads_nothing_outside_the_file(broken):
    data = np.frombuffer(broken + b"abc def", dtype=np.uint8)
    offsets = np.array([0, len(broken)])
    alone = np.frombuffer(broken, dtype=np.uint8)
    for found, expected in zip(
        shingles.token_counts_and_stream_hash(offsets, data),
        shingles.token_counts_and_stream_hash(offsets, alone),
    ):
        assert (found == expected).all()
    assert lines.line_statistics(offsets, data) == lines.line_statistics(offsets, alone)


@given(st.lists(st.integers(0, 3), max_size=8))
def test_some_of_the_files(rows):
    offsets, data = text.text_buffers(pa.array(["left out", *CONTENTS])[1:])
    bounds, found = text.taken(offsets, data, np.array(rows, np.int64))
    assert [bytes(found[a:b]).decode() for a, b in itertools.pairwise(bounds)] == [CONTENTS[row] for row in rows]


def test_all_of_the_files_are_not_copied():
    offsets, data = text.text_buffers(pa.array(CONTENTS))
    assert text.taken(offsets, data, np.arange(4))[1] is data
