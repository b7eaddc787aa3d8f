"""What is known of all texts that a pattern is found in: pieces they have, all of several, one of several.

Said as briefly as may be: what follows from the rest is left out, and what is too much to look up. Every piece left out
makes it weaker, so it stays true.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

_MOST_NEEDS: Final = 16  # of one Every
MOST_SIZE: Final = 200  # pieces in all
_SHORTEST: Final = 2  # bytes of a piece that narrows anything


@dataclass(frozen=True)
class Has:
    """`begins`: an identifier begins with it, or it with none; `ends`: the same of its end."""

    text: str
    begins: bool = False
    ends: bool = False

    @property
    def is_short(self) -> bool:
        """Whether it narrows nothing: most texts have it."""
        return len(self.text.encode()) < _SHORTEST and not (self.begins and self.ends and self.text)


@dataclass(frozen=True)
class Every:
    parts: tuple["Has | Every | Some", ...]


@dataclass(frozen=True)
class Some:
    parts: tuple["Has | Every | Some", ...]


Said: TypeAlias = Has | Every | Some
Needed: TypeAlias = Said | None  # None: nothing


def every(parts: list[Needed]) -> Needed:
    """All of them, those left out that say least where there are many."""
    kept: list[Said] = []
    for part in sorted([one for one in parts if one is not None], key=_worth, reverse=True):
        if not any(part == one or _implies(one, part) for one in kept):
            kept.append(part)
        if len(kept) == _MOST_NEEDS:
            break
    while kept and sum(map(size, kept)) > MOST_SIZE:
        kept.pop()
    if len(kept) < 2:
        return kept[0] if kept else None
    return Every(tuple(kept))


def some(parts: list[Needed]) -> Needed:
    """One of them at least. None where one needs nothing."""
    if None in parts or len(set(parts)) > MOST_SIZE:
        return None
    kept: list[Said] = []
    for part in sorted({one for one in parts if one is not None}, key=_worth):
        if isinstance(part, Has) and part.is_short:
            return None
        if not any(_implies(part, one) for one in kept):
            kept.append(part)
    if len(kept) < 2:
        return kept[0] if kept else None
    return Some(tuple(kept)) if sum(map(size, kept)) <= MOST_SIZE else None


def _implies(one: Said, other: Said) -> bool:
    if not isinstance(one, Has) or not isinstance(other, Has):
        return False
    if one.text == other.text:
        return one.begins >= other.begins and one.ends >= other.ends
    return other.text in one.text and not other.begins and not other.ends


def _worth(part: Said) -> tuple[int, str]:
    """How many characters it is sure of; and a fixed order."""
    if isinstance(part, Has):
        return len(part.text) + part.begins + part.ends, part.text
    if isinstance(part, Every):
        return max(_worth(one)[0] for one in part.parts), repr(part)
    return min(_worth(one)[0] for one in part.parts), repr(part)


def size(part: Said) -> int:
    """How many pieces are looked up for it."""
    return sum(map(size, part.parts)) if isinstance(part, Every | Some) else 1


def sure_of(needed: Needed) -> int:
    """How many characters it speaks of, for comparison: some may be the same ones."""
    if needed is None:
        return 0
    if isinstance(needed, Has):
        return len(needed.text)
    sizes = map(sure_of, needed.parts)
    return sum(sizes) if isinstance(needed, Every) else min(sizes)
