"""Seconds of many questions, in a few figures."""

import math
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import Any, TypeVar

T = TypeVar("T")


def quantile(values: Sequence[float], share: float) -> float:
    """Of values in any order: the least one that so many are not above."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def told(seconds: Sequence[float]) -> dict[str, Any]:
    """In milliseconds."""
    if not seconds:
        return {"n": 0}
    milliseconds = [1000 * one for one in seconds]
    return {
        "n": len(seconds),
        "p50": quantile(milliseconds, 0.5),
        "p95": quantile(milliseconds, 0.95),
        "p99": quantile(milliseconds, 0.99),
        "max": max(milliseconds),
    }


def warm(ask: Callable[[T], object], questions: Iterable[T]) -> list[float]:
    """Seconds of each the second time: all are asked once before."""
    some = list(questions)
    for question in some:
        ask(question)
    seconds = []
    for question in some:
        start = perf_counter()
        ask(question)
        seconds.append(perf_counter() - start)
    return seconds
