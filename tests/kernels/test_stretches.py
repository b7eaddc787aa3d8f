"""Ends of stretches, and the choice among them, against plain Python."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import slots, stretch_order, stretches

unhurried = settings(deadline=None, max_examples=60)


def bytes_of(text):
    return np.frombuffer(text, dtype=np.uint8)


@pytest.mark.parametrize(
    ("text", "start", "end", "expected"),
    [
        ("x" * 60, 0, 60, (0, 60)),
        (" " + "x" * 58 + "\n", 0, 60, (1, 59)),
        ("é" * 40, 1, 79, (2, 78)),  # half a character at either end
        ("é" * 40, 0, 80, (0, 80)),
        ("é" * 26, 1, 51, None),  # too short without them
        (" " * 60, 0, 60, None),
    ],
)
def test_trimmed(text, start, end, expected):
    row = [np.array([one], dtype=np.int64) for one in (7, start, end, 100)]
    found = stretches.trimmed(bytes_of(text.encode()), stretches.Stretches(*row))
    rows = list(zip(*(column.tolist() for column in found)))
    assert rows == ([] if expected is None else [(7, *expected, 100 + expected[0] - start)])


def row_lists(rows, columns=2):
    return [np.array(column, dtype=np.int64) for column in zip(*rows)] or [np.zeros(0, dtype=np.int64)] * columns


span_lists = st.lists(st.tuples(st.integers(0, 90), st.integers(1, 60)), max_size=12)


@unhurried
@given(span_lists, st.integers(1, 20), st.sampled_from([1, 97]))  # many times as long: over blocks of bytes
def test_chosen(spans, least, times):
    spans = [(times * start, times * (start + size)) for start, size in spans]
    least *= times
    order = sorted(range(len(spans)), key=lambda one: (spans[one][0] - spans[one][1], spans[one][0], one))
    covered, expected = set(), []
    limit = max((end - start for start, end in spans), default=0)
    while limit >= least:
        for number in order:
            new = set(range(*spans[number])) - covered
            if len(new) >= limit:
                expected.append(number)
                covered |= new
        limit = max(limit // 2, least) if limit > least else 0
    columns = row_lists(spans)
    assert stretches.chosen(*columns, 150 * times, least).tolist() == expected


def test_what_is_covered_counts_once():
    starts, ends = row_lists([(0, 8300), (3800, 12000), (4000, 12100)])
    assert stretches.chosen(starts, ends, 14550, 50).tolist() == [0, 1, 2]


@unhurried
@given(st.lists(span_lists, max_size=4), st.integers(1, 20))
def test_chosen_of_several_texts(texts, least):
    columns = row_lists(
        [(150 * k + start, 150 * k + start + size) for k, one in enumerate(texts) for start, size in one]
    )
    groups = np.cumsum([0, *map(len, texts)])
    expected = []
    for number, one in enumerate(texts):
        alone = row_lists([(start, start + size) for start, size in one])
        expected += (groups[number] + stretches.chosen(*alone, 150, least)).tolist() if one else []
    assert stretches.chosen(*columns, 150 * len(texts), least, groups).tolist() == expected


def test_spans_outside():
    one = np.array([0], dtype=np.int64)
    with pytest.raises(ValueError, match="outside"):
        stretches.chosen(one, one + 10, 5, 1)
    with pytest.raises(ValueError, match="outside"):
        stretches.trimmed(bytes_of(b"abc"), stretches.Stretches(one, one, one + 4, one))


def test_a_text_of_one_letter():
    """300,000 stretches of 100,000 bytes: a pass over the bytes of each would take minutes."""
    starts = np.arange(300_000, dtype=np.int64)
    shown = stretches.chosen(starts, starts + 100_000, 400_000, 50).tolist()
    assert shown[:3] == [0, 100_000, 200_000]
    assert len(shown) < 20


@unhurried
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 90), st.integers(20, 60)), max_size=25),
    st.lists(st.tuples(st.integers(0, 90), st.integers(20, 60)), max_size=5),
    st.integers(1, 25),
)
def test_holders(found, spans, width):
    """Of every file the row that lacks least, where it lacks less than a width."""
    found = sorted({(start, start + size, file) for file, start, size in found})
    file, start, end = row_lists([(file, start, end) for start, end, file in found], 3)
    spans = [(start, start + size) for start, size in spans]
    starts, ends = row_lists(spans)
    bounds, rows, lacks = stretches.holders(stretches.Stretches(file, start, end, start), starts, ends, width)
    for number, (a, b) in enumerate(spans):
        expected = {}
        for one, (first, last, name) in enumerate(found):
            lack = max(first - a, 0) + max(b - last, 0)
            if lack < width and first < a + width and last > b - width:
                expected[name] = min(expected.get(name, (lack, one)), (lack, one))
        low, high = bounds[number : number + 2]
        got = list(zip(lacks[low:high].tolist(), file[rows[low:high]].tolist(), rows[low:high].tolist()))
        assert [(lack, name) for lack, name, _ in got] == sorted((lack, name) for name, (lack, _) in expected.items())
        assert [row for *_, row in got] == [expected[name][1] for _, name, _ in got]


@given(st.lists(st.integers(0, 200), unique=True).map(sorted), st.integers(1, 60))
def test_apart(offsets, width):
    taken, last = [], -width
    for one in offsets:
        taken.append(one - last >= width)
        last = one if taken[-1] else last
    assert stretches.apart(np.array(offsets, dtype=np.int64), width).tolist() == taken


numbers = st.one_of(st.integers(0, 3), st.integers(2040, 2060), st.integers(0, 2**40))


@settings(deadline=None)
@given(st.lists(st.tuples(*[numbers] * 4), min_size=1, max_size=60), st.integers(0, 3))
def test_in_order(rows, again):
    found = stretches.Stretches(*np.array(rows + rows[:again], dtype=np.int64).T.copy())
    told = stretch_order.in_order_plainly(found)
    many = -(-stretch_order.MANY // len(rows))
    kernel = stretch_order.in_order(stretches.Stretches(*(np.tile(column, many) for column in found)))
    expected = sorted({(start, end, file, position) for file, start, end, position in rows})
    for one in (told, kernel):
        assert [*zip(*(one[k].tolist() for k in (1, 2, 0, 3)))] == expected


@settings(deadline=None)
@given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1) | st.integers(-3, 3)))
def test_numbered(values):
    found, number = slots.numbered(np.array(values, dtype=np.int64))
    first = [*dict.fromkeys(values)]
    assert (found.tolist(), number.tolist()) == (first, [first.index(one) for one in values])
