"""Quality scorers: speed on one core, and how well they tell files that programs wrote from files that people wrote.

    python bench/quality.py --workspace DIR [--peers PYTHON] [--folds 3] [--date 2026-11-28]

DIR is a built workspace over many packages (`--from corpus:standard`). Labels come from it, and are made honestly, not
well: a file is bad where Starloom found it written by a program (a marker, a header, the form of a compiler's output),
good where it is code without such a sign, six good ones for each bad. The signs themselves are taken away with the
first ten lines of every file. Folds are of whole repositories (nothing of a held-out package was seen; few packages
hold most generated files, so folds differ much) and, as the easy case, of single files. The peer is fastText (PyPI
fasttext-wheel; floret gives the same answers) in a Python of its own, learning from the same files, words split at
white space. Speeds: MB of text per second of CPU time, one core of a shared machine: read them as ratios. Writes
bench/results/quality.json and quality.md.
"""

import argparse
import datetime
import itertools
import json
import os
import platform
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from starloom.kernels import lines
from starloom.kernels.ngrams import margins
from starloom.kernels.random import keyed_uint64s
from starloom.kernels.texture import texture
from starloom.languages.table import by_name
from starloom.quality import heuristics
from starloom.quality.scorer.files import as_files
from starloom.quality.scorer.judging import figures
from starloom.quality.scorer.labels import HEAD, Labelled
from starloom.quality.scorer.learning import LearningSettings, learn, rows_of

RESULTS = Path(__file__).parent / "results"
PEER = Path(__file__).parent / "quality" / "ask_fasttext.py"
HEADER_LINES, FEWEST_CHARACTERS, GOOD_FOR_EACH_BAD = 10, 200, 6


class Corpus(NamedTuple):
    labelled: Labelled
    repositories: list[str]


def labels(workspace: Path) -> Corpus:
    """Programming files of the ledger that `measure` looked at, by content id, generated or not."""
    ledger = ds.dataset(sorted((workspace / "ledger").glob("*.parquet"))).to_table(
        columns=["content_id", "repo_name", "language", "is_generated"],
        filter=pc.field("is_generated").is_valid() & pc.field("language").is_valid(),
    )
    about: dict[str, tuple[str, str, bool]] = {}
    for content, repository, language, generated in sorted(zip(*(ledger.column(k).to_pylist() for k in range(4)))):
        known = by_name(language)
        if known and known.kind == "programming":
            about.setdefault(content, (repository, language, generated))
    bad = [one for one, (_, _, generated) in about.items() if generated]
    good = sorted(one for one, (_, _, generated) in about.items() if not generated)
    order = np.argsort(keyed_uint64s(0, "bench quality", good))[: GOOD_FOR_EACH_BAD * len(bad)]
    wanted = {*bad, *(good[place] for place in order.tolist())}
    parts = sorted((workspace / "files").glob("*/contents.parquet"))
    contents = ds.dataset(parts).to_table(
        columns=["content_id", "content"], filter=pc.field("content_id").isin(pa.array(sorted(wanted)))
    )
    found = {}
    for content, text in zip(*(contents.column(k).to_pylist() for k in range(2))):
        body = "".join(text.splitlines(keepends=True)[HEADER_LINES:])[:HEAD]
        if len(body.strip()) >= FEWEST_CHARACTERS:
            found[content] = body
    ids = sorted(found)
    rows = [about[one] for one in ids]
    files = as_files([found[one] for one in ids], [row[1] for row in rows], ["programming"] * len(rows))
    targets = np.array([not row[2] for row in rows], dtype=np.float64)
    return Corpus(Labelled(files, targets, [row[0] for row in rows]), [row[0] for row in rows])


def some(labelled: Labelled, rows: Any) -> Labelled:
    return Labelled(
        rows_of(labelled.files, rows), labelled.targets[rows], [labelled.groups[row] for row in rows.tolist()]
    )


