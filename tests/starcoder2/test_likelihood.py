import math

import numpy as np
import pytest
import torch

from starcoder2 import building
from starloom.errors import UserError
from starloom.starcoder2 import likelihood
from starloom.starcoder2.likelihood import bits, is_greedy
from starloom.starcoder2.open import Foreign, Own


@pytest.fixture(scope="module")
def models():
    theirs, ours = building.pair(building.config(sliding_window=None))
    return Own(ours), Foreign(theirs)


def by_hand(model, ids, window):
    """One window after the other, one token after the other, from whole distributions."""
    found = []
    for at in range(0, len(ids) - 1, window):
        given = ids[at : at + window + 1]
        shares = model.logits(torch.tensor([given[:-1]]))[0].double().softmax(dim=1)
        found += [-math.log2(shares[place, token]) for place, token in enumerate(given[1:])]
    return np.array(found)


@pytest.mark.parametrize("length", [2, 3, 16, 17, 18, 33, 100])
@pytest.mark.parametrize("most", [1, 1 << 12, 1 << 25])  # one window at a time, two, all
def test_every_token_once(models, length, most, monkeypatch):
    monkeypatch.setattr(likelihood, "_MOST_LOGITS", most)
    ids = building.ids(length).tolist()
    for model in models:
        found = bits(model, ids, 16)
        assert found.dtype == np.float64
        assert found.shape == (length - 1,)
        np.testing.assert_allclose(found, by_hand(model, ids, 16), rtol=0, atol=2e-5)


def test_rows_in_parts(models, monkeypatch):
    ids = building.ids(100).tolist()
    whole = bits(models[0], ids, 99)
    monkeypatch.setattr(likelihood, "_ROWS", 7)
    np.testing.assert_allclose(bits(models[0], ids, 99), whole, rtol=0, atol=1e-5)


@pytest.mark.parametrize("ids", [[], [5]])
def test_nothing_to_predict(models, ids):
    assert bits(models[0], ids, 16).shape == (0,)


def test_a_model_that_knows_nothing():
    """Equal logits: log2 V bits for each token."""
    ours = building.pair(building.config())[1]
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.zero_()
    np.testing.assert_allclose(bits(Own(ours), [1, 2, 3, 96], 2), math.log2(building.VOCABULARY), rtol=1e-6)


@pytest.mark.parametrize(
    ("ids", "window", "told"), [([1, 97], 8, "97"), ([-1, 2], 8, "-1"), ([1, 2], 0, "0"), ([1, 2], 129, "129")]
)
def test_bad_input(models, ids, window, told):
    with pytest.raises(UserError, match=told):
        bits(models[0], ids, window)


def greedy(model, prompt, count):
    """One token after the other, the likeliest each time."""
    ids = list(prompt)
    for _ in range(count):
        ids.append(int(model.logits(torch.tensor([ids]))[0, -1].argmax()))
    return ids[len(prompt) :]


@pytest.mark.parametrize("prompt", [[3], [5, 8, 13, 21], list(range(40))])
def test_greedy_as_decoding_has_it(models, prompt):
    for model in models:
        *answer, stop = greedy(model, prompt, 7)
        other = (stop + 1) % building.VOCABULARY
        assert is_greedy(model, prompt, answer, {stop})
        assert is_greedy(model, prompt, answer, {other, stop})
        assert not is_greedy(model, prompt, answer, {other})  # it would go on
        assert not is_greedy(model, prompt, [*answer[:-1], (answer[-1] + 1) % building.VOCABULARY], {stop})
        assert not is_greedy(model, prompt, [(answer[0] + 1) % building.VOCABULARY, *answer[1:]], {stop})
        assert is_greedy(model, prompt, [], {answer[0]})
        assert not is_greedy(model, prompt, [], {(answer[0] + 1) % building.VOCABULARY})


def test_an_answer_to_nothing(models):
    with pytest.raises(ValueError, match="an answer to nothing"):
        is_greedy(models[0], [], [1], {0})
