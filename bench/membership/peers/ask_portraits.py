"""Data Portraits' rule in a Bloom filter of rbloom: python ask_portraits.py TEXTS.parquet OTHERS.parquet PLANTED.json

github.com/ruyimarone/data-portraits at 90fa229: `code_proc.proc_code` as it stands there (its three expressions), then
pieces of 50 characters every 50 (`utils.chunk_sequence_strided`), added to a Bloom filter; asked with pieces at every
character. There the filter is RedisBloom's in a server; here it is rbloom's in this process, which spares the network,
at an error of 0.1 %. `rbloom alone`: its own `update` and look-ups, of pieces that are ready. Needs rbloom and pyarrow.
"""

import importlib.metadata
import json
import re
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
from rbloom import Bloom

WIDTH, ERROR = 50, 0.001

consecutive_newlines = re.compile(r"[\r\n]+")
consecutive_spaces = re.compile(r"[^\S\n]+")
leading_spaces = re.compile(r"\n\s")


def proc_code(text: str) -> str:
    text = consecutive_newlines.sub("\n", text)
    text = consecutive_spaces.sub(" ", text)
    text = leading_spaces.sub("\n", text)
    return text.strip()


def pieces(text: str, stride: int) -> list[str]:
    return [text[start : start + WIDTH] for start in range(0, len(text) - WIDTH + 1, stride)]


texts, others, planted = sys.argv[1:]
files = pq.read_table(texts).column(0).to_pylist()
size = sum(len(text.encode()) for text in files)
start = time.process_time()
filter_ = Bloom(sum(len(text) for text in files) // WIDTH + 1, ERROR)
for text in files:
    filter_.update(pieces(proc_code(text), WIDTH))
built = time.process_time() - start
told = {"version": importlib.metadata.version("rbloom"), "MB": size / 1e6, "build MB/s": size / 1e6 / built}
told["filter"] = filter_.size_in_bits / 8 / size

held_out = pq.read_table(others).column(0).to_pylist()
exact = {piece for text in files for piece in pieces(proc_code(text), WIDTH)}
start = time.process_time()
asked = hits = wrong = 0
for text in held_out:
    for piece in pieces(proc_code(text), 1):
        asked += 1
        hits += piece in filter_
spent = time.process_time() - start
wrong = sum(piece in filter_ and piece not in exact for text in held_out for piece in pieces(proc_code(text), 1))
told |= {"check MB/s": sum(len(text.encode()) for text in held_out) / 1e6 / spent, "windows/s": asked / spent}
told |= {"hits": hits / asked, "false positives": wrong / asked}

recall: dict[str, list[int]] = {}
for text, first, last, key in json.loads(Path(planted).read_text()):
    found = any(piece in filter_ for piece in pieces(proc_code(text[first:last]), 1))
    row = recall.setdefault(key, [0, 0])
    row[0] += found
    row[1] += 1
told["recall"] = recall

ready = list(exact)[:2_000_000]
alone = Bloom(len(ready), ERROR)
start = time.process_time()
alone.update(ready)
added = time.process_time() - start
start = time.process_time()
present = sum(piece in alone for piece in ready)
looked = time.process_time() - start
told["rbloom alone"] = {"adds/s": len(ready) / added, "look-ups/s": present / looked}
print(json.dumps(told))
