"""Does curation help? The same small model on equally many tokens of curated and of uncurated code.

    python bench/ablation.py --folder FOLDER [--from corpus:standard] [--steps 400] [--seeds 3]

Arms: `curated` is the recipe `small`; `uncurated` has no rule and no near-duplicate removal: every text that can be
read, each distinct content once. Both replace private data, as Starloom always does, and both may use all licences, so
that they differ in their choice of files alone. The same repositories for both but a quarter, held out by a keyed hash
of the name before anything is measured. Held-out text comes in both tastes, `raw` (all files) and `curated` (the
recipe's), and loses whatever resembles a training file of either arm (Jaccard similarity from 0.5 on). One tokenizer,
learned on the uncurated arm: all files of both, so if it favours one, then that one. Same steps, same batches, same
seeds; less than one pass over either arm.

Measured: bits per byte of held-out files (each up to 4 kB, up to 32 kB a repository), and lines filled in (prefix,
suffix, middle; a line of every file): bits per byte of the line, how many of its tokens are the likeliest where they
stand, and how often all are, so that greedy decoding gives exactly it.
Compared: paired bootstrap over files and seeds, and over repositories and seeds.

FOLDER keeps what is made, and a killed run goes on. Cost: the build, then --seeds trainings of each arm, both arms at a
time, a core each. The model is small and sees little: what it shows is what a small model learns first. Writes
bench/results/ablation.json and ablation.md.
"""

import argparse
import datetime
import json
import subprocess
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from importlib.metadata import version
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from ablation import arms, scoring
from ablation.arms import ARMS, TEXTS
from ablation.statistics import compared
from running.machine import machine

import starloom
from starloom.tokens.tokenizer import Tokenizer

RESULTS = Path(__file__).parent / "results"
VOCABULARY = 8192
MEASURES = (
    "bits per byte",
    "bits per byte of a line filled in",
    "share of a line's tokens that are likeliest",
    "lines filled in exactly",
)
SEQUENCE, BATCH = 512, 4
_TRAIN = "\n[train]\n"
_SETTINGS = f"sequence = {SEQUENCE}\nbatch = {BATCH}\nthreads = 1\nprecision = 'bfloat16'\n"


def prepared(given: argparse.Namespace) -> list[str]:
    """Makes every dataset, the tokenizer and both arms' tokens; the held-out repositories."""
    root = arms.base(given.folder, given.source, given.workers)
    held = arms.held_out(root, given.seed)
    for arm in reversed(ARMS):
        place = arms.dataset(given.folder, f"arm-{arm}", arm, held, of_held_out=False)
        if arm == "uncurated":
            arms.starloom(place, "tokenizer", "--vocabulary", str(VOCABULARY))
        else:
            arms.starloom(place, "tokenizer", "--from", str(given.folder / "arm-uncurated" / "tokenizer"))
        arms.starloom(place, "pack")
    for text in TEXTS:
        arms.dataset(
            given.folder, f"text-{text}", "curated" if text == "curated" else "uncurated", held, of_held_out=True
        )
    return held


