"""Makes src/starloom/privacy/gibberish.zip: how often three characters follow one another in names and words.

    python scripts/gibberish_table.py FILE.parquet …

Input: the column `content` of Parquet files with source code. Counted is each name of at most 40 characters, and each
path, of a file, once a file; a name that many files have by the logarithm of their number. Kept is, of each triple of
the 29 symbols of privacy/gibberish.py, the cost in halves of a bit: no text can be told from it.
"""

import argparse
import math
import re
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from starloom.privacy.gibberish import SYMBOLS, TABLE, symbols

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]{3,40}")
LONGEST = 1 << 17  # characters of a file that are read
SMOOTH = 0.05
RANDOM = re.compile(r"[0-9].*[0-9].*[0-9].*[0-9]|[0-9a-fA-F]{12}")  # not to learn from: ids, hashes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    names: Counter[str] = Counter()
    for path in parser.parse_args().files:
        for batch in pq.ParquetFile(path).iter_batches(500, columns=["content"]):
            for text in batch.column(0).to_pylist():
                names.update({name for name in NAME.findall(text[:LONGEST]) if not RANDOM.search(name)})
    size = len(SYMBOLS)
    counts = np.full((size, size, size), SMOOTH)
    for name, files in names.items():
        if files > 1:
            codes = symbols(name)
            for triple in zip(codes, codes[1:], codes[2:], strict=False):
                counts[triple] += math.log2(files)
    cost = -np.log2(counts / counts.sum(axis=2, keepdims=True))
    table = np.clip(np.round(cost * 2), 0, 31).astype(np.uint8)
    entry = zipfile.ZipInfo("triples", (2026, 1, 1, 0, 0, 0))
    with zipfile.ZipFile(TABLE, "w") as archive:
        archive.writestr(entry, table.tobytes(), zipfile.ZIP_DEFLATED, 9)
    print(f"{len(names):,} names, {TABLE.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
