"""`decide` on a million files: seconds and peak memory of all its processes.

    python bench/decide.py [--from corpus:standard] [--seed-workspace FOLDER] [--rows 1000000] [--memory auto,1GB]

Input: a workspace of the package corpus (or of what `--from` names), built up to `pair`, then multiplied: every table
that `decide` reads is repeated with other repository names and content ids, until it lists so many files. So values go
together as in real files: copies, twins, licences, languages and sizes as they come in packages; only what one copy of
the corpus has in common with the next is missing. Contents are left out, for `decide` opens none. The stage runs by
itself in a process of its own on all cores, once for each memory limit of the query engine, and once more after a
threshold has changed. Memory: the largest sum of resident sizes seen, 50 times a second; pages that processes share
count in each. Writes bench/results/decide.json and decide.md.
"""

import argparse
import datetime
import json
import math
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from starloom.engine.verbs import EngineSettings
from starloom.stages import all_stages, load_settings
from starloom.the_stack import tables
from starloom.the_stack.signal import all_signals
from starloom.workspace import atomic
from starloom.workspace.manifest import read_manifest
from starloom.workspace.parts import Parts
from starloom.workspace.run import build, last_runs

RESULTS = Path(__file__).parent / "results"
STARLOOM = [sys.executable, "-c", "from starloom.commands import main; main()"]
_IDS = ("content_id", "blob_id", "left", "right", "stream_id")
_REPOSITORIES = ("repo_name", "home", "location")
_TAIL = 6  # hexadecimal digits of an id that number the copy: the order of ids stays


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="source", default="corpus:standard")
    parser.add_argument("--seed-workspace", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--memory", default="auto,1GB")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child, arguments.memory)
        return
    with tempfile.TemporaryDirectory(prefix="starloom-bench-") as place:
        seed = arguments.seed_workspace or Path(place) / "seed"
        if not (seed / "starloom.toml").exists():
            subprocess.run(
                [*STARLOOM, "init", str(seed), "--from", arguments.source, "--recipe", "stack-v2"], check=True
            )
        subprocess.run([*STARLOOM, "build", "pair", "-w", str(seed)], check=True)
        root = Path(place) / "workspace"
        found: dict[str, Any] = {"input": multiply(seed, root, arguments.rows), "runs": []}
        for memory in arguments.memory.split(","):
            found["runs"].append({"memory": memory, "what": "first"} | watched(root, memory))
        with (root / "starloom.toml").open("a") as file:
            file.write("\n[decide]\nnear_duplicates = 0.8\n")
        found["runs"].append({"memory": memory, "what": "near_duplicates = 0.8"} | watched(root, memory))
    found |= {
        "date": datetime.date.today().isoformat(),
        "source": arguments.source.partition("@")[0],
        "machine": f"{model()}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}",
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "decide.json").write_text(json.dumps(found, indent=1) + "\n")
    (RESULTS / "decide.md").write_text(report(found))
    print(report(found))


def child(root: Path, memory: str) -> None:
    """The stage alone; says on stdout what it took."""
    settings = load_settings(root)
    stages = [stage for stage in all_stages() if stage.name == "decide"]
    build(root, stages, settings, replace(EngineSettings(), memory=memory), "bench")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    cpu = time.process_time()
    print(json.dumps(last_runs(root)["decide"] | {"peak of the process": peak, "cpu seconds": cpu}))


def watched(root: Path, memory: str) -> dict[str, Any]:
    """One run in a process of its own, its memory watched."""
    for file in (root / tables.LEDGER).glob("*"):
        file.unlink()
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, __file__, "--child", str(root), "--memory", memory], stdout=subprocess.PIPE, text=True
    )
    peak = 0
    while process.poll() is None:
        peak = max(peak, resident(process.pid))
        time.sleep(0.02)
    seconds = time.monotonic() - started
    if process.returncode or process.stdout is None:
        raise SystemExit("decide failed")
    said = json.loads(process.stdout.read().splitlines()[-1])
    return {
        "seconds": said["seconds"],
        "with start and imports": seconds,
        "cpu seconds": said["cpu seconds"],
        "peak bytes": max(peak, said["peak of the process"]),
        "rows": said["rows"],
        "note": said["note"],
    }


