"""One stage alone, from nothing, with one worker: python build_index.py WORKSPACE STAGE [no-symbols] [no-renamed]."""

import json
import os
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("MIMALLOC_ALLOW_THP", "0")  # as `starloom index` does, before Arrow is loaded

from starloom.kernels.start import warm_step
from starloom.stages import index_stages, load_settings
from starloom.workspace.run import build

root, stage = Path(sys.argv[1]), sys.argv[2]
shutil.rmtree(root / stage, ignore_errors=True)
settings = load_settings(root)
if "no-symbols" in sys.argv:
    settings = replace(settings, search=replace(settings.search, symbols=False))
if "no-renamed" in sys.argv:
    settings = replace(settings, membership=replace(settings.membership, renamed=False))
engine = replace(settings.engine, workers=1)
for step in ("words", "membership", "found texts"):
    warm_step(step)
before, start = time.process_time(), time.monotonic()
build(root, [one for one in index_stages() if one.name == stage], settings, engine, "bench")
print(json.dumps({"before": before, "wall": time.monotonic() - start}))
