"""Jupyter notebooks as scripts and as structured documents (arXiv 2402.19173).

A script is the code, with the Markdown as comments, as Jupytext's light format has it. A structured document is text,
code and what the code printed in turn: neighbours of one kind are one part, the output is that of the last cell, and a
notebook without both code and Markdown, or in another language than Python, is none.

Notebooks are strangers' JSON of any shape, versions 2 to 4: what is no notebook raises NotebookError with the reason;
a cell that is none is left out. Outputs are text alone, of no more than OUTPUT_CHARACTERS.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, NamedTuple

from starloom.documents.sections import CODE, OUTPUT, TEXT, joined, written
from starloom.kernels.lexical_rules import COMMENT
from starloom.languages import by_name
from starloom.languages.comments import syntaxes

EXTENSION: Final = "ipynb"
MOST_CELLS: Final = 100_000
OUTPUT_CHARACTERS: Final = 10_000  # of a longer output the beginning stays, up to a line end
_SHELL: Final = re.compile(r"(?:%[A-Za-z]|!\S)")  # IPython's own commands, at the beginning of a line
_TERMINAL: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # colours


class NotebookError(Exception):
    """A file that is no notebook, with the reason."""


class Cell(NamedTuple):
    """`kind`: CODE or TEXT; `output`: of code, the last thing it printed or returned."""

    kind: str
    text: str
    output: str = ""


@dataclass(frozen=True)
class Notebook:
    """`language`: by Linguist's name; None: it does not say, or nobody knows it."""

    language: str | None
    cells: tuple[Cell, ...]


def parse(text: str) -> Notebook:
    """The cells of a notebook that are not empty. Raises NotebookError."""
    try:
        found = json.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        raise NotebookError("no notebook: nested too deeply") from None
    except ValueError as problem:
        raise NotebookError(f"no JSON: {problem}") from None
    if not isinstance(found, dict):
        raise NotebookError("no notebook: not an object")
    rows = _rows(found)
    if len(rows) > MOST_CELLS:
        raise NotebookError(f"more than {MOST_CELLS:,} cells")
    cells = tuple(cell for row in rows if isinstance(row, dict) and (cell := _cell(row)) and cell.text.strip())
    return Notebook(_language(found, rows), cells)


def script(notebook: Notebook) -> str:
    """The notebook as a program of its language; empty where it has no language, or no code."""
    if notebook.language is None or not any(cell.kind == CODE for cell in notebook.cells):
        return ""
    begins, ends = _comment(notebook.language)

    def as_code(cell: Cell) -> str:
        lines = cell.text.rstrip().splitlines()
        whole = cell.kind == TEXT or lines[0].startswith("%%")  # such a cell is in another language, or not to be run
        said = [whole or _SHELL.match(line) for line in lines]
        return "\n".join(
            f"{begins} {line} {ends}".rstrip() if one else line for line, one in zip(lines, said, strict=True)
        )

    return "\n\n".join(map(as_code, notebook.cells)) + "\n"


def structured(notebook: Notebook) -> str:
    """The notebook in parts (sections.joined); empty where it is no structured document."""
    if notebook.language != "Python" or {cell.kind for cell in notebook.cells} != {CODE, TEXT}:
        return ""
    return joined(_parts(notebook))


def _parts(notebook: Notebook) -> Iterator[tuple[str, str]]:
    for kind, group in groupby(notebook.cells, lambda cell: cell.kind):
        some = list(group)
        yield kind, "\n".join(cell.text for cell in some)
        if kind == CODE:
            yield OUTPUT, some[-1].output


def _rows(found: dict[str, Any]) -> list[Any]:
    """The cells: of version 4 in `cells`, before in worksheets."""
    if isinstance(cells := found.get("cells"), list):
        return cells
    sheets = found.get("worksheets")
    if not isinstance(sheets, list):
        raise NotebookError("no notebook: neither cells nor worksheets")
    return [row for sheet in sheets if isinstance(sheet, dict) for row in _list(sheet.get("cells"))]


def _cell(row: dict[str, Any]) -> Cell | None:
    kind = row.get("cell_type")
    if kind == "code":
        text = _text(row.get("source", row.get("input")))
        return Cell(CODE, text, _output(row.get("outputs")))
    if kind == "heading":  # before version 4
        level = row.get("level")
        level = level if isinstance(level, int) and 1 <= level <= 6 else 1
        return Cell(TEXT, f"{'#' * level} {_text(row.get('source'))}")
    return Cell(TEXT, _text(row.get("source"))) if kind == "markdown" else None


def _output(outputs: Any) -> str:
    """The text of the last output that has any."""
    for one in reversed(_list(outputs)):
        if isinstance(one, dict) and (text := _shown(one)):
            return text
    return ""


def _shown(output: dict[str, Any]) -> str:
    kind = output.get("output_type")
    if kind in ("error", "pyerr"):
        text = f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}"
    else:
        data = output.get("data")
        plain = data.get("text/plain") if isinstance(data, dict) else None
        text = _text(output.get("text") if plain is None else plain)
    text = _TERMINAL.sub("", text).rstrip()
    if len(text) > OUTPUT_CHARACTERS:
        cut = text[:OUTPUT_CHARACTERS]
        text = cut[: cut.rfind("\n") + 1].rstrip() or cut
    return text


def _language(found: dict[str, Any], rows: list[Any]) -> str | None:
    """As the metadata say, in the order in which they are to be believed; else as the cells of old versions do."""
    metadata = _dict(found.get("metadata"))
    kernel = _dict(metadata.get("kernelspec"))
    said = [_dict(metadata.get("language_info")).get("name"), kernel.get("language"), metadata.get("language")]
    said += [row.get("language") for row in rows if isinstance(row, dict) and row.get("cell_type") == "code"][:1]
    name = kernel.get("name")
    if isinstance(name, str) and re.fullmatch(r"python[23]?", name):
        said.append("python")
    for one in said:
        if isinstance(one, str) and (language := by_name(one)):
            return language.name
    return None


def file_name(name: str, language: str | None) -> str:
    """What the file would be called if it were in that language: by that, stages know it.

    >>> file_name("sums.ipynb", "Python"), file_name("sums.ipynb", None)
    ('sums.py', 'sums.ipynb')
    """
    known = by_name(language) if language else None
    stem = name.rpartition(".")[0]
    return f"{stem}.{known.extensions[0]}" if known and known.extensions else name


def _comment(language: str) -> tuple[str, str]:
    """How a line that is a comment begins and ends; as in Python where nobody knows."""
    syntax = syntaxes().get(language)
    rules = [rule for rule in syntax.rules if rule.kind == COMMENT] if syntax else []
    marks = sorted(((rule.open.decode(), rule.close.decode()) for rule in rules), key=lambda one: bool(one[1]))
    return marks[0] if marks else ("#", "")


def _text(value: Any) -> str:
    """Text, or the lines of one."""
    if isinstance(value, list):
        value = "".join(one for one in value if isinstance(one, str))
    return written(value) if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
