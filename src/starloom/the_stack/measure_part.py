"""What a worker does for `measure`: the missing signals of one part of `files/`, each published as a part of its cache.

Row group by row group, the contents are read once, made into texts and bytes once, and shared by all signals: those by
name get them again under each name. A signal that needs the language comes after `language` and is asked, of what had
none, about what was found just now.
"""

import contextlib
import functools
import gc
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from starloom.the_stack import tables
from starloom.the_stack.signal import Batch, Signal, all_signals
from starloom.workspace.parts import Parts

Mask: TypeAlias = NDArray[np.bool_]
Rows: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Work:
    """One signal of one part of the content cache: of every content, or of the names in `asked`."""

    signal: str
    fingerprint: str  # of the signal with its settings
    asked: Mask | None  # of the item's names


@dataclass(frozen=True)
class Item:
    root: Path  # of the workspace
    part: str
    works: tuple[Work, ...]  # those that need a language last
    names: pa.Table  # content_id, file_name, language; empty where no work is by name
    settings: Mapping[str, Any]  # by signal
    bytes: int

    @property
    def contents(self) -> Path:
        return self.root / tables.FILES / self.part / "contents.parquet"


def cache(root: Path, signal: Signal) -> Parts:
    return Parts(root / tables.SIGNALS / signal.name, f"signal-{signal.name}")


def wants_language(signal: Signal, settings: Any, language: str | None) -> bool:
    return language is not None and (signal.wants_language is None or signal.wants_language(language, settings))


def text_bytes(contents: Path) -> int:
    metadata = pq.ParquetFile(contents).metadata
    return sum(_group_bytes(metadata, group) for group in range(metadata.num_row_groups))


def _group_bytes(metadata: Any, group: int) -> int:
    size: int = metadata.row_group(group).column(metadata.schema.names.index("content")).total_uncompressed_size
    return size


def measure_part(item: Item) -> tuple[int, list[tuple[str, str]]]:
    """Bytes of text gone through, and what was published: (signal, part of its cache)."""
    with _settled():
        return _measure_part(item)


def _measure_part(item: Item) -> tuple[int, list[tuple[str, str]]]:
    signals = {one.name: one for one in all_signals()}
    measured: dict[str, list[pa.Table]] = {work.signal: [] for work in item.works}
    asked = {work.signal: work.asked.copy() for work in item.works if work.asked is not None}
    size = 0
    file = pq.ParquetFile(item.contents)
    names = _Names(item, file)
    for group, here in enumerate(names.groups):
        if len(asked) == len(item.works) and not any(one[here].any() for one in asked.values()):
            continue  # names of other contents only
        size += _group_bytes(file.metadata, group)
        for name, table in _measure_group(item, signals, file, group, names, asked):
            measured[name].append(table)
    return size, list(_publish(item, signals, names, asked, measured))


def _measure_group(
    item: Item,
    signals: Mapping[str, Signal],
    file: pq.ParquetFile,
    group: int,
    names: "_Names",
    asked: Mapping[str, Mask],
) -> Iterator[tuple[str, pa.Table]]:
    """(signal, its rows). Contents end with the iterator: the next row group gets their memory while it is warm."""
    columns = ["content"]
    if any(signals[work.signal].needs_bytes for work in item.works):
        columns += ["src_encoding", "original"]
    contents, *rest = file.read_row_group(group, columns=columns, use_threads=False).columns
    whole = Batch(contents, None, None, *rest)
    made: dict[bytes, _Named] = {}
    for work in item.works:
        signal, settings = signals[work.signal], item.settings[work.signal]
        batch, keys = whole, [names.ids[group]]
        if work.asked is not None:
            here = names.groups[group]
            if signal.needs_language:
                asked[signal.name][here] &= names.have_language(here, signal, settings)
            rows = here[asked[signal.name][here]]
            if not len(rows):
                continue
            key = rows.tobytes()
            if key not in made:  # most signals by name ask for the same rows
                made[key] = _Named(whole, names.places[rows] - names.starts[group], names.table.take(rows))
            batch, keys = made[key], made[key].keys
            if signal.needs_language:
                batch.languages = [names.languages[row] or "" for row in rows.tolist()]
        arrays = signal.measure(batch, settings)
        yield signal.name, pa.Table.from_arrays([*keys, *arrays], schema=signal.schema)
        if signal.name == "language":
            names.learn(rows, arrays[0])


