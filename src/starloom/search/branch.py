"""What a pattern needs of what stands one after the other in it, told piece by piece."""

import re
from typing import Final, TypeAlias

from starloom.search.needs import Beside, Has, Needed, some

Pieces: TypeAlias = frozenset[str]  # alternatives, folded

MOST_PIECES: Final = 32  # alternatives of one place: `[abc]d(e|f)` has 6
_MOST_REPEATED: Final = 6  # alternatives around a repetition: what they narrow must be worth its look-ups
_LONGEST: Final = 200  # characters of a piece; more are a piece of their own
_ENDS_A_WORD = re.compile(r"[0-9a-z_]{2}\Z")
_BEGINS_A_WORD = re.compile(r"[0-9a-z_]{2}")


class Branch:
    """What stands one after the other: what is needed so far, and the alternatives of the piece that ends here.

    `whole`: that piece is all there is, so that something before may be put in front of it.
    """

    def __init__(self) -> None:
        self.needs: list[Needed] = []
        self.pieces: Pieces = frozenset([""])
        self.whole = True
        self._ahead: tuple[Pieces, Pieces] | None = None  # what stood before a repetition, and what it repeats
        self._gap: tuple[Pieces, bool, Pieces] | None = None  # before, whether it may lack, since

    def then(self, pieces: Pieces) -> None:
        """One of these follows at once."""
        if self._gap:
            self._beside(*self._gap, pieces)
        if len(self.pieces) * len(pieces) > MOST_PIECES or max(map(len, self.pieces)) > _LONGEST:
            self.cut()
        if self._ahead:
            before, repeated = self._ahead
            self.needs.append(some(list(map(Has, sorted(_joined(before, repeated | pieces))))))
            self._ahead = None
        self.pieces = _joined(self.pieces, pieces)

    def cut(self) -> None:
        """Something unknown follows."""
        self.needs.append(some([Has(piece) for piece in sorted(self.pieces)]))
        self.pieces, self.whole, self._ahead, self._gap = frozenset([""]), False, None, None

    def any_number(self, pieces: Pieces) -> None:
        """These follow as often as they like, or not: `one[ \t]*two` needs one of `onet`, `one ` and `one\t`, and of
        `onetwo`, ` two` and `\ttwo` another."""
        before = self.pieces
        self.cut()
        if "" not in pieces and len(before | pieces) <= _MOST_REPEATED:
            self.pieces, self._ahead = before | pieces, (before, pieces)

    def gap(self, before: Pieces, may_lack: bool) -> None:
        """Between what stood before and what follows is something that is in no word, or, if it may lack, nothing."""
        if len(before) <= _MOST_REPEATED and all(map(_ENDS_A_WORD.search, before)):
            self._gap = before, may_lack, frozenset([""])

    def _beside(self, before: Pieces, may_lack: bool, so_far: Pieces, pieces: Pieces) -> None:
        """Takes what follows a gap, until each of its alternatives has begun a word or does not."""
        after = _joined(so_far, pieces)
        self._gap = (before, may_lack, after) if len(after) <= _MOST_REPEATED else None
        if all(map(_BEGINS_A_WORD.match, after)) and self._gap:
            beside: list[Needed] = [Beside(one[-2:], other[:2]) for one in sorted(before) for other in sorted(after)]
            self.needs.append(some([*beside, *(map(Has, sorted(_joined(before, after))) if may_lack else ())]))
            self._gap = None

    def join(self, other: "Branch") -> None:
        """Another branch follows at once."""
        if other.whole:
            self.then(other.pieces)
            return
        self.cut()
        self.needs += other.needs
        self.pieces = other.pieces

    def closed(self) -> list[Needed]:
        """All that is needed."""
        return [*self.needs, some([Has(piece) for piece in sorted(self.pieces)])]


def _joined(before: Pieces, after: Pieces) -> Pieces:
    return frozenset(one + other for one in before for other in after)