def folds(labelled: Labelled, repositories: list[str], count: int) -> dict[str, list[Any]]:
    """Held-out rows of each fold, by way of splitting. Folds of repositories are about equal in bad files."""
    bad = Counter(one for one, target in zip(repositories, labelled.targets) if target < 0.5)
    sizes, place = [0] * count, {}
    for name in sorted(set(repositories), key=lambda one: (-bad[one], one)):
        place[name] = min(range(count), key=lambda k: (sizes[k], k))
        sizes[place[name]] += bad[name] or 1
    by_repository = np.array([place[one] for one in repositories])
    by_file = np.random.default_rng(0).permutation(len(repositories)) % count
    return {
        name: [np.flatnonzero(which == k) for k in range(count)]
        for name, which in (("repositories", by_repository), ("files", by_file))
    }


def texts_of(labelled: Labelled) -> list[str]:
    bounds = labelled.files.offsets.tolist()
    return [
        labelled.files.data[start:stop].tobytes().decode("utf-8", "replace")
        for start, stop in itertools.pairwise(bounds)
    ]


def ask_peer(python: str, training: Labelled, held_out: Labelled) -> dict[str, Any] | None:
    """What ask_fasttext.py prints; None where the peer is missing or fails."""
    with tempfile.TemporaryDirectory() as folder:
        for name, part in (("train.jsonl", training), ("test.jsonl", held_out)):
            with Path(folder, name).open("w", encoding="utf-8") as file:
                for text, target in zip(texts_of(part), part.targets.tolist()):
                    file.write(json.dumps({"text": text, "label": int(target)}) + "\n")
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        done = subprocess.run(
            [python, str(PEER), "fasttext", folder], capture_output=True, text=True, env=environment, check=False
        )
        if done.returncode:
            print(f"fastText: {(done.stderr.splitlines() or ['no answer'])[-1]}")
            return None
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def judge(corpus: Corpus, count: int, peers: str | None) -> list[dict[str, Any]]:
    """One row a scorer, way of splitting and fold."""
    labelled, found = corpus.labelled, []
    for split, held in folds(labelled, corpus.repositories, count).items():
        for number, rows in enumerate(held):
            rest = np.setdiff1d(np.arange(len(labelled.targets)), rows)
            training, held_out = some(labelled, rest), some(labelled, rows)
            if split == "files":
                training = training._replace(groups=[str(k) for k in range(len(rest))])
            megabytes = (len(training.files.data) / 1e6, len(held_out.files.data) / 1e6)

            answers: list[tuple[str, str, Any, float | None, float]] = []  # …, scores, seconds of learning, of asking
            ways: dict[str, Callable[[], LearningSettings]] = {
                "starloom, 2 tokens": LearningSettings,
                "starloom, 1 token": lambda: LearningSettings(orders=1),
                "starloom, 3 tokens": lambda: LearningSettings(orders=3, bits=20),
            }
            for name, settings in ways.items():
                started = time.process_time()
                scorer = learn(training, settings())
                learning = time.process_time() - started
                started = time.process_time()
                scores = scorer.score(held_out.files)
                answers.append((name, "this checkout", scores, learning, time.process_time() - started))
            started = time.process_time()
            scores = heuristics.score(held_out.files.offsets, held_out.files.data, held_out.files.kinds).score
            answers.append(("starloom heuristics", "this checkout", scores, None, time.process_time() - started))
            if peers and (answer := ask_peer(peers, held_out=held_out, training=training)):
                answers.append(("fastText", *(answer[key] for key in ("version", "scores", "learning", "asking"))))
            for name, version, scores, learned, asked in answers:
                told = figures(np.asarray(scores, dtype=np.float64), held_out.targets)
                keys = ("files", "good", "accuracy", "majority", "auc", "log_loss", "calibration_error")
                row = {"scorer": name, "version": version, "split": split, "fold": number}
                speeds = {"asking_mb_s": megabytes[1] / asked, "learning_s": learned, "learned_mb": megabytes[0]}
                found.append(row | {key: told[key] for key in keys} | speeds)
                print(f"{split} {number} {name}: auc {told['auc']}, accuracy {told['accuracy']}", flush=True)
    return found


