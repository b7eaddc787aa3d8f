"""What marks the lines of a text: the tables of `leading`, which needs Numba; this does not."""

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple


class Stands(IntEnum):
    """How a mark stands at the beginning of a line."""

    KEPT = 0  # whatever follows; it remains a part of the line
    TAKEN = 1  # whatever follows; it is taken off
    WORD = 2  # as a word of its own; taken off with white space, if that follows
    SPACED = 3  # before white space; taken off with it


class Marks(NamedTuple):
    """Marks are in ASCII; those of `words` and `passed`, in lower case here, are found in any case."""

    blocks: Mapping[str, str]  # what opens each, and what closes it
    signs: str  # what marks a line, whatever follows
    words: Mapping[str, Stands]  # what else does
    passed: Mapping[str, Stands]  # what has a line passed over
    edges: str  # what is taken off both ends of a line
