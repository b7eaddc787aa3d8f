"""Speed of listing and reading git repositories, beside pygit2, dulwich and git's own bare pipeline.

    python bench/sources.py [--repository PATH]... [--files 5000] [--commits 200] [--large 300000] [--repeats 5]

Input: this checkout's history, packed anew; synthetic histories of the standard library's files with edits, a part with
many commits and all with few; and what `--repository` names (bare ones). Each method lists the main tree and reads
every distinct content once, in a process of its own; CPU seconds are those of the process and of the programs it runs,
without starting the interpreter and loading modules. Bare is `git ls-tree -r | cut | git cat-file --batch --buffer`,
read and thrown away: it hashes nothing and hands over nothing. pygit2 checks hashes too, dulwich does not; its compiled
function for deltas is ours too. Contents are asserted to be identical. `--large`: files of a repository whose peak
memory is measured. Writes bench/results/sources.json and sources.md. The machine is shared: read the figures as ratios.
"""

import argparse
import datetime
import hashlib
import importlib.metadata
import json
import os
import platform
import random
import re
import resource
import shlex
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from starloom.sources.content_ids import ContentIds
from starloom.sources.git.source import GitSource
from starloom.sources.repository import Wanted

RESULTS = Path(__file__).parent / "results"
Listing = list[tuple[bytes, str]]  # path and hash of each file
Contents = Iterator[tuple[str, bytes]]


def starloom(repository: Path) -> tuple[Listing, Contents]:
    source = GitSource.at(repository, "public")
    listing: Listing = []
    wanted: dict[str, Wanted] = {}
    for entry in source.entries(1 << 40):
        if entry.content_id is not None and entry.size is not None:
            listing.append((entry.raw_path, entry.content_id))
            wanted[entry.content_id] = Wanted(entry.raw_path, entry.content_id, entry.size)
    found = source.contents(wanted.values())
    return listing, ((one.content_id, one.data) for one in found if one.data is not None)


def with_pygit2(repository: Path) -> tuple[Listing, Contents]:
    import pygit2

    opened = pygit2.Repository(str(repository))
    index = pygit2.Index()  # the quickest of its ways to walk a tree
    index.read_tree(opened.head.peel(pygit2.Commit).tree)
    listing = [(os.fsencode(one.path), str(one.id)) for one in index if one.mode in (0o100644, 0o100755)]
    return listing, ((one, opened.read(one)[1]) for one in dict.fromkeys(name for _, name in listing))


def with_dulwich(repository: Path) -> tuple[Listing, Contents]:
    from dulwich.object_store import iter_tree_contents
    from dulwich.repo import Repo

    opened = Repo(str(repository))
    store = opened.object_store
    tree = opened[opened.head()].tree
    entries = iter_tree_contents(store, tree)
    listing = [(one.path, one.sha.decode()) for one in entries if one.mode in (0o100644, 0o100755)]
    distinct = dict.fromkeys(name for _, name in listing)
    return listing, ((one, store.get_raw(one.encode())[1]) for one in distinct)


def bare(repository: Path) -> None:
    git = f"git --git-dir={shlex.quote(str(repository))}"
    command = f"{git} ls-tree -r HEAD | cut -c13-52 | {git} cat-file --batch --buffer | cat > /dev/null"
    subprocess.run(["sh", "-c", command], check=True)


METHODS: dict[str, Callable[[Path], tuple[Listing, Contents]]] = {
    "starloom": starloom,
    "pygit2": with_pygit2,
    "dulwich": with_dulwich,
}


def cpu() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def megabytes() -> float:
    """The most that this process has held; `ru_maxrss` would count the parent's before `exec`."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def megabytes_of_git() -> float:
    """The most that a child has held, or this process when it started it, whichever is more."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def one(method: str, repository: Path) -> dict[str, Any]:
    """In a process of its own: the figures of one run, then a hash over everything it gave."""
    if method == "bare":
        started, spent = time.perf_counter(), cpu()
        bare(repository)
        return {"wall": time.perf_counter() - started, "cpu": cpu() - spent}
    if method != "starloom":
        importlib.import_module(method)
    before, started, spent = megabytes(), time.perf_counter(), cpu()
    listing, contents = METHODS[method](repository)
    size = sum(len(data) for _, data in contents)
    figures = {"wall": time.perf_counter() - started, "cpu": cpu() - spent, "files": len(listing), "bytes": size}
    figures |= {"self_mb": megabytes(), "before_mb": before}
    figures |= {"child_mb": megabytes_of_git()}
    listing, contents = METHODS[method](repository)
    lines = sorted([f"{name} {hashlib.sha256(data).hexdigest()}" for name, data in contents])
    lines += [f"{path!r} {name}" for path, name in sorted(listing)]
    return {**figures, "digest": hashlib.sha256("\n".join(lines).encode()).hexdigest()}


