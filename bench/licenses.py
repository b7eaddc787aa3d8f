"""Licence texts: our answers (table, then cache and ScanCode) beside ScanCode's own about each text as it is.

    python bench/licenses.py FOLDER... [--unseen FOLDER...] [--cache FOLDER]

Input: every distinct licence text of the folders (see scripts/license_corpus.py); `--unseen` are folders whose texts
the table was not made from, reported apart. Each text is scanned by ScanCode as it is: that is the reference, and the
verdict (permissive, neutral, not permissive, none) is made of its expressions by the same rules as ours. We look it up
in the table, and ask ScanCode about the canonical text only if it is not there. Needs ScanCode here; half an hour for
3,000 texts with empty caches. `--cache` keeps ScanCode's answers there: then times are those of a warm cache, and not
written. Writes bench/results/licenses.json and licenses.md.
"""

import argparse
import datetime
import json
import platform
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from license_corpus import Text, distinct

from starloom.licenses.canonical import canonical, text_id
from starloom.licenses.expressions import symbols
from starloom.licenses.scancode import Scanner, version
from starloom.licenses.texts import recognise
from starloom.licenses.verdict import license_type

RESULTS = Path(__file__).parent / "results"
KINDS = {
    "license": "LICENSE, COPYING …",
    "copyright": "debian/copyright",
    "paragraph": "its licence paragraphs",
    "readme": "README",
    "other": "other candidates",
}


def verdict(expressions: Iterable[str]) -> str:
    """permissive, no_license (neutral notices only), non_permissive or none."""
    given = list(expressions)
    return license_type(None, given) if given else "none"


def ids(expressions: Iterable[str]) -> frozenset[str]:
    return frozenset(one for expression in expressions for one in symbols(expression))


