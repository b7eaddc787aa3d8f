"""What the lexer goes by: a language's comments and strings as rules, and the arrays that hold those of all languages.

A rule is bytes that open something, bytes that close it, and flags, one letter each (FLAGS): where it may open, how it
ends. Who knows languages writes the rules (languages/comments); nothing here knows one. A rule without closing bytes
ends with the line, one that skips at once. Of rules that begin alike the longest is tried first.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SKIPPED, COMMENT, STRING = 0, 1, 2  # what a rule opens; skipped text is neither comment, string nor identifier

FLAGS = {
    # Where it opens
    "0": "at the start of a line",
    "b": "after nothing but white space on its line",
    "s": "after white space, the start of a line or one of ;&|(){}<>`,[",
    "w": "not directly after a word",
    "q": "not directly after a word, a quote, a full stop or a closing bracket",
    "W": "not directly before a word",
    "a": "directly before white space or the end of the line",
    "o": "not among other symbols of an operator",
    "i": "in any case of letters",
    "7": "in the seventh column",
    "v": "where a value may begin: not after a name, a number or a closing bracket",
    "V": "the same, or after a name and white space but not before any, as in `puts /x/`",
    # How it ends
    "e": "a backslash takes the next character in",
    "g": "a grave accent does",
    "d": "closing bytes twice stand for themselves",
    "m": "may go over several lines",
    "n": "nests",
    "l": "the closing bytes stand first on their line",
    "c": "one character or one escape, else it is none",
    "k": "takes the next character in as well (skipped text only)",
    "D": "documentation",
    # Code inside a string
    "$": "${ to }",
    "#": "#{ to }",
    "(": "$( to )",
    "p": "\\( to )",
    "{": "{ to }, unless doubled",
    # Forms of their own
    "R": "a regular expression between slashes on one line",
    "H": "a here-document: <<WORD in capitals, <<-WORD, <<~WORD, <<'WORD'",
    "h": "the same as shells and PHP have it: in small letters too, white space before the word",
    "L": "a long bracket of Lua: [==[ to ]==]",
    "X": 'a raw string of C++: R"mark( to )mark"',
    "U": 'any number of # before and after the quotes: r##" to "##',
    "Q": "any mark, or a pair of brackets that nest",
    "2": "the same with two parts: s/a/b/, s{a}{b}",
    "P": "documentation of Perl: =word to the line that begins with =cut",
    "Z": "the end of the code; a P may follow",
}
BITS = {letter: np.uint64(1 << i) for i, letter in enumerate(FLAGS)}

LETTER, DIGIT, INNER, OPENS, HIGH, SPACE = 1, 2, 4, 8, 16, 32  # classes of bytes; the end of a line is no SPACE
WIDTH = 24  # the longest opening or closing bytes

# What a word may be in any language: not an identifier; what declares something; what a value follows.
KEYWORD, DECLARES, BEFORE_VALUE = 1, 2, 4
_KEYWORDS = """
    abstract alias and as asm assert async await auto begin bool boolean break case catch char class const
    constexpr continue decltype declare def default defer defmodule defp defun delete dim do done double each elif
    else elseif elsif end endif ensure enum esac eval except export extends extern false fi final finally float fn
    for foreach forall forward from fun func function global go goto if impl implements implicit import in inline
    inout int integer interface internal is lambda let local long mod mut mutable namespace native new nil
    nonlocal not null nullptr of or otherwise our override package pass private proc procedure program protected
    protocol pub public raise readonly rescue restrict return sealed self short signed sizeof static step struct
    sub subroutine super switch synchronized template then this throw throws to trait transient true try typedef
    typename typeof undef undefined union unless unsafe unsigned until using val var virtual void volatile when
    where while with xor yield AND BEGIN BY CASE CREATE DELETE DROP ELSE END FALSE False FROM GROUP IF IN INSERT
    INTO IS JOIN NOT NULL None OR ORDER PROCEDURE SELECT SET TABLE THEN TRUE True UPDATE VALUES WHERE WHILE
"""
_DECLARE = """
    abstract async class const data def defmodule defp enum export fn fun func function impl interface local macro
    module package private proc procedure protocol pub public record static struct sub subroutine trait type union var
"""
_VALUE_FOLLOWS = """
    and await case delete do else elsif grep if in instanceof join map new not of or push return split then throw
    typeof unless until void when while xor yield
