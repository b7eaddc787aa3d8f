"""A data set's files to prepared repositories: every content hashed and packed by the workers, then one sort.

Each unit (some 256 MB of text) becomes a pack of contents and narrow rows, kept until the whole is done, so a killed
run goes on with the units that are there. A file that is damaged or not understood costs itself: it is a problem, the
others are listed. Cost: reading, SHA-1 and zstd of every content once. Disk: the packs.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from starloom import progress
from starloom.errors import UserError
from starloom.sources.aside import publish
from starloom.sources.hub_datasets.meaning import File, file_of, name_of, repository_of
from starloom.sources.hub_datasets.packs import PackWriter, pack
from starloom.sources.hub_datasets.rows import Unit, columns_of, rows, units
from starloom.sources.hub_datasets.shape import UNDERSTOOD, Shape
from starloom.sources.prepared import NUMBERED_FILES, REPOSITORIES, write_prepared
from starloom.sources.repository import REGULAR, Place, Repository, RepositoryProblem, SourceError

NOT_UNDERSTOOD = "its columns are not understood"
_GROUP_ROWS = 20_000
_FACTS = tuple(one.name for one in fields(Repository) if one.name != "rights")
_REPOSITORIES = pa.schema([*(REPOSITORIES.field(name) for name in _FACTS), ("unit", pa.int32()), ("place", pa.int64())])
_ROWS = pa.schema(
    [
        ("repo_name", pa.string()),
        ("raw_path", pa.binary()),
        ("size", pa.int64()),
        ("content_id", pa.string()),
        ("blob_id", pa.string()),
        ("problem", pa.string()),
        ("file", pa.int32()),  # the unit whose pack has the content
        ("row", pa.int64()),  # its place there
        ("unit", pa.int32()),
        ("place", pa.int64()),  # among the files of the unit
    ]
)
# The first row of a repository says what is known of it.
_DISTINCT = f"""
SELECT {", ".join(_FACTS)} FROM (
  SELECT *, row_number() OVER (PARTITION BY repo_name ORDER BY unit, place) AS best FROM repositories
) WHERE best = 1 ORDER BY repo_name
"""
_LISTING = f"""
SELECT n.repository, f.raw_path, 'file' AS entry_type, {REGULAR} AS mode, f.size, f.content_id, f.blob_id, f.problem,
  CAST(NULL AS VARCHAR) AS target, f.file, f.row
