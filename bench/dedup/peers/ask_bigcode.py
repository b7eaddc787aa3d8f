"""BigCode's script for The Stack v2, bigcode-v2/intra_dedup.py: python ask_bigcode.py … --script PATH; see asking.py.

Its functions are called as its Spark job calls them, with 250 permutations and 25 x 10 bands, its defaults; Spark's
grouping and connected components are plain Python here, which on one machine takes less time. Needs numpy, scipy and
xxhash < 4, which still takes str.
"""

import importlib.util
import sys
import types
from pathlib import Path

import asking

for name in ("pyspark", "pyspark.sql", "graphframes"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["pyspark"].SparkConf = sys.modules["graphframes"].GraphFrame = None
sys.modules["pyspark.sql"].DataFrame = sys.modules["pyspark.sql"].SparkSession = None
sys.modules["pyspark.sql"].functions = None

SCRIPT = Path(sys.argv[sys.argv.index("--script") + 1])
spec = importlib.util.spec_from_file_location("intra_dedup", SCRIPT)
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)

PERMUTATIONS = 250
BANDS, ROWS = script.optimal_param(asking.THRESHOLD, PERMUTATIONS)
RANGES = [(k * ROWS, (k + 1) * ROWS) for k in range(BANDS)]
MULTIPLIERS = (
    script.RNG.randint(1, script.MOD_PRIME, size=(PERMUTATIONS,), dtype=script.DTYPE),
    script.RNG.randint(0, script.MOD_PRIME, size=(PERMUTATIONS,), dtype=script.DTYPE),
)


def bands(texts):
    for number, text in enumerate(texts):
        found = script.generate_hash_values(text, number, PERMUTATIONS, 5, 5, RANGES, MULTIPLIERS)
        yield [value for _, value, _ in found]


def signatures(texts):
    for _ in bands(texts):
        pass


def keep(path, with_pairs):
    texts = asking.texts(path)
    groups = asking.buckets_of(bands(texts))
    return asking.components(len(texts), groups), asking.pairs_of_buckets(groups) if with_pairs else None


def shingles(text):
    tokens = script.NON_ALPHA.split(text.lower())
    return [" ".join(tokens[k : k + 5]) for k in range(len(tokens) - 4)]


if __name__ == "__main__":
    what = f"{BANDS}x{ROWS} of {PERMUTATIONS}, connected components"
    asking.ask(asking.version_of(SCRIPT), what, signatures, keep, shingles)
