"""The lexical kernel again in plain Python: what it means, and what the tests hold it to. Nothing else calls this.

One difference: nothing here counts what was looked at in vain, so that on files with thousands of quotes that never
close the kernel gives up where this goes on (quadratically).
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from starloom.kernels.lexical_lexer_twin import Lexer, Span
from starloom.kernels.lexical_rules import COMMENT, STRING, Syntax
from starloom.kernels.lexical_spans import AFTER_WORDS, BEFORE_WORDS, INSIDE_WORDS, LEAST_WORDS

WHITE = b" \t\n\v\f\r"


class Counts(NamedTuple):
    """`lexical.LexicalCounts` of one file."""

    characters: int
    solid: int
    comment_characters: int
    string_characters: int
    longest_string: int
    identifiers: int
    identifier_characters: int
    prose_characters: int
    documented: bool


def counts(content: str, syntax: Syntax | None) -> Counts:
    """Twin of `lexical.lexical_counts`, of one file; None: an unknown language."""
    text = content.encode()
    lexer = Lexer(text, syntax or Syntax((), text=True))
    lexer.run()
    comments = [text[a:b].decode() for a, b, kind in lexer.spans if kind == COMMENT]
    strings = [text[a:b].decode() for a, b, kind in lexer.spans if kind == STRING]
    return Counts(
        len(content),
        _solid(content),
        sum(map(_solid, comments)),
        sum(map(len, strings)),
        max(map(len, strings), default=0),
        len(lexer.words),
        sum(lexer.words),
        sum(map(_prose, [content] if lexer.syntax.text else _passages(text, lexer.spans))),
        lexer.documented,
    )


def spans(content: str, syntax: Syntax) -> list[Span]:
    """Twin of `lexical.spans`."""
    lexer = Lexer(content.encode(), syntax)
    lexer.run()
    return lexer.spans


def _solid(text: str) -> int:
    return sum(one not in " \t\n\v\f\r" for one in text)


def _passages(text: bytes, found: Sequence[Span]) -> Iterator[str]:
    """Comments with only white space between them as one; strings alone."""
    joined, end = b"", 0
    for start, stop, kind in found:
        if kind == STRING or text[end:start].strip(WHITE):
            yield joined.decode()
            joined = b""
        joined += b" " + text[start:stop]
        end = stop
        if kind == STRING:
            yield joined.decode()
            joined = b""
    yield joined.decode()


def _prose(passage: str) -> int:
    """Characters of words that stand four or more in a row."""
    total = words = characters = 0
    for piece in [*re.split("[ \t\n\v\f\r]+", passage), "="]:
        kinds = "".join(_kind(one) for one in piece)
        if re.fullmatch("[MLTBNH]*", kinds):
            continue
        if re.fullmatch("[MLTBNH]*A[ABNH]*[TBMN]*", kinds):
            words += 1 + sum(one.isalpha() and ord(one) >= 0x800 for one in piece) // 2
            characters += len(piece)
            continue
        total += characters if words >= LEAST_WORDS else 0
        words = characters = 0
    return total


def _kind(one: str) -> str:
    """A letter; N: a sign beyond ASCII; of marks L: before a word, T: after it, M: either, H: before or inside it, B:
    all three; X: anything else."""
    if one.isalpha():
        return "A"
    if ord(one) >= 0x80:
        return "X" if one.isalnum() else "N"
    places = (ord(one) in BEFORE_WORDS, ord(one) in INSIDE_WORDS, ord(one) in AFTER_WORDS)
    return {
        (True, False, False): "L",
        (False, False, True): "T",
        (True, False, True): "M",
        (True, True, False): "H",
        (True, True, True): "B",
    }.get(places, "X")
