"""ScanCode (the extra `licenses`), asked about each canonical licence text once, through a cache.

One worker process (licenses/scancode_worker), begun when a text is not in the cache, stays until the scanner is closed.
It is another process since it takes 1.4 GB and its own time, and so that a text on which it hangs or crashes costs a
worker rather than a build: such a text is a problem (an unknown licence), and a new worker goes on. A crash may be
somebody else's doing (memory), so the text is asked about once more. Problems are not kept: the next scanner asks
again.

An answer depends on the canonical text and ScanCode's version alone. Cost: 0.2 s for a licence text of usual length,
4 s once for the worker; 15 µs from the cache.
"""

import contextlib
import importlib.metadata
import json
import os
import queue
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from starloom.errors import UserError
from starloom.licenses.scancode_cache import Answers, default_path
from starloom.outside.processes import ProcessError, Stream

LOADING = 300.0  # seconds for the index, from a slow disk
GRACE = 5.0  # seconds beyond a text's own for ScanCode to notice that they are over; then the worker is killed
MEMORY = 8 << 30  # bytes of address space
MAX_ANSWER = 1 << 26  # bytes; the longest seen has 60 KB

_FORMAT = 1  # of what is asked and kept: a canonical form or an answer of another kind makes the cache another's


@dataclass(frozen=True, slots=True)
class Match:
    """A piece of the text that ScanCode took for (a part of) a licence."""

    expression: str  # SPDX; licences that SPDX does not have are LicenseRef-scancode-…
    rule: str  # ScanCode's name of what it compared with
    score: float  # 0 to 100
    start: int  # lines of the text that was scanned, 1-based
    end: int


@dataclass(frozen=True, slots=True)
class Scan:
    """The answer about one text: the licences detected, in the order of the text, or what went wrong."""

    text_id: str
    expressions: tuple[str, ...]
    matches: tuple[Match, ...]
    problem: str | None = None


@dataclass(frozen=True)
class Program:
    """What answers: a command that speaks the protocol of licenses/scancode_worker, and the version of its answers."""

    argv: tuple[str, ...]
    version: str


def version() -> str | None:
    """The version of ScanCode that is installed here, or None."""
    for name in ("scancode-toolkit", "scancode-toolkit-mini"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version(name)
    return None


class Scanner:
    """Use as a context manager. `cache`: its file, by default one in the user's cache folder. `seconds`: for one text.

    `program`: by default the ScanCode that is installed here.
    """

    def __init__(self, *, cache: Path | None = None, seconds: float = 120, program: Program | None = None) -> None:
        self._seconds = seconds
        self._program = program or _installed(seconds)
        self._answers = Answers(cache or default_path(), f"{self._program.version}/{_FORMAT}")
        self._worker: _Worker | None = None
        self.asked = 0  # how often ScanCode itself was asked

    def __enter__(self) -> "Scanner":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def scan(self, texts: Iterable[tuple[str, str]]) -> Iterator[Scan]:
        """The answers about (text_id, canonical text), in that order. UserError where ScanCode does not start."""
        for text_id, text in texts:
            kept = self._answers.get(text_id)
            yield (_read(text_id, kept) if kept else None) or self._ask(text_id, text)

    def close(self) -> None:
        """Ends the worker. Safe to call twice."""
        self._stop()
        self._answers.close()

    def _ask(self, text_id: str, text: str) -> Scan:
        for _ in range(2):
            if self._worker is None:
                self._worker = _Worker(self._program)
            self.asked += 1
            begun = time.monotonic()
            try:
                answer = self._worker.ask(text_id, text, self._seconds + GRACE)
                scan = _read(text_id, answer)
            except ProcessError:
                scan = None
            except BaseException:  # an interrupt: what the worker says next is the answer to this question
                self._stop()
                raise
            if scan is not None:
                if scan.problem is None:
                    self._answers.put(text_id, answer)
                return scan
            self._stop()
            if time.monotonic() - begun >= self._seconds:
                return Scan(text_id, (), (), f"ScanCode took more than {self._seconds:g} s")
        return Scan(text_id, (), (), "ScanCode crashed")

    def _stop(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()


def _installed(seconds: float) -> Program:
    found = version()
    if found is None:
        raise UserError("ScanCode is not installed", "pip install 'starloom[licenses]'")
    return Program((sys.executable, "-P", "-m", "starloom.licenses.scancode_worker", str(seconds)), found)


class _Worker:
    """A running program that answers questions. Raises UserError where it does not start."""

    def __init__(self, program: Program) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="starloom-scancode-")
        self._questions: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._stream = Stream(
            program.argv,
            _environment(self._folder.name),
            feed=iter(self._questions.get, None),
            idle_timeout=LOADING,
            limits={resource.RLIMIT_AS: MEMORY},
        )
        try:
            if self._stream.read_until(b"\n") is None:
                raise ProcessError("it ended at once")
        except ProcessError:
            self.close()
            raise _no_start(self._stream.stderr) from None
        except BaseException:
            self.close()
            raise

    def ask(self, text_id: str, text: str, seconds: float) -> bytes:
        """The line that answers, within `seconds`. Raises ProcessError."""
        data = text.encode("utf-8", "surrogatepass")
        self._stream.idle_timeout = seconds
        self._questions.put(b"%b %d\n%b" % (text_id.encode("ascii"), len(data), data))
        answer = self._stream.read_until(b"\n", MAX_ANSWER)
        if answer is None:
            raise ProcessError("it ended")
        return answer

    def close(self) -> None:
        self._questions.put(None)
        self._stream.close()
        self._folder.cleanup()


def _environment(folder: str) -> dict[str, str]:
    """Ours, with starloom to be found, nothing written outside `folder`, and sets in one order."""
    source = str(Path(__file__).parents[2])
    paths = os.pathsep.join(filter(None, (source, os.environ.get("PYTHONPATH"))))
    ours = {"PYTHONPATH": paths, "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
    return {**os.environ, **ours, "SCANCODE_TEMP": folder, "SCANCODE_CACHE": folder}


def _no_start(complaint: str) -> UserError:
    last = next((line.strip() for line in reversed(complaint.splitlines()) if line.strip()), "it said nothing")
    hint = "pip install --force-reinstall 'starloom[licenses]', or go without it: [scan] scancode = \"off\""
    if "plug" in complaint:
        hint = "pip install 'pluggy<1.7'"
    return UserError(f"ScanCode does not start: {last}", hint)


def _read(text_id: str, answer: bytes) -> Scan | None:
    """The answer; None for a line that is none, or another text's."""
    try:
        told: Any = json.loads(answer)
        if told["id"] != text_id:
            return None
        if "problem" in told:
            return Scan(text_id, (), (), str(told["problem"]))
        matches = [
            Match(str(expression), str(rule), float(score), int(start), int(end))
            for expression, rule, score, start, end in told["matches"]
        ]
        return Scan(text_id, tuple(map(str, told["expressions"])), tuple(matches))
    except (ValueError, TypeError, KeyError):
        return None
