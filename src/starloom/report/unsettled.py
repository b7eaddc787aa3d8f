"""What was hard to tell: extensions of several languages and what settled them, files of no known language, licence
texts that nobody recognised."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from starloom.engine.verbs import Engine, Table
from starloom.the_stack import tables


@dataclass(frozen=True)
class Extension:
    """An extension under which files of several languages were listed."""

    name: str  # with its dot
    files: int
    languages: tuple[tuple[str, int], ...]  # the most first
    settled: tuple[tuple[str, int], ...]  # by what, and how many


@dataclass(frozen=True)
class Sample:
    """A group of files nobody could tell, and one of them."""

    name: str
    files: int
    bytes: int
    example: str  # REPOSITORY:PATH


_TOLD = """
SELECT '.' || f.extension AS name, n.language, n.language_by FROM files f
JOIN language n ON f.content_id = n.content_id AND f.file_name = n.file_name
WHERE f.entry_type = 'file' AND f.extension <> '' AND n.language IS NOT NULL
"""
_CONTENT = ("rule", "classifier", "default", "shebang", "modeline")


def ambiguous_extensions(root: Path, engine: Engine, limit: int = 20) -> list[Extension]:
    """Those with the most files that the extension alone does not tell, the most first."""
    given = {"files": tables.listed_files(root), "language": tables.signal_rows(root, "language")}
    told = ", ".join(f"'{one}'" for one in _CONTENT)
    rows = engine.table(
        f"""SELECT name, language, language_by, count(*) AS files FROM ({_TOLD})
        GROUP BY name, language, language_by ORDER BY name, files DESC, language, language_by""",
        given,
    ).to_pylist()
    asked = engine.table(
        f"""SELECT name FROM ({_TOLD}) GROUP BY name
        HAVING count(*) FILTER (language_by IN ({told})) > 0
        ORDER BY count(*) FILTER (language_by IN ({told})) DESC, name LIMIT $rows""",
        given,
        {"rows": limit},
    ).column(0)
    found = []
    for name in asked.to_pylist():
        some = [row for row in rows if row["name"] == name]
        found.append(
            Extension(
                name,
                sum(row["files"] for row in some),
                _sums((row["language"], row["files"]) for row in some),
                _sums((row["language_by"], row["files"]) for row in some),
            )
        )
    return found


def _sums(pairs: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    sums: dict[str, int] = {}
    for name, files in pairs:
        sums[name] = sums.get(name, 0) + files
    return tuple(sorted(sums.items(), key=lambda item: (-item[1], item[0])))


def unknown_languages(root: Path, engine: Engine, limit: int = 15) -> list[Sample]:
    """Files that were read and have no language, by extension, the most first."""
    return _samples(
        engine,
        """SELECT CASE WHEN f.extension = '' THEN 'no extension' ELSE '.' || f.extension END AS name,
          f.length_bytes, f.repo_name || ':' || f.path AS example
        FROM files f JOIN language n ON f.content_id = n.content_id AND f.file_name = n.file_name
        WHERE f.entry_type = 'file' AND n.language IS NULL""",
        {"files": tables.listed_files(root), "language": tables.signal_rows(root, "language")},
        limit,
    )


def unknown_licenses(root: Path, engine: Engine, limit: int = 15) -> list[Sample]:
    """Licence texts that nobody recognised, by the number of files they hold back."""
    return _samples(
        engine,
        """SELECT coalesce(license_source, '') AS name, length_bytes, repo_name || ':' || path AS example FROM ledger
        WHERE list_contains(detected_licenses, 'LicenseRef-scancode-unknown')""",
        {"ledger": tables.ledger(root)},
        limit,
    )


def _samples(engine: Engine, rows: str, given: dict[str, Table], limit: int) -> list[Sample]:
    found = engine.table(
        f"""SELECT name, count(*) AS files, sum(length_bytes) AS bytes, min(example) AS example FROM ({rows})
        GROUP BY name ORDER BY files DESC, name LIMIT $rows""",
        given,
        {"rows": limit},
    )
    return [Sample(row["name"], row["files"], int(row["bytes"] or 0), row["example"]) for row in found.to_pylist()]
