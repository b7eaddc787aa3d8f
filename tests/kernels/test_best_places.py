"""The best line of each text, against the same in plain Python."""

from collections import Counter
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels.best_places import Weight, best_places
from starloom.kernels.seek import Seeker
from starloom.kernels.where import Stretch, Where

texts = st.lists(st.lists(st.sampled_from(b"abc \n\n" + b"." * 2), max_size=150).map(bytes), min_size=1, max_size=3)
PIECES = [b"a", b"b", b"ab c"]


def plain(data, terms, weights, letters):
    """As a hit was chosen before there was a kernel: `terms`, the places of each; `weights`: (line, weight, place)."""
    firsts, counts = {}, Counter()
    for places in terms:
        lines = set()
        for place in places:
            line = data.rfind(b"\n", 0, place[0]) + 1
            lines.add(line)
            firsts[line] = min(firsts.get(line, place), place)
        counts.update(lines)
    for line, weight, place in weights:
        firsts.setdefault(line, place)
        counts[line] += weight
    if counts:
        return firsts[min(counts, key=lambda line: (-counts[line], line))]
    blank = len(data) - len(data.lstrip()) if letters else 0
    return (blank, blank) if blank < len(data) else (0, 0)


@settings(deadline=None, max_examples=200)
@given(texts, st.integers(0, 3), st.booleans(), st.data())
def test_the_best_is_that_of_plain_python(some, many, letters, drawn):
    offsets = np.array(list(accumulate(map(len, some), initial=0)))
    array = np.frombuffer(b"".join(some), np.uint8)
    stretches, weights, expected = [], [], []
    seekers = [Seeker(one, False) for one in PIECES[:many]]
    for number, data in enumerate(some):
        lines = list(accumulate((len(line) + 1 for line in data.split(b"\n")), initial=0))[:-1]
        heavy = drawn.draw(st.lists(st.sampled_from(lines), max_size=2))
        start = int(offsets[number])
        here = [(line, line + data[line:].find(b"\n") if b"\n" in data[line:] else len(data), 1) for line in heavy]
        whole = drawn.draw(st.booleans())
        here += [(0, len(data), 5)] if whole else []
        stretches += [(number, start + first, start + last, most) for first, last, most in here]
        weighing = [(line, drawn.draw(st.integers(1, 4)), (line, line + 1)) for line in heavy]
        weights += [Weight(number, line, weight, *place) for line, weight, place in weighing]
        terms = [
            [(first + a, first + b) for first, last, most in here for a, b in seeker.places(data[first:last], most)]
            for seeker in seekers
        ]
        expected.append((*plain(data, terms, weighing, letters), all(terms)))
    standing = Where(seekers).standing([Stretch(*one[1:]) for one in stretches], array)
    found = best_places(offsets, array, [one[:2] for one in stretches], standing, weights, letters=letters)
    assert list(zip(*(one.tolist() for one in found), strict=True)) == expected


def test_a_line_of_many_places_and_long_ones():
    data = b"." * 300 + b"a" * 70 + b"\n" + b"." * 200 + b"a b\n"
    offsets, array = np.array([0, len(data)]), np.frombuffer(data, np.uint8)
    standing = Where([Seeker(b"a", False), Seeker(b"b", False)]).standing([Stretch(0, len(data), 100)], array)
    start, end, whole = best_places(offsets, array, [(0, 0)], standing, [], letters=True)
    assert (start.tolist(), end.tolist(), whole.tolist()) == ([571], [572], [True])


@pytest.mark.parametrize("stretches", [[(1, 0)], [(-1, 0)], [(0, -1)], [(0, 1)], [(0, 0), (0, 0)]])
def test_stretches_that_are_in_no_text(stretches):
    array = np.frombuffer(b"..a", np.uint8)
    standing = Where([Seeker(b"a", False)]).standing([Stretch(0, 3, 1)], array)
    with pytest.raises(ValueError, match="stretch"):
        best_places(np.array([0, 3]), array, stretches, standing, [], letters=True)
