"""Syntax errors in files, by the tree-sitter grammars of their languages; what files define: definitions.py; pieces of
their syntax, drawn: middles.py.

The grammars are those that `tree-sitter-language-pack` before 1.0 carries in its wheel (later ones load them from the
network at run time); `grammars.tsv` says which language has which. They are written for editors, not for compilers:
they accept much that a compiler refuses, and report macros, templates, dialects and syntax younger than themselves as
errors, so few errors mean little and many a lot. Left out are grammars that fail on many ordinary files (INI,
Makefile, SCSS, SQL, Tcl, Vim script) or hang on hostile ones (Agda, Bicep), and HTML, where hardly anything is an
error, with what is built on it. A language with two grammars takes the one with fewer errors.

Some grammars' scanners, written in C, crash on hostile files (20,000 times `- ` as YAML: a segmentation fault), so
files are parsed in a process of their own, which is started anew where it dies.

Cost: 6 MB/s, and the signal is therefore off by default; 0.2 s for a process a batch. Three kinds of files have no
numbers: those of more than `max_bytes`; those that keep the parser busy far longer than code does, counted in steps, so
that every machine decides alike; those on which it crashes, or takes 20 s or 4 GB.
"""

import functools
import importlib.metadata
import os
import queue
import resource
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, TypeVar

from starloom.errors import UserError
from starloom.outside.processes import ProcessError, Stream

_PACK = "tree-sitter-language-pack"
_SECONDS = 20.0  # for one file; all but hostile ones take less than one
_MEMORY = 4 << 30
_ANSWER = 1 << 26  # bytes of a line
READY = b"ready"  # what the process says first

A = TypeVar("A")


@dataclass(frozen=True)
class SyntaxSettings:
    """`[syntax]`: whether files are parsed, and which."""

    enabled: bool = False
    languages: tuple[str, ...] = ()  # by Linguist's names; empty: all that have a grammar
    max_bytes: int = 1_000_000  # of the UTF-8 form; larger files are not parsed

    def __post_init__(self) -> None:
        if self.max_bytes < 1:
            raise UserError(f"[syntax] max_bytes = {self.max_bytes} is out of range", "use 1 or more")
        for name in self.languages:
            if name not in grammars():
                raise UserError(
                    f"[syntax] languages: there is no grammar for {name!r}", f"one of: {', '.join(grammars())}"
                )

    def wants(self, language: str) -> bool:
        """Whether files of `language` are parsed."""
        return self.enabled and language in (self.languages or grammars())


class ParseErrors(NamedTuple):
    """Of one file."""

    fraction: float  # of its bytes, in errors
    number: int  # of errors; one within another does not count


@functools.cache
def grammars() -> dict[str, tuple[str, ...]]:
    """The pack's names of grammars, by language."""
    rows = files(__package__).joinpath("grammars.tsv").read_text("utf-8").splitlines()
    return {language: tuple(names.split()) for language, names in (row.split("\t") for row in rows)}


class Wish(NamedTuple):
    """Who wants files to be parsed, for errors."""

    says: str
    remedy: str  # how to want it no more


SECTION = Wish("[syntax] is enabled", "set enabled = false in [syntax]")


@functools.cache
def version(wish: Wish = SECTION) -> str:
    """What parses, for fingerprints. Raises UserError where the extra is not installed, or is one without grammars."""
    hint = f"pip install 'starloom[syntax]', or {wish.remedy}"
    try:
        parser, pack = (importlib.metadata.version(one) for one in ("tree-sitter", _PACK))
    except importlib.metadata.PackageNotFoundError as problem:
        raise UserError(f"{wish.says}, but {problem.name} is not installed", hint) from None
    if not pack.startswith("0."):
        raise UserError(f"{wish.says}, but {_PACK} {pack} has no grammars of its own", hint)
    return f"tree-sitter {parser}, {_PACK} {pack}"


def parse_errors(
    texts: Sequence[tuple[str, bytes | memoryview]], max_bytes: int = SyntaxSettings.max_bytes
) -> list[ParseErrors | None]:
    """What grammars cannot make sense of in each of (language, UTF-8 text). None: the language has no grammar, the file
    is larger than `max_bytes`, or parsing it was given up. Raises UserError where the extra is not installed, or does
    not start."""
    with Worker("errors") as worker:
        return worker.answers(
            questions(texts, grammars(), max_bytes), lambda line, number: _read(line, len(texts[number][1]))
        )


