"""Speed of the kernels, beside datasketch and rensa, in MB of text per second of CPU time on one core.

    python bench/kernels.py [--mb 64] [--peer-mb 4] [--repeats 3] [--date 2026-11-24]

Input: the .py files of the standard library and of site-packages, by path, up to --mb. The peers are given
the same tokens and 5-grams, made by Python's `re`; their figures are shown with that preparation, to compare
with ours from text to signature, and without it, to compare with our permutations alone. Writes
bench/results/kernels.json and kernels.md. The machine is shared: read the figures as ratios.
"""

import argparse
import datetime
import importlib.metadata
import itertools
import json
import platform
import re
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from starloom.dedup.verify import verify
from starloom.kernels import code_points, lines, minhash, pairs, runs, shape, shingles, text, warm, words
from starloom.kernels.seed import FROZEN_SEED

ALONE, OURS = "256 permutations of ready shingles", "signatures(256) + 50x5 bands"
RESULTS = Path(__file__).parent / "results"


def sources(limit: int) -> list[str]:
    found, size = [], 0
    places = [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib")]
    for path in [path for place in places for path in sorted(place.rglob("*.py"))]:
        try:
            content = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        found.append(content)
        size += len(content.encode())
        if size >= limit:
            break
    return found


def cpu_seconds(work: Callable[[], Any], repeats: int) -> float:
    """The least CPU time of `repeats` runs."""
    best = float("inf")
    for _ in range(repeats):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best


def grams(content: str) -> Iterator[str]:
    tokens = re.findall(r"\w+", content.lower())
    for i in range(len(tokens) - 4):
        yield " ".join(tokens[i : i + 5])


def measure_kernels(contents: list[str], repeats: int) -> dict[str, float]:
    offsets, data = text.text_buffers(pa.array(contents, pa.large_string()))
    megabytes = len(data) / 1e6

    def signatures_and_bands(permutations: int, bands: int) -> Any:
        found, _, _ = minhash.signatures(offsets, data, permutations=permutations)
        return minhash.band_hashes(found, bands, 5)

    table, (a, b) = code_points.properties(), minhash.multipliers(FROZEN_SEED, 256)
    files, work = [], words.room()
    for start, end in itertools.pairwise(offsets.tolist()):
        found = np.empty((end - start) // 2 + 1, dtype=np.uint64)
        tokens, _, _ = shingles.shingle_file(data, start, end, table, work, found, 0)
        files.append(found[: max(tokens - 4, 0)].copy())
    signature = np.empty(256, dtype=np.uint32)

    def permutations_alone() -> None:
        for found in files:
            minhash._permute((found >> np.uint64(32)).astype(np.uint32), a, b, signature)

    def everything() -> None:
        lines.line_statistics(offsets, data)
        runs.encoded_runs(offsets, data)
        shape.shape(offsets, data)
        signatures_and_bands(256, 50)

    steps: dict[str, Callable[[], Any]] = {
        "line_statistics": lambda: lines.line_statistics(offsets, data),
        "encoded runs": lambda: runs.encoded_runs(offsets, data),
        "shape": lambda: shape.shape(offsets, data),
        "tokens and stream hash": lambda: shingles.token_counts_and_stream_hash(offsets, data),
        "shingle sets": lambda: shingles.shingle_sets(offsets, data),
        ALONE: permutations_alone,
        OURS: lambda: signatures_and_bands(256, 50),
        "signatures(128) + 25x5 bands": lambda: signatures_and_bands(128, 25),
        "all kernels of `measure`, 256 permutations": everything,
    }
    return {name: megabytes / cpu_seconds(work, repeats) for name, work in steps.items()}


def measure_pairs(contents: list[str], repeats: int) -> dict[str, float]:
    """Verification of random neighbours: pairs per second, and shingles a side."""
    offsets, data = text.text_buffers(pa.array(contents, pa.large_string()))
    bounds, sets = shingles.shingle_sets(offsets, data)
    left = np.random.default_rng(0).integers(0, len(contents) - 8, 20_000)
    right = left + 1 + np.arange(len(left)) % 8
    full = cpu_seconds(lambda: pairs.jaccard(bounds, sets, left, right, 0.0), repeats)
    early = cpu_seconds(lambda: pairs.jaccard(bounds, sets, left, right, 0.7), repeats)
    whole = cpu_seconds(lambda: verify(offsets, data, left[:2000], right[:2000], 0.7), repeats)
    sizes = np.diff(bounds)
    return {
        "pairs_per_second_full_merge": len(left) / full,
        "pairs_per_second_floor_0.7": len(left) / early,
        "verify_2000_pairs_seconds": whole,
        "mean_shingles_a_side": float((sizes[left].mean() + sizes[right].mean()) / 2),
    }


def measure_peers(contents: list[str], repeats: int) -> dict[str, float]:
    """MB/s of the peers at 256 permutations."""
    import datasketch
    import rensa

    megabytes = sum(len(content.encode()) for content in contents) / 1e6
    ready: list[list[str]] = []
    preparation = cpu_seconds(lambda: ready.extend(list(grams(content)) for content in contents), 1)
    encoded = [[gram.encode() for gram in one] for one in ready]

    def with_datasketch() -> None:
        for one in encoded:
            datasketch.MinHash(num_perm=256).update_batch(one)

    def with_rensa() -> None:
        for one in ready:
            signature = rensa.RMinHash(num_perm=256, seed=42)
            signature.update(one)
            signature.digest()

    found = {}
    for name, work in (("datasketch MinHash(256)", with_datasketch), ("rensa RMinHash(256)", with_rensa)):
        alone = cpu_seconds(work, repeats)
        found[name] = megabytes / (alone + preparation)
        found[f"{name}, ready 5-grams"] = megabytes / alone
    return found


def machine() -> dict[str, str | int]:
    info = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", info)
    flags = re.search(r"flags\s*: (.*)", info)
    present = set(flags[1].split()) if flags else set()
    return {
        "cpu": model[1] if model else platform.processor(),
        "vectors": ", ".join(name for name in ("avx2", "avx512dq") if name in present),
        "python": platform.python_version(),
        "unicode": code_points.UNICODE_VERSION,
        **{name: importlib.metadata.version(name) for name in ("numba", "numpy", "pyarrow", "datasketch", "rensa")},
    }


def table(result: dict[str, Any]) -> str:
    kernels, place = result["kernels"], result["machine"]
    versions = ", ".join(f"{name} {place[name]}" for name in ("python", "numba", "numpy", "datasketch", "rensa"))
    peers = [
        f"| {name} | {value:.1f} | {ours} | {kernels[ours]:.0f} | {kernels[ours] / value:.1f} |"
        for name, value in result["peers"].items()
        for ours in [ALONE if "ready" in name else OURS]
    ]
    figures = ", ".join(f"{name.replace('_', ' ')} {value:,.3g}" for name, value in result["pairs"].items())
    return f"""# Kernels

`python bench/kernels.py`, {result["date"]}: {result["files"]:,} .py files, {result["mb"]:.1f} MB.
{place["cpu"]} ({place["vectors"]}); {versions}.
MB of text per second of CPU time, one core of a shared machine.

| step | MB/s |
|---|---|
{chr(10).join(f"| {name} | {value:.0f} |" for name, value in kernels.items())}

The peers on {result["peer_mb"]:.1f} MB of the same files. Their tokens and 5-grams are made by Python's `re`,
which is counted except where it says ready 5-grams; those they still hash, while ours are hashes already.

| peer | MB/s | ours | MB/s | ratio |
|---|---|---|---|---|
{chr(10).join(peers)}

Verification: {figures}.
`warm()`: {result["warm_seconds"]:.1f} s.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=float, default=64, help="text for the kernels")
    parser.add_argument("--peer-mb", type=float, default=4, help="text for the peers")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each; the best counts")
    parser.add_argument("--date", default=datetime.date.today().isoformat(), help="written with the results")
    arguments = parser.parse_args()
    warm_seconds = warm()
    contents = sources(int(arguments.mb * 1e6))
    # Every k-th file, so that the peers see the same mixture.
    total = sum(map(len, contents))
    slice_ = contents[:: max(round(total / (arguments.peer_mb * 1e6)), 1)]
    result = {
        "date": arguments.date,
        "machine": machine(),
        "files": len(contents),
        "mb": sum(len(content.encode()) for content in contents) / 1e6,
        "peer_mb": sum(len(content.encode()) for content in slice_) / 1e6,
        "warm_seconds": warm_seconds,
        "kernels": measure_kernels(contents, arguments.repeats),
        "pairs": measure_pairs(contents, arguments.repeats),
        "peers": measure_peers(slice_, arguments.repeats),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "kernels.json").write_text(json.dumps(result, indent=2) + "\n")
    report = table(result)
    (RESULTS / "kernels.md").write_text(report)
    print(report)


if __name__ == "__main__":
    main()
