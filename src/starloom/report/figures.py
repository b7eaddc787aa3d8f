"""The numbers of the report, the explorer and the cards: SQL over the ledger and the listing, each shape a dataclass.

Every list has a total order, so that the same workspace gives the same report. Bytes are those of files as listed:
a content that stands in two places counts twice. No query here reads a content.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starloom.engine.verbs import Engine
from starloom.licenses.categories import expression_class
from starloom.the_stack import tables
from starloom.the_stack.rules import Rule
from starloom.workspace.stage import opened

LICENSE_TYPES = ("permissive", "no_license", "non_permissive")


@dataclass(frozen=True)
class Headline:
    """What a dataset is, in a dozen numbers; `kept` counts files that were only re-encoded too."""

    repositories: int
    unread_repositories: int
    listed_files: int
    listed_bytes: int
    kept_files: int
    kept_bytes: int
    held_out_files: int  # of those kept
    held_out_bytes: int
    languages: int  # of kept files
    publishable: bool  # whether none of it is owned code


@dataclass(frozen=True)
class Step:
    """One sieve of `decide`: what it took, what it left. `kind`: refusal, quarantine, rule, duplicate, budget; only the
    condition of a rule is SQL."""

    name: str
    kind: str
    rule: Rule
    files: int
    bytes: int
    files_left: int
    bytes_left: int


@dataclass(frozen=True)
class Count:
    """Listed and kept, of anything; `name` is None for what has no name, e.g. files of no known language."""

    name: str | None
    listed_files: int
    listed_bytes: int
    kept_files: int
    kept_bytes: int


@dataclass(frozen=True)
class LicenseCell:
    license_type: str
    evidence: str
    listed_files: int
    listed_bytes: int
    kept_files: int
    kept_bytes: int


@dataclass(frozen=True)
class Conflict:
    """A content whose copies disagree about its licence."""

    content_id: str
    repo_name: str
    path: str
    copies: int
    bytes: int  # of one copy
    licenses: tuple[str, ...]


@dataclass(frozen=True)
class RepositoryRow:
    repo_name: str
    kind: str
    version: str | None
    rights: str
    declared_license: str | None
    listed_files: int
    listed_bytes: int
    kept_files: int
    kept_bytes: int
    held_out: bool  # some file of it


_SUMS = """count(*) AS listed_files, coalesce(sum(length_bytes), 0) AS listed_bytes,
  count(*) FILTER (split IS NOT NULL) AS kept_files,
  coalesce(sum(length_bytes) FILTER (split IS NOT NULL), 0) AS kept_bytes"""


def headline(root: Path, engine: Engine) -> Headline:
    """The first things to say of a built workspace. Raises UserError when it is not built."""
    publishable = bool(opened(root / tables.DATASET, "write").facts["publishable"])
    (row,) = _rows(
        engine,
        f"""SELECT {_SUMS}, count(*) FILTER (split = 'held_out') AS held_out_files,
          coalesce(sum(length_bytes) FILTER (split = 'held_out'), 0) AS held_out_bytes,
          count(DISTINCT language) FILTER (split IS NOT NULL) AS languages,
          (SELECT count(*) FROM repositories) AS repositories, (SELECT count(*) FROM problems) AS unread_repositories
        FROM ledger WHERE path <> ''""",
        ledger=tables.ledger(root),
        repositories=tables.repositories(root),
        problems=tables.problems(root),
    )
    return Headline(**row, publishable=publishable)


# What `decide` asks beside the recipe's rules, in words.
_NO_FILE = Rule("not-a-file", "links, submodules, devices, files outside the repository: no text of its own")
_BINARY = Rule("binary", "what is not text")
_EXCLUDED = Rule("excluded-by-owner", "what the repository's own .starloom.toml leaves out")
_OPTED_OUT = Rule("opt-out", "what somebody does not want to be in, by its content; see the opt-outs")
_LFS = Rule("lfs-pointer", "what stands for a large file that is kept elsewhere")
_QUARANTINES = (
    Rule("unlisted", "what could not be listed properly"),
    Rule("damaged", "bytes that no likely encoding makes text of"),
    Rule("unreadable", "what the repository did not give when asked"),
    Rule("unread", "what was listed and never read"),
)
REFUSALS = ("too-large", *(one.name for one in (_NO_FILE, _OPTED_OUT, _BINARY, _EXCLUDED, _LFS, *_QUARANTINES)))
_EXACT = Rule("exact-duplicate", "all copies of a content but the best one")


def funnel(root: Path, engine: Engine) -> list[Step]:
    """The steps in the order of `decide`, after the start (the listing): those of the recipe all, others that bit."""
    taken = {
        row["rule"]: (row["files"], row["bytes"])
        for row in _rows(
            engine,
            """SELECT rule, count(*) AS files, coalesce(sum(length_bytes), 0) AS bytes FROM ledger
            WHERE split IS NULL AND path <> '' GROUP BY rule ORDER BY rule""",
            ledger=tables.ledger(root),
        )
    }
    (start,) = _rows(engine, f"SELECT {_SUMS} FROM ledger WHERE path <> ''", ledger=tables.ledger(root))
    files, size = start["listed_files"], start["listed_bytes"]
    steps = []
    for kind, rule in _sieves(root, taken):
        gone_files, gone_bytes = taken.get(rule.name, (0, 0))
        files, size = files - gone_files, size - gone_bytes
        steps.append(Step(rule.name, kind, rule, gone_files, gone_bytes, files, size))
    return steps


def _sieves(root: Path, taken: dict[str, Any]) -> list[tuple[str, Rule]]:
    """(kind, rule) in the order in which `decide` asks."""
    settings = ledger_settings(root)
    too_large = Rule("too-large", f"files of more than {settings['max_bytes']:,} bytes", "", "[list] max_bytes")
    threshold = settings["decide"]["near_duplicates"]
    near = Rule("near-duplicate", _near_in_words(settings), "", "[decide] near_duplicates")
    refusals = (_NO_FILE, _OPTED_OUT, _EXCLUDED, too_large, _BINARY, _LFS)
    found = [("refusal", one) for one in refusals if one.name in taken]
    found += [("quarantine", one) for one in _QUARANTINES if one.name in taken]
    found += [("rule", one) for one in ledger_rules(root)]
    found += [("duplicate", _EXACT)]
    if threshold:
        found.append(("duplicate", near))
    return found + [("budget", _in_words(one)) for one in settings.get("budgets", ())]


def _near_in_words(settings: dict[str, Any]) -> str:
    """What goes as a near-duplicate, by the settings of the ledger."""
    decide = settings["decide"]
    pair = f"a Jaccard similarity of {decide['near_duplicates']:g} or more"
    if not settings.get("verified", True):
        pair = "a MinHash band in common, their similarity not verified"
    language = " of its language" if decide.get("near_duplicates_within") == "language" else ""
    if decide.get("clusters") == "components":
        return f"files that a chain of pairs with {pair}, links to one{language} that is kept"
    return f"files with {pair} to one{language} that is kept"


def _in_words(budget: dict[str, Any]) -> Rule:
    each = f", for each {budget['each']}" if budget["each"] else ""
    words = f"files where {budget['where']}, beyond {budget['bytes']:,} bytes of them{each}; lowest hash first"
    return Rule(budget["name"], words, "", budget["source"])


def ledger_settings(root: Path) -> dict[str, Any]:
    """What the ledger was decided with (starloom.toml may have changed since)."""
    return opened(root / tables.LEDGER, "decide").settings


def ledger_rules(root: Path) -> tuple[Rule, ...]:
    """The rules that the ledger was decided with, in the recipe's order."""
    return tuple(Rule(**one) for one in ledger_settings(root)["rules"])


