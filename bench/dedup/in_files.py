"""`near_duplicates_in_files` alone: python bench/dedup/in_files.py FILES.parquet... [--workers 2]. Prints what it found
as a JSON object, with the seconds to each of its steps."""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from starloom.dedup.parquet_texts import TextFile, near_duplicates_in_files
from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    before, started = time.process_time(), time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with LocalEngine(EngineSettings(workers=given.workers), folder / "spill") as engine:
            found = near_duplicates_in_files(
                engine, [TextFile(path) for path in given.files], 0.7, scratch=folder / "scratch"
            )
    wall = time.perf_counter() - started
    size = sum(
        pc.sum(pc.binary_length(batch.column(0))).as_py() or 0
        for path in given.files
        for batch in pq.ParquetFile(path).iter_batches(10_000, columns=["content"])
    )
    said = {
        "before": before,
        "wall": wall,
        "files": len(found.keeper),
        "bytes": size,
        "removed": int((found.keeper != np.arange(len(found.keeper))).sum()),
        "candidates": found.candidates,
        "pairs": len(found.left),
        "capped buckets": found.capped_buckets,
    }
    print(json.dumps(said))
