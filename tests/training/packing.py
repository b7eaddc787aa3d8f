"""Workspaces with packed tokens and nothing else: what training reads, made in milliseconds from plain data."""

import random

import numpy as np
import pyarrow as pa
import tokenizers

from starloom.tokens.shards import DOCUMENTS, dtype_of, write_tokens
from starloom.tokens.special_tokens import SPECIAL_TOKENS
from starloom.training.settings import TrainSettings
from starloom.workspace import atomic
from starloom.workspace.manifest import hash_file

TINY = {
    "layers": 2,
    "hidden": 16,
    "heads": 2,
    "feed_forward": 32,
    "sequence": 32,
    "window": 32,
    "context": 64,
    "batch": 2,
    "warm_up": 3,
    "steps": 12,
    "threads": 1,
    "checkpoint_seconds": 0.0,
    "device": "cpu",
}


def tiny(**changes):
    """Settings of a run that takes a second."""
    return TrainSettings(**(TINY | changes))


def byte_tokenizer(merges=()):
    """The 38 special tokens, then the 256 bytes, then `merges`, pairs of characters."""
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    words = [*SPECIAL_TOKENS, *alphabet, *("".join(pair) for pair in merges)]
    model = tokenizers.models.BPE(vocab={word: number for number, word in enumerate(words)}, merges=list(merges))
    made = tokenizers.Tokenizer(model)
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    made.add_special_tokens(list(SPECIAL_TOKENS))
    return made.to_str().encode()


def words(tokens, vocabulary, seed=0):
    """A stream that a model can learn: few words, each a fixed run of tokens."""
    dice = random.Random(seed)
    known = [[dice.randrange(38, vocabulary) for _ in range(6)] for _ in range(20)]
    stream = []
    while len(stream) < tokens:
        stream += dice.choice(known)
    return stream[:tokens]


def publish(folder, kind, files, facts):
    with atomic.publish(
        folder, kind=kind, version=1, fingerprint="test", inputs={}, settings={}, replace=True
    ) as draft:
        files(draft)
        draft.facts = facts


def pack(root, stream, vocabulary, document=300, repositories=("one", "two", "three")):
    """tokens/ of `stream`, cut into documents of `document` tokens, of the tokenizer that is in tokenizer/."""
    firsts = range(0, len(stream), document)

    def files(draft):
        write_tokens(draft, [np.array(stream, dtype=np.int64)], dtype_of(vocabulary))
        rows = {
            "document": range(len(firsts)),
            "repo_name": [repositories[number % len(repositories)] for number in range(len(firsts))],
            "first_token": firsts,
            "tokens": [min(document, len(stream) - first) for first in firsts],
        }
        draft.parquet("documents.parquet", DOCUMENTS, [pa.table(rows, schema=DOCUMENTS)])

    facts = {
        "tokens": len(stream),
        "vocabulary": vocabulary,
        "documents": len(firsts),
        "tokenizer": hash_file(root / "tokenizer" / "tokenizer.json"),
    }
    publish(root / "tokens", "pack", files, facts)


def put_tokenizer(root, data):
    publish(root / "tokenizer", "tokenizer", lambda draft: draft.write("tokenizer.json", data), {})


def workspace(root, tokens=4000, **options):
    """A workspace with a tokenizer and that many tokens."""
    root.mkdir(parents=True)
    (root / "starloom.toml").write_text('[[sources]]\npath = "."\n')
    put_tokenizer(root, byte_tokenizer())
    vocabulary = len(SPECIAL_TOKENS) + 256
    pack(root, words(tokens, vocabulary), vocabulary, **options)
    return root
