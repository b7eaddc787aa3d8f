"""What files define: names and lines of functions, methods, classes, types, modules, macros and constants, by the
tree-sitter grammars of their languages.

`definitions.scm` says, by grammar, what counts. A name is as it is written, without what it is a member of (`f` for
`A::f`, but `A.B` for a package that is named so). Of several in a row under one name (clauses, overloads) the first
stands. Files with errors give what the grammar makes of them; where a language has two, the one that finds the least of
errors. Files are parsed in a process of their own (see languages/syntax), without bodies of functions in which nothing
is defined (see bodies.py); those that have none of the words that every definition in their language needs (a third of
PHP's, four in five of CMake's) define nothing, and are not parsed.

Cost: 10 MB/s of one core; 0.2 s to start the process, and up to 0.2 s for each grammar that it meets, 1.2 s for all of
them: so one process for many files.
"""

import functools
import json
import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Final, NamedTuple

from starloom.errors import UserError
from starloom.languages.syntax import Question, SyntaxSettings, Worker, grammars, questions, version
from starloom.languages.syntax.bodies import without_bodies


class Definition(NamedTuple):
    name: str
    line: int  # the first is 1


class Definitions(Worker):
    """What finds definitions: a process of its own, which lasts until it is closed (see languages/syntax)."""

    def __init__(self, max_bytes: int = SyntaxSettings.max_bytes) -> None:
        """`max_bytes`: larger texts are not parsed. Raises UserError where the extra is not installed."""
        super().__init__("definitions")
        self._max_bytes = max_bytes

    def __call__(self, texts: Sequence[tuple[str, bytes | memoryview]]) -> list[list[Definition] | None]:
        """Of each of (language, UTF-8 text), in their order. None: nothing is known of the language, the file is larger
        than `max_bytes`, or parsing it was given up. Raises UserError where the process does not start."""
        answers: list[list[Definition] | None] = [None] * len(texts)
        left = []
        for number, question in enumerate(questions(texts, languages(), self._max_bytes)):
            if question is not None and _may_define(*texts[number]):
                left.append(number)
            elif question is not None:
                answers[number] = []
        bodiless = without_bodies([texts[number] for number in left])
        found = self.answers([Question(_grammars(*one), one[1]) for one in bodiless], _read)
        for number, answer in zip(left, found, strict=True):
            answers[number] = answer
        return answers


def available() -> bool:
    """Whether the extra is installed, with grammars of its own."""
    try:
        version()
    except UserError:
        return False
    return True


def mark() -> str:
    """What finds definitions, for fingerprints. Raises UserError where the extra is not installed."""
    return f"{version()}, definitions {VERSION}"


VERSION = 4  # of the queries, and of what is made of their answers


@functools.cache
def languages() -> dict[str, tuple[str, ...]]:
    """The grammars that know definitions, by language."""
    known = queries()
    found = {language: tuple(name for name in names if name in known) for language, names in grammars().items()}
    return {language: names for language, names in found.items() if names}


@functools.cache
def queries() -> dict[str, str]:
    """By grammar."""
    found: dict[str, str] = {}
    for name, line in _lines():
        if line and not line.startswith(";"):
            found[name] = f"{found.get(name, '')}{line}\n"
    return found


def _lines() -> Iterator[tuple[str, str]]:
    """Of definitions.scm, each with every grammar that it is for."""
    names: list[str] = []
    for line in files(__package__).joinpath("definitions.scm").read_text("utf-8").splitlines():
        if line.startswith(";; "):
            names = line[3:].split()
        for name in names:
            yield name, line


def _grammars(language: str, data: bytes | memoryview) -> str:
    """Those that know definitions, the likelier first: OCaml's interfaces, which the grammar of its programs takes
    seven times as long to find full of errors, declare values and define none."""
    names = languages()[language]
    if language == "OCaml" and _VALUE.search(data) and not _LET.search(data):
        names = names[::-1]
    return " ".join(names)


_VALUE: Final = re.compile(rb"^val ", re.MULTILINE)
_LET: Final = re.compile(rb"^let ", re.MULTILINE)


def _may_define(language: str, data: bytes | memoryview) -> bool:
    needed = _needed().get(language)
    if needed is None:
        return True
    folded = bytes(data).lower()
    return any(word in folded for word in needed)


@functools.cache
def _needed() -> dict[str, tuple[bytes, ...]]:
    """By language, words of which a text has at least one, in any case, if it defines something."""
    by_grammar = {name: tuple(line[3:].encode("ascii").split()) for name, line in _lines() if line.startswith(";! ")}
    return {
        language: tuple(word for name in names for word in by_grammar[name])
        for language, names in languages().items()
        if by_grammar.keys() >= set(names)
    }


def _read(line: bytes, _number: int) -> list[Definition] | None:
    return [Definition(name, row) for name, row in json.loads(line)] if line else None
