"""Rows of a stream: every token once, nothing cut that could stay whole, and what a packing says of itself is true."""

import bisect
import collections
import itertools
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.kernels.gather import gather
from starloom.tokens import packing
from starloom.tokens.packed import Packed
from starloom.tokens.packing import METHODS, packing_of
from tokens.packing import packed as written

unhurried = settings(deadline=None, max_examples=100)


@dataclass
class Stream:
    """What a packing looks at of packed.Shards: documents as lists of the lengths of their files."""

    files: list[list[int]]
    folder: Path = field(default=Path("tokens/code-0"))

    @cached_property
    def starts(self):
        return np.cumsum([0, *map(sum, self.files)])

    @cached_property
    def borders(self):
        return np.cumsum([0, *itertools.chain(*self.files)])[1:-1]

    @property
    def tokens(self):
        return int(self.starts[-1])


documents = st.lists(st.lists(st.integers(1, 25), min_size=1, max_size=6), min_size=1, max_size=10)
streams = documents.map(Stream)
methods = st.sampled_from(METHODS)


def stretches(found, rows=None):
    """Of each row: (start, stop, open)."""
    rows = np.arange(found.rows) if rows is None else rows
    some = found.segments(rows)
    ends = some.starts + some.lengths
    flat = list(zip(some.starts.tolist(), ends.tolist(), some.open.tolist(), strict=True))
    return [flat[a:b] for a, b in itertools.pairwise(some.first.tolist())]


def packed(stream, method, sequence):
    try:
        return packing_of(stream, method, sequence)
    except UserError:
        assert method == "concatenate"
        assert stream.tokens <= sequence
        return None


@unhurried
@given(streams, methods, st.integers(1, 40))
def test_every_token_is_in_one_row(stream, method, sequence):
    found = packed(stream, method, sequence)
    if found is None:
        return
    rows = stretches(found)
    tokens = [token for row in rows for start, stop, _ in row for token in range(start, stop)]
    assert sorted(tokens) == list(range(found.counts.tokens))
    assert all(sum(stop - start for start, stop, _ in row) <= sequence for row in rows)
    assert all(rows)
    ends = set(stream.starts.tolist())
    for start, stop, open_ in itertools.chain(*rows):
        assert not any(start < one < stop for one in ends), "a stretch is of one document"
        assert open_ == (stop not in ends or method == "concatenate")


@unhurried
@given(streams, methods, st.integers(1, 40))
def test_documents_of_a_row(stream, method, sequence):
    found = packed(stream, method, sequence)
    if found is None:
        return
    some = found.segments(np.arange(found.rows))
    document = np.searchsorted(stream.starts, some.starts, side="right")
    for a, b in itertools.pairwise(some.first):
        assert some.documents[a:b].tolist() == np.unique(document[a:b], return_inverse=True)[1].tolist()
        assert (np.diff(some.starts[a:b]) > 0).all()


@unhurried
@given(streams, st.integers(1, 40))
def test_best_fit_cuts_nothing_that_fits_a_row(stream, sequence):
    cuts = {stop for row in stretches(packing_of(stream, "best-fit", sequence)) for _, stop, _ in row}
    for start, stop in itertools.pairwise(stream.starts.tolist()):
        assert stop - start > sequence or not any(start < one < stop for one in cuts)
    for start, stop in itertools.pairwise([0, *stream.borders.tolist(), stream.tokens]):
        assert stop - start > sequence or not any(start < one < stop for one in cuts)


@unhurried
@given(streams, st.integers(1, 40))
def test_concatenate_is_the_stream(stream, sequence):
    found = packed(stream, "concatenate", sequence)
    if found is None:
        return
    for number, row in enumerate(stretches(found)):
        assert (row[0][0], row[-1][1]) == (number * sequence, (number + 1) * sequence)
        assert all(one[1] == other[0] for one, other in itertools.pairwise(row))
    assert 1 <= found.counts.lost <= sequence  # the last token can be learnt, but stands for nothing that follows


@unhurried
@given(streams, methods, st.integers(1, 40), st.data())
def test_rows_with(stream, method, sequence, data):
    found = packed(stream, method, sequence)
    if found is None:
        return
    start = data.draw(st.integers(0, stream.tokens))
    stop = data.draw(st.integers(0, stream.tokens))
    expected = [
        number
        for number, row in enumerate(stretches(found))
        if any(max(one[0], start) < min(one[1], stop) for one in row)
    ]
    assert found.rows_with(start, stop).tolist() == expected


@unhurried
@given(streams, methods, st.integers(1, 40), st.data())
def test_rows_in_any_order(stream, method, sequence, data):
    found = packed(stream, method, sequence)
    if found is None:
        return
    wanted = data.draw(st.lists(st.integers(0, found.rows - 1), max_size=9))
    every = stretches(found)
    assert stretches(found, np.array(wanted, dtype=np.int64)) == [every[row] for row in wanted]


@unhurried
@given(streams, methods, st.integers(1, 40))
def test_counts(stream, method, sequence):
    found = packed(stream, method, sequence)
    if found is None:
        return
    parts = [(start, stop) for row in stretches(found) for start, stop, _ in row]
    inner = {one for part in parts for one in part} - {0, stream.tokens}
    counts = found.counts
    assert counts.rows == found.rows == len(stretches(found))
    assert counts.tokens == sum(stop - start for start, stop in parts)
    assert counts.padding == counts.rows * sequence - counts.tokens
    assert counts.lost == stream.tokens - counts.tokens
    starts, borders = stream.starts.tolist(), [0, *stream.borders.tolist(), stream.tokens]
    for value, bounds in ((counts.cut_documents, starts), (counts.cut_files, borders)):
        assert value == sum(any(a < one < b for one in inner) for a, b in itertools.pairwise(bounds))
    for value, bounds in ((counts.context, starts), (counts.file_context, borders)):
        seen = 0
        for row in stretches(found):
            before = collections.Counter()
            for at in itertools.chain(*(range(start, stop) for start, stop, _ in row)):
                unit = bisect.bisect(bounds, at)
                before[unit] += 1
                seen += before[unit]
        assert value == pytest.approx(seen / counts.tokens)