def large(repository: Path) -> dict[str, float]:
    """In a process of its own: the most memory, in MB, after each step upon a repository of many files."""
    source = GitSource.at(repository, "public")
    found = {"before": megabytes()}
    started = time.perf_counter()
    files = sum(1 for _ in source.entries(1 << 20))
    found |= {"listing": megabytes(), "files_per_second": files / (time.perf_counter() - started)}
    wanted = (Wanted(e.raw_path, e.content_id, e.size or 0) for e in source.entries(1 << 20) if e.content_id)
    assert sum(1 for one in source.contents(wanted) if one.data is not None) == files
    found["reading"] = megabytes()
    source.first_seen(ContentIds(e.content_id for e in source.entries(1 << 20) if e.content_id))
    found |= {"first_seen": megabytes(), "git": megabytes_of_git()}
    return found


def apart(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, __file__, *arguments]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return found


def this_checkout(folder: Path) -> Path:
    here = Path(__file__).resolve().parents[1]
    target = folder / "checkout.git"
    subprocess.run(["git", "clone", "-q", "--bare", "--no-local", str(here), str(target)], check=True)
    return repacked(target)


def repacked(repository: Path) -> Path:
    subprocess.run(["git", "-C", str(repository), "repack", "-q", "-a", "-d", "-f", "--depth=50"], check=True)
    return repository


def imported(target: Path, commits: Iterator[dict[str, bytes]]) -> Path:
    """A bare repository with a commit of each of the dictionaries of changed files."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(target)], check=True)
    command = ["git", f"--git-dir={target}", "fast-import", "--quiet"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for number, changed in enumerate(commits):
            stamp = 1_500_000_000 + 3600 * number
            process.stdin.write(b"commit refs/heads/main\ncommitter A <a@x> %d +0000\ndata 2\nc\n\n" % stamp)
            for name, data in changed.items():
                process.stdin.write(b"M 100644 inline %b\ndata %d\n%b\n" % (os.fsencode(name), len(data), data))
    assert process.returncode == 0
    return target


def library(files: int, commits: int) -> Iterator[dict[str, bytes]]:
    """The standard library's and installed distributions' files; then edits of a twentieth of them a commit."""
    places = [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib")]
    paths = [(place, path) for place in places for path in sorted(place.rglob("*.py"))]
    current: dict[str, bytes] = {}
    for place, path in paths:
        if len(current) < files and path.is_file() and path.stat().st_size < 400_000:
            current[f"{place.name}/{path.relative_to(place)}"] = path.read_bytes()
    yield dict(current)
    chance = random.Random(1)
    for commit in range(1, commits):
        changed = chance.sample(sorted(current), max(1, len(current) // 20))
        for name in changed:
            lines = current[name].split(b"\n")
            for _ in range(3):
                lines[chance.randrange(len(lines))] += b"  # edit %d" % commit
            current[name] = b"\n".join(lines)
        yield {name: current[name] for name in changed}


def many(files: int) -> Iterator[dict[str, bytes]]:
    yield {f"d{n // 1000}/e{n // 100 % 10}/file{n}.py": b"# file %d\n" % n * 20 for n in range(files)}


def measure(repositories: dict[str, Path], repeats: int) -> dict[str, dict[str, Any]]:
    """By repository and method: the best of the runs, which take turns."""
    found: dict[str, dict[str, Any]] = {}
    for name, path in repositories.items():
        runs: dict[str, list[dict[str, Any]]] = {method: [] for method in ("bare", *METHODS)}
        for _ in range(repeats):
            for method, some in runs.items():
                some.append(apart("--one", method, str(path)))
        assert len({run["digest"] for some in runs.values() for run in some if "digest" in run}) == 1, name
        best = {method: {**some[0]} for method, some in runs.items()}
        for method, some in runs.items():
            best[method] |= {figure: min(run[figure] for run in some) for figure in ("wall", "cpu")}
        found[name] = best
    return found


def machine() -> dict[str, str]:
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    git = subprocess.run(["git", "--version"], check=True, capture_output=True, text=True).stdout.split()[2]
    return {
        "cpu": model[1] if model else platform.processor(),
        "python": platform.python_version(),
        "git": git,
        **{name: importlib.metadata.version(name) for name in ("pygit2", "dulwich")},
    }


def table(result: dict[str, Any]) -> str:
    place = result["machine"]
    rows, memory = [], []
    for name, methods in result["repositories"].items():
        ours = methods["starloom"]
        about = f"{name}: {ours['files']:,} files, {ours['bytes'] / 1e6:.0f} MB"
        for peer in ("pygit2", "dulwich", "bare"):
            cpu_ratio, wall_ratio = (methods[peer][figure] / ours[figure] for figure in ("cpu", "wall"))
            rows.append(f"| {about} | {peer} | {cpu_ratio:.2f} | {wall_ratio:.2f} |")
        for method in METHODS:
            run = methods[method]
            git = f"{run['child_mb']:.0f}" if method == "starloom" else ""
            memory.append(f"| {name} | {method} | {run['before_mb']:.0f} | {run['self_mb']:.0f} | {git} |")
    many_files = result["large"]
    count = f"{many_files['files']:,}"
    steps = ", ".join(
        f"{step.replace('_', ' ')} {many_files[step]:.0f}" for step in ("listing", "reading", "first_seen")
    )
    return f"""# Sources: git