def trained(given: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    """What `starloom train` says of each run of each arm; the arms side by side, so that both share what the machine
    does meanwhile."""

    def train(arm: str) -> list[dict[str, Any]]:
        root = given.folder / f"arm-{arm}"
        settings = root / "starloom.toml"
        plain = settings.read_text().split(_TRAIN)[0]
        settings.unlink()  # a hard link: to be written anew, not into
        runs = []
        for seed in range(given.seeds):
            settings.write_text(f"{plain}{_TRAIN}{_SETTINGS}seed = {seed}\n")
            told = arms.starloom(root, "train", f"seed-{seed}", "--steps", str(given.steps))
            runs.append({name: value for name, value in told.items() if name != "model"})
        return runs

    with ThreadPoolExecutor(len(ARMS)) as pool:
        return dict(zip(ARMS, pool.map(train, ARMS)))


def judged(given: argparse.Namespace) -> dict[str, Any]:
    refused = arms.resembling(given.folder)
    tokenizer = Tokenizer.open(given.folder / "arm-uncurated" / "tokenizer")
    found: dict[str, Any] = {"resembling": len(refused), "texts": {}}
    for text in TEXTS:
        root = given.folder / f"text-{text}"
        texts = arms.sample(root, refused, given.seed, repository_bytes=given.bytes, file_bytes=given.bytes // 8)
        ids, asked = scoring.documents(tokenizer, texts), scoring.problems(tokenizer, texts, given.seed)
        models = [
            given.folder / f"arm-{arm}" / "models" / f"seed-{n}" / "model" for arm in ARMS for n in range(given.seeds)
        ]
        with ProcessPoolExecutor(given.workers, get_context("spawn")) as pool:
            all_scores = list(pool.map(scoring.score, models, repeat(ids), repeat(asked)))
        scores = {arm: all_scores[at * given.seeds : (at + 1) * given.seeds] for at, arm in enumerate(ARMS)}
        names = sorted({one.repo_name for one in texts})
        of_text = np.array([names.index(one.repo_name) for one in texts])
        of_problem = of_text[[one.text for one in asked]]
        sizes = np.array([one.bytes for one in texts], np.float64)
        middles = np.array([one.bytes for one in asked], np.float64)
        tokens = np.array([len(one.ids) - one.middle for one in asked], np.float64)

        def compare(what: str, weights: Any, repositories: Any, scores: Any = scores) -> dict[str, Any]:
            both = [np.array([getattr(one, what) for one in scores[arm]], np.float64) for arm in ARMS]
            return compared(both[0], both[1], weights, repositories).row()

        found["texts"][text] = {
            "files": len(texts),
            "repositories": len(names),
            "bytes": int(sizes.sum()),
            "problems": len(asked),
            "bits per byte": compare("bits", sizes, of_text),
            "bits per byte of a line filled in": compare("middle_bits", middles, of_problem),
            "share of a line's tokens that are likeliest": compare("right", tokens, of_problem),
            "lines filled in exactly": compare("exact", np.ones(len(asked)), of_problem),
        }
    return found


def commit() -> str:
    """Of the Starloom that ran."""
    where = Path(starloom.__file__).parent
    told = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=where, capture_output=True, text=True)
    return told.stdout.strip() or "of no commit"


def better(row: dict[str, Any], less_is_better: bool) -> str:
    """What both intervals allow to say."""
    if row["first"] == row["second"] == 0:
        return "none at all"

    def side(low: float, high: float) -> str:
        if low <= 0 <= high:
            return "open"
        return "curated" if (low > 0) == less_is_better else "uncurated"

    files, repositories = side(*row["files"]), side(*row["repositories"])
    if files == repositories:
        return files
    return f"{files} over files, {repositories} over repositories"


def report(found: dict[str, Any]) -> str:
    lines = [
        "# Curated against uncurated, at equal tokens",
        "",
        f"`{found['command']}`, {found['date']}; {found['machine']}; torch {found['torch']}, "
        f"Starloom {found['commit']}. "
        f"{found['parameters']:,} parameters, {found['steps']:,} steps of {BATCH} x {SEQUENCE} tokens a run, "
        f"{found['seeds']} seeds an arm. What was compared with what, and why so: `bench/ablation.py`.",
        "",
        "| arm | repositories | files | text | tokens packed | tokens a run saw |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for arm in ARMS:
        one = found["arms"][arm]
        lines.append(
            f"| {arm} | {one['repositories']} | {one['files']:,} | {one['bytes'] / 1e6:.1f} MB | {one['packed']:,} "
            f"| {one['tokens']:,} |"
        )
    lines += [
        "",
        f"Held out before anything was measured: {', '.join(found['held out'])}. {found['resembling']:,} held-out "
        "contents went because they resemble a training file of an arm.",
        "",
        "Difference: uncurated - curated, with its 95 % interval (paired bootstrap), drawing files and seeds | drawing "
        "repositories and seeds; then of each seed alone. Bits: less is better; the others: more is better. Better: "
        "the arm that an interval without 0 shows to be so; open: it has 0 in it.",
        "",
        "| held-out text | measure | curated | uncurated | difference | over files | over repositories | each seed "
        "| better |",
        "|---|---|---:|---:|---:|---|---|---|---|",
    ]
    for text, one in found["texts"].items():
        about = f"{text}: {one['files']} files of {one['repositories']} repositories, {one['bytes'] / 1e3:.0f} kB"
        for measure in MEASURES:
            row = one[measure]
            spans = " | ".join(f"{low:+.4f} to {high:+.4f}" for low, high in (row["files"], row["repositories"]))
            seeds = ", ".join(f"{each:+.4f}" for each in row["seeds"])
            what = measure if measure == "bits per byte" else f"{measure} ({one['problems']} lines)"
            lines.append(
                f"| {about} | {what} | {row['first']:.4f} | {row['second']:.4f} | {row['difference']:+.4f} "
                f"| {spans} | {seeds} | {better(row, measure.startswith('bits'))} |"
            )
    share = max(one["tokens"] / one["packed"] for one in found["arms"].values())
    lines += [
        "",
        f"Limits: a model of {found['parameters'] / 1e6:.1f} million parameters after {share:.1%} of a pass shows what "
        "is learnt first; nothing here speaks of larger models, or of more than a pass.",
    ]
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="for what is made, kept")
    parser.add_argument("--from", dest="source", action="append", help="default: corpus:standard")
    parser.add_argument("--steps", type=int, default=400, help="of each training")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each arm")
    parser.add_argument("--seed", type=int, default=0, help="of the held-out repositories and of what is sampled")
    parser.add_argument("--bytes", type=int, default=32_768, help="of a repository's text that is scored, at most")
    parser.add_argument("--workers", type=int, default=2, help="for building and scoring")
    parser.add_argument("--date", default=datetime.date.today().isoformat(), help="written with the results")
    given = parser.parse_args()
    given.source = given.source or ["corpus:standard"]
    given.folder = given.folder.resolve()
    held = prepared(given)
    runs = trained(given)
    found = {
        "command": f"python bench/ablation.py --from {' --from '.join(given.source)} --steps {given.steps} "
        f"--seeds {given.seeds} --seed {given.seed} --bytes {given.bytes}",
        "date": given.date,
        "machine": machine(),
        "torch": version("torch"),
        "commit": commit(),
        "held out": held,
        "steps": given.steps,
        "seeds": given.seeds,
        "parameters": runs["curated"][0]["parameters"],
        "arms": {
            arm: arms.facts(given.folder / f"arm-{arm}") | {"tokens": runs[arm][0]["tokens"], "runs": runs[arm]}
            for arm in ARMS
        },
        **judged(given),
    }
    (RESULTS / "ablation.json").write_text(json.dumps(found, indent=1) + "\n")
    (RESULTS / "ablation.md").write_text(report(found))
    print(report(found))


if __name__ == "__main__":
    main()
