"""Accuracy and speed of language detection on labelled files, beside other detectors in the same run.

    python bench/languages.py CONTENTS [--fetch] [--peer-python PYTHON] [--node-modules FOLDER] [--files N]

Input: the rows of bench/languages/labels-*.tsv (source, path, git blob hash, language, note) and their contents,
CONTENTS/HASH; `--fetch` fetches what is missing there from its packages and repositories. labels-b, -c and -d are by
hand, on shared extensions; labels-packages is made by bench/language_labels.py. Detectors get a file's name and text,
nothing of its folders. Peers: magika and pygments in PYTHON, linguist-js in FOLDER, github-linguist as ruby has it;
one that is missing is named and left out. An answer counts where it is the label exactly, by any name or alias that our
table has for a language; `of what it knows` counts only files in languages that a peer can answer at all. Seconds are
CPU time of one process, files read by the peers included, ours decoded before. None of the sources is one that the
classifier learnt from (scripts/language_classifier.toml). Writes bench/results/languages.json and languages.md.
"""

import argparse
import csv
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
from starloom.languages.detect import detect
from starloom.languages.table import by_name, load
from starloom.outside.text import Decoded, decode
from starloom.sources.open import open_source
from starloom.sources.repository import Place, SourceError, SourceSettings, Wanted

HERE = Path(__file__).parent
LABELS = HERE / "languages"
PEERS = LABELS / "peers"
RESULTS = HERE / "results"
TRAINING = HERE.parent / "scripts" / "language_classifier.toml"

HAND = ("labels-b", "labels-c", "labels-d")
# The languages of StarCoder2-3B and -7B (arXiv 2402.19173, section 4.4).
SEVENTEEN = (
    "C", "C#", "C++", "Go", "Java", "JavaScript", "Kotlin", "Lua", "PHP", "Python", "R", "Ruby", "Rust", "SQL", "Shell",
    "Swift", "TypeScript",
)  # fmt: skip
REPEATS = 5  # of ours, the median counts
# What peers call a language by no name or alias of our table.
SYNONYMS: dict[str, dict[str, str]] = json.loads(PEERS.joinpath("synonyms.json").read_text("utf-8"))


@dataclass(frozen=True)
class File:
    """A labelled file with its contents."""

    set: str
    source: str
    path: str
    blob: str
    language: str
    data: bytes
    text: str

    @property
    def name(self) -> str:
        """Without folders."""
        return self.path.rpartition("/")[2]

    @property
    def shared(self) -> str | None:
        """Its extension, or name, where several languages have it."""
        table = load()
        if len(table.by_file_name.get(self.name, ())) > 1:
            return self.name
        extension = self.name.rpartition(".")[2].lower() if "." in self.name else ""
        return f".{extension}" if len(table.by_extension.get(extension, ())) > 1 else None


@dataclass(frozen=True)
class Answers:
    """What one detector said of each file."""

    name: str
    version: str
    seconds: float
    languages: list[str | None]
    known: frozenset[str] | None = None  # None: all


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("contents", type=Path)
    parser.add_argument("--fetch", action="store_true", help="fetch missing contents from their packages")
    parser.add_argument("--peer-python", help="a Python that has magika and pygments", default=sys.executable)
    parser.add_argument("--node-modules", type=Path, help="a node_modules that has linguist-js")
    parser.add_argument("--files", type=int, help="at most so many files, to try it")
    arguments = parser.parse_args()
    rows = label_rows()
    if arguments.fetch:
        fetch(rows, arguments.contents)
    files = list(read(rows, arguments.contents))[: arguments.files]
    if not files:
        raise SystemExit(f"no contents in {arguments.contents}: try --fetch")
    check_disjoint(rows)
    ours, by = ask_ours(files)
    detectors, missing = [ours], []
    for name, command in peers(arguments.peer_python, arguments.node_modules).items():
        answers = ask(name, command, files)
        detectors += [answers] if answers else []
        missing += [] if answers else [name]
    result = {
        "date": str(datetime.datetime.now(datetime.UTC).date()),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "files": len(files),
        "languages": len({one.language for one in files}),
        "sources": len({one.source for one in files}),
        "not found": len(rows) - len(files),
        "missing": missing,
        "detectors": {one.name: score(one, files) for one in detectors},
        "by": by,
        "extensions": by_extension(ours, files),
        "confusions": [
            {"label": label, "ours": answer, "files": count}
            for (label, answer), count in Counter(
                (one.language, str(answer))
                for one, answer in zip(files, ours.languages, strict=True)
                if one.language != answer
            ).most_common(40)
        ],
    }
    RESULTS.joinpath("languages.json").write_text(json.dumps(result, indent=1) + "\n")
    RESULTS.joinpath("languages.md").write_text(report(result))
    print(report(result))
    return 0


