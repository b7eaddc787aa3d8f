"""Twin of lexical_opening's and lexical_closing's forms, in plain Python: see lexical_twin.py."""

import re

from starloom.kernels.lexical_closing import MARKED_MOST, REGEX_MOST
from starloom.kernels.lexical_rules import Rule

PAIRS = {b"(": b")", b"[": b"]", b"{": b"}", b"<": b">"}
CODE = {"$": (b"${",), "(": (b"$(",), "#": (b"#{",), "p": (b"\\(",)}

_QUOTED = rb"(?:'[^'\n]{1,99}'|\"[^\"\n]{1,99}\"|`[^`\n]{1,99}`)"
_NAME = rb"[A-Za-z0-9_]{0,98}(?![A-Za-z0-9_])"  # at most HERE_MOST - 1 with its first letter
FORMS = [
    ("R", rb"(?![*/]|\Z)"),
    ("H", rb"(?:[-~]?" + _QUOTED + rb"|[-~][A-Za-z_]" + _NAME + rb"|[A-Z_]" + _NAME + rb")"),
    ("h", rb"[-~]?[ \t]*(?:" + _QUOTED + rb"|\\?[A-Za-z_]" + _NAME + rb")"),
    ("L", rb"=*\["),
    ("X", rb"[^\x00-\x20()\\]{0,16}\("),
    ("U", rb"#*\""),
    ("P", rb"(?=[a-zA-Z])"),
    ("Z", rb"(?=[\r ]*(?:\n|\Z))"),
]


def here_word(opening: bytes) -> tuple[bytes, bool]:
    """The word that ends a here-document, and whether it may be indented."""
    found = re.match(rb"(<+)([-~]?)[ \t]*(['\"`]?)\\?(.*?)['\"`]?\Z", opening, re.DOTALL)
    assert found
    return found[4], len(found[1]) == 3 or bool(found[2])


def size(first: bytes) -> int:
    """Bytes of a character."""
    return 1 if first < b"\xc0" else 2 if first < b"\xe0" else 3 if first < b"\xf0" else 4


def find(text: bytes, closing: bytes, p: int) -> int:
    """The position after `closing`, or the end."""
    found = text.find(closing, p)
    return len(text) if found < 0 else found + len(closing)


def string(text: bytes, p: int, rule: Rule) -> tuple[int, str]:
    """The end of a string; closed, code (follows in it) or failed."""
    close, flags, n = rule.close, rule.flags, len(text)
    escape = b"\\" if "e" in flags else b"`" if "g" in flags else b"none"
    code = [mark for flag, marks in CODE.items() if flag in flags for mark in marks]
    while p < n:
        c = text[p : p + 1]
        if text.startswith(close, p):
            if "d" in flags and text.startswith(close, p + len(close)):
                p += 2 * len(close)
                continue
            if len(close) == 3 and close[0] == close[1]:
                while text[p + 3 : p + 4] == close[:1]:
                    p += 1
            return p + len(close), "closed"
        for mark in code:
            if text.startswith(mark, p):
                return p + 2, "code"
        if "{" in flags and c == b"{" and p + 1 < n and text[p + 1 : p + 2] != b"{":
            return p + 1, "code"
        if c == escape:
            p += 3 if p + 2 < n and text[p + 1] == 0x0D else 2
            continue
        if "{" in flags and c == b"{":
            p += 1
        if c == b"\n" and "m" not in flags:
            return p, "failed"
        p += 1
    return n, "failed"


def regex(text: bytes, p: int) -> tuple[int, bool] | None:
    """The end of a regular expression whose content begins at p."""
    last = min(p + REGEX_MOST, len(text))
    found = re.compile(rb"(?:\\[\s\S]|\[(?:\\[\s\S]|[^\]\\\n])*\]|[^/\[\\\n])*/[a-z]*").match(text, p, last)
    return (found.end(), False) if found else None


def marked(text: bytes, p: int, two: bool) -> tuple[int, bool] | None:
    """The end of a quote whose mark stands at p."""
    last = min(p + MARKED_MOST, len(text))
    opener = text[p : p + 1]
    end = _part(text, p + 1, last, opener)
    if two and end:
        if opener in PAIRS:
            while end < last and text[end : end + 1] in b" \t\n":
                end += 1
            if end < last:
                opener = text[end : end + 1]
                end += 1
        end = _part(text, end, last, opener)
    if not end:
        return None
    if two:
        while end < last and 0x61 <= text[end] <= 0x7A:
            end += 1
    return end, False


def _part(text: bytes, p: int, last: int, opener: bytes) -> int:
    depth, closer = 1, PAIRS.get(opener, opener)
    while p < last:
        c = text[p : p + 1]
        if c == b"\\":
            p += 2
            continue
        if c == closer:
            depth -= 1
            if not depth:
                return p + 1
        elif c == opener:
            depth += 1
        p += 1
    return 0
