"""Packed weights compute what the plain ones do; where they cannot be packed, they stay."""

import pytest
import torch
from torch import nn

from starcoder2 import building
from starloom.starcoder2 import packed
from starloom.starcoder2.open import Own

needs_onednn = pytest.mark.skipif(not packed.packs(torch.zeros(1)), reason="this PyTorch has no oneDNN")


@needs_onednn
@pytest.mark.parametrize("rows", [1, 2, 5, 17, 300])
@pytest.mark.parametrize("biased", [True, False])
def test_a_packed_layer_is_the_layer(rows, biased):
    torch.manual_seed(0)
    layer = nn.Linear(48, 144, bias=biased)
    x = torch.randn(rows, 48)
    with torch.no_grad():
        torch.testing.assert_close(packed.PackedLinear(layer.weight, layer.bias)(x), layer(x), rtol=0, atol=1e-5)


@needs_onednn
@pytest.mark.parametrize("changes", [{}, {"tie_word_embeddings": False}, {"use_bias": False}])
def test_a_packed_model_is_the_model(changes):
    shape = building.config(**changes)
    plain, ours = (building.pair(shape)[1] for _ in range(2))
    model = Own(ours, pack=True)
    assert not any(isinstance(module, nn.Linear) for module in model.network.modules())
    assert model.guesses
    ids = building.ids(2, 60)
    with torch.no_grad():
        expected = plain.logits(plain(ids))
    torch.testing.assert_close(model.logits(ids), expected, rtol=0, atol=2e-5)
    logits, _ = model.step(ids[:1], None, 3)
    torch.testing.assert_close(logits, expected[0, -3:], rtol=0, atol=2e-5)
    logits, _ = model.step(ids[:1], None)
    torch.testing.assert_close(logits, expected[0, -1:], rtol=0, atol=2e-5)


def test_a_model_in_use_elsewhere_is_left_alone():
    ours = building.pair(building.config())[1]
    before = {name: parameter.clone() for name, parameter in ours.named_parameters()}
    model = Own(ours)
    model.step(building.ids(1, 5), None)
    assert not model.guesses  # two rows take twice as long as one
    assert {name: torch.equal(parameter, before[name]) for name, parameter in ours.named_parameters()} == dict.fromkeys(
        before, True
    )


def test_half_precision_is_not_packed():
    model = Own(building.pair(building.config())[1].bfloat16(), pack=True)
    assert any(isinstance(module, nn.Linear) for module in model.network.modules())
    assert model.guesses
    assert model.step(building.ids(1, 5), None)[0].dtype == torch.bfloat16


def test_without_onednn(monkeypatch):
    monkeypatch.setattr(torch._C, "_has_mkldnn", False)
    model = Own(building.pair(building.config())[1], pack=True)
    assert any(isinstance(module, nn.Linear) for module in model.network.modules())
    assert model.step(building.ids(1, 5), None)[0].shape == (1, building.VOCABULARY)
