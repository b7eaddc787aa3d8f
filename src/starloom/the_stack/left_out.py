"""Contents that `read` leaves out because they are opted out, and those that come back when a wish is withdrawn.

The index of the content cache says, as facts, which contents were left out (or erased by a purge) and how often some
came back. From them follows the mark that makes `read` run again, and all that reads its output: nothing while nobody
withdraws, so that an opt-out by itself makes no stage read or measure anew.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from starloom.the_stack import tables
from starloom.the_stack.door import opted_out
from starloom.workspace.manifest import read_manifest
from starloom.workspace.parts import Parts
from starloom.workspace.stage import Job

LEFT_OUT, CAME_BACK = "left_out", "came_back"


def brought_back(job: Job) -> Mapping[str, str]:
    """The state of `read`'s outside: empty until an opt-out of a content that is not in the cache is withdrawn."""
    counts = _came_back(job)
    if not counts:
        return {}
    return {"opt-outs": hashlib.sha256(json.dumps(sorted(counts.items())).encode()).hexdigest()[:32]}


def facts(job: Job) -> dict[str, Any]:
    """What the index of the cache is to say once everything is read that may be."""
    opted = opted_out(job)
    missing: list[str] = []
    if opted.contents:
        given = {
            "opted": opted.contents_table(),
            "contents": tables.contents(job.root) or tables.CONTENTS.empty_table(),
        }
        sql = "SELECT content_id FROM opted EXCEPT SELECT content_id FROM contents ORDER BY content_id"
        missing = job.engine.table(sql, given).column(0).to_pylist()
    return _facts(missing, _came_back(job))


def with_erased(root: Path, content_ids: Iterable[str]) -> None:
    """Tells the index of the cache that these contents were erased, so that withdrawing has them read again."""
    parts = Parts(root / tables.FILES, "files")
    found = parts.facts()
    missing = sorted({*found.get(LEFT_OUT, ()), *content_ids})
    parts.set_facts(found | _facts(missing, found.get(CAME_BACK, {})))


def _facts(missing: list[str], counts: Mapping[str, int]) -> dict[str, Any]:
    found = {LEFT_OUT: missing, CAME_BACK: dict(sorted(counts.items()))}
    return {name: value for name, value in found.items() if value}


def _came_back(job: Job) -> Mapping[str, int]:
    """How often each content came back, with those that may now and are still left out."""
    index = read_manifest(job.root / tables.FILES)
    if index is None:
        return {}
    may = set(index.facts.get(LEFT_OUT, ())) - set(opted_out(job).contents)
    return Counter(index.facts.get(CAME_BACK, {})) + Counter(may)
