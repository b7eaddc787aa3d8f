"""The program that parses: `python -m starloom.languages.syntax.worker`. Run by languages/syntax; home of tree_sitter.

Says `ready`, then answers one file after another. A question is a line `BYTES GRAMMAR …` and those bytes; the answer is
a line `ERRORS BYTES`: how many errors the best of the grammars finds, and how many bytes stand in them; an empty line
where the parser took too many steps. Ends when its input does.
"""

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

from tree_sitter import Parser, Tree
from tree_sitter_language_pack import get_language

from starloom.languages.syntax import READY

_CHUNK = 1 << 16  # bytes the parser is handed at once
_STEP = 40  # bytes that must be parsed, on the whole, in each hundred operations; of code it parses 100-300
_FREE_STEPS = 1_000


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a grammar prints is no answer
    answers.write(READY + b"\n")
    while question := sys.stdin.buffer.readline():
        size, *names = question.decode("ascii").split()
        data = sys.stdin.buffer.read(int(size))
        found = [one for one in (_errors(name, data) for name in names) if one is not None]
        answers.write(b"%d %d\n" % min(found, key=lambda one: (one[1], one[0])) if found else b"\n")


@functools.cache
def _parser(grammar: str) -> Parser:
    return Parser(get_language(grammar))


def _errors(grammar: str, data: bytes) -> tuple[int, int] | None:
    """(errors, bytes in them): the outermost ERROR nodes and the MISSING ones. None: too many steps."""
    tree = _parsed(_parser(grammar), memoryview(data))
    if tree is None:
        return None
    number = covered = 0
    cursor = tree.walk()
    while True:
        node = cursor.node
        assert node is not None
        if node.is_error or node.is_missing:
            number += 1
            covered += node.end_byte - node.start_byte
        elif node.has_error and cursor.goto_first_child():  # what holds no error is not walked into
            continue
        if not _onward(cursor.goto_next_sibling, cursor.goto_parent):
            return number, covered


def _onward(beside: Callable[[], bool], up: Callable[[], bool]) -> bool:
    """To the next node beside this or one above it; False at the end."""
    while not beside():
        if not up():
            return False
    return True


def _parsed(parser: Parser, data: memoryview) -> Tree | None:
    left = _FREE_STEPS + len(data) // _STEP

    def read(place: int, _point: Any) -> memoryview:
        return data[place : place + _CHUNK]

    def progress(_place: int, _has_error: bool) -> bool:  # asked every hundred operations; True: give up
        nonlocal left
        left -= 1
        return left < 0

    try:
        return parser.parse(read, encoding="utf8", progress_callback=progress)
    except ValueError:  # given up
        parser.reset()
        return None


if __name__ == "__main__":
    main()
