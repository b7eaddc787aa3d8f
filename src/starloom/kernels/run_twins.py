"""What `runs`, `shape` and `number_runs` measure, again in plain Python: the twins of the tests, and the places for
pages that show them.

Positions are in characters (code points). Cost: `re`'s, 10 to 30 MB/s.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

PATTERNS = {
    "base64": re.compile(r"[a-zA-Z0-9+/\n=]{64,}"),
    "hex": re.compile(r"(?:\b(?:0x|\\x)?[0-9a-fA-F]{2}(?:,|\b\s*)){8,}"),
    "unicode": re.compile(r"(?:\\u[0-9a-fA-F]{4}){8,}"),
}

BLANKS = "\t\n\v\f\r\x1c\x1d\x1e\x1f "

# The numbers of `number_runs`, or what ends a run of them. "++" and "(?>" keep what they took, as the kernel does.
_WORD = r"[0-9A-Za-z_$\x80-\U0010ffff]"
_NUMBER = re.compile(
    rf"""(?P<number>
        (?> \\x [0-9a-fA-F]++ (?> (?: _[0-9a-fA-F]++ )* )
          | \\ [0-7]{{1,3}}+
          | (?<!{_WORD}) (?> 0[xX] [0-9a-fA-F]++ (?> (?: _[0-9a-fA-F]++ )* )
                         | (?: [0-9]++ (?> (?: _[0-9]++ )* ) (?> (?: \. (?> (?: [0-9]++ (?> (?: _[0-9]++ )* ) )? ) )? )
                             | \. [0-9]++ (?> (?: _[0-9]++ )* ) )
                           (?> (?: [eE] [+-]?+ [0-9]++ (?> (?: _[0-9]++ )* ) )? ) )
                         [uUlLfF]*+ )
        (?!{_WORD}) )
      | [0-9.\\]
      | [^0-9.\\{BLANKS.replace(" ", chr(92) + " ")},;:|'"+\-()\[\]{{}}]++""",
    re.VERBOSE,
)

Span = tuple[int, int, str]  # start, end (exclusive), which pattern


class Encoded(NamedTuple):
    """`runs.EncodedRuns` of one file, not rounded."""

    base64_longest: int
    hex_longest: int
    unicode_longest: int
    longest: int
    fraction: float
    data_longest: int
    data_fraction: float


def encoded_spans(text: str, data_only: bool = False) -> list[Span]:
    """Every match of the three patterns, by start; `data_only`: without base64 matches that are no data."""
    found = [(*match.span(), name) for name, pattern in PATTERNS.items() for match in pattern.finditer(text)]
    return sorted(one for one in found if not data_only or one[2] != "base64" or is_data(text[one[0] : one[1]]))


def is_data(match: str) -> bool:
    """Whether a base64 match is data and not words: the criterion in `runs`."""
    alphanumeric = [one for one in match if one.isalnum()]
    lower = [one for one in alphanumeric if one.islower()]
    in_long_lines = sum(len(line) for line in match.split("\n") if len(line) >= 32)
    if 2 * len(alphanumeric) < len(match) or 2 * in_long_lines < len(match):
        return False
    return 10 * len(lower) < 7 * len(alphanumeric) or 100 * sum(one in "eiou" for one in lower) < 22 * len(lower)


def encoded(text: str) -> Encoded:
    """Twin of `runs.encoded_runs`."""

    def longest(spans: list[Span], *names: str) -> int:
        return max((end - start for start, end, name in spans if name in names), default=0)

    def fraction(spans: list[Span]) -> float:
        covered: set[int] = set()
        for start, end, _ in spans:
            covered.update(range(start, end))
        return len(covered) / max(len(text), 1)

    every, data = encoded_spans(text), encoded_spans(text, data_only=True)
    return Encoded(
        base64_longest=longest(every, "base64"),
        hex_longest=longest(every, "hex"),
        unicode_longest=longest(every, "unicode"),
        longest=longest(every, *PATTERNS),
        fraction=fraction(every),
        data_longest=longest(data, *PATTERNS),
        data_fraction=fraction(data),
    )


class Shape(NamedTuple):
    """`shape.Shape` of one file, not rounded."""

    whitespace_fraction: float
    digit_fraction: float
    is_minified: bool
    number_run_longest: int
    number_run_fraction: float
    duplicate_line_fraction: float


def number_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of every run of numbers of 256 characters or more: what counts for number_run_fraction."""
    return [
        (run[0][0], run[-1][1])
        for run in _neighbours(text)
        if run
        and run[-1][1] - run[0][0] >= 256
        and 8 * sum(end - start for start, end in run) >= run[-1][1] - run[0][0]
    ]


def _neighbours(text: str) -> Iterator[list[tuple[int, int]]]:
    """The numbers of `text`, together where nothing but separators stands between them."""
    run: list[tuple[int, int]] = []
    for found in _NUMBER.finditer(text):
        if found["number"]:
            run.append(found.span())
        else:
            yield run
            run = []
    yield run


def is_minified(text: str) -> bool:
    """The criterion in `shape`."""
    lines = [line for line in text.split("\n") if len(line) > 300]
    inside = "".join(lines)

    def share(members: str) -> float:
        return 100 * sum(map(inside.count, members)) / len(inside)

    if not inside or 2 * len(inside) < len(text):
        return False
    return share(BLANKS) <= 8 and share("0123456789") <= 25 and share(";()") >= 3


def shape(text: str) -> Shape:
    """Twin of `shape.shape`."""
    whole = max(len(text), 1)
    runs = [end - start for start, end in number_spans(text)]
    lines = [line for line in (one.rstrip(BLANKS) for one in text.split("\n")) if line][: 1 << 20]
    return Shape(
        whitespace_fraction=sum(map(str.isspace, text)) / whole,
        digit_fraction=sum(one in "0123456789" for one in text) / whole,
        is_minified=is_minified(text),
        number_run_longest=max(runs, default=0),
        number_run_fraction=sum(runs) / whole,
        duplicate_line_fraction=(len(lines) - len(set(lines))) / max(len(lines), 1),
    )
