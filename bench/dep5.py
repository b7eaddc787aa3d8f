"""Agreement with Debian's copyright files, file by file: what people wrote down is compared with what we read.

    python bench/dep5.py FOLDER... [--files 1500]

Input: every Debian source package (`*.dsc`) below the folders that has a machine-readable debian/copyright. Of each,
files outside debian/ (at most `--files`, those with the smallest hashes). What we say of a file is its own notice, else
the licence texts and the metadata of the folders above it (union); nothing of debian/ is read and no ScanCode is
asked, so an unrecognised licence file counts as unknown, which is not permissive. Truth is the last paragraph of
debian/copyright that matches the path; files whose licence it does not name in terms that we can class are counted
apart. Writes bench/results/dep5.json and dep5.md.
"""

import argparse
import datetime
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
from starloom.licenses.candidates import is_license_candidate, is_license_text
from starloom.licenses.categories import UNKNOWN, expression_class
from starloom.licenses.expressions import join, symbols
from starloom.licenses.notices import own_notice, unrecognised
from starloom.licenses.statements import Statement, base, is_metadata, statements
from starloom.licenses.texts import recognise
from starloom.licenses.verdict import NO_ASSERTION, license_type
from starloom.outside.text import Decoded, decode
from starloom.sources.open import open_source
from starloom.sources.repository import Place, SourceError, SourceSettings, Wanted

RESULTS = Path(__file__).parent / "results"
MAX_BYTES = 1 << 20
COPYRIGHT = "debian/copyright"


def texts_of(dsc: Path, place: Place, files: int) -> dict[str, str]:
    """Path to text: debian/copyright, licence texts, metadata, and a sample of the rest."""
    (source,) = open_source(SourceSettings(path=str(dsc)), place).sources
    entries = [
        one for one in source.entries(MAX_BYTES) if one.entry_type == "file" and one.content_id and not one.problem
    ]
    speaking = [one for one in entries if is_license_candidate(one.path) or is_metadata(one.path)]
    chosen = {one.path: one for one in sorted(entries, key=lambda one: (one.content_id, one.path))[:files]}
    chosen |= {one.path: one for one in speaking}
    paths = defaultdict(list)
    wanted = {}
    for one in chosen.values():
        paths[one.content_id].append(one.path)
        wanted[one.content_id] = Wanted(one.raw_path, one.content_id or "", one.size or 0)
    texts = {}
    for content in source.contents(wanted.values()):
        if content.data is None:
            continue
        decoded = decode(content.data)
        if isinstance(decoded, Decoded):
            for path in paths[content.content_id]:
                texts[path] = decoded.text
    return texts


class Patterns:
    """The statements of one file by path: of those that match, the ones of the highest priority."""

    def __init__(self, said: Iterable[Statement]) -> None:
        ordered = sorted((one for one in said if one.pattern), key=lambda one: -one.priority)
        self._all = [(re.compile(one.pattern or ""), one) for one in ordered]

    def __call__(self, path: str) -> str | None:
        best: list[Statement] = []
        for pattern, statement in self._all:
            if best and statement.priority < best[0].priority:
                break
            if pattern.fullmatch(path):
                best.append(statement)
        return join([one.expression for one in best], "AND") if best else None


def above(path: str) -> list[str]:
    """The folders over a path, "" for the top."""
    folders = [""]
    for i, character in enumerate(path):
        if character == "/":
            folders.append(path[:i])
    return folders


def measure(texts: dict[str, str]) -> dict[str, Any] | None:
    """Counts of one package, and its commonest disagreements; None without a machine-readable file."""
    said = statements(COPYRIGHT, texts.get(COPYRIGHT, ""))
    if not said:
        return None
    truth_of = Patterns(said)
    texts = {path: text for path, text in texts.items() if not path.startswith("debian/") and path != "debian.diff"}
    by_folder: dict[str, set[str]] = defaultdict(set)
    by_pattern: list[tuple[str, Patterns]] = []
    for path, text in texts.items():
        if is_license_candidate(path):
            found = recognise(text)
            if found or is_license_text(path):
                by_folder[path.rpartition("/")[0]].add(found.expression if found else UNKNOWN)
        if is_metadata(path):
            stated = statements(path, text)
            for one in stated:
                if one.scope == "folder":
                    by_folder[base(path)].add(one.expression)
            if any(one.scope == "files" for one in stated):
                by_pattern.append((base(path), Patterns(stated)))
    counts: Counter[str] = Counter()
    wrong: Counter[tuple[str, str, str]] = Counter()
    examples: dict[tuple[str, str, str], str] = {}
    for path, text in texts.items():
        truth = truth_of(path)
        if truth is None or (
            expression_class(truth) != "permissive" and all(one in (NO_ASSERTION, UNKNOWN) for one in symbols(truth))
        ):
            counts["truth cannot be named"] += 1
            continue
        if is_license_text(path):
            continue  # its text is not what it is under
        counts["files"] += 1
        notice = own_notice(text)
        if notice:
            ours, how = [notice.expression], f"notice {notice.kind}"
        elif unrecognised(text):
            ours, how = [UNKNOWN], "unread notice"
        else:
            ours = sorted(set().union(*(by_folder[one] for one in above(path) if one in by_folder)))
            for folder, patterns in by_pattern:
                if not folder or path.startswith(f"{folder}/"):
                    expression = patterns(path.removeprefix(f"{folder}/"))
                    ours += [expression] if expression else []
            how = "folders" if ours else "nothing"
        verdict = license_type(None, ours)
        permissive = expression_class(truth) == "permissive"
        counts[how.split(" ")[0]] += 1
        if ours and join(ours, "AND") != UNKNOWN:
            counts["named"] += 1
            counts["same ids"] += {one.lower() for e in ours for one in symbols(e)} == {
                s.lower() for s in symbols(truth)
            }
        if permissive == (verdict == "permissive"):
            counts["agree"] += 1
            if how.startswith("notice"):
                counts["agree by notice"] += 1
            continue
        counts["false permissive" if verdict == "permissive" else "missed"] += 1
        if verdict != "permissive" and (not ours or UNKNOWN in ours or "unread" in how):
            counts["missed, unknown"] += 1
        if verdict == "permissive" and how.startswith("notice"):
            counts["false permissive by notice"] += 1
        key = (truth, " + ".join(ours), how)
        wrong[key] += 1
        examples.setdefault(key, path)
    return {
        "counts": dict(counts),
        "wrong": [
            {"truth": t, "ours": o, "how": h, "files": n, "example": examples[t, o, h]}
            for (t, o, h), n in wrong.most_common(8)
        ],
    }


