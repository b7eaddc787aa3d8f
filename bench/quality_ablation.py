"""Does filtering help? The same small model on as many tokens of unfiltered and of filtered files, by bits per byte.

    python bench/quality_ablation.py --workspace DIR [--scorer SCORER] [--limit 0.5] [--steps 600] [--seeds 1]

DIR is a built workspace over many repositories; it is copied, never touched. Arms, alike in all but their rules, near-
duplicates gone from each: `unfiltered` (licence and unknown languages only), `filtered` (its recipe as it stands) and
`quality` (the recipe, and files whose quality_score is below --limit dropped as well). Every arm: build, pack with one
tokenizer, learned from the filtered arm, train the same number of steps from the same seed. Then every model is scored
on the held-out repositories of each arm: the same repositories, whose files are what that arm's rules keep, so that no
arm is judged by its own taste alone. Writes bench/results/quality_ablation.json and quality_ablation.md.

Limits: a model of minutes and millions of weights shows what is cheap to learn; the spread over seeds (and the
bootstrap interval over files) says which differences mean something. Cost: build, and --seeds x 3 trainings of --steps
(about 0.25 s each on one core), one core.
"""

import argparse
import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from starloom.settings import read_toml
from starloom.stages import load_settings

RESULTS = Path(__file__).parent / "results"
STARLOOM = [sys.executable, "-c", "from starloom.commands import main; main()"]
KEPT_RULES = ("license", "unknown-language", "empty")  # of the unfiltered arm
ARMS = ("filtered", "unfiltered", "quality")  # the first gives the tokenizer


def starloom(root: Path, *arguments: str) -> dict[str, Any]:
    """One command on the copied workspace; what it prints as JSON."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*STARLOOM, *arguments, "-w", str(root), "--json"], env=environment, stdout=subprocess.PIPE, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def arm_settings(root: Path, arm: str, scorer: str, limit: float) -> str:
    """What the arm adds to starloom.toml."""
    lines = [f"[quality]\nscorer = {json.dumps(scorer)}\n"]
    if arm == "unfiltered":
        for rule in load_settings(root).rules:
            if rule.name not in KEPT_RULES:
                lines.append(f'[[rules]]\nname = {json.dumps(rule.name)}\ndrop = "false"\n')
    if arm == "quality":
        lines.append(f'[[rules]]\nname = "low-quality"\ndrop = "quality_score < {limit}"\nsource = "ablation"\n')
    return "\n".join(lines)


def dataset(root: Path) -> dict[str, int]:
    """Files and bytes that are kept, of each split."""
    facts = json.loads((root / "dataset" / "manifest.json").read_text())["facts"]
    return {key: value for key, value in facts.items() if isinstance(value, int)}


def run(arguments: argparse.Namespace, root: Path) -> dict[str, Any]:
    path = root / "starloom.toml"
    for section in ("train", "quality", "engine"):
        if section in read_toml(path):
            raise SystemExit(f"{arguments.workspace / 'starloom.toml'} has a section [{section}]: take it out, or copy")
    base = path.read_text() + (
        f"\n[engine]\nworkers = 1\n\n[train]\nsteps = {arguments.steps}\nthreads = 1\nprecision = 'float32'\n"
    )
    texts = {}
    for arm in ARMS:
        path.write_text(base)
        texts[arm] = base + "\n" + arm_settings(root, arm, arguments.scorer, arguments.limit)
    arms: dict[str, Any] = {arm: {} for arm in ARMS}
    for arm in ARMS:
        path.write_text(texts[arm])
        started = time.monotonic()
        starloom(root, "build")
        if arm == ARMS[0]:
            starloom(root, "tokenizer", "--vocabulary", "4096")
        packed = starloom(root, "pack")
        arms[arm] |= {"dataset": dataset(root), "packed_tokens": packed["tokens"]}
        for seed in range(arguments.seeds):
            path.write_text(texts[arm].replace("[train]\n", f"[train]\nseed = {seed}\n"))
            trained = starloom(root, "train", f"{arm}-{seed}")
            arms[arm].setdefault("tokens", trained["tokens"])
        arms[arm]["seconds"] = round(time.monotonic() - started, 1)
    scores = []
    for held_out in ARMS:
        path.write_text(texts[held_out])
        starloom(root, "build")
        for arm in ARMS:
            for seed in range(arguments.seeds):
                row = starloom(root, "eval", "run", f"{arm}-{seed}", "--bytes", str(arguments.bytes))["scores"][0]
                keys = ("value", "low", "high", "problems", "bytes")
                scores.append({"held_out": held_out, "arm": arm, "seed": seed} | {key: row[key] for key in keys})
    return {"arms": arms, "scores": scores}


def table(result: dict[str, Any]) -> str:
    rows = result["scores"]
    lines = [
        "# Filtered against unfiltered, at equal tokens",
        "",
        f"`python bench/quality_ablation.py`, {result['date']}, {result['machine']}: {result['steps']} steps, scorer "
        f"`{result['scorer']}`, limit {result['limit']}, {result['seeds']} seeds.",
        "",
        "| arm | packed tokens | tokens trained on | dataset |",
        "|---|---:|---:|---|",
    ]
    for arm in ARMS:
        about = result["arms"][arm]
        facts = ", ".join(f"{key} {value:,}" for key, value in about["dataset"].items())
        lines.append(f"| {arm} | {about['packed_tokens']:,} | {about['tokens']:,} | {facts} |")
    lines += [
        "",
        "Bits per byte on held-out repositories (less is better), with the interval over files; a column is the files "
        "that an arm's rules keep of them.",
        "",
        "| model | seed | " + " | ".join(f"on {one}" for one in ARMS) + " |",
        "|---|---:|" + "---|" * len(ARMS),
    ]
    for arm in ARMS:
        for seed in range(result["seeds"]):
            cells = [
                f"{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
                for held_out in ARMS
                for row in rows
                if (row["held_out"], row["arm"], row["seed"]) == (held_out, arm, seed)
            ]
            lines.append(f"| {arm} | {seed} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", type=Path, required=True, help="a built workspace; a copy of it is used")
    parser.add_argument("--scorer", default="heuristics", help="as [quality] scorer")
    parser.add_argument("--limit", type=float, default=0.5, help="quality_score below which the third arm drops a file")
    parser.add_argument("--steps", type=int, default=600, help="of each training")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each arm")
    parser.add_argument("--bytes", type=int, default=200_000, help="held-out text that a model is scored on")
    parser.add_argument("--date", default=datetime.date.today().isoformat(), help="written with the results")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="starloom-ablation-") as folder:
        root = Path(folder) / "workspace"
        shutil.copytree(arguments.workspace, root, ignore=shutil.ignore_patterns("models", "tokens", "tokenizer"))
        result = run(arguments, root)
    result |= {
        "date": arguments.date,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        **{key: getattr(arguments, key) for key in ("steps", "seeds", "scorer", "limit")},
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "quality_ablation.json").write_text(json.dumps(result, indent=1) + "\n")
    report = table(result)
    (RESULTS / "quality_ablation.md").write_text(report)
    print(report)


if __name__ == "__main__":
    main()
