"""Settings are checked where they are made, and say what to do."""

import pyarrow as pa
import pytest

from starloom import settings
from starloom.dedup import MinHashSettings
from starloom.dedup.signature import measure
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


@pytest.mark.parametrize("values", [{}, {"bands": 25, "rows": 5, "permutations": 128}, {"bands": 32, "rows": 8}])
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
