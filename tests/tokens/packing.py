"""Packed tokens for tests: a published folder from plain lists of ids, through the writer that `pack` uses."""

import itertools

import numpy as np
import pyarrow as pa

from starloom.tokens import shards
from starloom.workspace.atomic import publish


def packed(folder, documents, vocabulary=50, chunk=7, facts=(), about=()):
    """The documents (lists of ids) as a token folder; the stream reaches the writer in chunks of `chunk` tokens,
    and the manifest says `facts` over what is true, and `about` over what is true of the stream."""
    return packed_streams(folder, {(shards.ONLY, 0): documents}, vocabulary, chunk, facts, about)


def packed_streams(folder, streams, vocabulary=50, chunk=7, facts=(), about=()):
    """As `packed`, of {(source, variant): documents}."""
    dtype = shards.dtype_of(vocabulary)
    with publish(folder, kind=shards.KIND, version=1, fingerprint="", inputs={}, settings={}, replace=True) as draft:
        draft.facts = {
            "sources": list(dict.fromkeys(source for source, _ in streams)),
            "variants": 1 + max(variant for _, variant in streams),
            "streams": {},
            "vocabulary": vocabulary,
            "tokenizer": "0" * 64,
            "dtype": dtype.name,
        }
        for (source, variant), documents in streams.items():
            name = shards.stream_name(source, variant)
            said = shards.write_stream(draft, name, chunks(documents, chunk), dtype, table(documents), [])
            draft.facts["streams"][name] = said | dict(about)
        draft.facts |= dict(facts)
    return folder


def chunks(documents, size):
    stream = list(itertools.chain(*documents))
    return (np.array(stream[at : at + size]) for at in range(0, len(stream), size))


def table(documents):
    lengths = [len(one) for one in documents]
    firsts = [sum(lengths[:number]) for number in range(len(lengths))]
    numbers, names = list(range(len(documents))), [f"repo-{number}" for number in range(len(documents))]
    return pa.table([numbers, names, firsts, lengths], schema=shards.DOCUMENTS)