def label_rows() -> list[dict[str, str]]:
    """All rows, one a content: those labelled by hand first."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(LABELS.glob("labels-*.tsv"), key=lambda path: (path.stem not in HAND, path.stem)):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                if row["language"] not in load().languages:
                    raise SystemExit(f"{path.name}: {row['language']} is no language of the table")
                found.setdefault(row["blob"], {**row, "set": path.stem})
    return list(found.values())


def read(rows: Iterable[dict[str, str]], contents: Path) -> Iterable[File]:
    """The files whose contents are there and are text."""
    for row in rows:
        path = contents / row["blob"]
        if path.is_file():
            data = path.read_bytes()
            decoded = decode(data)
            if isinstance(decoded, Decoded):
                yield File(row["set"], row["source"], row["path"], row["blob"], row["language"], data, decoded.text)


def fetch(rows: list[dict[str, str]], contents: Path) -> None:
    """Puts missing contents aside, each source fetched once."""
    contents.mkdir(parents=True, exist_ok=True)
    wanted: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if not (contents / row["blob"]).exists():
            wanted[row["source"]].add(row["blob"])
    with tempfile.TemporaryDirectory() as space, LocalEngine(EngineSettings(), Path(space, "spill")) as engine:
        place = Place(Path(space), engine)
        for name, blobs in sorted(wanted.items()):
            url = re.sub(r"^github:([^@]+)(?:@.*)?$", r"https://github.com/\1", name)
            try:
                opened = open_source(SourceSettings(path=url), place)
                for one in opened.unfetched:
                    one.fetch(place)
                if opened.unfetched:
                    opened = open_source(SourceSettings(path=url), place)
                for source in opened.sources:
                    entries = [one for one in source.entries(place.max_bytes) if one.content_id in blobs]
                    for content in source.contents(
                        Wanted(one.raw_path, one.content_id or "", one.size or 0) for one in entries
                    ):
                        if content.data is not None:
                            (contents / content.content_id).write_bytes(content.data)
            except SourceError as problem:
                print(f"{name}: {problem}", file=sys.stderr)


def check_disjoint(rows: list[dict[str, str]]) -> None:
    """Stops where the classifier has learnt from a source of the labels."""
    learnt = {source["name"].partition("@")[0] for source in tomllib.loads(TRAINING.read_text("utf-8"))["sources"]}
    if both := learnt & {row["source"] for row in rows}:
        raise SystemExit(f"the classifier has learnt from {', '.join(sorted(both))}")


def ask_ours(files: list[File]) -> tuple[Answers, dict[str, list[int]]]:
    """Our answers; for each step of detection, the files it decided and how many of them rightly."""
    found = [detect(one.name, one.text) for one in files]  # and everything is loaded then
    seconds = []
    for _ in range(REPEATS):
        start = time.process_time()
        for one in files:
            detect(one.name, one.text)
        seconds.append(time.process_time() - start)
    by: dict[str, list[int]] = {}
    for one, detection in zip(files, found, strict=True):
        counts = by.setdefault(detection.by if detection else "none", [0, 0])
        counts[0] += 1
        counts[1] += detection is not None and detection.language == one.language
    languages = [one.language if one else None for one in found]
    return Answers("starloom", "this checkout", sorted(seconds)[REPEATS // 2], languages), by


def peers(python: str, node_modules: Path | None) -> dict[str, list[str]]:
    """The command of each, to which a list of paths is added."""
    return {
        "magika": [python, str(PEERS / "ask_magika.py")],
        "pygments": [python, str(PEERS / "ask_pygments.py")],
        "linguist-js": ["env", f"NODE_PATH={node_modules}", "node", str(PEERS / "ask_linguist_js.cjs")],
        "github-linguist": ["ruby", str(PEERS / "ask_github_linguist.rb")],
    }


def ask(name: str, command: list[str], files: list[File]) -> Answers | None:
    """A peer's answers; None where it is missing or fails."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, one in enumerate(files):
            path = Path(folder, "files", str(number), one.name)
            path.parent.mkdir(parents=True)
            path.write_bytes(one.data)
            paths.append(str(path))
        Path(folder, "list").write_text("\n".join(paths))
        try:
            done = subprocess.run(
                [*command, f"{folder}/list"], capture_output=True, text=True, env=environment, check=True
            )
        except (OSError, subprocess.CalledProcessError) as problem:
            print(f"{name} is left out: {getattr(problem, 'stderr', problem)}"[-2000:], file=sys.stderr)
            return None
    said = json.loads(done.stdout.splitlines()[-1])
    translate = translator(name)
    known = frozenset(filter(None, map(translate, said["known"]))) if "known" in said else None
    return Answers(name, said["version"], said["seconds"], [translate(one) for one in said["answers"]], known)


def translator(peer: str) -> Callable[[str | None], str | None]:
    """From a peer's names to ours."""
    synonyms = SYNONYMS.get(peer, {})

    def translate(name: str | None) -> str | None:
        if name is None:
            return None
        language = by_name(synonyms.get(name, name))
        return language.name if language else None

    return translate


