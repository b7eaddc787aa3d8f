"""The fault kit: every file-system operation of a publication fails once, and what is left is looked at.

It sits on `starloom.workspace.operations.fault_hook`. `Kit.enumerate_faults` takes a function that publishes into a
folder and, for every operation x kind of fault: prepares a fresh folder, runs with the fault, proves that it fired,
checks what a reader would see (what was there before, or the complete result), lets `recover` clear up, checks again,
and runs once more without faults: the bytes must be those of a run that nothing disturbed. A few milliseconds a case.

Not covered: operations in worker processes (run with `workers = 1`), and a power cut, which also loses what was not
fsynced: for that, `Kit.operations` gives the order of fsyncs and renames to compare.
"""

import contextlib
import errno
import fnmatch
import os
import re
import shutil
import signal
import sys
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from starloom.errors import UserError
from starloom.workspace import operations
from starloom.workspace.atomic import recover

# "for good": every operation from this one on fails. A full disk still removes files.
ERRORS = ("ENOSPC", "ENOSPC for good", "EDQUOT", "EDQUOT for good", "EIO", "EIO for good")
# At writes only. short: takes one byte (for good: 64 a call); stuck: takes none; torn: takes one, then kill.
WRITES = ("short", "short for good", "stuck", "torn")
# kill: a forked child ends there with no cleaning up. halt: the same in this process by an exception that nothing may
# catch, after which every operation fails; for functions that must not be forked (threads).
KILLS = ("kill",)
KINDS = ERRORS + WRITES + KILLS

LEFT = re.compile(r"\..+\.[0-9a-f]{16}\.(aside|old)", re.DOTALL)  # as in starloom.workspace.atomic
IGNORED = (".starloom/lock",)  # says who held it and when

_KILLED = 86  # the exit status of a child that the fault ended
_CHILD_SECONDS = 60
_SHORT = 64


class Halted(BaseException):
    """The process is gone, as far as the file system can tell."""


class Fault:
    """A fault hook: the operation number `at` (from 0) meets `kind`."""

    def __init__(self, kind: str, at: int) -> None:
        self.kind, self.at = kind, at
        self.name, _, lasting = kind.partition(" ")
        self.lasting = bool(lasting)
        self.seen = 0
        self.fired: list[str] = []

    def __call__(self, operation: str, path: Path) -> int | None:
        number, self.seen = self.seen, self.seen + 1
        if number < self.at or (number > self.at and not self.lasting and self.name not in ("torn", "halt")):
            return None
        first = number == self.at
        if not first and self.name in ("ENOSPC", "EDQUOT") and operation in ("unlink", "rmdir"):
            return None
        self.fired.append(operation)
        if self.name == "halt":
            raise Halted(f"at {operation} {path}")
        if self.name == "kill" or (self.name == "torn" and not first):
            os._exit(_KILLED)
        if self.name in ("short", "torn"):
            return _SHORT if self.lasting else 1
        if self.name == "stuck":
            return 0
        code = getattr(errno, self.name)
        raise OSError(code, os.strerror(code))

    def __str__(self) -> str:
        return f"{self.kind} at operation {self.at}"


@contextlib.contextmanager
def injected(hook: Callable[[str, Path], int | None]) -> Iterator[None]:
    """`hook` is asked before every operation while the block runs."""
    assert operations.fault_hook is None, "a fault is set already"
    operations.fault_hook = hook
    try:
        yield
    finally:
        operations.fault_hook = None


def visible(folder: Path, ignore: Sequence[str] = IGNORED) -> dict[str, bytes]:
    """What a reader sees: the bytes of every file by relative path (empty folders are nothing), none that lies aside.

    `ignore`: patterns of relative paths, as in a shell.
    """
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if any(LEFT.fullmatch(part) for part in relative.parts):
            continue
        if any(fnmatch.fnmatch(str(relative), pattern) for pattern in ignore):
            continue
        if path.is_symlink():
            found[str(relative)] = f"-> {path.readlink()}".encode()
        elif path.is_file():
            found[str(relative)] = path.read_bytes()
    return found


