"""rensa: see asking.py. RMinHash in batches, 250 permutations in 25 bands (they must divide), RMinHashDeduplicator.

A file that is not alike, by the estimate, to one before is added; else it is a duplicate. It has no tokenisation of its
own. The faster path of its benchmark, which looks at some tokens only, is not asked: it misses most pairs.
"""

import importlib.metadata

import asking
from rensa import RMinHash, RMinHashDeduplicator, RMinHashLSH

PERMUTATIONS, BANDS = 250, 25
_BATCH = 256


def minhashes(texts):
    for start in range(0, len(texts), _BATCH):
        sets = [asking.words_5_grams(text) for text in texts[start : start + _BATCH]]
        made = RMinHash.from_token_sets(sets, num_perm=PERMUTATIONS, seed=42)
        yield from (one if some else None for one, some in zip(made, sets))


def signatures(texts):
    for _ in minhashes(texts):
        pass


def keep(path, with_pairs):
    index = RMinHashDeduplicator(asking.THRESHOLD, PERMUTATIONS, True, BANDS)
    keepers = []
    for number, made in enumerate(minhashes(asking.texts(path))):
        found = index.get_duplicates(made) if made else []
        keepers.append(min(map(int, found), default=number))
        if made and not found:
            index.add(str(number), made)
    return keepers, all_pairs(path) if with_pairs else None


def all_pairs(path):
    """What queries would find were every file added."""
    made = dict(enumerate(minhashes(asking.texts(path))))
    index = RMinHashLSH(asking.THRESHOLD, PERMUTATIONS, BANDS)
    index.insert_pairs([(number, one) for number, one in made.items() if one])
    return {
        tuple(sorted((a, b)))
        for a, one in made.items()
        for b in (index.query(one) if one else ())
        if a != b and one.jaccard(made[b]) >= asking.THRESHOLD
    }


if __name__ == "__main__":
    what = f"{BANDS}x{PERMUTATIONS // BANDS} of {PERMUTATIONS}, streaming, checked by the estimate"
    asking.ask(importlib.metadata.version("rensa"), what, signatures, keep, asking.words_5_grams)
