"""Shapes with a name, from the demo's to the published ones. Torch-free.

`3b`, `7b` and `15b` are those of the released `config.json` files, after their long-context stage: 16,384 tokens of
context, of which a token sees 4,096. The paper's base stage had 4,096 of both and a smaller `rope_theta` (arXiv
2402.19173, section 6). `1b` is the shape of the public StarCoder2-1B run (Megatron, example `starcoder2`). `tiny` and
`100m` were never published: the demo's model, and one that a single GPU trains within the hour.
"""

from typing import Final

from starloom.starcoder2.config import StarCoder2Config

PRESETS: Final[dict[str, StarCoder2Config]] = {
    "tiny": StarCoder2Config(
        vocab_size=8192,
        hidden_size=192,
        intermediate_size=768,
        num_hidden_layers=4,
        num_attention_heads=3,
        num_key_value_heads=1,
        max_position_embeddings=2048,
        sliding_window=512,
        rope_theta=10_000.0,
    ),
    "100m": StarCoder2Config(
        hidden_size=768,
        intermediate_size=3072,
        num_hidden_layers=12,
        num_attention_heads=12,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        rope_theta=100_000.0,
        initializer_range=0.02,
    ),
    "1b": StarCoder2Config(
        hidden_size=2048,
        intermediate_size=8192,
        num_hidden_layers=24,
        num_attention_heads=16,
        num_key_value_heads=1,
        max_position_embeddings=4096,
        rope_theta=100_000.0,
        initializer_range=0.02209,
    ),
    "3b": StarCoder2Config(),
    "7b": StarCoder2Config(
        hidden_size=4608,
        intermediate_size=18_432,
        num_hidden_layers=32,
        num_attention_heads=36,
        num_key_value_heads=4,
        rope_theta=1_000_000.0,
    ),
    "15b": StarCoder2Config(
        hidden_size=6144,
        intermediate_size=24_576,
        num_hidden_layers=40,
        num_attention_heads=48,
        num_key_value_heads=4,
        rope_theta=100_000.0,
        initializer_range=0.01275,
        tie_word_embeddings=False,
    ),
}
