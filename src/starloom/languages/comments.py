"""How comments and strings are written, by language, for the lexer of kernels/lexical.

`comments.tsv` is made by scripts/comment_table.py. A column of it holds rules between spaces: OPEN, OPEN→CLOSE, with
¦FLAGS after either; without CLOSE it goes to the end of the line; ␠ is a space. The flags are those of
kernels/lexical_rules, the traits the names of its `Syntax`. What it does not know: languages within languages (the
scripts of HTML, SQL in strings), macros that change the language. Cost: about 15 ms, once a
process.
"""

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.lexical_rules import COMMENT, SKIPPED, STRING, Packed, Rule, Syntax, pack

TABLE = Path(__file__).with_name("comments.tsv")
_TRAITS = ("text", "docstrings", "lisp", "above", "separators", "outside")


@functools.cache
def syntaxes() -> dict[str, Syntax]:
    """By language name. Raises ValueError where the table is not what it should be."""
    return dict(_rows(TABLE.read_text("utf-8")))


@functools.cache
def packed() -> tuple[dict[str, int], Packed]:
    """(the place of each language, the rules of all) as kernels/lexical takes them."""
    table = syntaxes()
    return {name: place for place, name in enumerate(table)}, pack(list(table.values()))


def place(language: str | None) -> int:
    """The place of a language in `packed()`, -1 if nothing is known of it."""
    return packed()[0].get(language or "", -1)


@functools.cache
def known() -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """By place in `packed()`: whether it has comments; strings; code, not text. One place more, False, for place -1."""
    table = [*syntaxes().values(), Syntax((), text=True)]
    return (
        np.array([any(rule.kind == COMMENT for rule in one.rules) for one in table]),
        np.array([any(rule.kind == STRING for rule in one.rules) for one in table]),
        np.array([not one.text for one in table]),
    )


def _rows(table: str) -> Iterator[tuple[str, Syntax]]:
    for row in table.splitlines():
        if row.startswith("#"):
            continue
        name, traits, inner, comments, strings, skipped = row.split("\t")
        if unknown := set(traits.split()) - set(_TRAITS):
            raise ValueError(f"{name}: unknown traits {', '.join(sorted(unknown))}")
        found = (*rules(comments, COMMENT), *rules(strings, STRING), *rules(skipped, SKIPPED))
        yield name, Syntax(found, inner.encode(), **dict.fromkeys(traits.split(), True))


def rules(column: str, kind: int) -> tuple[Rule, ...]:
    """The rules of one column. Raises ValueError for what is none."""
    found = []
    for one in column.split(" "):
        if not one:
            continue
        marks, _, flags = one.partition("¦")
        opening, arrow, closing = (part.replace("␠", " ").encode() for part in marks.partition("→"))
        if not opening or (arrow and not closing):
            raise ValueError(f"{one!r} opens or closes with nothing")
        if "c" in flags and not closing:
            raise ValueError(f"{one!r} is one character between nothing")
        found.append(Rule(kind, opening, closing, flags))
    return tuple(found)
