"""Near-deduplication beside other deduplicators: signatures, end to end, quality; then a million files, and hard ones.

    python bench/dedup.py --seed-workspace FOLDER [--only quality,scale] [--datatrove PYTHON] [--daft PYTHON]
        [--text-dedup PYTHON CHECKOUT] [--bigcode PYTHON PYTHON_V1 CHECKOUT]

Input: the contents of a workspace of real code that is built (without it one is made of `--from`), up to `--mb`; for
quality, releases of packages that pip and npm fetch. Everybody is given the same Parquet files, runs by itself in a
process of its own, one after the other, and is asked in the same way: bench/dedup/peers. Seconds of CPU count all
processes and threads, from when imports are done. Sections that are not run anew stay in bench/results/dedup.json as
they are, each with its date. The machine is shared: read the figures as ratios.
"""

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from running.machine import kept_or_temporary

from dedup import adversarial, exact, inputs, multiply, roster, tables, watched

RESULTS = Path(__file__).parent / "results"
PARTS = Path(__file__).parent / "dedup"
STARLOOM = [sys.executable, "-c", "from starloom.commands import main; main()"]
SECTIONS = ("signatures", "end to end", "quality", "scale", "adversarial")
THRESHOLD = 0.7
AVX2 = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+fma,+bmi,+bmi2"}
_QUICK = 60.0  # seconds of CPU
Found = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="source", default="corpus:standard")
    parser.add_argument("--seed-workspace", type=Path)
    parser.add_argument("--mb", type=float, default=500, help="text from end to end, where there is so much")
    parser.add_argument("--slice-mb", type=float, default=20, help="of it, for signatures alone")
    parser.add_argument("--scale", default="10000,100000,1000000", help="files")
    parser.add_argument("--hard", type=int, default=50_000, help="files in the hard cases")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections")
    parser.add_argument("--who", default="", help="only names that contain this, and us")
    parser.add_argument("--repeats", type=int, default=3, help="runs from end to end of who is quick")
    parser.add_argument("--limit", type=float, default=3600, help="seconds for one run; what takes longer is stopped")
    parser.add_argument("--folder", type=Path, help="for inputs, to be used again; default: a temporary one")
    parser.add_argument("--date", default=datetime.date.today().isoformat(), help="written with the results")
    roster.options(parser)
    given = parser.parse_args()
    found = json.loads((RESULTS / "dedup.json").read_text()) if (RESULTS / "dedup.json").exists() else {}
    found["machine"] = machine()
    with kept_or_temporary(given.folder) as folder:
        for section in given.only.split(","):
            found[section] = {"date": given.date} | run(section, given, folder)
            RESULTS.mkdir(exist_ok=True)
            (RESULTS / "dedup.json").write_text(json.dumps(found, indent=1) + "\n")
            (RESULTS / "dedup.md").write_text(tables.report(found))
    print(tables.report(found))


def run(section: str, given: argparse.Namespace, folder: Path) -> Found:
    if section not in SECTIONS:
        raise SystemExit(f"no section {section!r}; one of: {', '.join(SECTIONS)}")
    peers = {name: one for name, one in roster.peers(given).items() if given.who in name or "Starloom" in name}
    if section == "quality":
        return quality(peers, given, folder)
    if section == "adversarial":
        return hard(given, folder)
    corpus = real_code(given, folder)
    if section == "signatures":
        return signatures(peers, given, folder, corpus)
    if section == "scale":
        return scale(given, folder, corpus)
    return end_to_end(peers, given, folder, corpus)


def real_code(given: argparse.Namespace, folder: Path) -> Path:
    target = folder / f"real-{given.mb:g}.parquet"
    if not target.exists():
        seed = given.seed_workspace or folder / "seed"
        if not given.seed_workspace:
            subprocess.run([*STARLOOM, "init", str(seed), "--from", given.source], check=True)
            subprocess.run([*STARLOOM, "build", "read", "-w", str(seed)], check=True)
        inputs.speed(seed, target, int(given.mb * 1e6))
    return target


def signatures(peers: dict[str, roster.Peer], given: argparse.Namespace, folder: Path, corpus: Path) -> Found:
    part = folder / f"slice-{given.slice_mb:g}.parquet"
    inputs.slice_of(corpus, part, int(given.slice_mb * 1e6))
    runs = {}
    for name, peer in peers.items():
        if peer.signs:
            runs[name] = told(name, watched.run(peer.command("signatures", str(part)), limit=given.limit))
    name = f"{roster.OURS}, AVX2 only"
    runs[name] = told(name, watched.run(peers[roster.OURS].command("signatures", str(part)), AVX2, given.limit))
    return {"input": described(part), "runs": runs}