def languages(root: Path, engine: Engine, limit: int = 20) -> tuple[list[Count], Count | None, Count | None]:
    """The `limit` languages with the most kept (then listed) bytes; all others as one; files without a language."""
    rows = [
        Count(**row)
        for row in _rows(
            engine,
            f"""SELECT language AS name, {_SUMS} FROM ledger WHERE path <> '' GROUP BY language
            ORDER BY kept_bytes DESC, listed_bytes DESC, language""",
            ledger=tables.ledger(root),
        )
    ]
    named = [row for row in rows if row.name is not None]
    none = next((row for row in rows if row.name is None), None)
    rest = named[limit:]
    others = Count(
        f"{len(rest)} others",
        sum(row.listed_files for row in rest),
        sum(row.listed_bytes for row in rest),
        sum(row.kept_files for row in rest),
        sum(row.kept_bytes for row in rest),
    )
    return named[:limit], others if rest else None, none


def licenses(root: Path, engine: Engine) -> list[LicenseCell]:
    """Files by verdict and evidence; refused files have neither and are left out."""
    rows = _rows(
        engine,
        f"""SELECT license_type, license_evidence AS evidence, {_SUMS} FROM ledger WHERE license_type IS NOT NULL
        GROUP BY ALL ORDER BY license_type, license_evidence""",
        ledger=tables.ledger(root),
    )
    return [LicenseCell(**row) for row in rows]


