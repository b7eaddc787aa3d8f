"""Greedy against transformers' generate; sampling by its promises; forced bytes by brute force."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import TopPLogitsWarper

from starcoder2 import building
from starloom.errors import UserError
from starloom.starcoder2.decode import Sampler, generate
from starloom.starcoder2.open import Own

PROMPT = [5, 9, 2, 7]


@pytest.fixture(scope="module")
def models():
    """(transformers', ours) by window, with weights such that the likeliest token changes from step to step."""
    found = {}
    for window in (8, None):
        theirs, ours = building.pair(building.config(hidden_size=96, sliding_window=window, tie_word_embeddings=False))
        for model in (theirs, ours):
            building.randomize(model, seed=3, scale=0.5, biases=0.1)
        assert torch.equal(theirs(building.ids(1, 9)).logits, ours.logits(ours(building.ids(1, 9))))
        found[window] = theirs, Own(ours)
    return found


@pytest.fixture(scope="module")
def model(models):
    return models[8][1]


def drained(generator):
    """(tokens, what the generator returned)."""
    tokens = []
    while True:
        try:
            tokens.append(next(generator))
        except StopIteration as end:
            return tokens, end.value


@pytest.mark.parametrize("window", [8, None])
@pytest.mark.parametrize("prompt", [[1], PROMPT, list(range(1, 41))])
def test_greedy_equals_transformers(models, window, prompt):
    theirs, ours = models[window]
    expected = theirs.generate(
        torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt)),
        max_new_tokens=60,
        do_sample=False,
        eos_token_id=None,
        pad_token_id=0,
    )
    tokens, reason = drained(generate(ours, prompt, max_tokens=60))
    assert tokens == expected[0, len(prompt) :].tolist()
    assert reason == "length"
    assert len(set(tokens)) > 10  # a model that repeats itself would prove little


def test_stops_are_not_given(model):
    tokens = list(generate(model, PROMPT, max_tokens=30))
    stop = tokens[7]
    found, reason = drained(generate(model, PROMPT, max_tokens=30, stops=frozenset({stop})))
    assert found == tokens[: tokens.index(stop)]
    assert reason == "stop"


def test_the_context_ends_it(model):
    tokens, reason = drained(generate(model, PROMPT, max_tokens=10_000))
    assert len(PROMPT) + len(tokens) == model.context
    assert reason == "length"
    assert drained(generate(model, [1] * model.context, max_tokens=5)) == ([], "length")
    assert drained(generate(model, PROMPT, max_tokens=0)) == ([], "length")


def test_same_seed_same_tokens(model):
    options = {"max_tokens": 40, "temperature": 1.5, "top_p": 0.9}
    runs = [list(generate(model, PROMPT, seed=seed, **options)) for seed in (1, 1, 2, -1, 2**64 + 5)]
    assert runs[0] == runs[1]
    assert len({tuple(run) for run in runs[1:]}) == 4


def test_sampling_leaves_the_global_random_numbers_alone(model):
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    list(generate(model, PROMPT, max_tokens=5, temperature=1.0))
    assert torch.equal(torch.rand(3), expected)


def test_a_closed_generator_stops_the_model(model):
    class Counting:
        vocabulary, context, model_type = model.vocabulary, model.context, model.model_type
        logits = model.logits
        steps = 0

        def step(self, ids, cache):
            self.steps += 1
            return model.step(ids, cache)

    counting = Counting()
    tokens = generate(counting, PROMPT, max_tokens=100)
    assert counting.steps == 0  # nothing before it is asked for
    next(tokens), next(tokens)
    tokens.close()
    assert counting.steps == 2


# The sampler


@given(
    logits=st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=40),
    temperature=st.sampled_from([0.2, 0.7, 1.0, 3.0]),
    top_p=st.sampled_from([0.05, 0.5, 0.9, 0.999]),
)
def test_the_nucleus_is_that_of_transformers(logits, temperature, top_p):
    values = torch.tensor(logits)
    sampler = Sampler(temperature, top_p, 0)
    picked = {sampler.pick(values) for _ in range(20)}
    warped = TopPLogitsWarper(min(1.0, top_p + 1e-6))((None), (values / temperature)[None])[0]
    least = values[torch.isfinite(warped)].min()  # of equal logits at the edge, either may be in
    assert all(values[one] >= least - 1e-6 for one in picked)  # what float32 cannot tell apart is equal


