"""kernels/hollow_layout again in plain Python: what it means, and what tests hold it to. Nothing else calls this."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from starloom.kernels.hollow_layout_rules import (
    ASYNC,
    BEGINS,
    DROPPED,
    ENDED,
    ENDS,
    EQUATIONS,
    GOES_ON,
    HOLDS,
    INCOMPLETE,
    INDENTED,
    NEXT,
    NO_EQUATION,
    STARTS,
    STAYS,
    WHERE,
    Layout,
    word_kinds,
)
from starloom.kernels.hollow_levels import MOST_LEVELS
from starloom.kernels.lexical_rules import COMMENT

_TOKEN = re.compile(
    rb"(?P<word>[0-9A-Za-z_'\x80-\xff]+)|(?P<symbols>[!#$%&*+\-./:<=>?@\\^|~]+)|(?P<white>[ \t\v\f\r])|[^?]|\?"
)
_COMMENT, _STRING, _WORD, _SYMBOLS, _WHITE, _MARK = range(6)
_NOTHING, _HEADER, _BODY = range(3)


@dataclass
class _Token:
    kind: int
    piece: bytes
    before: bytes  # the byte before it, if any
    after: bytes  # all behind it

    def is_mark(self, marks: bytes) -> bool:
        return self.kind == _MARK and self.piece in [bytes([one]) for one in marks]


def hollow_layout(text: bytes, spans: Sequence[tuple[int, int, int]], layout: Layout) -> bytes:
    """Twin of `kernels.hollow_layout.hollow_layout`, of one text."""
    reader = _Levels(layout) if layout.form in (INDENTED, ENDED) else _Items(layout)
    try:
        for token in _tokens(text, spans):
            reader.take(token)
    except _TooDeepError:
        return text
    reader.end()
    return b"".join(reader.out)


def _tokens(text: bytes, spans: Sequence[tuple[int, int, int]]) -> Iterator[_Token]:
    place = 0
    for start, end, kind in [*spans, (len(text), len(text), COMMENT)]:
        while place < start:
            found = _TOKEN.match(text, place, start)
            assert found
            named = {"word": _WORD, "symbols": _SYMBOLS, "white": _WHITE}.get(found.lastgroup or "", _MARK)
            yield _Token(named, found[0], text[place - 1 : place] if place else b"", text[found.end() :])
            place = found.end()
        if start < end:
            yield _Token(_COMMENT if kind == COMMENT else _STRING, text[start:end], b"", text[end:])
        place = max(end, place)


class _TooDeepError(Exception):
    pass


@dataclass
class _Level:
    """A definition that lines are in; the first is the file."""

    column: int = -1
    state: int = _HEADER
    body: int | None = None  # where it begins, in what is written
    inside: int = 0  # its column
    needed: bool = False
    open: int = 0  # words that need an end


@dataclass
class _Levels:
    """INDENTED and ENDED."""

    layout: Layout
    out: list[bytes] = field(default_factory=list)
    levels: list[_Level] = field(default_factory=lambda: [_Level()])
    depth: int = 0
    begins: bool = True
    first: bool = False
    last: bytes = b""
    column: int = 0
    indent: int = 0  # of this line's first code
    line_at: int = 0  # where the line begins, in what is written

    def __post_init__(self) -> None:
        self.words = word_kinds(self.layout)
        self.ended = self.layout.form == ENDED

    def take(self, token: _Token) -> None:
        if token.kind == _SYMBOLS and len(token.piece) > 1:
            for at in range(len(token.piece)):
                before = token.piece[at - 1 : at] if at else token.before
                self.take(_Token(_SYMBOLS, token.piece[at : at + 1], before, b""))
            return
        if token.piece == b"\n" and token.kind == _MARK:
            self._line_end()
        elif token.kind == _WHITE:
            self.column = 0 if token.piece in b"\f\r" else self.column + (8 if token.piece == b"\t" else 1)
        elif token.kind != _COMMENT:
            self._code(token)
            return
        self.out.append(token.piece)

    def _line_end(self) -> None:
        goes_on = self.last == b"\\"
        level = self.levels[-1]
        if len(self.levels) > 1 and level.state == _HEADER and not self.depth and not goes_on:
            if self.ended:
                level.state = _HEADER if self.last == b"," else _BODY
            else:
                level.state = _BODY if self.last == b":" else _NOTHING
        self.begins, self.column, self.last = not self.depth and not goes_on, 0, b""
        self.line_at = len(self.out) + 1

    def _code(self, token: _Token) -> None:
        does = self.words.get(token.piece, 0) if token.kind == _WORD else 0
        if self.last == b"." or (self.ended and self.last == b":"):
            does = 0
        if self.begins:
            self._begin(token, does)
        self.first = self.begins or (self.first and not self.last)
        self.begins = False
        level = self.levels[-1]
        level.needed |= does & (STAYS | STARTS) > 0
        if does & STARTS and self.first:
            if len(self.levels) == MOST_LEVELS:
                raise _TooDeepError
            self.levels.append(_Level(self.indent))
        self.levels[-1].open += (does & BEGINS > 0) - (does & ENDS > 0)
        if token.is_mark(b"([{"):
            self.depth += 1
        elif token.is_mark(b")]}"):
            level.needed |= not self.depth
            self.depth = max(self.depth - 1, 0)
        elif token.piece == b"=" and token.kind == _SYMBOLS and self.ended and not self.depth:
            level.needed |= level.state == _HEADER and (not token.before or token.before in b" \t\v\f\r")
        if not (self.first and does & ASYNC):
            self.first = False
            self.last = b'"' if token.kind == _STRING else token.piece[:1]
        self.out.append(token.piece)

    def _begin(self, token: _Token, does: int) -> None:
        self.indent = self.column
        while len(self.levels) > 1 and self.levels[-1].column >= self.column:
            level = self.levels.pop()
            if self.ended and not (level.column == self.column and does & ENDS and not level.open):
                continue
            self._empty(level, self.line_at)
        level = self.levels[-1]
        if len(self.levels) == 1:
            return
        if level.state == _BODY and level.body is None:
            level.body, level.inside = len(self.out), self.column
            level.needed |= token.piece.startswith(b"\n")  # no code is less than a 0
        elif not self.ended:
            level.needed |= level.state != _BODY or self.column < level.inside

    def _empty(self, level: _Level, end: int) -> None:
        if level.state == _BODY and level.body is not None and not level.needed:
            lines = sum(piece.count(b"\n") for piece in self.out[level.body : end])
            kept = self.out[end:]
            self.out[level.body :] = [b"" if self.ended else b"0", b"\n" * lines]
            self.line_at = len(self.out)
            self.out += kept

    def end(self) -> None:
        for level in reversed(self.levels[1:]):
            if not self.ended and not self.depth:
                self._empty(level, len(self.out))


class _Items:
    """BOUND and EQUATIONS."""

    def __init__(self, layout: Layout) -> None:
        self.out: list[bytes] = []
        self.equations = layout.form == EQUATIONS
        self.words = word_kinds(layout)
        self.depth = 0
        self.begins, self.commented, self.line_at = True, False, 0
        self.bound = self.twice = self.complete = False
        self._next(_NOTHING, True)

    def _next(self, state: int, needed: bool) -> None:
        self.item, self.state, self.needed = len(self.out), state, needed
        self.dropped = self.holds = self.filled = False

    def take(self, token: _Token) -> None:
        if token.kind == _COMMENT:
            self.out.append(token.piece)
            if token.piece.endswith(b"\n"):
                self.begins, self.commented, self.line_at = True, False, len(self.out)
            elif self.begins or b"\n" in token.piece:
                self.begins = self.commented = True
        elif token.piece == b"\n" and token.kind == _MARK:
            self.out.append(token.piece)
            self.begins, self.commented, self.line_at = True, False, len(self.out)
        elif token.kind == _WHITE:
            self.out.append(token.piece)
        else:
            self._code(token)

    def _code(self, token: _Token) -> None:
        does = self.words.get(token.piece, 0) if token.kind == _WORD else 0
        if self.begins and (self.commented or len(self.out) == self.line_at):
            does = self._begin(token, does)
        self.begins = False
        self.needed |= does & STAYS > 0
        filled = self.state == _BODY and not token.is_mark(b";") and not token.piece.startswith(b"\n")
        if token.kind == _WORD:
            self._word(does)
        elif token.kind == _SYMBOLS:
            self._symbols(token)
            filled = False
        elif token.is_mark(b"([{"):
            self.depth += 1
        elif token.is_mark(b")]}"):
            self.needed |= not self.depth
            self.depth = max(self.depth - 1, 0)
        self.filled |= filled
        self.twice = token.is_mark(b";") and token.before == b";"
        self.complete = (
            token.kind == _STRING
            or token.is_mark(b")]}")
            or self.twice
            or (token.kind == _WORD and not does & INCOMPLETE)
        )
        self.needed |= self.equations and token.is_mark(b";") and not self.depth
        self.out.append(token.piece)
        if token.kind == _WORD and self.state == _HEADER and does & WHERE and not self.depth:
            self._body(len(self.out), b"", dropped=True)
            self.needed |= not self.holds

    def _word(self, does: int) -> None:
        if not self.equations and self.state == _BODY:
            self.open += (does & STARTS > 0) - (does & WHERE > 0)
            self.needed |= self.open < 0 or (does & STARTS > 0 and self.complete)

    def _symbols(self, token: _Token) -> None:
        if self.equations and token.piece.startswith(b"|") and token.after.startswith(b"]"):
            self.needed = True
        if self.state != _HEADER or self.depth or self.holds:
            return
        if token.piece == b"=":
            self._body(len(self.out) + 1, b"0")
        elif self.equations and token.piece == b"|":
            self._body(len(self.out), b"=0")
        elif self.equations and token.piece == b"::":
            self._body(self.item, b"", dropped=True)
        elif self.equations and re.fullmatch(rb"[^>]>|[^-]-", token.piece):
            self.state = _NOTHING

    def _body(self, place: int, instead: bytes, dropped: bool = False) -> None:
        self.state, self.place, self.instead, self.dropped, self.open = _BODY, place, instead, dropped, 0

    def _begin(self, token: _Token, does: int) -> int:
        """A line begins in the first column: ends an item, and begins another. What the word still does."""
        lost = self.depth > 0 and does & STARTS > 0
        if self.depth and not lost and not self.commented:
            return does
        if self.equations:
            fits = token.piece[:1] != b"#" and not does & WHERE and (self.filled or self.dropped)
        else:
            over = does & NEXT or (token.is_mark(b";") and token.after.startswith(b";"))
            fits = bool(self.complete and self.filled and over)
        if fits and not (self.commented or lost):
            self._empty()
        self.depth = 0 if lost else self.depth
        needed = self.commented or token.kind == _STRING
        self._next(_NOTHING, needed)
        if self.equations:
            if token.kind == _WORD and not needed and re.match(rb"[a-z_]", token.piece):
                if does & DROPPED:
                    self._body(len(self.out), b"", dropped=True)
                elif not does & NO_EQUATION or does & HOLDS:
                    self.state, self.holds = _HEADER, does & HOLDS > 0
            return does
        self.bound = does & STARTS > 0 or (self.bound and does & GOES_ON > 0)
        if not self.bound or needed:
            return does
        self.state = _HEADER
        return 0

    def _empty(self) -> None:
        if self.state == _BODY and not self.needed:
            lines = b"".join(self.out[self.place :]).count(b"\n")
            self.out[self.place :] = [b"0;;" if self.twice else self.instead, b"\n" * lines]

    def end(self) -> None:
        if not self.depth and (self.dropped or (self.filled and (self.equations or self.complete))):
            self._empty()