def end_to_end(peers: dict[str, roster.Peer], given: argparse.Namespace, folder: Path, corpus: Path) -> Found:
    """All in turn, then those again that take less than _QUICK, up to `--repeats` times. The median run counts; every
    run is written down, with the load of the machine before it."""
    words = [len(re.findall(r"\w+", text)) for text in pq.read_table(corpus)["content"].to_pylist()]
    taken: dict[str, list[Found]] = {name: [] for name in peers}
    kept: dict[str, list[int]] = {}
    for turn in range(given.repeats):
        for name, peer in peers.items():
            if turn and ("problem" in taken[name][0] or taken[name][0]["cpu"] > _QUICK):
                continue
            load, target = os.getloadavg()[0], folder / "keepers.parquet"
            one = watched.run(peer.command("keep", str(corpus), str(target)), limit=given.limit)
            taken[name].append(told(name, one | {"load before": load}))
            if "problem" not in one:
                kept[name] = pq.read_table(target)["keeper"].to_pylist()
    if kept[roster.OURS] != kept[roster.OURS_IN_MEMORY]:
        raise SystemExit("near_duplicates and near_duplicates_in_files differ")
    runs = {}
    for name, some in taken.items():
        middle = sorted(some, key=lambda one: one["cpu"])[len(some) // 2]
        removed = [number for number, keeper in enumerate(kept.get(name, ())) if keeper != number]
        counts = {"removed": len(removed), "short": sum(words[number] < 5 for number in removed)}
        every = [{key: one[key] for key in ("cpu", "wall", "load before")} for one in some]
        runs[name] = middle | counts | {"every run": every}
    return {"input": described(corpus), "runs": runs}


def quality(peers: dict[str, roster.Peer], given: argparse.Namespace, folder: Path) -> Found:
    found: Found = {"sets": {}}
    for name, kinds in inputs.QUALITY.items():
        files = folder / f"quality {name}.parquet"
        if not files.exists():
            inputs.quality(folder / "archives", kinds, files)
        runs: Found = {}
        words = None
        for who, peer in peers.items():
            if who == roster.OURS_IN_MEMORY:
                continue
            keepers, shingles = folder / "keepers.parquet", folder / "shingles.parquet"
            runs[who] = told(
                who, watched.run(peer.command("keep", str(files), str(keepers), "--pairs"), {}, given.limit)
            )
            if "problem" in runs[who]:
                continue
            told(who, watched.run(peer.command("shingles", str(files), str(shingles)), limit=given.limit))
            truth = exact.similarities(pq.read_table(shingles)["shingles"])
            words = words or truth  # of the first, who is us
            answer = pq.read_table(keepers)["keeper"].to_numpy()
            pairs = pq.read_table(keepers.with_suffix(".pairs.parquet"))
            runs[who] |= {"own": exact.judged(truth, answer, pairs, THRESHOLD)}
            runs[who] |= {"words": exact.judged(words, answer, pairs, THRESHOLD)}
        found["sets"][name] = {"input": described(files), "runs": runs}
    return found


def scale(given: argparse.Namespace, folder: Path, corpus: Path) -> Found:
    runs = []
    for files in map(int, given.scale.split(",")):
        parts = folder / f"multiplied-{files}"
        if not parts.exists():
            multiply.multiply(corpus, parts.with_suffix(".part"), files)
            parts.with_suffix(".part").rename(parts)
        runs.append(told(f"{files} files", in_files(sorted(parts.iterdir()), given.limit)))
    return {"runs": runs}


def hard(given: argparse.Namespace, folder: Path) -> Found:
    runs = {}
    for case in adversarial.CASES:
        target = folder / f"hard {case} {given.hard}.parquet"
        if not target.exists():
            adversarial.write(case, given.hard, target.with_suffix(".part"))
            target.with_suffix(".part").rename(target)
        runs[case] = told(case, in_files([target], given.limit))
    return {"runs": runs}


def in_files(files: list[Path], limit: float) -> Found:
    return watched.run([sys.executable, str(PARTS / "in_files.py"), *map(str, files)], limit=limit)


def told(name: str, answer: Found) -> Found:
    """The answer, said as it comes: a whole run takes hours."""
    shown = {key: round(value, 2) if isinstance(value, float) else value for key, value in answer.items()}
    print(f"{name}: {json.dumps(shown)}", file=sys.stderr, flush=True)
    return answer


def described(files: Path) -> Found:
    table = pq.read_table(files, columns=["content"])
    return {"files": len(table), "bytes": inputs.size_of(table)}


def machine() -> str:
    info = Path("/proc/cpuinfo").read_text()
    model, flags = re.search(r"model name\s*: (.*)", info), re.search(r"flags\s*: (.*)", info)
    present = set(flags[1].split()) if flags else set()
    vectors = ", ".join(name for name in ("avx2", "avx512dq") if name in present)
    cores = len(re.findall(r"^processor", info, re.MULTILINE))
    return (
        f"{model[1] if model else platform.processor()} ({vectors}), {cores} cores, Python {platform.python_version()}"
    )


if __name__ == "__main__":
    main()
