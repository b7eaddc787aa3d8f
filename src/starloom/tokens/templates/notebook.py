"""One document is one notebook (arXiv 2402.19173, section 5): a script, or text, code and output in turn.

A script: `<jupyter_script>code`. Structured: `<jupyter_start><jupyter_text>t<jupyter_code>c<jupyter_output>o…`, with
`<empty_output>` where the code printed nothing. Nothing is cut for fill-in-the-middle.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from starloom.documents.sections import CODE, OUTPUT, TEXT, sections
from starloom.errors import UserError
from starloom.tokens import redacted
from starloom.tokens.special_tokens import END_OF_TEXT, SPECIAL_IDS
from starloom.tokens.templates.repository import File, Piece

_MARKERS: Final = {TEXT: "<jupyter_text>", CODE: "<jupyter_code>", OUTPUT: "<jupyter_output>"}
_EMPTY: Final = "<empty_output>"
_NEEDS: Final = {
    "notebook-scripts": ("<jupyter_script>",),
    "notebook-structured": ("<jupyter_start>", *_MARKERS.values(), _EMPTY),
}


def script(file: File, tokens: Mapping[str, int] = SPECIAL_IDS) -> list[Piece]:
    """The pieces of a document of `notebook-scripts`. `tokens`: the tokenizer's, by their spelling."""
    return _pieces((tokens["<jupyter_script>"], *redacted.parts(file.content, file.marked), tokens[END_OF_TEXT]))


def structured(file: File, tokens: Mapping[str, int] = SPECIAL_IDS) -> list[Piece]:
    """The pieces of a document of `notebook-structured`."""
    parts: list[str | int] = [tokens["<jupyter_start>"]]
    for kind, start, end in sections(file.content):
        parts.append(tokens[_MARKERS[kind]])
        if kind == OUTPUT and start == end:
            parts.append(tokens[_EMPTY])
        parts += redacted.parts(file.content, file.marked, start, end)
    return _pieces((*parts, tokens[END_OF_TEXT]))


DOCUMENTS: Final[Mapping[str, Callable[[File, Mapping[str, int]], list[Piece]]]] = {
    "notebook-scripts": script,
    "notebook-structured": structured,
}


def check(kinds: Iterable[str], tokens: Mapping[str, int]) -> None:
    """Raises UserError where a tokenizer lacks a token that documents of one of these kinds are laid out with."""
    for kind in kinds:
        if missing := [one for one in (*_NEEDS[kind], END_OF_TEXT) if one not in tokens]:
            raise UserError(
                f"the tokenizer has no token {missing[0]}, and documents of {kind} are laid out with it",
                "train one with `starloom tokenizer`, or leave that source out of [[mixture]]",
            )


def _pieces(parts: redacted.Parts) -> list[Piece]:
    """The end belongs to no file."""
    found = [Piece(one, None, 0) if isinstance(one, str) else Piece(None, one, 0) for one in parts]
    return [*found[:-1], found[-1]._replace(file=-1)]
