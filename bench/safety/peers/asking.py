"""What all peers are given and give back: files in a Parquet file, findings in another, one JSON object as last line.

Runs in the peer's own Python: needs pyarrow only.
"""

import json
import resource
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def files():
    """[(name, content)] of the Parquet file named first on the command line."""
    table = pq.read_table(sys.argv[1], columns=["name", "content"])
    return list(zip(table["name"].to_pylist(), table["content"].to_pylist(), strict=True))


def written(folder, files):
    """The files in a folder of their own each, as tools that walk folders want them: their paths."""
    paths = []
    for number, (name, content) in enumerate(files):
        path = Path(folder, f"{number:06d}", Path(name).name or "file.txt")
        path.parent.mkdir()
        path.write_bytes(content.encode("utf-8", "replace"))
        paths.append(path)
    return paths


def spent():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def in_line(content, starts, line, value, hint=0):
    """(start, end) of `value` in line `line` (from 1) of the content, at `hint` characters or after; None without."""
    if not 0 < line < len(starts):
        return None
    first = content.find(value, starts[line - 1] + hint, starts[line])
    if first < 0:
        first = content.find(value, starts[line - 1], starts[line])
    return None if first < 0 or not value else (first, first + len(value))


def line_starts(content):
    starts = [0]
    for line in content.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


def answer(version, found, before, work):
    """`found`: (row, start, end, kind, rule). `before`: seconds of CPU before the work; `work`: seconds of it."""
    names = ("row", "start", "end", "kind", "rule")
    columns = list(zip(*sorted(set(found)), strict=True)) or [[] for _ in names]
    pq.write_table(pa.table([pa.array(list(one)) for one in columns], names=list(names)), sys.argv[2])
    print(json.dumps({"version": version, "before": before, "work": work, "findings": len(set(found))}))