FROM files f JOIN numbers n ON f.repo_name = n.repo_name
ORDER BY n.repository, f.raw_path, f.unit, f.place
"""


@dataclass(frozen=True)
class Item:
    """A unit, and where it goes."""

    unit: Unit
    number: int
    label: str  # of the data file: names what has no path
    dataset: str  # names what has no repository
    location: str
    folder: Path


def prepare(
    files: Sequence[tuple[str, Path]], dataset: str, location: str, folder: Path, listing: Path, place: Place
) -> None:
    """Writes `listing`, and packs into `folder`. `files`: name below the data set, path. Raises SourceError where no
    file of it can be read."""
    folder.mkdir(parents=True, exist_ok=True)
    items, problems = _items(files, dataset, location, folder)
    waiting = [item for item in items if not _done(item).is_file()]
    with progress.task("prepare data set", len(waiting), "parts") as bar:
        for _, problem in place.engine.map(read_unit, waiting):
            problems += [problem] if problem else []
            bar.advance(1)
    done = [item for item in items if _done(item).is_file()]
    if not done:
        raise SourceError(problems[0] if problems else RepositoryProblem(location, "it has no rows"))
    problems += _told(done)
    narrow = [_done(item).with_suffix(".repositories.parquet") for item in done]
    known = place.engine.table(_DISTINCT, {"repositories": narrow}).to_pylist()
    repositories = [Repository(**row | {"rights": "public", "former_names": ()}) for row in known]
    names = [one.repo_name for one in repositories]
    numbers = pa.table({"repo_name": names, "repository": pa.array(range(len(names)), pa.int32())})
    tables = {"files": [_done(item) for item in done], "numbers": numbers}
    with place.engine.query(_LISTING, tables) as batches:
        ready = (batch.select(NUMBERED_FILES.names).cast(NUMBERED_FILES) for batch in batches)
        write_prepared(listing, repositories, ready, sorted(problems, key=lambda one: (one.location, one.reason)))
    for item in done:
        _done(item).unlink()
        _done(item).with_suffix(".repositories.parquet").unlink()


def shapes_of(files: Iterable[tuple[str, Path]]) -> tuple[dict[str, Shape], list[RepositoryProblem]]:
    """The shape of each file by name; the others' problems. Where some have contents, those with ids only tell of the
    same files once more (our own data set has both): they are left out."""
    shapes: dict[str, Shape] = {}
    problems: list[RepositoryProblem] = []
    for name, path in files:
        try:
            columns, shape = columns_of(str(path))
        except SourceError as failure:
            problems.append(failure.problem)
            continue
        if shape is not None:
            shapes[name] = shape
        elif columns or path.stat().st_size:
            shown = ", ".join(map(repr, columns[:50])) or "none"
            reason = f"{NOT_UNDERSTOOD}: {shown}"
            problems.append(RepositoryProblem(str(path), reason, f"understood is {UNDERSTOOD}"))
    if any(shape.inline for shape in shapes.values()):
        for name, path in files:
            if name in shapes and not shapes[name].inline:
                ours = shapes.pop(name).nested and name.startswith("repositories/")
                if not ours:
                    reason = "left out: it has no contents, other files of the data set have"
                    problems.append(RepositoryProblem(str(path), reason, "name it alone, with `contents`"))
    return shapes, problems


def _items(
    files: Sequence[tuple[str, Path]], dataset: str, location: str, folder: Path
) -> tuple[list[Item], list[RepositoryProblem]]:
    shapes, problems = shapes_of(files)
    items: list[Item] = []
    for name, path in files:
        if name in shapes:
            try:
                for unit in units(str(path), shapes[name]):
                    label = name.partition(".")[0]
                    items.append(Item(unit, len(items), label, dataset, location, folder))
            except SourceError as failure:
                problems.append(failure.problem)
    return items, problems


def _done(item: Item) -> Path:
    """The rows of a unit, written last."""
    return item.folder / f"{item.number}.parquet"


def _told(done: list[Item]) -> list[RepositoryProblem]:
    """The lines that were no rows; contents whose hash is another than stated are only spoken of: nothing is lost."""
    problems, differing = [], 0
    for item in done:
        told = json.loads((pq.read_metadata(_done(item)).metadata or {})[b"starloom"])
        differing += told["differs"]
        for reason, count in sorted(told["no_rows"].items()):
            problems.append(RepositoryProblem(item.unit.path, f"{reason} ({count:,} times): left out", "mend the file"))
    if differing:
        counted = progress.counted(differing, "contents")
        progress.say(f"  {counted} do not hash to the id that is stated (redacted or recoded): their own is taken")
    return problems


def read_unit(item: Item) -> RepositoryProblem | None:
    """In a worker: packs the contents of one unit and writes its narrow rows, whole or not at all."""
    target, packed = _done(item), pack(item.folder, item.number)
    finished = (packed, target.with_suffix(".repositories.parquet"), target)
    aside = [path.with_name(f"{path.name}.aside") for path in finished]
    try:
        with aside[0].open("wb") as file, pq.ParquetWriter(aside[2], _ROWS, compression="zstd") as writer:
            reading = _Reading(item, PackWriter(file), writer)
            reading.run()
        pq.write_table(pa.Table.from_pylist(list(reading.repositories.values()), _REPOSITORIES), aside[1])
        for path, name in zip(aside, finished, strict=True):
            publish(path, name)
    except SourceError as failure:
        return failure.problem
    except OSError as problem:
        reason = f"{item.folder}: {problem.strerror or problem}"
        raise UserError(reason, "free space there, then run it again") from None
    finally:
        for path in aside:
            path.unlink(missing_ok=True)
    return None


class _Reading:
    """One unit on its way."""

    def __init__(self, item: Item, packs: PackWriter, writer: pq.ParquetWriter) -> None:
        self.item = item
        self.packs = packs
        self.writer = writer
        self.repositories: dict[str, dict[str, Any]] = {}
        self.no_rows: dict[str, int] = {}
        self.differs = 0
        self.place = 0
        self.columns: list[list[Any]] = [[] for _ in _ROWS]

    def run(self) -> None:
        shape = self.item.unit.shape
        for row in rows(self.item.unit):
            if isinstance(row, str):
                self.no_rows[row] = self.no_rows.get(row, 0) + 1
                continue
            name = name_of(row.values, shape) or self.item.dataset
            if name not in self.repositories:
                repository = repository_of(row.values, shape, name, self.item.location)
                facts = {field: getattr(repository, field) for field in _FACTS}
                self.repositories[name] = facts | {"unit": self.item.number, "place": self.place}
            for number, values in enumerate(row.files):
                unnamed = f"{self.item.label}/{row.number}" + (f"-{number}" if shape.nested else "")
                self.add(name, file_of(values, shape, unnamed))
        self.flush()
        told = {"differs": self.differs, "no_rows": self.no_rows}
        self.writer.add_key_value_metadata({"starloom": json.dumps(told)})

    def add(self, name: str, file: File) -> None:
        unit = self.item.number
        at = None if file.data is None else self.packs.add(file.data)
        self.differs += file.differs
        line = (name, file.raw_path, file.size, file.content_id, file.blob_id, file.problem)
        for column, value in zip(
            self.columns, (*line, None if at is None else unit, at, unit, self.place), strict=True
        ):
            column.append(value)
        self.place += 1
        if len(self.columns[0]) >= _GROUP_ROWS:
            self.flush()

    def flush(self) -> None:
        arrays = [pa.array(column, field.type) for column, field in zip(self.columns, _ROWS, strict=True)]
        self.writer.write_table(pa.Table.from_arrays(arrays, schema=_ROWS))
        self.columns = [[] for _ in _ROWS]
