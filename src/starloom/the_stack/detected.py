"""`starloom detect`'s answer for people, and its sums."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from starloom import progress
from starloom.languages.table import load
from starloom.licenses.expressions import join
from starloom.outside.paths import printable

_BAR = 30  # characters
_MOST = 20  # lines of a table
_COUNTED = ("programming", "markup")  # types of languages that say what a project is written in, as GitHub counts


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """`languages`, `licenses` and `totals` over the rows of `detect`.

    Languages: by bytes, of programming and markup files that are not vendored, generated or documentation.
    """
    by_language: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    by_license: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        size = row["length_bytes"] or 0
        if row["language"] and not (row["is_vendor"] or row["is_generated"] or row["is_documentation"]):
            _add(by_language[row["language"]], size)
        if row["license_type"]:
            _add(by_license[row["license_type"], _together(row["detected_licenses"])], size)
    kinds = {name: one for name, one in load().languages.items() if name in by_language}
    counted = {name: sums for name, sums in by_language.items() if name in kinds and kinds[name].kind in _COUNTED}
    total = sum(size for _, size in counted.values())
    return {
        "languages": [
            {
                "language": name,
                "type": kinds[name].kind,
                "color": kinds[name].color,
                "files": files,
                "bytes": size,
                "share": size / total if total else 0.0,
            }
            for name, (files, size) in _by_size(counted)
        ],
        "licenses": [
            {"license_type": kind, "licenses": licenses, "files": files, "bytes": size}
            for (kind, licenses), (files, size) in _by_size(by_license)
        ],
        "totals": {
            "files": len(rows),
            "bytes": sum(row["length_bytes"] or 0 for row in rows),
            **{
                name: sum(bool(row[f"is_{name}"]) for row in rows)
                for name in ("generated", "vendor", "documentation", "test")
            },
            "without_language": sum(row["language"] is None for row in rows),
            "not_read": sum(row["problem"] is not None for row in rows),
        },
    }


def about_folder(rows: list[dict[str, Any]], every_file: bool) -> str:
    """Languages, licences, and what became of the rest."""
    sums = summary(rows)
    totals = sums["totals"]
    lines: list[str] = [*map(_line, rows), ""] if every_file else []
    lines.append(f"{progress.counted(totals['files'], 'files')}, {progress.human(totals['bytes'], 'bytes')}")
    if sums["languages"]:
        lines += ["", "Languages, by bytes of what is not vendored, generated, documentation or data"]
        lines += _cut([_language(one) for one in sums["languages"]])
    lines += ["", "Licences"]
    lines += _cut([_license(one) for one in sums["licenses"]]) or ["  none looked at"]
    told = [
        f"{totals[name]:,} {word}"
        for name, word in (
            ("generated", "generated"),
            ("vendor", "vendored"),
            ("documentation", "documentation"),
            ("test", "tests"),
            ("without_language", "of no known language"),
            ("not_read", "not read as text"),
        )
        if totals[name]
    ]
    if told:
        lines += ["", "Of the files: " + ", ".join(told)]
    unknown = [row for row in rows if any("unknown" in one.lower() for one in row["detected_licenses"])]
    if unknown:
        lines += [
            "",
            f"Licence texts that nobody recognised hold back {progress.counted(len(unknown), 'files')}, such as",
        ]
        sources = dict.fromkeys(row["license_source"] for row in unknown if row["license_source"])
        lines += [f"  {printable(one)}" for one in list(sources)[:3]]
    if not every_file:
        lines += ["", "--files lists every file, --json says all"]
    return "\n".join(lines)


def about_file(row: dict[str, Any]) -> str:
    """One file in full."""
    name = printable(row["path"])
    lines = [f"{name}: {progress.human(row['length_bytes'] or 0, 'bytes')}" + _encoding(row)]
    if row["problem"]:
        lines.append(f"  not read  {printable(row['problem'])}")
    reason = f": {row['language_reason']}" if row["language_reason"] else ""
    by = f"  (by {row['language_by']}{reason})" if row["language_by"] else ""
    lines.append(f"  language  {row['language'] or 'unknown'}{by}")
    if row["license_type"]:
        licenses = ", ".join(row["detected_licenses"]) or "none found"
        lines.append(f"  licence   {row['license_type']}: {printable(licenses)}  (by {row['license_evidence']})")
        if row["license_source"]:
            rule = f"  ({printable(row['license_rule'])})" if row["license_rule"] else ""
            lines.append(f"            see {printable(row['license_source'])}{rule}")
    if row["is_generated"]:
        lines.append(f"  generated {printable(row['generated_by'])}")
    for fact, word in (("is_vendor", "vendored"), ("is_documentation", "documentation"), ("is_test", "test")):
        if row[fact]:
            lines.append(f"  {word}")
    return "\n".join(lines)


def _together(licenses: list[str]) -> str:
    return join(licenses, "AND") if licenses else ""


def _add(sums: list[int], size: int) -> None:
    sums[0] += 1
    sums[1] += size


def _by_size(sums: dict[Any, list[int]]) -> Iterable[tuple[Any, list[int]]]:
    return sorted(sums.items(), key=lambda item: (-item[1][1], -item[1][0], item[0]))


def _cut(lines: list[str]) -> list[str]:
    return lines if len(lines) <= _MOST else [*lines[:_MOST], f"  and {len(lines) - _MOST:,} more"]


def _language(one: dict[str, Any]) -> str:
    bar = "█" * round(_BAR * one["share"]) or "▏"
    return (
        f"  {100 * one['share']:5.1f} %  {one['language']:<24} {progress.human(one['bytes'], 'bytes'):>9}"
        f"  {progress.counted(one['files'], 'files'):>12}  {bar}"
    )


def _license(one: dict[str, Any]) -> str:
    kind = one["license_type"].replace("_", " ")
    files, size = progress.counted(one["files"], "files"), progress.human(one["bytes"], "bytes")
    return f"  {kind:<15} {files:>12} {size:>9}  {printable(one['licenses']) or 'no licence found'}"


def _line(row: dict[str, Any]) -> str:
    facts = [word for word in ("generated", "vendor", "documentation", "test") if row[f"is_{word}"]]
    licenses = _together(row["detected_licenses"]) or "-"
    problem = f"  [{printable(row['problem'])}]" if row["problem"] else ""
    return (
        "  ".join(
            [
                printable(row["path"]),
                row["language"] or "-",
                f"{row['license_type'] or '-'}: {printable(licenses)}",
                *facts,
            ]
        )
        + problem
    )


def _encoding(row: dict[str, Any]) -> str:
    return f", {row['src_encoding']}" if row["src_encoding"] and row["src_encoding"] != "UTF-8" else ""