def report(results: dict[str, dict[str, Any]], files: int) -> str:
    """The table."""
    total: Counter[str] = Counter()
    rows = []
    for name, result in sorted(results.items()):
        counts = Counter(result["counts"])
        total += counts
        n = counts["files"] or 1
        rows.append(
            f"| {name} | {counts['files']:,} | {counts['agree'] / n:.3f} | {counts['false permissive']:,} |"
            f" {counts['missed']:,} | {counts['same ids'] / (counts['named'] or 1):.3f} |"
        )
    n = total["files"] or 1
    means = [r["counts"].get("agree", 0) / (r["counts"].get("files", 0) or 1) for r in results.values()]
    lines = [
        "# Licences: agreement with debian/copyright",
        "",
        f"`python bench/dep5.py`, {datetime.datetime.now(datetime.UTC).date()}: {len(results)} Debian source packages,"
        f" at most {files:,} files of each.",
        "Nothing of debian/ is read by us, and no ScanCode asked: an unrecognised licence file or notice is unknown,"
        " which is not permissive.",
        "",
        f"- **{total['agree'] / n:.4f}** of {total['files']:,} files: the same verdict (permissive or not);"
        f" mean over packages {sum(means) / len(means):.4f}",
        f"- permissive by us only: {total['false permissive']:,} ({total['false permissive'] / n:.4f}),"
        f" {total['false permissive by notice']:,} of them by the file's own notice",
        f"- permissive by Debian only: {total['missed']:,} ({total['missed'] / n:.4f}),"
        f" {total['missed, unknown']:,} of them unknown to us (ScanCode's work)",
        f"- {total['notice']:,} files have a notice we read ({total['agree by notice'] / (total['notice'] or 1):.4f}"
        f" agree), {total['unread']:,} one that we do not, {total['folders']:,} are judged by their folders,"
        f" {total['nothing']:,} by nothing",
        "- the same licence ids where both name some:"
        f" {total['same ids'] / (total['named'] or 1):.4f} of {total['named']:,}",
        f"- left out: {total['truth cannot be named']:,} files whose licence debian/copyright does not name or that it"
        " does not list",
        "",
        "| package | files | same verdict | permissive by us only | by Debian only | same ids |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
        "## Commonest disagreements",
        "",
        "| package | files | debian/copyright | ours | by | example |",
        "|---|---|---|---|---|---|",
    ]
    worst = [(one["files"], name, one) for name, result in results.items() for one in result["wrong"]]
    worst.sort(key=lambda one: (-one[0], one[1]))
    lines += [
        f"| {name} | {n:,} | {w['truth']} | {w['ours'] or 'nothing'} | {w['how']} | `{w['example']}` |"
        for n, name, w in worst[:40]
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure what the command line names."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folders", nargs="+", type=Path)
    arguments.add_argument("--files", type=int, default=1_500)
    given = arguments.parse_args()
    results: dict[str, dict[str, Any]] = {}
    with TemporaryDirectory() as scratch, LocalEngine(EngineSettings(), Path(scratch)) as engine:
        place = Place(folder=Path(scratch), engine=engine)
        for dsc in sorted(one for folder in given.folders for one in folder.rglob("*.dsc")):
            try:
                result = measure(texts_of(dsc, place, given.files))
            except SourceError as problem:
                print(f"{dsc.name}: {problem}", flush=True)
                continue
            print(dsc.name, result and result["counts"], flush=True)
            if result:
                results[dsc.name.removesuffix(".dsc")] = result
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "dep5.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    (RESULTS / "dep5.md").write_text(report(results, given.files), encoding="utf-8")


if __name__ == "__main__":
    main()
