"""What each ask_*.py of loaders tells, as JSON in its last line: see `tell`."""

import itertools
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

SEQUENCE = 4096
BATCH = 8
_FIRST = 50  # batches that are not counted
_ALONE = 400  # batches of rows drawn at random
_SEED = 10


def tell(
    name: str, started: float, batches: Iterator[Any], rows: int, at: Callable[[Sequence[int]], Any], count: int
) -> None:
    """ready: seconds of CPU from `started`, its CPU seconds then, to the first batch. M tokens/s: of `count` batches
    one after the other, of the clock and of CPU (all threads). alone: milliseconds of a batch of rows that `at` reads,
    median and 99th percentile."""
    next(batches)
    ready = time.process_time() - started
    for _ in itertools.islice(batches, _FIRST):
        pass
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in itertools.islice(batches, count):
        pass
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    chance = random.Random(_SEED)
    alone = []
    for _ in range(_ALONE):
        some = [chance.randrange(rows) for _ in range(BATCH)]
        start = time.perf_counter()
        at(some)
        alone.append(1e3 * (time.perf_counter() - start))
    alone.sort()
    tokens = count * BATCH * SEQUENCE / 1e6
    found = {
        "version": name,
        "ready": ready,
        "M tokens/s": tokens / wall,
        "M tokens/s of CPU": tokens / cpu,
        "alone": [alone[_ALONE // 2], alone[_ALONE * 99 // 100]],
        "load": os.getloadavg()[0],
    }
    print(json.dumps(found))
    sys.stdout.flush()
    os._exit(0)  # some leave threads behind
