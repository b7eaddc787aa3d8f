"""Workspaces with packed tokens and nothing else: what training reads, made in milliseconds from plain data."""

import random

import numpy as np
import pyarrow as pa
import tokenizers

from starloom.identity import content_id
from starloom.tokens.shards import DOCUMENTS, ONLY, PIECES, dtype_of, stream_name, write_stream
from starloom.tokens.special_tokens import SPECIAL_TOKENS
from starloom.training.settings import TrainSettings
from starloom.workspace import atomic
from starloom.workspace.manifest import hash_file

MARK = 3  # tokens of a document before its files

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


def pack(root, stream, vocabulary, document=300, repositories=("one", "two", "three"), file=120):
    """tokens/ of `stream`, cut into documents of `document` tokens, of the tokenizer that is in tokenizer/."""
    pack_streams(root, {(ONLY, 0): stream}, vocabulary, document, repositories, file)


def pack_streams(root, streams, vocabulary, document=300, repositories=("one", "two", "three"), file=120):
    """tokens/ of {(source, variant): stream}. A document of `document` tokens begins with MARK tokens of none of its
    files, which have `file` tokens each; the last one, less."""
    sources = list(dict.fromkeys(source for source, _ in streams))
    facts = {"sources": sources, "variants": 1 + max(one for _, one in streams), "streams": {}}
    facts |= {"vocabulary": vocabulary, "tokenizer": hash_file(root / "tokenizer" / "tokenizer.json")}

    def files(draft):
        for (source, variant), stream in streams.items():
            documents, pieces = tables(source, len(stream), document, repositories, file)
            name = stream_name(source, variant)
            chunks = [np.array(stream, dtype=np.int64)]
            facts["streams"][name] = write_stream(draft, name, chunks, dtype_of(vocabulary), documents, [pieces])

    publish(root / "tokens", "pack", files, facts)


def tables(source, tokens, document, repositories, file):
    """DOCUMENTS and PIECES of a stream of so many tokens. Every third file has no licence."""
    documents, pieces = [], []
    for number, first in enumerate(range(0, tokens, document)):
        repo_name, end = f"{repositories[number % len(repositories)]}", min(first + document, tokens)
        documents.append((number, repo_name, first, end - first))
        for place, at in enumerate(range(first + MARK, end, file)):
            path = f"src/{number}-{place}.py"
            about = ("permissive", ["MIT", "Zlib"][: 1 + place % 2]) if place % 3 else ("no_license", None)
            content = content_id(f"{source} {path}".encode())
            pieces.append((number, content, path, *about, at, min(file, end - at)))
    return [
        pa.table([list(column) for column in zip(*rows, strict=True)] or [[] for _ in schema], schema=schema)
        for rows, schema in ((documents, DOCUMENTS), (pieces, PIECES))
    ]


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
