"""What `pack` does in which order: the repositories of the train split, their sources, and the runs that workers take;
then the documents of other kinds that the mixture asks for.

Reads names, sizes and languages only: about 1 us a file, 2 us where there is a mixture.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, tee
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from starloom.tokens.mixture import REST, MixtureSource, belongs, main_languages
from starloom.tokens.repositories import Rows
from starloom.tokens.shards import ONLY

RUN_BYTES = 16 << 20  # of text that a worker takes at a time, cut at the next repository


class Planned(NamedTuple):
    """Whole repositories that follow one another in the dataset. sources: of each of them the number of its source;
    kind: of documents, where each file is one by itself."""

    rows: tuple[Rows, ...]
    sources: tuple[int, ...]
    text_bytes: int
    kind: str = ""


@dataclass(frozen=True)
class Plan:
    """`sources`: by number, those that repositories belong to; `without`: the names of those that none belongs to."""

    sources: tuple[str, ...]
    without: tuple[str, ...]
    runs: tuple[Planned, ...]


class _Stretch(NamedTuple):
    """Files of one repository in one data file."""

    repo_name: str
    rows: Rows
    text_bytes: int


def plan(
    paths: Sequence[Path],
    mixture: Sequence[MixtureSource],
    documents: Mapping[str, Sequence[Path]] = MappingProxyType({}),
) -> Plan:
    """Of the data files of the train split, in order; `documents`: those of kinds that the mixture asks for. The last
    source is REST, where something is of no other."""
    stretches = [one for path in paths for one in _stretches(path)]
    kinds = {kind: [one for path in some for one in _stretches(path)] for kind, some in documents.items()}
    names = list(dict.fromkeys(one.repo_name for one in stretches))
    if mixture:
        main = main_languages(*_columns(paths))
        numbers = np.array([belongs(mixture, name, main[name]) for name in names], dtype=np.int64)
        all_names = [*(one.name for one in mixture), REST]
        numbers[numbers < 0] = len(mixture)
        filled = [number for number, one in enumerate(mixture) if kinds.get(one.documents)]
        used, every = np.unique(np.append(numbers, filled).astype(np.int64), return_inverse=True)
        ranks, kind_ranks = every[: len(names)], every[len(names) :]
        sources = tuple(all_names[number] for number in used.tolist())
        without = tuple(one.name for one in mixture if not one.tokens and one.name not in sources)
    else:
        sources, without, ranks = (ONLY,), (), np.zeros(len(names), dtype=np.int64)
        filled, kind_ranks = [], ranks[:0]
    runs = list(_runs(stretches, dict(zip(names, ranks.tolist(), strict=True))))
    for number, rank in zip(filled, kind_ranks.tolist(), strict=True):
        kind = mixture[number].documents
        runs += [
            one._replace(kind=kind)
            for one in _runs(kinds[kind], dict.fromkeys((each.repo_name for each in kinds[kind]), rank))
        ]
    return Plan(sources, without, tuple(runs))


def _stretches(path: Path) -> Iterator[_Stretch]:
    table = pq.read_table(path, columns=["repo_name", "length_bytes"])
    if not len(table):
        return
    names = table.column(0).combine_chunks()
    codes = names.dictionary_encode().indices.to_numpy()
    starts = np.concatenate([[0], np.flatnonzero(codes[1:] != codes[:-1]) + 1])
    sizes = np.add.reduceat(pc.fill_null(table.column(1), 0).to_numpy(), starts)
    counts = np.diff(np.append(starts, len(codes)))
    for name, start, count, size in zip(
        names.take(starts).to_pylist(), starts.tolist(), counts.tolist(), sizes.tolist(), strict=True
    ):
        yield _Stretch(name, Rows(path, start, count), size)


def _columns(paths: Sequence[Path]) -> tuple[Iterator[str], Iterator[str | None], Iterator[int]]:
    """Of every file: its repository, language and size."""
    columns = ["repo_name", "language", "length_bytes"]
    rows = chain.from_iterable(
        zip(*(one.to_pylist() for one in pq.read_table(path, columns=columns).columns), strict=True) for path in paths
    )
    names, languages, sizes = tee(rows, 3)
    return (one[0] for one in names), (one[1] for one in languages), (one[2] or 0 for one in sizes)


def _runs(stretches: Sequence[_Stretch], sources: Mapping[str, int]) -> Iterator[Planned]:
    """Cut before a repository once RUN_BYTES are together."""
    rows: list[Rows] = []
    numbers: list[int] = []
    size = 0
    before = None
    for one in stretches:
        if one.repo_name != before:
            if size >= RUN_BYTES:
                yield Planned(tuple(rows), tuple(numbers), size)
                rows, numbers, size = [], [], 0
            numbers.append(sources[one.repo_name])
        before = one.repo_name
        last = rows[-1] if rows else None
        if last and last.path == one.rows.path:
            rows[-1] = Rows(last.path, last.first, last.number + one.rows.number)
        else:
            rows.append(one.rows)
        size += one.text_bytes
    if rows:
        yield Planned(tuple(rows), tuple(numbers), size)
