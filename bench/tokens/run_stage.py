"""One stage alone, from nothing, with one worker: python run_stage.py WORKSPACE STAGE."""

import json
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

from starloom.kernels.start import warm_step
from starloom.stages import load_settings, token_stages
from starloom.workspace.manifest import open_folder
from starloom.workspace.run import build

root, name = Path(sys.argv[1]), sys.argv[2]
stage = next(one for one in token_stages() if one.name == name)
shutil.rmtree(root / stage.folder, ignore_errors=True)
settings = load_settings(root)
engine = replace(settings.engine, workers=1)
for step in ("rows", "tokens"):
    warm_step(step)
before, start = time.process_time(), time.monotonic()
build(root, [stage], settings, engine, "bench")
manifest = open_folder(root / stage.folder)
assert manifest is not None
print(json.dumps({"before": before, "wall": time.monotonic() - start, "facts": dict(manifest.facts)}, default=str))
