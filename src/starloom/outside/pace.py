"""Politeness: how many requests a second, and how long to wait before asking again."""

import random
import threading
from collections.abc import Callable
from typing import Final

from starloom.outside.http_errors import HttpError

_LONGEST_BACKOFF: Final = 30.0  # seconds


class Pace:
    """At most `per_second` requests a second over all threads, after a burst of one second's worth; 0: no limit."""

    def __init__(self, per_second: float, sleep: Callable[[float], None], clock: Callable[[], float]) -> None:
        self._interval = 1 / per_second if per_second > 0 else 0.0
        self._burst = max(1.0, per_second)
        self._sleep = sleep
        self._clock = clock
        self._lock = threading.Lock()
        self._full = clock()  # when the bucket is full again

    def wait(self) -> None:
        """Returns when a request may go out."""
        if not self._interval:
            return
        with self._lock:
            now = self._clock()
            self._full = max(self._full, now) + self._interval
            delay = self._full - now - self._burst * self._interval
        if delay > 0:
            self._sleep(delay)


class Retries:
    """Counts failures in a row and waits between them: exponential backoff, full jitter, what the server asks."""

    def __init__(self, attempts: int, longest_wait: float, sleep: Callable[[float], None]) -> None:
        self._attempts = attempts
        self._longest_wait = longest_wait
        self._sleep = sleep
        self._failures = 0

    def progressed(self) -> None:
        """What failed before does not count any more."""
        self._failures = 0

    def wait(self, problem: HttpError) -> None:
        """Sleeps before the next attempt. Raises `problem` when there is to be none."""
        self._failures += 1
        if not problem.retryable or self._failures >= self._attempts:
            raise problem
        backoff = random.uniform(0, min(_LONGEST_BACKOFF, 2.0 ** (self._failures - 1)))  # noqa: S311 - no secret
        self._sleep(backoff + min(problem.retry_after or 0.0, self._longest_wait))
