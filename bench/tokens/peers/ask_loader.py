"""Starloom's loader: python ask_loader.py TOKENS_FOLDER BATCHES THREADS [best-fit|concatenate] [SOURCES] [BLOCK]; see
asking.py.

Ids, targets and the documents of a shuffled epoch; documents packed by best fit. SOURCES: the tokens stand for so many
sources of a mixture, each with a weight.
"""

import sys
import time
from pathlib import Path

import asking
import numpy as np

from starloom.kernels.start import warm_step
from starloom.tokens.loader import Loader
from starloom.tokens.packed import Packed
from starloom.tokens.samples import Recipe, Samples, Source

folder, count, threads = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
method, many, block = [*sys.argv[4:], *("best-fit", "1", "1")[len(sys.argv) - 4 :]]
warm_step("rows")
started = time.process_time()
packed = Packed.open(folder)
sources = [Source(f"source-{number}", packed, packed.sources[0]) for number in range(int(many))]
weights = tuple((one.name, 1.0 + number) for number, one in enumerate(sources))
samples = Samples(sources, Recipe(asking.SEQUENCE, 0, method, weights, int(block)), 0)
loader = Loader(samples, asking.BATCH, threads=threads)
asking.tell(
    f"{method}, {threads} threads" if threads else method,
    started,
    iter(loader),
    samples.rows(0, 0) * len(sources),
    lambda some: samples.batch(np.array(some)),
    count,
)
