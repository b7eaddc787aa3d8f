"""Daft: see asking.py. Normalising, MinHash and grouping by band as its deduplication guide has them, 250 permutations.

Connected components are plain Python here, which on one machine takes less time than the guide's rounds of joins. Daft
uses all cores.
"""

import importlib.metadata

import asking
import daft
from daft import col
from daft.functions import chunk

PERMUTATIONS, BANDS, ROWS = 250, 25, 10


def normalised(column):
    return column.normalize(remove_punct=True, lowercase=True, nfd_unicode=True, white_space=True)


def minhash(column):
    return normalised(column).minhash(num_hashes=PERMUTATIONS, ngram_size=5, seed=42, hash_function="xxhash")


def prepared(texts):
    return daft.from_pydict({"content": texts}).collect()


def signatures(texts):
    texts.select(minhash(col("content"))).collect()


def keep(path, with_pairs):
    rows = daft.read_parquet(str(path))
    numbers = daft.lit(list(range(BANDS)))
    bands = rows.select("row", chunk(minhash(col("content")), ROWS).alias("band"), numbers.alias("number"))
    grouped = bands.explode("band", "number").groupby("number", "band").agg(col("row").list_agg().alias("rows"))
    groups = grouped.where(col("rows").list_count() > 1).select("rows").to_pydict()["rows"]
    count = rows.count_rows()
    return asking.components(count, groups), asking.pairs_of_buckets(groups) if with_pairs else None


def shingles(text):
    words = (
        daft.from_pydict({"content": [text]}).select(normalised(col("content"))).to_pydict()["content"][0].split(" ")
    )
    return [" ".join(words[k : k + 5]) for k in range(len(words) - 4)]


if __name__ == "__main__":
    what = f"{BANDS}x{ROWS} of {PERMUTATIONS}, connected components"
    asking.ask(importlib.metadata.version("daft"), what, signatures, keep, shingles, prepared)
