"""Words of many languages that do something, as arrays: for `hollow_rules` and `hollow_layout_rules`, and looked up by
`hollow_steps.does_word`."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.text import UInt8s


def pack_words(
    languages: Sequence[Mapping[bytes, int]], width: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], UInt8s, NDArray[np.int64]]:
    """Of each language what its words do, as (firsts int32[languages, 257], lengths int32[words], words
    uint8[words, width], kinds int64[words]); firsts[i, c] to firsts[i, c + 1] are the words of language i that begin
    with c. Raises ValueError for a word longer than `width`."""
    firsts = np.zeros((len(languages), 257), np.int32)
    words: list[tuple[bytes, int]] = []
    for i, one in enumerate(languages):
        of_language = sorted(one.items())
        firsts[i] = len(words) + np.searchsorted([word[0] for word, _ in of_language], range(257))
        words += of_language
    if longest := [word for word, _ in words if len(word) > width]:
        raise ValueError(f"no room for {longest[0]!r}")
    table = np.zeros((len(words), width), np.uint8)
    for row, (word, _) in enumerate(words):
        table[row, : len(word)] = list(word)
    lengths = np.array([len(word) for word, _ in words], np.int32)
    return firsts, lengths, table, np.array([kind for _, kind in words], np.int64)


def add_words(found: dict[bytes, int], words: str, kind: int) -> None:
    """Each of the words does this too."""
    for word in words.split():
        found[word.encode("ascii")] = found.get(word.encode("ascii"), 0) | kind
