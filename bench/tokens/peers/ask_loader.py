"""Starloom's loader: python ask_loader.py TOKENS_FOLDER BATCHES THREADS [best-fit|concatenate]; see asking.py.

Ids, targets and the documents of a shuffled epoch; documents packed by best fit.
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
method = (sys.argv[4:] or ["best-fit"])[0]
warm_step("rows")
started = time.process_time()
packed = Packed.open(folder)
sources = [Source(name, packed, name) for name in packed.sources[:1]]
samples = Samples(sources, Recipe(asking.SEQUENCE, 0, method), 0)
loader = Loader(samples, asking.BATCH, threads=threads)
asking.tell(
    f"{method}, {threads} threads" if threads else method,
    started,
    iter(loader),
    samples.rows(0, 0),
    lambda some: samples.batch(np.array(some)),
    count,
)
