"""datatrove: see asking.py. Its own pipeline, reader and stages 1 to 3 in one process, by its defaults.

That is 14 x 8 of 112 permutations of 64 bits, words by spaCy's English tokenizer, 5-grams. Needs `datatrove`, `spacy`,
`pyarrow` and `xxhash`.
"""

import functools
import importlib.metadata
import os
import struct
import sys
import tempfile
from pathlib import Path

import asking
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.readers import ParquetReader
from datatrove.utils.text import ngrams, simplify_text
from loguru import logger

logger.remove()
logger.add(sys.stderr, level="ERROR")
CONFIG = MinhashConfig()


@functools.cache
def stage():
    """One for all texts, for spaCy takes a second to start."""
    return MinhashDedupSignature(tempfile.gettempdir(), CONFIG)


def signatures(texts):
    one = stage()
    for text in texts:
        found = one.get_shingles(text)
        if found.size:
            one.get_signature(found)


def keep(path, with_pairs):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("data", "signatures", "buckets", "clusters", "logs"):
            (folder / part).mkdir()
        os.link(path, folder / "data" / "train.parquet")
        reader = ParquetReader(str(folder / "data"), text_key="content", id_key="id", read_metadata=False)
        steps = [
            (1, [reader, MinhashDedupSignature(str(folder / "signatures"), CONFIG)]),
            (
                CONFIG.num_buckets,
                [MinhashDedupBuckets(str(folder / "signatures"), str(folder / "buckets"), None, CONFIG)],
            ),
            (1, [MinhashDedupCluster(str(folder / "buckets"), str(folder / "clusters"), CONFIG, save_cluster_id=True)]),
        ]
        for number, (tasks, pipeline) in enumerate(steps):
            LocalPipelineExecutor(pipeline, tasks, 1, str(folder / "logs" / str(number))).run()
        removed = {one for (one,) in struct.iter_unpack("<I", read(folder / "clusters" / "000000.remove"))}
        cluster_of = dict(struct.iter_unpack("<2I", read(folder / "clusters" / "000000.clusters")))
    kept = {cluster: one for one, cluster in cluster_of.items() if one not in removed}
    texts = asking.texts(path)
    keepers = [kept[cluster_of[number]] if number in cluster_of else number for number in range(len(texts))]
    return keepers, all_pairs(texts) if with_pairs else None


def read(path):
    return path.read_bytes() if path.exists() else b""


def all_pairs(texts):
    one = stage()
    found = (one.get_shingles(text) for text in texts)
    bands = [[tuple(band) for band in one.get_signature(some)] if some.size else None for some in found]
    return asking.pairs_of_buckets(asking.buckets_of(bands))


def shingles(text):
    words = stage().word_tokenizer.word_tokenize(simplify_text(text, CONFIG.norm_config))
    return [" ".join(one) for one in ngrams(words, CONFIG.n_grams)]


if __name__ == "__main__":
    bands = f"{CONFIG.num_buckets}x{CONFIG.hashes_per_bucket} of {CONFIG.num_buckets * CONFIG.hashes_per_bucket}"
    asking.ask(importlib.metadata.version("datatrove"), f"{bands}, connected components", signatures, keep, shingles)
