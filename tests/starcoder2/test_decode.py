"""Greedy against transformers' generate; sampling by its promises; forced bytes by brute force."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import TopPLogitsWarper

from starcoder2 import building
from starloom.errors import UserError
from starloom.starcoder2.decode import Chooser, Sampler, generate, generate_rows
from starloom.starcoder2.open import Own
from starloom.starcoder2.prefixes import Prefixes

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
    counting = Counting(model)
    tokens = generate(counting, PROMPT, max_tokens=100)
    assert counting.steps == 0  # nothing before it is asked for
    next(tokens), next(tokens)
    tokens.close()
    assert counting.steps == 2


# Guesses


class Counting:
    """A model that counts its steps and the tokens that it was given."""

    guesses = True

    def __init__(self, model):
        self.model = model
        self.vocabulary, self.context, self.model_type = model.vocabulary, model.context, model.model_type
        self.cut = model.cut
        self.steps, self.read = 0, 0

    def step(self, ids, cache, last):
        self.steps += 1
        self.read += ids.shape[1]
        return self.model.step(ids, cache, last)


@settings(max_examples=25)
@given(
    window=st.sampled_from([8, None]),
    prompt=st.lists(st.integers(0, 5), min_size=1, max_size=50),
    temperature=st.sampled_from([0.0, 0.7, 3.0]),
    max_tokens=st.integers(1, 70),
    seed=st.integers(0, 3),
)
def test_guesses_change_no_token(models, window, prompt, temperature, max_tokens, seed):
    """Greedy or sampled, in a text that repeats itself: the same tokens and the same end, whatever was guessed."""
    counting = Counting(models[window][1])
    options = {"max_tokens": max_tokens, "temperature": temperature, "top_p": 0.9, "seed": seed}
    plain = drained(generate(counting, prompt, guess=False, **options))
    assert counting.steps == len(plain[0])
    assert drained(generate(counting, prompt, **options)) == plain
    (stop,) = plain[0][-1:]
    expected = drained(generate(counting, prompt, guess=False, stops=frozenset({stop}), **options))
    assert drained(generate(counting, prompt, stops=frozenset({stop}), **options)) == expected


class Cycle:
    """A model that counts up to 11 again and again; its cache is the ids."""

    vocabulary, context, model_type, guesses = 12, 500, "cycle", True

    def step(self, ids, cache, last):
        cache = [*(cache or []), *ids[0].tolist()]
        return torch.eye(12)[[(token + 1) % 12 for token in cache[-last:]]], cache

    def cut(self, cache, length):
        del cache[length:]
        return True


def test_guesses_save_steps():
    counting = Counting(Cycle())
    tokens = list(generate(counting, [*range(12), 0, 1, 2], max_tokens=100))
    assert tokens == [(3 + at) % 12 for at in range(100)]
    assert counting.steps <= 15
    counting = Counting(Cycle())
    assert list(generate(counting, [5, 6, 3], max_tokens=3, stops=frozenset({6}))) == [4, 5]  # 6, 3 was a wrong guess


def test_a_guess_never_passes_the_context():
    counting = Counting(Cycle())
    tokens, reason = drained(generate(counting, [*range(12)] * 41, max_tokens=1000))
    assert (len(tokens), reason) == (8, "length")
    assert counting.read <= 500


# What was read before


def test_a_shared_beginning_is_read_once(models):
    """An editor's next request: the text so far, some of it new. The same answer as from the beginning."""
    for window in (8, None):
        counting = Counting(models[window][1])
        prefixes = Prefixes(counting)
        text = building.ids(70, seed=1).tolist()
        for length, new in ((60, 60), (60, 1), (70, 10), (45, 1)):
            expected = drained(generate(counting, text[:length], max_tokens=20))
            counting.read = 0
            found = drained(generate(counting, text[:length], max_tokens=20, guess=False, prefixes=prefixes))
            assert found == expected
            assert counting.read == new + 19


def test_an_answer_that_was_broken_off_leaves_what_was_read(models):
    counting = Counting(models[None][1])
    prefixes = Prefixes(counting)
    text = [*building.ids(40, seed=2).tolist(), *[5, 6, 7] * 5]
    tokens = generate(counting, text, max_tokens=50, prefixes=prefixes)
    expected = [next(tokens) for _ in range(5)]
    tokens.close()
    counting.read = 0
    assert list(generate(counting, text, max_tokens=5, prefixes=prefixes)) == expected
    assert counting.read < 30


def test_only_the_last_texts_are_kept_and_little_in_common_is_nothing(models):
    counting = Counting(models[None][1])
    prefixes = Prefixes(counting)
    texts = [[*[1] * 20, *building.ids(40, seed=seed).tolist()] for seed in range(5)]
    for text in texts:
        list(generate(counting, text, max_tokens=1, prefixes=prefixes))
    assert counting.read == 5 * 60
    counting.read = 0
    list(generate(counting, texts[1], max_tokens=1, prefixes=prefixes))
    assert counting.read == 1
    list(generate(counting, texts[0], max_tokens=1, prefixes=prefixes))
    assert counting.read == 61


def test_what_failed_is_not_kept(models):
    class Failing(Counting):
        def step(self, ids, cache, last):
            super().step(ids, cache, last)
            raise RuntimeError("out of memory")

    prefixes = Prefixes(failing := Failing(models[None][1]))
    text = building.ids(60).tolist()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="out of memory"):
            list(generate(failing, text, max_tokens=1, prefixes=prefixes))
    assert failing.read == 120


# Several at once


def rows(model, prompts, most, stops=frozenset(), **options):
    """Tokens of each prompt, None where a stop came."""
    choosers = [Chooser(Sampler(1.0, 0.9, seed), model.vocabulary, stops) for seed in range(len(prompts))]
    found = [[] for _ in prompts]
    for row, token in generate_rows(model, prompts, choosers, most, **options):
        found[row].append(token)
    return found


@pytest.mark.parametrize("window", [8, None])
def test_each_row_is_as_alone(models, window):
    model = models[window][1]
    prompts = [building.ids(length, seed=length).tolist() for length in (1, 40, 7, 40, 128, 121)]
    most = [30, 5, 40, 1, 10, 20]
    found = rows(model, prompts, most)
    for seed, (prompt, tokens, limit) in enumerate(zip(prompts, found, most, strict=True)):
        assert tokens == list(generate(model, prompt, max_tokens=limit, temperature=1.0, top_p=0.9, seed=seed))
    assert [len(one) for one in found] == [30, 5, 40, 1, 0, 7]
    stop = found[2][11]
    stopped = rows(model, prompts, most, stops=frozenset({stop}))
    assert stopped == [[*one[: one.index(stop)], None] if stop in one else one for one in found]


def test_rows_that_are_ended_are_computed_no_more(model):
    ended, seen = set(), []
    choosers = [Chooser(Sampler(0.0, 1.0, 0), model.vocabulary) for _ in range(3)]
    for row, _ in generate_rows(model, [PROMPT] * 3, choosers, [6] * 3, ended=ended):
        seen.append(row)
        if len(seen) == 5:
            ended |= {0, 1}
    assert seen == [0, 1, 2, 0, 1, 2, 2, 2, 2, 2]


def test_rows_are_checked_first(model):
    with pytest.raises(UserError, match="97"):
        generate_rows(model, [[1], [97]], [Chooser(Sampler(0.0, 1.0, 0), 97)] * 2, [5, 5])
    with pytest.raises(ValueError, match="token_bytes"):
        Chooser(Sampler(0.0, 1.0, 0), 97, forced=b" ")


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
    (logits,), _ = model.step(torch.tensor([PROMPT]), None)
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
