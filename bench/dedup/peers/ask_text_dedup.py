"""text-dedup: python ask_text_dedup.py … --checkout FOLDER [--verify]; see asking.py. Needs Python 3.12 and what its
pyproject.toml asks for.

Its own functions in its own order, up to the clusters: 240 permutations as in its example configuration; what it would
then write is left out. With --verify as that configuration has it: every two files of a cluster are compared exactly,
and a cluster without a pair at the threshold is no cluster; else as its defaults have it.
"""

import functools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import asking

CHECKOUT = Path(sys.argv[sys.argv.index("--checkout") + 1])
sys.path.insert(0, str(CHECKOUT / "src"))
_CACHE = tempfile.TemporaryDirectory()
os.environ |= {"HF_HOME": _CACHE.name, "HF_DATASETS_OFFLINE": "1"}

from datasets import disable_progress_bars  # noqa: E402
from text_dedup import minhash  # noqa: E402
from text_dedup.config.base import load_config_from_toml  # noqa: E402

disable_progress_bars()
VERIFY = "--verify" in sys.argv
TOML = """
[input]
input_type = "local_files"
file_type = "parquet"
[input.read_arguments]
path = "parquet"
data_files = "{path}"
split = "train"
[algorithm]
algorithm_name = "minhash"
text_column = "content"
seed = 42
batch_size = 10000
num_perm = 240
threshold = 0.7
hash_bits = 64
ngram_size = 5
check_false_positive = {verify}
[output]
output_dir = "{folder}"
[debug]
enable_profiling = false
"""


def config(path):
    file = Path(_CACHE.name) / "config.toml"
    file.write_text(TOML.format(path=path, verify=str(VERIFY).lower(), folder=_CACHE.name))
    return load_config_from_toml(file)


def signatures(texts):
    embed = config("none").algorithm.get_embed_func()
    for number, text in enumerate(texts):
        embed([text], [number])


def keep(path, with_pairs):
    given = config(Path(path).resolve())
    data, _, _ = minhash.load_and_preprocess(given)
    clusters = minhash.cluster(given, minhash.fingerprint(given, data))
    if VERIFY:
        _, clusters = minhash.check_false_positives(given, minhash.assign(given, data, clusters))
    texts = asking.texts(path)
    keepers = [clusters.get(number, number) for number in range(len(texts))]
    return keepers, pairs(given, texts, keepers) if with_pairs else None


def pairs(given, texts, keepers):
    """Files with a band in common; with --verify the files of one cluster that are at the threshold."""
    if not VERIFY:
        embed = given.algorithm.get_embed_func()
        long = given.algorithm.get_filtering_func()
        bands = [embed([text], [0])["__band_val__"] if long(text) else None for text in texts]
        return asking.pairs_of_buckets(asking.buckets_of(bands))
    sets = [set(shingles(text)) for text in texts]
    clusters = asking.buckets_of([[keeper] for keeper in keepers])
    return {
        (a, b)
        for a, b in asking.pairs_of_buckets(clusters)
        if len(sets[a] & sets[b]) >= asking.THRESHOLD * len(sets[a] | sets[b])
    }


@functools.cache
def ngrams():
    return config("none").algorithm.get_ngrams_func()


def shingles(text):
    return ngrams()(text)


def version():
    asked = ["git", "-C", str(CHECKOUT), "log", "-1", "--format=%h of %cs"]
    return "0.4.1, " + subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    algorithm = config("none").algorithm
    what = f"{algorithm.bands}x{algorithm.rows} of {algorithm.num_perm}, connected components"
    asking.ask(version(), what + (", verified" if VERIFY else ""), signatures, keep, shingles)
