"""Benchmark by benchmark: which problems stand in which files, on which lines, and what became of these files.

Cost: two queries over the signal, one of them joined with the ledger where anything was found. No source text is shown.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starloom.report.section import Material, Section
from starloom.the_stack import tables

MOST = 60  # rows of one benchmark

# Of each file and problem the part that says most: whole ones first, then the longest.
_HITS = """
WITH hits AS (SELECT content_id, unnest(benchmark_matches) AS m FROM contamination WHERE benchmark IS NOT NULL),
placed AS (
  SELECT m.benchmark AS benchmark, m.problem AS problem, l.repo_name, l.path, m.part AS part, m.line AS line,
    m.end_line AS end_line, m.share AS share, l.verdict, l.rule,
    row_number() OVER (PARTITION BY m.benchmark, m.problem, l.repo_name, l.path
      ORDER BY m.share DESC, m."end" - m."start" DESC, m.part, m."start") AS best
  FROM hits JOIN ledger l ON hits.content_id = l.content_id),
one AS (SELECT * EXCLUDE (best) FROM placed WHERE best = 1)
"""
_COUNTS = f"""{_HITS}
SELECT benchmark, count(DISTINCT problem) AS found, count(DISTINCT repo_name || ':' || path) AS files,
  count(DISTINCT repo_name || ':' || path) FILTER (WHERE verdict IN ('kept', 'changed')) AS kept
FROM one GROUP BY benchmark ORDER BY benchmark
"""
_ROWS = f"""{_HITS}
SELECT * EXCLUDE (number) FROM (
  SELECT *, row_number() OVER (PARTITION BY benchmark ORDER BY verdict IN ('kept', 'changed') DESC,
    repo_name, path, line, problem) AS number
  FROM one) WHERE number <= $most ORDER BY benchmark, number
"""


@dataclass(frozen=True)
class Hit:
    """The part of a problem that a file has. `share`: of its runs of words; 1: it stands there whole."""

    problem: str
    part: str
    repo_name: str
    path: str
    line: int
    end_line: int
    share: float
    verdict: str
    rule: str | None


@dataclass(frozen=True)
class Sought:
    """A benchmark: how many of its problems are looked for, how many were found, in how many files, listed and kept."""

    benchmark: str
    problems: int | None
    found: int
    files: int
    kept: int
    hits: tuple[Hit, ...]


def _look_up(material: Material) -> Mapping[str, Any]:
    given = {"contamination": tables.signal_rows(material.root, "contamination")}
    asked = material.engine.table("SELECT DISTINCT benchmarks FROM contamination ORDER BY benchmarks", given)
    problems = dict(_problems(one) for text in asked.column(0).to_pylist() if text for one in text.split(", "))
    given["ledger"] = tables.ledger(material.root)
    counts = {row.pop("benchmark"): row for row in material.engine.table(_COUNTS, given).to_pylist()}
    hits: dict[str, list[Hit]] = {}
    for row in material.engine.table(_ROWS, given, {"most": MOST}).to_pylist() if counts else ():
        hits.setdefault(row.pop("benchmark"), []).append(Hit(**row))
    none = {"found": 0, "files": 0, "kept": 0}
    sought = [
        Sought(name, problems.get(name), **counts.get(name, none), hits=tuple(hits.get(name, ())))
        for name in sorted(problems.keys() | counts.keys())
    ]
    return {"sought": sought, "kept": sum(one.kept for one in sought), "most": MOST}


def _problems(text: str) -> tuple[str, int | None]:
    """A benchmark of the column `benchmarks`: "humaneval 164"."""
    told = re.fullmatch(r"(.*) (\d+)", text)
    return (told[1], int(told[2])) if told else (text, None)


SECTION = Section("contamination", "Benchmarks", _look_up)