@unhurried
@given(streams, st.integers(1, 30), st.integers(1, 60))
def test_windows(stream, sequence, window):
    """Rows are packed from a window of the stream at a time, and numbered as they come in it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "WINDOW", window)
        patch.setattr(packing, "LEAST_ROWS", 1)
        rows = stretches(packing_of(stream, "best-fit", sequence))
    assert rows == sorted(rows)
    longest = max(map(sum, stream.files))  # a document's rows lie within it, and it may be in two windows
    assert all(row[-1][1] - row[0][0] <= max(window, sequence) + 2 * longest for row in rows)
    tokens = sorted(token for row in rows for start, stop, _ in row for token in range(start, stop))
    assert tokens == list(range(stream.tokens))


@unhurried
@given(streams, st.integers(1, 40))
def test_what_is_learnt(stream, sequence):
    """Best fit: each token is the target of the one before it in its document, once; a document's first of none."""
    found = packing_of(stream, "best-fit", sequence)
    some = found.segments(np.arange(found.rows))
    tokens = [np.arange(a, a + n + o) for a, n, o in zip(some.starts, some.lengths, some.open, strict=True)]
    ids, targets, _ = gather(
        np.concatenate(tokens).astype(np.uint16), some.first, some.lengths, some.open, some.documents, sequence, 65_535
    )
    learnt = targets >= 0
    assert np.array_equal(targets[learnt], ids[learnt] + 1)
    assert sorted(targets[learnt].tolist()) == sorted(set(range(stream.tokens)) - set(stream.starts.tolist()))
    assert ((ids == 65_535) <= ~learnt).all()


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        # Documents of 3, 6 and 1 tokens. The second is longer than a row.
        (
            "best-fit",
            [
                ([1, 2, 3, 10], [2, 3, -1, -1], [0, 0, 0, 1]),
                ([4, 5, 6, 7], [5, 6, 7, 8], [0, 0, 0, 0]),
                ([8, 9, 0, 0], [9, -1, -1, -1], [0, 0, -1, -1]),
            ],
        ),
        (
            "concatenate",
            [([1, 2, 3, 4], [2, 3, 4, 5], [0, 0, 0, 1]), ([5, 6, 7, 8], [6, 7, 8, 9], [0, 0, 0, 0])],
        ),
    ],
    ids=METHODS,
)
def test_rows_of_packed_tokens(tmp_path, method, expected):
    folder = written(tmp_path / "tokens", [[1, 2, 3], [4, 5, 6, 7, 8, 9], [10]])
    shards = Packed.open(folder).stream("code", 0)
    found = packing_of(shards, method, 4)
    some = found.segments(np.arange(found.rows))
    tokens = [shards.read(a, a + n + o) for a, n, o in zip(some.starts, some.lengths, some.open, strict=True)]
    rows = gather(np.concatenate(tokens).astype(np.uint16), some.first, some.lengths, some.open, some.documents, 4, 0)
    assert [tuple(one.tolist() for one in row) for row in zip(*rows, strict=True)] == expected


@pytest.mark.parametrize("method", METHODS)
def test_a_row_that_there_is_not(method):
    found = packing_of(Stream([[8], [5, 9]]), method, 4)
    for row in (-1, found.rows):
        with pytest.raises(ValueError, match=f"of {found.rows}"):
            found.segments(np.array([0, row]))


def test_too_few_tokens():
    with pytest.raises(UserError, match="tokens/code-0 has 4 tokens: too few for one sequence of 4") as caught:
        packing_of(Stream([[4]]), "concatenate", 4)
    assert "to 3 or less" in (caught.value.hint or "")
    assert packing_of(Stream([[4]]), "best-fit", 4).rows == 1


@pytest.mark.parametrize(("method", "sequence"), [("first-fit", 4), ("best-fit", 0)], ids=["method", "sequence"])
def test_what_is_no_packing(method, sequence):
    with pytest.raises(ValueError, match=f"{method}.*{sequence} tokens"):
        packing_of(Stream([[4]]), method, sequence)


def test_what_follows_a_file_in_its_row_is_what_was_learnt(make):
    """Files of one document meet in a row though others lay between them: each ends by telling that another begins."""
    packed = make().pack(repository_rate=0.9)
    shards = packed.stream()
    begins = shards.borders[~np.isin(shards.borders, shards.starts)]
    separator = packed.tokenizer.markers.file_sep
    met = 0
    for sequence in (500, 700, 900, 1100):
        found = packing_of(shards, "best-fit", sequence)
        some = found.segments(np.arange(found.rows))
        stops = some.starts + some.lengths
        for stop in stops[np.isin(stops, begins)].tolist():
            assert shards.read(stop, stop + 1).tolist() == [separator]
        follows = np.append(False, some.documents[1:] == some.documents[:-1])
        follows[some.first[:-1]] = False
        for start in some.starts[follows & np.isin(some.starts, begins)].tolist():
            assert shards.read(start, start + 1).tolist() == [separator]
            met += 1
    assert met
