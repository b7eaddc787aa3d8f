"""What a tokenizer is learnt from and measured on: whole files of a split, so many bytes of each language.

A stratum is a language of a source of the mixture; without a mixture there is one source. Within a stratum files come
in the order of a keyed hash of their content, as many as make its bytes. The last of them is taken with such a
probability that the bytes are right on average: many small languages do not add up to more than was asked for. Which
files these are depends on the split, the seed and the sizes asked for, not on parts, rows or their order.

Names and sizes are read first, 1.5 us and 24 bytes of memory a file; then the contents, only of row groups with a file
that was drawn, one row group (16 MB of text) in memory.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from starloom.kernels.random import keyed_uint64s, keyed_units
from starloom.tokens import redacted
from starloom.tokens.held_out import damaged
from starloom.tokens.mixture import MixtureSource, belongs, main_languages

_PURPOSE: Final = "tokenizer sample"
_ROWS: Final = 256  # texts handed on at a time


class Text(NamedTuple):
    """A file that was drawn. `parts`: its text, and tokens for what was replaced by a marker that has one."""

    repo_name: str
    language: str  # "" where none was told
    parts: redacted.Parts

    @property
    def strings(self) -> list[str]:
        """The text without its markers."""
        return [one for one in self.parts if isinstance(one, str)]


@dataclass(frozen=True, eq=False)
class Files:
    """The files of a split, a row each, in the dataset's order."""

    paths: tuple[Path, ...]
    keys: NDArray[np.uint64]  # [rows], drawn by content
    sizes: NDArray[np.int64]  # [rows], bytes
    strata: NDArray[np.int64]  # [rows], source * len(languages) + language
    languages: tuple[str, ...]
    weights: NDArray[np.float64]  # [sources], those of the mixture, and 0 for what is in none of them

    @property
    def sources(self) -> int:
        return len(self.weights)

    @property
    def available(self) -> NDArray[np.float64]:
        """Bytes of each stratum [sources, languages]."""
        shape = (self.sources, len(self.languages))
        found = np.bincount(self.strata, self.sizes, self.sources * len(self.languages))
        return found.astype(np.float64).reshape(shape)


