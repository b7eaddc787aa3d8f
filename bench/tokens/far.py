"""Batches from a store: the loader over a web server that takes 50 ms before each answer."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from dedup import watched

_SECONDS = 0.05
_BATCHES = 600  # 20 million tokens
_BLOCKS = (1, 64)


def measure(packed: Path, folder: Path) -> dict[str, Any]:
    script = str(Path(__file__).with_name("ask_far.py"))
    found = {}
    for block in _BLOCKS:
        cache = folder / "far"
        shutil.rmtree(cache, ignore_errors=True)
        command = [sys.executable, script, str(packed), str(_SECONDS), str(_BATCHES), str(block), str(cache)]
        found[str(block)] = watched.run(command, {"STARLOOM_ALLOW_PRIVATE": "1", "OMP_NUM_THREADS": "1"}, limit=900)
        print("far", block, json.dumps(found[str(block)]), file=sys.stderr, flush=True)
        shutil.rmtree(cache, ignore_errors=True)
    return {"blocks": found}


def table(one: dict[str, Any]) -> str:
    lines = [
        f"A web server on this machine that waits {1000 * _SECONDS:.0f} ms before each answer, rows of 4,096, batches "
        f"of 8, {_BATCHES:,} batches with one thread that reads ahead; pages of 1 MiB, 16 at once. `first`: seconds "
        "from nothing to the first batch, manifest and tables fetched.\n",
        "| rows that stay together | pages on this disk | first | M tokens/s | of CPU | pages fetched | MB | load |",
        "|---:|---|---:|---:|---:|---:|---:|---:|",
    ]
    for block, both in one["blocks"].items():
        if "problem" in both:
            lines.append(f"| {block} | {both['problem'][-80:]} | | | | | | |")
            continue
        for name, words in (("empty", "none"), ("kept", "those of the first time")):
            row = both[name]
            lines.append(
                f"| {block} | {words} | {row['first']:.1f} | **{row['M tokens/s']:.1f}** "
                f"| {row['M tokens/s of CPU']:.0f} | {row['pages']:,} | {row['MB']:,.0f} | {both['load']:.1f} |"
            )
    return "\n".join(lines)
