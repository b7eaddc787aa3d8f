r"""Per file, what a search index files it under, each term once: identifiers, parts of identifiers, trigrams of bytes.

An identifier is a longest run of ASCII letters, digits and _. Its parts are what its borders leave: at every _, between
a lower-case letter or digit and a capital, and before a capital that a lower-case letter follows (`HTTPServer`: HTTP,
Server; `utf8_Decoder`: utf8, Decoder). Identifiers of `longest` bytes and more are passed over, with their parts: they
are data, not names. Trigrams are of the text's bytes with ASCII in lower case and one "\n" behind it: three bytes as
four characters of ALPHABET, six bits each.

The terms of a file are ready for a tokenizer that splits at white space: one space after each, in the order in which
they are met. Files are hashed under a key of this process: none can be written so that its identifiers collide.
Cost: 50 MB/s.
"""

import secrets
import string
from typing import Any, NamedTuple

import numpy as np

from starloom.kernels.cache import kernel, leaf
from starloom.kernels.decoding import mix
from starloom.kernels.text import Int64s, UInt8s, checked

ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"

_NONE, _LOWER, _UPPER, _DIGIT, _LINE = range(5)  # what a byte may be: nothing of an identifier, … an underscore
_SPACE, _END = np.uint8(0x20), np.uint8(0x0A)


def _classes() -> UInt8s:
    classes = np.zeros(256, dtype=np.uint8)
    for kind, characters in (
        (_LOWER, string.ascii_lowercase),
        (_UPPER, string.ascii_uppercase),
        (_DIGIT, string.digits),
        (_LINE, "_"),
    ):
        classes[[ord(one) for one in characters]] = kind
    return classes


_CLASSES = _classes()
_FOLDED = np.frombuffer(bytes(range(256)).lower(), dtype=np.uint8)
_SIX_BITS = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)


class Terms(NamedTuple):
    """Of file i: data[offsets[i]:offsets[i + 1]], ASCII."""

    offsets: Int64s
    data: UInt8s


class IndexTerms(NamedTuple):
    """The lists of terms of every file."""

    code: Terms  # identifiers in lower case
    parts: Terms  # parts in lower case that are none of `code`
    cased: Terms  # identifiers, then parts, that have a capital, as they are written
    grams: Terms


def index_terms(offsets: Int64s, data: UInt8s, folded_offsets: Int64s, folded: UInt8s, longest: int) -> IndexTerms:
    """The terms of every file; trigrams of `folded`, which is `data` again where that is ASCII."""
    offsets, data = checked(offsets, data)
    folded_offsets, folded = checked(folded_offsets, folded)
    if len(offsets) != len(folded_offsets):
        raise ValueError("as many folded texts as texts are needed")
    size, folded_size = int(offsets[-1] - offsets[0]), int(folded_offsets[-1] - folded_offsets[0])
    # Only what is filled is touched. A part may be one byte, and has a space behind it.
    code, parts, cased = (np.empty(most, dtype=np.uint8) for most in (size + len(offsets), 2 * size, 4 * size + 1))
    grams = np.empty(5 * folded_size, dtype=np.uint8)
    key = np.array([secrets.randbits(64) | 1], dtype=np.uint64)
    code_bounds, part_bounds, cased_bounds = _words(offsets, data, longest, key, code, parts, cased)
    gram_bounds = _grams(folded_offsets, folded, grams)
    bounds = (code_bounds, part_bounds, cased_bounds, gram_bounds)
    return IndexTerms(*(Terms(one, out[: one[-1]]) for one, out in zip(bounds, (code, parts, cased, grams))))


