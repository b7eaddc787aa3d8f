"""What was found in comments, whose licence a sentence speaks of, and whether it denies it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from starloom.licenses.comments import Comments

Kind = Literal["spdx", "gnu", "header", "text", "statement", "proprietary"]


@dataclass(frozen=True, slots=True)
class Found:
    at: int  # offset in the comments' text
    end: int
    expression: str
    kind: Kind


def occurrences(word: str, text: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


_DENIED = re.compile(r"\b(?:not|never|neither|nor|isn't|aren't|cannot|than)\b(?: [\w',-]+){0,4} ?$")
_OTHERS = re.compile(r"\b(?:derived|based|portions?|parts?|some|from|which|that|check\w*|whether|if|example|e\.g)\b")
_THIS = re.compile(r"\b(?:this|these|it|all|the)\b[^.]*\b(?:is|are|be|asf)\b[^.]{0,20}$")
_ENDS = (".", ":", ";", ",", ")", ">")


def denied(lower: str, at: int) -> bool:
    before = lower[max(0, at - 60) : at].rpartition(". ")[2]
    return _DENIED.search(before) is not None and "except" not in before


def is_about_this(comments: Comments, at: int) -> bool:
    """Whether the sentence around an offset speaks of the file: it begins there, or with "this file is"."""
    if comments.begins_paragraph(at):
        return True
    before = comments.lower[max(0, at - 160) : at]
    sentence = re.split(r"[.:;] ", before)[-1].strip()
    if not sentence or "copyright" in sentence or sentence.endswith(("reserved", "(c)")):
        return True
    return _THIS.search(sentence) is not None and _OTHERS.search(sentence) is None