def leftovers(folder: Path) -> list[str]:
    """Relative paths of what lies aside: drafts and old versions of dead runs."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if LEFT.fullmatch(path.name))


def tree_bytes(folder: Path, ignore: Sequence[str] = IGNORED) -> dict[str, bytes]:
    """`visible`, and nothing lies aside: to compare folders after `recover`, or after runs that were not disturbed."""
    assert not leftovers(folder)
    return visible(folder, ignore)


def in_child(run: Callable[[], object]) -> int:
    """The exit status of a forked child that runs `run`: 0, 1 after an exception (printed), -N killed by signal N."""
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from Python 3.12 on, when threads are about
        child = os.fork()
    if not child:
        try:
            run()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    late = threading.Timer(_CHILD_SECONDS, os.kill, (child, signal.SIGKILL))
    late.start()
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        late.cancel()


class Kit:
    """The kit with a scratch folder; tests get it as the fixture `faults`."""

    tree_bytes = staticmethod(tree_bytes)
    visible = staticmethod(visible)
    leftovers = staticmethod(leftovers)
    injected = staticmethod(injected)
    in_child = staticmethod(in_child)
    Fault = Fault

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._folders = 0

    def folder(self) -> Path:
        """A fresh folder."""
        self._folders += 1
        folder = self._scratch / f"{self._folders:06}"
        folder.mkdir(parents=True)
        return folder

    def operations(self, run: Callable[[Path], object], folder: Path) -> list[tuple[str, str]]:
        """Every operation of `run(folder)` in order: its name and relative path, random names as `.NAME.*.aside`."""
        seen: list[tuple[str, str]] = []

        def note(operation: str, path: Path) -> None:
            name = os.path.relpath(path, folder)
            seen.append((operation, re.sub(r"\.[0-9a-f]{16}\.(aside|old)", r".*.\1", name)))

        with injected(note):
            run(folder)
        return seen

    def enumerate_faults(
        self,
        run: Callable[[Path], object],
        check: Callable[[Path], object] | None = None,
        *,
        prepare: Callable[[Path], object] | None = None,
        kinds: Sequence[str] = KINDS,
        every: int = 1,
        ignore: Sequence[str] = IGNORED,
    ) -> Counter[str]:
        """Every `every`-th operation of `run(root)`, the first and the last, x `kinds`. Returns the cases per kind.

        `run` must do the same each time, be happy with what an interrupted run left (after `recover`), and fail with
        UserError only. `prepare(root)` lays down what was there before: once, each case gets a copy. `check(root)` is
        called right after the fault and again after `recover`; without it, what a reader sees must be what was there
        before or the complete result: give it where `run` publishes more than one thing. Raises AssertionError with
        kind and operation in it.
        """
        before_root = self.folder()
        if prepare:
            prepare(before_root)
        before = visible(before_root, ignore)
        done = self._copy(before_root)
        seen = self.operations(run, done)
        after = tree_bytes(done, ignore)
        assert seen, "nothing to disturb: run() did no operation"
        run(done)
        assert tree_bytes(done, ignore) == after, "run() twice gives something else than once"

        def whole(root: Path) -> None:
            assert visible(root, ignore) in (before, after), "neither what was there before nor the complete result"

        cases: Counter[str] = Counter()
        numbers = sorted({*range(0, len(seen), every), len(seen) - 1})
        for kind in kinds:
            for number in numbers:
                if kind in WRITES and seen[number][0] != "write":
                    continue
                fault = Fault(kind, number)
                root = self._copy(before_root)
                try:
                    succeeded = self._disturb(run, root, fault, seen[number])
                    (check or whole)(root)
                    if succeeded:
                        assert visible(root, ignore) == after, "success, but not the complete result"
                    recover(root)
                    (check or whole)(root)
                    assert not leftovers(root), "recover() left something aside"
                    run(root)
                    assert tree_bytes(root, ignore) == after, "run again: not the bytes of an undisturbed run"
                except Exception as problem:
                    raise AssertionError(f"{fault}, {seen[number]}, in {root}: {problem}") from problem
                shutil.rmtree(root)
                cases[kind] += 1
        shutil.rmtree(before_root)
        shutil.rmtree(done)
        assert cases, "no case: these kinds happen at writes only, and there was none"
        return cases

    def _copy(self, prepared: Path) -> Path:
        folder = self.folder()
        shutil.copytree(prepared, folder, symlinks=True, dirs_exist_ok=True)
        return folder

    def _disturb(self, run: Callable[[Path], object], root: Path, fault: Fault, expected: tuple[str, str]) -> bool:
        """Whether `run` succeeded in spite of the fault."""
        if fault.name in ("kill", "torn"):

            def disturbed() -> None:
                with injected(fault):
                    run(root)

            status = in_child(disturbed)
            assert status == _KILLED, f"the fault never fired: the child ended with {status}"
            return False
        succeeded, told = False, None
        try:
            with injected(fault):
                run(root)
            succeeded = True
        except UserError as problem:
            told = problem
        except Halted:
            pass
        assert told is None or str(root) in told.problem, f"the message names no path: {told.problem}"
        assert told is None or told.hint, f"the message names no remedy: {told.problem}"
        assert fault.fired, "the fault never fired"
        assert fault.fired[0] == expected[0], f"run() is not the same each time: {fault.fired[0]} came instead"
        return succeeded


def open_descriptors() -> int:
    """How many files this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def wait_for(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Until `condition()` holds. Raises AssertionError when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)
