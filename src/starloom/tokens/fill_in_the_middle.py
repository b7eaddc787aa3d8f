"""Fill-in-the-middle: a text is cut in three, and the middle is learnt last.

At character level, as arXiv 2402.19173 section 5 and its training code: two positions drawn in the text, then
`<fim_prefix>PREFIX<fim_suffix>SUFFIX<fim_middle>MIDDLE` (PSM), or `<fim_prefix><fim_suffix>SUFFIX<fim_middle>PREFIX
MIDDLE`, prefix and middle as one text (SPM). The middle may be a piece of syntax instead (arXiv 2506.00204): which one,
languages/syntax/middles draws. Pure functions: randomness is handed in, as numbers in [0, 1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from starloom.errors import UserError

T = TypeVar("T", str, tuple[str | int, ...])  # a text, or one in parts


@dataclass(frozen=True)
class FimSettings:
    """How often. A file is cut with probability repository_rate x file_rate."""

    repository_rate: float = 0.5  # share of repositories that have any file cut for fill-in-the-middle
    file_rate: float = 0.5  # share of those repositories' files that are cut
    spm_rate: float = 0.5  # share of the cut files that show the suffix first
    syntax_rate: float = 0.0  # share of the cut files whose middle is a piece of syntax, where their language is parsed

    def __post_init__(self) -> None:
        for name in ("repository_rate", "file_rate", "spm_rate", "syntax_rate"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise UserError(f"{name} = {value} is no share", "a number from 0 to 1")


@dataclass(frozen=True)
class Cut(Generic[T]):
    """A text in three parts; prefix + middle + suffix is the text."""

    prefix: T
    middle: T
    suffix: T


def cut(text: str, first: float, second: float, whole: Sequence[tuple[int, int]] = ()) -> Cut[str]:
    """`text` cut at the two positions that `first` and `second`, numbers in [0, 1), draw: each of the len + 1 places
    between its characters is as likely as any other, but for those that no cut may take (see `cut_at`). Parts may be
    empty.

    >>> cut("abcd", 0.2, 0.7), cut("abcd", 0.2, 0.7, [(2, 4)])
    (Cut(prefix='a', middle='bc', suffix='d'), Cut(prefix='a', middle='b', suffix='cd'))
    """
    places = len(text) + 1
    return cut_at(text, int(first * places), int(second * places), whole)


def cut_at(text: str, one: int, other: int, whole: Sequence[tuple[int, int]] = ()) -> Cut[str]:
    """`text` cut at two places, in either order. The place between CR and LF gives way to the one before both; those
    within one of the stretches `whole` give way to its start.

    >>> cut_at("if a:\\r\\n    b", 6, 3)
    Cut(prefix='if ', middle='a:', suffix='\\r\\n    b')
    """
    start, stop = sorted((_place(text, one, whole), _place(text, other, whole)))
    return Cut(text[:start], text[start:stop], text[stop:])


def _place(text: str, place: int, whole: Sequence[tuple[int, int]]) -> int:
    if whole:
        place = next((start for start, end in whole if start < place < end), place)
    if text[place - 1 : place + 1] == "\r\n":  # a line end is one thing to an editor's cursor
        return place - 1
    return place


def arrange(parts: Cut[T], order: Literal["psm", "spm"], head: T | None = None) -> tuple[T, T, T]:
    """The three texts that stand after `<fim_prefix>`, `<fim_suffix>` and `<fim_middle>`, in this order.

    `head` (a path and a line end) goes before the prefix, wherever that is: it is told, never cut.

    >>> arrange(Cut("a", "b", "c"), "psm"), arrange(Cut("a", "b", "c"), "spm")
    (('a', 'c', 'b'), ('', 'c', 'ab'))
    """
    nothing = parts.prefix[:0]
    head = nothing if head is None else head
    if order == "psm":
        return head + parts.prefix, parts.suffix, parts.middle
    return nothing, parts.suffix, head + parts.prefix + parts.middle


def chosen(unit: float, rate: float) -> bool:
    """Whether something that happens at `rate` happens to the one that drew `unit`: never at 0, always at 1."""
    return unit < rate
