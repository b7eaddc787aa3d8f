r"""What a text must have for a regular expression to be found in it: pieces of text, told from the pattern alone.

A reader of RE2's syntax, apart from RE2. It never says too much: what it does not understand needs nothing, so no match
is ever missed. Read: literals, escapes, classes (small ones as alternatives), groups, |, repetition, flags. For
example, `(get|set)_\w+\(self` needs ("get_" or "set_") and "(self". Pieces are folded, as the texts in which they are
looked up.
"""

import math
import re
import string
from functools import lru_cache
from typing import Final, TypeAlias

from starloom.search import patterns
from starloom.search.branches import BORDER, MOST_PIECES, OTHER, Branch, is_outside
from starloom.search.needs import Needed, every, some
from starloom.search.nodes import Pattern, fold
from starloom.search.patterns import COUNTED

_MOST_CHARACTERS: Final = 12  # of a class that is taken as alternatives
_MOST_COPIES: Final = 8  # of `x{9}`
_MOST_BLANKS: Final = 2  # of `[ \t]+`, that are told apart; `\s+` is five
_MOST_DEPTH: Final = 50
_KEPT: Final = 64  # answers

_FLAGS = re.compile(r"\?([imsU]*)(?:-([imsU]+))?([:)])")
_NAME = re.compile(r"\?P?<\w+>")
_HEX = re.compile(r"x(?:\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{2}))")
_UNICODE = re.compile(r"[pP](?:\{\^?\w+\}|\w)|[DS]")
_POSIX = re.compile(r"\[:\^?\w+:\]")
_ESCAPES: Final = {
    **{letter: frozenset([character]) for letter, character in zip("afnrtv", "\a\f\n\r\t\v")},
    "d": frozenset("0123456789"),
    "s": frozenset("\t\n\f\r "),
    "w": frozenset(string.ascii_letters + string.digits + "_"),
    "W": frozenset([OTHER]),
}
_FOLDED_WORD: Final = frozenset(map(fold, _ESCAPES["w"]))

_Characters: TypeAlias = frozenset[str] | None
_MANY: Final = None  # characters: too many to list


@lru_cache(_KEPT)  # asked for the look-up, the filters and the proof
def needed(pattern: Pattern, closely: bool = False) -> Needed:
    """What a folded text must have for the pattern, which RE2 accepts, to be found in it. `closely`: also what stands
    before and behind a repetition, many pieces, as filters are asked: a run of blanks is one space in them."""
    try:
        branch = _Reader(pattern, closely).whole()
    except _UnknownError:
        return None
    return every(branch.closed())


class _UnknownError(Exception):
    """The pattern has what is not read here."""


