"""The program that parses: `python -m starloom.languages.syntax.worker errors|definitions|middles`. Run by
languages/syntax; home of tree_sitter.

Says `ready`, then answers one file after another. A question is a line `BYTES GRAMMAR …` and those bytes; the answer is
a line, an empty one where the parser took too many steps. Of errors it is `ERRORS BYTES`: how many the best of the
grammars finds, and how many bytes stand in them. Of definitions it is a list in JSON, `[[NAME, LINE], …]`, of the
grammar that finds the least of errors: another makes names of what it does not know. Of a middle, whose question is
`BYTES NUMBER GRAMMAR …`, it is `START STOP`, in bytes. Ends when its input does.
"""

import functools
import gc
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from tree_sitter import Node, Parser, Query, QueryCursor, Tree
from tree_sitter_language_pack import get_language

from starloom.languages.syntax import READY
from starloom.languages.syntax.definitions import queries
from starloom.languages.syntax.drawing import middle

_CHUNK = 1 << 11  # bytes the parser is handed at once, copied each time: every 250 bytes, as it goes back and forth
_BUFFER = memoryview(bytearray(_CHUNK))
_HANDED = [_BUFFER[:size] for size in range(_CHUNK + 1)]  # always these: tree-sitter 0.26 frees nothing it is handed
_STEP = 40  # bytes that must be parsed, on the whole, in each hundred operations; of code it parses 100-300
_FREE_STEPS = 1_000
_MATCHES = 4_096  # half-made ones that a query may hold: a bound for its time; code holds some tens
_CHILDREN = 20_000  # of an error; a query takes time with their square, and cannot be told to stop
_MARKS = b'@$#`"'  # around a name, no part of it
_NAME = re.compile(rb"[^\s\0-\x1f]{1,200}")  # what may be one


def main() -> None:
    answer = {"errors": _errors, "definitions": _definitions, "middles": _middle}[sys.argv[1]]
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a grammar prints is no answer
    gc.disable()  # nothing here is a cycle, and a tree's nodes are many
    answers.write(READY + b"\n")
    while question := sys.stdin.buffer.readline():
        size, *names = question.decode("ascii").split()
        answers.write(answer(names, sys.stdin.buffer.read(int(size))) + b"\n")


@functools.cache
def _parser(grammar: str) -> Parser:
    return Parser(get_language(grammar))


@functools.cache
def _query(grammar: str) -> tuple[Query, list[frozenset[bytes]]]:
    """And of each of its patterns, the words of which @_word must be one; none where there is no such capture."""
    query = Query(get_language(grammar), queries()[grammar])
    settings = (query.pattern_settings(number) for number in range(query.pattern_count))
    return query, [frozenset((one.get("words") or "").encode().split()) for one in settings]


class _Read(NamedTuple):
    """A file as a grammar reads it."""

    grammar: str
    tree: Tree
    errors: list[Node]  # the outermost ERROR nodes and the MISSING ones

    @property
    def covered(self) -> int:
        """Bytes in errors."""
        return sum(node.end_byte - node.start_byte for node in self.errors)


def _best(grammars: Sequence[str], data: bytes, most_children: float = math.inf) -> _Read | None:
    """By the first of the grammars that finds no errors, or the one that finds least. None: all of them took too many
    steps, or found an error of more than `most_children`."""
    found: list[_Read] = []
    for grammar in grammars:
        tree = _parsed(_parser(grammar), memoryview(data))
        if tree is None:
            continue
        one = _Read(grammar, tree, list(_errors_in(tree)))
        if not one.errors:
            return one
        if all(node.child_count <= most_children for node in one.errors):
            found.append(one)
    return min(found, key=lambda one: (one.covered, len(one.errors)), default=None)


def _errors(grammars: Sequence[str], data: bytes) -> bytes:
    found = _best(grammars, data)
    return b"%d %d" % (len(found.errors), found.covered) if found else b""


def _definitions(grammars: Sequence[str], data: bytes) -> bytes:
    found = _best(grammars, data, _CHILDREN)
    if found is None:
        return b""
    return json.dumps(_defined(found, data), separators=(",", ":")).encode("ascii")


def _middle(words: Sequence[str], data: bytes) -> bytes:
    number, *grammars = words
    parsed = (_parsed(_parser(grammar), memoryview(data)) for grammar in grammars)
    trees = [tree for tree in parsed if tree is not None]
    found = middle(min(trees, key=lambda tree: tree.root_node.has_error), data, int(number)) if trees else None
    return b"%d %d" % found if found else b""


def _defined(file: _Read, data: bytes) -> list[tuple[str, int]]:
    """(name, line) in their order."""
    query, words = _query(file.grammar)
    # Told by their words here, not by a predicate in the query: what that is handed is never freed either.
    nodes = [
        node
        for number, captured in QueryCursor(query, match_limit=_MATCHES).matches(file.tree.root_node)
        if not words[number] or _text(captured["_word"][0], data) in words[number]
        for node in captured["name"]
    ]
    found: list[tuple[str, int]] = []
    for start, end, row in sorted({(node.start_byte, node.end_byte, node.start_point.row) for node in nodes}):
        name = data[start:end].strip(_MARKS)
        if _NAME.fullmatch(name) is None:
            continue
        text = name.decode("utf-8", "replace")
        if not found or found[-1][0] != text:  # clauses of one function: the first
            found.append((text, row + 1))
    return found


def _text(node: Node, data: bytes) -> bytes:
    return data[node.start_byte : node.end_byte]


def _errors_in(tree: Tree) -> Iterator[Node]:
    cursor = tree.walk()
    while True:
        node = cursor.node
        assert node is not None
        if node.is_error or node.is_missing:
            yield node
        elif node.has_error and cursor.goto_first_child():  # what holds no error is not walked into
            continue
        if not _onward(cursor.goto_next_sibling, cursor.goto_parent):
            return


def _onward(beside: Callable[[], bool], up: Callable[[], bool]) -> bool:
    """To the next node beside this or one above it; False at the end."""
    while not beside():
        if not up():
            return False
    return True


def _parsed(parser: Parser, data: memoryview) -> Tree | None:
    left = _FREE_STEPS + len(data) // _STEP

    def read(place: int, _point: Any) -> memoryview:
        piece = data[place : place + _CHUNK]
        handed = _HANDED[len(piece)]
        handed[:] = piece
        return handed

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
