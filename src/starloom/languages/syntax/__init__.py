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
import resource
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple, TypeVar

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
    return asked("errors", texts, grammars(), max_bytes, _read)


def asked(
    what: str,
    texts: Sequence[tuple[str, bytes | memoryview]],
    grammars: Mapping[str, Sequence[str]],  # by language: who can answer
    max_bytes: int,
    read: Callable[[bytes, int], A | None],  # of an answer's line, and of how many bytes the text has
) -> list[A | None]:
    """What the process answers of each text, by the line; None: there is no grammar, the text is larger, or it was
    given up. Raises as `parse_errors`."""
    version()
    found: list[A | None] = [None] * len(texts)
    left = [i for i, (language, data) in enumerate(texts) if language in grammars and len(data) <= max_bytes]
    while left:
        some = [texts[i] for i in left]
        answers = _answers(what, [(grammars[language], data) for language, data in some], read)
        for i, answer in zip(left, answers, strict=False):
            found[i] = answer
        left = left[len(answers) + 1 :]  # it died of the one after these, if of any
    return found


def _answers(
    what: str, texts: Sequence[tuple[Sequence[str], bytes | memoryview]], read: Callable[[bytes, int], A | None]
) -> list[A | None]:
    """Of the first of `texts`, up to one on which the process died."""
    found: list[A | None] = []
    with started(what, _questions(texts)) as stream:
        try:
            while len(found) < len(texts) and (line := stream.read_until(b"\n", _ANSWER)) is not None:
                found.append(read(line, len(texts[len(found)][1])))
        except ProcessError:
            pass  # it took too long, or ended within a line
    return found


def started(what: str, questions: Iterable[bytes], wish: Wish = SECTION) -> Stream:
    """The process, which has said that it is ready; to be closed. Raises UserError where it does not start."""
    stream = Stream(
        (sys.executable, "-P", "-m", f"{__package__}.worker", what),
        _environment(),
        feed=questions,
        idle_timeout=_SECONDS,
        limits={resource.RLIMIT_AS: _MEMORY},
    )
    try:
        ready = stream.read_until(b"\n")
    except ProcessError:
        ready = None
    if ready != READY:
        last = (stream.stderr.strip().splitlines() or ["it said nothing"])[-1]
        stream.close()
        raise UserError(
            f"{wish.says}, but the parser does not start: {last}",
            f"pip install --force-reinstall 'starloom[syntax]', or {wish.remedy}",
        )
    return stream


def _questions(texts: Sequence[tuple[Sequence[str], bytes | memoryview]]) -> Iterator[bytes]:
    """A line `BYTES GRAMMAR …`, then the bytes."""
    for names, data in texts:
        yield f"{len(data)} {' '.join(names)}\n".encode("ascii")
        yield bytes(data)


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
