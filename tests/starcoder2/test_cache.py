"""Decoding with a cache equals the full forward pass, however the tokens are cut into steps."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from starcoder2 import building
from starloom.starcoder2.cache import Cache


@pytest.fixture(scope="module")
def models():
    """By window: shorter than the text, longer than it, none."""
    return {window: building.pair(building.config(sliding_window=window))[1] for window in (1, 2, 8, 100, 500, None)}


@given(
    window=st.sampled_from([1, 2, 8, 100, 500, None]),
    steps=st.lists(st.sampled_from([1, 1, 1, 2, 3, 7, 8, 9, 20, 30]), min_size=1, max_size=30),
)
def test_any_steps_equal_one_pass(models, window, steps):
    while sum(steps) > 120:
        steps.pop()
    model = models[window]
    ids = building.ids(1, sum(steps), seed=len(steps))
    with torch.no_grad():
        cache = Cache(model.config)
        parts = [model(part, cache=cache) for part in ids.split(steps, dim=1)]
        whole = model(ids)
    assert cache.length == sum(steps)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, rtol=0, atol=2e-5)


def test_far_beyond_the_window(models):
    """2,000 tokens through a window of 8, in a context of 128: the cache keeps 8."""
    model = models[8]
    ids = building.ids(2, 2000)
    with torch.no_grad():
        cache = Cache(model.config)
        last = [model(ids[:, at : at + 1], cache=cache) for at in range(2000)]
        torch.testing.assert_close(torch.cat(last, dim=1), model(ids), rtol=0, atol=2e-5)
    assert all(ring.shape[2] == 8 for rings in cache._rings.values() for ring in rings)


def test_a_context_without_a_window_ends(models):
    cache = Cache(models[None].config)
    models[None](building.ids(1, 128), cache=cache)
    with pytest.raises(ValueError, match="129 positions in a context of 128"):
        models[None](building.ids(1, 1), cache=cache)


def test_a_cache_holds_one_document(models):
    with pytest.raises(ValueError, match="documents and a cache"):
        models[8](building.ids(1, 5), torch.zeros(1, 5, dtype=torch.int32), Cache(models[8].config))