def resident(pid: int) -> int:
    """Bytes in memory of a process and those it started."""
    total, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        try:
            total += int(Path(f"/proc/{one}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return total


def multiply(seed: Path, root: Path, rows: int) -> dict[str, int]:
    """A workspace at `root` that lists at least `rows` files, out of that at `seed`."""
    root.mkdir(parents=True)
    (root / "starloom.toml").write_bytes((seed / "starloom.toml").read_bytes())
    files = pq.read_metadata(tables.listed_files(seed)[0]).num_rows
    copies = math.ceil(rows / files)
    found = {"copies": copies}
    for folder in (tables.LISTING, tables.PAIRS):
        manifest = read_manifest(seed / folder)
        assert manifest
        with published(root / folder, manifest) as draft:
            for file in manifest.files:
                table = pq.read_table(seed / folder / file.name)
                shift = files if file.name == "repositories.parquet" else 0
                found[file.name.removesuffix(".parquet")] = draft.parquet(
                    file.name, table.schema, (copied(table, number, shift) for number in range(copies))
                )
    caches = [
        (tables.FILES, "files"),
        *((f"{tables.SIGNALS}/{one.name}", f"signal-{one.name}") for one in all_signals()),
    ]
    for folder, kind in caches:
        multiply_cache(seed / folder, root / folder, kind, copies)
    scans = seed / tables.SIGNALS / "scancode"
    subprocess.run(["cp", "-r", str(scans), str(root / tables.SIGNALS)], check=True)  # keyed by text, not by content
    found["contents"] = sum(pq.read_metadata(path).num_rows for path in tables.contents(root))
    return found


def multiply_cache(seed: Path, root: Path, kind: str, copies: int) -> None:
    """One part of a cache for each of them and each copy."""
    old, new = Parts(seed, kind), Parts(root, kind)
    parts = []
    for part, manifest in old.manifests().items():
        read = {
            file.name: pq.read_table(old.path(part, file.name), columns=_columns(file.name)) for file in manifest.files
        }
        for number in range(copies):
            parts.append(f"{part[:12]}{number:04x}{part[16:]}")
            marks = {"version": manifest.version, "fingerprint": manifest.fingerprint, "inputs": {}, "settings": {}}
            with new.publish(parts[-1], **marks) as draft:
                for name, table in read.items():
                    made = copied(table, number)
                    draft.parquet(name, made.schema, [made])
    new.commit_many(parts)
    new.set_facts(old.facts())


def _columns(name: str) -> list[str] | None:
    """What is repeated of a file; all but contents."""
    return (
        [one for one in tables.CONTENTS.names if one not in ("content", "original")]
        if name == "contents.parquet"
        else None
    )


def copied(table: pa.Table, number: int, rows_before: int = 0) -> pa.Table:
    """The table of copy `number`; copy 0 is the seed's own. `rows_before`: in a copy, where rows are numbered."""
    for index, field in enumerate(table.schema):
        column = table.column(index)
        if field.name in _IDS and number and not pa.types.is_integer(field.type):  # rows of `rejected`: not read
            text = column.cast(pa.string())
            column = pc.binary_join_element_wise(pc.utf8_slice_codeunits(text, 0, -_TAIL), f"{number:0{_TAIL}x}", "")
        elif field.name in _REPOSITORIES and number:
            column = pc.binary_join_element_wise(column, f"~{number}", "")
        elif field.name == "first_row":
            column = pc.add(column, number * rows_before)
        else:
            continue
        table = table.set_column(index, field, column.cast(field.type))
    return table


def published(target: Path, manifest: Any) -> Any:
    """A draft that says of itself what `manifest` says, but for the files."""
    return atomic.publish(
        target,
        kind=manifest.kind,
        version=manifest.version,
        fingerprint=manifest.fingerprint,
        inputs=manifest.inputs,
        settings=manifest.settings,
        replace=True,
    )


def model() -> str:
    lines: Iterator[str] = iter(Path("/proc/cpuinfo").read_text().splitlines())
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def report(found: dict[str, Any]) -> str:
    given = found["input"]
    lines = [
        "# Decide",
        "",
        f"`python bench/decide.py`, {found['date']}: {given['files']:,} files and {given['contents']:,} contents of"
        f" {given['repositories']:,} repositories with {given['pairs']:,} pairs ({found['source']}, {given['copies']}"
        f" times). {found['machine']}.",
        "",
        "| run | limit of the query engine | s | s with start and imports | s of CPU | peak, all processes | |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for one in found["runs"]:
        lines.append(
            f"| {one['what']} | {one['memory']} | {one['seconds']:.1f} | {one['with start and imports']:.1f} |"
            f" {one['cpu seconds']:.1f} | {one['peak bytes'] / 1e6:,.0f} MB | {one['note']} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
