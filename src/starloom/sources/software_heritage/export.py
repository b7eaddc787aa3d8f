"""The tables of a Software Heritage graph export as they are found, and their narrow copies for the engine.

An export is a folder, local or on S3, with a folder of ORC or Parquet files for each table (or with these folders in
`orc/` or `parquet/`). Columns are chosen by name; what an older export lacks is null. Copies hold only what listing
needs: ids as lower-case hex, names as bytes, times as microseconds since 1970 or null where no calendar has them.
Each copied file is written aside and renamed, so a killed run goes on with those that are missing.

Traps met: visits name the snapshot `snapshot` where the documentation says `snapshot_id`; an alias's target is the
hex of the branch name it stands for, as all targets are; one wild date spoils a whole stripe (see `orc_times`).
Cost: every file is read once, the chosen columns only; memory: one stripe a worker. Not covered: the whole archive's
export on one machine (33 TB in 2026); exports of before 2020, whose columns differ.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.orc as orc
import pyarrow.parquet as pq

from starloom.outside.object_store import StoreError, open_folder
from starloom.outside.paths import printable
from starloom.sources.repository import RepositoryProblem, SourceError
from starloom.sources.software_heritage.orc_times import EPOCH, OrcError, with_integer_times

_ROWS = 100_000  # rows of a row group
_END_OF_TIME = 253_402_300_800  # the year 10000, in seconds since 1970
_REASON = 200  # characters of the archive's reason for skipping a content

# What listing needs of each table, as in the copies. `snapshot` is `snapshot_id` in some exports, and the other way.
NARROW: Mapping[str, pa.Schema] = {
    "origin_visit_status": pa.schema(
        [
            ("origin", pa.string()),
            ("visit", pa.int64()),
            ("date", pa.int64()),
            ("status", pa.string()),
            ("snapshot", pa.string()),
            ("type", pa.string()),
        ]
    ),
    "snapshot_branch": pa.schema(
        [
            ("snapshot_id", pa.string()),
            ("name", pa.binary()),
            ("target", pa.string()),
            ("target_type", pa.string()),
            ("alias", pa.binary()),  # the name that an alias stands for; made here
        ]
    ),
    "revision": pa.schema(
        [
            ("id", pa.string()),
            ("date", pa.int64()),
            ("committer_date", pa.int64()),
            ("directory", pa.string()),
            ("type", pa.string()),
        ]
    ),
    "release": pa.schema([("id", pa.string()), ("target", pa.string()), ("target_type", pa.string())]),
    "directory": pa.schema([("id", pa.string())]),
    "directory_entry": pa.schema(
        [
            ("directory_id", pa.string()),
            ("name", pa.binary()),
            ("type", pa.string()),  # file, dir, rev
            ("target", pa.string()),
            ("perms", pa.int32()),
            ("unsafe", pa.bool_()),  # the name is none: empty, or with a slash or NUL; made here
        ]
    ),
    "content": pa.schema(
        [("sha1", pa.string()), ("sha1_git", pa.string()), ("length", pa.int64()), ("status", pa.string())]
    ),
    "skipped_content": pa.schema([("sha1_git", pa.string()), ("length", pa.int64()), ("reason", pa.string())]),
}
_NEEDED = ("origin_visit_status", "snapshot_branch", "revision", "directory_entry", "content")
_MADE = ("alias", "unsafe")
_OTHER_NAMES = {"snapshot": "snapshot_id", "snapshot_id": "snapshot"}
_TIMES = ("date", "committer_date")
# Ids that are used as keys or shown as such. Those that are only joined need no check: what is none joins nothing.
_IDS = {"revision": ("id", "directory"), "directory_entry": ("target",), "content": ("sha1", "sha1_git")}
_HEX = "^[0-9a-f]{40}$"


@dataclass(frozen=True)
class TableFile:
    """One file of an export."""

    table: str
    path: str  # below the export's folder
    size: int  # bytes


@dataclass(frozen=True)
class Export:
    """An export that was found: where, and its files by table and path."""

    url: str
    files: tuple[TableFile, ...]

    @property
    def tables(self) -> set[str]:
        return {file.table for file in self.files}


@dataclass(frozen=True)
class _Item:
    url: str
    file: TableFile
    target: str
    select: str


def find_export(url: str) -> Export:
    """The export at `url`, or in its `orc` or `parquet` folder; lists file names only. Raises SourceError."""
    try:
        system, path = open_folder(url)
        for base in (path, f"{path}/orc", f"{path}/parquet"):
            files = tuple(_files(system, base, base[len(path) :].lstrip("/")))
            missing = sorted(set(_NEEDED) - {file.table for file in files})
            if len(missing) < len(_NEEDED):
                break
    except (OSError, StoreError, pa.ArrowException) as problem:
        raise SourceError(RepositoryProblem(url, f"unreadable: {printable(str(problem))}", _HINT)) from None
    if missing:
        raise SourceError(RepositoryProblem(url, f"no Software Heritage export: no table {', '.join(missing)}", _HINT))
    return Export(url, files)


_HINT = "give the folder that holds one folder a table, such as `swh:s3://BUCKET/graph/DATE/orc`"


def _files(system: Any, base: str, prefix: str) -> Iterator[TableFile]:
    for table in NARROW:
        try:  # given a schema, no file is opened
            found = ds.dataset(f"{base}/{table}", pa.schema([]), format="parquet", filesystem=system).files
        except FileNotFoundError:
            continue
        chosen = sorted(path for path in found if path.endswith((".orc", ".parquet")))
        for info in system.get_file_info(chosen):
            yield TableFile(table, f"{prefix}/{info.path[len(base) + 1 :]}".lstrip("/"), info.size)


def copy_items(export: Export, folder: Path, select: str) -> list[_Item]:
    """What is still to be copied into `folder`, for `copy_file`: the largest first."""
    for table in NARROW:
        (folder / table).mkdir(parents=True, exist_ok=True)
    items = [
        _Item(export.url, file, str(folder / file.table / f"{number}.parquet"), select)
        for number, file in enumerate(export.files)
    ]
    return sorted((item for item in items if not Path(item.target).exists()), key=lambda item: -item.file.size)


def copied(export: Export, folder: Path) -> dict[str, list[Path]]:
    """The copies of each table; an empty one where the export has no such table."""
    found: dict[str, list[Path]] = {table: [] for table in NARROW}
    for number, file in enumerate(export.files):
        found[file.table].append(folder / file.table / f"{number}.parquet")
    for table, paths in found.items():
        if not paths:
            paths.append(folder / table / "none.parquet")
            pq.write_table(NARROW[table].empty_table(), paths[0])
    return found


def copy_file(item: _Item) -> int:
    """In a worker: the narrow copy of one file. Returns how many dates no calendar has. Raises SourceError."""
    aside = f"{item.target}.aside"
    wild = 0
    try:
        system, base = open_folder(item.url)
        schema = NARROW[item.file.table]
        with (
            system.open_input_file(f"{base}/{item.file.path}") as file,
            pq.ParquetWriter(aside, schema, compression="zstd", compression_level=1) as writer,
        ):
            for found in _read(file, item.file, [name for name in schema.names if name not in _MADE]):
                table, count = _narrow(found, item.file.table, item.select)
                writer.write_table(table, row_group_size=_ROWS)
                wild += count
        os.replace(aside, item.target)  # noqa: PTH105
    except (OSError, StoreError, OrcError, pa.ArrowException) as problem:
        reason = f"{item.file.path} cannot be read: {printable(str(problem))}"
        hint = "see that the copy of the export is whole; the same command goes on where it stopped"
        raise SourceError(RepositoryProblem(item.url, reason, hint)) from None
    return wild


def _read(file: pa.NativeFile, name: TableFile, wanted: Sequence[str]) -> Iterator[pa.Table]:
    if name.path.endswith(".parquet"):
        parquet = pq.ParquetFile(file)
        columns = _present(parquet.schema_arrow.names, wanted)
        for batch in parquet.iter_batches(_ROWS, columns=columns):
            yield pa.Table.from_batches([batch])
        return
    whole = orc.ORCFile(file)
    columns = _present(whole.schema.names, wanted)
    tame = None
    for stripe in range(whole.nstripes):
        try:
            batch = whole.read_stripe(stripe, columns)
        except pa.ArrowInvalid:  # most likely a date out of Arrow's range: see `orc_times`
            tame = tame or orc.ORCFile(with_integer_times(file, name.size, set(_TIMES)))
            batch = tame.read_stripe(stripe, columns)
        for start in range(0, batch.num_rows, _ROWS):
            yield pa.Table.from_batches([batch.slice(start, _ROWS)])


def _present(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """The columns to read: those wanted, under the other name where only that is there."""
    chosen = (name if name in names else _OTHER_NAMES.get(name, name) for name in wanted)
    return [name for name in chosen if name in names]


def _narrow(found: pa.Table, name: str, select: str) -> tuple[pa.Table, int]:
    """(the rows as in NARROW, the number of wild dates)."""
    columns: dict[str, pa.ChunkedArray] = {}
    wild = 0
    for field in NARROW[name]:
        there = next((one for one in (field.name, _OTHER_NAMES.get(field.name)) if one in found.column_names), None)
        if there is None:
            columns[field.name] = pa.chunked_array([pa.nulls(found.num_rows, field.type)])
        elif field.name in _TIMES:
            columns[field.name], count = _microseconds(found.column(there))
            wild += count
        else:
            columns[field.name] = found.column(there).cast(field.type, safe=False)
    for column in _IDS.get(name, ()):
        columns[column] = _where(pc.match_substring_regex(columns[column], _HEX), columns[column])
    if name == "snapshot_branch":
        columns["alias"] = _alias_names(columns["target_type"], columns["target"])
    elif name == "directory_entry":
        given = columns["name"]
        empty = pc.equal(pc.binary_length(given), 0)
        bad = pc.or_(pc.or_(empty, pc.match_substring(given, b"/")), pc.match_substring(given, b"\0"))
        columns["name"], columns["unsafe"] = pc.fill_null(given, b""), pc.fill_null(bad, True)
    elif name == "skipped_content":
        reasons = [one and printable(one[:_REASON]) for one in columns["reason"].to_pylist()]
        columns["reason"] = pa.chunked_array([pa.array(reasons, pa.string())])
    table = pa.table(columns, NARROW[name])
    if name == "origin_visit_status" and select:
        table = table.filter(pc.starts_with(table.column("origin"), select))
    elif name == "snapshot_branch":  # pull requests are most branches, and never the main one
        table = table.filter(pc.invert(pc.starts_with(table.column("name"), b"refs/pull/")))
    return table, wild


def _where(condition: pa.ChunkedArray, values: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(condition, values, pa.scalar(None, values.type))


def _microseconds(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, int]:
    """A time, in whatever form the export has it, and how many of its values are out of range (and now null)."""
    kind = column.type
    micro: Any = pa.scalar(0, pa.int64())
    if pa.types.is_struct(kind):  # seconds, microseconds
        column = pa.chunked_array(column.chunks, kind)
        micro = pc.fill_null(pc.struct_field(column, "microseconds").cast(pa.int64()), 0)
        seconds = pc.struct_field(column, "seconds").cast(pa.int64())
    elif pa.types.is_integer(kind):  # what `orc_times` shows
        tame = _where(pc.less(pc.abs(column), _END_OF_TIME), column)
        seconds = pc.coalesce(pc.add(tame, EPOCH), column)
    else:
        ticks = column.cast(pa.timestamp(kind.unit)).cast(pa.int64())
        per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
        seconds = pc.floor(pc.divide(ticks, per_second)).cast(pa.int64())
        rest = pc.subtract(ticks, pc.multiply(seconds, per_second))
        micro = pc.divide(rest, per_second // 10**6) if per_second > 10**6 else pc.multiply(rest, 10**6 // per_second)
    fits = pc.and_(pc.greater_equal(seconds, 0), pc.less(seconds, _END_OF_TIME))
    good = _where(fits, seconds)
    wild = (good.null_count - seconds.null_count) or 0
    return pc.add(pc.multiply(good, 10**6), micro), wild


def _alias_names(kinds: pa.ChunkedArray, targets: pa.ChunkedArray) -> pa.ChunkedArray:
    """The branch names that aliases stand for: hex in the archive's exports, plain in its documentation."""
    names: list[bytes | None] = []
    for kind, target in zip(kinds.to_pylist(), targets.to_pylist(), strict=True):
        if kind != "alias" or target is None:
            names.append(None)
            continue
        try:
            names.append(bytes.fromhex(target))
        except ValueError:
            names.append(target.encode("utf-8", "surrogateescape"))
    return pa.chunked_array([pa.array(names, pa.binary())])
