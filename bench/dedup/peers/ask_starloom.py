"""Starloom itself: see asking.py. In this process alone, the texts left in the file; with --in-memory, held."""

import sys
import tempfile
from pathlib import Path

import asking
import pyarrow as pa

from starloom import __version__
from starloom.dedup import near_duplicates
from starloom.dedup.parquet_texts import TextFile, near_duplicates_in_files
from starloom.dedup.signature import measure, tuned
from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
from starloom.kernels import minhash, pairs, shingles  # noqa: F401  imports are not counted, ours as little as others'
from starloom.kernels.text import text_buffers

SETTINGS = tuned(asking.THRESHOLD)


def prepared(texts):
    return pa.array(texts, pa.large_string())


def signatures(texts):
    measure(*text_buffers(texts), SETTINGS)


def keep(path, with_pairs):
    if "--in-memory" in sys.argv:
        found = near_duplicates(asking.column(path), asking.THRESHOLD)
    else:
        found = in_files(Path(path))
    return found.keeper, all_pairs(found, path) if with_pairs else None


def in_files(path):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with LocalEngine(EngineSettings(workers=1), folder / "spill") as engine:
            return near_duplicates_in_files(engine, [TextFile(path)], asking.THRESHOLD, scratch=folder / "scratch")


def all_pairs(found, path):
    """Those of `found`, and every two files of one token stream, of which `found` has one only."""
    measured = measure(*text_buffers(asking.column(path)), SETTINGS)
    groups = {}
    for number, (tokens, stream) in enumerate(zip(measured.tokens.tolist(), map(tuple, measured.stream.tolist()))):
        groups.setdefault(stream if tokens >= SETTINGS.shingle else number, []).append(number)
    alike = {number: group for group in groups.values() for number in group}
    tied = asking.pairs_of_buckets(groups.values())
    for left, right in zip(found.left.tolist(), found.right.tolist()):
        tied |= {(min(a, b), max(a, b)) for a in alike[left] for b in alike[right]}
    return tied


if __name__ == "__main__":
    bands = f"{SETTINGS.bands}x{SETTINGS.rows} of {SETTINGS.permutations}"
    asking.ask(__version__, f"{bands}, verified, stars", signatures, keep, asking.words_5_grams, prepared)
