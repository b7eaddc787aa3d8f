"""The objective over transformers' models: their own loss, rows whose examples do not see one another, no dropout."""

import numpy as np
import pytest
import torch
import transformers

from starloom.errors import UserError
from starloom.training.finetune.foreign import ForeignObjective, places, step_flops
from starloom.training.settings import TrainSettings
from training.finetune.models import SHAPE

LENGTHS = (7, 5, 9, 3)  # of the documents of a row; the last is padding
VOCABULARY = 61
NETWORKS = {
    "qwen2": (transformers.Qwen2Config, transformers.Qwen2ForCausalLM, {"attention_dropout": 0.5}),
    "llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM, {"mlp_bias": True}),
    "window": (transformers.MistralConfig, transformers.MistralForCausalLM, {"sliding_window": 4}),
    "soft caps": (transformers.Gemma2Config, transformers.Gemma2ForCausalLM, {"head_dim": 8}),
}


def network(kind, **changes):
    configuration, make, more = NETWORKS[kind]
    torch.manual_seed(0)
    return make(configuration(**SHAPE | {"vocab_size": VOCABULARY, "initializer_range": 0.3} | more | changes))


def batch():
    """(ids [1, T], targets, documents): as the loader gives them."""
    random = torch.Generator().manual_seed(1)
    ids = torch.randint(0, VOCABULARY, (1, sum(LENGTHS)), generator=random)
    documents = torch.repeat_interleave(torch.tensor([0, 1, 2, -1]), torch.tensor(LENGTHS))[None]
    targets = torch.roll(ids, -1, 1)
    targets[:, 1:][documents[:, 1:] != documents[:, :-1]] = -1
    targets[:, [6, 11, 20]] = -1
    targets[documents < 0] = -1
    targets[:, :3] = -1  # a prompt
    return ids, targets, documents


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_row_of_examples_is_as_each_alone(kind):
    made = ForeignObjective(network(kind), TrainSettings()).tried()
    made.train()
    assert made._is_plain == (kind != "soft caps")
    ids, targets, documents = batch()
    loss, parts = made(ids, targets, documents, torch.tensor(10.0))
    loss.backward()
    ours = {name: one.grad.clone() for name, one in made.named_parameters()}
    made.zero_grad()
    theirs, at = torch.zeros(()), 0
    for length in LENGTHS[:-1]:
        one = slice(at, at + length)
        logits = made.network(input_ids=ids[:, one]).logits[0]
        theirs = theirs + torch.nn.functional.cross_entropy(logits, targets[0, one], ignore_index=-1, reduction="sum")
        at += length
    (theirs / 10).backward()
    assert loss.item() == pytest.approx(theirs.item() / 10, rel=1e-5)
    assert parts.tolist() == pytest.approx([loss.item(), 0.0, 0.0])
    for name, one in made.named_parameters():
        torch.testing.assert_close(ours[name], one.grad, rtol=1e-4, atol=1e-5)


def test_both_ways_to_the_loss_agree():
    made = ForeignObjective(network("llama"), TrainSettings(z_loss=0.01)).tried()
    ids, targets, documents = batch()
    fused = made(ids, targets, documents, None)
    made._is_plain = False
    plain = made(ids, targets, documents, None)
    for one, other in zip(fused, plain, strict=True):
        torch.testing.assert_close(one, other)
    assert fused[1][1] > 0


def test_a_family_that_does_not_keep_examples_apart():
    shape = {"n_embd": 32, "n_layer": 1, "n_head": 2, "vocab_size": VOCABULARY, "n_positions": 64}
    made = transformers.BloomForCausalLM(transformers.BloomConfig(hidden_size=32, n_layer=1, n_head=2, vocab_size=61))
    with pytest.raises(UserError, match="type bloom do not keep the examples of a row apart"):
        ForeignObjective(made, TrainSettings()).tried()
    ForeignObjective(made, TrainSettings(document_mask=False)).tried()
    # One whose places are learnt takes them from us, too.
    ForeignObjective(transformers.GPT2LMHeadModel(transformers.GPT2Config(**shape)), TrainSettings()).tried()


def test_places():
    assert places(torch.tensor([[3, 3, 5, 5, 5, -1], [0, 1, 1, 2, 2, 2]])).tolist() == [
        [0, 1, 0, 1, 2, 0],
        [0, 0, 1, 0, 1, 2],
    ]


def test_flops_against_the_counter_of_pytorch():
    from torch.utils.flop_counter import FlopCounterMode

    made = network("llama", mlp_bias=False, num_key_value_heads=4, _attn_implementation="eager")
    ids = torch.zeros(1, 16, dtype=torch.int64)
    with FlopCounterMode(display=False) as counter:
        made(input_ids=ids, use_cache=False)
    matrices = sum(one.weight.numel() for one in made.modules() if isinstance(one, torch.nn.Linear))
    documents = np.zeros((1, 16), dtype=np.int32)
    ours = step_flops(made.config.to_dict(), matrices, documents, True)
    upper = 4 * 2 * 32 * (16 * 16 - 16 * 17 // 2)  # what the mask hides, which PyTorch computes and counts
    assert ours / 3 + upper == counter.get_total_flops()
    frozen = step_flops(made.config.to_dict(), matrices, documents, False)
    assert ours - frozen == 2 * matrices * 16
    padded = np.concatenate([documents, -np.ones((1, 16), np.int32)])
    assert step_flops(made.config.to_dict(), matrices, padded, True) == ours
