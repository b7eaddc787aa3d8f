"""A stretch of a text that must not be shown, and what it is called instead."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """Characters `start` to `end` (exclusive) of a text. `label`: the word shown in their place, e.g. EMAIL."""

    start: int
    end: int
    label: str
