"""The tables that `starloom ledger --sql` may ask, what the ledger's columns mean, and queries to begin with."""

from typing import NamedTuple

import pyarrow as pa

from starloom.the_stack import tables
from starloom.the_stack.columns import COLUMNS
from starloom.the_stack.signal import all_signals

MEASURED = "measured"

TABLES = {
    "ledger": "a row for every listed file: its verdict, and what decided",
    MEASURED: "the ledger with `file_name` and every column that a rule may ask; null where nothing was measured",
    "files": "what was listed",
    "repositories": "where it came from",
    "problems": "repositories that did not come in",
    "relations": "repositories and folders that are copies of others: mirrors, forks, vendored folders",
    "pairs": "near-duplicates: two streams and their Jaccard similarity, null where it was not verified",
    "streams": "the token stream of each content: files that differ in nothing but space and punctuation share one",
}

LEDGER = {
    "repo_name": "the repository",
    "path": "within the repository; empty in the row of a repository that did not come in",
    "content_id": "git's hash of the content",
    "verdict": "`kept`, `changed` (kept, in another encoding or with something private replaced), `dropped`, "
    "`quarantined` (unreadable)",
    "rule": "what decided: a rule, a budget, `exact-duplicate`, `near-duplicate`, or why it was not read",
    "value": "the value that decided, as text",
    "limit": "what it was held against",
    "matched_rules": "every rule whose condition holds, in the order in which they are asked",
    "twin_repo_name": "where the copy or twin is that was kept for it",
    "twin_path": "its path",
    "twin_content_id": "its content",
    "jaccard": "how similar that twin is, 0 to 1; null where the pair was not verified",
    "split": "`train` or `held_out`, of files in the dataset",
    "language": "by Linguist's name",
    "license_type": "`permissive`, `no_license` or `non_permissive`",
    "detected_licenses": "names of licences, by SPDX or ScanCode",
    "license_evidence": "what told the licence: `notice`, `origin`, `stated`, `path`, `declared`, `conflict`, `none`",
    "license_source": "where that stands: REPOSITORY:PATH:LINES",
    "license_rule": "what read it there",
    "license_score": "how sure that is, 0 to 100",
    "quality_score": "of the quality scorer, 0 to 1, more is better",
    "rights": "`public` or `owned`",
    "length_bytes": "size as stored in the repository",
    "is_vendor": "copied in from elsewhere, by its path",
    "is_generated": "written by a program",
}

EXAMPLES = (
    (
        "how many files each rule dropped, and their bytes",
        "SELECT rule, count(*) AS files, sum(length_bytes) AS bytes FROM ledger WHERE verdict = 'dropped' "
        "GROUP BY rule ORDER BY files DESC, rule LIMIT 8",
    ),
    (
        "the languages of the dataset",
        "SELECT language, count(*) AS files, sum(length_bytes) AS bytes FROM ledger "
        "WHERE verdict IN ('kept', 'changed') GROUP BY language ORDER BY bytes DESC, language LIMIT 8",
    ),
    (
        "the largest files that are kept, with what was measured of them",
        "SELECT repo_name, path, length_bytes, num_lines, alpha_fraction FROM measured "
        "WHERE verdict IN ('kept', 'changed') ORDER BY length_bytes DESC, repo_name, path LIMIT 5",
    ),
)


class Described(NamedTuple):
    """A column that may be asked."""

    name: str
    type: str
    meaning: str  # empty where the name says it


def described() -> dict[str, list[Described]]:
    """Every table's columns, in order."""
    schemas = {
        "ledger": tables.LEDGER_ROWS,
        MEASURED: measured_schema(),
        "files": tables.LISTED_FILES,
        "repositories": tables.REPOSITORIES,
        "problems": tables.PROBLEMS,
        "relations": tables.RELATIONS,
        "pairs": tables.PAIR_ROWS,
        "streams": tables.STREAM_ROWS,
    } | {one.name: one.schema for one in all_signals()}
    return {
        table: [Described(field.name, str(field.type), _meaning(table, field.name)) for field in schema]
        for table, schema in schemas.items()
    }


def measured_schema() -> pa.Schema:
    """The columns of `measured`; the types of those beside the ledger's are those of the tables they come from."""
    types = {field.name: field.type for one in all_signals() for field in one.schema}
    types |= {field.name: field.type for schema in (tables.REPOSITORIES, tables.LISTED_FILES) for field in schema}
    kinds = {"truth value": pa.bool_(), "number": pa.float64()}
    more = ["file_name", *(name for name in COLUMNS if name != "file_name")]
    return pa.schema(
        [
            *tables.LEDGER_ROWS,
            *(
                pa.field(name, types.get(name) or kinds.get(COLUMNS[name].kind, pa.string()))
                for name in more
                if name not in tables.LEDGER_ROWS.names
            ),
        ]
    )


def _meaning(table: str, name: str) -> str:
    if table in ("ledger", MEASURED) and name in LEDGER:
        return LEDGER[name]
    known = COLUMNS.get(name)
    return (
        known.meaning if known and (table == MEASURED or known.sql in (f"{table}.{name}", f"{table[0]}.{name}")) else ""
    )
