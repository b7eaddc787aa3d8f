"""Speed of the build: every stage on the demo's corpus, then the runs in which little or nothing has changed.

    python bench/pipeline.py [--from installed]... [--add FOLDER] [--workers 2]

Input: the standard library and the installed distributions, or what `--from` names. Measured: a first build (kernels
compiled before), `measure` alone on one core, a second build, a build after one threshold changed, and one after a
repository was added (`--add`, by default this checkout). No peer does this job end to end; the kernels' peers stand in
bench/kernels.py. Writes bench/results/pipeline.json and pipeline.md. The machine is shared: read figures as ratios.
"""

import argparse
import datetime
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from starloom.kernels import warm
from starloom.stages import all_stages, load_settings
from starloom.workspace.run import build

RESULTS = Path(__file__).parent / "results"
SCENARIOS = ("first build", "measure on one core", "nothing changed", "one threshold changed", "one repository added")
STARLOOM = [sys.executable, "-c", "from starloom.commands import main; main()"]


def starloom(*arguments: str) -> float:
    """Wall seconds of one command, interpreter and imports included."""
    started = time.monotonic()
    subprocess.run([*STARLOOM, *arguments], check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return time.monotonic() - started


def runs(root: Path) -> list[dict[str, Any]]:
    log = root / ".starloom" / "runs.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def ran(root: Path, before: int) -> list[dict[str, Any]]:
    return [{key: one[key] for key in ("stage", "seconds", "bytes", "rows", "note")} for one in runs(root)[before:]]


def measure_here(root: Path) -> float:
    """CPU seconds of `measure` in this process, whose kernels are loaded: what a core does once it runs."""
    settings = load_settings(root)
    stages = [stage for stage in all_stages() if stage.name in ("list", "read", "measure")]
    started = time.process_time()
    build(root, stages, settings, settings.engine, "bench")
    return time.process_time() - started


def set_workers(root: Path, workers: int) -> None:
    settings = root / "starloom.toml"
    text = re.sub(r"\n\[engine\]\nworkers = \d+\n", "\n", settings.read_text())
    settings.write_text(f"{text}\n[engine]\nworkers = {workers}\n")


def measure(sources: list[str], added: str, workers: int) -> dict[str, Any]:
    found: dict[str, Any] = {"compile kernels, or load them, seconds": round(warm(), 1)}
    with tempfile.TemporaryDirectory(prefix="starloom-bench-") as place:
        root = Path(place) / "workspace"
        starloom("init", str(root), *(one for source in sources for one in ("--from", source)))
        set_workers(root, workers)
        found["first build"] = {"seconds": starloom("build", "-w", str(root)), "stages": ran(root, 0)}
        manifest = json.loads((root / "listing" / "manifest.json").read_text())
        found["corpus"] = {key: manifest["facts"][key] for key in ("repositories", "files", "length_bytes")}

        count = len(runs(root))
        shutil.rmtree(root / "signals")
        set_workers(root, 1)
        cpu = measure_here(root)
        (stage,) = ran(root, count)
        found["measure on one core"] = {"seconds": stage["seconds"], "cpu seconds": cpu, "stages": [stage]}
        set_workers(root, workers)

        count = len(runs(root))
        starloom("build", "-w", str(root))
        seconds = starloom("build", "-w", str(root))
        found["nothing changed"] = {"seconds": seconds, "stages": ran(root, count)}

        count = len(runs(root))
        with (root / "starloom.toml").open("a") as file:
            file.write("\n[decide]\nnear_duplicates = 0.8\n")
        found["one threshold changed"] = {"seconds": starloom("build", "-w", str(root)), "stages": ran(root, count)}

        count = len(runs(root))
        settings = root / "starloom.toml"
        source = f"\n[[sources]]\npath = {json.dumps(added)}\n"
        settings.write_text(settings.read_text().replace("\n[[sources]]", f"{source}\n[[sources]]", 1))
        found["one repository added"] = {"seconds": starloom("build", "-w", str(root)), "stages": ran(root, count)}
    return found


def table(found: dict[str, Any]) -> str:
    corpus = found["corpus"]
    lines = [
        "# Pipeline",
        "",
        f"`python bench/pipeline.py`, {found['date']}: {corpus['repositories']:,} repositories, "
        f"{corpus['files']:,} files, {corpus['length_bytes'] / 1e6:,.1f} MB; {found['workers']} workers.",
        f"{found['machine']}; python {platform.python_version()}.",
        "",
    ]
    for name in SCENARIOS:
        part = found[name]
        stages = part["stages"]
        total = f"{part['seconds']:.1f} s with start and imports"
        if "cpu seconds" in part:
            total = f"{stages[0]['bytes'] / 1e6 / part['cpu seconds']:.1f} MB/s of CPU time, kernels loaded"
        lines += [f"## {name.capitalize()}: {total}", ""]
        if not stages:
            lines += ["No stage ran.", ""]
            continue
        lines += ["| stage | s | MB | MB/s | |", "|---|---|---|---|---|"]
        for one in stages:
            rate = f"{one['bytes'] / 1e6 / max(one['seconds'], 1e-3):,.1f}" if one["bytes"] else ""
            size = f"{one['bytes'] / 1e6:,.1f}" if one["bytes"] else ""
            lines.append(f"| {one['stage']} | {one['seconds']:.2f} | {size} | {rate} | {one['note']} |")
        lines.append("")
    return "\n".join(lines)


def machine() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return f"{line.partition(':')[2].strip()}, {len(os.sched_getaffinity(0))} cores"
    return platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="sources", action="append", default=None)
    parser.add_argument("--add", default=str(Path(__file__).parent.parent))
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    found = measure(arguments.sources or ["installed"], arguments.add, arguments.workers)
    found |= {"date": datetime.date.today().isoformat(), "workers": arguments.workers, "machine": machine()}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "pipeline.json").write_text(json.dumps(found, indent=1) + "\n")
    (RESULTS / "pipeline.md").write_text(table(found))
    print(table(found))


if __name__ == "__main__":
    main()
