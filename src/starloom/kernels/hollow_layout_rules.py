"""What kernels/hollow_layout goes by: how a language shows by columns what belongs to a definition, and the words that
tell. Who knows languages writes the rules (languages/syntax/bodies); nothing here knows one.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.hollow_words import add_words, pack_words
from starloom.kernels.text import UInt8s

WIDTH: Final = 16  # bytes of the longest word
INDENTED, ENDED, BOUND, EQUATIONS = range(4)  # forms of a language

# What a word may do
STARTS, STAYS, ASYNC, ENDS, BEGINS, GOES_ON, NEXT, INCOMPLETE, NO_EQUATION, DROPPED, HOLDS, WHERE = (
    1 << bit for bit in range(12)
)


class Layout(NamedTuple):
    """A language whose bodies are told by columns. Words are longest runs of ASCII letters, digits, _, ' and what is
    not ASCII; each field of words says what those do."""

    form: int
    starts: str = ""  # begin a line that begins a definition
    stays: str = ""  # stay, and with them all that they stand in
    before: str = ""  # may stand before what starts
    ends: str = ""  # ENDED: ends what was begun
    begins: str = ""  # ENDED: such words in a body need an end each
    goes_on: str = ""  # BOUND: begins a definition where the one before was begun by what starts
    next: str = ""  # BOUND: begin the line behind a definition, if that may be emptied
    incomplete: str = ""  # BOUND: cannot end a definition
    no_equation: str = ""  # EQUATIONS: begin a line that is none
    dropped: str = ""  # EQUATIONS: begin what goes altogether, as declarations of types do
    holds: str = ""  # EQUATIONS: begin what is emptied behind `where`
    where: str = ""


class Packed(NamedTuple):
    """Many languages as arrays; `firsts[i, c]` to `firsts[i, c + 1]` are the words of language i that begin with c."""

    forms: NDArray[np.int64]  # (languages,)
    firsts: NDArray[np.int32]  # (languages, 257)
    lengths: NDArray[np.int32]  # (words,)
    words: UInt8s  # (words, WIDTH)
    kinds: NDArray[np.int64]  # (words,)


def pack(languages: Sequence[Layout]) -> Packed:
    """The arrays. Raises ValueError for a word that there is no room for."""
    forms = np.array([one.form for one in languages], np.int64)
    packed = Packed(forms, *pack_words([word_kinds(one) for one in languages], WIDTH))
    for array in packed:
        array.flags.writeable = False
    return packed


def word_kinds(layout: Layout) -> dict[bytes, int]:
    """All that each word does."""
    found: dict[bytes, int] = {}
    for bit, words in enumerate(layout[1:]):
        add_words(found, words, 1 << bit)
    return found