def files_of(paths: Sequence[Path], seed: int, mixture: Sequence[MixtureSource] = ()) -> Files:
    """The files of a split. Raises UserError when a part is damaged."""
    keys, sizes, languages = [np.empty(0, np.uint64)], [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    repositories = [np.empty(0, np.int64)]
    names: dict[str, int] = {}
    repo_names: dict[str, int] = {}
    columns = ["content_id", "length_bytes", "language", *(["repo_name"] if mixture else [])]
    for batch in _narrow(paths, columns):
        ids, size, language, *repo_name = batch.columns
        keys.append(keyed_uint64s(seed, _PURPOSE, ids.to_pylist()))
        sizes.append(size.to_numpy().astype(np.int64))
        languages.append(_codes(language, names))
        repositories.append(_codes(repo_name[0], repo_names) if mixture else np.zeros(len(ids), np.int64))
    ordered = sorted(names)  # so that the numbers of languages do not depend on which came first
    numbers = np.array([ordered.index(name) for name in names], dtype=np.int64)
    language, size = np.concatenate(languages), np.concatenate(sizes)
    source, weights = np.zeros(len(size), np.int64), np.ones(1)
    if mixture:
        source = _sources(np.concatenate(repositories), list(repo_names), language, list(names), size, mixture)
        weights = np.array([0.0 if one.tokens else one.weight for one in mixture] + [0.0])
        if not any(one.weight for one in mixture):
            weights[:-1] = np.bincount(source, size, len(weights))[:-1]
    strata = source * len(names) + (numbers[language] if names else 0)
    return Files(tuple(paths), np.concatenate(keys), size, strata, tuple(ordered), weights)


def _sources(
    repository: NDArray[np.int64],
    repo_names: list[str],
    language: NDArray[np.int64],
    languages: list[str],
    size: NDArray[np.int64],
    mixture: Sequence[MixtureSource],
) -> NDArray[np.int64]:
    """The number of each file's source; len(mixture) where none has it."""
    pairs, rows = np.unique(repository * len(languages) + language, return_inverse=True)
    sums = np.bincount(rows, size, len(pairs)).astype(np.int64)
    of_repository, of_language = np.divmod(pairs, max(len(languages), 1))
    main = main_languages(
        [repo_names[number] for number in of_repository.tolist()],
        [languages[number] for number in of_language.tolist()],
        sums.tolist(),
    )
    found = np.array([belongs(mixture, name, main[name]) for name in repo_names], dtype=np.int64)
    found[found < 0] = len(mixture)
    of_file: NDArray[np.int64] = found[repository]
    return of_file


def by_share(files: Files, size: int) -> NDArray[np.float64]:
    """Bytes to draw of each stratum [sources, languages], `size` in all or what there is: a source has its share of
    the weights, a language its share of the source's bytes. What a stratum lacks, the others give, in proportion."""
    available = files.available
    of_source = available.sum(axis=1, keepdims=True)
    weights = files.weights.reshape(-1, 1)
    shares = np.divide(weights * available, of_source, out=np.zeros_like(available), where=of_source > 0)
    return np.rint(filled(available, shares, size))


def evenly(files: Files, size: int) -> NDArray[np.float64]:
    """Bytes to draw of each stratum: the same of each, or what there is of it; `size` in all."""
    available = files.available
    return np.rint(filled(available, (available > 0).astype(np.float64), size))


def filled(available: NDArray[np.float64], shares: NDArray[np.float64], size: float) -> NDArray[np.float64]:
    """Of each so much that all are at one level (target / share), or what there is of it; `size` in all."""
    targets = np.zeros_like(available)
    open_ = shares > 0
    while open_.any() and size > 0:
        level = size / shares[open_].sum()
        full = open_ & (level * shares >= available)
        if not full.any():
            targets[open_] = level * shares[open_]
            break
        targets[full] = available[full]
        size -= available[full].sum()
        open_ &= ~full
    return targets


def draw(files: Files, targets: NDArray[np.float64], seed: int) -> NDArray[np.bool_]:
    """Which rows are drawn for `targets` bytes of each stratum: at least one file, where any is wanted."""
    flat = targets.ravel()
    order = np.lexsort((files.keys, files.strata))
    strata, sizes = files.strata[order], files.sizes[order].astype(np.float64)
    before = np.cumsum(sizes) - sizes
    first = np.searchsorted(strata, np.arange(len(flat)))  # of each stratum
    before -= before[np.minimum(first, max(len(order) - 1, 0))][strata] if len(order) else 0
    chances = keyed_units(seed, f"{_PURPOSE}, last file", (str(number) for number in _names(files)))
    wanted = flat[strata] > 0
    left = flat[strata] - before
    taken = wanted & ((sizes <= left) | ((left > 0) & (chances[strata] * sizes < left)))
    if wanted.any() and not taken.any():
        taken[np.flatnonzero(wanted)[np.argmin(files.keys[order][wanted])]] = True
    chosen = np.zeros(len(order), dtype=np.bool_)
    chosen[order[taken]] = True
    return chosen


def _names(files: Files) -> Iterator[str]:
    return (f"{source}\0{language}" for source in range(files.sources) for language in files.languages)


def read(files: Files, chosen: NDArray[np.bool_], tokens: Mapping[str, int]) -> Iterator[list[Text]]:
    """Batches of the files drawn, in the dataset's order; what was replaced by a marker that `tokens` has is that
    token. Raises UserError when a part is damaged."""
    row = 0
    for path in files.paths:
        try:
            with pq.ParquetFile(path) as file:
                for group in range(file.metadata.num_row_groups):
                    stop = row + file.metadata.row_group(group).num_rows
                    wanted, row = chosen[row:stop], stop
                    if wanted.any():
                        columns = ["repo_name", "language", "content", redacted.COLUMN]
                        yield from _texts(file.read_row_group(group, columns).filter(pa.array(wanted)), tokens)
        except (OSError, pa.ArrowException) as problem:
            raise damaged(path, problem) from None


def _texts(table: pa.Table, tokens: Mapping[str, int]) -> Iterator[list[Text]]:
    for start in range(0, table.num_rows, _ROWS):
        some = table.slice(start, _ROWS)
        values = (some.column(name).to_pylist() for name in ("repo_name", "language", "content"))
        yield [
            Text(repo_name or "", language or "", redacted.parts(text, redacted.markers(text, noted, tokens)))
            for repo_name, language, text, noted in zip(*values, redacted.noted(some), strict=True)
        ]


def _narrow(paths: Sequence[Path], columns: list[str]) -> Iterator[pa.RecordBatch]:
    for path in paths:
        try:
            with pq.ParquetFile(path) as file:
                yield from file.iter_batches(columns=columns)
        except (OSError, pa.ArrowException) as problem:
            raise damaged(path, problem) from None


def _codes(column: Any, names: dict[str, int]) -> NDArray[np.int64]:
    """The number of each value in `names`, which learns the new ones."""
    encoded = pc.dictionary_encode(pc.fill_null(column, ""))
    numbers = [names.setdefault(name, len(names)) for name in encoded.dictionary.to_pylist()]
    found: NDArray[np.int64] = np.array(numbers, dtype=np.int64)[encoded.indices.to_numpy(zero_copy_only=False)]
    return found
