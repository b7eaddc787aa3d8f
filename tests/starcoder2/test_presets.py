"""The named shapes: published parameter counts, exact, of the configuration, our network and transformers'."""

import pytest
import torch
import transformers

from starloom.starcoder2.config import StarCoder2Config
from starloom.starcoder2.network import StarCoder2
from starloom.starcoder2.presets import PRESETS

COUNTS = {
    "tiny": 3_155_072,
    "100m": 110_992_896,
    "1b": 1_120_430_080,
    "3b": 3_030_371_328,  # these three: the model cards' 3.03, 7.17 and 15.96 billion
    "7b": 7_173_923_840,
    "15b": 15_957_889_024,
}
# Of the released config.json files, where they differ from each other.
RELEASED = {
    "3b": (30, 3072, 12_288, 24, 2, 999_999.4420358813, 0.018042, True),
    "7b": (32, 4608, 18_432, 36, 4, 1_000_000.0, 0.018042, True),
    "15b": (40, 6144, 24_576, 48, 4, 100_000.0, 0.01275, False),
}


@pytest.mark.parametrize("name", PRESETS)
def test_parameters(name):
    config = PRESETS[name]
    with torch.device("meta"):
        ours = StarCoder2(config)
        theirs = transformers.Starcoder2ForCausalLM(transformers.Starcoder2Config.from_dict(config.to_json()))
    assert {key: one.shape for key, one in ours.named_parameters()} == {
        key: one.shape for key, one in theirs.named_parameters()
    }
    assert sum(one.numel() for one in ours.parameters()) == config.parameters() == COUNTS[name]


@pytest.mark.parametrize("name", RELEASED)
def test_released_shapes(name):
    config = PRESETS[name]
    assert (
        config.num_hidden_layers,
        config.hidden_size,
        config.intermediate_size,
        config.num_attention_heads,
        config.num_key_value_heads,
        config.rope_theta,
        config.initializer_range,
        config.tie_word_embeddings,
    ) == RELEASED[name]
    assert (config.vocab_size, config.head_dim, config.norm_epsilon) == (49_152, 128, 1e-5)
    assert (config.max_position_embeddings, config.sliding_window) == (16_384, 4096)


@pytest.mark.parametrize("name", PRESETS)
def test_a_folder_of_it_is_the_same_shape(name):
    assert StarCoder2Config.from_json(PRESETS[name].to_json()) == PRESETS[name]
