"""Starloom's loader over slow_web.py: python ask_far.py TOKENS SECONDS BATCHES BLOCK CACHE. JSON in its last line.

The first time the cache, a new folder, is empty; the second time everything is there.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from starloom.kernels.start import warm_step
from starloom.tokens.loader import Loader
from starloom.tokens.mixture import MixtureSource
from starloom.tokens.samples import Recipe, Samples, open_sources

SEQUENCE, BATCH = 4096, 8
folder, seconds, count, block = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
web = [sys.executable, str(Path(__file__).with_name("slow_web.py")), folder, seconds]
server = subprocess.Popen(web, stdout=subprocess.PIPE, text=True)
assert server.stdout
url = f"http://127.0.0.1:{server.stdout.readline().strip()}"


def asked() -> list[int]:
    with urllib.request.urlopen(f"{url}/asked") as answer:
        return [int(one) for one in answer.read().split()]


warm_step("rows")
os.environ["XDG_CACHE_HOME"] = sys.argv[5]  # not that of the compiled kernels
found: dict[str, Any] = {}
for name in ("empty", "kept"):
    before = asked()
    started = time.perf_counter()
    samples = Samples(open_sources(Path(), [MixtureSource("code", tokens=url)]), Recipe(SEQUENCE, 0, block=block), 0)
    with Loader(samples, BATCH, threads=1) as loader:
        next(loader)
        first = time.perf_counter() - started
        started, cpu = time.perf_counter(), time.process_time()
        for _ in range(count):
            next(loader)
        wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    requests, size = (after - one for after, one in zip(asked(), before, strict=True))
    tokens = count * BATCH * SEQUENCE / 1e6
    found[name] = {"first": first, "M tokens/s": tokens / wall, "M tokens/s of CPU": tokens / cpu}
    found[name] |= {"pages": requests, "MB": size / 1e6}
server.terminate()
server.wait()
print(json.dumps(found | {"load": os.getloadavg()[0], "tokens": samples.stream(0, 0).tokens}))
