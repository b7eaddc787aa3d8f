"""Labelled files for training: JSON lines, read and checked.

One object a line: `content` (or `text`), `label` and, where known, `language` (its name by Linguist) and `repo_name`:
files of one repository are held out together or not at all. A label is a number from 0 (bad) to 1 (good), true or
false, or a name; names need to be told which are good. Memory: the first 64 KiB of each file, all that is learned from.
"""

import json
import math
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.quality.scorer.files import Files, as_files
from starloom.settings import nearest

LONGEST: Final = 256 << 20  # bytes of a line
HEAD: Final = 1 << 16  # bytes of a file; as kernels/ngrams
_FORM = 'one object a line: {"content": "…", "label": 1, "language": "Python", "repo_name": "owner/name"}'


class Labelled(NamedTuple):
    """`targets` float64[n], 0 to 1; `groups`: what must not be torn apart (the repository, else the content)."""

    files: Files
    targets: NDArray[np.float64]
    groups: list[str]


def read_labels(path: Path, good: Collection[str] = ()) -> Labelled:
    """Every labelled file of `path`. Raises UserError, which names file and line."""
    texts: list[str] = []
    languages: list[str | None] = []
    groups: list[str] = []
    labels: list[float | str] = []
    lines: list[int] = []
    for number, row in _rows(path):
        where = f"{path}:{number}"
        content = row["content"] if "content" in row else row.get("text")
        if not isinstance(content, str):
            raise UserError(f"{where}: `content` is missing, or no text", _FORM)
        language, repo_name = row.get("language"), row.get("repo_name")
        for key, value in (("language", language), ("repo_name", repo_name)):
            if value is not None and not isinstance(value, str):
                raise UserError(f"{where}: `{key}` is no text", _FORM)
        labels.append(_label(row, where))
        if isinstance(labels[-1], str) is not isinstance(labels[0], str):
            raise UserError(f"{where}: a name among labels that are numbers, or the other way", "use one of them")
        head = content[:HEAD]
        texts.append(head)
        languages.append(language or None)
        groups.append(f"r{repo_name}" if repo_name else f"c{head}")
        lines.append(number)
    if not texts:
        raise UserError(f"{path} has no labelled file", _FORM)
    return Labelled(as_files(texts, languages, [None] * len(texts)), _targets(path, labels, good), groups)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number from 1, object) of every line that is not blank."""
    number = 0
    try:
        with path.open("rb") as file:
            while line := file.readline(LONGEST + 1):
                number += 1
                if len(line) > LONGEST:
                    raise UserError(f"{path}:{number}: longer than {LONGEST >> 20} MB", _FORM)
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError) as problem:
                    raise UserError(f"{path}:{number}: not JSON ({problem})", _FORM) from None
                if not isinstance(row, dict):
                    raise UserError(f"{path}:{number}: no JSON object", _FORM)
                yield number, row
    except OSError as problem:
        raise UserError(f"cannot read {path}: {problem.strerror}", "name a file of JSON lines") from None


def _label(row: dict[str, Any], where: str) -> float | str:
    value = row.get("label")
    if isinstance(value, str) and value:
        return value
    if isinstance(value, int | float) and math.isfinite(value) and 0 <= value <= 1:
        return float(value)
    if value is None:
        raise UserError(f"{where}: `label` is missing", _FORM)
    raise UserError(f"{where}: the label {value!r} is no number from 0 to 1 and no name", _FORM)


def _targets(path: Path, labels: list[float | str], good: Collection[str]) -> NDArray[np.float64]:
    counts = Counter(one for one in labels if isinstance(one, str))
    if not counts:
        if good:
            raise UserError(f"{path}: its labels are numbers, so there is no `{next(iter(good))}`", "leave --good away")
        return np.array(labels, dtype=np.float64)
    for name in good:
        if name not in counts:
            raise UserError(f"{path}: no file has the label `{name}`", nearest(name, counts))
    if not good:
        there = ", ".join(f"{name} ({count:,})" for name, count in counts.most_common(10))
        raise UserError(f"{path}: its labels are names: {there}", "say which are good: --good NAME, once for each")
    return np.array([one in good for one in labels], dtype=np.float64)
