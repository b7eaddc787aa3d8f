"""How many floating-point operations a StarCoder2 needs, exactly, with its window and its documents. Torch-free.

Counted are the products of matrices, a multiplication and an addition each, as PyTorch's `FlopCounterMode` counts them:
the projections and feed-forward layers of every position, the vocabulary's head, and attention over the pairs of query
and key that see each other, no others. Not counted are norms, softmax, GELU, biases and rotation, less than 1 % of it,
and what activation checkpointing computes a second time: this is what the model needs, not what a machine did.

The usual figure (`standard`) has every token see the whole row. At 16,384 tokens and a window of 4,096 it says 1.64
times as much for the 3B model, and so would a utilisation (MFU) made of it.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from starloom.starcoder2.config import StarCoder2Config

# A training step is the pass forward, and the gradients of both factors of each product.
_PASSES: Final = 3

Rows = NDArray[np.integer] | tuple[int, ...]


def training_step(config: StarCoder2Config, rows: Rows) -> int:
    """FLOPs of one pass forward and backward over `rows`, as `forward` takes them."""
    return _PASSES * forward(config, rows)


def forward(config: StarCoder2Config, rows: Rows) -> int:
    """FLOPs of one pass forward, logits included.

    rows: each position's document, int [B, T], equal numbers side by side; a negative one is padding, which does not
    count, as nothing is learnt there. Or the shape (B, T), of rows that are one document each.

    >>> forward(StarCoder2Config(), (1, 4096)) * 3 // 4096  # of the 3B model, for each token in training
    20441493504
    """
    if isinstance(rows, tuple):
        batch, length = rows
        tokens, seen = batch * length, batch * pairs(length, config.sliding_window)
    else:
        lengths = _lengths(rows)
        tokens, seen = int(lengths.sum()), sum(pairs(int(one), config.sliding_window) for one in lengths)
    return tokens * _token(config) + seen * _pair(config)


def pairs(length: int, window: int | None) -> int:
    """How many pairs of query and key there are in one document: each token sees the last `window`, itself included.

    >>> pairs(5, None), pairs(5, 2)
    (15, 9)
    """
    reach = length if window is None else min(window, length)
    return reach * (reach + 1) // 2 + (length - reach) * reach


def standard(config: StarCoder2Config, rows: Rows) -> int:
    """FLOPs of a training step over `rows` by the usual formula: 6 N + 12 layers * hidden * T for each token, padding
    included (arXiv 2204.02311, appendix B): no causal mask, no window, no documents. N: parameters, without an
    embedding that the head does not share, since looking up is no product."""
    batch, length = rows if isinstance(rows, tuple) else rows.shape
    weights = config.parameters()
    if not config.tie_word_embeddings:
        weights -= config.vocab_size * config.hidden_size
    return batch * length * (6 * weights + 12 * config.num_hidden_layers * config.hidden_size * length)


def layers_share(config: StarCoder2Config, rows: Rows) -> float:
    """The share of a pass forward that its layers take, which activation checkpointing computes again; the rest is the
    vocabulary's head."""
    batch, length = rows if isinstance(rows, tuple) else rows.shape
    whole = forward(config, (batch, length))
    return 1 - batch * length * _head(config) / whole


def _token(config: StarCoder2Config) -> int:
    """Of all products with weights, for one position."""
    wide, narrow = config.hidden_size, config.num_key_value_heads * config.head_dim
    weights = 2 * wide * wide + 2 * wide * narrow + 2 * wide * config.intermediate_size
    return 2 * config.num_hidden_layers * weights + _head(config)


def _head(config: StarCoder2Config) -> int:
    return 2 * config.vocab_size * config.hidden_size


def _pair(config: StarCoder2Config) -> int:
    """Of one query with one key: their product, and its share in the sum of values, over all heads and layers."""
    return 4 * config.hidden_size * config.num_hidden_layers


def _lengths(documents: NDArray[np.integer]) -> NDArray[np.int64]:
    """[n]: how many positions each document of each row [B, T] has, without padding."""
    begins = np.ones(documents.shape, dtype=bool)
    begins[:, 1:] = documents[:, 1:] != documents[:, :-1]
    places = np.flatnonzero(begins)
    lengths = np.diff(places, append=documents.size)
    found: NDArray[np.int64] = lengths[documents.ravel()[places] >= 0].astype(np.int64)
    return found
