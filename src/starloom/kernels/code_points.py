"""What each code point is: alphabetic, alphanumeric, part of a word, cased, assigned, and its lower-case form.

The same as Python's `str.isalpha`, `str.isalnum`, `re`'s `\\w` and `str.lower` of one character, in Unicode
14.0.0 (Python 3.11), read from a table that ships with the package: a newer Python must not change anyone's
duplicates. Cost: about 7 ms once and 4.4 MB, of which ordinary text touches some kilobytes.
"""

import functools
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

UNICODE_VERSION = "14.0.0"
ALPHA, ALPHANUMERIC, WORD = 1 << 24, 1 << 25, 1 << 26
CASED, IGNORABLE = 1 << 27, 1 << 28  # what a capital sigma looks at: see kernels.sigma
LOWER = (1 << 21) - 1  # the bits that hold the lower-case code point

_TABLE = Path(__file__).with_name("code_points.tsv")


@functools.cache
def properties() -> NDArray[np.uint32]:
    """uint32[0x110000]: the lower-case code point in bits 0-20, the classes in bits 24-28.

    U+0130, the only code point whose lower-case form is two ("i" and a combining dot, not a word character),
    stands for itself here: the tokeniser treats it apart.
    """
    table = np.arange(0x110000, dtype=np.uint32)
    for line in _TABLE.read_text(encoding="ascii").splitlines():
        if line.startswith(("#", "unassigned")):
            continue
        kind, first, last, step, delta = line.split("\t")
        where = slice(int(first, 16), int(last, 16) + 1, int(step))
        if kind == "alpha":
            table[where] |= ALPHA | ALPHANUMERIC | WORD
        elif kind == "numeric":
            table[where] |= ALPHANUMERIC | WORD
        elif kind == "cased":
            table[where] |= CASED
        elif kind == "ignorable":
            table[where] |= IGNORABLE
        else:  # lower
            table[where] = (table[where] & ~np.uint32(LOWER)) | (
                (table[where] & LOWER).astype(np.int64) + int(delta)
            ).astype(np.uint32)
    table[ord("_")] |= WORD
    table.flags.writeable = False
    return table


def assigned() -> NDArray[np.bool_]:
    """bool[0x110000]: False where Unicode 14 has no character yet. Cost: 2 ms."""
    table = np.ones(0x110000, dtype=np.bool_)
    for line in _TABLE.read_text(encoding="ascii").splitlines():
        if line.startswith("unassigned"):
            _, first, last, _, _ = line.split("\t")
            table[int(first, 16) : int(last, 16) + 1] = False
    return table


def describe() -> str:
    """The table's text, from the running Python; this wrote `code_points.tsv` under Python 3.11."""
    lines = [f"# Unicode {unicodedata.unidata_version}: class, first, last, step, distance to the lower-case form"]
    everything = [chr(point) for point in range(0x110000)]
    alpha = [ord(one) for one in everything if one.isalpha()]
    numeric = [ord(one) for one in everything if one.isalnum() and not one.isalpha()]
    lines += [f"alpha\t{first:x}\t{last:x}\t1\t0" for first, last in _runs(alpha, 1)]
    lines += [f"numeric\t{first:x}\t{last:x}\t1\t0" for first, last in _runs(numeric, 1)]
    # Python tells of case only by what it makes of a capital sigma at the end of a word. A character that case
    # ignores lets the sigma see what stands before it.
    cased = [ord(one) for one in everything if f"1{one}\u03a3".lower().endswith("\u03c2")]
    ends = {ord(one) for one in everything if f"a{one}\u03a3".lower().endswith("\u03c2")}
    lines += [f"cased\t{first:x}\t{last:x}\t1\t0" for first, last in _runs(cased, 1)]
    lines += [f"ignorable\t{first:x}\t{last:x}\t1\t0" for first, last in _runs(sorted(ends.difference(cased)), 1)]
    unknown = [ord(one) for one in everything if unicodedata.category(one) == "Cn"]
    lines += [f"unassigned\t{first:x}\t{last:x}\t1\t0" for first, last in _runs(unknown, 1)]
    distances: dict[int, list[int]] = {}
    for one in everything:
        lower = one.lower()
        if lower != one and len(lower) == 1:
            distances.setdefault(ord(lower) - ord(one), []).append(ord(one))
    for distance, points in sorted(distances.items()):
        step = 2 if distance == 1 else 1  # Aa Bb … alternate
        lines += [f"lower\t{a:x}\t{b:x}\t{step}\t{distance}" for a, b in _runs(points, step)]
    return "\n".join(lines) + "\n"


def _runs(points: list[int], step: int) -> Iterator[tuple[int, int]]:
    first = previous = points[0]
    for point in points[1:]:
        if point != previous + step:
            yield first, previous
            first = point
        previous = point
    yield first, previous
