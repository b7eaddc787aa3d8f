"""Text that says little of where it comes from: licence notices and texts, and what many files share.

A stretch is of a licence when it is prose, comment marks aside, and the words of licences are dense in it. Whoever
quotes such words in code, or writes a program about licences, has other characters between them. Cost: 10 µs for 1,000
characters; the first 8,000 count.
"""

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from starloom.kernels.text import Bools, Int64s, UInt8s

if TYPE_CHECKING:
    from starloom.kernels.present import Words

Judge: TypeAlias = Callable[[str], bool]

_LOOKED_AT: Final = 8_000
_REMEMBERED: Final = 512
_PROSE: Final = 0.985  # share of characters that are no sign of code
_DENSE: Final = 250  # characters for each word of licences, at most
_WORDS: Final = re.compile(
    r"licen[cs]|permission|permitted|redistribut|copyright|warrant|liab(?:le|ilit)|merchantab|free software"
    r"|\b[al]?gpl\b|without restriction|public domain|spdx-|all rights|contributor|patent"
)
_IN_WORDS: Final = (  # every match of _WORDS has one of these
    *("licen", "permission", "permitted", "redistribut", "copyright", "warrant", "liab", "merchantab"),
    *("free software", "gpl", "without restriction", "public domain", "spdx-", "all rights", "contributor", "patent"),
)
_MARKS: Final = re.compile(r"(?m)^[\s#*/;%!|\"'<>-]+|[\s#*/|\"'-]+$")
_CODE: Final = re.compile(r"[^\w\s.,:;'\"()/@©<>§•–—’“”-]|_|\w\(\w")
_ADDRESS: Final = re.compile(r"https?://\S+|\S+@\S+|licen[cs]e_[\w.]+")


def is_license(text: str) -> bool:
    """Whether a stretch of a file is a licence's text or a notice.

    >>> is_license("# Licensed under the Apache License, Version 2.0; you may not use this file except so.")
    True
    >>> is_license("def license_of(copyright): return permission[copyright].license")
    False
    """
    return _is_license(text[:_LOOKED_AT].lower())


def judge() -> Judge:
    """`is_license`, which knows what it said as long as it lives: the same headers stand in many files of a folder."""
    known = lru_cache(_REMEMBERED)(_is_license)
    return lambda text: known(text[:_LOOKED_AT].lower())


def _is_license(text: str) -> bool:
    if not _dense(sum(map(text.count, _IN_WORDS)), text):  # never fewer than matches; most stretches end here
        return False
    if not _dense(len(_WORDS.findall(text)), text):
        return False
    bare = _ADDRESS.sub("", _MARKS.sub("", text))
    return len(_CODE.findall(bare)) <= (1 - _PROSE) * len(bare)


def _dense(words: int, text: str) -> bool:
    return words >= 2 and words * _DENSE >= len(text)


def worded(query: UInt8s, starts: Int64s, ends: Int64s) -> Bools:
    """Which stretches of a folded text have a word of licences at all: no other one is a licence's, and most are none.

    No letter beyond ASCII hides a word: of those that are ASCII's in lower case, one is a k, which is in no word, the
    other is two characters there.
    """
    found: Bools = np.any(_in_words().standing(starts, ends, query), axis=1)
    return found


@cache
def _in_words() -> "Words":
    from starloom.kernels.present import Words

    return Words((), [one.encode() for one in _IN_WORDS])


def reason(of_license: bool, contents: int, common: int) -> str:
    """Why a stretch that so many contents have says little; empty where it does not. `of_license`: it is a licence's
    text or a notice; `common`: from how many on."""
    if of_license:
        return "the words of a licence"
    return f"{contents:,} different files have it" if contents > common else ""
