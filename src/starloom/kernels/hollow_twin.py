"""kernels/hollow again in plain Python: what it means, and what the tests hold it to. Nothing else calls this."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from starloom.kernels.hollow import MOST_CONDITIONS, MOST_LEVELS
from starloom.kernels.hollow_rules import CONTROLS, HOLDS, STAYS, Brackets, word_kinds
from starloom.kernels.lexical_rules import COMMENT

_OPENED = {b")": b"(", b"]": b"[", b"}": b"{"}
_WORD = re.compile(rb"[0-9A-Za-z_$\x80-\xff]+")
_SYMBOL = re.compile(rb"""(?:[^\0-\x20\x7f()\[\]{}'`,;"|](?:(?<=\\)[^\n])*)+""")
_DIRECTIVE = re.compile(rb"#[ \t]*(if|el|en|de)")
_STATEMENT_ENDS = re.compile(rb"[ \t\n\v\f\r]*;")
_COMMENT, _STRING, _CODE = range(3)


def hollow(text: bytes, spans: Sequence[tuple[int, int, int]], brackets: Brackets) -> bytes:
    """Twin of `kernels.hollow.hollow`, of one text."""
    reader = _Reader(text, brackets)
    try:
        for token, place, kind in _tokens(text, spans, _SYMBOL if brackets.lisp else _WORD):
            reader.take(token, place, kind)
    except _TooDeepError:
        return text
    return b"".join(piece for level in reader.levels for piece in (level.opened, *level.inside))


def _tokens(
    text: bytes, spans: Sequence[tuple[int, int, int]], words: re.Pattern[bytes]
) -> Iterator[tuple[bytes, int, int]]:
    """Comments, strings, words and single bytes, with their places."""
    place = 0
    for start, end, kind in [*spans, (len(text), len(text), COMMENT)]:
        while place < start:
            word = words.match(text, place, start)
            token = word[0] if word else text[place : place + 1]
            yield token, place, _CODE
            place += len(token)
        if start < end:
            yield text[start:end], start, _COMMENT if kind == COMMENT else _STRING
        place = max(end, place)


class _TooDeepError(Exception):
    pass


@dataclass
class _Level:
    """A bracket that is open; the first is the file."""

    opened: bytes = b""
    conditions: int = 0  # that it stands under
    may: bool = False  # be emptied
    before_end: bool = False  # even before the end of a statement
    needed: bool = False  # something in it must stay
    waits: bool = False  # for the pair that must stay
    named: bool = False  # a name stands before it
    called: bool = False  # `f(x)` stands before what comes next
    inside: list[bytes] = field(default_factory=list)


class _Reader:
    def __init__(self, text: bytes, brackets: Brackets) -> None:
        self.levels = [_Level()]
        self._text = text
        self._brackets = brackets
        self._kinds = word_kinds(brackets)
        self._floors: list[int] = []  # how many levels were open where a condition began
        self._last: str | bytes = ""  # the last token
        self._blank = True  # nothing but white space was on this line
        self._directive = False

    def take(self, token: bytes, place: int, kind: int) -> None:
        level = self.levels[-1]
        level.inside.append(token)
        if kind == _COMMENT:
            return
        if kind == _STRING:
            self._last, self._blank = "string", False
            level.needed |= self._brackets.perl and b"\n" in token
        elif token == b"\n":
            self._blank = True
            line = (
                self._text[:place].removesuffix(b"\r") if self._text[place - 1 : place] == b"\r" else self._text[:place]
            )
            self._directive = self._directive and line.endswith(b"\\")
        elif self._directive or token in b" \t\v\f\r":
            pass
        elif self._brackets.c and self._blank and token == b"#":
            self._directive = True
            self._condition(_DIRECTIVE.match(self._text, place))
        else:
            self._blank = False
            self._code(level, token, place)

    def _condition(self, found: re.Match[bytes] | None) -> None:
        what = found[1] if found else b""
        if what == b"if":
            if len(self._floors) == MOST_CONDITIONS:
                raise _TooDeepError
            self._floors.append(len(self.levels))
        elif what == b"el" and self._floors:
            floor = self._floors[-1]
            if len(self.levels) > floor:
                self.levels[floor - 1].needed = True
            self._drop(floor)
        elif what == b"en" and self._floors:
            self._floors.pop()
        elif what == b"de":
            self.levels[-1].needed = True

    def _drop(self, floor: int) -> None:
        """Levels beyond `floor` are open no more, and as they are."""
        beyond, self.levels = self.levels[floor:], self.levels[:floor]
        self.levels[-1].inside += [piece for level in beyond for piece in (level.opened, *level.inside)]

    def _code(self, level: _Level, token: bytes, place: int) -> None:
        if (_SYMBOL if self._brackets.lisp else _WORD).match(token):
            self._word(level, token, self._text[place + len(token) : place + len(token) + 1])
            return
        if token in (b"(", b"[", b"{"):
            self._open(level, token, place)
        elif token in _OPENED:
            self._close(token, place)
        elif token == b";":
            level.waits = level.called = False
        elif token == b">" and self._last == b"=":
            level.needed |= self._brackets.arrows
        elif token == b"<" and self._last == b"<":
            level.needed |= self._brackets.perl
        self._last = token

    def _word(self, level: _Level, word: bytes, following: bytes) -> None:
        does = 0 if following == b")" else self._kinds.get(word, 0)
        if self._brackets.lisp or does & STAYS:
            level.waits = False
        level.needed |= bool(does & STAYS)
        level.waits |= bool(does & HOLDS)
        self._last = "control" if does & CONTROLS else "name"

    def _open(self, level: _Level, token: bytes, place: int) -> None:
        if len(self.levels) == MOST_LEVELS:
            raise _TooDeepError
        level.inside.pop()
        one = _Level(token, len(self._floors), named=self._last in ("name", b">"))
        if token in self._brackets.emptied:
            held = level.waits and not (self._brackets.c and self._last == b")")
            level.needed |= held or (bool(self._brackets.controls) and level.called)
            level.waits = level.called = False
            one.may = not held and self._text[max(place - 1, 0) : place] in (
                b"",
                *b" |\t|\v|\f|\r|\n|(|[|{|)|]|}".split(b"|"),
            )
            one.may &= not (self._brackets.perl and self._last in ("", b";", b"{", b"}"))
            one.before_end = self._last == b"=" or not self._brackets.c
        self.levels.append(one)

    def _close(self, token: bytes, place: int) -> None:
        self.levels[-1].inside.pop()
        floor = self._floors[-1] if self._floors else 1
        found = [at for at in range(floor, len(self.levels)) if self.levels[at].opened == _OPENED[token]]
        if not found:
            self.levels[-1].inside.append(token)
            return
        at = found[-1]
        one, below = self.levels[at], self.levels[at - 1]
        if one.needed or at < len(self.levels) - 1:
            below.needed = True
        elif (
            one.may
            and one.conditions == len(self._floors)
            and not (_STATEMENT_ENDS.match(self._text, place + 1) and not one.before_end)
        ):
            one.inside = [b"\n" * b"".join(one.inside).count(b"\n")]
        self._drop(at)
        below.inside.append(token)
        if one.opened in self._brackets.emptied:
            below.waits = below.called = False
        elif token == b")":
            below.called = one.named
