"""BigCode's script for one machine, minhash_deduplication.py: python ask_bigcode_v1.py … --script PATH; see asking.py.

Run as it stands on its own multiprocessing, with its default of 256 permutations. Needs datasets < 3, numpy < 2, scipy
and typer.
"""

import os
import runpy
import sys
import tempfile
from pathlib import Path

import asking
import typer

commands = []
typer.run = commands.append
SCRIPT = Path(sys.argv[sys.argv.index("--script") + 1])
runpy.run_path(str(SCRIPT), run_name="__main__")
names = commands[0].__globals__

PERMUTATIONS = 256
BANDS, ROWS = names["optimal_param"](asking.THRESHOLD, PERMUTATIONS)
RANGES = [(k * ROWS, (k + 1) * ROWS) for k in range(BANDS)]


def bands(texts):
    np = names["np"]
    chance = np.random.RandomState(42)
    rows = [
        (
            chance.randint(1, names["MERSENNE_PRIME"], dtype=np.uint64),
            chance.randint(0, names["MERSENNE_PRIME"], dtype=np.uint64),
        )
        for _ in range(PERMUTATIONS)
    ]
    permutations = np.array(rows, dtype=np.uint64).T
    for number, text in enumerate(texts):
        yield names["embed_func"](
            text, number, num_perm=PERMUTATIONS, ngram_size=5, hashranges=RANGES, permutations=permutations
        )["__signatures__"]


def signatures(texts):
    for _ in bands(texts):
        pass


def keep(path, with_pairs):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").mkdir()
        os.link(path, folder / "data" / "train.parquet")
        commands[0](
            dataset="parquet",
            config="default",
            split="train",
            data_dir=str(folder / "data"),
            revision="main",
            column="content",
            cache_dir=str(folder / "cache"),
            ngram_size=5,
            num_perm=PERMUTATIONS,
            threshold=asking.THRESHOLD,
            min_ngram_size=5,
            output=str(folder / "output"),
        )
    texts = asking.texts(path)
    keepers = [names["uf"].find(number) for number in range(len(texts))]
    return keepers, asking.pairs_of_buckets(asking.buckets_of(bands(texts))) if with_pairs else None


def shingles(text):
    return {" ".join(one) for one in names["ngrams"](names["NON_ALPHA"].split(text), 5, 5)}


if __name__ == "__main__":
    what = f"{BANDS}x{ROWS} of {PERMUTATIONS}, connected components"
    asking.ask(asking.version_of(SCRIPT), what, signatures, keep, shingles)
