"""Problems of benchmarks planted in real files, re-indented: which are found; and what is found in files without.

The problems are read here from the published files, apart from how `tasks` reads them. Each is planted once as its
authors wrote it and once in another layout: tabs for spaces, other line ends, blank lines put in, upper case.
"""

import gzip
import json
import random
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from safety.corpus import File
from starloom.kernels.text import text_buffers
from starloom.tasks.contamination import ContaminationSettings, open_search

SEED = 8
HOSTS = 5000
SETS = ("humaneval", "mbpp", "multipl-e-humaneval")


def measure(folder: Path, files: Sequence[File], clean: Sequence[File]) -> dict[str, Any]:
    """`folder`: of the benchmarks, in a folder each. `clean`: what is believed to hold none."""
    places = tuple(str(folder / name) for name in SETS)
    search = open_search(ContaminationSettings(benchmarks=places))
    rng = random.Random(SEED)
    hosts = [one for one in files if 200 <= len(one.content) <= 40_000]
    hosts = rng.sample(hosts, min(HOSTS, len(hosts)))
    problems = [(name, task, text) for name in SETS for task, text in _problems(folder / name, name)]
    texts, wanted = [], []
    for name, task, text in problems:
        for layout in (None, rng.choice(_LAYOUTS)):
            host = hosts[len(texts) % len(hosts)].content
            at = host.find("\n", rng.randrange(len(host))) + 1
            texts.append(host[:at] + (layout(text, rng) if layout else text) + "\n" + host[at:])
            wanted.append((name, task, layout.__name__ if layout else "as it is"))
    found = _find(search, texts)[0]
    planted, hit, missed = Counter[str](), Counter[str](), []
    for (name, task, layout), some in zip(wanted, found, strict=True):
        planted[name] += 1
        if any(one.benchmark == name for one in some):
            hit[name] += 1
        else:
            missed.append(f"{name} {task} ({layout})")
    told, seconds = _find(search, [one.content for one in clean])
    size = sum(len(one.content.encode("utf-8", "replace")) for one in clean)
    matches = [match for some in told for match in some]
    return {
        "sought": {one.benchmark: one._asdict() for one in search.sought},
        "planted": dict(planted),
        "found": dict(hit),
        "missed": missed[:40],
        "clean files": len(clean),
        "clean bytes": size,
        "files hit": sum(map(bool, told)),
        "matches": Counter(f"{one.benchmark}, {one.part}" for one in matches).most_common(),
        "problems hit": Counter(f"{one.benchmark} {one.problem} ({one.part})" for one in matches).most_common(25),
        "MB/s": size / 1e6 / seconds,
    }


def _find(search: Any, texts: Sequence[str]) -> tuple[list[Any], float]:
    found: list[Any] = []
    seconds = 0.0
    offsets, data = text_buffers(pa.array(["warm"], pa.large_string()))
    search.find(offsets, data)
    for start in range(0, len(texts), 2000):
        offsets, data = text_buffers(pa.array(list(texts[start : start + 2000]), pa.large_string()))
        before = time.process_time()
        found += search.find(offsets, data)
        seconds += time.process_time() - before
    return found, seconds


def _problems(folder: Path, name: str) -> Iterator[tuple[str, str]]:
    """(task, what a file that holds it would hold)."""
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                if name == "humaneval":
                    yield row["task_id"], row["prompt"] + row["canonical_solution"]
                elif name == "mbpp" and 11 <= row["task_id"] <= 510:  # what the paper removes
                    yield str(row["task_id"]), f'"""{row["text"]}"""\n{row["code"]}'
                elif name == "multipl-e-humaneval":
                    yield row["name"] + " " + row["language"], row["prompt"]


def tabs(text: str, _: random.Random) -> str:
    return text.replace("    ", "\t")


def indented(text: str, _: random.Random) -> str:
    return "".join("      " + line for line in text.splitlines(keepends=True))


def other_line_ends(text: str, _: random.Random) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def blank_lines(text: str, rng: random.Random) -> str:
    return "".join(line + "\n" * rng.randint(0, 2) for line in text.splitlines(keepends=True))


def upper_case(text: str, _: random.Random) -> str:
    """Escapes stay: `\\N` is another sign than `\\n`."""
    return re.sub(r"\\.|[a-z]", lambda one: one[0] if len(one[0]) > 1 else one[0].upper(), text)


_LAYOUTS = (tabs, indented, other_line_ends, blank_lines, upper_case)
