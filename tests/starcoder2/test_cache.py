"""Decoding with a cache equals the full forward pass, however the tokens are cut into steps, taken back, or put side by
side with others."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from starcoder2 import building
from starloom.starcoder2 import cache as caches
from starloom.starcoder2.cache import Cache

WINDOWS = [1, 2, 8, 100, 500, None]


@pytest.fixture(scope="module")
def models():
    """By window: shorter than the text, longer than it, none."""
    return {window: building.pair(building.config(sliding_window=window))[1] for window in WINDOWS}


@pytest.fixture(autouse=True)
def few_to_spare(monkeypatch):
    """Windows move often, and buffers grow often."""
    monkeypatch.setattr(caches, "SPARE", 24)
    monkeypatch.setattr(caches, "_LEAST", 4)


def close(found, expected):
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-5)


@settings(max_examples=40)
@given(
    window=st.sampled_from(WINDOWS),
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
    close(torch.cat(parts, dim=1), whole)


@settings(max_examples=30)
@given(window=st.sampled_from(WINDOWS), steps=st.lists(st.integers(-12, 20).filter(bool), min_size=1, max_size=20))
def test_what_is_taken_back_was_never_read(models, window, steps):
    """Positive: tokens are read. Negative: so many are taken back, where the cache can, and others read instead."""
    model, text = models[window], building.ids(1, 0)
    cache = Cache(model.config)
    refused = 0
    with torch.no_grad():
        for number, step in enumerate(steps):
            if step < 0:
                length = max(text.shape[1] + step, 0)
                if cache.cut(length):
                    text = text[:, :length]
                refused += cache.length > length
                assert cache.length == text.shape[1]
            elif text.shape[1] + step <= 120:
                more = building.ids(1, step, seed=number)
                text = torch.cat((text, more), dim=1)
                close(model(more, cache=cache)[:, -1], model(text)[:, -1])
    assert not refused or model.config.sliding_window in (1, 2, 8)


def test_up_to_the_spare_places_are_taken_back_for_certain(models):
    model = models[8]
    cache = Cache(model.config)
    with torch.no_grad():
        for at in range(100):
            model(building.ids(1, 1, seed=at), cache=cache)
            before = cache.length
            model(building.ids(1, 16), cache=cache)  # what prompt lookup does in one step
            assert cache.cut(before)
    assert cache.length == 100
    assert not cache.cut(10)
    assert not cache.cut(101)
    assert cache.length == 100


def test_far_beyond_the_window(models):
    """600 tokens through a window of 8, in a context of 128: the cache keeps the window and the spare places."""
    model = models[8]
    ids = building.ids(2, 600)
    with torch.no_grad():
        cache = Cache(model.config)
        last = [model(ids[:, at : at + 1], cache=cache) for at in range(600)]
        close(torch.cat(last, dim=1), model(ids))
    assert all(buffer.shape[2] == 8 + 24 for buffers in cache._layers.values() for buffer in buffers)


def test_memory_is_taken_as_the_text_grows(models):
    model = models[None]
    cache, sizes = Cache(model.config), []
    with torch.no_grad():
        for _ in range(128):
            model(building.ids(1, 1), cache=cache)
            sizes.append(cache._layers[0][0].shape[2])
    assert sorted(set(sizes)) == [4, 8, 16, 32, 64, 128]


@settings(max_examples=25)
@given(
    window=st.sampled_from(WINDOWS),
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=5),
    drops=st.sets(st.integers(1, 39), max_size=4),
)
def test_rows_of_different_lengths(models, window, lengths, drops):
    """Each row goes on as it would alone, while others end."""
    model = models[window]
    rows = [(building.ids(1, length, seed=number), []) for number, length in enumerate(lengths)]
    singles = [Cache(model.config) for _ in rows]
    with torch.no_grad():
        for (text, _), single in zip(rows, singles, strict=True):
            model(text, cache=single)
        cache = Cache.join(singles)
        for step in range(40):
            if step in drops and len(rows) > 1:
                gone = step % len(rows)
                cache.keep([row for row in range(len(rows)) if row != gone])
                as_alone(model, *rows.pop(gone))
            new = building.ids(len(rows), 1, seed=step)
            found = model(new, cache=cache)
            rows = [
                (torch.cat((text, one[None]), dim=1), [*had, hidden])
                for (text, had), one, hidden in zip(rows, new, found, strict=True)
            ]
        for text, had in rows:
            as_alone(model, text, had)


def as_alone(model, text, found):
    """`found`: the hidden states of the last tokens of `text`, one by one."""
    close(torch.cat(found), model(text)[0, text.shape[1] - len(found) :])


def test_a_copy_goes_its_own_way(models):
    model = models[8]
    start, left, right = (building.ids(1, 20, seed=seed) for seed in range(3))
    with torch.no_grad():
        model(start, cache=(cache := Cache(model.config)))
        other = cache.copy()
        close(model(left, cache=cache), model(torch.cat((start, left), dim=1))[:, 20:])
        close(model(right, cache=other), model(torch.cat((start, right), dim=1))[:, 20:])


def test_rows_take_one_token_at_a_time(models):
    model = models[None]
    with torch.no_grad():
        model(building.ids(1, 3), cache=(cache := Cache(model.config)))
        both = Cache.join([cache, cache])
        assert not both.cut(2)
        with pytest.raises(ValueError, match="2 tokens at once"):
            model(building.ids(2, 2), cache=both)


def test_a_context_without_a_window_ends(models):
    cache = Cache(models[None].config)
    models[None](building.ids(1, 128), cache=cache)
    with pytest.raises(ValueError, match="129 positions in a context of 128"):
        models[None](building.ids(1, 1), cache=cache)


def test_a_cache_holds_one_document(models):
    with pytest.raises(ValueError, match="documents and a cache"):
        models[8](building.ids(1, 5), torch.zeros(1, 5, dtype=torch.int32), Cache(models[8].config))
