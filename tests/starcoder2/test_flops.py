"""FLOPs against PyTorch's own counter on a dense mask, and windows and documents against a mask drawn by hand."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from starloom.starcoder2 import flops
from starloom.starcoder2.config import StarCoder2Config
from starloom.starcoder2.network import StarCoder2
from starloom.starcoder2.presets import PRESETS

SMALL = StarCoder2Config(
    vocab_size=128,
    hidden_size=32,
    intermediate_size=96,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=64,
    sliding_window=None,
)


def drawn(documents: np.ndarray, window: int | None) -> int:
    """Pairs that see each other, counted one by one; padding (negative) sees nobody."""
    found = 0
    for row in documents:
        for query in range(len(row)):
            for key in range(query + 1):
                near = window is None or key > query - window
                found += int(near and row[query] >= 0 and row[query] == row[key])
    return found


@pytest.mark.parametrize("tied", [True, False])
def test_all_pairs_are_what_pytorch_counts(tied: bool) -> None:
    config = dataclasses.replace(SMALL, tie_word_embeddings=tied)
    network = StarCoder2(config)
    ids = torch.zeros((2, 16), dtype=torch.long)
    # PyTorch's counter knows no masks: with every pair counted, ours is the same but for the pairs that none sees.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        network.logits(network(ids)).sum().backward()
    unseen = 16 * 16 - flops.pairs(16, None)
    dense = flops.forward(config, (2, 16)) + 2 * unseen * 4 * config.hidden_size * config.num_hidden_layers
    assert counter.get_total_flops() == 3 * dense


@pytest.mark.parametrize("window", [None, 1, 5, 64])
def test_windows_and_documents_count_what_the_mask_shows(window: int | None) -> None:
    config = dataclasses.replace(SMALL, sliding_window=window)
    documents = np.array([[0] * 7 + [1] * 9 + [2], [2] * 12 + [-1] * 5], dtype=np.int32)
    tokens, seen = 7 + 9 + 1 + 12, drawn(documents, window)
    per_token = 2 * (config.parameters() - not_products(config))
    expected = tokens * per_token + seen * 4 * config.hidden_size * config.num_hidden_layers
    assert flops.forward(config, documents) == expected
    assert flops.training_step(config, documents) == 3 * expected


def not_products(config: StarCoder2Config) -> int:
    """Parameters that no matrix product reads: norms and biases. The tied embedding is the head's."""
    layer = 4 * config.hidden_size + 3 * config.hidden_size + config.intermediate_size
    layer += 2 * config.num_key_value_heads * config.head_dim
    return config.num_hidden_layers * layer + 2 * config.hidden_size


def test_a_shape_is_rows_of_one_document_each() -> None:
    config = dataclasses.replace(SMALL, sliding_window=4)
    assert flops.forward(config, (3, 10)) == flops.forward(config, np.zeros((3, 10), dtype=np.int32))


def test_a_document_does_not_go_on_in_the_next_row() -> None:
    config = SMALL
    assert flops.forward(config, np.zeros((2, 8), dtype=np.int32)) == 2 * flops.forward(config, (1, 8))


def test_padding_alone_is_nothing() -> None:
    assert flops.training_step(SMALL, np.full((2, 8), -1, dtype=np.int32)) == 0


# GFLOPs a token in training, and how many times as many the usual formula says (training.md, fact 10).
@pytest.mark.parametrize(
    ("preset", "length", "gigaflops", "over"),
    [
        ("3b", 4096, 20.44, 1.11),
        ("3b", 16_384, 22.14, 1.64),
        ("7b", 4096, 46.66, 1.08),
        ("7b", 16_384, 49.38, 1.46),
        ("15b", 4096, 99.96, 1.06),
        ("15b", 16_384, 104.49, 1.36),
        ("100m", 4096, 0.89, 1.25),
    ],
)
def test_of_the_published_shapes(preset: str, length: int, gigaflops: float, over: float) -> None:
    config = PRESETS[preset]
    exact = flops.training_step(config, (1, length))
    assert round(exact / length / 1e9, 2) == gigaflops
    assert round(flops.standard(config, (1, length)) / exact, 2) == over


def test_the_share_of_the_layers_is_all_but_the_head() -> None:
    head = 2 * SMALL.vocab_size * SMALL.hidden_size * 16
    assert flops.layers_share(SMALL, (1, 16)) == pytest.approx(1 - head / flops.forward(SMALL, (1, 16)))
