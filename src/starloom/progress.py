"""Bars for people, plain lines for logs: what is being done, how fast, how long it will still take.

On a terminal: one rich bar per task with bytes or rows, rate and time left. Elsewhere: a line when a task starts being
slow (two seconds; at once where its total is not known), then every ten seconds, and one at its end. All on stderr:
stdout is for data.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_SLOW = 2.0  # seconds after which a task is worth a line in a log
_silent = False  # see `silenced`


class Task:
    """One running task: `advance(n)` in the unit it was opened with (bytes or items); `note`, if set, stands beside
    the rate (the loss of a training run)."""

    def __init__(self, name: str, total: float | None, unit: str) -> None:
        self.name, self.total, self.unit = name, total, unit
        self.note = ""
        self.done = 0.0
        self.started = time.monotonic()
        self._next_line = self.started + _SLOW
        self._told = -1.0  # what the last line told of
        self._bar: tuple[Progress, TaskID] | None = None

    def advance(self, amount: float) -> None:
        self.done += amount
        if self._bar:
            progress, task = self._bar
            progress.update(task, completed=self.done, rate=self.rate(), amount=self.amount())
        elif not _on_terminal() and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + 10.0
            self._line()

    def rate(self) -> str:
        seconds = max(time.monotonic() - self.started, 1e-6)
        rate = f"{human(self.done / seconds, self.unit)}/s"
        return f"{rate}, {self.note}" if self.note else rate

    def amount(self) -> str:
        return human(self.done, self.unit) + (f" of {human(self.total, self.unit)}" if self.total else "")

    def _line(self) -> None:
        if self._told == self.done:
            return
        self._told = self.done
        if self.total is None and not self.done:  # a step that counts nothing
            say(f"  {self.name}: {time.monotonic() - self.started:.0f} s")
            return
        left = ""
        if self.total and 0 < self.done < self.total:
            seconds = (time.monotonic() - self.started) * (self.total - self.done) / self.done
            left = f", {seconds:.0f} s left"
        say(f"  {self.name}: {self.amount()}, {self.rate()}{left}")


def human(amount: float, unit: str) -> str:
    """An amount for people: `12.3 MB`, `8,123 files`.

    >>> human(12_345_678, "bytes"), human(8123, "files")
    ('12.3 MB', '8,123 files')
    """
    if unit != "bytes":
        return counted(int(amount), unit)
    for suffix in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} B" if suffix == "B" else f"{amount:.1f} {suffix}"
        amount /= 1000
    return f"{amount:.1f} TB"


_SINGULAR = (("ies", "y"), ("ches", "ch"), ("s", ""), ("", ""))  # by the ending of the plural


def counted(number: int, things: str) -> str:
    """A number of things, for people.

    >>> counted(1, "repositories"), counted(1, "matches"), counted(1, "files"), counted(2_000, "files")
    ('1 repository', '1 match', '1 file', '2,000 files')
    """
    if number == 1:
        ending, singular = next(one for one in _SINGULAR if things.endswith(one[0]))
        things = things.removesuffix(ending) + singular
    return f"{number:,} {things}"


def say(text: str) -> None:
    """A line of progress or news for the person at the terminal: stderr, flushed."""
    if not _silent:
        print(text, file=sys.stderr, flush=True)


@contextmanager
def silenced(wanted: bool = True) -> Iterator[None]:
    """Bars and lines of this process are not shown while the block runs: of many that do one thing, one tells of it."""
    global _silent
    before, _silent = _silent, wanted
    try:
        yield
    finally:
        _silent = before


def _on_terminal() -> bool:
    return sys.stderr.isatty() and not _silent


@contextmanager
def task(name: str, total: float | None, unit: str = "bytes") -> Iterator[Task]:
    """Shows `name` while the block runs. `total` in `unit`s, None when it is not known beforehand."""
    running = Task(name, total, unit)
    if not _on_terminal():
        if total is None:  # it will not advance, so it would be silent until its end
            say(f"  {name} …")
        yield running
        if time.monotonic() - running.started >= _SLOW:
            running._line()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        TextColumn("{task.percentage:>3.0f} %" if total else ""),
        TextColumn("{task.fields[amount]}"),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn() if total else TextColumn(""),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        running._bar = (progress, progress.add_task(name, total=total, rate="", amount=""))
        yield running
