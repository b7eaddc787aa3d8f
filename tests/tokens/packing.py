"""Packed tokens for tests: a published folder from plain lists of ids, through the writer that `pack` uses."""

import itertools

import numpy as np
import pyarrow as pa

from starloom.tokens import shards
from starloom.workspace.atomic import publish


def packed(folder, documents, vocabulary=50, chunk=7, facts=()):
    """The documents (lists of ids) as a token folder; the stream reaches the writer in chunks of `chunk` tokens,
    and the manifest says `facts` over what is true."""
    stream = list(itertools.chain(*documents))
    lengths = [len(one) for one in documents]
    firsts = [sum(lengths[:number]) for number in range(len(lengths))]
    numbers, names = list(range(len(documents))), [f"repo-{number}" for number in range(len(documents))]
    dtype = shards.dtype_of(vocabulary)
    with publish(folder, kind=shards.KIND, version=1, fingerprint="", inputs={}, settings={}, replace=True) as draft:
        chunks = (np.array(stream[at : at + chunk]) for at in range(0, len(stream), chunk))
        total = shards.write_tokens(draft, chunks, dtype)
        table = pa.table([numbers, names, firsts, lengths], schema=shards.DOCUMENTS)
        draft.parquet("documents.parquet", shards.DOCUMENTS, [table])
        draft.parquet("pieces.parquet", shards.PIECES, [])
        draft.facts = {
            "tokens": total,
            "documents": len(documents),
            "vocabulary": vocabulary,
            "tokenizer": "0" * 64,
            "dtype": dtype.name,
        } | dict(facts)
    return folder
