"""Speed of the signals of the `stack-v2` recipe, one by one and together, beside others' code for the same filters.

    python bench/measure.py [--from corpus:standard] [--workspace FOLDER] [--repeats 2] [--peer-mb 8]
        [--datatrove PYTHON] [--code-quality PYTHON] [--opencoder PYTHON CHECKOUT]

Input: the package corpus, or what `--from` names, listed and read into FOLDER, or a temporary one. `together` is the
stage `measure` of the product: contents read, every signal of them, written; one core, kernels loaded, ScanCode aside.
One by one: each signal's `measure` of the same row groups, texts and bytes made before; its MB are those it asks for.
Peers, each in a Python of its own (bench/measure/peers says what it needs), get every k-th content, with the language
that ours has found; without any, their last run stays. `ours` is timed in the same run on the same files. MB of UTF-8
text per second of CPU time on one core; the machine is shared: read figures as ratios. Writes results to
bench/results/measure.json and measure.md.
"""

import argparse
import datetime
import importlib.util
import json
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import measure_peers
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
from starloom.kernels import warm
from starloom.stages import all_stages, load_settings
from starloom.the_stack import tables
from starloom.the_stack.columns import COLUMNS
from starloom.the_stack.measured import given, joins, needed
from starloom.the_stack.rules import check
from starloom.the_stack.signal import Batch, Signal, all_signals
from starloom.workspace.run import build

RESULTS = Path(__file__).parent / "results"
STARLOOM = [sys.executable, "-c", "from starloom.commands import main; main()"]

# What looks at bytes alone, in kernels; and what the paper's filters ask, which peers do too.
KERNELS = ("lines", "encoded", "shape", "minhash")
MADE = "texts and bytes"
FILTERS = ("lines", "encoded", "generated_content", "html")
# Rules that no peer has: the language is given to them.
_OURS_ALONE = ("unknown-language", "excluded-language", "excluded-extension")
# Off by default: settings that switch a signal on, to say what it would cost (of the peers' files).
SWITCHED: dict[str, dict[str, Any]] = {"syntax": {"enabled": True}}

_ROWS = """
SELECT f.content_id, f.file_name, l.language, any_value(c.part) AS part FROM files f
JOIN places c ON f.content_id = c.content_id
LEFT JOIN language l ON f.content_id = l.content_id AND f.file_name = l.file_name
WHERE f.problem IS NULL GROUP BY ALL ORDER BY ALL
"""


_PRIVATE = "private"
_ASKED = ("slice", "peers", "peers asked")


class Group(NamedTuple):
    """A row group of the content cache: ids, texts, and the (row, file name, language) that signals by name ask."""

    contents: Any
    names: list[tuple[int, str, str | None]]


class Cost(NamedTuple):
    seconds: float
    megabytes: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="source", default="corpus:standard")
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--repeats", type=int, default=2, help="of ours; the best counts")
    parser.add_argument("--peer-mb", type=float, default=8.0)
    measure_peers.options(parser)
    arguments = parser.parse_args()
    warm()
    with tempfile.TemporaryDirectory(prefix="starloom-bench-") as place:
        root = arguments.workspace or Path(place) / "workspace"
        prepare(root, arguments.source)
        settings = replace(load_settings(root), engine=EngineSettings(workers=1))
        with LocalEngine(settings.engine, Path(place) / "spill") as engine:
            found: dict[str, Any] = {"together": together(root, settings, arguments.repeats)}
            groups = list(row_groups(root, engine))
            alone = costs(groups, settings, arguments.repeats)
            found["signals"] = {name: cost._asdict() for name, cost in alone.items()}
            files = some_files(groups, arguments.peer_mb)
            found["switched on"] = switched_on(files, settings)
            ours = {name: cost._asdict() for name, cost in costs([files], settings, arguments.repeats).items()}
            rules = matched(root, engine, settings, files)
        texts = files.contents.column("content")
        beside = Path(place) / "files.parquet"
        measure_peers.write_files(
            texts, [name for _, name, _ in files.names], [language for _, _, language in files.names], beside
        )
        found["slice"] = {
            "files": len(files.names),
            "mb": pc.sum(pc.binary_length(texts)).as_py() / 1e6,
            "ours": ours,
            "rules": rules,
        }
        found["peers"] = {}
        for name, command in measure_peers.peers(arguments).items():
            print(name, file=sys.stderr)
            found["peers"][name] = measure_peers.ask(command, beside)
    today = datetime.date.today().isoformat()
    found["peers asked"] = today
    before = RESULTS / "measure.json"
    if not found["peers"] and before.exists():  # that run stays, ours beside them
        last = json.loads(before.read_text())
        found |= {key: last.get(key, last["date"]) for key in _ASKED}
    found |= {
        "date": today,
        "source": arguments.source.partition("@")[0],
        "machine": machine(),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "measure.json").write_text(json.dumps(found, indent=1) + "\n")
    (RESULTS / "measure.md").write_text(report(found))
    print(report(found))