@leaf
def is_word(data: Any, start: int, end: int, longest: int) -> bool:
    """Whether data[start:end], all of it characters of an identifier, is a whole one, or a part of one of less than
    `longest` bytes. `data` as it was written: in lower case the borders are gone."""
    begins = start == 0 or _CLASSES[data[start - 1]] == _NONE
    ends = end == len(data) or _CLASSES[data[end]] == _NONE
    if begins and ends:
        return True
    if not (begins or _is_border(data, start, len(data))) or not (ends or _is_border(data, end, len(data))):
        return False
    for p in range(start, end):
        if _CLASSES[data[p]] == _LINE or (p > start and _is_border(data, p, len(data))):
            return False
    left, right = start, end
    while left > 0 and _CLASSES[data[left - 1]] != _NONE and right - left < longest:
        left -= 1
    while right < len(data) and _CLASSES[data[right]] != _NONE and right - left < longest:
        right += 1
    return right - left < longest


@leaf
def write_gram(gram: Any, out: Any, at: Any) -> Any:
    """Writes the term of 24 bits, a space behind it; returns where the next begins."""
    out[at] = _SIX_BITS[gram >> 18]
    out[at + 1] = _SIX_BITS[(gram >> 12) & 63]
    out[at + 2] = _SIX_BITS[(gram >> 6) & 63]
    out[at + 3] = _SIX_BITS[gram & 63]
    out[at + 4] = _SPACE
    return at + 5


@leaf
def _is_border(data: Any, p: int, end: int) -> bool:
    """Whether a part may end before data[p], and another begin: both sides are characters of an identifier. `end`: of
    the text, or of the identifier."""
    before, kind = _CLASSES[data[p - 1]], _CLASSES[data[p]]
    if before == _LINE or kind == _LINE:
        return True
    return kind == _UPPER and (before != _UPPER or (p + 1 < end and _CLASSES[data[p + 1]] == _LOWER))


@leaf
def _hash(data: Any, start: int, end: int, fold: bool, key: Any) -> Any:
    h = np.uint64(0)  # no byte of a word is 0: `a` is not `\0a`
    for p in range(start, end):
        h = h * key + np.uint64(_FOLDED[data[p]] if fold else data[p])
    return mix(h)


@leaf
def _place(
    data: Any, start: int, end: int, fold: bool, hashed: Any, slots: Any, mask: int, first: int, starts: Any, ends: Any
) -> Any:
    # Where in `slots` the entry equal to data[start:end] stands, or could. Entries below `first` are other files'.
    length = end - start
    place = np.int64(hashed & np.uint64(mask))
    while slots[place] >= first:
        entry = np.int64(slots[place])
        if ends[entry - first] - starts[entry - first] == length:
            at = starts[entry - first]
            same = 0
            if fold:
                while same < length and _FOLDED[data[at + same]] == _FOLDED[data[start + same]]:
                    same += 1
            else:
                while same < length and data[at + same] == data[start + same]:
                    same += 1
            if same == length:
                return place
        place = (place + 1) & mask
    return place


@leaf
def _piece_end(data: Any, start: int, end: int) -> int:
    # The end of the part that begins at `start`, which is no underscore.
    p = start + 1
    while p < end and not _is_border(data, p, end):
        p += 1
    return p


@leaf
def _write(data: Any, start: int, end: int, fold: bool, out: Any, at: int) -> int:
    for p in range(start, end):
        out[at] = _FOLDED[data[p]] if fold else data[p]
        at += 1
    out[at] = _SPACE
    return at + 1


@leaf
def _has_capital(data: Any, start: int, end: int) -> bool:
    for p in range(start, end):  # noqa: SIM110 - Numba knows no generators
        if _CLASSES[data[p]] == _UPPER:
            return True
    return False


