"""A quality score without a model: how much a file looks like something that a person wrote to be read.

The score is a product of parts. Each part is a function of one count (`kernels/texture`), goes one way only, is 1 where
nothing is wrong, and stops short of 0, so that no single oddity decides alone; they tell why a score is low. The limits
lie well outside what hand-written code shows, after the filters of the Stack v2, RedPajama and OpenCoder papers; none
is fitted. What a part means by kind of file (Linguist's: programming, markup, data, prose) is in PARTS.

It knows the look, not the sense: good style is no working program, and a tidy file full of nonsense scores high. A
scorer trained on labels (`starloom scorer train`) can know more. Cost: see `bench/quality.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = dict[str, NDArray[np.float64]]

KINDS: Final = ("programming", "markup", "data", "prose")
_CODE = ("programming", "markup")


@dataclass(frozen=True)
class Part:
    """`measure(counts)` goes through `curve`, pairs of (measure, part) with straight lines between; beyond its ends the
    part stays. For files whose kind is in `kinds`; 1 for others."""

    name: str
    meaning: str
    measure: Callable[[Counts], NDArray[np.float64]]
    curve: tuple[tuple[float, float], ...]
    kinds: tuple[str, ...] = KINDS


def _share(part: Any, whole: Any) -> NDArray[np.float64]:
    return np.asarray(part / np.maximum(whole, 1.0))


def _solid(counts: Counts) -> NDArray[np.float64]:
    """Bytes that are no white space."""
    return counts["letters"] + counts["digits"] + counts["signs"]


def _full(counts: Counts) -> NDArray[np.float64]:
    """Lines that are not blank."""
    return counts["lines"] - counts["blank"]


PARTS: Final = (
    Part("substance", "bytes that are no white space", _solid, ((0, 0.05), (200, 1.0))),
    Part(
        "words",
        "share of letters among them",
        lambda c: _share(c["letters"], _solid(c)),
        ((0.1, 0.1), (0.45, 1.0)),
    ),
    Part(
        "numbers",
        "share of digits among them",
        lambda c: _share(c["digits"], _solid(c)),
        ((0.2, 1.0), (0.7, 0.1)),
    ),
    Part(
        "long lines",
        "share of bytes beyond the 120th of a line",
        lambda c: _share(c["overhang"], _solid(c) + c["spaces"]),
        ((0.1, 1.0), (0.9, 0.1)),
        ("programming", "markup", "data"),
    ),
    Part(
        "encoded",
        "share of bytes in words and numbers of more than 40 bytes",
        lambda c: _share(c["long_word_bytes"], _solid(c)),
        ((0.05, 1.0), (0.6, 0.1)),
    ),
    Part(
        "repetition",
        "share of telling lines that repeat an earlier one",
        lambda c: _share(c["repeated"], c["telling"]),
        ((0.3, 1.0), (0.95, 0.1)),
    ),
    Part(
        "names",
        "bytes of a word, on average",
        lambda c: _share(c["word_bytes"], c["words"]),
        ((1.5, 0.2), (3.0, 1.0)),
        _CODE,
    ),
    Part(
        "layout",
        "bytes of a line, on average",
        lambda c: _share(_solid(c) + c["spaces"], c["lines"]),
        ((100, 1.0), (500, 0.3)),
        _CODE,
    ),
    Part(
        "comments",
        "share of lines that begin a comment",
        lambda c: _share(c["comments"], _full(c)),
        ((0.0, 0.8), (0.05, 1.0)),
        ("programming",),
    ),
    Part(
        "statements",
        "share of lines that begin no comment",
        lambda c: _share(_full(c) - c["comments"], _full(c)),
        ((0.0, 0.3), (0.15, 1.0)),
        ("programming",),
    ),
)


class Heuristics(NamedTuple):
    """`score` float32[n]; `parts`: by name, float32[n]. An empty or blank file scores 0."""

    score: NDArray[np.float32]
    parts: dict[str, NDArray[np.float32]]


def score(offsets: NDArray[np.int64], data: NDArray[np.uint8], kinds: Sequence[str | None]) -> Heuristics:
    """Of every file; `kinds` are those of their languages, None (not known) is taken for programming.

    Raises ValueError for another number of kinds than files.
    """
    from starloom.kernels.texture import COUNTS, texture

    if len(kinds) != len(offsets) - 1:
        raise ValueError(f"{len(kinds)} kinds for {len(offsets) - 1} files")
    counts = dict(zip(COUNTS, texture(offsets, data).astype(np.float64), strict=True))
    known = np.array([one if one in KINDS else "programming" for one in kinds], dtype="U11")
    parts: dict[str, NDArray[np.float32]] = {}
    whole = np.where(_solid(counts) > 0, 1.0, 0.0)
    for part in PARTS:
        limits, values = zip(*part.curve)
        found = np.where(np.isin(known, part.kinds), np.interp(part.measure(counts), limits, values), 1.0)
        parts[part.name] = found.astype(np.float32)
        whole *= found
    return Heuristics(whole.astype(np.float32), parts)
