"""The n-gram against a plain twin: modified Kneser-Ney with dictionaries, straight from the formulas."""

import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.tokens.n_gram import NGram


class Twin:
    """Interpolated modified Kneser-Ney of a list of tokens, one probability at a time."""

    def __init__(self, tokens, vocabulary, order):
        self.vocabulary = vocabulary
        self.counts = []  # of each order: {k-gram: what it counts}
        for k in range(1, order + 1):
            places = range(len(tokens) - k + 1)
            if k == order:
                self.counts.append(Counter(tuple(tokens[i : i + k]) for i in places))
            else:
                before = defaultdict(set)
                for i in places:
                    before[tuple(tokens[i : i + k])].add(tokens[i - 1] if i else "start")
                self.counts.append(Counter({gram: len(lefts) for gram, lefts in before.items()}))
        self.discounts = [self.discount(counts.values()) for counts in self.counts]

    @staticmethod
    def discount(values):
        t = Counter(values)
        if t[1] and t[2] and t[3]:
            y = t[1] / (t[1] + 2 * t[2])
            found = 1 - 2 * y * t[2] / t[1], 2 - 3 * y * t[3] / t[2], 3 - 4 * y * t[4] / t[3]
            if all(0 < one <= most for one, most in zip(found, (1, 2, 3), strict=True)):
                return found
        return 0.5, 1.0, 1.5

    def probability(self, context, token):
        """P(token | context), a tuple shorter than the order."""
        shorter = self.probability(context[1:], token) if context else 1 / self.vocabulary
        counts, discounts = self.counts[len(context)], self.discounts[len(context)]
        after = {gram[-1]: count for gram, count in counts.items() if gram[:-1] == context}
        if not after:
            return shorter
        freed = sum(discounts[min(count, 3) - 1] for count in after.values())
        own = after.get(token, 0)
        kept = own - discounts[min(own, 3) - 1] if own else 0.0
        return (kept + freed * shorter) / sum(after.values())


def bits(twin, tokens, order):
    return [
        -math.log2(twin.probability(tuple(tokens[max(0, i - order + 1) : i]), tokens[i])) for i in range(len(tokens))
    ]


@st.composite
def streams(draw):
    vocabulary = draw(st.integers(1, 6))
    tokens = st.lists(st.integers(0, vocabulary - 1), max_size=80)
    return vocabulary, draw(tokens), draw(tokens), draw(st.integers(1, 5))


@given(streams())
def test_the_formulas(stream):
    vocabulary, tokens, text, order = stream
    model = NGram.train(np.array(tokens, np.uint16), vocabulary, order)
    found = model.bits(np.array(text, np.int64))
    np.testing.assert_allclose(found, bits(Twin(tokens, vocabulary, order), text, order), rtol=1e-5, atol=1e-6)


@given(streams())
def test_probabilities_sum_to_one(stream):
    """After any context, tokens never seen included: the last token of [context, w], over all w."""
    vocabulary, tokens, context, order = stream
    model = NGram.train(np.array(tokens, np.int64), vocabulary, order)
    last = [model.bits(np.array([*context[:8], token]))[-1] for token in range(vocabulary)]
    assert sum(2.0**-one for one in last) == pytest.approx(1.0, abs=1e-5)


def zipf(seed, size, vocabulary):
    """A text in which earlier phrases come back, as code does."""
    dice = np.random.default_rng(seed)
    text = np.minimum(dice.zipf(1.3, size), vocabulary) - 1
    for _ in range(size // 40):
        a, b = dice.integers(0, size - 20, 2)
        text[b : b + 12] = text[a : a + 12]
    return text


@pytest.mark.parametrize(
    "vocabulary",
    [
        300,
        65_535,  # the last one that fits into 16 bits, with the end
        65_536,
        200_000,
    ],
)
def test_estimated_discounts_and_wide_vocabularies(vocabulary):
    text = zipf(1, 6000, vocabulary)
    twin = Twin(text[:5000].tolist(), vocabulary, 3)
    assert (0.5, 1.0, 1.5) not in twin.discounts  # the estimate is what is tested here
    model = NGram.train(text[:5000], vocabulary, 3)
    np.testing.assert_allclose(model.bits(text[5000:5300]), bits(twin, text[5000:5300].tolist(), 3), rtol=1e-5)


def test_order_seven_remembers():
    text = zipf(2, 3000, 50)
    model = NGram.train(text, 50)
    assert len(model.levels) == 7
    seen = model.bits(text[1000:1400])[6:].mean()
    assert seen < 0.5 * model.bits(zipf(3, 400, 50)).mean()


def test_the_longer_order_is_better_on_new_text():
    text = np.concatenate([np.resize(zipf(4, 90, 40), 4000), zipf(5, 4000, 40)])
    held_out = np.resize(zipf(4, 90, 40), 300)
    scores = [NGram.train(text, 40, order).bits(held_out).mean() for order in (1, 2, 4)]
    assert scores == sorted(scores, reverse=True)


def test_a_text_shorter_than_the_order():
    model = NGram.train(np.array([3, 1]), 5, 7)
    twin = Twin([3, 1], 5, 7)
    np.testing.assert_allclose(model.bits(np.array([3, 1, 4, 1])), bits(twin, [3, 1, 4, 1], 7), rtol=1e-5)


def test_no_text_is_uniform():
    model = NGram.train(np.array([], np.uint16), 8, 3)
    np.testing.assert_allclose(model.bits(np.array([1, 7, 0])), 3.0)
    assert len(model.bits(np.array([], np.uint16))) == 0


@pytest.mark.parametrize("tokens", [[1, 8], [-1, 2]])
def test_tokens_of_another_vocabulary(tokens):
    with pytest.raises(ValueError, match="in a vocabulary of 8"):
        NGram.train(np.array(tokens), 8)
    with pytest.raises(ValueError, match="in a vocabulary of 8"):
        NGram.train(np.array([1, 2]), 8).bits(np.array(tokens))


def test_what_is_no_row_of_integers():
    with pytest.raises(ValueError, match="one row of integers"):
        NGram.train(np.zeros((2, 2), np.int64), 8)
    with pytest.raises(ValueError, match="one row of integers"):
        NGram.train(np.array([0.5]), 8)
