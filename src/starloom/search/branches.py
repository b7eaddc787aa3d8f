r"""What is known of one part of a pattern: what it needs so far, and the alternatives of the piece that ends it.

A piece is folded text. Between its characters it may have marks, which no text has: BORDER, where an identifier (ASCII
letters, digits, _) begins or ends, and OTHER, a character that is of none. So `\bfoo\W` is BORDER foo OTHER, and needs
foo as a whole identifier.
"""

import re
from typing import Final, TypeAlias

from starloom.kernels.blanks import BLANKS
from starloom.search.identifiers import IDENTIFIER
from starloom.search.needs import Has, Needed, every, some

BORDER: Final = "\ud800"
OTHER: Final = "\ud801"
_BLANKS: Final = BLANKS.decode()
_SPACES: Final = re.compile("  +")
_MARKS: Final = re.compile(f"([{BORDER}{OTHER}]+)")
_LAST_IDENTIFIER: Final = re.compile(rf"{IDENTIFIER.pattern}\Z")

MOST_PIECES: Final = 32  # alternatives of one place: `[abc]d(e|f)` has 6
_MOST_REPEATED: Final = 6  # alternatives around a repetition: what they narrow must be worth its look-ups
_LONGEST: Final = 200  # characters of a piece; more are a piece of their own
_SHORT: Final = 2  # characters, of which little is known

Pieces: TypeAlias = frozenset[str]  # alternatives


class Branch:
    """What stands one after the other. `whole`: the piece that ends here is all there is, so that something before may
    be put in front of it."""

    def __init__(self) -> None:
        self.needs: list[Needed] = []
        self.pieces: Pieces = frozenset([""])
        self.whole = True
        self._ahead: tuple[Pieces, Pieces] | None = None  # what stood before a repetition, and what it repeats
        self._gap: Pieces | None = None  # what stood before characters of no identifier, as many as there may be

    @property
    def is_outside(self) -> bool:
        """Whether it is characters of no identifier."""
        return self.whole and all(one and all(map(is_outside, one)) for one in self.pieces)

    def then(self, pieces: Pieces) -> None:
        """One of these follows at once."""
        if len(self.pieces) * len(pieces) > MOST_PIECES or max(map(len, self.pieces)) > _LONGEST:
            self.cut()
        if self._ahead:
            before, repeated = self._ahead
            self.needs.append(_one_of(_joined(before, repeated | pieces)))
            self._ahead = None
        if self._gap is not None:
            self._close_gap(self._gap, pieces)
        self.pieces = _joined(self.pieces, pieces)

    def cut(self) -> None:
        """Something unknown follows."""
        self.needs += self._open()
        self.pieces, self.whole, self._ahead, self._gap = frozenset([""]), False, None, None

    @property
    def is_blank(self) -> bool:
        """Whether it is blanks, perhaps of several kinds."""
        return self.whole and all(one and not one.strip(_BLANKS) for one in self.pieces)

    def blanks(self, least: int) -> None:
        """So many blanks or more follow, which count as one: `one[ \t]*two` needs `onetwo` or `one two`."""
        self.then(frozenset([" "] if least else ["", " "]))
        self.pieces = frozenset(_SPACES.sub(" ", one) for one in self.pieces)

    def any_number(self, pieces: Pieces) -> None:
        """These follow as often as they like, or not: `one[(<]*two` needs one of `onet`, `one(` and `one<`, and of
        `onetwo`, `(two` and `<two` another."""
        before = self.pieces
        self.cut()
        if "" not in pieces and len(before | pieces) <= _MOST_REPEATED:
            self.pieces, self._ahead = before | pieces, (before, pieces)

    def gap(self) -> None:
        r"""Characters of no identifier follow, as many as they like: in `\bone\s*\(` `one` ends before the bracket."""
        before, self.pieces = self.pieces, frozenset([""])
        self.cut()
        self._gap = before

    def _close_gap(self, before: Pieces, following: Pieces) -> None:
        self._gap = None
        if all(map(is_outside, (one[:1] for one in following))):
            before_it: Pieces = _joined(before, frozenset([OTHER]))
        elif len(before) * len(following) <= _MOST_REPEATED and all(map(_gains, before)):
            before_it = _joined(before, following | {OTHER})
        else:
            before_it = before
        self.needs.append(_one_of(before_it))
        if all(map(is_outside, (one[-1:] for one in before))):
            self.pieces = frozenset([OTHER])

    def join(self, other: "Branch") -> None:
        """Another branch follows at once."""
        if other.whole:
            self.then(other.pieces)
            return
        self.cut()
        self.needs += other.needs
        self.pieces, self._gap = other.pieces, other._gap

    def closed(self) -> list[Needed]:
        """All that is needed."""
        return [*self.needs, *self._open()]

    def _open(self) -> list[Needed]:
        return [_one_of(one) for one in (self._gap, self.pieces) if one is not None]


def is_outside(character: str) -> bool:
    """Whether it is one, or OTHER, and of no identifier."""
    return character not in ("", BORDER) and not IDENTIFIER.match(character)


def _gains(piece: str) -> bool:
    """Whether it says much more of a piece that an identifier ends with it."""
    return len(piece) <= _SHORT or piece[0] in (BORDER, OTHER)


def _joined(before: Pieces, after: Pieces) -> Pieces:
    return frozenset(one + other for one in before for other in after)


def _one_of(pieces: Pieces) -> Needed:
    return some([_said(piece) for piece in sorted(pieces)])


def _said(piece: str) -> Needed:
    """What a text with a piece has."""
    first, *others = _MARKS.split(piece)
    texts, marks = [first], [""]
    for mark, text in zip(others[::2], others[1::2], strict=True):
        if texts[-1] and text and OTHER not in mark:
            texts[-1] += text  # what is on both sides of a border is known
        else:
            texts.append(text)
            marks.append(mark)
    marks.append("")
    return every([_has(text, *marks[number : number + 2]) for number, text in enumerate(texts)])


def _has(text: str, before: str, behind: str) -> Needed:
    """That a text has this, between such marks. What they say of its first and last identifier is said where it makes
    a whole one of it, or little else is known."""
    begins = OTHER in before or (bool(before) and not is_outside(text[:1]))
    ends = OTHER in behind or (bool(behind) and not is_outside(text[-1:]))
    first, last = IDENTIFIER.match(text), _LAST_IDENTIFIER.search(text)
    is_first_whole = first is not None and (first.end() < len(text) or ends)
    is_last_whole = last is not None and (last.start() > 0 or begins)
    has = Has(text, begins and is_first_whole, ends and (is_last_whole or len(text.encode()) == _SHORT))
    return None if has.is_short else has
