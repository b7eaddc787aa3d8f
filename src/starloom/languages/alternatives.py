r"""A pattern's alternatives, each searched for only in texts that have one of the words it cannot do without.

`re` tries every alternative at every place of a text, so a pattern of thirty alternatives costs thirty times as much as
one, though most texts have none of their words: `class`, `template`, `namespace` in a header of C. Looking for plain
words first is tens of times faster. `^` is searched for as a line's end, which `re` finds as fast as a letter.

Same answer as `re.search` with MULTILINE, but for the letters that only some foreign scripts take for `s` or `i` in
any case. The words come from Python's own parser of patterns; where a later Python should lack it, every alternative
is simply searched for. Cost: 0.3-1 ms to read a pattern, once; a search of an 8,000 character header some 20 µs.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

try:
    from re import _constants as code  # type: ignore[attr-defined]
    from re import _parser as parser  # type: ignore[attr-defined]
except ImportError:  # private to `re`
    parser = code = None

MOST_WORDS = 40  # of one alternative: looking for more is no faster than the pattern
FEW_WORDS, LONG_WORD = 3, 3  # from which on a pattern is tried only in the lines that have one of them

ANY_CASE = "(?i)"

_FLAGS = re.compile(r"\(\?[a-zA-Z]+\)")
_REFERENCE = re.compile(r"\\[1-9]|\(\?P=|\(\?\(")  # groups are numbered through the whole pattern


class Alternatives:
    """A pattern, ready to be searched for in many texts."""

    def __init__(self, pattern: str) -> None:
        flags = ""
        if found := _FLAGS.match(pattern):
            flags, pattern = found[0], pattern[found.end() :]
        parts = [pattern] if _REFERENCE.search(pattern) else _split(pattern)
        self._parts = [_Part(one, flags) for one in parts]

    @property
    def keys(self) -> frozenset[str]:
        """The words of all alternatives, those that are sought in any case in lower case after ANY_CASE."""
        return frozenset().union(*(part.keys for part in self._parts))

    @property
    def needs_words(self) -> bool:
        """Whether every alternative does."""
        return all(part.keys for part in self._parts)

    def search(self, text: str, standing: frozenset[str] | None = None) -> bool:
        """Whether the pattern matches somewhere in `text`. `standing`, if that is known: which of its `keys` do there,
        and perhaps more."""
        lower = ""
        for part in self._parts:
            where = text
            if standing is not None and part.keys:
                if part.keys.isdisjoint(standing):
                    continue
                if part.any_case and part.in_line:
                    where = lower = lower or text.lower()
            elif part.words:
                if part.any_case:
                    where = lower = lower or text.lower()
                for word in part.words:
                    if word in where:
                        break
                else:
                    continue
            if part.search(text, where):
                return True
        return False


class _Part:
    """One alternative. It is compiled when a text first has one of its words: of many files most never are."""

    def __init__(self, pattern: str, flags: str) -> None:
        self._pattern, self._flags = pattern, flags
        self.any_case = False
        self.words: Sequence[str] = ()
        self.keys: frozenset[str] = frozenset()
        self.in_line = False  # whether a match lies within one line, around one of the words
        if parser:
            parsed = parser.parse(flags + pattern, re.MULTILINE)
            words = _needed(parsed)
            self.any_case = bool(parsed.state.flags & re.IGNORECASE) or _changes_case(parsed)
            if words and len(words) <= MOST_WORDS:
                self.words = sorted({word.lower() for word in words} if self.any_case else words)
                self.keys = frozenset(ANY_CASE + word for word in self.words) if self.any_case else frozenset(words)
                self.in_line = len(words) <= FEW_WORDS and min(map(len, words)) >= LONG_WORD and _in_line(parsed)

    @cached_property
    def _anywhere(self) -> re.Pattern[str]:
        return re.compile(self._flags + self._pattern, re.MULTILINE)

    @cached_property
    def _after_line(self) -> re.Pattern[str]:
        return re.compile(rf"{self._flags}\n(?:{self._pattern[1:]})", re.MULTILINE)

    def search(self, text: str, where: str) -> bool:
        """Whether it matches in `text`; `where` is the text that has its words, in lower case if case is nothing."""
        if self.in_line and len(where) == len(text):
            return any(self._anywhere.search(text, begin, end) for begin, end in _lines_with(self.words, where))
        if not self._pattern.startswith("^"):
            return self._anywhere.search(text) is not None
        return self._anywhere.match(text) is not None or self._after_line.search(text) is not None


def _lines_with(words: Sequence[str], text: str) -> Iterator[tuple[int, int]]:
    for word in words:
        at = text.find(word)
        while at >= 0:
            end = text.find("\n", at)
            yield text.rfind("\n", 0, at) + 1, end if end >= 0 else len(text)
            at = text.find(word, end) if end >= 0 else -1


def _split(pattern: str) -> Iterator[str]:
    """The alternatives of a pattern, outside of groups and classes."""
    depth, start, at = 0, 0, 0
    in_class = False
    while at < len(pattern):
        sign = pattern[at]
        if sign == "\\":
            at += 1
        elif in_class:
            in_class = sign != "]"
        elif sign == "[":
            in_class = True
            at += 2 if pattern[at + 1 : at + 3] == "^]" else pattern[at + 1 : at + 2] == "]"
        elif sign == "(":
            depth += 1
        elif sign == ")":
            depth -= 1
        elif sign == "|" and not depth:
            yield pattern[start:at]
            start = at + 1
        at += 1
    yield pattern[start:]


def _needed(parsed: Any) -> frozenset[str] | None:
    """Words of which every match has at least one; None where there are none."""
    best: frozenset[str] | None = None
    run = ""
    for op, value in _flat(parsed):
        if op is code.LITERAL:
            run += chr(value)
            continue
        if op in (code.AT, code.ASSERT_NOT):
            continue  # takes up no space, so the run goes on
        best, run = _better(best, frozenset([run]) if run else None), ""
        if op is code.BRANCH:
            branches = [_needed(one) for one in value[1]]
            if all(branches):
                best = _better(best, frozenset().union(*(one for one in branches if one)))
        elif op in (code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT) and value[0] > 0:
            best = _better(best, _needed(value[2]))
        elif op is code.ASSERT and value[0] > 0:
            best = _better(best, _needed(value[1]))
        elif op is code.ATOMIC_GROUP:
            best = _better(best, _needed(value))
    return _better(best, frozenset([run]) if run else None)


def _flat(parsed: Any) -> Iterator[tuple[Any, Any]]:
    for op, value in parsed:
        if op is code.SUBPATTERN:
            yield from _flat(value[3])
        else:
            yield op, value


def _better(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    """Whichever is looked for faster and found more rarely: long words, few of them."""
    if not one or not other:
        return one or other
    return min(one, other, key=_rarity)


def _rarity(words: frozenset[str]) -> tuple[float, int]:
    return sum(0.01 + 0.3 ** min(len(word), 6) for word in words), -min(map(len, words))


def _changes_case(parsed: Any) -> bool:
    for op, value in parsed:
        if op is code.SUBPATTERN:
            if value[1] & re.IGNORECASE or _changes_case(value[3]):
                return True
        elif op is code.BRANCH:
            if any(_changes_case(one) for one in value[1]):
                return True
        elif op in (code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT):
            if _changes_case(value[2]):
                return True
        elif op in (code.ASSERT, code.ASSERT_NOT) and _changes_case(value[1]):
            return True
    return False


def _in_line(parsed: Any) -> bool:
    """Whether nothing in a pattern takes or looks at a line's end other than `^` and `$`."""
    return not any(_leaves_line(op, value) for op, value in parsed)


