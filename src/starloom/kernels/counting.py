"""How many bytes of a text are of a kind: counted in bytes, block by block.

The compiler vectorises a sum of comparisons, but into 64 bits it takes eight bytes at a step. A sum in one byte takes
32 or 64, and holds what a block of BLOCK bytes has: four times as fast (7 to 20 GB/s).
"""

from typing import Any

import numpy as np

from starloom.kernels.cache import leaf

BLOCK = 128


@leaf
def continues(byte: Any) -> Any:
    """Whether a byte of UTF-8 is not the first one of its character: 0x80 to 0xBF."""
    return byte & np.uint8(0xC0) == np.uint8(0x80)


@leaf
def continuation_bytes(text: Any) -> Any:
    """Bytes 0x80 to 0xBF: each but the first byte of a character."""
    count: Any = 0
    for start in range(0, len(text), BLOCK):
        block = text[start : start + BLOCK]
        here = np.uint8(0)
        for p in range(len(block)):
            here = np.uint8(here + ((block[p] & 0xC0) == 0x80))
        count += here
    return count


@leaf
def newlines(text: Any) -> Any:
    """Bytes that are "\n"."""
    count: Any = 0
    for start in range(0, len(text), BLOCK):
        block = text[start : start + BLOCK]
        here = np.uint8(0)
        for p in range(len(block)):
            here = np.uint8(here + (block[p] == 0x0A))
        count += here
    return count


@leaf
def letters_and_digits(text: Any) -> Any:
    """(letters, digits) of ASCII."""
    letters: Any = 0
    digits: Any = 0
    for start in range(0, len(text), BLOCK):
        block = text[start : start + BLOCK]
        letters_here, digits_here = np.uint8(0), np.uint8(0)
        for p in range(len(block)):
            letters_here = np.uint8(letters_here + is_letter(block[p]))
            digits_here = np.uint8(digits_here + is_digit(block[p]))
        letters, digits = letters + letters_here, digits + digits_here
    return letters, digits


@leaf
def is_letter(byte: Any) -> Any:
    """A to Z, a to z."""
    return np.uint8((byte | np.uint8(0x20)) - np.uint8(0x61)) < 26


@leaf
def is_digit(byte: Any) -> Any:
    """0 to 9."""
    return np.uint8(byte - np.uint8(0x30)) < 10
