"""How a deduplicator is asked, the same for all: python ask_NAME.py signatures|keep|shingles FILES.parquet [OUT].

`signatures`: texts in memory, in the form that it takes, to signatures: the best of up to five runs in ten seconds.
`keep`: from the Parquet file to the keeper of each file, written to OUT; with --pairs also the pairs that it takes for
duplicates, which is not for timing. `shingles`: of each file the set that it compares, hashed anew. Needs pyarrow and
NumPy only, for it runs in the peers' environments. The last line on stdout is a JSON object.
"""

import contextlib
import hashlib
import io
import itertools
import json
import os
import re
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

os.environ.setdefault("MIMALLOC_PURGE_DELAY", "-1")  # as `starloom dedup` does, for all: what Arrow frees is used again
import pyarrow as pa
import pyarrow.parquet as pq

THRESHOLD = 0.7
_ENOUGH = 10.0  # seconds


def ask(version, what, signatures, keep, shingles, prepared=list):
    """`signatures(prepared(list of texts))`; `keep(path, with_pairs)` gives (keeper a file, pairs or None);
    `shingles(text)`, a set."""
    mode, path, *rest = sys.argv[1:]
    said = {"version": version, "what": what}
    with contextlib.redirect_stdout(io.StringIO()):
        if mode == "signatures":
            said |= _signatures(signatures, texts(path), prepared)
        elif mode == "keep":
            said["before"], started = time.process_time(), time.perf_counter()
            keepers, pairs = keep(path, "--pairs" in rest)
            said["wall"] = time.perf_counter() - started
            _write(Path(rest[0]), keepers, pairs)
        else:
            sets = [sorted({_hashed(one) for one in shingles(text)}) for text in texts(path)]
            pq.write_table(pa.table({"shingles": pa.array(sets, pa.list_(pa.uint64()))}), rest[0])
    print(json.dumps(said))


def _signatures(signatures, all_texts, prepared):
    size = sum(len(text.encode()) for text in all_texts)
    given = prepared(all_texts)
    runs, spent = [], 0.0
    while not runs or (spent + runs[-1] <= _ENOUGH and len(runs) < 5):
        before = time.process_time()
        signatures(given)
        runs.append(time.process_time() - before)
        spent += runs[-1]
    return {"seconds": min(runs), "bytes": size, "files": len(all_texts), "runs": len(runs)}


def _write(target, keepers, pairs):
    pq.write_table(pa.table({"keeper": np.asarray(keepers, dtype=np.int64)}), target)
    if pairs is not None:
        rows = sorted(set(pairs))
        left, right = zip(*rows) if rows else ((), ())
        columns = {"left": np.array(left, dtype=np.int64), "right": np.array(right, dtype=np.int64)}
        pq.write_table(pa.table(columns), target.with_suffix(".pairs.parquet"))


def _hashed(shingle):
    data = shingle if isinstance(shingle, bytes) else str(shingle).encode()
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def column(path):
    """The texts as an Arrow array; by one thread, for two spend half their time on each other's page faults."""
    return pq.ParquetFile(path).read(columns=["content"], use_threads=False).column("content")


def texts(path):
    return column(path).to_pylist()


def version_of(script):
    """Of a script that says none."""
    return "sha256 " + hashlib.sha256(script.read_bytes()).hexdigest()[:12]


def words_5_grams(text):
    r"""The strings that peers without a tokenisation of their own are given: lower case, split at \W, no empty ones."""
    words = re.findall(r"\w+", text.lower())
    return [" ".join(words[k : k + 5]) for k in range(len(words) - 4)]


def pairs_of_buckets(buckets):
    """Every two files that share a bucket, as (lower, higher)."""
    return {pair for bucket in buckets for pair in itertools.combinations(sorted(bucket), 2)}


def components(count, groups):
    """The lowest file of everything that groups tie together."""
    parents = list(range(count))

    def root(one):
        while parents[one] != one:
            parents[one] = parents[parents[one]]
            one = parents[one]
        return one

    for group in groups:
        first = root(min(group))
        for one in group:
            other = root(one)
            first, other = min(first, other), max(first, other)
            parents[other] = first
    return [root(one) for one in range(count)]


def buckets_of(bands):
    """Files by band and value, of an iterable of the band values of each file; files of None are in no bucket."""
    found = defaultdict(list)
    for number, values in enumerate(bands):
        for band, value in enumerate(values or ()):
            found[band, value].append(number)
    return [bucket for bucket in found.values() if len(bucket) > 1]