def measure(texts: list[Text], cache: Path) -> dict[str, Any]:
    """Counts by kind, times, and the texts on which we differ."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    differing = []
    seconds: Counter[str] = Counter()
    forms: set[str] = set()
    with Scanner(cache=cache / "alone.sqlite") as alone, Scanner(cache=cache / "ours.sqlite") as ours:
        for scanner in (alone, ours):
            list(scanner.scan([("0" * 32, "mit license")]))  # the index is loaded before the clock starts
        before = ours.asked
        for number, one in enumerate(texts):
            begun = time.perf_counter()
            (reference,) = alone.scan([(text_id(one.text), one.text)])
            scanned = time.perf_counter()
            known = recognise(one.text)
            looked = time.perf_counter()
            form = canonical(one.text).text
            (scan,) = ours.scan([(text_id(form), form)])  # of known texts too, outside the time: for the canonical form
            end = time.perf_counter()
            found = (known.expression,) if known else scan.expressions
            seconds["alone"] += scanned - begun
            seconds["table"] += looked - scanned
            seconds["ours"] += looked - scanned + (0 if known else end - looked)
            if not known:
                forms.add(form)
            count = counts[one.kind]
            count["texts"] += 1
            count["table"] += known is not None
            count["problems"] += bool(reference.problem or scan.problem)
            count["table differs"] += known is not None and verdict(found) != verdict(reference.expressions)
            count["canonical differs"] += verdict(scan.expressions) != verdict(reference.expressions)
            count["same"] += verdict(found) == verdict(reference.expressions)
            count["canonical ids"] += ids(scan.expressions) == ids(reference.expressions)
            count["permissive by mistake"] += verdict(found) == "permissive" != verdict(reference.expressions)
            if verdict(found) != verdict(reference.expressions) or verdict(scan.expressions) != verdict(
                reference.expressions
            ):
                differing.append(
                    [one.name, one.source, list(reference.expressions), list(scan.expressions), list(found)]
                )
            if number % 100 == 99:
                print(f"{number + 1} of {len(texts)}", dict(sum(counts.values(), Counter())), flush=True)
        asked = ours.asked - before
    again = time.perf_counter()
    with Scanner(cache=cache / "ours.sqlite") as ours:
        for one in texts:
            if recognise(one.text) is None:
                form = canonical(one.text).text
                list(ours.scan([(text_id(form), form)]))
        seconds["warm"] = time.perf_counter() - again
    return {
        "counts": counts,
        "seconds": seconds,
        "asked": asked,
        "forms": len({canonical(one.text).text for one in texts}),
        "unknown forms": len(forms),
        "megabytes": sum(len(one.text) for one in texts) / 1e6,
        "differing": differing,
    }


def report(results: dict[str, dict[str, Any]], timed: bool) -> str:
    """The page."""
    lines = [
        "# Licence texts: table, cache and ScanCode",
        "",
        f"`python bench/licenses.py`, {datetime.datetime.now(datetime.UTC).date()}, ScanCode {version()},"
        f" Python {platform.python_version()}. Each distinct text once; the reference is"
        " ScanCode's answer about the text as it is.",
    ]
    for title, result in results.items():
        total = sum(result["counts"].values(), Counter())
        n = total["texts"] or 1
        lines += [
            "",
            f"## {title}",
            "",
            f"- **{total['same']:,} of {total['texts']:,}** texts have ScanCode's verdict (permissive, neutral, not,"
            f" none); permissive by mistake: {total['permissive by mistake']}",
            f"- the table knows {total['table']:,} ({total['table'] / n:.3f}); its verdict differs on"
            f" {total['table differs']}",
            f"- the canonical form scanned instead of the text: another verdict for {total['canonical differs']},"
            f" the same licence ids for {total['canonical ids']:,} ({total['canonical ids'] / n:.4f})",
            f"- {result['forms']:,} distinct canonical forms; ScanCode was asked {result['asked']:,} times for all"
            f" texts; {result['unknown forms']:,} forms are not in the table, which is how often it has to be",
        ]
        if timed:
            seconds = result["seconds"]
            lines += [
                f"- ms a text: ScanCode alone {seconds['alone'] / n * 1e3:.0f}; ours with an empty cache"
                f" {seconds['ours'] / n * 1e3:.0f} ({seconds['alone'] / seconds['ours']:.1f} times as fast), with a"
                f" warm one {seconds['warm'] / n * 1e3:.2f} ({seconds['alone'] / seconds['warm']:.0f} times); the"
                f" table alone {seconds['table'] / n * 1e3:.2f}",
            ]
        lines += [
            "",
            "| texts | distinct | ScanCode's verdict | in the table | canonical: same verdict | same ids |",
            "|---|---|---|---|---|---|",
        ]
        for kind, name in KINDS.items():
            if count := result["counts"].get(kind):
                k = count["texts"]
                lines.append(
                    f"| {name} | {k:,} | {count['same'] / k:.4f} | {count['table'] / k:.3f} |"
                    f" {1 - count['canonical differs'] / k:.4f} | {count['canonical ids'] / k:.4f} |"
                )
        if result["differing"]:
            lines += ["", "Texts on which verdicts differ: name, ScanCode's, of the canonical form, ours.", ""]
            lines += [
                f"- `{name}`: " + " | ".join(", ".join(one) or "none" for one in (reference, scan, found))
                for name, _, reference, scan, found in result["differing"][:20]
            ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure what the command line names."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folders", nargs="*", default=[])
    arguments.add_argument("--unseen", nargs="*", default=[])
    arguments.add_argument("--cache", type=Path)
    given = arguments.parse_args()
    seen = distinct(given.folders)
    texts = {one.text for one in seen}
    unseen = [one for one in distinct(given.unseen) if one.text not in texts]
    results = {}
    with TemporaryDirectory() as scratch:
        for title, some in (("Texts that the table was made from", seen), ("Texts that it was not made from", unseen)):
            if some:
                results[title] = measure(some, given.cache or Path(scratch))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "licenses.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    (RESULTS / "licenses.md").write_text(report(results, given.cache is None), encoding="utf-8")


if __name__ == "__main__":
    main()
