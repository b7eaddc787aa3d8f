"""The comments at the top of a file, without their marks, whatever the language.

Line comments, block comments and a docstring, up to the first line of code. Lines that stand above a notice in
many languages (shebang, `<?php`, `package`, `import`, `#include`, `@echo off`, …) are passed over.
"""

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

MAX_LINES, MAX_CHARACTERS = 60, 8_000

_BLOCKS = {
    "/*": "*/",
    "<!--": "-->",
    '"""': '"""',
    "'''": "'''",
    'r"""': '"""',
    "(*": "*)",
    "{-": "-}",
    "{#": "#}",
    "{{/*": "*/}}",
    "<%--": "--%>",
    "--[[": "]]",
    "#|": "|#",
    "<#": "#>",
    "%{": "%}",
    "=begin": "=end",
    "=pod": "=cut",
}
_OPENERS = tuple(sorted(_BLOCKS, key=len, reverse=True))  # the longest that a line begins with comes first
_OPENING = frozenset(opener[0] for opener in _OPENERS)
_LINE = re.compile(r"(?:#|//|;|--|%|!|'|\"|::|\.\\\"|\.\. |\*|@?rem\b|dnl\b|c\s)", re.IGNORECASE)
_LINE_MARKS = frozenset("#;%!'\"*")  # what _LINE takes whatever follows
_PASSED_OVER = re.compile(
    r"<\?|<!doctype|<html|<head|@echo|@charset|(?:package|import|from|namespace|module|using|unit|program|syntax|require)\b"
    r"|---|\{%|\\documentclass|pragma\b|library\b",
    re.IGNORECASE,
)
_FIRST = re.compile(r"\ufeff?\s*(\S)")
_WORD_MARK = re.compile(r"(?:@?rem|dnl|c)\s+|\.\\\"", re.IGNORECASE)
_WORD_MARKS = frozenset("@rRdDcC.")  # its first characters
_MARKS = " \t#*/;%!|'\"-=<>{}~_\\"  # taken off both ends of a line


@dataclass(frozen=True, slots=True)
class Comments:
    """The lines, and all of them as one text with single spaces."""

    lines: list[str]  # without marks; empty ones left out
    numbers: list[int]  # their line numbers in the file, 1-based
    starts: list[int]  # their offsets in `lower`
    lower: str  # the lines joined, in lower case

    def line_at(self, offset: int) -> int:
        """The number of the line that holds an offset of `lower`."""
        return self.numbers[bisect.bisect_right(self.starts, offset) - 1]

    def lines_with(self, word: str) -> Iterator[tuple[int, str]]:
        """(offset in `lower`, line) of each line that has it; `word` in lower case and without white space."""
        at = self.lower.find(word)
        while at >= 0:
            i = bisect.bisect_right(self.starts, at) - 1
            yield self.starts[i], self.lines[i]
            at = self.lower.find(word, self.starts[i + 1]) if i + 1 < len(self.starts) else -1

    def begins_paragraph(self, offset: int) -> bool:
        """Whether a line begins there that does not go on with the sentence of the line before it."""
        i = bisect.bisect_right(self.starts, offset) - 1
        if self.starts[i] != offset:
            return False
        if i == 0 or self.numbers[i] - self.numbers[i - 1] > 1:
            return True
        before = self.lines[i - 1].lower()
        return before.endswith((".", ":", ";", ")")) or "copyright" in before or "(c)" in before or "@" in before


def begins_with_code(text: str) -> bool:
    """Whether the first line is neither a comment nor one that is passed over: there are no leading comments."""
    first = _FIRST.match(text)
    return first is not None and not (
        _LINE.match(text, first.start(1)) or first[1] in _OPENING or _PASSED_OVER.match(text, first.start(1))
    )


def leading_lines(text: str) -> tuple[list[str], list[int]]:
    """The comments above the first line of code, of the first MAX_LINES lines and MAX_CHARACTERS: lines without marks
    and their numbers, as `comments_of` takes them."""
    lines: list[str] = []
    numbers: list[int] = []
    all_lines = text[:MAX_CHARACTERS].removeprefix("\ufeff").split("\n", MAX_LINES)[:MAX_LINES]
    closer = ""  # what ends the block that is open
    for number, raw in enumerate(all_lines, 1):
        line = raw.strip()
        if not line:
            continue
        ends = False
        first = line[0]
        if not closer:
            if first in _OPENING and line.startswith(_OPENERS):
                opener = next(filter(line.startswith, _OPENERS))
                closer, line = _BLOCKS[opener], line[len(opener) :]
            elif first == "{" and _is_pascal(line, all_lines[number : number + 1]):
                closer, line = "}", line[1:]
            elif first not in _LINE_MARKS and not _LINE.match(line):
                if _PASSED_OVER.match(line):
                    continue
                break
        if closer:
            if closer in line:
                line, _, after = line.partition(closer)
                closer, ends = "", _is_code(after.strip())
        elif first in _WORD_MARKS and (mark := _WORD_MARK.match(line)):
            line = line[mark.end() :]
        line = line.strip(_MARKS)
        if line:
            if "  " in line or "\t" in line:
                line = " ".join(line.split())
            lines.append(line)
            numbers.append(number)
        if ends:
            break
    return lines, numbers


def comments_of(lines: list[str], numbers: list[int]) -> Comments:
    """Lines without marks and white space beyond single spaces, and their numbers."""
    lower = " ".join(lines)
    lowered = lines
    if lower.isascii():
        lower = lower.lower()
    else:  # letters may grow in lower case
        lowered = [line.lower() for line in lines]
        lower = " ".join(lowered)
    starts = [number + before for number, before in enumerate(accumulate(map(len, lowered), initial=0))]
    return Comments(lines, numbers, starts[:-1], lower)


def _is_code(after: str) -> bool:
    return bool(after) and after not in (";", ",") and not _LINE.match(after) and not after.startswith(_OPENERS)


def _is_pascal(line: str, following: list[str]) -> bool:
    """Whether `{` opens a comment: JSON and blocks of code go on with a quote or another bracket."""
    rest = line[1:].strip() or "".join(following).strip()
    return bool(rest) and (rest[0].isalnum() or rest[0] in "*=-")
