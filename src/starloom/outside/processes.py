"""Runs other programs: the one home of `subprocess`.

A program is an argv list (never a shell), gets exactly the environment that the caller gives, runs in `/` and
in a process group of its own, which is killed when its time or its output limit is over or when the reader
leaves. Starting one costs about 3 ms. Not covered: what the program itself does; no sandbox is made here.
"""

import contextlib
import fcntl
import os
import resource
import select
import shutil
import signal
import subprocess
import threading
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

from starloom.errors import UserError

CHUNK = 1 << 18  # bytes per read from a pipe
PIPE = 1 << 20  # bytes a pipe may hold; 7 % faster on `git cat-file` than Linux's 64 KB
LULL = 0.0005  # seconds for a large pipe to fill again; every switch between two processes costs both (6 % of CPU time)
LITTLE = range(1 << 12, CHUNK >> 1)  # bytes of a read that come from a busy program whose reader is too eager
STDERR_LIMIT = 1 << 16  # bytes of complaint that are kept, the last ones
KILL_GRACE = 5.0  # seconds that a program may take to end once its output is closed


_running: "weakref.WeakSet[Stream]" = weakref.WeakSet()


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
    once both pipes are full. Pieces that come one by one (an iterable) make a dialogue; they must have come to their
    end when the stream is closed. `idle_timeout`, which may be changed under way: seconds without any output after
    which a read raises ProcessError; time that the reader spends elsewhere does not count, and where a program is
    `talkative`, what it says on standard error is output too. `deadline`: seconds for the whole run. `limits`: what it
    and its children may use, by the constants of `resource`.
    """

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        *,
        feed: bytes | Iterable[bytes] | None = None,
        idle_timeout: float = 120.0,
        deadline: float | None = None,
        talkative: bool = False,
        limits: Mapping[int, int] = {},
    ) -> None:
        self._name = argv[0]
        self.idle_timeout = idle_timeout
        self._end = None if deadline is None else time.monotonic() + deadline
        self._chunk = b""  # what was read last
        self._start = 0  # what of it is used up
        self._complaint = bytearray()
        self._talkative = talkative
        self._heard = time.monotonic()  # when something came on standard error
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
        for kind, limit in limits.items():  # set from here: code between fork and exec may meet a locked lock
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(self._process.pid, kind, (limit, limit))
        assert self._process.stdout is not None
        self._output = self._process.stdout.fileno()
        for pipe in (self._process.stdout, self._process.stdin):
            if pipe is not None:
                with contextlib.suppress(OSError):  # more than the user may have is refused, which only costs switches
                    fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE)
        _running.add(self)
        self._large_pipe = fcntl.fcntl(self._output, fcntl.F_GETPIPE_SZ) >= PIPE
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
        """The end of what the program complained; whole once `finish` or `close` has returned."""
        return self._complaint.decode("utf-8", "backslashreplace")

    def read_until(self, separator: bytes, limit: int = 1 << 20) -> bytes | None:
        """The bytes before the next one-byte `separator`, which is consumed; None at the end of the output.

        Raises ProcessError when `limit` bytes come without a separator, or when the output ends within a
        piece.
        """
        start = self._start
        found = self._chunk.find(separator, start)
        if found >= 0:
            self._start = found + 1
            return self._chunk[start:found]
        pieces = [self._chunk[start:]]
        size = len(pieces[0])
        while True:
            if size > limit:
                raise ProcessError(f"{self._name}: a piece of output is longer than {limit} bytes")
            if not self._fill():
                if not size:
                    return None
                raise ProcessError(f"{self._name}: its output ends within a piece")
            found = self._chunk.find(separator)
            if found >= 0:
                pieces.append(self._chunk[:found])
                self._start = found + 1
                return b"".join(pieces)
            pieces.append(self._chunk)
            size += len(self._chunk)

    def pieces(self, separator: bytes, limit: int = 1 << 20) -> Iterator[list[bytes]]:
        """All the rest of the output, as many pieces at a time as came together. Raises as `read_until`."""
        rest = self._chunk[self._start :]
        while self._fill():
            *whole, rest = (rest + self._chunk).split(separator)
            self._start = len(self._chunk)
            yield whole
            if len(rest) > limit:
                raise ProcessError(f"{self._name}: a piece of output is longer than {limit} bytes")
        if rest:
            raise ProcessError(f"{self._name}: its output ends within a piece")

    def read_exactly(self, count: int) -> bytes:
        """The next `count` bytes. Raises ProcessError when the output ends before."""
        start, end = self._start, self._start + count
        if end <= len(self._chunk):
            self._start = end
            return self._chunk[start:end]
        pieces = [self._chunk[start:]]
        missing = count - len(pieces[0])
        while missing:
            if not self._fill():
                raise ProcessError(f"{self._name}: its output ends within a piece")
            self._start = min(missing, len(self._chunk))
            pieces.append(self._chunk[: self._start])
            missing -= self._start
        return b"".join(pieces)

    def skip(self, count: int) -> None:
        """Reads and drops `count` bytes in bounded memory. Raises ProcessError when the output ends."""
        while (here := len(self._chunk) - self._start) < count:
            count -= here
            if not self._fill():
                raise ProcessError(f"{self._name}: its output ends within a piece")
        self._start += count

    def finish(self) -> int:
        """The exit status, once all output has been read or dropped."""
        while self._fill():
            pass
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
        """The next chunk in place of the one before; False at the end of the output."""
        if self._large_pipe and len(self._chunk) in LITTLE:
            time.sleep(LULL)
        quiet = 0.0  # seconds without output
        while True:
            wait = self.idle_timeout - quiet
            if self._end is not None:
                wait = min(wait, max(0.0, self._end - time.monotonic()))
            if self._poll.poll(wait * 1000):
                break
            if self._talkative:
                quiet = time.monotonic() - self._heard
            over = self._end is not None and time.monotonic() >= self._end
            if over or not self._talkative or quiet >= self.idle_timeout:
                raise ProcessError(f"{self._name}: no output for {quiet or wait:.0f} seconds")
        self._chunk = os.read(self._output, CHUNK)
        self._start = 0
        return bool(self._chunk)

    def _drain(self) -> None:
        assert self._process.stderr is not None
        descriptor = self._process.stderr.fileno()
        with contextlib.suppress(OSError):
            while chunk := os.read(descriptor, CHUNK):
                self._heard = time.monotonic()
                self._complaint += chunk
                del self._complaint[:-STDERR_LIMIT]

    def _write(self, feed: bytes | Iterable[bytes]) -> None:
        assert self._process.stdin is not None
        # BrokenPipe: the program ended early; the reader sees that in the output.
        with contextlib.suppress(OSError):
            for piece in (feed,) if isinstance(feed, bytes) else feed:
                rest = memoryview(piece)
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
            output += stream._chunk
            if len(output) > max_output:
                raise ProcessError(f"{argv[0]}: more than {max_output} bytes of output")
        status = stream.finish()
        return Finished(status, bytes(output), stream.stderr)


def kill_all() -> None:
    """Kills every program that this process runs, whichever thread started it: its reader meets the end of the output.
    For the interrupted, who would otherwise leave programs behind."""
    for stream in list(_running):
        if stream._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(stream._process.pid, signal.SIGKILL)


def find_program(name: str, env: Mapping[str, str]) -> str:
    """The absolute path of program `name` on the PATH of `env`. UserError when there is none."""
    found = shutil.which(name, path=env.get("PATH", os.defpath))
    if found is None or not found.startswith("/"):  # a relative PATH would depend on where we are
        raise UserError(
            f"the program `{name}` is not installed",
            f"install it (Debian, Ubuntu: `apt install {name}`) and see that it is on the PATH",
        )
    return found