class _Reader:
    def __init__(self, pattern: Pattern, closely: bool) -> None:
        self._source = pattern.source
        self._at = 0
        self._depth = 0
        self._case_sensitive = pattern.case_sensitive
        self._insensitive = patterns.by_unicode(pattern)
        self._closely = closely

    def whole(self) -> Branch:
        branch = self._alternatives()
        if self._at < len(self._source):
            raise _UnknownError
        return branch

    def _peek(self) -> str:
        return self._source[self._at : self._at + 1]

    def _take(self, text: str) -> bool:
        """Passes over `text` if it comes next."""
        if self._source.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _passed(self, expression: re.Pattern[str]) -> re.Match[str] | None:
        found = expression.match(self._source, self._at)
        if found:
            self._at = found.end()
        return found

    def _alternatives(self) -> Branch:
        before = self._insensitive
        branches = [self._sequence()]
        while self._take("|"):
            branches.append(self._sequence())
        self._insensitive = before  # (?i) holds to the end of its group
        if len(branches) == 1:
            return branches[0]
        branch = Branch()
        pieces = frozenset().union(*(one.pieces for one in branches))
        if all(one.whole for one in branches) and len(pieces) <= MOST_PIECES:
            branch.then(pieces)
        else:
            branch.needs.append(some([every(one.closed()) for one in branches]))
            branch.whole = False
        return branch

    def _sequence(self) -> Branch:
        sequence = Branch()
        while (following := self._peek()) and following not in "|)":
            if self._take("\\Q"):
                self._quoted(sequence)
            elif self._source.startswith("(?", self._at) and self._flags_alone():
                if self._peek() in ("*", "+", "?") or COUNTED.match(self._source, self._at):
                    raise _UnknownError  # it repeats what is before the flags
            else:
                self._repeated(sequence, self._atom())
        return sequence

    def _quoted(self, sequence: Branch) -> None:
        """The text up to \\E."""
        text, ended, _ = self._source[self._at :].partition("\\E")
        self._at += len(text) + len(ended)
        if self._peek() in ("*", "+", "?", "{"):
            raise _UnknownError  # it repeats the last character alone
        for character in text:
            sequence.join(self._one(self._characters(character)))

    def _flags_alone(self) -> bool:
        """Passes over flags for the rest of the group: (?i)."""
        found = _FLAGS.match(self._source, self._at + 1)
        if not found or found[3] != ")":
            return False
        self._at = found.end()
        self._set(found)
        return True

    def _set(self, flags: re.Match[str]) -> None:
        self._insensitive = (self._insensitive or "i" in flags[1]) and "i" not in (flags[2] or "")

    def _atom(self) -> Branch:
        if self._take("("):
            return self._group()
        if self._take("["):
            return self._one(self._class())
        if self._take("\\"):
            return self._escaped()
        character = self._peek()
        self._at += 1
        if character in "^$":
            return Branch()
        if character in "*+?":
            raise _UnknownError
        return self._one(_MANY if character == "." else self._characters(character))

    def _group(self) -> Branch:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise _UnknownError
        before = self._insensitive
        if self._peek() == "?" and not self._passed(_NAME):
            flags = self._passed(_FLAGS)
            if not flags or flags[3] != ":":
                raise _UnknownError
            self._set(flags)
        branch = self._alternatives()
        self._insensitive = before
        if not self._take(")"):
            raise _UnknownError
        self._depth -= 1
        return branch

    def _repeated(self, sequence: Branch, atom: Branch) -> None:
        """The atom follows, as often as what stands behind it says."""
        least, most = 1, 1.0
        if self._take("*"):
            least, most = 0, math.inf
        elif self._take("+"):
            most = math.inf
        elif self._take("?"):
            least = 0
        elif found := self._passed(COUNTED):
            least = int(found[1])
            most = least if found[2] is None else int(found[3]) if found[3] else math.inf
        elif not self._closely or not atom.is_blank:
            sequence.join(atom)
            return
        self._take("?")  # lazy
        if self._peek() in ("*", "+", "?") or COUNTED.match(self._source, self._at):
            raise _UnknownError
        if self._closely and atom.is_blank and most:
            sequence.blanks(least)
        elif least == 0 and most == 1 and atom.whole:
            sequence.then(atom.pieces | {""})
        elif most == 0:
            return
        elif least == 0 and atom.whole and self._closely and OTHER not in atom.pieces:
            sequence.any_number(atom.pieces)
        elif least == 0 and atom.is_outside:
            sequence.gap()
        elif least == 0:
            sequence.cut()
        else:
            if most > least and not self._closely and len(atom.pieces) > _MOST_BLANKS and atom.is_outside:
                atom = self._one(frozenset([OTHER]))
            for _ in range(min(least, _MOST_COPIES)):
                sequence.join(atom)
            if least > _MOST_COPIES or most > least:
                sequence.cut()
                sequence.pieces = atom.pieces  # the last copy stands before what follows

    def _escaped(self) -> Branch:
        """An escape, the \\ of which is read."""
        if (character := self._peek()) and character in "bBAz":
            self._at += 1
            return self._one(frozenset([BORDER])) if character == "b" else Branch()
        return self._one(self._folded(self._escape()))

    def _escape(self) -> _Characters:
        """The characters of an escape, the \\ of which is read, as they are written."""
        if self._passed(_UNICODE):
            return _MANY
        if found := self._passed(_HEX):
            code = int(found[1] or found[2], 16)
            if code > 0x10FFFF or 0xD800 <= code < 0xE000:
                raise _UnknownError
            return frozenset([chr(code)])
        character = self._peek()
        self._at += 1
        if character in _ESCAPES:
            return _ESCAPES[character]
        if not character or character.isalnum() or not character.isascii():
            raise _UnknownError
        return frozenset([character])

    def _class(self) -> _Characters:
        """The characters of a class, the [ of which is read: few, or _MANY."""
        negated = self._take("^")
        found: set[str] = set()
        first, many = True, False
        while first or self._peek() != "]":
            first = False
            low = _MANY if self._passed(_POSIX) else self._member()
            if self._peek() == "-" and self._source[self._at + 1 : self._at + 2] != "]" and low is not _MANY:
                self._at += 1
                low = _range(low, self._member())
            if low is _MANY:
                many = True
            else:
                found |= low
        self._at += 1
        if negated:
            return self._others(found)
        return _MANY if many else self._folded(frozenset(found))

    def _others(self, excluded: set[str]) -> _Characters:
        """The characters of a class that excludes these, and maybe more."""
        word = _ESCAPES["w"] if self._case_sensitive else _FOLDED_WORD
        known = excluded | set(map(fold, excluded)) if self._insensitive else excluded
        return frozenset([OTHER]) if word <= known else _MANY

    def _member(self) -> _Characters:
        if self._take("\\"):
            return self._escape()
        character = self._peek()
        if not character:
            raise _UnknownError
        self._at += 1
        return frozenset([character])

    def _folded(self, characters: _Characters) -> _Characters:
        """As they stand in a folded text that the pattern is found in."""
        if characters is _MANY:
            return _MANY
        folded = [self._characters(character) for character in characters]
        if _MANY in folded:
            return _MANY
        few = frozenset().union(*(one for one in folded if one is not _MANY))
        if len(few) <= _MOST_CHARACTERS:
            return few
        return frozenset([OTHER]) if all(map(is_outside, few)) else _MANY

    def _characters(self, character: str) -> _Characters:
        """One character, folded. By (?i) more than two cases may be one letter, `fold` knows of two."""
        if character in (BORDER, OTHER):
            return frozenset([character])
        if self._insensitive and (not character.isascii() or character in "kKsS"):
            return _MANY
        return frozenset([fold(character)])

    def _one(self, characters: _Characters) -> Branch:
        branch = Branch()
        if characters is _MANY:
            branch.cut()
        else:
            branch.then(characters)
        return branch


def _range(low: frozenset[str], high: _Characters) -> _Characters:
    if high is _MANY or len(low) != 1 or len(high) != 1 or OTHER in low | high:
        raise _UnknownError
    begin, end = ord(min(low)), ord(min(high))
    is_small = end < 0x80 or end - begin < 2 * _MOST_CHARACTERS
    return frozenset(map(chr, range(begin, end + 1))) if is_small else _MANY