class Question(NamedTuple):
    words: str  # what the line says after the number of bytes: the grammars that can answer, at its end
    data: bytes | memoryview


def questions(
    texts: Sequence[tuple[str, bytes | memoryview]], known: Mapping[str, Sequence[str]], max_bytes: int
) -> list[Question | None]:
    """Of each of (language, text); None: the language is not `known`, or the text larger."""
    return [
        Question(" ".join(known[language]), data) if language in known and len(data) <= max_bytes else None
        for language, data in texts
    ]


class Worker:
    """The process that parses, and is asked for `what` (see worker.py). It starts with the first question, is kept for
    more, and started anew where it died. To be closed, or used as a context manager; it ends with ours in any case. Not
    for several threads at once."""

    def __init__(self, what: str, wish: Wish = SECTION) -> None:
        """Raises UserError where the extra is not installed."""
        version(wish)
        self._what, self._wish = what, wish
        self._feed: queue.SimpleQueue[bytes | memoryview | None] = queue.SimpleQueue()
        self._stream: Stream | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def answers(self, asked: Sequence[Question | None], read: Callable[[bytes, int], A | None]) -> list[A | None]:
        """What `read` makes of each answer's line, and of the question's place. None: there was no question, or it was
        the process's death. Raises UserError where the process does not start."""
        found: list[A | None] = [None] * len(asked)
        left = [(i, one) for i, one in enumerate(asked) if one is not None]
        while left:
            lines = self._lines([one for _, one in left])
            for (i, _), line in zip(left, lines, strict=False):
                found[i] = read(line, i)
            left = left[len(lines) + 1 :]  # it died of the one after these, if of any
        return found

    def _lines(self, asked: Sequence[Question]) -> list[bytes]:
        """Of the first of these, up to one on which the process died."""
        if self._stream is None:
            self._start()
        assert self._stream is not None
        for words, data in asked:
            self._feed.put(f"{len(data)} {words}\n".encode("ascii"))
            self._feed.put(data)
        found: list[bytes] = []
        try:
            while len(found) < len(asked) and (line := self._stream.read_until(b"\n", _ANSWER)) is not None:
                found.append(line)
        except ProcessError:
            pass  # it took too long, or ended within a line
        except BaseException:
            self.close()  # or the next question were answered by what this one left
            raise
        if len(found) < len(asked):
            self.close()
        return found

    def _start(self) -> None:
        self._feed = queue.SimpleQueue()
        self._stream = Stream(
            (sys.executable, "-P", "-m", f"{__package__}.worker", self._what),
            _environment(),
            feed=_until_none(self._feed),
            idle_timeout=_SECONDS,
            limits={resource.RLIMIT_AS: _MEMORY},
        )
        try:
            ready = self._stream.read_until(b"\n")
        except ProcessError:
            ready = None
        if ready != READY:
            stream = self._stream
            self.close()  # then its complaint is whole
            last = (stream.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise UserError(
                f"{self._wish.says}, but the parser does not start: {last}",
                f"pip install --force-reinstall 'starloom[syntax]', or {self._wish.remedy}",
            )

    def close(self) -> None:
        """Ends the process; another question starts another."""
        if self._stream is not None:
            self._feed.put(None)
            self._stream.close()
            self._stream = None


def _until_none(feed: "queue.SimpleQueue[bytes | memoryview | None]") -> Iterator[bytes]:
    while (piece := feed.get()) is not None:
        yield bytes(piece)


def _read(line: bytes, size: int) -> ParseErrors | None:
    """The line `ERRORS BYTES`; an empty one where parsing was given up."""
    if not line:
        return None
    number, covered = map(int, line.split())
    return ParseErrors(min(covered / max(size, 1), 1.0), number)


def _environment() -> dict[str, str]:
    """Ours, with starloom to be found."""
    source = str(Path(__file__).parents[3])
    paths = os.pathsep.join(filter(None, (source, os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": paths}
