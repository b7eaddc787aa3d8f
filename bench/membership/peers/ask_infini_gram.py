"""infini-gram over bytes: python ask_infini_gram.py TEXTS.parquet QUESTIONS.json FOLDER

Its indexer and engine as they are, one CPU, tokens of one byte. It imports `transformers` though it tokenises nothing
then; an empty module stands for it. Asked: `attribute` of each question (2 KB), `count` of 50 of its bytes.
"""

import importlib.metadata
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq

texts, questions, folder = sys.argv[1:]
place = Path(folder).resolve() / "infini-gram"
stub = place / "stub" / "transformers"
for one in (stub, place / "data", place / "index"):
    one.mkdir(parents=True, exist_ok=True)
(stub / "__init__.py").write_text(
    "class utils:\n    class logging:\n        @staticmethod\n        def set_verbosity(_):\n            pass\n"
)
files = pq.read_table(texts).column(0).to_pylist()
size = sum(len(text.encode()) for text in files)
with (place / "data" / "texts.jsonl").open("w") as out:
    for text in files:
        out.write(json.dumps({"text": text}) + "\n")
command = [sys.executable, "-m", "infini_gram.indexing", "--data_dir", str(place / "data"), "--temp_dir", str(place)]
command += ["--save_dir", str(place / "index"), "--token_dtype", "u8", "--cpus", "1", "--mem", "8", "--shards", "1"]
paths = os.pathsep.join(filter(None, (str(stub.parent), os.environ.get("PYTHONPATH"))))
environment = os.environ | {"PYTHONPATH": paths}
before = resource.getrusage(resource.RUSAGE_CHILDREN)
subprocess.run([*command, "--ulimit", "4096"], check=True, env=environment, stdout=subprocess.DEVNULL)
after = resource.getrusage(resource.RUSAGE_CHILDREN)
spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
told = {"version": importlib.metadata.version("infini-gram"), "MB": size / 1e6, "build MB/s": size / 1e6 / spent}
told["index"] = sum(one.stat().st_size for one in (place / "index").iterdir()) / size

from infini_gram.engine import InfiniGramEngine  # noqa: E402

engine = InfiniGramEngine(index_dir=str(place / "index"), eos_token_id=254, vocab_size=255, token_dtype="u8")
seconds: dict[str, list[float]] = {"attribute": [], "count": []}
for question in json.loads(Path(questions).read_text()):
    data = list(question.encode())
    start = time.perf_counter()
    found = engine.attribute(input_ids=data, delim_ids=[], min_len=50, max_cnt=20, enforce_bow=False)
    seconds["attribute"].append(time.perf_counter() - start)
    if "error" in found:
        raise SystemExit(f"attribute: {found['error']}")
    start = time.perf_counter()
    engine.count(input_ids=data[len(data) // 8 : len(data) // 8 + 50])
    seconds["count"].append(time.perf_counter() - start)
print(json.dumps(told | {"seconds": seconds}))
