"""Packed tokens of several sources and variants, in which a token tells where it is."""

import itertools
import random

from starloom.tokens.packed import Packed
from starloom.tokens.samples import Source
from tokens.packing import packed_streams

VOCABULARY = 60_000
LENGTHS = {"python": (3, 17, 30, 8, 1, 41, 12), "go": (9, 25, 2, 2, 60), "old": (33, 5, 14)}
VARIANTS = {"python": 2, "go": 2, "old": 1}


def first_token(source, variant):
    """Tokens count on from here, along the stream."""
    return 1000 * (1 + 10 * list(LENGTHS).index(source) + variant)


def documents(source, variant):
    """In a variant of its own order."""
    lengths = list(LENGTHS[source])
    random.Random(f"{source} {variant}").shuffle(lengths)
    count = itertools.count(first_token(source, variant))
    return [list(itertools.islice(count, length)) for length in lengths]


def sources(folder):
    """python and go are packed together, old by itself."""
    found = []
    for name, inside in (("tokens", ["python", "go"]), ("before", ["old"])):
        streams = {(one, variant): documents(one, variant) for one in inside for variant in range(VARIANTS[one])}
        packed = Packed.open(packed_streams(folder / name, streams, VOCABULARY))
        found += [Source(one, packed, one) for one in inside]
    return found
