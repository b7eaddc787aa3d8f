"""The Software Heritage path: directory entries walked to listed repositories, in how much memory and time.

    python bench/software_heritage.py [--entries 1000000 4000000] [--memory 512MB] [--workers 2]

Input: made-up exports (ORC, zstd, all needed tables) of so many rows of `directory_entry`: repositories of ten folders
of their own that share half of their libraries, one repository whose folders are 63 deep, one with a folder of a tenth
of all entries. Each is prepared in a process of its own under the engine's memory limit, whose peak resident memory
(its workers' beside it) and seconds are measured; two sizes show what grows. Then everything is listed through
`Source.entries`. Writes bench/results/software_heritage.json and .md. The machine is shared: read figures as ratios.
"""

import argparse
import datetime
import hashlib
import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.orc as orc

RESULTS = Path(__file__).parent / "results"
FILES_IN_FOLDER = 20
FOLDERS = 10  # of a repository, its own
LIBRARIES = 20  # linked by a repository, out of a common stock
STEPS = ("copy tables of the export", "find main revisions", "walk directories", "join contents")


def name_of(*words: object) -> str:
    return hashlib.sha1("/".join(map(str, words)).encode(), usedforsecurity=False).hexdigest()


class Made:
    """Rows of an export, written table by table."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: dict[str, list[Any]] = {name: [] for name in ("directory_id", "name", "type", "target", "perms")}
        self.roots: list[str] = []
        self.directories: list[str] = []
        self.contents = 0

    def directory(self, name: str, folders: dict[str, str], files: int) -> str:
        self.directories.append(name)
        for entry, target in folders.items():
            self._row(name, entry, "dir", target, 0o040000)
        for number in range(files):
            # One content in three is somewhere else too, as in real repositories.
            content = self.contents if number % 3 else self.contents // 2
            self._row(name, f"file{number:07}.py", "file", name_of("content", content), 0o100644)
            self.contents += 1
        return name

    def _row(self, *values: Any) -> None:
        for column, value in zip(self.entries.values(), values, strict=True):
            column.append(value)

    def write(self) -> None:
        self._table(
            "directory_entry",
            {**self.entries, "name": pa.array([name.encode() for name in self.entries["name"]], pa.binary())},
            {"perms": pa.int32()},
        )
        self._table("directory", {"id": self.directories})
        numbers = range(self.contents)
        names = [name_of("content", number) for number in numbers]
        blobs = [name_of("blob", number) for number in numbers]
        self._table("content", {"sha1": blobs, "sha1_git": names, "length": [100] * len(names), "status": None})
        revisions = [name_of("revision", root) for root in self.roots]
        dates = pa.array([1_600_000_000] * len(revisions), pa.timestamp("s"))
        columns = {"id": revisions, "directory": self.roots, "date": dates, "committer_date": dates}
        self._table("revision", {**columns, "type": ["git"] * len(revisions)})
        snapshots = [name_of("snapshot", root) for root in self.roots]
        kinds = ["revision"] * len(revisions)
        branches = {"snapshot_id": snapshots, "name": pa.array([b"HEAD"] * len(kinds), pa.binary())}
        self._table("snapshot_branch", {**branches, "target": revisions, "target_type": kinds})
        origins = [f"https://github.com/owner/{number}" for number in range(len(self.roots))]
        visits = {"origin": origins, "visit": [1] * len(origins), "date": dates, "status": ["full"] * len(origins)}
        self._table("origin_visit_status", {**visits, "snapshot": snapshots, "type": ["git"] * len(origins)})

    def _table(self, name: str, columns: dict[str, Any], types: dict[str, pa.DataType] | None = None) -> None:
        (self.folder / name).mkdir(parents=True)
        rows = len(next(iter(columns.values())))
        arrays = {
            column: values
            if isinstance(values, pa.Array)
            else pa.array(values or ["visible"] * rows, (types or {}).get(column))
            for column, values in columns.items()
        }
        table = pa.table(arrays)
        for number in range(2):
            part = table.slice(number * (rows // 2), rows // 2 if number == 0 else None)
            orc.write_table(part, self.folder / name / f"{name}-{number}.orc", compression="zstd")


def make(folder: Path, entries: int) -> None:
    made = Made(folder)
    wide = entries // 10
    made.roots.append(made.directory(name_of("wide"), {"wide": made.directory(name_of("wide", 1), {}, wide)}, 1))
    deep = made.directory(name_of("deep", 0), {}, 2)
    for level in range(1, 63):
        deep = made.directory(name_of("deep", level), {"down": deep}, 2)
    made.roots.append(deep)
    # A library: two folders of files, a third of which is in every version of it.
    stock: list[str] = []
    while len(made.entries["name"]) < entries // 3:
        number = len(stock)
        inner = made.directory(name_of("library", number, "src"), {}, FILES_IN_FOLDER)
        stock.append(made.directory(name_of("library", number), {"src": inner}, FILES_IN_FOLDER // 2))
    number = 0
    while len(made.entries["name"]) < entries:
        own = {
            f"folder{place}": made.directory(name_of("repository", number, place), {}, FILES_IN_FOLDER)
            for place in range(FOLDERS)
        }
        linked = {f"library{place}": stock[(number * 7 + place) % len(stock)] for place in range(LIBRARIES)}
        vendor = made.directory(name_of("repository", number, "vendor"), linked, 0)
        made.roots.append(made.directory(name_of("repository", number), {**own, "vendor": vendor}, 5))
        number += 1
    made.write()


def prepare(folder: Path, memory: str, workers: int) -> dict[str, Any]:
    """In a process of its own."""
    from starloom import progress
    from starloom.engine.local import LocalEngine
    from starloom.engine.verbs import EngineSettings
    from starloom.sources.repository import Place, SourceSettings
    from starloom.sources.software_heritage.archive import open_archive_export

    tasks: list[progress.Task] = []
    real = progress.Task.__init__

    def noticed(task: progress.Task, *arguments: Any) -> None:
        real(task, *arguments)
        tasks.append(task)

    progress.Task.__init__ = noticed  # type: ignore[method-assign]
    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    settings = SourceSettings("", contents=str(folder))
    started = time.monotonic()
    with LocalEngine(EngineSettings(workers, memory), folder / "spill") as engine:
        place = Place(folder / "place", engine)
        (unfetched,) = open_archive_export(str(folder / "orc"), settings, place).unfetched
        unfetched.fetch(place)
        prepared = time.monotonic()
        workers_peak = max((peak_bytes(number) for number in descendants(os.getpid())), default=0)
        used = resource.getrusage(resource.RUSAGE_SELF)
        peak, cpu = used.ru_maxrss << 10, used.ru_utime + used.ru_stime
        opened = open_archive_export(str(folder / "orc"), settings, place)
        paths = sum(1 for source in opened.sources for _ in source.entries(1 << 30))
    ends = [task.started for task in tasks if task.name in STEPS] + [prepared]
    return {
        "seconds": prepared - started,
        "cpu_seconds": cpu,
        "steps": {name: after - before for name, before, after in zip(STEPS, ends, ends[1:], strict=False)},
        "listing_seconds": time.monotonic() - prepared,
        "idle_bytes": idle,
        "peak_bytes": peak,
        "peak_bytes_worker": workers_peak,
        "repositories": len(opened.sources),
        "problems": len(opened.problems),
        "paths": paths,
    }


def descendants(parent: int) -> list[int]:
    """Processes started by `parent` and by those: the engine's workers, and the server that forks them."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has just ended
    found, waiting = [], [parent]
    while waiting:
        above = waiting.pop()
        below = [number for number, one in parents.items() if one == above]
        found += below
        waiting += below
    return found


