"""datasketch: see asking.py. MinHash of 256 permutations by its default hash function, MinHashLSH as it chooses bands.

As its documentation has it: a file whose query finds another is a duplicate of that one, else it is inserted. Nothing
is verified. It has no tokenisation of its own.
"""

import importlib.metadata

import asking
from datasketch import MinHash, MinHashLSH


def minhash(text):
    made = MinHash(num_perm=256)
    made.update_batch([one.encode() for one in asking.words_5_grams(text)])
    return made


def signatures(texts):
    for text in texts:
        minhash(text)


def keep(path, with_pairs):
    index = MinHashLSH(threshold=asking.THRESHOLD, num_perm=256)
    keepers = []
    for number, text in enumerate(asking.texts(path)):
        made = minhash(text)
        found = [] if made.is_empty() else index.query(made)
        keepers.append(min(found, default=number))
        if not found and not made.is_empty():
            index.insert(number, made, check_duplication=False)
    return keepers, all_pairs(path) if with_pairs else None


def all_pairs(path):
    """What queries would find were every file inserted."""
    index = MinHashLSH(threshold=asking.THRESHOLD, num_perm=256)
    made = {number: minhash(text) for number, text in enumerate(asking.texts(path))}
    made = {number: one for number, one in made.items() if not one.is_empty()}
    for number, one in made.items():
        index.insert(number, one)
    return {tuple(sorted((a, b))) for a, one in made.items() for b in index.query(one) if a != b}


if __name__ == "__main__":
    bands = MinHashLSH(threshold=asking.THRESHOLD, num_perm=256)
    asking.ask(
        importlib.metadata.version("datasketch"),
        f"{bands.b}x{bands.r} of 256, streaming",
        signatures,
        keep,
        asking.words_5_grams,
    )