def prepare(root: Path, source: str) -> None:
    """A workspace of the recipe, listed and read."""
    if not (root / "starloom.toml").exists():
        subprocess.run([*STARLOOM, "init", str(root), "--from", source, "--recipe", "stack-v2"], check=True)
    subprocess.run([*STARLOOM, "build", "read", "-w", str(root)], check=True)


def together(root: Path, settings: Any, repeats: int) -> dict[str, float]:
    """The stage `measure`, from nothing."""
    stages = [stage for stage in all_stages() if stage.name in ("list", "read", "measure")]
    best = float("inf")
    for _ in range(repeats):
        shutil.rmtree(root / tables.SIGNALS, ignore_errors=True)
        started = cpu()
        build(root, stages, settings, settings.engine, "bench")
        best = min(best, cpu() - started)
    size = sum(pq.read_metadata(path).num_rows for path in tables.contents(root))
    text = sum(pc.sum(pc.binary_length(part.column(0))).as_py() or 0 for part in parts(root)) / 1e6
    return {"seconds": best, "mb": text, "contents": size}


def parts(root: Path) -> Iterator[pa.Table]:
    for path in tables.contents(root):
        yield pq.read_table(path, columns=["content"])


def row_groups(root: Path, engine: LocalEngine) -> Iterator[Group]:
    """The content cache as `measure` goes through it, with what `language` has found."""
    places = pa.concat_tables(
        pq.read_table(path, columns=["content_id"]).append_column("part", pa.repeat(str(path), rows))
        for path in tables.contents(root)
        for rows in [pq.read_metadata(path).num_rows]
    )
    asked = {"files": tables.listed_files(root), "places": places, "language": tables.signal_rows(root, "language")}
    names: dict[str, list[tuple[str, str | None]]] = {}
    for row in engine.table(_ROWS, asked).to_pylist():
        names.setdefault(row["content_id"], []).append((row["file_name"], row["language"]))
    for path in tables.contents(root):
        file = pq.ParquetFile(path)
        for number in range(file.metadata.num_row_groups):
            table = file.read_row_group(number, columns=["content_id", "content"])
            rows = enumerate(table.column("content_id").to_pylist())
            some = [(row, *one) for row, content_id in rows for one in names.get(content_id, ())]
            yield Group(table, some)


def batch(group: Group, rows: list[tuple[int, str, str | None]] | None) -> Batch:
    """Of every content, or of rows by name; texts and bytes made."""
    contents = group.contents.column("content")
    if rows is None:
        made = Batch(contents)
    else:
        taken = contents.cast(pa.large_string()).take(pa.array([row for row, _, _ in rows], pa.int64()))
        made = Batch(taken, [name for _, name, _ in rows], [language or "" for _, _, language in rows])
    return made


def wanted(signal: Signal, group: Group, settings: Any) -> list[tuple[int, str, str | None]] | None:
    """The rows that `measure` would ask the signal about."""
    if not signal.by_name:
        return None
    rows = [one for one in group.names if signal.wants_name is None or signal.wants_name(one[1])]
    if not signal.needs_language:
        return rows
    wants = signal.wants_language or (lambda _language, _settings: True)
    return [one for one in rows if one[2] is not None and wants(one[2], signal.of(settings))]


def costs(groups: list[Group], settings: Any, repeats: int) -> dict[str, Cost]:
    """CPU seconds of each signal over `groups`, and of making texts and bytes; the best of `repeats`."""
    seconds: dict[str, list[float]] = {}
    sizes: dict[str, float] = {}
    for turn in range(repeats):
        for group in groups:
            made: dict[Any, Batch] = {}
            for signal in all_signals():
                rows = wanted(signal, group, settings)
                key = None if rows is None else tuple(rows)
                if key not in made:
                    made[key] = batch(group, rows)
                    add(seconds, MADE, turn, lambda one=made[key]: (one.texts, one.data))
                one = made[key]
                add(seconds, signal.name, turn, lambda: signal.measure(one, signal.of(settings)))  # noqa: B023
                if turn == 0:
                    sizes[signal.name] = sizes.get(signal.name, 0.0) + len(one.data) / 1e6
    return {name: Cost(min(some), sizes.get(name, 0.0)) for name, some in seconds.items()}


def add(seconds: dict[str, list[float]], name: str, turn: int, work: Callable[[], Any]) -> None:
    turns = seconds.setdefault(name, [])
    turns += [0.0] * (turn + 1 - len(turns))
    started = cpu()
    work()
    turns[turn] += cpu() - started


