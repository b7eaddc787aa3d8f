"""Megabytes a second of one core: the gate alone, all detectors, and hyperscan on the gate's anchors."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa

from dedup import watched
from safety import findings
from starloom.kernels.anchors import Compiled
from starloom.kernels.automaton import Anchor, Automaton
from starloom.kernels.text import text_buffers
from starloom.privacy.find import DETECTORS, find

TIMES = 5


def measure(texts: Sequence[str], files: Path, peers: findings.Peers, folder: Path) -> dict[str, Any]:
    """`files`: the same texts, as peers are given them."""
    offsets, data = text_buffers(pa.array(list(texts), pa.large_string()))
    size = len(data) / 1e6
    anchors = list(dict.fromkeys(Anchor(text, one.near) for one in DETECTORS for text in one.anchors))
    gate = Compiled(Automaton(anchors))
    bare = Compiled(Automaton([Anchor(text) for text in dict.fromkeys(one.text for one in anchors)]))
    places = [0]
    found: dict[str, Any] = {
        "MB": size,
        "detectors": len(DETECTORS),
        "anchors": len(anchors),
        "gate": size / _seconds(lambda: _through(gate, offsets, data, places)),
    }
    found["places"] = places[0]
    found["gate, any anchor"] = size / _seconds(lambda: _through(bare, offsets, data, places))
    found["places of any anchor"] = places[0]
    found["all detectors"] = size / _seconds(lambda: find(texts, offsets, data), 3)
    words = folder / "anchors.json"
    words.write_text(json.dumps(sorted({one.text for one in anchors})))
    script = findings.PEERS / "ask_hyperscan.py"
    told = watched.run([peers.python, str(script), str(files), str(folder / "none.parquet"), str(words)])
    found["hyperscan"] = told if "problem" in told else told | {"MB/s": size / told["work"]}
    return found


def _through(gate: Compiled, offsets: Any, data: Any, places: list[int]) -> None:
    places[0] = sum(len(piece.files) for piece in gate.places(offsets, data))


def _seconds(work: Callable[[], object], times: int = TIMES) -> float:
    """Of CPU: the median, after once for nothing."""
    work()
    taken = []
    for _ in range(times):
        before = time.process_time()
        work()
        taken.append(time.process_time() - before)
    return median(taken)
