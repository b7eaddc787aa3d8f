"""What the filters drop of each language, beside Table 1 of the paper (arXiv 2402.19173).

    python bench/paper_shares.py [--from corpus:standard]... [--workspace FOLDER]

Input: the package corpus, or what `--from` names, under the recipe `stack-v2`. The paper filters what deduplication has
left, the product deduplicates what the filters have left; to compare, the dedup set here is what the licence rule and
deduplication alone keep, and of it a file counts as dropped where any rule over content holds. Budgets are left out: no
language of the corpus reaches one. The paper's shares are those of Table 1 (bench/paper_shares/table_1.tsv), before
sub-sampling where the text tells the size; it gives no shares by rule. Writes bench/results/paper_shares.json and
paper_shares.md.
"""

import argparse
import csv
import datetime
import json
import math
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
from starloom.stages import load_settings
from starloom.the_stack.decide import decided
from starloom.the_stack.measured import needed
from starloom.the_stack.rules import check

HERE = Path(__file__).parent
RESULTS = HERE / "results"
TABLE = HERE / "paper_shares" / "table_1.tsv"
NOTES = HERE / "paper_shares" / "notes.md"
STARLOOM = [sys.executable, "-c", "from starloom.commands import main; main()"]

# One language of the paper's, in Linguist's names of today.
NAMES = {"Visual Basic": ("Visual Basic .NET", "Visual Basic 6.0", "VBA")}
FEWEST = 20  # files of a language below which its share says nothing

_FILES = """
SELECT d.repo_name, d.language, f.matched_rules, d.length_bytes FROM dedup d
JOIN full_ledger f ON d.repo_name = f.repo_name AND d.path = f.path
WHERE d.verdict IN ('kept', 'changed') AND d.path <> ''
"""


class Paper(NamedTuple):
    """A row of Table 1: GB and millions of files."""

    dedup_gb: float
    dedup_files: float
    train_gb: float
    train_files: float
    filtered_gb: float | None
    sampled: bool

    @property
    def dropped_files(self) -> float | None:
        return None if self.sampled else 1 - self.train_files / self.dedup_files

    @property
    def dropped_bytes(self) -> float | None:
        kept = self.filtered_gb or (None if self.sampled else self.train_gb)
        return None if kept is None else 1 - kept / self.dedup_gb


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="sources", action="append")
    parser.add_argument("--workspace", type=Path)
    arguments = parser.parse_args()
    sources = arguments.sources or ["corpus:standard"]
    paper = table_1()
    with tempfile.TemporaryDirectory(prefix="starloom-bench-") as place:
        root = arguments.workspace or Path(place) / "workspace"
        if not (root / "starloom.toml").exists():
            asked = [word for source in sources for word in ("--from", source)]
            subprocess.run([*STARLOOM, "init", str(root), *asked, "--recipe", "stack-v2"], check=True)
        subprocess.run([*STARLOOM, "build", "pair", "-w", str(root)], check=True)
        with LocalEngine(EngineSettings(), Path(place) / "spill") as engine:
            names, files = dedup_set(root, engine)
    found = {
        "date": datetime.date.today().isoformat(),
        "source": ", ".join(source.partition("@")[0] for source in sources),
        "rules": names,
        "all": shares(files, names),
        "languages": {name: shares([f for f in files if f["language"] == name], names) for name in languages(files)},
        "paper": {name: row._asdict() | {"dropped_files": row.dropped_files, "dropped_bytes": row.dropped_bytes}
                  for name, row in paper.items()},
    }  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "paper_shares.json").write_text(json.dumps(found, indent=1) + "\n")
    (RESULTS / "paper_shares.md").write_text(report(found))
    print(report(found))


def table_1() -> dict[str, Paper]:
    """By language. Its columns must add up to the totals of the paper."""
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if not line.startswith("#")]
    rows = {}
    for row in csv.DictReader(lines, delimiter="\t"):
        sizes = [float(row[name]) for name in ("dedup_gb", "dedup_files", "train_gb", "train_files")]
        rows[row["language"]] = Paper(*sizes, float(row["filtered_gb"] or 0) or None, bool(row["sampled"]))
    total = rows.pop("Total")
    for column in range(4):
        if not math.isclose(sum(row[column] for row in rows.values()), total[column], abs_tol=0.005):
            raise SystemExit(f"{TABLE}: column {Paper._fields[column]} does not add up")
    return rows


