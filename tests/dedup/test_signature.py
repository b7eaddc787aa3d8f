"""Settings are checked where they are made, and say what to do."""

from fractions import Fraction
from math import comb
from unittest import mock

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom import settings
from starloom.dedup import MinHashSettings, signature, tuned
from starloom.dedup.bands import candidate_probability
from starloom.dedup.signature import least_agreement, measure
from starloom.errors import UserError
from starloom.kernels.text import text_buffers


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"tokenisation": "characters"}, "tokenisation 'characters' is not known"),
        ({"shingle": 13}, "shingle = 13 is not available"),
        ({"permutations": 0}, "permutations = 0 is out of range"),
        ({"bands": 0}, "both must be at least 1"),
        ({"rows": -1}, "both must be at least 1"),
        ({"bands": 50, "rows": 6}, "50 bands of 6 rows need 300 permutations, there are 256"),
        ({"permutations": 128}, "50 bands of 5 rows need 250 permutations, there are 128"),
        ({"seed": -1}, "seed = -1 is out of range"),
    ],
)
def test_refused(values, problem):
    with pytest.raises(UserError) as raised:
        MinHashSettings(**values)
    assert problem in raised.value.problem
    assert raised.value.hint


@pytest.mark.parametrize(
    "values",
    [{}, {"bands": 25, "rows": 5, "permutations": 128}, {"tokenisation": "bigcode-v2", "bands": 25, "rows": 10}],
    ids=["defaults", "25x5", "the Stack v2"],
)
def test_accepted_from_a_recipe(values):
    assert settings.load(values, MinHashSettings, "recipe.toml") == MinHashSettings(**values)


def test_measure():
    offsets, data = text_buffers(pa.array(["a b c d e f", "A, B, C, D, E, F", "a b", "f e d c b a"]))
    found = measure(offsets, data, MinHashSettings(permutations=128, bands=25))
    assert found.tokens.tolist() == [6, 6, 2, 6]
    assert found.bands.shape == (4, 25)
    assert (found.bands[0] == found.bands[1]).all()
    assert (found.bands[0] != found.bands[3]).all()
    assert (found.stream[0] == found.stream[1]).all()
    assert (found.stream[0] != found.stream[3]).all()


@pytest.mark.parametrize("tokenisation", ["words", "bigcode-v2", "text-dedup"])
def test_portions_do_not_matter(tokenisation):
    texts = [f"a{i}  b c d ΟΔΟΣ f g {i % 3}" * (i % 7) for i in range(50)]
    offsets, data = text_buffers(pa.array(texts))
    settings = MinHashSettings(tokenisation, permutations=16, bands=4, rows=4)
    whole = measure(offsets, data, settings)
    done = []
    with mock.patch.object(signature, "_FILES", 7), mock.patch.object(signature, "_BYTES", 300):
        parts = measure(offsets, data, settings, done.append)
    assert all(np.array_equal(one, two) for one, two in zip(whole, parts, strict=True))
    assert sum(done) == len(data)
    assert len(done) > 7


def test_tokenisations_differ():
    offsets, data = text_buffers(pa.array(["a  b c d e f ΟΔΟΣ", "a b c d e f ΟΔΟΣ", "a b c d e f οδος"]))
    same = {}
    for name in ("words", "bigcode-v2", "text-dedup"):
        bands = measure(offsets, data, MinHashSettings(name)).bands
        same[name] = [bool((bands[0] == bands[1]).all()), bool((bands[1] == bands[2]).all())]
    assert same == {"words": [True, False], "bigcode-v2": [False, True], "text-dedup": [True, True]}


@pytest.mark.parametrize(
    ("threshold", "permutations", "bands", "rows"),
    [
        (0.7, 256, 51, 5),
        (0.7, 128, 32, 4),
        (0.5, 256, 85, 3),
        (0.85, 256, 28, 9),
        (1.0, 256, 1, 256),  # equal sets have equal signatures
        (0.01, 256, 256, 1),  # nothing reaches the recall: as near to it as can be
        (0.7, 1, 1, 1),
    ],
)
def test_tuned(threshold, permutations, bands, rows):
    found = tuned(threshold, permutations, "bigcode-v2", 7)
    assert found == MinHashSettings("bigcode-v2", permutations=permutations, bands=bands, rows=rows, seed=7)


@given(st.floats(0.01, 1.0), st.integers(1, 600), st.floats(0.5, 0.99999))
def test_tuned_takes_the_most_rows_that_reach_the_recall(threshold, permutations, recall):
    found = tuned(threshold, permutations, recall=recall)
    enough = [
        rows
        for rows in range(1, permutations + 1)
        if candidate_probability(threshold, permutations // rows, rows) >= recall
    ]
    assert found.rows == max(enough, default=1)
    assert found.bands == permutations // found.rows


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"threshold": 0.0}, "threshold = 0.0 is out of range"),
        ({"threshold": float("nan")}, "threshold = nan is out of range"),
        ({"threshold": 0.7, "recall": 1.0}, "recall = 1.0 is out of range"),
        ({"threshold": 0.7, "permutations": 0}, "permutations = 0 is out of range"),
        ({"threshold": 0.7, "tokenisation": "bigcode"}, "one of: words, bigcode-v2, text-dedup"),
    ],
    ids=["threshold 0", "threshold nan", "recall 1", "no permutations", "tokenisation"],
)
def test_tuned_refuses(values, problem):
    with pytest.raises(UserError) as raised:
        tuned(**values)
    assert problem in f"{raised.value.problem} {raised.value.hint}"


@pytest.mark.parametrize(
    ("threshold", "permutations", "least"),
    [(0.7, 256, 143), (0.7, 1, 0), (0.7, 16, 2), (1.0, 256, 256), (0.01, 256, 0), (0.7, 4096, 2726)],
)
def test_the_least_agreement_loses_less_than_one_in_a_million(threshold, permutations, least):
    found = least_agreement(threshold, permutations)
    assert found == least

    def below(places):  # exactly, in whole numbers
        hits, misses = Fraction(str(threshold)), 1 - Fraction(str(threshold))
        return sum(comb(permutations, k) * hits**k * misses ** (permutations - k) for k in range(places))

    assert below(found) <= Fraction(1, 10**6)
    assert threshold == 1.0 or below(found + 1) > Fraction(1, 10**6)
