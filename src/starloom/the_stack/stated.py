"""What debian/copyright, REUSE and the like state about single files, path by path."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from starloom.engine.verbs import Engine, Table

FILES = pa.schema([("repo_name", pa.string()), ("path", pa.string()), ("saying", pa.int64())])
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

_PATHS = """
SELECT repo_name, path FROM files f SEMI JOIN stating s ON f.repo_name = s.repo_name
WHERE content_id IS NOT NULL ORDER BY repo_name, path
"""


def stated_files(engine: Engine, files: Table, speaking: Table, statements: Table) -> tuple[pa.Table, pa.Table]:
    """Rows of FILES, one for each file that a statement names, and of SAYINGS, what is said of them: few things of many
    files. `speaking`: the files that may have statements.

    The statements nearest to the file win, of them the one file's with the highest priority; equal ones all count.
    Patterns come from strangers: Arrow matches them with RE2, in linear time.
    """
    rows = engine.table(_STATED, {"speaking": speaking, "statements": statements}).to_pylist()
    by_repo: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        by_repo.setdefault(row["repo_name"], []).append(row)
    numbers: dict[tuple[str, ...], int] = {}
    sayings: list[tuple[int, list[str], int, str, str]] = []
    found = [
        _of_one(repo, by_repo[repo], paths, numbers, sayings) for repo, paths in _paths(engine, files, list(by_repo))
    ]
    columns = zip(*sayings, strict=True) if sayings else [()] * len(SAYINGS)
    said = [pa.array(values, field.type) for values, field in zip(columns, SAYINGS, strict=True)]
    return pa.concat_tables([FILES.empty_table(), *found]), pa.Table.from_arrays(said, schema=SAYINGS)


def _paths(engine: Engine, files: Table, repositories: list[str]) -> Iterator[tuple[str, pa.Array]]:
    """The paths of each of these repositories, one repository in memory at a time."""
    if not repositories:
        return
    stating = pa.table({"repo_name": pa.array(repositories, pa.string())})
    last: str | None = None
    some: list[pa.Array] = []
    with engine.query(_PATHS, {"files": files, "stating": stating}) as batches:
        for batch in batches:
            encoded = pc.run_end_encode(batch.column(0))  # one run a repository
            start = 0
            for repo, end in zip(encoded.values.to_pylist(), encoded.run_ends.to_pylist(), strict=True):
                if last not in (None, repo):
                    yield last, pa.concat_arrays(some)
                    some = []
                last = repo
                some.append(batch.column(1).slice(start, end - start))
                start = end
    if last is not None:
        yield last, pa.concat_arrays(some)


def _of_one(
    repo: str,
    rows: list[dict[str, object]],
    paths: pa.Array,
    numbers: dict[tuple[str, ...], int],
    found: list[tuple[int, list[str], int, str, str]],
) -> pa.Table:
    """Rows of FILES for one repository. `rows`: what it states; `paths`: of its files, sorted; `numbers`: of lists of
    expressions, and `found`, rows of SAYINGS: new ones are added."""
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
    stated = np.flatnonzero(said)
    first = len(found) - 1  # of the sayings, none is no row
    for one in sayings[1:]:
        expressions = sorted({str(rows[number]["expression"]) for number in one})
        stated_id = numbers.setdefault(tuple(expressions), len(numbers))
        row = rows[one[0]]
        found.append((len(found), expressions, stated_id, f"{repo}:{row['path']}:{row['line']}", str(row["rule"])))
    columns = [pa.repeat(repo, len(stated)), paths.take(pa.array(stated)), pa.array(first + said[stated])]
    return pa.Table.from_arrays(columns, schema=FILES)


def _matches(paths: pa.Array, pattern: str) -> pa.Array:
    return pc.match_substring_regex(paths, pattern=rf"\A(?:{pattern})\z")
