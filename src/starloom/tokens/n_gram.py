"""Interpolated Kneser-Ney over token ids: the model that a network has to beat, on the same text.

Modified Kneser-Ney, three discounts an order, interpolated down to the uniform distribution (Chen and Goodman 1998,
section 3): every token of the vocabulary has a probability above zero in every context, and they sum to 1. The text is
one stream; a document's end is a token like any other.

All orders come from one sort of the places by the n tokens that start there: equal k-grams lie together, and their ids
are lexicographic, so a k-gram is the pair (id of its first k - 1 tokens, last token), packed in 64 bits, and a query is
one binary search an order. Cost: see `NGram.train`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from starloom import progress

_Int64s = NDArray[np.int64]

# What counts lose where the text is too small to tell: as KenLM's --discount_fallback.
_FALLBACK = (0.5, 1.0, 1.5)


@dataclass(frozen=True)
class _Grams:
    """The distinct k-grams of the text, sorted; an id is a place in `keys`."""

    keys: _Int64s  # id of the first k - 1 tokens * vocabulary + last token
    contexts: int  # distinct (k - 1)-grams
    places: _Int64s  # where each gram starts, one place of many
    ids: NDArray[np.int32]  # of the gram that starts at each place of the text


@dataclass(frozen=True)
class _Level:
    """One order of the model: P(token | context) = keep(context, token) + back_off(context) * P(token | shorter)."""

    keys: _Int64s  # as in _Grams
    keep: NDArray[np.float32]  # of each gram
    back_off: NDArray[np.float32]  # of each context; 1 where nothing was seen after it


class NGram:
    """A trained model, in memory only: to train one again is cheaper than a format."""

    def __init__(self, vocabulary: int, levels: list[_Level]) -> None:
        self.vocabulary = vocabulary
        self.levels = levels

    @classmethod
    def train(cls, tokens: NDArray[Any], vocabulary: int, order: int = 7) -> "NGram":
        """A model of `tokens` (integers below `vocabulary`, any dtype). Raises ValueError for any other token.

        Cost at order 7 (8.5 million tokens of Python, 18.7 million distinct k-grams): 9 s on one core, 0.9 GB at the
        peak; the model keeps 16 bytes a distinct k-gram.
        """
        if order < 1 or vocabulary < 1:
            raise ValueError(f"order {order} and vocabulary {vocabulary} must be at least 1")
        tokens = _checked(tokens, vocabulary)
        levels = []
        with progress.task("train the n-gram", order, "orders") as bar:
            for grams, longer in pairwise(chain(_orders(tokens, vocabulary, order), [None])):
                assert grams is not None
                counts = _left_neighbours(grams, longer.places) if longer else _occurrences(grams, len(tokens), order)
                levels.append(_level(grams, vocabulary, counts))
                bar.advance(1)
        return cls(vocabulary, levels)

    def bits(self, tokens: NDArray[Any]) -> NDArray[np.float64]:
        """-log2 of each token's probability given those before it in `tokens`. Raises ValueError as `train`.

        The first tokens have fewer before them than the order: they are given what there is.
        """
        tokens = _checked(tokens, self.vocabulary).astype(np.int64)
        probability = np.full(len(tokens), 1.0 / self.vocabulary)
        ids = np.zeros(len(tokens), dtype=np.int64)  # of the context that starts at each place, -1: never seen
        for k, level in enumerate(self.levels, 1):
            context, last = ids[: max(len(tokens) - k + 1, 0)], tokens[k - 1 :]
            seen = np.flatnonzero(context >= 0)
            found = _find(level.keys, context[seen] * self.vocabulary + last[seen])
            kept = np.where(found >= 0, level.keep[found], 0.0) if len(level.keep) else 0.0
            target = seen + (k - 1)
            probability[target] = kept + level.back_off[context[seen]] * probability[target]
            ids = np.full(len(context), -1, dtype=np.int64)
            ids[seen] = found
        result: NDArray[np.float64] = -np.log2(probability)
        return result


def _checked(tokens: NDArray[Any], vocabulary: int) -> NDArray[Any]:
    tokens = np.asarray(tokens)
    if tokens.ndim != 1 or (len(tokens) and tokens.dtype.kind not in "iu"):
        raise ValueError(f"tokens are one row of integers, not {tokens.dtype} of shape {tokens.shape}")
    if len(tokens) and not 0 <= int(tokens.min()) <= int(tokens.max()) < vocabulary:
        raise ValueError(f"tokens from {tokens.min()} to {tokens.max()} in a vocabulary of {vocabulary}")
    # One value more than the vocabulary must fit: what stands past the end.
    return tokens.astype(np.uint16 if vocabulary < 1 << 16 else np.uint32)


def _orders(tokens: NDArray[Any], vocabulary: int, order: int) -> Iterator[_Grams | None]:
    """The k-grams for k = 1 to `order`, from the places sorted by the tokens that start there."""
    rows = _sorted_places(tokens, vocabulary, order)
    padded = np.concatenate([tokens, np.full(order, vocabulary, tokens.dtype)])
    differs = np.zeros(len(tokens), dtype=bool)  # whether a row's first k tokens are not those of the row before
    differs[:1] = True
    prefixes, contexts = np.zeros(len(tokens), dtype=np.int64), 1  # of each row: the id of its first k - 1 tokens
    for k in range(1, order + 1):
        last = padded[rows + (k - 1)]
        differs[1:] |= last[1:] != last[:-1]
        first = differs & (rows <= len(tokens) - k)  # at the last places fewer than k tokens are left
        keys = prefixes[first] * vocabulary + last[first]
        prefixes = np.cumsum(first) - 1
        ids = np.empty(len(tokens), dtype=np.int32)
        ids[rows] = prefixes
        yield _Grams(keys, contexts, rows[first], ids)
        contexts = len(keys)


def _sorted_places(tokens: NDArray[Any], vocabulary: int, order: int) -> _Int64s:
    """The places of `tokens`, sorted by the `order` tokens that start at each."""
    bits = vocabulary.bit_length()
    each = 64 // bits  # tokens packed into one column
    padded = np.concatenate([tokens, np.full(order, vocabulary, tokens.dtype)]).astype(np.uint64)
    columns = []
    for start in range(0, order, each):
        column = np.zeros(len(tokens), dtype=np.uint64)
        for offset in range(start, min(start + each, order)):
            column = (column << np.uint64(bits)) | padded[offset : offset + len(tokens)]
        columns.append(column)
    return np.lexsort(columns[::-1]).astype(np.int64)


def _left_neighbours(grams: _Grams, longer: _Int64s) -> _Int64s:
    """How many different tokens precede each gram. `longer`: a place of every distinct gram of one token more.

    The start of the text counts as one more token, so that no gram that was seen has none.
    """
    counts = np.bincount(grams.ids[longer + 1], minlength=len(grams.keys)).astype(np.int64)
    if len(counts):
        counts[grams.ids[0]] += 1
    return counts


def _occurrences(grams: _Grams, tokens: int, order: int) -> _Int64s:
    return np.bincount(grams.ids[: max(tokens - order + 1, 0)], minlength=len(grams.keys)).astype(np.int64)


def _level(grams: _Grams, vocabulary: int, counts: _Int64s) -> _Level:
    context = grams.keys // vocabulary
    discount = _discounts(counts)[np.minimum(counts, 3)]
    total = np.bincount(context, weights=counts, minlength=grams.contexts)
    freed = np.bincount(context, weights=discount, minlength=grams.contexts)
    back_off = np.divide(freed, total, out=np.ones(grams.contexts), where=total > 0)
    keep = (counts - discount) / total[context]
    return _Level(grams.keys, keep.astype(np.float32), back_off.astype(np.float32))


def _discounts(counts: _Int64s) -> NDArray[np.float64]:
    """What a count of 0, 1, 2, and 3 or more loses (Chen and Goodman, equation 26)."""
    once, twice, thrice, four = np.bincount(np.minimum(counts, 5), minlength=6)[1:5].tolist()
    found = _FALLBACK
    if once and twice and thrice:
        share = once / (once + 2 * twice)
        found = (share, 2 - 3 * share * thrice / twice, 3 - 4 * share * four / thrice)
    if not all(0 < discount <= count for count, discount in enumerate(found, 1)):  # counts of no natural text
        found = _FALLBACK
    return np.array([0.0, *found])


def _find(keys: _Int64s, wanted: _Int64s) -> _Int64s:
    """Where each wanted key is in `keys` (sorted), -1 where it is not."""
    if not len(keys):
        return np.full(len(wanted), -1, dtype=np.int64)
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, places, -1)
