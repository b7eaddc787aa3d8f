"""The plain twin of `cuts`: which blocks, and what their filters say."""

import re
from collections.abc import Callable

from starloom.kernels.cuts import BLOCK, FOUR, PAIR

_FACTOR, _COUNTED = 0x9E3779B97F4A7C15, 1 << 17


def plainly_cut(text: bytes, compress: Callable[[bytes], bytes]) -> bytes:
    """The cut text."""
    heads, filters, blocks = [], [], []
    for block in plain_blocks(text):
        packed = compress(block)
        pairs, fours = _grams(block, PAIR), _grams(block, FOUR)
        of_pairs, of_fours = _filter(pairs, (len(pairs) * 2 + 7) // 8), _filter(fours, _size_of_fours(fours))
        heads += [len(block), len(packed), len(of_pairs), len(of_fours)]
        filters += [of_pairs, of_fours]
        blocks.append(packed)
    numbers = [len(blocks), *heads]
    return b"".join([*(one.to_bytes(4, "little") for one in numbers), *filters, *blocks])


def plain_blocks(text: bytes) -> list[bytes]:
    """As many whole lines as fit, or one."""
    blocks = []
    while text:
        end = len(text)
        if end > BLOCK:
            end = text.rfind(b"\n", 0, BLOCK) + 1 or text.find(b"\n", BLOCK) + 1 or len(text)
        blocks.append(text[:end])
        text = text[end:]
    return blocks


def _grams(block: bytes, size: int) -> set[int]:
    lines = [re.sub(rb"\s+", b" ", line.lower()) for line in block.split(b"\n")]
    return {int.from_bytes(line[at : at + size], "big") for line in lines for at in range(len(line) - size + 1)}


def _size_of_fours(fours: set[int]) -> int:
    many = len({(four * _FACTOR % 2**64 >> 32) * _COUNTED >> 32 for four in fours})  # told apart by so many hashes
    return (many * 4 // 3 + 8) // 8 if many else 0


def _filter(grams: set[int], size: int) -> bytes:
    bits = bytearray(size)
    for gram in grams:
        bit = ((gram * _FACTOR & (1 << 64) - 1) >> 32) * 8 * size >> 32
        bits[bit >> 3] |= 1 << (bit & 7)
    return bytes(bits)
