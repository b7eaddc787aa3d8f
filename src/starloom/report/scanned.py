"""What scanners for malware looked at, and what they found, in figures: queries over the signal and the ledger."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starloom.engine.verbs import Engine
from starloom.the_stack import tables


@dataclass(frozen=True)
class Looked:
    """Files by who looked at them (None: nobody), and why somebody who was asked for did not (None: all did)."""

    scanners: str | None
    problem: str | None
    files: int
    kept_files: int


@dataclass(frozen=True)
class Hit:
    """Files that meet a signature."""

    malware: str
    files: int
    contents: int
    kept_files: int


@dataclass(frozen=True)
class Infected:
    """A file that meets a signature. `rule`: by which it went; None: it is kept."""

    repo_name: str
    path: str
    malware: str
    rule: str | None


_JOINED = "FROM ledger l JOIN malware m ON l.content_id = m.content_id"


def looked(root: Path, engine: Engine) -> list[Looked]:
    """Every way in which files were looked at, the commonest first."""
    sql = f"""SELECT malware_scanners AS scanners, malware_problem AS problem, count(*) AS files,
        count(*) FILTER (split IS NOT NULL) AS kept_files
      {_JOINED} GROUP BY 1, 2 ORDER BY files DESC, scanners, problem"""
    return [Looked(**row) for row in engine.table(sql, _given(root)).to_pylist()]


def hits(root: Path, engine: Engine) -> list[Hit]:
    """Every signature that was met, with the most files first."""
    sql = f"""SELECT malware, count(*) AS files, count(DISTINCT l.content_id) AS contents,
        count(*) FILTER (split IS NOT NULL) AS kept_files
      {_JOINED} WHERE malware IS NOT NULL GROUP BY malware ORDER BY files DESC, malware"""
    return [Hit(**row) for row in engine.table(sql, _given(root)).to_pylist()]


def infected(root: Path, engine: Engine, most: int) -> list[Infected]:
    """Up to `most` files that meet a signature: those that are kept first."""
    sql = f"""SELECT l.repo_name, l.path, malware, CASE WHEN split IS NULL THEN l.rule END AS rule
      {_JOINED} WHERE malware IS NOT NULL ORDER BY split IS NULL, l.repo_name, l.path LIMIT {int(most)}"""
    return [Infected(**row) for row in engine.table(sql, _given(root)).to_pylist()]


def _given(root: Path) -> dict[str, Any]:
    return {"malware": tables.signal_rows(root, "malware"), "ledger": tables.ledger(root)}
