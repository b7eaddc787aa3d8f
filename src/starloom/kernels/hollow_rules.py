"""What kernels/hollow goes by: which brackets of a language may be emptied, and the arrays that hold the rules of many.

Who knows languages writes the rules (languages/syntax/bodies); nothing here knows one.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.hollow_words import add_words, pack_words
from starloom.kernels.text import UInt8s

WIDTH: Final = 24  # bytes of the longest word
STAYS, HOLDS, CONTROLS = 1, 2, 4  # what a word may do
WORD, WHITE, OPEN, CLOSE, END, OTHER = range(6)  # what a byte may be; an end is one of a statement
C, LISP, CALLS, ARROWS, PERL = range(5)  # traits


class Brackets(NamedTuple):
    """Which brackets of a language may be emptied. A word is a longest run of ASCII letters, digits, _, $ and what is
    not ASCII; directly before a ) it does nothing."""

    emptied: bytes = b"{"  # what such a pair begins with, of ( [ {
    stays: str = ""  # words that stay, and with them all pairs that they stand in
    holds: str = ""  # words behind which the next such pair stays, and all that it stands in, up to the next ;
    controls: str = ""  # words that are no name in `if (x) {`; none: such names say nothing
    c: bool = (
        False  # lines that begin with # are directives; behind a ) nothing is held; a pair before ; stays, but = {};
    )
    lisp: bool = False  # a word is a symbol of Lisp; only what stands next is held
    arrows: bool = False  # => stays, as the words of `stays` do
    perl: bool = False  # a pair that begins a statement stays: it would be a value; so does one with << or a string of
    # more lines, which may be none


class Packed(NamedTuple):
    """Many languages as arrays; `firsts[i, c]` to `firsts[i, c + 1]` are the words of language i that begin with c."""

    classes: UInt8s  # (languages, 256)
    emptied: NDArray[np.bool_]  # (languages, 256)
    traits: NDArray[np.bool_]  # (languages, 5): c, lisp, controls, arrows, perl
    firsts: NDArray[np.int32]  # (languages, 257)
    lengths: NDArray[np.int32]  # (words,)
    words: UInt8s  # (words, WIDTH)
    kinds: NDArray[np.int64]  # (words,)


def pack(languages: Sequence[Brackets]) -> Packed:
    """The arrays. Raises ValueError for a word that there is no room for."""
    classes = np.array([[_class(byte, one.lisp) for byte in range(256)] for one in languages], np.uint8)
    emptied = np.array([[byte in one.emptied for byte in range(256)] for one in languages], np.bool_)
    traits = np.array([(one.c, one.lisp, bool(one.controls), one.arrows, one.perl) for one in languages], np.bool_)
    packed = Packed(classes, emptied, traits, *pack_words([word_kinds(one) for one in languages], WIDTH))
    for array in packed:
        array.flags.writeable = False
    return packed


def word_kinds(brackets: Brackets) -> dict[bytes, int]:
    """STAYS, HOLDS and CONTROLS of each word that does any of it."""
    found: dict[bytes, int] = {}
    for words, kind in ((brackets.stays, STAYS), (brackets.holds, HOLDS), (brackets.controls, CONTROLS)):
        add_words(found, words, kind)
    return found


def is_word_byte(byte: int, lisp: bool) -> bool:
    """Whether it may stand in a word."""
    character = chr(byte)
    if byte >= 0x80 or character.isalnum() or character in "_$":
        return True
    return lisp and character.isprintable() and character not in " ()[]{}'`,;\"|"


def _class(byte: int, lisp: bool) -> int:
    if is_word_byte(byte, lisp):
        return WORD
    for characters, kind in ((b" \t\v\f\r", WHITE), (b"([{", OPEN), (b")]}", CLOSE), (b";", END)):
        if byte in characters:
            return kind
    return OTHER