`python bench/sources.py`, {result["date"]}; {place["cpu"]}; git {place["git"]}, Python {place["python"]}, pygit2
{place["pygit2"]}, dulwich {place["dulwich"]}. Best of {result["repeats"]} runs that took turns; the machine is shared.
Time of the other one divided by ours: above 1 we are faster. CPU counts all processes, so it is what a core does.

| repository | beside | CPU | wall |
|---|---|---|---|
{chr(10).join(rows)}

Bare is `git ls-tree -r | cut | git cat-file --batch --buffer`, thrown away; ours also knows sizes before it reads,
hashes every content and folder, and hands over Python bytes, without starting git. Contents of all methods were
identical.

| repository | method | MB before | MB at most | git's MB, its pack's pages included, at most |
|---|---|---|---|---|
{chr(10).join(memory)}

{count} files in one repository: {many_files["files_per_second"]:,.0f} listed a second. Peak MB of the process: before
{many_files["before"]:.0f}, {steps} (which holds {count} ids); of git at most {many_files["git"]:.0f}.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repository", type=Path, action="append", default=[], help="one more bare repository")
    parser.add_argument("--files", type=int, default=5000, help="of the synthetic history")
    parser.add_argument("--commits", type=int, default=200, help="of the synthetic history")
    parser.add_argument("--large", type=int, default=300_000, help="files of the one whose memory is measured")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each; the best counts")
    parser.add_argument("--date", default=datetime.date.today().isoformat(), help="written with the results")
    parser.add_argument("--one", nargs=2, metavar=("METHOD", "REPOSITORY"), help=argparse.SUPPRESS)
    parser.add_argument("--memory", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one(arguments.one[0], Path(arguments.one[1]))))
        return
    if arguments.memory:
        print(json.dumps(large(arguments.memory)))
        return
    with tempfile.TemporaryDirectory(prefix="starloom-bench-") as temporary:
        folder = Path(temporary)
        repositories = {"this checkout": this_checkout(folder)}
        synthetic = imported(folder / "library.git", library(arguments.files, arguments.commits))
        repositories[f"library, {arguments.commits} commits"] = repacked(synthetic)
        whole = imported(folder / "whole.git", library(1_000_000, arguments.commits // 10))
        repositories[f"all of it, {arguments.commits // 10} commits"] = repacked(whole)
        repositories |= {path.name: path.resolve() for path in arguments.repository}
        figures = measure(repositories, arguments.repeats)
        crowd = imported(folder / "many.git", many(arguments.large))
        result = {
            "date": arguments.date,
            "machine": machine(),
            "repeats": arguments.repeats,
            "repositories": figures,
            "large": {"files": arguments.large, **apart("--memory", str(crowd))},
        }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "sources.json").write_text(json.dumps(result, indent=2) + "\n")
    report = table(result)
    (RESULTS / "sources.md").write_text(report)
    print(report)


if __name__ == "__main__":
    main()
