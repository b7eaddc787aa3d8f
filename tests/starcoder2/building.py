"""Small random models: one of transformers', and ours with the same weights."""

import contextlib

import torch
import transformers

from starloom.starcoder2.config import StarCoder2Config
from starloom.starcoder2.network import StarCoder2
from starloom.workspace import atomic

VOCABULARY = 97


def config(**changes):
    """A shape that runs in a blink: 2 layers, 3 heads of width 8 over one key and value head."""
    small = {
        "vocab_size": VOCABULARY,
        "hidden_size": 24,
        "intermediate_size": 40,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "num_key_value_heads": 1,
        "max_position_embeddings": 128,
        "sliding_window": 16,
        "rope_theta": 10_000.0,
    }
    return StarCoder2Config(**small | changes)


def pair(shape, attention="sdpa", seed=0):
    """(transformers' model, ours): equal weights, no zeros among them, so that every term counts."""
    values = shape.to_json()
    theirs = transformers.Starcoder2ForCausalLM._from_config(
        transformers.Starcoder2Config.from_dict(values), attn_implementation=attention
    )
    randomize(theirs, seed)
    ours = StarCoder2(shape)
    state = theirs.state_dict()
    if shape.tie_word_embeddings:
        del state["lm_head.weight"]
    ours.load_state_dict(state, strict=True)
    return theirs.eval(), ours.eval()


def randomize(model, seed=0, scale=0.2, biases=1.0):
    """Weights of standard deviation `scale`; of its biases that times `biases`."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(0, scale * (biases if name.endswith("bias") else 1), generator=random)


def ids(*shape, vocabulary=VOCABULARY, seed=0):
    return torch.randint(0, vocabulary, shape, generator=torch.Generator().manual_seed(seed))


def documents(batch, positions, seed=0):
    """Runs of document numbers, int32 [B, T], short and long ones."""
    random = torch.Generator().manual_seed(seed)
    return (torch.rand(batch, positions, generator=random) < 0.05).long().cumsum(1).int()


def mask(positions, window, numbers=None):
    """Who sees whom, written down from the definition: bool [1 or B, 1, T, T]."""
    place = torch.arange(positions)
    seen = place[None, :] <= place[:, None]
    if window is not None:
        seen &= place[None, :] > place[:, None] - window
    seen = seen[None]
    if numbers is not None:
        seen = seen & (numbers[:, :, None] == numbers[:, None, :])
    return seen[:, None]


@contextlib.contextmanager
def draft(folder):
    """A published folder in the making."""
    with atomic.publish(
        folder, kind="model", version=1, fingerprint="0" * 64, inputs={}, settings={}, replace=True
    ) as made:
        yield made
