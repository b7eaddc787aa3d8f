"""Where in a text a rule's value comes from: the longest line, the encoded run, the marker, what holds no letters.

For pages and answers that show a person why a file went; deciding needs none of it. Of each column that a rule may ask
this knows the stretches that make its value what it is, worst first; of those that no stretch of the text makes
(a path, a licence's name, a count of lines below its limit) there are none. At most 4,000,000 characters are looked at,
the search for long lines apart. Cost: one or two passes of `re`, some 50 MB/s; runs of numbers 2 MB/s.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from heapq import nlargest

import numpy as np

from starloom.languages.generated import generated_marker
from starloom.privacy.span import Span

MOST = 200  # stretches of one text
_LOOKED, _LOOKED_SLOWLY = 4_000_000, 500_000  # characters; for what is found character by character
_HEAD = 25  # lines in which files say that they are generated

Find = Callable[[str, "float | None", "str | None"], Iterable[Span]]  # (text, limit, language): worst first

_IDENTIFIER = re.compile(r"'(?:[^']|'')*'|[A-Za-z_][A-Za-z0-9_]*")
_LIMIT = re.compile(r"(<>|!=|<=|>=|<|>|=)\s*(-?\d+(?:\.\d+)?)")


def offending(condition: str, text: str, language: str | None = None) -> list[Span]:
    """Stretches (characters of `text`) that make `condition` true, worst first, at most `MOST`; each label says what it
    is. `condition`: a column, or the condition that the ledger shows as the limit (`max_line_length > 1000`).

    >>> offending("max_line_length > 9", "short\\na longer line\\n")
    [Span(start=6, end=19, label='the longest line: 13 characters')]
    >>> offending("language IS NULL", "short")
    []
    """
    number = _LIMIT.search(condition)
    limit = float(number[2]) if number else None
    for name in dict.fromkeys(_IDENTIFIER.findall(condition)):
        find = _FINDERS.get(name)
        if find is not None and not (number and number[1] in _BELOW and name in _FOR_MUCH):
            found = [one for one in find(text, limit, language) if one.start < one.end]
            if found:
                return found[:MOST]
    return []


def stated_lines(text: str, lines: str) -> list[Span]:
    """The stretch of the lines "3-9" or "3" (from 1), as the ledger's license_source ends; none where it is none.

    >>> stated_lines("a\\nb\\nc\\n", "2-3")
    [Span(start=2, end=5, label='what told the licence')]
    """
    numbers = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", lines)
    if numbers is None or int(numbers[1]) < 1:
        return []
    start = _line_start(text, int(numbers[1]))
    end = _line_start(text, int(numbers[2] or numbers[1]) + 1)
    if start is None or not text:
        return []
    stop = len(text.rstrip("\n")) if end is None else end - 1
    return [Span(start, stop, "what told the licence")] if start < stop else []


def _line_start(text: str, number: int) -> int | None:
    """Where line `number` (from 1) begins; None where there are fewer."""
    place = -1
    for _ in range(number - 1):
        place = text.find("\n", place + 1)
        if place < 0:
            return None
    return place + 1


def _long_lines(text: str, _limit: float | None, _language: str | None) -> Iterator[Span]:
    lengths = [len(line) for line in text.split("\n")]
    for number in nlargest(3, range(len(lengths)), key=lengths.__getitem__)[: 1 if len(lengths) < 9 else 3]:
        start = sum(lengths[:number]) + number
        which = "the longest line" if lengths[number] == max(lengths) else "a long line"
        yield Span(start, start + lengths[number], f"{which}: {lengths[number]:,} characters")


def _lines_past(text: str, limit: float | None, _language: str | None) -> Iterator[Span]:
    """Whatever lies past so many lines."""
    if limit is None:
        return
    start = _line_start(text, int(limit) + 1)
    if start is not None:
        yield Span(start, len(text.rstrip("\n")), f"what lies past {int(limit):,} lines")


def _runs(pattern: str, words: str) -> Find:
    """The longest matches; `pattern` must be linear."""
    compiled = re.compile(pattern)

    def find(text: str, _limit: float | None, _language: str | None) -> list[Span]:
        found = ((one.end() - one.start(), one.start(), one.end()) for one in compiled.finditer(text, 0, _LOOKED))
        worst = nlargest(MOST, found, key=lambda one: (one[0], -one[1]))
        return [Span(start, end, f"{words}: {size:,} characters") for size, start, end in worst]

    return find


def _poor_window(pattern: str, words: str) -> Find:
    """Matches within the 600 characters that hold most of them, the longest first."""
    runs = _runs(pattern, words)
    compiled = re.compile(pattern)

    def find(text: str, limit: float | None, language: str | None) -> Iterable[Span]:
        if len(text) <= _WINDOW:
            return runs(text, limit, language)
        sums: dict[int, int] = {}
        for one in compiled.finditer(text, 0, _LOOKED):
            for window in range(one.start() // _WINDOW, (one.end() - 1) // _WINDOW + 1):
                inside = min(one.end(), (window + 1) * _WINDOW) - max(one.start(), window * _WINDOW)
                sums[window] = sums.get(window, 0) + inside
        if not sums:
            return []
        worst = max(sums, key=lambda window: (sums[window], -window))
        start = worst * _WINDOW
        part = text[start : start + _WINDOW]
        return [Span(start + one.start, start + one.end, one.label) for one in runs(part, limit, language)]

    return find


_WINDOW = 600  # characters


def _marker(text: str, _limit: float | None, _language: str | None) -> Iterator[Span]:
    """The words that say that a program wrote it."""
    found = generated_marker(text)
    if found is not None:
        words, line = found[0].split(" … ")[0], found[1]
        start = _line_start(text, line) or 0
        place = re.compile(re.escape(words), re.IGNORECASE).search(text, start)
        if place is not None:
            yield Span(place.start(), place.end(), "the marker")
    head = _line_start(text, _HEAD + 1)
    for one in _GENERATED.finditer(text, 0, min(len(text) if head is None else head, 20_000)):
        yield Span(one.start(), one.end(), "words of generators")
    for one in _SOURCE_MAP.finditer(text, max(len(text) - 300, 0)):
        yield Span(one.start(), one.end(), "compilers end so")


_GENERATED = re.compile(
    r"(?:auto-?|machine-?|automatically )?generated(?: automatically)?(?: (?:by|from|with|using)\b)?"
    r"|created automatically|(?:do not|don't|never) (?:hand-?)?(?:edit|modify|change)",
    re.IGNORECASE,
)


_SOURCE_MAP = re.compile(r"[#@] sourceMappingURL=\S+")


def _repeated_lines(text: str, _limit: float | None, _language: str | None) -> list[Span]:
    """Blocks of lines that stood before, the longest first."""
    seen: set[str] = set()
    blocks: list[tuple[int, int]] = []
    start = 0
    for line in text[:_LOOKED].split("\n"):
        end = start + len(line)
        if line.strip():
            if line in seen:
                if blocks and blocks[-1][1] + 1 == start:
                    blocks[-1] = (blocks[-1][0], end)
                else:
                    blocks.append((start, end))
            seen.add(line)
        start = end + 1
    worst = nlargest(MOST, blocks, key=lambda one: (one[1] - one[0], -one[0]))
    return [Span(start, end, "lines that stood before") for start, end in worst]


def _encoded(*patterns: str, data_only: bool = False) -> Find:
    """The longest matches of these of the paper's three patterns; of all where none is named. `data_only`: no words."""

    def find(text: str, _limit: float | None, _language: str | None) -> list[Span]:
        from starloom.kernels.run_twins import encoded_spans

        every = encoded_spans(text[:_LOOKED], data_only)
        found = [one for one in every if not patterns or one[2] in patterns]
        worst = nlargest(MOST, found, key=lambda one: (one[1] - one[0], -one[0]))
        return [Span(start, end, f"{kind}: {end - start:,} characters") for start, end, kind in worst]

    return find


