"""Runs other programs: the one home of `subprocess`.

A program is an argv list (never a shell), gets exactly the environment that the caller gives, runs in `/` and
in a process group of its own, which is killed when its time or its output limit is over or when the reader
leaves. Starting one costs about 3 ms. Not covered: what the program itself does; no sandbox is made here.
"""

import contextlib
import fcntl
import os
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

from starloom.errors import UserError

CHUNK = 1 << 18  # bytes per read from a pipe
PIPE = 1 << 20  # bytes a pipe may hold; 7 % faster on `git cat-file` than Linux's 64 KB
STDERR_LIMIT = 1 << 16  # bytes of complaint that are kept; the rest is read and dropped
KILL_GRACE = 5.0  # seconds that a program may take to end once its output is closed


class ProcessError(Exception):
    """A program could not be run to its end: no output in time, or more output than allowed."""


@dataclass(frozen=True)
class Finished:
    """What a program left: exit status (negative: killed by that signal), its output and its complaint."""

    returncode: int
    stdout: bytes
    stderr: str


class Stream:
    """A running program whose output is read piece by piece; use it as a context manager.

    `feed` goes to its standard input from a thread of its own: writing and reading in turn would deadlock
    once both pipes are full. `idle_timeout`: seconds without any output after which a read raises
    ProcessError; time that the reader spends elsewhere does not count. `deadline`: seconds for the whole run.
    """

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        *,
        feed: bytes | None = None,
        idle_timeout: float = 120.0,
        deadline: float | None = None,
    ) -> None:
        self._name = argv[0]
        self._idle_timeout = idle_timeout
        self._end = None if deadline is None else time.monotonic() + deadline
        self._buffer = bytearray()
        self._start = 0  # the part of the buffer before it is used up
        self._complaint = bytearray()
        self._process = subprocess.Popen(
            [find_program(argv[0], env), *argv[1:]],
            stdin=subprocess.DEVNULL if feed is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(env),
            cwd="/",  # a relative entry in PATH or a configuration must not meet a stranger's folder
            start_new_session=True,
            bufsize=0,
        )
        assert self._process.stdout is not None
        self._output = self._process.stdout.fileno()
        with contextlib.suppress(OSError):  # fewer switches between the two; more than the user may have is refused
            fcntl.fcntl(self._output, fcntl.F_SETPIPE_SZ, PIPE)
        self._poll = select.poll()
        self._poll.register(self._output, select.POLLIN)
        self._threads = [threading.Thread(target=self._drain, daemon=True)]
        if feed is not None:
            self._threads.append(threading.Thread(target=self._write, args=(feed,), daemon=True))
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> "Stream":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def stderr(self) -> str:
        """The start of what the program complained; whole once `finish` has returned."""
        return self._complaint.decode("utf-8", "backslashreplace")

    def read_until(self, separator: bytes, limit: int = 1 << 20) -> bytes | None:
        """The bytes before the next one-byte `separator`, which is consumed; None at the end of the output.

        Raises ProcessError when `limit` bytes come without a separator, or when the output ends within a
        piece.
        """
        seen = self._start
        while (found := self._buffer.find(separator, seen)) < 0:
            if len(self._buffer) - self._start > limit:
                raise ProcessError(f"{self._name}: a piece of output is longer than {limit} bytes")
            seen = len(self._buffer)
            shift = self._start
            if not self._fill():
                if self._start == len(self._buffer):
                    return None
                raise ProcessError(f"{self._name}: its output ends within a piece")
            seen -= shift - self._start
        piece = bytes(memoryview(self._buffer)[self._start : found])
        self._start = found + 1
        return piece

    def read_exactly(self, count: int) -> bytes:
        """The next `count` bytes. Raises ProcessError when the output ends before."""
        while len(self._buffer) - self._start < count:
            if not self._fill():
                raise ProcessError(f"{self._name}: its output ends within a piece")
        piece = bytes(memoryview(self._buffer)[self._start : self._start + count])
        self._start += count
        return piece

    def skip(self, count: int) -> None:
        """Reads and drops `count` bytes in bounded memory. Raises ProcessError when the output ends."""
        while count:
            count -= len(self.read_exactly(min(count, CHUNK)))

    def finish(self) -> int:
        """The exit status, once all output has been read or dropped."""
        while self._fill():
            self._start = len(self._buffer)
        try:
            status = self._process.wait(KILL_GRACE)
        except subprocess.TimeoutExpired:
            raise ProcessError(f"{self._name}: it closed its output but did not end") from None
        for thread in self._threads:
            thread.join(KILL_GRACE)
        return status

    def close(self) -> None:
        """Kills the process group if it still runs and frees the pipes. Safe to call twice."""
        if self._process.returncode is None:
            # Not reaped yet, so the number of the group cannot have been given to anybody else.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        for thread in self._threads:
            thread.join(KILL_GRACE)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _fill(self) -> bool:
        """One more chunk into the buffer; False at the end of the output."""
        wait = self._idle_timeout
        if self._end is not None:
            wait = min(wait, max(0.0, self._end - time.monotonic()))
        if not self._poll.poll(wait * 1000):
            raise ProcessError(f"{self._name}: no output for {wait:.0f} seconds")
        chunk = os.read(self._output, CHUNK)
        if self._start:
            del self._buffer[: self._start]
            self._start = 0
        self._buffer += chunk
        return bool(chunk)

    def _drain(self) -> None:
        assert self._process.stderr is not None
        descriptor = self._process.stderr.fileno()
        with contextlib.suppress(OSError):
            while chunk := os.read(descriptor, CHUNK):
                self._complaint += chunk[: max(0, STDERR_LIMIT - len(self._complaint))]

    def _write(self, feed: bytes) -> None:
        assert self._process.stdin is not None
        rest = memoryview(feed)
        # BrokenPipe: the program ended early; the reader sees that in the output.
        with contextlib.suppress(OSError):
            while rest:
                rest = rest[os.write(self._process.stdin.fileno(), rest) :]
        with contextlib.suppress(OSError):
            self._process.stdin.close()


def run(
    argv: Sequence[str],
    env: Mapping[str, str],
    *,
    timeout: float,
    feed: bytes | None = None,
    max_output: int = 1 << 26,
) -> Finished:
    """Runs a program to its end. `timeout` in seconds for the whole run, `max_output` in bytes.

    Raises ProcessError past either limit, UserError when the program is not installed. A non-zero exit status
    is the caller's to judge.
    """
    with Stream(argv, env, feed=feed, idle_timeout=timeout, deadline=timeout) as stream:
        output = bytearray()
        while stream._fill():
            output += stream._buffer
            stream._start = len(stream._buffer)
            if len(output) > max_output:
                raise ProcessError(f"{argv[0]}: more than {max_output} bytes of output")
        status = stream.finish()
        return Finished(status, bytes(output), stream.stderr)


def find_program(name: str, env: Mapping[str, str]) -> str:
    """The absolute path of program `name` on the PATH of `env`. UserError when there is none."""
    found = shutil.which(name, path=env.get("PATH", os.defpath))
    if found is None or not found.startswith("/"):  # a relative PATH would depend on where we are
        raise UserError(
            f"the program `{name}` is not installed",
            f"install it (Debian, Ubuntu: `apt install {name}`) and see that it is on the PATH",
        )
    return found
