"""Encoders beside each other, and Starloom's beside Hugging Face's on every file."""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dedup import watched
from starloom.kernels.text import text_buffers
from starloom.the_stack import tables
from starloom.tokens.tokenizer import Tokenizer
from tokens.ask_encoder import ENCODERS

SPLITS = ("train", "held_out")
_SLOW = {"tokenizers": 0.1, "tokenizers, encode_batch_fast": 0.1, "tiktoken": 0.25}  # share of the sample they get
_EVERY = 16  # files of the train split, of which one is drawn: all repositories, in the dataset's order


def speeds(workspace: Path, tokenizer: Path, folder: Path, megabytes: float, gigatoken: str) -> dict[str, Any]:
    """Each encoder in a process of its own, on the same texts; those that are slow get the first part of them."""
    sample = folder / "sample.parquet"
    _draw(workspace, sample, megabytes)
    script = Path(__file__).parent / "ask_encoder.py"
    found: dict[str, Any] = {}
    for name in ENCODERS:
        python = gigatoken if name == "gigatoken" else sys.executable
        if not python:
            continue
        size = f"{megabytes * _SLOW.get(name, 1.0)}"
        row = watched.run([python, str(script), name, str(sample), str(tokenizer), size], {"PYTHONPATH": _paths()})
        found[name] = row
        print(name, json.dumps(row), file=sys.stderr, flush=True)
    return found


def _paths() -> str:
    return str(Path(__file__).parents[1])


def _draw(workspace: Path, sample: Path, megabytes: float) -> None:
    paths = tables.dataset(workspace, "files", "train")
    size = sum(int(np.sum(pq.read_table(path, columns=["length_bytes"]).column(0))) for path in paths)
    step = max(int(size / (megabytes * 1e6)), 1)
    kept: list[pa.Table] = []
    row = 0
    for path in paths:
        table = pq.read_table(path, columns=["content"])
        kept.append(table.take(np.arange(-row % step, table.num_rows, step)))
        row += table.num_rows
    pq.write_table(pa.concat_tables(kept), sample)


def equality(workspace: Path, tokenizer: Path, megabytes: float) -> dict[str, Any]:
    """The kernel's ids of every file (nothing checked, nothing left to the library), against the library's."""
    own = Tokenizer.open(tokenizer)
    fast = own._fast
    assert fast
    found = {"files": 0, "MB": 0.0, "tokens": 0, "different": [], "left to the library": 0, "not ASCII": 0}
    seconds = [0.0, 0.0]
    for names, texts in _texts(workspace):
        if found["MB"] >= megabytes:
            break
        start = time.process_time()
        offsets, data = text_buffers(texts)
        ours = fast._encoder.encode(offsets, data)
        middle = time.process_time()
        plain = texts.to_pylist()
        right = own._own.encode_batch(plain, add_special_tokens=False)
        seconds = [seconds[0] + middle - start, seconds[1] + time.process_time() - middle]
        for number, (name, text, expected) in enumerate(zip(names, plain, right)):
            ids = ours.ids[ours.bounds[number] : ours.bounds[number + 1]].tolist()
            found["files"] += 1
            found["not ASCII"] += not text.isascii()
            found["tokens"] += len(expected.ids)
            if not ours.done[number]:
                found["left to the library"] += 1
            elif ids != expected.ids:
                found["different"].append(name)
        found["MB"] += float(offsets[-1] - offsets[0]) / 1e6
    return found | {"seconds": {"Starloom": seconds[0], "tokenizers": seconds[1]}, "load after": os.getloadavg()[0]}


def _texts(workspace: Path) -> Iterator[tuple[list[str], Any]]:
    """Batches of all files: (repository:path, texts as an Arrow array)."""
    for split in SPLITS:
        for path in tables.dataset(workspace, "files", split):
            for batch in pq.ParquetFile(path).iter_batches(256, columns=["repo_name", "path", "content"]):
                repos, names = (batch.column(number).to_pylist() for number in range(2))
                yield [f"{repo}:{name}" for repo, name in zip(repos, names)], batch.column(2)