def score(answers: Answers, files: list[File]) -> dict[str, Any]:
    """Shares of right answers, overall and on the parts that matter."""
    right = [one.language == answer for one, answer in zip(files, answers.languages, strict=True)]

    def share(of: Callable[[File], bool]) -> tuple[float | None, int]:
        chosen = [ok for one, ok in zip(files, right, strict=True) if of(one)]
        return (round(sum(chosen) / len(chosen), 4) if chosen else None), len(chosen)

    per_language: dict[str, list[bool]] = defaultdict(list)
    for one, ok in zip(files, right, strict=True):
        per_language[one.language].append(ok)
    return {
        "version": answers.version,
        "all": share(lambda _: True),
        "mean over languages": round(sum(sum(ok) / len(ok) for ok in per_language.values()) / len(per_language), 4),
        "shared extensions": share(lambda one: one.shared is not None),
        "by hand": share(lambda one: one.set in HAND),
        "packages": share(lambda one: one.set not in HAND),
        "StarCoder2's 17": share(lambda one: one.language in SEVENTEEN),
        "of what it knows": share(lambda one: answers.known is None or one.language in answers.known),
        "files/s": round(len(files) / answers.seconds),
        "seventeen": {
            language: share(lambda one, language=language: one.language == language) for language in SEVENTEEN
        },
        "sets": {name: share(lambda one, name=name: one.set == name) for name in sorted({one.set for one in files})},
    }


def by_extension(ours: Answers, files: list[File]) -> list[dict[str, Any]]:
    """Of each shared extension: files, right ones, what was taken for what."""
    rows: dict[str, dict[str, Any]] = {}
    for one, answer in zip(files, ours.languages, strict=True):
        if one.shared is None:
            continue
        row = rows.setdefault(
            one.shared, {"extension": one.shared, "files": 0, "right": 0, "languages": set(), "wrong": Counter()}
        )
        row["files"] += 1
        row["languages"].add(one.language)
        row["right"] += answer == one.language
        if answer != one.language:
            row["wrong"][f"{one.language} → {answer}"] += 1
    return [
        {**row, "languages": len(row["languages"]), "wrong": dict(row["wrong"].most_common(6))}
        for row in sorted(rows.values(), key=lambda row: (-row["files"], row["extension"]))
    ]


def report(result: dict[str, Any]) -> str:
    """The tables."""
    detectors = result["detectors"]

    def cell(pair: tuple[float | None, int]) -> str:
        return "" if pair[0] is None else f"{pair[0]:.4f}"

    columns = ("all", "shared extensions", "by hand", "packages", "StarCoder2's 17", "of what it knows")
    first = next(iter(detectors.values()))
    lines = [
        "# Languages: accuracy on labelled files",
        "",
        f"`python bench/languages.py`, {result['date']}, {result['machine']} (shared: read speeds as ratios).",
        f"{result['files']:,} files in {result['languages']} languages from {result['sources']} sources"
        f" ({result['not found']:,} rows without contents left out); the classifier learnt from none of them. Shares of"
        " exact answers; detectors see a file's name and text.",
        "",
        "| detector | version | " + " | ".join(columns) + " | mean over languages | files/s |",
        "|---|---|" + "---:|" * (len(columns) + 2),
    ]
    for name, one in detectors.items():
        cells = " | ".join(cell(one[column]) for column in columns)
        lines.append(f"| {name} | {one['version']} | {cells} | {one['mean over languages']:.4f} | {one['files/s']:,} |")
    lines += [
        "",
        "Files: " + ", ".join(f"{column} {first[column][1]:,}" for column in columns[:-1]) + ".",
        *([f"Missing here: {', '.join(result['missing'])}."] if result["missing"] else []),
        "",
        "## Sets",
        "",
        "| set | files | " + " | ".join(detectors) + " |",
        "|---|---:|" + "---:|" * len(detectors),
    ]
    for name, (_, count) in first["sets"].items():
        lines.append(
            f"| {name} | {count:,} | " + " | ".join(cell(one["sets"][name]) for one in detectors.values()) + " |"
        )
    lines += ["", "## How ours were decided", "", "| by | files | right |", "|---|---:|---:|"]
    for name, (count, right) in sorted(result["by"].items(), key=lambda item: -item[1][0]):
        lines.append(f"| {name} | {count:,} | {right / count:.4f} |")
    lines += ["", "## StarCoder2's 17", "", "| language | files | " + " | ".join(detectors) + " |"]
    lines.append("|---|---:|" + "---:|" * len(detectors))
    for language in SEVENTEEN:
        cells = " | ".join(cell(one["seventeen"][language]) for one in detectors.values())
        lines.append(f"| {language} | {first['seventeen'][language][1]:,} | {cells} |")
    lines += ["", "## Shared extensions", "", "| extension | languages seen | files | right | taken for others |"]
    lines.append("|---|---:|---:|---:|---|")
    for row in result["extensions"]:
        share = f"{row['right'] / row['files']:.3f}"
        wrong = ", ".join(f"{what} ({count})" for what, count in row["wrong"].items())
        lines.append(f"| {row['extension']} | {row['languages']} | {row['files']} | {share} | {wrong} |")
    lines += ["", "## Commonest confusions", "", "| label | ours | files |", "|---|---|---:|"]
    lines += [f"| {one['label']} | {one['ours']} | {one['files']} |" for one in result["confusions"]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
