import json

import pytest
import transformers

from starcoder2 import building
from starloom.errors import UserError
from starloom.starcoder2.config import StarCoder2Config
from starloom.starcoder2.network import StarCoder2


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("biases", [True, False])
def test_parameters_is_what_the_network_has(tied, biases):
    config = building.config(tie_word_embeddings=tied, use_bias=biases)
    assert config.parameters() == sum(parameter.numel() for parameter in StarCoder2(config).parameters())


def test_json_round_trip_here_and_through_transformers():
    config = building.config(tie_word_embeddings=False, use_bias=False, initializer_range=0.0)
    assert StarCoder2Config.from_json(json.loads(json.dumps(config.to_json()))) == config
    theirs = transformers.Starcoder2Config.from_dict(config.to_json())
    assert theirs.rope_parameters == {"rope_type": "default", "rope_theta": config.rope_theta}
    assert (theirs.bos_token_id, theirs.eos_token_id) == (0, 0)
    assert StarCoder2Config.from_json(theirs.to_dict()) == config


def test_a_released_file():
    """As the 3B's config.json has it: transformers 4's spelling, fields absent, dropout."""
    config = StarCoder2Config.from_json(
        {
            "architectures": ["Starcoder2ForCausalLM"],
            "attention_dropout": 0.1,
            "bos_token_id": 0,
            "eos_token_id": 0,
            "hidden_act": "gelu_pytorch_tanh",
            "hidden_size": 3072,
            "initializer_range": 0.018042,
            "intermediate_size": 12288,
            "max_position_embeddings": 16384,
            "mlp_type": "default",
            "model_type": "starcoder2",
            "norm_epsilon": 1e-05,
            "norm_type": "layer_norm",
            "num_attention_heads": 24,
            "num_hidden_layers": 30,
            "num_key_value_heads": 2,
            "rope_theta": 999999.4420358813,
            "sliding_window": 4096,
            "torch_dtype": "bfloat16",
            "use_bias": True,
            "use_cache": True,
            "vocab_size": 49152,
        }
    )
    assert config == StarCoder2Config()


def test_what_is_absent_means_what_it_means_to_transformers():
    assert StarCoder2Config.from_json({"model_type": "starcoder2"}) == StarCoder2Config.from_json(
        transformers.Starcoder2Config(bos_token_id=0, eos_token_id=0).to_dict()
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"model_type": "llama"}, "model_type is 'llama'"),
        ({"model_type": None}, "model_type is None"),
        ({"hidden_act": "relu"}, "hidden_act is 'relu'"),
        ({"norm_type": "rms_norm"}, "norm_type is 'rms_norm'"),
        ({"hidden_size": "24"}, "hidden_size is '24'"),
        ({"hidden_size": 0}, "hidden_size is 0"),
        ({"hidden_size": 25}, "no even multiple"),
        ({"hidden_size": 9, "num_attention_heads": 3}, "no even multiple"),  # heads of odd width cannot be rotated
        ({"hidden_size": 10**12}, "hidden_size is 1000000000000"),
        ({"num_hidden_layers": 10**6}, "num_hidden_layers is 1,000,000"),
        ({"num_hidden_layers": True}, "num_hidden_layers is True"),
        ({"num_key_value_heads": 2}, "no multiple"),
        ({"sliding_window": 0}, "sliding_window is 0"),
        ({"sliding_window": -1}, "sliding_window is -1"),
        ({"norm_epsilon": float("nan")}, "norm_epsilon is nan"),
        ({"tie_word_embeddings": 1}, "tie_word_embeddings is 1"),
        ({"eos_token_id": -1}, "eos_token_id is -1"),
        ({"head_dim": 16}, "head_dim is 16"),
        ({"rope_parameters": {"rope_type": "yarn", "factor": 4.0}}, "yarn"),
        ({"rope_parameters": None, "rope_scaling": {"type": "linear", "factor": 2.0}}, "linear"),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": "big"}}, "rope_theta is 'big'"),
        ({"rope_parameters": 5}, "rotary embedding 5"),
        ({"quantization_config": {"bits": 4}}, "quantized"),
    ],
)
def test_what_is_refused(change, told):
    with pytest.raises(UserError) as caught:
        StarCoder2Config.from_json(building.config().to_json() | change)
    assert told in caught.value.problem
    assert caught.value.hint