def speeds(corpus: Corpus) -> dict[str, float]:
    """MB/s of the kernels and of whole scorers, the best of three."""
    files = corpus.labelled.files
    dice = np.random.default_rng(0)
    weights = {bits: dice.normal(size=1 << bits).astype(np.float32) for bits in (18, 20)}
    steps: dict[str, Callable[[], Any]] = {
        "n-gram margins, 1 token, 2^18 weights": lambda: margins(files.offsets, files.data, weights[18], 1),
        "n-gram margins, 2 tokens, 2^18 weights": lambda: margins(files.offsets, files.data, weights[18], 2),
        "n-gram margins, 3 tokens, 2^20 weights": lambda: margins(files.offsets, files.data, weights[20], 3),
        "heuristics": lambda: heuristics.score(files.offsets, files.data, files.kinds),
        "of which texture": lambda: texture(files.offsets, files.data),
        "beside: line_statistics": lambda: lines.line_statistics(files.offsets, files.data),
    }
    found = {}
    for name, work in steps.items():
        work()
        best = float("inf")
        for _ in range(3):
            started = time.process_time()
            work()
            best = min(best, time.process_time() - started)
        found[name] = len(files.data) / 1e6 / best
    return found


def table(result: dict[str, Any]) -> str:
    rows = result["folds"]
    about = result["labels"]
    packages = ", ".join(f"{name} {count:,}" for name, count in about["bad_by_repository"])
    languages = ", ".join(f"{name} {count:,}" for name, count in about["bad_by_language"])
    out = []
    for split in ("repositories", "files"):
        names = list(dict.fromkeys(row["scorer"] for row in rows))
        out += [
            f"\n## Held out by {split}\n",
            "| scorer | version | AUC, each fold | mean | accuracy | majority | log loss | calibration error | "
            "asking, MB/s | learning, s |",
            "|---|---|---|---:|---:|---:|---:|---:|---:|---:|",
        ]
        for name in names:
            mine = [row for row in rows if row["scorer"] == name and row["split"] == split]

            def mean(key: str, mine: list[dict[str, Any]] = mine) -> float:
                return float(np.mean([row[key] for row in mine]))

            learning = f"{mean('learning_s'):.1f}" if mine[0]["learning_s"] is not None else ""
            out.append(
                f"| {name} | {mine[0]['version']} | {', '.join(format(row['auc'], '.3f') for row in mine)} | "
                f"{mean('auc'):.3f} | {mean('accuracy'):.3f} | {mean('majority'):.3f} | {mean('log_loss'):.3f} | "
                f"{mean('calibration_error'):.3f} | {mean('asking_mb_s'):.0f} | {learning} |"
            )
    speed = [f"| {name} | {value:.0f} |" for name, value in result["speeds"].items()]
    return "\n".join(
        [
            "# Quality scorers",
            "",
            f"`python bench/quality.py`, {result['date']}, {result['machine']}.",
            f"{about['files']:,} files of {about['repositories']} packages, {about['bad']:,} of them written by "
            f"programs ({about['mb']:.1f} MB; the first {HEADER_LINES} lines, where the markers stand, are taken "
            f"away). Most of the bad ones: {packages}; {languages}.",
            "A score is the chance of `good`; the heuristics' is no chance, so only their AUC compares. The labels ask "
            "whether a program wrote a file, not whether it is good; heuristics judge what a file looks like, and much "
            "compiled code looks like code.",
            *out,
            "\n## Speed\n",
            "| step | MB/s |",
            "|---|---:|",
            *speed,
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", type=Path, required=True, help="a built workspace over many packages")
    parser.add_argument("--peers", help="a Python with fasttext-wheel and NumPy 1")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--date", default=datetime.date.today().isoformat(), help="written with the results")
    arguments = parser.parse_args()
    corpus = labels(arguments.workspace)
    targets = corpus.labelled.targets
    bad = np.flatnonzero(targets < 0.5).tolist()
    languages = corpus.labelled.files.languages
    result = {
        "date": arguments.date,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()} (shared machine)",
        "labels": {
            "files": len(targets),
            "bad": len(bad),
            "mb": len(corpus.labelled.files.data) / 1e6,
            "repositories": len(set(corpus.repositories)),
            "bad_by_repository": Counter(corpus.repositories[row] for row in bad).most_common(6),
            "bad_by_language": Counter(languages[row] for row in bad).most_common(6),
        },
        "speeds": speeds(corpus),
        "folds": judge(corpus, arguments.folds, arguments.peers),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "quality.json").write_text(json.dumps(result, indent=1) + "\n")
    report = table(result)
    (RESULTS / "quality.md").write_text(report)
    print(report)


if __name__ == "__main__":
    main()
