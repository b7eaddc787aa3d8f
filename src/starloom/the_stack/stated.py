"""What debian/copyright, REUSE and the like state about single files, path by path."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from starloom.engine.verbs import Engine, Table

SCHEMA = pa.schema(
    [
        ("repo_name", pa.string()),
        ("path", pa.string()),
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
  FROM files f JOIN statements t ON f.content_id = t.content_id AND f.file_name = t.file_name
  WHERE f.metadata_base IS NOT NULL)
WHERE s.scope = 'files'
ORDER BY repo_name, length(base), path, priority, line
"""

_PATHS = """
SELECT repo_name, path FROM files f SEMI JOIN stating s ON f.repo_name = s.repo_name
WHERE content_id IS NOT NULL ORDER BY repo_name, path
"""

_Found = tuple[tuple[int, str, int], list[str], str, str]  # (depth, file that states, priority), expressions, …


def stated_files(engine: Engine, files: Table, statements: Table) -> pa.Table:
    """Rows of SCHEMA, one for each file that a statement names.

    The statements nearest to the file win, of them the one file's with the highest priority; equal ones all count.
    Patterns come from strangers: Arrow matches them with RE2, in linear time.
    """
    rows = engine.table(_STATED, {"files": files, "statements": statements}).to_pylist()
    by_repo: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        by_repo.setdefault(row["repo_name"], []).append(row)
    found = []
    numbers: dict[tuple[str, ...], int] = {}
    for repo, paths in _paths(engine, files, list(by_repo)):
        for path, (_, expressions, source, rule) in sorted(_of_one(repo, by_repo[repo], paths).items()):
            stated = tuple(sorted(set(expressions)))
            number = numbers.setdefault(stated, len(numbers))
            found.append(
                {"repo_name": repo, "path": path, "expressions": stated, "stated_id": number}
                | {"source": source, "rule": rule}
            )
    return pa.Table.from_pylist(found, SCHEMA)


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


def _of_one(repo: str, rows: list[dict[str, object]], paths: pa.Array) -> dict[str, _Found]:
    best: dict[str, _Found] = {}
    for row in rows:
        base = f"{row['base']}/" if row["base"] else ""
        below = paths.filter(pc.starts_with(paths, base)) if base else paths
        relative = pc.utf8_slice_codeunits(below, len(base)) if base else below
        rank = (len(base), str(row["path"]), int(str(row["priority"])))
        source = f"{repo}:{row['path']}:{row['line']}"
        for path in below.filter(_matches(relative, str(row["pattern"]))).to_pylist():
            if path == row["path"]:
                continue
            before = best.get(path)
            if before is None or (rank[0], rank[2]) > (before[0][0], before[0][2]):
                best[path] = (rank, [str(row["expression"])], source, str(row["rule"]))
            elif (rank[0], rank[2]) == (before[0][0], before[0][2]):
                before[1].append(str(row["expression"]))
    return best


def _matches(paths: pa.Array, pattern: str) -> pa.Array:
    return pc.match_substring_regex(paths, pattern=rf"\A(?:{pattern})\z")
