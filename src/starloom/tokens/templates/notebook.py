"""One document is one notebook (arXiv 2402.19173, section 5): a script, or text, code and output in turn.

A script: `<jupyter_script>code`. Structured: `<jupyter_start><jupyter_text>t<jupyter_code>c<jupyter_output>o…`, with
`<empty_output>` where the code printed nothing. Nothing is cut for fill-in-the-middle.
"""

from collections.abc import Callable, Mapping
from typing import Final

from starloom.documents.sections import CODE, OUTPUT, TEXT, sections
from starloom.tokens import redacted
from starloom.tokens.special_tokens import END_OF_TEXT, SPECIAL_IDS
from starloom.tokens.templates.repository import File, Piece

_MARKERS: Final = {TEXT: "<jupyter_text>", CODE: "<jupyter_code>", OUTPUT: "<jupyter_output>"}


def script(file: File, tokens: Mapping[str, int] = SPECIAL_IDS) -> list[Piece]:
    """The pieces of a document of `notebook-scripts`. `tokens`: the tokenizer's, by their spelling."""
    return _pieces((tokens["<jupyter_script>"], *redacted.parts(file.content, file.marked), tokens[END_OF_TEXT]))


def structured(file: File, tokens: Mapping[str, int] = SPECIAL_IDS) -> list[Piece]:
    """The pieces of a document of `notebook-structured`."""
    parts: list[str | int] = [tokens["<jupyter_start>"]]
    for kind, start, end in sections(file.content):
        parts.append(tokens[_MARKERS[kind]])
        if kind == OUTPUT and start == end:
            parts.append(tokens["<empty_output>"])
        parts += redacted.parts(file.content, file.marked, start, end)
    return _pieces((*parts, tokens[END_OF_TEXT]))


DOCUMENTS: Final[Mapping[str, Callable[[File, Mapping[str, int]], list[Piece]]]] = {
    "notebook-scripts": script,
    "notebook-structured": structured,
}


def needs(kind: str) -> tuple[str, ...]:
    """The tokens that documents of a kind are laid out with, by their spelling."""
    if kind == "notebook-scripts":
        return ("<jupyter_script>", END_OF_TEXT)
    return ("<jupyter_start>", *_MARKERS.values(), "<empty_output>", END_OF_TEXT)


def _pieces(parts: redacted.Parts) -> list[Piece]:
    """The end belongs to no file."""
    found = [Piece(one, None, 0) if isinstance(one, str) else Piece(None, one, 0) for one in parts]
    return [*found[:-1], found[-1]._replace(file=-1)]