@pytest.mark.parametrize("vocabulary", [50, 5000])  # within the likeliest looked at first, and beyond
@pytest.mark.parametrize("top_p", [1.0, 0.95])
def test_tokens_come_as_often_as_they_should(vocabulary, top_p):
    logits = torch.randn(vocabulary, generator=torch.Generator().manual_seed(0))
    shares = (logits.double() / 0.8).softmax(0)
    order = shares.argsort(descending=True)
    inside = order[: int((shares[order].cumsum(0) < top_p).sum()) + 1]
    expected = torch.zeros(vocabulary, dtype=torch.float64)
    expected[inside] = shares[inside] / shares[inside].sum()
    sampler, draws = Sampler(0.8, top_p, 11), 4000
    counts = torch.bincount(torch.tensor([sampler.pick(logits) for _ in range(draws)]), minlength=vocabulary)
    assert not counts[expected == 0].any()
    often = expected * draws >= 20
    spread = ((counts - expected * draws) ** 2 / (expected * draws))[often]
    assert spread.mean() < 1.6  # chi-squared over its degrees of freedom


@pytest.mark.parametrize("temperature", [1e-3, 1e-30, 5e-324])
def test_a_tiny_temperature_is_greedy(temperature):
    logits = torch.tensor([1.0, 3.0, 2.0, -1e30])
    assert {Sampler(temperature, 1.0, seed).pick(logits) for seed in range(20)} == {1}


def test_a_tiny_top_p_is_greedy():
    assert {Sampler(1.0, 1e-9, seed).pick(torch.tensor([1.0, 1.1, 0.9])) for seed in range(20)} == {1}


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_damaged_weights_are_told(bad, temperature):
    with pytest.raises(UserError, match="damaged"):
        Sampler(temperature, 1.0, 0).pick(torch.tensor([0.0, bad, 1.0]))


# Forced bytes

# 97 tokens: single letters, pairs, long ones; 0 is special, 96 a row without a token.
WORDS = [b"<stop>", *(bytes([97 + n]) for n in range(26)), *(bytes([97 + n, 98 + n]) for n in range(25))]
WORDS += [b"abcdef", b" ", b"  ", b"    ", b" return", b"\n", b"return", "é".encode(), "é".encode()[:1]]
WORDS += [b"q%d" % n for n in range(96 - len(WORDS))] + [b""]


@given(forced=st.lists(st.sampled_from(WORDS[1:60]), min_size=1, max_size=4), temperature=st.sampled_from([0.0, 2.0]))
def test_the_answer_begins_with_the_forced_bytes(model, forced, temperature):
    forced = b"".join(forced)
    tokens = list(
        generate(
            model,
            PROMPT,
            max_tokens=len(forced) + 4,
            temperature=temperature,
            stops=frozenset({0}),
            forced=forced,
            token_bytes=WORDS.__getitem__,
        )
    )
    answer = b"".join(WORDS[token] for token in tokens)
    assert answer.startswith(forced)


def test_forced_bytes_take_the_likeliest_compatible_token(model):
    logits, _ = model.step(torch.tensor([PROMPT]), None)
    allowed = [n for n, word in enumerate(WORDS) if word in (b" ", b"  ", b"    ") or word.startswith(b"   ")]
    expected = max(allowed, key=lambda n: logits[n])
    token = next(generate(model, PROMPT, max_tokens=1, forced=b"   ", token_bytes=WORDS.__getitem__))
    assert token == expected


def test_forced_bytes_are_never_a_stop(model):
    """`<` as text is not the beginning of a marker that is spelled so."""
    with pytest.raises(UserError, match="no token"):
        next(generate(model, PROMPT, max_tokens=1, stops=frozenset({0}), forced=b"<", token_bytes=WORDS.__getitem__))


@pytest.mark.parametrize(
    ("prompt", "options", "told"),
    [
        ([], {}, "no tokens"),
        ([1] * 129, {}, "129 tokens"),
        ([1, 97], {}, "97"),
        ([-1], {}, "-1"),
        ([1], {"temperature": -0.1}, "temperature is -0.1"),
        ([1], {"temperature": float("nan")}, "temperature is nan"),
        ([1], {"top_p": 0.0}, "top_p is 0.0"),
        ([1], {"top_p": 1.1}, "top_p is 1.1"),
    ],
)
def test_bad_input_is_told_at_once(model, prompt, options, told):
    with pytest.raises(UserError, match=told):
        generate(model, prompt, max_tokens=5, **options)
