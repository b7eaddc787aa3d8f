"""Tokenizers for tests: one of ours, trained in a second; and small ones shaped as other families' are."""

import functools
import json
from pathlib import Path

from tokenizers import AddedToken, decoders, models, pre_tokenizers
from tokenizers import Tokenizer as Library

from starloom.tokens import byte_pairs, hub_format
from starloom.tokens.tokenizer import Tokenizer

SOURCES = [json.__file__, json.decoder.__file__, json.encoder.__file__, functools.__file__]
OTHER = "année 2024: naïve «größe» Ελλάδα 你好世界 \u00a0\u2003 x² ½ ١٢٣ 🙂👩‍👩‍👧\r\n\tend\n"


@functools.cache
def trained_json(vocabulary=1000):
    texts = [Path(path).read_text(encoding="utf-8") for path in SOURCES] + [OTHER * 3]
    found = byte_pairs.learn([texts], vocabulary)
    assert found.get_vocab_size() == vocabulary
    return found.to_str(pretty=True).encode()


@functools.cache
def ours():
    return Tokenizer({hub_format.FILE: trained_json(), **hub_format.companions()}, "ours")


def table():
    """Our tokenizer.json, to be changed."""
    return json.loads(trained_json())


def opened(changed, **companions):
    """A tokenizer of a changed table."""
    files = {name.replace("__", "."): json.dumps(value).encode() for name, value in companions.items()}
    return Tokenizer({hub_format.FILE: json.dumps(changed).encode(), **files}, "changed")


def family(*tokens, special=True):
    """A byte-level tokenizer without merges that has `tokens` added, after the bytes."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    found = Library(models.BPE({character: number for number, character in enumerate(alphabet)}, []))
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = decoders.ByteLevel()
    found.add_tokens([AddedToken(token, special=special, normalized=False) for token in tokens])
    return Tokenizer({hub_format.FILE: found.to_str().encode()}, "family")