@contextlib.contextmanager
def _settled() -> Iterator[None]:
    """What is loaded by now stays: the collector need not walk all of it again and again."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


class _Names:
    """The names of a part: where their contents are, and their languages as they become known."""

    def __init__(self, item: Item, file: pq.ParquetFile) -> None:
        ids = file.read(columns=["content_id"]).column(0).combine_chunks()
        counts = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
        self.starts = np.cumsum([0, *counts])  # of the row groups
        self.ids = [ids.slice(start, count) for start, count in zip(self.starts.tolist(), counts, strict=False)]
        self.table = item.names.combine_chunks()
        self.places: Rows = np.asarray(pc.index_in(self.table.column("content_id"), ids), np.int64)
        order = np.argsort(self.places, kind="stable")
        bounds = np.searchsorted(self.places[order], self.starts)
        self.groups = [order[begin:end] for begin, end in pairwise(bounds)]  # in order of contents
        self.languages: list[str | None] = self.table.column("language").to_pylist()

    def learn(self, rows: Rows, languages: Any) -> None:
        for row, language in zip(rows.tolist(), languages.to_pylist(), strict=True):
            self.languages[row] = language

    def have_language(self, rows: Rows, signal: Signal, settings: Any) -> Mask:
        wants = functools.cache(functools.partial(wants_language, signal, settings))
        return np.array([wants(self.languages[row]) for row in rows.tolist()], np.bool_)


class _Named(Batch):
    """Contents of another batch, those at `places`, under names. Texts are shared with it, bytes copied if need be."""

    def __init__(self, whole: Batch, places: Rows, names: pa.Table) -> None:
        self.keys = [names.column(name).combine_chunks() for name in ("content_id", "file_name")]
        super().__init__(None, self.keys[1].to_pylist())
        self._whole, self._places = whole, places

    def __len__(self) -> int:
        return len(self._places)

    @functools.cached_property
    def texts(self) -> list[str]:
        every = self._whole.texts
        return [every[place] for place in self._places.tolist()]

    @functools.cached_property
    def _bytes(self) -> tuple[Rows, NDArray[np.uint8]]:
        from starloom.kernels.text import taken

        return taken(self._whole.offsets, self._whole.data, self._places)


def _publish(
    item: Item,
    signals: Mapping[str, Signal],
    names: _Names,
    asked: Mapping[str, Mask],
    measured: Mapping[str, list[pa.Table]],
) -> Iterator[tuple[str, str]]:
    """The rows of each signal. A part by name is called after what was asked: more of the same contents may come."""
    called: dict[bytes, str] = {}
    for work in item.works:
        signal, part = signals[work.signal], item.part
        if work.asked is not None:
            mask = asked[signal.name]
            if not mask.any():  # nothing has a language that it wants
                continue
            key = mask.tobytes()
            if key not in called:
                called[key] = f"{part}-{_digest(names.table.filter(pa.array(mask)))}"
            part = called[key]
        draft_of = cache(item.root, signal).publish(
            part, version=signal.version, fingerprint=work.fingerprint, inputs={}, settings={}
        )
        with draft_of as draft:
            draft.parquet(f"{signal.name}.parquet", signal.schema, measured[signal.name])
        yield signal.name, part


def _digest(asked: pa.Table) -> str:
    columns = (asked.column(name).to_pylist() for name in ("content_id", "file_name"))
    return hashlib.sha256("\n".join(map("\0".join, zip(*columns, strict=True))).encode()).hexdigest()[:16]
