"""What licence files, package metadata and READMEs say of the folders that they stand in, and so of all files below."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from starloom.engine.verbs import Engine, Table
from starloom.licenses.categories import UNKNOWN

# SQL of the lines of a match of ScanCode in the text of {0}, a signal: "3" or "3-9".
SPAN = "CASE WHEN {end} > {start} THEN {start} || '-' || {end} ELSE CAST({start} AS VARCHAR) END"
SCANNED = SPAN.format(start="list_extract({0}.text_lines, s.start)", end="list_extract({0}.text_lines, s.end)")

# Licence files and statements for folders, one row each. Where many Python distributions are installed side by side,
# the METADATA of none speaks for the folder. `kind`: file, metadata, readme (asked where nothing else
# speaks), unknown (a licence file that nobody could read), plain (one that is plainly permissive, licenses/plain).
_SPOKEN = f"""
SELECT f.repo_name, f.path, f.license_base AS base,
  coalesce(l.file_license, s.expression, '{UNKNOWN}') AS expression,
  CASE WHEN l.file_license IS NULL AND s.expression IS NULL THEN CASE WHEN l.is_plain THEN 'plain' ELSE 'unknown' END
    ELSE 'file' END AS kind,
  CASE WHEN l.file_license IS NULL THEN {SCANNED.format("l")} END AS lines,
  CASE WHEN l.file_license IS NOT NULL THEN 'licence text' WHEN s.expression IS NOT NULL THEN 'ScanCode ' || s.rule
    ELSE 'unrecognised' END AS rule,
  CASE WHEN l.file_license IS NOT NULL THEN 100.0 ELSE s.score END AS score
FROM speaking f JOIN license_file l ON f.content_id = l.content_id AND f.file_name = l.file_name
LEFT JOIN scans s ON l.text_id = s.text_id
WHERE f.license_base IS NOT NULL AND (l.file_license IS NOT NULL OR s.expression IS NOT NULL OR l.is_license)
UNION ALL
SELECT repo_name, path, license_base, '{UNKNOWN}', 'unknown', NULL, 'not read', NULL
FROM speaking f WHERE is_license AND length_bytes > 0 AND NOT EXISTS (
  SELECT 1 FROM license_file l WHERE f.content_id = l.content_id AND f.file_name = l.file_name)
UNION ALL
SELECT repo_name, path, metadata_base, s.expression,
  CASE WHEN s.rule LIKE 'README%' THEN 'readme' ELSE 'metadata' END, CAST(s.line AS VARCHAR), s.rule, 100.0
FROM (
  SELECT f.repo_name, f.path, f.metadata_base, unnest(t.statements) AS s
  FROM (
    SELECT *, count(*) OVER (PARTITION BY repo_name, metadata_base, file_name) AS beside FROM speaking
    WHERE metadata_base IS NOT NULL) f
  JOIN statements t ON f.content_id = t.content_id AND f.file_name = t.file_name
  WHERE f.file_name <> 'METADATA' OR f.beside = 1)
WHERE s.scope = 'folder'
"""

# What is said at each level that says something, and the best source. The same is said again and again: `level_id`.
_LEVELS = """
SELECT *, row_number() OVER (ORDER BY repo_name, base) AS number, dense_rank() OVER (ORDER BY level) AS level_id
FROM (
  SELECT repo_name, base, struct_pack(
      at_top := base = '',
      files := coalesce(list_sort(list(DISTINCT expression) FILTER (kind = 'file')), CAST([] AS VARCHAR[])),
      metadata := coalesce(list_sort(list(DISTINCT expression) FILTER (kind = 'metadata')), CAST([] AS VARCHAR[])),
      readme := coalesce(list_sort(list(DISTINCT expression) FILTER (kind = 'readme')), CAST([] AS VARCHAR[])),
      plain := bool_or(kind = 'plain'),
      unread := bool_or(kind = 'unknown')) AS level,
    min(struct_pack(
      kind := kind, size := length(path), path := path, lines := lines, rule := rule, score := score)) AS best
  FROM spoken GROUP BY repo_name, base)
