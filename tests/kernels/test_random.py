"""Keyed numbers are the same everywhere, and look random."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.kernels import random


@pytest.mark.parametrize(
    ("seed", "purpose", "text", "expected"),
    [  # fixed values: another machine, Python or NumPy must give these
        (0, "order", "", 2410017002547856224),
        (0, "order", "a", 7942996852853319519),
        (
            -1,
            "a purpose of more than sixty-four bytes, as long as anyone might wish it to be",
            "é😀",
            2281128835118264569,
        ),
    ],
)
def test_fixed_values(seed, purpose, text, expected):
    assert random.keyed_uint64(seed, purpose, text) == expected


def test_each_part_counts():
    one = random.keyed_uint64(1, "23", "4")
    assert one not in {
        random.keyed_uint64(2, "23", "4"),
        random.keyed_uint64(1, "2", "34"),
        random.keyed_uint64(12, "3", "4"),
        random.keyed_uint64(1, "23", "5"),
    }


@given(st.integers(), st.text(), st.lists(st.text()))
def test_the_vector_forms(seed, purpose, texts):
    assert random.keyed_uint64s(seed, purpose, texts).tolist() == [
        random.keyed_uint64(seed, purpose, text) for text in texts
    ]
    assert random.keyed_units(seed, purpose, texts).tolist() == [
        random.keyed_unit(seed, purpose, text) for text in texts
    ]


def test_units_fill_the_interval_evenly():
    units = random.keyed_units(7, "sample", map(str, range(10_000)))
    assert units.min() >= 0
    assert units.max() < 1
    counts, _ = np.histogram(units, np.linspace(0, 1, 11))
    assert counts.min() > 850  # 1,000 in each tenth, five standard deviations of 30
    assert counts.max() < 1150


def test_a_path_that_is_not_utf8():
    assert random.keyed_uint64(0, "path", "\udcff") != random.keyed_uint64(0, "path", "?")