def _leaves_line(op: Any, value: Any) -> bool:
    if op is code.SUBPATTERN:
        return not _in_line(value[3])
    if op is code.BRANCH:
        return not all(map(_in_line, value[1]))
    if op in (code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT):
        return not _in_line(value[2])
    if op in (code.ASSERT, code.ASSERT_NOT):
        return not _in_line(value[1])
    if op is code.ATOMIC_GROUP:
        return not _in_line(value)
    if op is code.IN:
        return _has_line_end(value)
    if op is code.AT:
        return value not in (code.AT_BEGINNING, code.AT_END, code.AT_BOUNDARY)
    if op is code.NOT_LITERAL:
        return bool(value != ord("\n"))
    return op is not code.LITERAL or value == ord("\n")


def _has_line_end(members: Any) -> bool:
    """Whether a class of characters has "\\n"."""
    negated = members[0][0] is code.NEGATE
    with_it = (code.CATEGORY_SPACE, code.CATEGORY_NOT_DIGIT, code.CATEGORY_NOT_WORD)
    named = any(
        (op is code.LITERAL and value == ord("\n"))
        or (op is code.RANGE and value[0] <= ord("\n") <= value[1])
        or (op is code.CATEGORY and value in with_it)
        for op, value in members
    )
    return named != negated
