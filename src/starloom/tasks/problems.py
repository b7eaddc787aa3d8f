"""The problems of benchmarks, from folders or the Hub: each with the parts that no training data should have.

A file belongs to the benchmark whose patterns and fields fit it (`benchmark`); a folder may have definitions of its
own, `*.toml` in their form, which come first. Files that no benchmark claims are read by the usual names of fields, as
a benchmark of the file's name. Cost: reading the files, some 50 MB/s; nothing is kept but the parts.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starloom.errors import UserError
from starloom.outside.paths import printable
from starloom.settings import as_json
from starloom.tasks.benchmark import OTHER, Definition, Part, definition_of, read_definition, shipped
from starloom.tasks.benchmark_files import DataFile, data_files, folder_of, rows

MAX_PART = 1 << 20  # characters: what is longer is data of a test, not a problem's text
_QUOTES = re.compile(r'"""|\'\'\'')


@dataclass(frozen=True)
class Problem:
    """`parts`: (name, text) of each, e.g. ("solution", "    return x + y")."""

    task_id: str
    parts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Benchmark:
    name: str
    title: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Benchmarks:
    """`skipped`: files that are no part of their benchmark, such as its training set."""

    benchmarks: tuple[Benchmark, ...]  # by name
    skipped: tuple[str, ...]


def open_benchmarks(places: Sequence[str]) -> Benchmarks:
    """The benchmarks of some places: a folder or file, or `hub:OWNER/NAME[@REVISION]` that is fetched already
    (`benchmark_files.fetch`). Raises UserError with file and remedy: missing, damaged, without problems."""
    read: dict[str, tuple[Definition, dict[str, dict[tuple[str, str], None]]]] = {}
    skipped: list[str] = []
    for place in places:
        definitions = (*own_definitions(place), *shipped())
        for file in data_files(place):
            definition, problems = _read(file, definitions)
            if problems is None:
                skipped.append(file.name)
                continue
            name = definition.name if definition.name != OTHER else _stem(file.name)
            _, known = read.setdefault(name, (definition, {}))
            for task_id, parts in problems.items():  # of a benchmark in several forms, e.g. HumanEval+
                known.setdefault(task_id, {}).update(parts)
    if places and not read:
        raise UserError(
            f"[contamination] benchmarks: only files that are no part of their benchmark: {', '.join(skipped[:5])}",
            "give the files of the test sets",
        )
    return Benchmarks(
        tuple(
            Benchmark(name, definition.title, tuple(Problem(one, tuple(parts)) for one, parts in problems.items()))
            for name, (definition, problems) in sorted(read.items())
        ),
        tuple(skipped),
    )


def mark(places: Sequence[str]) -> str:
    """Sixteen hex digits over the files and definitions of these places, for fingerprints; "" for none. Raises
    UserError as `open_benchmarks`, but for what only reading the files would tell."""
    if not places:
        return ""
    told = [
        [[one.name, one.digest] for place in places for one in data_files(place)],
        [as_json(one) for place in places for one in own_definitions(place)],
        [as_json(one) for one in shipped()],
    ]
    return hashlib.sha256(json.dumps(told).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def own_definitions(place: str) -> tuple[Definition, ...]:
    """Those beside the data of `place`, by name. Raises UserError."""
    folder = folder_of(place)
    return tuple(
        read_definition(path) for path in sorted((folder if folder.is_dir() else folder.parent).glob("*.toml"))
    )


def _read(
    file: DataFile, definitions: Sequence[Definition]
) -> tuple[Definition, dict[str, dict[tuple[str, str], None]] | None]:
    """(its definition, its problems by their ids with their distinct parts); None: it is skipped."""
    where = printable(str(file.path))
    some = rows(file.path)
    first = next(some, None)
    if first is None:
        raise UserError(f"{where}: a benchmark without a row", "fetch it again, or take it away")
    claimed = definition_of(file.name, first, definitions)
    if claimed is None:
        wanted = dict.fromkeys(name for one in definitions[-1:] for part in one.parts for name in part.sources)
        raise UserError(
            f"{where} is no benchmark that is known: its fields are {', '.join(sorted(first)[:20]) or 'none'}",
            f"name a field {', '.join(wanted)}; or write a definition beside it, as in src/starloom/tasks/mbpp.toml",
        )
    definition, is_part = claimed
    if not is_part:
        return definition, None
    found: dict[str, dict[tuple[str, str], None]] = {}
    for number, row in enumerate(_chained(first, some)):
        task_id = _task_id(row, definition, f"{_stem(file.name)}/{number}")
        if task_id is not None:
            parts = found.setdefault(task_id, {})
            for part in definition.parts:
                parts.update(((part.name, text), None) for text in _texts(row, part))
    if not any(found.values()):
        raise UserError(f"{where}: no problem of {definition.name} in it", "fetch it again, or take it away")
    return definition, found


def _chained(first: Mapping[str, Any], others: Iterator[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    yield first
    yield from others


def _task_id(row: Mapping[str, Any], definition: Definition, otherwise: str) -> str | None:
    """What a row's problem is called; None where it is not in the benchmark."""
    values = [row.get(name) for name in definition.id]
    if definition.first is not None or definition.last is not None:
        number = values[0] if values and isinstance(values[0], int) else None
        if number is None or not (definition.first or 0) <= number <= (definition.last or number):
            return None
    if not values or any(not isinstance(one, str | int) for one in values):
        return otherwise
    name = "/".join(str(one) for one in values)
    if definition.id_pattern and (told := re.search(definition.id_pattern, name)):
        return told[0]
    return name


def _texts(row: Mapping[str, Any], part: Part) -> Iterator[str]:
    """The texts of a part that the row has; none that are empty or too long."""
    values = [row.get(name) for name in part.sources]
    whole = [one for one in values if isinstance(one, str)]
    if len(values) == 1 and isinstance(values[0], list):
        some = [one for one in values[0] if isinstance(one, str)]
    else:
        some = ["".join(whole)] if len(whole) == len(values) else []
    for text in some:
        if len(text) <= MAX_PART and (taken := _taken(text, part)).strip():
            yield taken


def _taken(text: str, part: Part) -> str:
    if part.take == "before":
        places = [place for mark in part.marks if (place := text.find(mark)) >= 0]
        return text[: min(places)] if places else text
    if part.take == "docstring":
        quotes = list(_QUOTES.finditer(text))
        return text[quotes[-2].end() : quotes[-1].start()] if len(quotes) > 1 else ""
    return text


def _stem(name: str) -> str:
    """`benchmarks/new/test.jsonl.gz` → `test`; what data sets call their files tells nothing, so then the folder."""
    *folders, last = name.split("/")
    stem = last.partition(".")[0]
    told = re.sub(r"-\d{5}-of-\d{5}$", "", stem)
    return folders[-1] if told in ("test", "data", "validation") and folders else told