@kernel
def _words(offsets: Any, data: Any, longest: int, keys: Any, code: Any, parts: Any, cased: Any) -> Any:
    n = len(offsets) - 1
    key = keys[0]
    code_bounds, part_bounds, cased_bounds = (
        np.zeros(n + 1, np.int64),
        np.zeros(n + 1, np.int64),
        np.zeros(n + 1, np.int64),
    )
    largest = 1
    for i in range(n):
        largest = max(largest, offsets[i + 1] - offsets[i])
    most = 4
    while most < 2 * largest:
        most *= 2
    # Two hash tables, for words as written and for folded ones. An entry is a place of the text. They are numbered on
    # from file to file, so that a slot below the first one of a file counts as free, and nothing is cleared in between.
    slots, starts, ends = np.full(most, -1, np.int32), np.empty(most, np.int64), np.empty(most, np.int64)
    low_slots, low_starts, low_ends = np.full(most, -1, np.int32), np.empty(most, np.int64), np.empty(most, np.int64)
    count = low_count = 0
    code_at = part_at = cased_at = 0
    for i in range(n):
        stop = offsets[i + 1]
        mask = 4
        while mask < 2 * (stop - offsets[i]):
            mask *= 2
        mask -= 1
        first, low_first = count, low_count
        p = offsets[i]
        while p < stop:
            if _CLASSES[data[p]] == _NONE:
                p += 1
                continue
            start = p
            h = np.uint64(0)  # `_hash`, while the bytes are at hand
            while p < stop and _CLASSES[data[p]] != _NONE:
                h = h * key + np.uint64(data[p])
                p += 1
            if p - start >= longest:
                continue
            place = _place(data, start, p, False, mix(h), slots, mask, first, starts, ends)
            if slots[place] >= first:
                continue
            slots[place], starts[count - first], ends[count - first] = count, start, p
            count += 1
            if _has_capital(data, start, p):
                cased_at = _write(data, start, p, False, cased, cased_at)
            h = _hash(data, start, p, True, key)
            place = _place(data, start, p, True, h, low_slots, mask, low_first, low_starts, low_ends)
            if low_slots[place] >= low_first:
                continue
            low_slots[place] = low_count
            low_starts[low_count - low_first], low_ends[low_count - low_first] = start, p
            low_count += 1
            code_at = _write(data, start, p, True, code, code_at)
        for entry in range(count - first):
            begin, end = starts[entry], ends[entry]
            start = begin
            while start < end:
                if _CLASSES[data[start]] == _LINE:
                    start += 1
                    continue
                after = _piece_end(data, start, end)
                if after - start < end - begin:
                    if _has_capital(data, start, after):
                        h = _hash(data, start, after, False, key)
                        place = _place(data, start, after, False, h, slots, mask, first, starts, ends)
                        if slots[place] < first:
                            slots[place], starts[count - first], ends[count - first] = count, start, after
                            count += 1
                            cased_at = _write(data, start, after, False, cased, cased_at)
                    h = _hash(data, start, after, True, key)
                    place = _place(data, start, after, True, h, low_slots, mask, low_first, low_starts, low_ends)
                    if low_slots[place] < low_first:
                        low_slots[place] = low_count
                        low_starts[low_count - low_first], low_ends[low_count - low_first] = start, after
                        low_count += 1
                        part_at = _write(data, start, after, True, parts, part_at)
                start = after
        code_bounds[i + 1], part_bounds[i + 1], cased_bounds[i + 1] = code_at, part_at, cased_at
    return code_bounds, part_bounds, cased_bounds


@kernel
def _grams(offsets: Any, folded: Any, out: Any) -> Any:
    n = len(offsets) - 1
    bounds = np.zeros(n + 1, dtype=np.int64)
    met = np.zeros(1 << 21, dtype=np.uint8)  # a bit a trigram
    largest = np.int64(0)
    for i in range(n):
        largest = max(largest, offsets[i + 1] - offsets[i])
    grams = np.empty(largest + 1, dtype=np.int32)
    at = np.int64(0)
    for i in range(n):
        count = 0
        text = folded[offsets[i] : offsets[i + 1]]
        gram = np.int32(0)
        for p in range(len(text) + 1):
            byte = _FOLDED[text[p]] if p < len(text) else _END
            gram = np.int32(((gram << 8) | byte) & 0xFFFFFF)
            if p < 2:
                continue
            bit = np.uint8(1 << (gram & 7))
            if met[gram >> 3] & bit:
                continue
            met[gram >> 3] |= bit
            grams[count] = gram
            count += 1
        for k in range(count):
            gram = grams[k]
            met[gram >> 3] = 0
            at = write_gram(gram, out, at)
        bounds[i + 1] = at
    return bounds
