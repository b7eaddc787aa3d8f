"""The ledger's rows of files about which all is decided: verdict, rule, value and limit in words, in order.

Files are by repository and path already; so their rows need not be sorted, and a piece of them at a time is made.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from starloom.engine.verbs import Engine, Table
from starloom.the_stack import redactions, tables
from starloom.the_stack.placed import by_number, with_numbers

_QUARANTINED = "('unlisted', 'damaged', 'unreadable', 'unread')"
_PIECE = 100_000  # rows

_SAID = f"""
SELECT number,
  CASE WHEN what = 'refusal' AND refusal IN {_QUARANTINED} THEN 'quarantined' WHEN what IS NOT NULL THEN 'dropped'
    WHEN changes <> '' THEN 'changed' ELSE 'kept' END AS verdict,
  CASE what WHEN 'refusal' THEN refusal WHEN 'rule' THEN rule WHEN 'copy' THEN 'exact-duplicate'
    WHEN 'twin' THEN 'near-duplicate' WHEN 'budget' THEN over
    ELSE CASE WHEN redacted IS NOT NULL THEN 'redaction' WHEN changes <> '' THEN 'encoding' END END AS rule,
  CASE what WHEN 'refusal' THEN refusal_value WHEN 'rule' THEN "value" WHEN 'copy' THEN NULL
    WHEN 'twin' THEN printf('%.4f', jaccard) WHEN 'budget' THEN over_value
    ELSE nullif(changes, '') END AS "value",
  CASE what WHEN 'refusal' THEN CASE refusal WHEN 'not-a-file' THEN 'entry_type <> ''file'''
      WHEN 'opt-out' THEN 'opt-outs' WHEN 'excluded-by-owner' THEN '.starloom.toml'
      WHEN 'too-large' THEN 'length_bytes > ' || CAST($max_bytes AS VARCHAR) END
    WHEN 'rule' THEN "limit" WHEN 'copy' THEN 'one copy of a content' WHEN 'twin' THEN $threshold
    WHEN 'budget' THEN over_limit
    ELSE nullif(concat_ws('; ', CASE WHEN redacted IS NOT NULL THEN $redacted_kinds END,
      CASE WHEN src_encoding <> 'UTF-8' THEN 'src_encoding <> ''UTF-8''' END), '') END AS "limit"
FROM (
  SELECT *, concat_ws('; ', redacted, CASE WHEN src_encoding <> 'UTF-8' THEN src_encoding END) AS changes,
    CASE WHEN refusal IS NOT NULL THEN 'refusal' WHEN rule IS NOT NULL THEN 'rule' WHEN is_copy THEN 'copy'
      WHEN twin IS NOT NULL THEN 'twin' WHEN over IS NOT NULL THEN 'budget' END AS what
  FROM copies)
"""

# A repository that did not come in has one row, with an empty path.
_REFUSED = """
SELECT coalesce(repo_name, location) AS repo_name, '' AS path,
  CASE WHEN rule = 'repository' THEN 'quarantined' ELSE 'dropped' END AS verdict, rule, reason AS "value",
  rights, false AS is_vendor, CAST([] AS VARCHAR[]) AS matched_rules
FROM (SELECT *, row_number() OVER (PARTITION BY coalesce(repo_name, location) ORDER BY rule, reason, location) AS place
  FROM problems)
WHERE place = 1 ORDER BY 1
"""


def said(engine: Engine, copies: pa.Table, settings: Any) -> pa.Table:
    """verdict, rule, value and limit of each of `copies` (the answer of copies.Question, with their fates)."""
    parameters = {
        "max_bytes": settings.list.max_bytes,
        "threshold": _threshold(settings),
        "redacted_kinds": redactions.limit(settings.redact),
    }
    return by_number(engine.table(_SAID, {"copies": with_numbers(copies)}, parameters))


def _threshold(settings: Any) -> str:
    """What the ledger says the limit of near-duplicates is."""
    limit = f"jaccard >= {settings.decide.near_duplicates:g}" if settings.pair.verify else "a MinHash band in common"
    return limit if settings.decide.clusters == "stars" else f"linked by a chain of pairs: {limit}"


def rows(engine: Engine, files: pa.Table, copies: pa.Table, words: pa.Table, problems: Table) -> Iterator[pa.Table]:
    """LEDGER_ROWS in pieces. `files`: the listing in order with verdicts on licences; `words`: see `said`; `problems`:
    the repositories that did not come in."""
    columns = {name: files.column(name) for name in tables.LEDGER_ROWS.names if name in files.column_names}
    columns |= {name: copies.column(name) for name in tables.LEDGER_ROWS.names if name in copies.column_names}
    columns |= {name: words.column(name) for name in words.column_names}
    every, twins = pa.table(columns), copies.column("twin")
    places = files.select(["repo_name", "path", "content_id"])
    absent = _ledger(engine.table(_REFUSED, {"problems": problems}))
    position = 0
    for number, start in enumerate([*_starts(files, absent), len(every)]):
        for first in range(position, start, _PIECE):
            count = min(_PIECE, start - first)
            twin = places.take(twins.slice(first, count))
            piece = every.slice(first, count)
            names = [*piece.column_names, *(f"twin_{name}" for name in twin.column_names)]
            yield _ledger(pa.table([*piece.columns, *twin.columns], names))
        yield absent.slice(number, 1)
        position = start


def _starts(files: pa.Table, absent: pa.Table) -> list[int]:
    """Before which of the files each of the repositories `absent` stands; both by name."""
    repositories = files.column("repo_name").combine_chunks()
    codes = repositories.indices.to_numpy()
    first = np.flatnonzero(np.diff(codes, prepend=-1))
    there = repositories.dictionary.take(pa.array(codes[first])).to_pylist()
    bounds = [*first.tolist(), len(codes)]
    return [bounds[bisect_left(there, name)] for name in absent.column("repo_name").to_pylist()]


def _ledger(some: pa.Table) -> pa.Table:
    """With all of the ledger's columns and its types."""
    for field in tables.LEDGER_ROWS:
        if field.name not in some.column_names:
            some = some.append_column(field, pa.nulls(len(some), field.type))
    return some.select(tables.LEDGER_ROWS.names).cast(tables.LEDGER_ROWS)