def cpu() -> float:
    """Seconds of this process and of those that it has ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def switched_on(files: Group, settings: Any) -> dict[str, Any]:
    """What signals that are off by default take on `files`, switched on."""
    found = {}
    for signal in all_signals():
        if signal.name not in SWITCHED or importlib.util.find_spec("tree_sitter_language_pack") is None:
            continue
        section = signal.section or signal.name
        on = replace(settings, **{section: replace(getattr(settings, section), **SWITCHED[signal.name])})
        one = batch(files, wanted(signal, files, on))
        size = len(one.data) / 1e6
        started = cpu()
        signal.measure(one, signal.of(on))
        found[signal.name] = Cost(cpu() - started, size)._asdict()
    return found


def some_files(groups: list[Group], megabytes: float) -> Group:
    """Every k-th content, under the first of its names: one group."""
    rows = pa.concat_tables([group.contents for group in groups])
    before, names = 0, {}
    for group in groups:
        for row, name, language in reversed(group.names):
            names[before + row] = (name, language)
        before += len(group.contents)
    total = pc.sum(pc.binary_length(rows.column("content"))).as_py()
    step = max(round(total / (megabytes * 1e6)), 1)
    order = pc.sort_indices(rows.column("content_id")).to_pylist()
    chosen = [row for row in order[::step] if row in names]
    return Group(rows.take(chosen), [(number, *names[row]) for number, row in enumerate(chosen)])


def matched(root: Path, engine: LocalEngine, settings: Any, files: Group) -> dict[str, list[int]]:
    """The rows of `files` in which each rule over signals holds."""
    rules = [one for one in check(settings.rules) if needed(one.columns) and one.rule.name not in _OURS_ALONE]
    columns = sorted({name for one in rules for name in one.columns})
    needs = needed(columns)
    chosen = pa.table(
        {
            "number": list(range(len(files.names))),
            "content_id": files.contents.column("content_id"),
            "file_name": [name for _, name, _ in files.names],
        }
    )
    more = ", ".join(f"{COLUMNS[name].sql} AS {name}" for name in columns)
    fires = ", ".join(f'any_value({one.fires}) AS "{one.rule.name}"' for one in rules)
    sql = f"""SELECT number, {fires} FROM (
      SELECT s.number, {more} FROM chosen s
      JOIN files f ON s.content_id = f.content_id AND s.file_name = f.file_name
      JOIN repositories r ON f.repo_name = r.repo_name
      {joins(needs)}) GROUP BY number ORDER BY number"""
    table = engine.table(sql, given(root, needs, sql) | {"chosen": chosen})
    return {name: pc.indices_nonzero(table.column(name)).to_pylist() for name in table.column_names[1:]}


def machine() -> dict[str, Any]:
    info = Path("/proc/cpuinfo").read_text()
    model, flags = (re.search(rf"{key}\s*: (.*)", info) for key in ("model name", "flags"))
    present = set(flags[1].split()) if flags else set()
    return {
        "cpu": model[1] if model else platform.processor(),
        "vectors": ", ".join(name for name in ("avx2", "avx512dq") if name in present),
        "python": platform.python_version(),
    }


def report(found: dict[str, Any]) -> str:
    """The tables."""
    whole, place, part = found["together"], found["machine"], found["slice"]
    size = whole["mb"]
    signals = {name: Cost(**cost) for name, cost in found["signals"].items()}
    ours = {name: Cost(**cost).seconds for name, cost in part["ours"].items()}
    kernels = [name for name in KERNELS if name in signals]
    filters = [name for name in FILTERS if name in ours]
    without = whole["seconds"] - signals[_PRIVATE].seconds
    in_kernels = sum(signals[name].seconds for name in kernels)
    same, every = sum(ours[name] for name in (*filters, MADE)), sum(ours.values())
    lines = [
        "# Signals",
        "",
        f"`python bench/measure.py`, {found['date']}: {found['source']}, {whole['contents']:,} contents,"
        f" {size:,.1f} MB of text.",
        f"{place['cpu']} ({place['vectors']}), Python {place['python']}; CPU time of one core of a shared machine.",
        "",
        f"Together, with reading and writing, language detection among them: **{size / whole['seconds']:.1f} MB/s**"
        f" ({whole['seconds']:.1f} s); of which {_PRIVATE}, personal data and secrets, takes"
        f" {signals[_PRIVATE].seconds:.1f} s: {size / without:.1f} MB/s without it.",
        f"Those of kernels over bytes, {', '.join(kernels)}: **{size / in_kernels:.0f} MB/s**.",
        "",
        "| signal | s | share | MB asked | MB/s of these |",
        "|---|---:|---:|---:|---:|",
    ]
    total = sum(one.seconds for one in signals.values())
    for name, one in sorted(signals.items(), key=lambda item: -item[1].seconds):
        asked = f"{one.megabytes:,.1f} | {one.megabytes / one.seconds:,.0f}" if one.megabytes else " | "
        lines.append(f"| {name} | {one.seconds:.2f} | {one.seconds / total:.1%} | {asked} |")
    for name, cost in found["switched on"].items():
        one = Cost(**cost)
        rate = one.megabytes / max(one.seconds, 1e-9)
        lines.append(
            f"| {name}, switched on, of fewer files | {one.seconds:.2f} | | {one.megabytes:,.1f} | {rate:,.1f} |"
        )
    lines += [
        "",
        "## Beside others",
        "",
        f"{part['files']:,} of these contents, {part['mb']:.1f} MB; all in one run ({found['peers asked']})."
        f" Ours: {part['mb'] / every:.1f} MB/s"
        f" for all signals, {part['mb'] / same:.1f} MB/s for those that the paper's filters ask ({', '.join(filters)}),"
        f" {MADE} made in the time.",
        *measure_peers.lines(found["peers"], part["mb"], same, every, part["rules"]),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