def _numbers(text: str, _limit: float | None, _language: str | None) -> list[Span]:
    from starloom.kernels.run_twins import number_spans

    found = [(start, end) for start, end, *_ in number_spans(text[:_LOOKED_SLOWLY])]
    worst = nlargest(MOST, found, key=lambda one: (one[1] - one[0], -one[0]))
    return [Span(start, end, f"nothing but numbers: {end - start:,} characters") for start, end in worst]


def _markup(text: str, _limit: float | None, _language: str | None) -> list[Span]:
    """What a browser does not show: scripts, styles, comments, tags; the longest first."""
    text = text[:_LOOKED]
    spans: list[Span] = []
    ends: dict[str, re.Pattern[str] | None] = dict(_ENDS)  # None: its end does not come any more
    at = 0
    while (tag := _TAG.search(text, at)) is not None:
        name = (tag[1] or tag[2] or "").lower()
        pattern = ends.get(name)
        close = pattern.search(text, tag.end()) if pattern else None
        if pattern and close is None:
            ends[name] = None
        end = close.end() if close else tag.end()
        spans.append(Span(tag.start(), end, f"{_NAMES.get(name, 'a tag')}: {end - tag.start():,} characters"))
        at = end
    return nlargest(MOST, spans, key=lambda one: (one.end - one.start, -one.start))


