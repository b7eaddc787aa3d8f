r"""Regular expressions, by RE2: time linear in the text, memory bounded. The one place that knows the library.

RE2's syntax (https://github.com/google/re2/wiki/Syntax): no look-around and no back-references, which no linear search
has. `^` and `$` stand at the ends of lines, `.` for all but a line's end; (?-m) and (?s) change that. A pattern that is
not case sensitive is sought in the folded text, as words and pieces of text are, and is folded itself.
Cost: 20-100 µs to compile; 0.1-1 GB/s to search, whatever the pattern.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from starloom.search.nodes import Pattern, fold
from starloom.search.place import Place, refuse

if TYPE_CHECKING:
    from re2 import _Regexp as Compiled

HELP: Final = 'a regular expression is one of RE2; to find text with slashes around it, put it in quotes: "/x/"'

MOST_INSTRUCTIONS: Final = 150_000  # of a query's patterns together: some 0.2 s to compile
_MEMORY: Final = 8 << 20  # bytes, of a compiled pattern and of what it remembers while it searches
_KEPT: Final = 8  # compiled patterns, those of the queries that are being answered
COUNTED: Final = re.compile(r"\{(0|[1-9][0-9]{0,3})(,(0|[1-9][0-9]{0,3})?)?\}")  # a repetition; to RE2 `{02}` is text

_LINES: Final = "(?m)"
_ESCAPED = re.compile(
    r"""\\Q(?P<text>.*?)(?:\\E|\Z)
      | \\x(?:\{(?P<long>[0-9a-fA-F]{1,6})\}|(?P<short>[0-9a-fA-F]{2}))
      | \\(?P<octal>0[0-7]{0,2}|[1-7][0-7]{1,2})
      | \\[pP](?:\{\^?(?P<unicode>\w+)\}|.)
      | \\.                    # \W, \n, \.
      | \[:\^?(?P<posix>\w+):\]
      | \(\?P?<\w+>            # the name of a group
      | \(\?[a-zA-Z-]+[:)]     # (?U)
    """,
    re.VERBOSE | re.DOTALL,
)
# What passes over no line's end, as briefly as it can be told: the rest may. A class that excludes must name it.
_MEMBER: Final = r"[^\]\\\[\x00-\x1f] | \\(?:[wdStfrv](?!-)|[^\w\s\x00-\x1f])"  # of a class
_ON_ONE_LINE = re.compile(
    rf"""(?: [^\\\[(\x00-\x1f]               # literals, anchors, repetitions, and . without (?s)
          | \\(?:[bBwdStfrv]|[^\w\s\x00-\x1f])
          | \((?:\?:|(?!\?))
          | \[(?!\^)(?: {_MEMBER} )+ \]
          | \[\^(?: {_MEMBER} )* \\[ns](?!-) (?: {_MEMBER} | \\[ns](?!-) )* \]
        )*""",
    re.VERBOSE,
)
_CASE_CLASSES: Final = ("Lu", "Ll", "Lt", "upper", "lower")


def speaks_of_case(source: str) -> bool:
    r"""Whether a pattern has a capital letter, or a class that only one case is in; \W and \x20 are none."""
    for found in _ESCAPED.finditer(source):
        if (found["text"] or "") != fold(found["text"] or "") or (found["unicode"] or found["posix"]) in _CASE_CLASSES:
            return True
        if (character := _numbered(found)) != fold(character):
            return True
    bare = _ESCAPED.sub("", source)
    return bare != fold(bare)


def _numbered(escaped: re.Match[str]) -> str:
    """The character that an escape tells by its number; nothing where it tells none."""
    code = int(escaped["octal"], 8) if escaped["octal"] else int(escaped["long"] or escaped["short"] or "0", 16)
    return chr(code) if 0 < code <= 0x10FFFF and not 0xD800 <= code < 0xE000 else ""


@lru_cache(_KEPT)
def compile(pattern: Pattern) -> "Compiled":
    """The pattern ready to be sought: in the text in UTF-8, or, unless case sensitive, in the folded one. Made once for
    all that a query asks it for: what it has learnt of its texts while it searches is kept too.

    Raises ValueError with RE2's words.
    """
    import re2

    source, options = pattern.source, re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    options.never_capture = True  # where it stands is all that is asked
    if by_unicode(pattern):
        options.case_sensitive = False
    elif not pattern.case_sensitive:
        source = _folded(source)
    try:
        return re2.compile((_LINES + source).encode(), options)
    except re2.error as problem:
        raise ValueError(problem.args[0].decode(errors="replace")) from None
    finally:
        re2.purge()  # it would remember what was asked


def by_unicode(pattern: Pattern) -> bool:
    """Whether it is left to RE2 to find a pattern in any case: folding [A-z] would lose what is between Z and a."""
    return not pattern.case_sensitive and "[" in pattern.source and speaks_of_case(pattern.source)


def needs_folding(pattern: Pattern) -> bool:
    r"""Whether it tells one character that is not ASCII from another: only then they need be folded too."""
    return not pattern.source.isascii() or re.search(r"\\[pPx0-7]", pattern.source) is not None


def on_one_line(pattern: Pattern) -> bool:
    """Whether it surely finds nothing that reaches over a line's end, so that it may be sought in each line alone."""
    return is_on_one_line(pattern.source)


def is_on_one_line(source: str) -> bool:
    """The same of a pattern's source, or of a part of it that is one by itself."""
    return _ON_ONE_LINE.fullmatch(source) is not None


def stands(compiled: "Compiled", data: bytes) -> bool:
    """Whether it stands somewhere in UTF-8."""
    return compiled.search(data) is not None


def holding(compiled: "Compiled", lines: bytes, bounds: Sequence[int]) -> Iterator[int]:
    """In which texts it stands on a line: those of text i are lines[bounds[i]:bounds[i + 1]]. It is sought in the lines
    of all of them at once, and behind a match in those of the next text."""
    at = 0
    while at < len(lines) and (match := compiled.search(lines, at)):
        number = bisect_right(bounds, match.start()) - 1
        yield number
        at = bounds[number + 1]


def found(compiled: "Compiled", data: bytes) -> Iterator[tuple[int, int]]:
    """Where it stands in UTF-8: (start, end) in bytes, from left to right, apart; empty matches too."""
    for match in compiled.finditer(data):
        yield match.span()


def check(query: str, pattern: Pattern, place: Place) -> int:
    """How many instructions the pattern takes. Raises UserError that points into the query, to `place`, where the
    pattern stands, when it cannot be sought."""
    try:
        if "\\C" in (one[0] for one in _ESCAPED.finditer(pattern.source)):
            raise ValueError("invalid escape sequence: \\C")  # a byte is no character
        return int(compile(pattern).programsize)
    except ValueError as problem:
        told, _, part = str(problem).partition(": ")
        at = pattern.source.find(part) if part else -1
        if pattern.source.endswith(part):
            at = len(pattern.source) - len(part)  # what begins there never ends
        inside = Place(place.start + at, place.start + at + max(len(part), 1)) if at >= 0 and part else place
        refuse(query, inside, *_words(told, part))


def _words(told: str, part: str) -> tuple[str, str]:
    """(problem, hint)"""
    if part.startswith(("(?=", "(?!", "(?<")):
        return "regular expressions have no look-around here", "leave out what is in it; exclude files with -/…/"
    if re.match(r"\\([1-9]|k)", part):
        return "regular expressions have no back-references here", "write out what may stand there twice"
    if "too large" in told:
        return "this regular expression is too large", "repeat less in it: {1,1000} copies what is before it"
    return f"this regular expression is not understood: {told}", HELP


def _folded(source: str) -> str:
    """The pattern with its letters folded, those that are told by their numbers too, and its escapes as they are."""
    pieces, at = [], 0
    for one in _ESCAPED.finditer(source):
        text, character = one["text"], _numbered(one)
        escape = one[0] if character == fold(character) else f"\\x{{{ord(fold(character)):x}}}"
        pieces += [fold(source[at : one.start()]), escape if text is None else f"\\Q{fold(text)}\\E"]
        at = one.end()
    return "".join([*pieces, fold(source[at:])])
