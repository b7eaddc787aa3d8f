"""`code_tokens` again in plain Python: what it means, and what the tests hold it to."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from starloom.kernels.code_tokens import DIRECTIVES, KEYWORDS, MOST_BLOCK

_WORD = re.compile(rb"[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*")
_NUMBER = re.compile(rb"[0-9](?:[A-Za-z0-9_\x80-\xff]|\.(?=[0-9]))*")
_PREFIX = re.compile(rb"[rbufl].?", re.IGNORECASE | re.DOTALL)
_BLOCKS = ((rb"/\*", b"*/"), (rb"\(\*(?=[\s*]|$)", b"*)"), (rb"<!--", b"-->"))
_WHITE = b" \t\n\v\f\r"


class Token(NamedTuple):
    """`what`: "name", "keyword", "number", "string" or "mark"."""

    what: str
    start: int
    end: int


def tokens(text: bytes) -> list[Token]:
    """Twin of `code_tokens.tokens`."""
    return list(_tokens(text))


def _tokens(text: bytes) -> Iterator[Token]:
    barren: dict[bytes, int] = {}
    p = 0
    while p < len(text):
        first, quote = p, p
        if text[p] in _WHITE:
            p += 1
            continue
        if number := _NUMBER.match(text, p):
            p = number.end()
            yield Token("number", first, p)
            continue
        if word := _WORD.match(text, p):
            quote = word.end()
            if not (text[quote : quote + 1] in (b'"', b"'") and _PREFIX.fullmatch(word[0])):
                yield _word(word[0], first)
                p = quote
                continue
        one = text[quote : quote + 1]
        if one in (b'"', b"'") and text[quote : quote + 3] == 3 * one:
            opens = quote > first or _opens(text, quote)
            end = _block_end(text, quote, 3, 3 * one) if opens else None
            p = end or quote + 3
            if end and first and text[first - 1 : first] != b"\n":
                yield Token("string", first, end)
            continue
        if one in (b'"', b"'", b"`") and (end := _string_end(text, first, quote, barren)):
            p = end
            yield Token("string", first, end)
        elif word:
            p = quote
            yield _word(word[0], first)
        elif one not in (b'"', b"'", b"`") and (end := _comment_end(text, p)):
            p = end
        else:
            p += 1
            yield Token("mark", first, p)


def _word(word: bytes, start: int) -> Token:
    return Token("keyword" if word.decode("latin-1") in KEYWORDS.split() else "name", start, start + len(word))


def _opens(text: bytes, p: int) -> bool:
    """Whether a triple quote opens a block."""
    begins_line = p == 0 or text[p - 1 : p] == b"\n"
    before = text[:p].rstrip(_WHITE)[-1:]
    after = text[p + 3 : p + 4].strip(_WHITE)
    return (begins_line and after != b"") or before in (b"", b":", b"=", b"(", b",", b"[", b"{", b"+", b"%")


def _block_end(text: bytes, p: int, width: int, closer: bytes) -> int | None:
    q = text.find(closer, p + width)
    return q + len(closer) if 0 <= q <= p + MOST_BLOCK else None


def _string_end(text: bytes, first: int, p: int, barren: dict[bytes, int]) -> int | None:
    quote = text[p : p + 1]
    if p < barren.get(quote, 0) or (
        quote == b"'" and p == first and re.match(rb"[A-Za-z0-9_\x80-\xff]", text[p - 1 : p])
    ):
        return None
    inside = re.compile(rb"(?:\\(?:.|$)|[^\\\n%s])*" % quote, re.DOTALL).match(text, p + 1)
    assert inside is not None
    if text[inside.end() : inside.end() + 1] == quote:
        return inside.end() + 1
    barren[quote] = inside.end()
    return None


def _comment_end(text: bytes, p: int) -> int | None:
    for opener, closer in _BLOCKS:
        if re.compile(opener).match(text, p):
            return _block_end(text, p, 4 if closer == b"-->" else 2, closer)
    begins_line = p == 0 or text[p - 1 : p] == b"\n"
    apart = p == 0 or text[p - 1] in _WHITE
    if begins_line and text[p : p + 2] == b"*/":
        return p + 2
    line = text[p:].split(b"\n", 1)[0]
    directive = begins_line and re.match(rb"#([A-Za-z_\x80-\xff][\w\x80-\xff]*)", line)
    if directive and directive[1].decode("latin-1") in DIRECTIVES.split():
        return None
    if (
        (line.startswith(b"//") and text[p - 1 : p] != b":")
        or (line.startswith(b"#") and apart and not re.match(rb"#(?:[\[{(]|!\[)", line))
        or (apart and re.match(rb"--(?:[\s-]|$)", line))
        or (begins_line and re.match(rb"[;%]|\*(?:\s|$)", line))
    ):
        return p + len(line)
    return None
