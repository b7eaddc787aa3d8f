"""Parity with transformers, forward and backward. Seen in float32: logits 0 to 2e-7 apart (SDPA), 3e-7 (eager)."""

import pytest
import torch

from starcoder2 import building
from starloom.starcoder2.network import StarCoder2

CLOSE = 2e-6  # logits: absolute; gradients: relative to the largest one


def compare(shape, positions, attention, numbered, batch=2, backend="auto"):
    """(largest difference of logits, largest of gradients relative to the largest gradient)."""
    theirs, ours = building.pair(shape, attention)
    ours.attention = backend
    ids = building.ids(batch, positions, vocabulary=shape.vocab_size)
    documents = building.documents(batch, positions) if numbered else None
    options = {}
    if numbered:
        seen = building.mask(positions, shape.sliding_window, documents)
        lowest = torch.finfo(torch.float32).min
        options["attention_mask"] = seen if attention == "sdpa" else torch.where(seen, 0.0, lowest)
    expected = theirs(ids, use_cache=False, **options).logits
    found = ours.logits(ours(ids, documents))
    weights = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1))
    (expected * weights).sum().backward()
    (found * weights).sum().backward()
    reference = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    gradients = {name: parameter.grad for name, parameter in ours.named_parameters()}
    assert gradients.keys() == reference.keys()
    largest = max(gradient.abs().max() for gradient in reference.values())
    apart = max((gradients[name] - gradient).abs().max() for name, gradient in reference.items())
    return (found - expected).abs().max().item(), (apart / largest).item()


SHAPES = [
    # window, positions, documents; exact: with SDPA the same kernel does the same work, and logits are bit-equal
    (None, 100, False, True),
    (64, 50, False, True),  # the window is a no-op
    (64, 64, False, True),
    (1, 33, False, True),  # sees only itself
    (7, 120, False, True),  # one chunk
    (64, 50, True, True),
    (7, 60, True, True),
    (64, 600, False, False),  # three chunks: keys that nobody sees are left out of the sums
    (64, 600, True, False),
    (512, 300, True, False),
]


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(("window", "positions", "numbered", "exact"), SHAPES)
def test_equal_to_transformers_sdpa(window, positions, numbered, exact, tied):
    shape = building.config(sliding_window=window, max_position_embeddings=1024, tie_word_embeddings=tied)
    logits, gradients = compare(shape, positions, "sdpa", numbered)
    assert logits == 0 if exact else logits <= 1e-6
    assert gradients <= CLOSE


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(("window", "positions", "numbered", "exact"), SHAPES)
def test_close_to_transformers_eager(window, positions, numbered, exact, tied):
    shape = building.config(sliding_window=window, max_position_embeddings=1024, tie_word_embeddings=tied)
    logits, gradients = compare(shape, positions, "eager", numbered)
    assert logits <= CLOSE
    assert gradients <= CLOSE


@pytest.mark.parametrize("backend", ["sdpa", "banded"])
@pytest.mark.parametrize(("window", "positions", "numbered", "exact"), SHAPES)
def test_every_backend_of_a_cpu(window, positions, numbered, exact, backend):
    """A dense mask is what transformers' SDPA has: always equal. Of several chunks, to rounding."""
    shape = building.config(sliding_window=window, max_position_embeddings=1024)
    logits, gradients = compare(shape, positions, "sdpa", numbered, backend=backend)
    assert logits == 0 if backend == "sdpa" else logits <= 1e-6
    assert gradients <= CLOSE


@pytest.mark.parametrize("groups", [1, 2, 6])  # one for all (MQA), shared (GQA), one each
@pytest.mark.parametrize("biases", [True, False])
def test_heads_and_biases(groups, biases):
    shape = building.config(hidden_size=48, num_attention_heads=6, num_key_value_heads=groups, use_bias=biases)
    logits, gradients = compare(shape, 40, "sdpa", numbered=False)
    assert logits == 0
    assert gradients <= CLOSE


def test_the_published_window():
    """4,096 keys at 5,000 positions, the released rotary base: one narrow layer."""
    shape = building.config(
        hidden_size=16,
        num_attention_heads=1,
        num_hidden_layers=1,
        sliding_window=4096,
        max_position_embeddings=16_384,
        rope_theta=999_999.4420358813,
    )
    logits, gradients = compare(shape, 5000, "sdpa", numbered=False, batch=1)
    assert logits <= CLOSE
    assert gradients <= CLOSE


def test_bfloat16_autocast_is_as_close_as_transformers():
    """Mixed precision: no further from float32 than transformers' own is."""
    theirs, ours = building.pair(building.config())
    ids = building.ids(2, 60)
    with torch.no_grad():
        exact = theirs(ids).logits
        with torch.autocast("cpu", dtype=torch.bfloat16):
            expected = theirs(ids).logits.float()
            found = ours.logits(ours(ids)).float()
    assert (found - exact).abs().mean() <= 1.1 * (expected - exact).abs().mean()


def test_documents_are_as_if_alone():
    """A document's logits do not depend on its neighbours, wherever it lies: only relative positions count."""
    _, ours = building.pair(building.config(num_hidden_layers=3))
    ids = building.ids(1, 50)
    documents = torch.tensor([[0] * 20 + [1] * 30])
    alone = ours(ids[:, 20:])
    torch.testing.assert_close(ours(ids, documents)[:, 20:], alone, rtol=0, atol=2e-5)


def test_fresh_weights():
    """normal(0, initializer_range), biases zero, norms one."""
    torch.manual_seed(0)
    model = StarCoder2(building.config(hidden_size=192, intermediate_size=768, vocab_size=2000))
    for name, parameter in model.named_parameters():
        if "norm" in name:
            assert (parameter == (1 if name.endswith("weight") else 0)).all()
        elif name.endswith("bias"):
            assert not parameter.any()
        else:
            assert abs(parameter.std().item() - model.config.initializer_range) < 0.001
            assert abs(parameter.mean().item()) < 0.001


def test_training_and_evaluation_are_the_same_network():
    _, ours = building.pair(building.config())
    ids = building.ids(1, 30)
    assert torch.equal(ours.train()(ids), ours.eval()(ids))
