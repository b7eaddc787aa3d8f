"""What a detector is: anchors that the gate looks for in all text, and a look at the few places where one stands."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from string import ascii_letters, digits

from starloom.kernels.automaton import ANY_DIGIT, NOT_ASCII, Around, Near
from starloom.privacy.finding import Finding

__all__ = ["ALPHANUMERIC", "ANY_DIGIT", "NOT_ASCII", "WORD", "Around", "Detector", "Near"]

ALPHANUMERIC = ascii_letters + digits
WORD = ALPHANUMERIC + "_"


@dataclass(frozen=True, eq=False)  # one is another: all of them are a key that is looked up often
class Detector:
    """`anchors`: ASCII, in lower case, at least two characters or one that is rare ("#" is any digit); each match of
    the detector has one of them in it or near it, in whatever case. `near`: what must stand near an anchor for it to
    count, told in bytes; `around`: what must stand right before and after it, in patterns of bytes (see kernels/tails)
    of which one is enough, and which leave out no match. The gate looks, at a hundredth of the cost of `find`.
    `find(text, at)`: what is found about the anchor that begins at character `at`; it looks at a bounded stretch around
    it, so that no text is slow."""

    name: str
    anchors: tuple[str, ...]
    find: Callable[[str, int], Iterator[Finding]]
    near: tuple[Near, ...] = ()
    around: tuple[Around, ...] = ()
