"""What is done to documents besides encoding them: laid out, put in the order of their imports, parsed for middles."""

import resource
import time
from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from starloom.languages.imports.graph import imports
from starloom.languages.syntax import grammars
from starloom.languages.syntax.middles import Middles
from starloom.the_stack import tables
from starloom.tokens.dependencies import order
from starloom.tokens.fill_in_the_middle import FimSettings
from starloom.tokens.templates.repository import File, document
from starloom.tokens.templates.seen import Seen

_COLUMNS = ["repo_name", "path", "content_id", "content", "language"]


def measure(workspace: Path, megabytes: float) -> dict[str, Any]:
    """The first repositories of the training split, of so much text; one thread, seconds of CPU."""
    repositories = _repositories(workspace, megabytes * 1e6)
    size = sum(len(file.content.encode()) for _, files in repositories for file in files)
    count = sum(len(files) for _, files in repositories)
    seen = Seen()
    laid_out = _seconds(lambda: _lay_out(repositories, FimSettings(), seen))
    ordered = _seconds(lambda: [order(_texts(files)) for _, files in repositories])
    obeyed, broken = _obeyed(repositories)
    parsed = [file for _, files in repositories for file in files[::10] if file.language in grammars() and file.content]
    before = _children()
    with Middles() as middles:
        drawn = middles([(file.language, file.content, number) for number, file in enumerate(parsed)])
    return {
        "MB": size / 1e6,
        "files": count,
        "repositories": len(repositories),
        "laid out": laid_out,
        "ordered": ordered,
        "imports obeyed": obeyed,
        "imports on circles": broken,
        "parsed": _children() - before,
        "parsed files": len(parsed),
        "parsed MB": sum(len(file.content.encode()) for file in parsed) / 1e6,
        "no middle": sum(one is None for one in drawn),
        "seen": {"cut": seen.cut, "suffix first": seen.suffix_first, "with metadata": seen.with_metadata},
    }


def table(one: dict[str, Any]) -> str:
    lines = [
        f"{one['MB']:,.0f} MB, {one['files']:,} files of {one['repositories']} repositories; one thread.\n",
        "| | MB/s |",
        "|---|---:|",
        f"| laid out, with fill-in-the-middle | **{one['MB'] / one['laid out']:,.0f}** |",
        f"| put in the order of their imports | **{one['MB'] / one['ordered']:,.0f}** |",
        f"| parsed, and a middle drawn | **{one['parsed MB'] / one['parsed']:,.1f}** |\n",
        f"{one['imports obeyed']:,} imports are obeyed, {one['imports on circles']:,} are not, being on circles. Of "
        f"{one['parsed files']:,} files {one['no middle']} have no piece of syntax that may be a middle.",
    ]
    return "\n".join(lines)


def _repositories(workspace: Path, limit: float) -> list[tuple[str, list[File]]]:
    rows: list[tuple[Any, ...]] = []
    size = 0
    for path in tables.dataset(workspace, "files", "train"):
        columns = pq.read_table(path, columns=_COLUMNS)
        rows += zip(*(columns.column(name).to_pylist() for name in _COLUMNS), strict=True)
        size += columns.column("content").nbytes
        if size >= limit:
            break
    return [
        (name, [File(path, content_id, text, (), language or "") for _, path, content_id, text, language in group])
        for name, group in groupby(rows, key=itemgetter(0))
    ]


def _lay_out(repositories: list[tuple[str, list[File]]], settings: FimSettings, seen: Seen) -> None:
    for name, files in repositories:
        document(name, files, 0, 0, settings, seen=seen)


def _texts(files: list[File]) -> list[tuple[str, str]]:
    return [(file.path, file.content) for file in files]


def _obeyed(repositories: list[tuple[str, list[File]]]) -> tuple[int, int]:
    counts = [0, 0]
    for _, files in repositories:
        place = {number: at for at, number in enumerate(order(_texts(files)))}
        edges = imports(_texts(files))
        for number in range(len(files)):
            for imported in edges[number]:
                for member in [imported] if imported < len(files) else edges[imported]:
                    if member != number:
                        counts[place[member] > place[number]] += 1
    return counts[0], counts[1]


def _seconds(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def _children() -> float:
    """Seconds of CPU of the processes that have ended: those that parsed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
