"""What is the least: python ask_memmap.py FILE.bin BATCHES; see asking.py. Rows anywhere, as nanoGPT draws them.

No epochs, no documents, no packing: a map of the file, a slice for each row, as int64. Needs numpy.
"""

import sys
import time

import asking
import numpy as np

path, count = sys.argv[1], int(sys.argv[2])
started = time.process_time()
data = np.memmap(path, dtype="<u2", mode="r")
chance = np.random.default_rng(0)


def at(some):
    rows = [data[row * asking.SEQUENCE : (row + 1) * asking.SEQUENCE + 1].astype(np.int64) for row in some]
    return np.stack([row[:-1] for row in rows]), np.stack([row[1:] for row in rows])


def batches():
    while True:
        starts = chance.integers(0, len(data) - asking.SEQUENCE - 1, asking.BATCH)
        rows = [data[start : start + asking.SEQUENCE + 1].astype(np.int64) for start in starts]
        yield np.stack([row[:-1] for row in rows]), np.stack([row[1:] for row in rows])


asking.tell(f"numpy {np.__version__}", started, batches(), (len(data) - 1) // asking.SEQUENCE, at, count)