def peak_bytes(process: int) -> int:
    try:
        found = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{process}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) << 10 if found else 0


def measure(entries: int, memory: str, workers: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="starloom-bench-") as name:
        folder = Path(name)
        here = [sys.executable, __file__, "--folder", name, "--memory", memory, "--workers", str(workers)]
        subprocess.run([*here, "--make", "--entries", str(entries)], check=True)
        size = sum(path.stat().st_size for path in (folder / "orc").rglob("*.orc"))
        done = subprocess.run(here, check=True, stdout=subprocess.PIPE, text=True)
        found: dict[str, Any] = json.loads(done.stdout)
        prepared = sum(path.stat().st_size for path in (folder / "place").rglob("*.parquet"))
    return {"entries": entries, "export_bytes": size, "prepared_bytes": prepared, **found}


def table(result: dict[str, Any]) -> str:
    place, runs = result["machine"], result["runs"]

    def row(name: str, cells: list[str]) -> str:
        return f"| {name} | {' | '.join(cells)} |"

    lines = [
        row("", [f"{run['entries']:,} entries" for run in runs]),
        row("---", ["---"] * len(runs)),
        row("export, MB", [f"{run['export_bytes'] / 1e6:.1f}" for run in runs]),
        row("repositories", [f"{run['repositories']:,}" for run in runs]),
        row("paths listed", [f"{run['paths']:,}" for run in runs]),
        *(row(f"{name}, s", [f"{run['steps'][name]:.1f}" for run in runs]) for name in STEPS),
        row("**prepared, s**", [f"{run['seconds']:.1f}" for run in runs]),
        row("CPU of it without the workers', s", [f"{run['cpu_seconds']:.1f}" for run in runs]),
        row("entries/s", [f"{run['entries'] / run['seconds']:,.0f}" for run in runs]),
        row("paths/s", [f"{run['paths'] / run['seconds']:,.0f}" for run in runs]),
        row("**peak resident, MB**", [f"{run['peak_bytes'] / 1e6:.0f}" for run in runs]),
        row("peak of a worker, MB", [f"{run['peak_bytes_worker'] / 1e6:.0f}" for run in runs]),
        row("before any work, MB", [f"{run['idle_bytes'] / 1e6:.0f}" for run in runs]),
        row("prepared listing, MB", [f"{run['prepared_bytes'] / 1e6:.1f}" for run in runs]),
        row("listed again, paths/s", [f"{run['paths'] / run['listing_seconds']:,.0f}" for run in runs]),
    ]
    return f"""# Software Heritage

`python bench/software_heritage.py`, {result["date"]}: made-up exports.
Engine memory {result["memory"]}, {result["workers"]} workers.
{place["cpu"]}, {place["cores"]} cores; python {place["python"]}, duckdb {place["duckdb"]}, pyarrow {place["pyarrow"]}.
Shared folders are one row in the export and a path in every repository, so there are more paths than entries.

{chr(10).join(lines)}
"""


def machine() -> dict[str, Any]:
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {
        "cpu": model[1] if model else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
        "pyarrow": pa.__version__,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--entries", type=int, nargs="+", default=[1_000_000, 4_000_000], help="rows of directory_entry"
    )
    parser.add_argument("--memory", default="512MB", help="the engine's limit")
    parser.add_argument("--workers", type=int, default=2, help="processes and DuckDB's threads")
    parser.add_argument("--date", default=datetime.date.today().isoformat(), help="written with the results")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)  # the processes that this one starts
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.make:
        make(arguments.folder / "orc", arguments.entries[0])
        return
    if arguments.folder:
        print(json.dumps(prepare(arguments.folder, arguments.memory, arguments.workers)))
        return
    result = {
        "date": arguments.date,
        "machine": machine(),
        "memory": arguments.memory,
        "workers": arguments.workers,
        "runs": [measure(entries, arguments.memory, arguments.workers) for entries in arguments.entries],
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "software_heritage.json").write_text(json.dumps(result, indent=2) + "\n")
    report = table(result)
    (RESULTS / "software_heritage.md").write_text(report)
    print(report)


if __name__ == "__main__":
    main()
