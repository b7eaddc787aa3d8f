"""Comments, strings, identifiers and prose of each file, by its language's rules (lexical_rules).

One pass decides byte by byte; vectorised passes count what it found. Cost: 150 MB/s for Python, 220 for C (one core
with AVX-512 of a busy machine), linear on any input; 15 s to compile, once a machine.
"""

import functools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.cache import kernel
from starloom.kernels.code_points import properties
from starloom.kernels.lexical_lexer import DOCUMENTED, IDENTIFIER_CHARACTERS, IDENTIFIERS, walk
from starloom.kernels.lexical_rules import Packed, frozen_fields, word_table
from starloom.kernels.lexical_spans import (
    COMMENT_CHARACTERS,
    COUNTS,
    LONGEST_STRING,
    PROSE_CHARACTERS,
    STRING_CHARACTERS,
    characters,
    finish,
    read,
    solid,
)
from starloom.kernels.text import Int64s, UInt8s, checked, frozen

_BYTES_A_SPAN = 32  # room for as many at first: code has one in 140


class LexicalCounts(NamedTuple):
    """One value a file, in characters (code points)."""

    characters: NDArray[np.int64]
    solid: NDArray[np.int64]  # characters but ASCII white space
    comment_characters: NDArray[np.int64]  # the solid ones in comments and docstrings, their marks included
    string_characters: NDArray[np.int64]  # in string literals, quotes and white space included
    longest_string: NDArray[np.int64]  # the longest literal, or piece of one between code in it, quotes included
    identifiers: NDArray[np.int64]
    identifier_characters: NDArray[np.int64]
    prose_characters: NDArray[
        np.int64
    ]  # of the words in prose (lexical_spans): in comments and strings; anywhere in text
    documented: NDArray[np.bool_]  # a documentation comment or docstring is there


def lexical_counts(offsets: Int64s, data: UInt8s, languages: NDArray[np.int32], packed: Packed) -> LexicalCounts:
    """The counts of every file. `languages`: its place in `packed`, -1: unknown (a text without comments).

    Raises ValueError where a place is out of bounds.
    """
    offsets, data = checked(offsets, data)
    languages = frozen(languages, np.int32)
    if len(languages) != len(offsets) - 1 or (len(languages) and languages.max() >= len(packed.classes)):
        raise ValueError("languages do not fit the files or the rules")
    found = _count(offsets, data, languages, frozen_fields(packed), _words(), properties(), np.empty((0, 3), np.int64))
    return LexicalCounts(
        found[COUNTS],
        found[COUNTS + 1],
        found[COMMENT_CHARACTERS],
        found[STRING_CHARACTERS],
        found[LONGEST_STRING],
        found[IDENTIFIERS],
        found[IDENTIFIER_CHARACTERS],
        found[PROSE_CHARACTERS],
        found[DOCUMENTED] > 0,
    )


def spans(data: UInt8s, language: int, packed: Packed) -> NDArray[np.int64]:
    """(start, end, COMMENT | STRING) in bytes of each comment and string of one file, in order."""
    return all_spans(np.array([0, len(data)]), data, np.array([language], np.int32), packed)[1]


def all_spans(
    offsets: Int64s, data: UInt8s, languages: NDArray[np.int32], packed: Packed
) -> tuple[Int64s, NDArray[np.int64]]:
    """(bounds, spans): spans[bounds[i]:bounds[i + 1]] are those of file i, as of `spans`, in bytes from its start."""
    offsets, data = checked(offsets, data)
    arguments = offsets, data, frozen(languages, np.int32), frozen_fields(packed), _words(), properties()
    room = np.empty((int(offsets[-1] - offsets[0]) // _BYTES_A_SPAN + 64, 3), np.int64)
    bounds = np.append(0, np.cumsum(_count(*arguments, room)[COUNTS + 2]))
    if bounds[-1] > len(room):
        room = np.empty((bounds[-1], 3), np.int64)
        _count(*arguments, room)
    return bounds, room[: bounds[-1]]


@functools.cache
def _words() -> Any:
    words, kinds = word_table()
    return frozen(words, np.uint64), frozen(kinds, np.uint8)


@kernel
def _count(offsets: Any, data: Any, languages: Any, packed: Any, words: Any, table: Any, spans: Any) -> Any:
    """Of each file the counts of lexical_spans, characters, solid ones, spans. One kernel for all, as it is the slowest
    to compile: `spans` takes in as many as it has room for, file by file."""
    n = len(offsets) - 1
    counts = np.zeros((n, COUNTS + 3), dtype=np.int64)
    run = np.zeros(4, dtype=np.int64)
    traits = packed[2]
    found = 0
    for i in range(n):
        text = data[offsets[i] : offsets[i + 1]]
        counts[i, COUNTS] = characters(text)
        counts[i, COUNTS + 1] = solid(text)
        language = np.int64(languages[i])
        if language >= 0:
            counts[i, COUNTS + 2] = walk(
                text, language, packed, words, table, counts[i], spans[min(found, len(spans)) :]
            )
            found += counts[i, COUNTS + 2]
        if language < 0 or traits[language, 0]:
            read(text, np.int64(0), np.int64(len(text)), table, counts[i], run)
            finish(counts[i], run)
    return counts.T.copy()
