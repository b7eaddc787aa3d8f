"""Lines by place and by number, against Python's own `split`."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels.lines_at import Line, line_at, line_start

texts = st.lists(st.sampled_from(b"ab\r\n\n\xff"), max_size=60).map(bytes)


@settings(deadline=None, max_examples=150)
@given(texts, st.data())
def test_a_place_is_on_its_line(data, drawn):
    place = drawn.draw(st.integers(0, len(data)))
    lines = data.split(b"\n")
    number = data[:place].count(b"\n")
    starts = [sum(len(line) + 1 for line in lines[:k]) for k in range(len(lines))]
    begin = starts[number]
    stop = begin + len(lines[number])
    before = starts[number - 1] if number else begin
    after = stop + 1 + len(lines[number + 1]) if number + 1 < len(lines) else stop
    assert line_at(data, place) == Line(number + 1, before, begin, stop, after)


@settings(deadline=None, max_examples=150)
@given(texts)
def test_lines_begin_where_they_begin(data):
    lines = data.split(b"\n")
    starts = [sum(len(line) + 1 for line in lines[:k]) for k in range(len(lines))]
    assert [line_start(data, number) for number in range(1, len(lines) + 3)] == [*starts, None, None]


@pytest.mark.parametrize("place", [-1, 4])
def test_a_place_outside_the_text(place):
    with pytest.raises(ValueError, match="has no place"):
        line_at(b"abc", place)
