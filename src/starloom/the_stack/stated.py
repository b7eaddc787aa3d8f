"""What debian/copyright, REUSE and the like state about single files, path by path."""

from collections.abc import Container, Iterator
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from starloom.engine.verbs import Engine, Table

SAYINGS = pa.schema(
    [
        ("saying", pa.int64()),
        ("expressions", pa.list_(pa.string())),
        ("stated_id", pa.int64()),  # numbers the distinct expressions
        ("source", pa.string()),  # REPO:PATH:LINE
        ("rule", pa.string()),
    ]
)

_STATED = """
SELECT repo_name, path, base, s.pattern AS pattern, s.expression AS expression, s.line AS line, s.rule AS rule,
  s.priority AS priority
FROM (
  SELECT f.repo_name, f.path, f.metadata_base AS base, unnest(t.statements) AS s
  FROM speaking f JOIN statements t ON f.content_id = t.content_id AND f.file_name = t.file_name
  WHERE f.metadata_base IS NOT NULL)
WHERE s.scope = 'files'
ORDER BY repo_name, length(base), path, priority, line
"""


def stated_files(
    engine: Engine, files: pa.Table, speaking: pa.Table, statements: Table
) -> tuple[NDArray[np.int64], pa.Table]:
    """Of each file the row of SAYINGS that a statement says of it, -1 where none does; and SAYINGS: few things of many
    files. `files`: as `placed` gives them; `speaking`: those that may have statements.

    The statements nearest to the file win, of them the one file's with the highest priority; equal ones all count.
    Patterns come from strangers: Arrow matches them with RE2, in linear time.
    """
    rows = engine.table(_STATED, {"speaking": speaking, "statements": statements}).to_pylist()
    by_repo: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        by_repo.setdefault(row["repo_name"], []).append(row)
    numbers: dict[tuple[str, ...], int] = {}
    sayings: list[tuple[int, list[str], int, str, str]] = []
    said = np.full(len(files), -1, np.int64)
    for repo, some in _files(files, by_repo):
        paths = files.column("path").take(pa.array(some)).combine_chunks()
        said[some] = _of_one(repo, by_repo[repo], paths, numbers, sayings)
    columns = zip(*sayings, strict=True) if sayings else [()] * len(SAYINGS)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, SAYINGS, strict=True)]
    return said, pa.Table.from_arrays(arrays, schema=SAYINGS)


def _files(files: pa.Table, wanted: Container[str]) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """The rows of each of these repositories' files that have a content."""
    repositories = files.column("repo_name").combine_chunks()
    rows = np.flatnonzero(files.column("content_id").is_valid().to_numpy())
    codes = repositories.indices.to_numpy()[rows]
    starts = np.flatnonzero(np.diff(codes, prepend=-1)).tolist()
    for start, stop in pairwise([*starts, len(rows)]):
        if (name := repositories.dictionary[int(codes[start])].as_py()) in wanted:
            yield name, rows[start:stop]


def _of_one(
    repo: str,
    rows: list[dict[str, object]],
    paths: pa.Array,
    numbers: dict[tuple[str, ...], int],
    found: list[tuple[int, list[str], int, str, str]],
) -> NDArray[np.int64]:
    """The row of SAYINGS, or -1, of each file of one repository. `rows`: what it states; `paths`: of its files;
    `numbers`: of lists of expressions, and `found`, rows of SAYINGS: new ones are added."""
    rank = np.full(len(paths), -1, dtype=np.int64)  # of what stands for a path: depth of its folder, then priority
    said = np.zeros(len(paths), dtype=np.int64)  # which rows that is: a number in `sayings`
    sayings: list[tuple[int, ...]] = [()]
    places: dict[tuple[int, ...], int] = {}
    for number, row in enumerate(rows):
        base = f"{row['base']}/" if row["base"] else ""
        below = np.arange(len(paths)) if not base else pc.indices_nonzero(pc.starts_with(paths, base)).to_numpy()
        relative = pc.utf8_slice_codeunits(paths.take(pa.array(below)), len(base)) if base else paths
        matched = below[pc.indices_nonzero(_matches(relative, str(row["pattern"]))).to_numpy()]
        itself = pc.index(paths, row["path"]).as_py()
        matched = matched[matched != itself]
        own = (len(base) << 32) + int(str(row["priority"]))
        equal, lower = matched[rank[matched] == own], matched[rank[matched] < own]
        rank[lower] = own
        for before, some in (
            (0, lower),
            *((one, equal[said[equal] == one]) for one in np.unique(said[equal]).tolist()),
        ):
            saying = (*sayings[before], number)
            if saying not in places:
                places[saying] = len(sayings)
                sayings.append(saying)
            said[some] = places[saying]
    first = len(found) - 1  # of the sayings, none is no row
    for one in sayings[1:]:
        expressions = sorted({str(rows[number]["expression"]) for number in one})
        stated_id = numbers.setdefault(tuple(expressions), len(numbers))
        row = rows[one[0]]
        found.append((len(found), expressions, stated_id, f"{repo}:{row['path']}:{row['line']}", str(row["rule"])))
    return np.where(said > 0, first + said, -1)


def _matches(paths: pa.Array, pattern: str) -> pa.Array:
    return pc.match_substring_regex(paths, pattern=rf"\A(?:{pattern})\z")
