"""The directory walk: from root directories to paths, level by level, as joins on the engine.

A level's folders (repository, directory, path so far) lie in a Parquet file. Of each level: the distinct directories,
their entries out of the export's table, what that would make of every repository (counted before it is made, so that
a tree bomb of 10^10 paths costs nothing), then the paths: files to one file, folders to the next level's.

A repository is given up, with its reason, for a directory that is not in the export, for more than LEVEL_ENTRIES
entries in one level or MAX_ENTRIES in all (the paper: a million of one node per level), and for folders more than
MAX_DEPTH deep (the paper's 64), which is also where cycles end. A folder whose path is longer than any file system's
is an entry with a problem and not entered. Cost: one reading of the directory table per level, which real
repositories have 10 to 20 of. Memory: the engine's limit, one batch of 100,000 rows, 8 bytes a repository.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from starloom.outside.paths import MAX_PATH, text_path
from starloom.progress import Task
from starloom.sources.repository import MAX_ENTRIES
from starloom.sources.software_heritage.steps import Steps, Writer

MAX_DEPTH = 64
LEVEL_ENTRIES = 1_000_000  # of one repository
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # git's name of the directory without entries

FOLDERS = pa.schema([("repository", pa.int32()), ("directory_id", pa.string()), ("prefix", pa.binary())])
PATHS = pa.schema(
    [
        ("repository", pa.int32()),
        ("raw_path", pa.binary()),
        ("type", pa.string()),
        ("target", pa.string()),
        ("perms", pa.int32()),
        ("unsafe", pa.bool_()),
    ]
)

_ROOTS = (
    "SELECT number AS repository, directory_id, CAST('' AS BINARY) AS prefix FROM repositories WHERE number IS NOT NULL"
)
_FRONTIER = "SELECT DISTINCT directory_id FROM folders"
_ENTRIES = """
SELECT DISTINCT directory_id, name, type, target, perms, unsafe
FROM directory_entry WHERE directory_id IN (SELECT directory_id FROM frontier)
"""
_SIZES = """
SELECT f.repository, CAST(sum(e.entries) AS BIGINT) AS entries FROM folders f
JOIN (SELECT directory_id, count(*) AS entries FROM entries GROUP BY directory_id) e
ON f.directory_id = e.directory_id GROUP BY f.repository
"""
_MISSING = """
WITH missing AS (
  SELECT directory_id FROM frontier WHERE directory_id <> $empty
  AND directory_id NOT IN (SELECT directory_id FROM entries)
  AND directory_id NOT IN (SELECT id FROM directory WHERE id IS NOT NULL)
)
SELECT f.repository, min(f.prefix) AS prefix, min_by(f.directory_id, f.prefix) AS directory_id
FROM folders f JOIN missing m ON f.directory_id = m.directory_id GROUP BY f.repository
"""
_NEXT = """
SELECT f.repository, f.prefix || e.name AS raw_path, e.type, e.target, e.perms, e.unsafe
FROM folders f JOIN entries e ON f.directory_id = e.directory_id
WHERE f.repository NOT IN (SELECT repository FROM dropped)
"""


@dataclass(frozen=True)
class Walked:
    paths: list[Path]  # Parquet files of PATHS, a path a row
    dropped: dict[int, str]  # the repositories that were given up, with the reason


def walk(
    steps: Steps, tables: Mapping[str, Sequence[Path]], repositories: Sequence[Path], number: int, bar: Task
) -> Walked:
    """The paths of every numbered repository (there are `number`); those of a dropped one are to be left out."""
    dropped: dict[int, str] = {}
    totals = np.zeros(number, dtype=np.int64)
    paths = [steps.write("level-none-paths", PATHS, [])]  # a query wants a file even where there is no repository
    folders = steps.keep("level-0-folders", _ROOTS, {"repositories": repositories})
    for level in range(MAX_DEPTH + 1):
        if not steps.rows(folders):
            break
        if level == MAX_DEPTH:
            deep = steps.engine.table("SELECT DISTINCT repository FROM folders", {"folders": folders})
            for repository in deep.column("repository").to_pylist():
                dropped.setdefault(repository, f"its folders are more than {MAX_DEPTH} deep, or contain themselves")
            break
        frontier = steps.keep(f"level-{level}-frontier", _FRONTIER, {"folders": folders})
        here = {"folders": folders, "frontier": frontier}
        here["entries"] = steps.keep(
            f"level-{level}-entries",
            _ENTRIES,
            {"directory_entry": tables["directory_entry"], "frontier": frontier},
        )
        _drop_incomplete(steps, {**here, "directory": tables["directory"]}, dropped)
        _drop_large(steps, here, totals, dropped)
        below, found = _expand(steps, level, here, dropped)
        bar.advance(steps.rows([found]))
        for done in (*folders, *frontier, *here["entries"]):
            done.unlink()
        paths.append(found)
        folders = [below]
    return Walked(paths, dropped)


def _drop_incomplete(steps: Steps, tables: Mapping[str, Sequence[Path]], dropped: dict[int, str]) -> None:
    found = steps.engine.table(_MISSING, tables, {"empty": EMPTY_TREE})
    for row in found.to_pylist():
        place = text_path(row["prefix"].rstrip(b"/")) or "its root"
        reason = f"directory {row['directory_id']} ({place}) is not in the export"
        dropped.setdefault(row["repository"], reason)


def _drop_large(
    steps: Steps, tables: Mapping[str, Sequence[Path]], totals: "np.typing.NDArray[np.int64]", dropped: dict[int, str]
) -> None:
    with steps.engine.query(_SIZES, {name: tables[name] for name in ("folders", "entries")}) as rows:
        for batch in rows:
            numbers, entries = batch.column("repository").to_numpy(), batch.column("entries").to_numpy()
            totals[numbers] += entries
            for repository in numbers[entries > LEVEL_ENTRIES].tolist():
                dropped.setdefault(repository, f"more than {LEVEL_ENTRIES:,} paths in one level of folders")
            for repository in numbers[totals[numbers] > MAX_ENTRIES].tolist():
                dropped.setdefault(repository, f"more than {MAX_ENTRIES:,} paths")


def _expand(
    steps: Steps, level: int, tables: Mapping[str, Sequence[Path]], dropped: Mapping[int, str]
) -> tuple[Path, Path]:
    """(the folders of the next level, the other paths of this one)."""
    below, found = (steps.folder / f"level-{level + 1}-folders.parquet", steps.folder / f"level-{level}-paths.parquet")
    gone = pa.table({"repository": pa.array(sorted(dropped), pa.int32())})
    given = {"folders": tables["folders"], "entries": tables["entries"], "dropped": gone}
    with (
        Writer(below, FOLDERS) as folders,
        Writer(found, PATHS) as paths,
        steps.engine.query(_NEXT, given) as rows,
    ):
        for batch in rows:
            raw = batch.column("raw_path")
            usable = pc.and_(
                pc.and_(pc.is_valid(batch.column("target")), pc.invert(batch.column("unsafe"))),
                pc.less(pc.binary_length(raw), MAX_PATH),
            )
            enter = pc.fill_null(pc.and_(pc.equal(batch.column("type"), "dir"), usable), False)
            inner = batch.filter(enter)
            prefixes = pc.binary_join_element_wise(inner.column("raw_path"), pa.scalar(b"", pa.binary()), b"/")
            columns = [inner.column("repository"), inner.column("target"), prefixes]
            folders.write(pa.RecordBatch.from_arrays(columns, schema=FOLDERS))
            paths.write(batch.filter(pc.invert(enter)).select(PATHS.names).cast(PATHS))
    return below, found