_TAG = re.compile(r"<(!--)|</?([A-Za-z][A-Za-z0-9]*)[^<>]*+>")
_ENDS: dict[str, re.Pattern[str] | None] = {
    "!--": re.compile("-->"),
    "script": re.compile(r"</script\s*>", re.IGNORECASE),
    "style": re.compile(r"</style\s*>", re.IGNORECASE),
}
_NAMES = {"!--": "a comment", "script": "a script", "style": "a style sheet"}


def _lexical(kind: str) -> Find:
    """Comments or strings, the longest first; none in a language whose syntax is not known."""

    def find(text: str, _limit: float | None, language: str | None) -> list[Span]:
        from starloom.kernels.lexical import spans
        from starloom.kernels.lexical_rules import COMMENT, STRING
        from starloom.languages.comments import packed, place

        number = place(language)
        if number < 0:
            return []
        data = np.frombuffer(text[:_LOOKED].encode("utf-8", "surrogatepass"), dtype=np.uint8)
        found = spans(data, number, packed()[1])
        found = found[found[:, 2] == (COMMENT if kind == "comment" else STRING)]
        sizes = found[:, 1] - found[:, 0]
        worst = found[np.argsort(-sizes, kind="stable")[:MOST]]
        before = np.concatenate([[0], np.cumsum((data & 0xC0) != 0x80)])  # characters before each byte
        places = before[worst[:, :2]].tolist()
        return [Span(start, end, f"a {kind}: {end - start:,} characters") for start, end in places]

    return find


_FINDERS: dict[str, Find] = {
    "max_line_length": _long_lines,
    "avg_line_length": _long_lines,
    "is_minified": _long_lines,
    "num_lines": _lines_past,
    "alpha_fraction": _poor_window(r"[\W\d_]{4,}", "no letters"),
    "alphanum_fraction": _poor_window(r"[\W_]{4,}", "neither letters nor digits"),
    "whitespace_fraction": _runs(r"\s{8,}", "white space"),
    "digit_fraction": _runs(r"\d(?:[\d\s.,;:+-]{3,}+)", "digits"),
    "duplicate_line_fraction": _repeated_lines,
    "is_generated": _marker,
    "base64_longest": _encoded("base64"),
    "hex_longest": _encoded("hex"),
    "unicode_longest": _encoded("unicode"),
    "encoded_longest": _encoded(),
    "encoded_fraction": _encoded(),
    "encoded_data_longest": _encoded(data_only=True),
    "encoded_data_fraction": _encoded(data_only=True),
    "number_run_longest": _numbers,
    "number_run_fraction": _numbers,
    "visible_characters": _markup,
    "visible_fraction": _markup,
    "comment_fraction": _lexical("comment"),
    "prose_fraction": _lexical("comment"),
    "string_fraction": _lexical("string"),
    "longest_string": _lexical("string"),
    "avg_identifier_length": _runs(r"[^\W\d]\w*", "a name"),
}

# What makes these is too much of something: where a rule drops what has too little of it, there is nothing to mark.
_BELOW = ("<", "<=")
_FOR_MUCH = frozenset(
    [
        *("max_line_length", "avg_line_length", "num_lines", "whitespace_fraction", "digit_fraction"),
        *("duplicate_line_fraction", "comment_fraction", "prose_fraction", "string_fraction", "longest_string"),
        "avg_identifier_length",
    ]
)
