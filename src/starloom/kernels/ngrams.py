"""A linear score of each file over its hashed token n-grams, and one pass of learning its weights.

Tokens: words (ASCII letters, "_", digits and every byte from 0x80), told apart by their bytes up to 64 of them; numbers
(what begins with a digit), by their length only; runs of one sign, by sign and length; and each line's start, by its
indentation. A feature is a run of 1 to `orders` tokens, hashed into 2**bits buckets; it counts once a file, however
often it stands there. The margin of a file is bias + the sum of its features' weights / sqrt(number of features), so a
file's length has no say in it. Only the first HEAD bytes are looked at.

Cost: see `bench/quality.py`; memory: 4 bytes a bucket beside the weights.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.cache import kernel
from starloom.kernels.decoding import mix
from starloom.kernels.text import Int64s, UInt8s, checked, frozen

HEAD = 1 << 16  # bytes of a file that are looked at
LONGEST_WORD = 64  # bytes; longer ones (encoded data) are all one token
ORDERS = (1, 2, 3)
BITS = range(10, 25)

SPACE, LETTER, DIGIT, LINE, SIGN = range(5)

# Odd numbers without a pattern (as in shingles), one a kind of token and one a place in an n-gram.
WORDS, NUMBERS, SIGNS, LINES = 0x629A292A367CD507, 0x9159015A3070DD17, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1
BYTE, SECOND, THIRD = 0x6A09E667F3BCC909, 0x510E527FADE682D1, 0x9B05688C2B3E6C1F
BLANK = 7  # indentation of a line without anything on it; others: quarters of 4 columns, at most 4

_WORDS, _NUMBERS, _SIGNS, _LINES = (np.uint64(one) for one in (WORDS, NUMBERS, SIGNS, LINES))
_BYTE, _SECOND, _THIRD = (np.uint64(one) for one in (BYTE, SECOND, THIRD))


def byte_classes() -> UInt8s:
    """The class of each byte."""
    table = np.full(256, SIGN, dtype=np.uint8)
    for one in b" \t\r\f\v":
        table[one] = SPACE
    table[ord("\n")] = LINE
    for low, high in (("a", "z"), ("A", "Z"), ("_", "_")):
        table[ord(low) : ord(high) + 1] = LETTER
    table[0x80:] = LETTER
    table[ord("0") : ord("9") + 1] = DIGIT
    return table


_CLASSES = byte_classes()


def margins(offsets: Int64s, data: UInt8s, weights: NDArray[np.float32], orders: int) -> NDArray[np.float64]:
    """float64[n]: sum of the weights of each file's distinct features / sqrt(their number); 0 for a file without any.

    `weights` has 2**bits of them. Raises ValueError for sizes outside BITS and ORDERS.
    """
    offsets, data = checked(offsets, data)
    bits = _bits(len(weights), orders)
    return np.asarray(_margins(offsets, data, frozen(weights, np.float32), bits, orders, _CLASSES))


def learn(
    offsets: Int64s,
    data: UInt8s,
    targets: NDArray[np.float64],
    groups: NDArray[np.int64],
    order: NDArray[np.int64],
    weights: NDArray[np.float32],
    squares: NDArray[np.float32],
    group_weights: NDArray[np.float32],
    group_squares: NDArray[np.float32],
    orders: int,
    rate: float,
    decay: float,
) -> float:
    """One pass of logistic regression over the files in `order`, by AdaGrad, in place. Returns the mean loss (nats).

    `targets` (0 to 1) and `groups` (an index into `group_weights`, whose last one is the bias; -1: none) are one a
    file. `squares` are AdaGrad's, zero before the first pass; `decay` draws the weights of a file's features to 0.
    Raises ValueError as `margins`.
    """
    offsets, data = checked(offsets, data)
    bits = _bits(len(weights), orders)
    state = (weights, squares, group_weights, group_squares)
    if any(one.dtype != np.float32 or not one.flags.writeable for one in state):
        raise ValueError("weights are float32 and are written to")
    rows = (frozen(targets, np.float64), frozen(groups, np.int64), frozen(order, np.int64))
    if any(len(one) != len(offsets) - 1 for one in rows[:2]) or not all(0 <= i < len(offsets) - 1 for i in order):
        raise ValueError("targets and groups are one a file, and order names files")
    if len(rows[1]) and not -1 <= rows[1].min() <= rows[1].max() < len(group_weights):
        raise ValueError("a group without a weight")
    return float(_learn(offsets, data, *rows, *state, bits, orders, rate, decay, _CLASSES))


def _bits(buckets: int, orders: int) -> int:
    bits = buckets.bit_length() - 1
    if bits not in BITS or buckets != 1 << bits or orders not in ORDERS:
        raise ValueError(f"{buckets} buckets of {orders} tokens")
    return bits


@kernel
def _features(text: Any, bits: int, orders: int, classes: Any, seen: Any, mark: int, found: Any) -> int:
    """The distinct features of `text` to `found`, in order of their first place; their number.

    `seen[bucket] == mark` says that a bucket is there already.
    """
    shift = np.uint64(64 - bits)
    count = 0
    tokens = 0
    before, long_before = np.uint64(0), np.uint64(0)
    size = len(text)
    p = 0
    while p < size:
        kind = classes[text[p]]
        if kind == SPACE:
            p += 1
            continue
        begin = p
        first = text[p]
        p += 1
        if kind == LETTER:
            h = (_WORDS ^ np.uint64(first)) * _BYTE
            while p < size and (classes[text[p]] == LETTER or classes[text[p]] == DIGIT):
                h = (h ^ np.uint64(text[p])) * _BYTE
                p += 1
            token = mix(h) if p - begin <= LONGEST_WORD else mix(_WORDS)
        elif kind == DIGIT:
            while p < size and (classes[text[p]] == LETTER or classes[text[p]] == DIGIT):
                p += 1
            token = mix(_NUMBERS ^ np.uint64(min(p - begin, 8)))
        elif kind == LINE:
            width = 0
            while p < size and classes[text[p]] == SPACE:
                width += 4 if text[p] == 0x09 else 1
                p += 1
            level = BLANK if p == size or text[p] == 0x0A else min(width >> 2, 4)
            token = mix(_LINES ^ np.uint64(level))
        else:
            while p < size and text[p] == first:
                p += 1
            token = mix(_SIGNS ^ (np.uint64(first) << np.uint64(3)) ^ np.uint64(min(p - begin, 4)))
        tokens += 1
        gram = token
        for k in range(1, orders + 1):
            if k == 2:
                gram = mix(before * _SECOND + token)
            elif k == 3:
                gram = mix(long_before * _THIRD + before * _SECOND + token)
            if k > tokens:
                break
            bucket = gram >> shift
            if seen[bucket] != mark:
                seen[bucket] = mark
                found[count] = np.uint32(bucket)
                count += 1
        long_before, before = before, token
    return count


@kernel
def _room(offsets: Any, orders: int) -> int:
    """The most features that a file can have."""
    longest = 0
    for i in range(len(offsets) - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    return min(longest, HEAD) * orders


@kernel
def _margins(offsets: Any, data: Any, weights: Any, bits: int, orders: int, classes: Any) -> Any:
    n = len(offsets) - 1
    result = np.zeros(n, dtype=np.float64)
    seen = np.zeros(1 << bits, dtype=np.int32)
    found = np.empty(_room(offsets, orders), dtype=np.uint32)
    for i in range(n):
        text = data[offsets[i] : min(offsets[i + 1], offsets[i] + HEAD)]
        count = _features(text, bits, orders, classes, seen, i + 1, found)
        total = 0.0
        for k in range(count):
            total += weights[found[k]]
        if count:
            result[i] = total / np.sqrt(count)
    return result


@kernel
def _learn(
    offsets: Any,
    data: Any,
    targets: Any,
    groups: Any,
    order: Any,
    weights: Any,
    squares: Any,
    group_weights: Any,
    group_squares: Any,
    bits: int,
    orders: int,
    rate: float,
    decay: float,
    classes: Any,
) -> float:
    seen = np.zeros(1 << bits, dtype=np.int32)
    found = np.empty(_room(offsets, orders), dtype=np.uint32)
    bias = len(group_weights) - 1
    loss = 0.0
    for step in range(len(order)):
        i = order[step]
        text = data[offsets[i] : min(offsets[i + 1], offsets[i] + HEAD)]
        count = _features(text, bits, orders, classes, seen, step + 1, found)
        share = 1.0 / np.sqrt(count) if count else 0.0
        margin = 0.0
        for k in range(count):
            margin += weights[found[k]]
        margin = margin * share + group_weights[bias]
        if groups[i] >= 0:
            margin += group_weights[groups[i]]
        # log(1 + exp(margin)) - target * margin, without overflow
        loss += max(margin, 0.0) + np.log1p(np.exp(-abs(margin))) - targets[i] * margin
        slope = 1.0 / (1.0 + np.exp(-margin)) - targets[i]
        for k in range(count):
            one = found[k]
            change = slope * share + decay * weights[one]
            squares[one] += change * change
            weights[one] -= rate * change / np.sqrt(squares[one] + 1e-8)
        group_squares[bias] += slope * slope
        group_weights[bias] -= rate * slope / np.sqrt(group_squares[bias] + 1e-8)
        if groups[i] >= 0:
            change = slope + decay * group_weights[groups[i]]
            group_squares[groups[i]] += change * change
            group_weights[groups[i]] -= rate * change / np.sqrt(group_squares[groups[i]] + 1e-8)
    return loss / max(len(order), 1)