"""

# Who says something of a licence.
GROUNDS = pa.schema([("source", pa.string()), ("rule", pa.string()), ("score", pa.float64())])


class Spoken(NamedTuple):
    """`above`: of each file, a number for the levels above it, from the top down, that are in `levels`: 0 where nothing
    is said; `nearest`: of each file, the last of them, a row of `sources` (-1: none)."""

    above: NDArray[np.int64]
    nearest: NDArray[np.int64]
    levels: list[list[dict[str, Any]]]
    sources: pa.Table  # GROUNDS: REPO:PATH:LINES, what read it there, how surely


def speaking(files: pa.Table) -> pa.Table:
    """The few of the files that may say something of others."""
    for_folders = pc.or_(files.column("license_base").is_valid(), files.column("metadata_base").is_valid())
    return files.filter(pc.or_(for_folders, files.column("is_license")))


def spoken(engine: Engine, files: pa.Table, few: pa.Table, signals: Mapping[str, Table]) -> Spoken:
    """`files`: as `placed` gives them; `few`: those of them that are speaking; `signals`: license_file, statements and
    scans."""
    said = engine.table(_SPOKEN, {**signals, "speaking": few})
    levels = engine.table(_LEVELS, {"spoken": said}).sort_by("number")
    folder, count, folders = _folders(files)
    above, nearest = np.zeros(count, np.int64), np.full(count, -1, np.int64)
    chains = _Chains(levels)
    for number, repository, name in zip(*(column.to_pylist() for column in folders.columns), strict=True):
        above[number], nearest[number] = chains.of(repository, name)
    by_id = dict(zip(levels.column("level_id").to_pylist(), levels.column("level").to_pylist(), strict=True))
    every = [[by_id[one] for one in chain] for chain in chains.levels]
    return Spoken(above[folder], nearest[folder], every, _sources(levels))


class _Chains:
    """The levels above folders, from the top down. `levels`: of each chain of them, their level ids."""

    def __init__(self, levels: pa.Table) -> None:
        columns = (levels.column(name).to_pylist() for name in ("repo_name", "base", "level_id"))
        self._own = {(repo, base): (row, level) for row, (repo, base, level) in enumerate(zip(*columns, strict=True))}
        self._speaking = {repo for repo, _ in self._own}
        self._known: dict[tuple[str, str], tuple[int, int]] = {}
        self._numbers: dict[tuple[int, int], int] = {}  # of a chain, by what it goes on from and its last level
        self.levels: list[list[int]] = [[]]

    def of(self, repository: str, folder: str) -> tuple[int, int]:
        """The number of its chain, and the row of the last of the levels; (0, -1): there is none."""
        if repository not in self._speaking:
            return 0, -1
        below: list[tuple[str, str]] = []
        place = (repository, folder)
        while (found := self._known.get(place)) is None and place[1]:
            below.append(place)
            place = (repository, place[1].rpartition("/")[0])
        if found is None:
            found = self._known[place] = self._longer((0, -1), place)
        for place in reversed(below):
            found = self._known[place] = self._longer(found, place)
        return found

    def _longer(self, above: tuple[int, int], place: tuple[str, str]) -> tuple[int, int]:
        """With the level of this very folder, if it has one."""
        if place not in self._own:
            return above
        row, level = self._own[place]
        number = self._numbers.setdefault((above[0], level), len(self.levels))
        if number == len(self.levels):
            self.levels.append([*self.levels[above[0]], level])
        return number, row


def _sources(levels: pa.Table) -> pa.Table:
    best = levels.column("best").combine_chunks()
    path, lines, *others = (best.field(name) for name in ("path", "lines", "rule", "score"))
    repositories = levels.column("repo_name").combine_chunks()
    source = pc.binary_join_element_wise(repositories, path, lines, ":", null_handling="skip")
    return pa.table([source, *others], GROUNDS.names).cast(GROUNDS)


def _folders(files: pa.Table) -> tuple[NDArray[np.int64], int, pa.Table]:
    """Of each file the number of its folder; how many there are; number, repo_name and folder of those with a file."""
    cut = pc.split_pattern(files.column("path").combine_chunks(), "/", max_splits=1, reverse=True)
    is_top = pc.equal(pc.list_value_length(cut), 1)
    names = pc.if_else(is_top, "", pc.list_element(cut, 0)).dictionary_encode()
    repositories = files.column("repo_name").combine_chunks()
    keys = repositories.indices.to_numpy().astype(np.int64) * len(names.dictionary) + names.indices.to_numpy()
    encoded = pa.array(keys).dictionary_encode()
    numbers = encoded.indices.to_numpy().astype(np.int64)
    has_file = np.zeros(len(encoded.dictionary), np.bool_)
    has_file[numbers[pc.equal(files.column("entry_type"), "file").to_numpy()]] = True
    few = np.flatnonzero(has_file)
    repository, name = np.divmod(encoded.dictionary.to_numpy()[few], len(names.dictionary))
    folders = {
        "number": pa.array(few),
        "repo_name": repositories.dictionary.take(pa.array(repository)),
        "folder": names.dictionary.take(pa.array(name)),
    }
    return numbers, len(has_file), pa.table(folders)
