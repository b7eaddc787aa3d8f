"""Small models with a tokenizer of their own, as folders: random weights, real bytes."""

from pathlib import Path

import torch

from starloom.starcoder2 import interchange
from starloom.starcoder2.config import StarCoder2Config
from starloom.starcoder2.network import StarCoder2
from starloom.tokens import byte_pairs
from starloom.workspace import atomic

TEXTS = [
    "def add(first, second):\n    return first + second\n\n\n",
    'class Reader:\n    """Liest Größen und Übergänge: żółć, 数学, 🙂."""\n\n'
    "    def read(self, path):\n        return path\n",
    "for number in range(10):\n    if number % 2:\n        print(number)\n",
] * 5


def tokenizer_json(vocabulary=420):
    return byte_pairs.learn([TEXTS], vocabulary).to_str().encode()


def model_folder(folder, *, seed=0, context=96, files=None, vocabulary=None, **shape):
    """A folder with a random StarCoder2 of `context` tokens and the tokenizer of `files` (default: one of 420)."""
    from starloom.tokens.tokenizer import Tokenizer

    folder = Path(folder)
    if files is None:
        data = tokenizer_json()
        folder.parent.mkdir(parents=True, exist_ok=True)
        source = folder.parent / f"{folder.name}-tokenizer"
        source.mkdir()
        (source / "tokenizer.json").write_bytes(data)
        files = Tokenizer.open(source).files()
        vocabulary = vocabulary or Tokenizer.open(source).vocabulary
    config = StarCoder2Config(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=context,
        sliding_window=None,
        initializer_range=0.2,
        **shape,
    )
    torch.manual_seed(seed)
    model = StarCoder2(config)
    with atomic.publish(
        folder, kind="model", version=1, fingerprint="0" * 32, inputs={}, settings={}, replace=False
    ) as draft:
        interchange.write(draft, config, dict(model.named_parameters()), files)
    return folder


def foreign_folder(folder, tokenizer, vocabulary=420):
    """A small random Llama as transformers writes it, with the tokenizer.json given."""
    import transformers

    config = transformers.LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=96,
        initializer_range=0.2,
    )
    torch.manual_seed(0)
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    (Path(folder) / "tokenizer.json").write_bytes(tokenizer)
