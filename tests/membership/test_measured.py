"""Characters of stretches, white space folded: against counting them one by one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels.fold import fold
from starloom.membership.measured import Measured

TEXTS = st.text(st.sampled_from("ab é𝄞\t\n\r"), max_size=60)


def folded(text):
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    return fold(np.array([0, len(data)]), data)[1].tobytes().decode()


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.integers(0, 60), st.integers(0, 60))
def test_characters(text, one, two):
    measured = Measured(text)
    assert measured.characters == len(folded(text))
    start, end = sorted((min(one, len(text)), min(two, len(text))))
    assert measured.between(0, start) + measured.between(start, end) + measured.between(end, len(text)) == len(
        folded(text)
    )
    assert measured.between(start, end) >= len([one for one in text[start:end] if not one.isspace()])
    assert measured.between(start, end) <= end - start


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=5))
def test_together(text, stretches):
    measured = Measured(text)
    stretches = [(min(pair), max(pair)) for pair in stretches]
    inside = {k for start, end in stretches for k in range(start, min(end, len(text)))}
    assert measured.together(stretches) == sum(measured.between(k, k + 1) for k in inside)


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.sets(st.integers(5, 70)))
def test_added_lines(text, lines):
    """Of each line alone what it has; all lines together are the text."""
    measured = Measured(text, sorted(lines), first_line=5)
    rows = text.split("\n")
    each = [Measured(text, [number], 5).characters for number in range(5, 5 + len(rows))]
    assert sum(each) == Measured(text).characters
    assert measured.characters == sum(each[number - 5] for number in lines if number - 5 < len(rows))
    for row, size in zip(rows, each):
        assert size >= len([one for one in row if not one.isspace()])