def detected_licenses(root: Path, engine: Engine, limit: int = 15) -> list[tuple[Count, str]]:
    """The expressions that stand for the most files, each with its class. A file may have several."""
    rows = _rows(
        engine,
        f"""SELECT name, {_SUMS} FROM (SELECT unnest(detected_licenses) AS name, length_bytes, split FROM ledger)
        GROUP BY name ORDER BY listed_files DESC, name LIMIT $rows""",
        {"rows": limit},
        ledger=tables.ledger(root),
    )
    return [(Count(**row), expression_class(row["name"])) for row in rows]


def conflicts(root: Path, engine: Engine, limit: int = 10) -> tuple[list[Conflict], int]:
    """Contents (not empty) whose copies disagree, the largest first; and how many there are."""
    select = """SELECT content_id, min(struct_pack(repo_name := repo_name, path := path)) AS place,
        count(*) AS copies, any_value(length_bytes) AS bytes,
        list_sort(list_distinct(flatten(list(coalesce(detected_licenses, []))))) AS licenses
      FROM ledger WHERE license_evidence = 'conflict' AND length_bytes > 0 GROUP BY content_id"""
    ledger = tables.ledger(root)
    (total,) = _rows(engine, f"SELECT count(*) AS n FROM ({select})", ledger=ledger)
    rows = _rows(engine, f"{select} ORDER BY bytes DESC, content_id LIMIT $rows", {"rows": limit}, ledger=ledger)
    return [Conflict(**row.pop("place"), **row | {"licenses": tuple(row["licenses"])}) for row in rows], total["n"]


def repositories(root: Path, engine: Engine, limit: int = 30) -> tuple[list[RepositoryRow], int]:
    """The repositories with the most kept (then listed) bytes, and how many there are with nothing kept."""
    select = f"""SELECT repo_name, any_value(r.kind) AS kind, any_value(r.version) AS version,
        any_value(r.rights) AS rights, any_value(r.declared_license) AS declared_license, {_SUMS},
        bool_or(coalesce(l.split = 'held_out', false)) AS held_out
      FROM (SELECT repo_name, length_bytes, split FROM ledger WHERE path <> '') l
      JOIN (SELECT repo_name, kind, version, rights, declared_license FROM repositories) r USING (repo_name)
      GROUP BY repo_name"""
    ledger, known = tables.ledger(root), tables.repositories(root)
    order = "ORDER BY kept_bytes DESC, listed_bytes DESC, repo_name LIMIT $rows"
    rows = _rows(engine, f"{select} {order}", {"rows": limit}, ledger=ledger, repositories=known)
    (empty,) = _rows(
        engine, f"SELECT count(*) AS n FROM ({select}) WHERE kept_files = 0", ledger=ledger, repositories=known
    )
    return [RepositoryRow(**row) for row in rows], empty["n"]


def problems(root: Path, engine: Engine) -> list[dict[str, Any]]:
    """location, reason, hint of each repository that was not read or left out."""
    return _rows(engine, "SELECT location, reason, hint FROM problems ORDER BY ALL", problems=tables.problems(root))


def _rows(engine: Engine, sql: str, parameters: dict[str, Any] | None = None, **given: Any) -> list[dict[str, Any]]:
    """The rows, sums as whole numbers (DuckDB's are decimals)."""
    table = engine.table(sql, given, parameters)
    found: list[dict[str, Any]] = table.to_pylist()
    for row in found:
        for name, value in row.items():
            if type(value).__name__ == "Decimal":
                row[name] = int(value)
    return found