def dedup_set(root: Path, engine: LocalEngine) -> tuple[list[str], list[dict[str, Any]]]:
    """The names of the rules over content, and the files that deduplication alone leaves, each with what matched it."""
    settings = load_settings(root)
    content = [one.rule.name for one in check(settings.rules) if needed(one.columns)]
    others = tuple(rule for rule in settings.rules if rule.name not in content)
    tables: dict[str, pa.Table] = {
        "dedup": decided(root, engine, replace(settings, rules=others, budgets=())),
        "full_ledger": decided(root, engine, settings),
    }
    merged = {old: new for new, names in NAMES.items() for old in names}
    files = engine.table(_FILES, tables).to_pylist()
    for one in files:
        one["language"] = merged.get(one["language"], one["language"])
        one["matched_rules"] = [name for name in one["matched_rules"] if name in content]
    return content, files


def languages(files: list[dict[str, Any]]) -> list[str]:
    return sorted({one["language"] for one in files if one["language"]})


def shares(files: list[dict[str, Any]], rules: list[str]) -> dict[str, Any]:
    """Counts of a set of files: all, dropped by any rule, matched by each, and by it alone."""

    def count(some: list[dict[str, Any]]) -> list[int]:
        return [len(some), sum(one["length_bytes"] for one in some)]

    return {
        "all": count(files),
        "dropped": count([one for one in files if one["matched_rules"]]),
        "rules": {
            rule: {
                "matched": count([one for one in files if rule in one["matched_rules"]]),
                "alone": count([one for one in files if one["matched_rules"] == [rule]]),
                "most": Counter(one["repo_name"] for one in files if rule in one["matched_rules"]).most_common(1)[0],
            }
            for rule in rules
            if any(rule in one["matched_rules"] for one in files)
        },
    }


def report(found: dict[str, Any]) -> str:
    """The tables, and the notes on why they differ."""
    (files, size), (gone, gone_size) = found["all"]["all"], found["all"]["dropped"]
    lines = [
        "# Shares dropped, beside the paper",
        "",
        f"`python bench/paper_shares.py`, {found['date']}: {found['source']}.",
        f"{files:,} files, {size / 1e6:,.1f} MB after deduplication; of them rules over content drop {gone:,}"
        f" ({gone / files:.1%}), {gone_size / size:.1%} of the bytes.",
        "",
        "Empty where the paper tells no share of the filters alone (languages that it sub-samples), and for ours where"
        f" the corpus has fewer than {FEWEST} files of a language.",
        "",
        "Of the paper's figures only those of Python, JavaScript, Java, HTML, Markdown, CSS, SQL and the total were"
        " read anew; the others are recalled and unverified, though each column adds up to the table's total.",
        "",
        "| language | paper: files | ours: files | paper: bytes | ours: bytes | our files | rules, files of each |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for name, row in found["paper"].items():
        ours = found["languages"].get(name, {"all": [0, 0], "dropped": [0, 0], "rules": {}})
        enough = ours["all"][0] >= FEWEST
        cells = [
            percent(row["dropped_files"]),
            percent(ours["dropped"][0] / ours["all"][0] if enough else None),
            percent(row["dropped_bytes"]),
            percent(ours["dropped"][1] / ours["all"][1] if enough else None),
        ]
        rules = sorted(ours["rules"].items(), key=lambda item: -item[1]["matched"][0])
        words = ", ".join(f"{rule} {one['matched'][0]:,}{most(one)}" for rule, one in rules[:5])
        lines.append(f"| {name} | {' | '.join(cells)} | {ours['all'][0]:,} | {words} |")
    lines += [
        "",
        "## By rule",
        "",
        "Of the whole dedup set, whatever the language. Alone: no other rule holds.",
        "",
        "| rule | files | share | alone | MB | share | languages, files of each |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for rule in found["rules"]:
        one = found["all"]["rules"].get(rule, {"matched": [0, 0], "alone": [0, 0]})
        count, mass = one["matched"]
        per = {
            name: part["rules"][rule]["matched"][0]
            for name, part in found["languages"].items()
            if rule in part["rules"]
        }
        words = ", ".join(f"{name} {n:,}" for name, n in sorted(per.items(), key=lambda item: -item[1])[:5])
        shown = f"{count:,} | {count / files:.2%} | {one['alone'][0]:,} | {mass / 1e6:,.1f} | {mass / size:.2%}"
        lines.append(f"| {rule} | {shown} | {words} |")
    return "\n".join([*lines, "", NOTES.read_text("utf-8").rstrip()]) + "\n"


def most(one: dict[str, Any]) -> str:
    """The repository that has more than half of many files."""
    name, count = one["most"]
    return f" ({count:,} of {name})" if 10 <= one["matched"][0] < 2 * count else ""


def percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


if __name__ == "__main__":
    main()