"""


class Rule(NamedTuple):
    kind: int  # SKIPPED, COMMENT, STRING
    open: bytes
    close: bytes = b""  # empty: the end of the line; of skipped text, nothing more
    flags: str = ""


class Syntax(NamedTuple):
    """One language."""

    rules: tuple[Rule, ...]
    inner: bytes = b""  # what beside letters, digits and _ may stand inside an identifier
    text: bool = False  # prose or markup: no identifiers, and prose is looked for everywhere
    docstrings: bool = False  # a string that is a statement of its own is documentation
    lisp: bool = False  # so is the first string after a line that begins with (def
    above: bool = False  # so is a comment directly above a declaration
    separators: bool = False  # ' may stand inside a number
    outside: bool = False  # the file begins as after the opening bytes of the first skipped rule (?> of PHP)


class Packed(NamedTuple):
    """Many languages as arrays; `firsts[i, c]` to `firsts[i, c + 1]` are the rules of language i that byte c opens."""

    classes: NDArray[np.uint8]  # (languages, 256)
    firsts: NDArray[np.int32]  # (languages, 257)
    traits: NDArray[
        np.uint8
    ]  # (languages, 6): text, docstrings, lisp, above, separators; outside: rule + 1 of the language
    kinds: NDArray[np.uint8]  # (rules,)
    flags: NDArray[np.uint64]  # (rules,)
    lengths: NDArray[np.int32]  # (rules, 2): of opening and closing bytes
    opens: NDArray[np.uint8]  # (rules, WIDTH); lower case where any case goes
    closes: NDArray[np.uint8]


def pack(syntaxes: Sequence[Syntax]) -> Packed:
    """The arrays. Raises ValueError for a rule that the lexer has no room for or a flag it does not know."""
    classes = np.zeros((len(syntaxes), 256), np.uint8)
    firsts = np.zeros((len(syntaxes), 257), np.int32)
    traits = np.zeros((len(syntaxes), 6), np.uint8)
    rules: list[Rule] = []
    for i, syntax in enumerate(syntaxes):
        classes[i] = _classes(syntax.inner)
        traits[i, :5] = (syntax.text, syntax.docstrings, syntax.lisp, syntax.above, syntax.separators)
        by_byte = ordered(syntax.rules)
        for byte in range(256):
            firsts[i, byte] = len(rules)
            for rule in by_byte.get(byte, ()):
                if syntax.outside and rule.kind == SKIPPED and rule.close and not traits[i, 5]:
                    traits[i, 5] = len(rules) - firsts[i, 0] + 1
                classes[i, byte] |= OPENS
                rules.append(rule)
        firsts[i, 256] = len(rules)
    opens, closes = np.zeros((len(rules), WIDTH), np.uint8), np.zeros((len(rules), WIDTH), np.uint8)
    for row, rule in enumerate(rules):
        opens[row, : len(rule.open)] = list(rule.open)
        closes[row, : len(rule.close)] = list(rule.close)
    return Packed(
        classes,
        firsts,
        traits,
        np.array([rule.kind for rule in rules], np.uint8),
        np.array([bits(rule.flags) for rule in rules], np.uint64),
        np.array([(len(rule.open), len(rule.close)) for rule in rules], np.int32).reshape(-1, 2),
        opens,
        closes,
    )


def ordered(rules: Sequence[Rule]) -> dict[int, list[Rule]]:
    """By first byte, the longest first, else as written."""
    found: dict[int, list[Rule]] = {}
    for rule in sorted(rules, key=lambda rule: -len(rule.open)):
        if not 0 < len(rule.open) <= WIDTH or len(rule.close) > WIDTH:
            raise ValueError(f"no room for {rule.open!r} to {rule.close!r}")
        any_case = "i" in rule.flags
        if any_case:
            rule = rule._replace(open=rule.open.lower())
        first = bytes(rule.open[:1])
        for byte in sorted({*first, *(first.upper() if any_case else b"")}):
            found.setdefault(byte, []).append(rule)
    return found


def bits(flags: str) -> int:
    """The flags as one number."""
    if unknown := set(flags) - set(BITS):
        raise ValueError(f"unknown flags {''.join(sorted(unknown))!r}")
    return sum(int(BITS[letter]) for letter in set(flags))


def _classes(inner: bytes) -> NDArray[np.uint8]:
    classes = np.zeros(256, np.uint8)
    for byte in range(128):
        if chr(byte).isalpha() or byte == ord("_"):
            classes[byte] |= LETTER
        elif chr(byte).isdigit():
            classes[byte] |= DIGIT
        elif byte in b" \t\v\f\r":
            classes[byte] |= SPACE
    for byte in inner:
        classes[byte] |= INNER
    classes[128:] |= HIGH
    return classes


def word_kinds() -> dict[bytes, int]:
    """KEYWORD, DECLARES and BEFORE_VALUE of the words that are any of them, one list for all languages."""
    found: dict[bytes, int] = {}
    for words, kind in ((_KEYWORDS, KEYWORD), (_DECLARE, DECLARES), (_VALUE_FOLLOWS, BEFORE_VALUE)):
        for word in words.split():
            found[word.encode()] = found.get(word.encode(), 0) | kind
    return found


SLOTS = 2048
LONGEST_WORD = 16
FIRST, SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)


def word_table() -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    """(words, kinds) in SLOTS places: a word is its bytes as a number of 128 bits, (SLOTS, 2), 0 is none; probed from
    a hash of it on, one after the other."""
    words, kinds = np.zeros((SLOTS, 2), np.uint64), np.zeros(SLOTS, np.uint8)
    for word, kind in word_kinds().items():
        number = int.from_bytes(word, "big")
        high, low = number >> 64, number & (1 << 64) - 1
        slot = ((high * int(FIRST) ^ low * int(SECOND)) & (1 << 64) - 1) >> 40 & SLOTS - 1
        while words[slot].any():
            slot = (slot + 1) % SLOTS
        words[slot], kinds[slot] = (high, low), kind
    return words, kinds


def frozen_fields(packed: Packed) -> Any:
    """The same arrays, read-only, as a plain tuple: what compiled code takes."""
    for array in packed:
        array.flags.writeable = False
    return tuple(packed)
