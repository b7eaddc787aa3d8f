"""Against torch's cross-entropy over whole logits."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from starloom.starcoder2.loss import fused_cross_entropy


def setting(count, vocabulary, seed=0, ignored=0.2, dtype=torch.float32):
    random = torch.Generator().manual_seed(seed)
    hidden = torch.randn(count, 12, generator=random, dtype=dtype).requires_grad_()
    weight = torch.randn(vocabulary, 12, generator=random, dtype=dtype).requires_grad_()
    targets = torch.randint(0, vocabulary, (count,), generator=random)
    targets[torch.rand(count, generator=random) < ignored] = -100
    return hidden, weight, targets


def reference(hidden, weight, targets):
    loss = functional.cross_entropy(hidden @ weight.T, targets, ignore_index=-100)
    return loss, *torch.autograd.grad(loss, (hidden, weight))


@given(count=st.integers(1, 50), chunk=st.integers(1, 60), vocabulary=st.integers(1, 40), seed=st.integers(0, 9))
def test_loss_and_gradients(count, chunk, vocabulary, seed):
    hidden, weight, targets = setting(count, vocabulary, seed, dtype=torch.float64)
    targets[0] = 0  # at least one counts
    loss = fused_cross_entropy(hidden, weight, targets, chunk)
    found = (loss, *torch.autograd.grad(loss, (hidden, weight)))
    for one, other in zip(found, reference(hidden, weight, targets), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


def test_float32():
    hidden, weight, targets = setting(700, 3000)
    loss = fused_cross_entropy(hidden, weight, targets)
    found = (loss, *torch.autograd.grad(loss, (hidden, weight)))
    for one, other in zip(found, reference(hidden, weight, targets), strict=True):
        assert one.dtype == torch.float32
        assert (one - other).abs().max() <= 2e-6 * other.abs().max()


def test_any_negative_target_is_left_out():
    hidden, weight, targets = setting(40, 30)
    assert (targets < 0).any()
    expected = fused_cross_entropy(hidden, weight, targets)
    assert torch.equal(fused_cross_entropy(hidden, weight, torch.where(targets < 0, -1, targets)), expected)
    kept = targets >= 0
    torch.testing.assert_close(fused_cross_entropy(hidden[kept], weight, targets[kept]), expected)


def test_no_target_at_all():
    hidden, weight, targets = setting(10, 30)
    loss = fused_cross_entropy(hidden, weight, torch.full_like(targets, -1))
    loss.backward()
    assert loss == 0
    assert not hidden.grad.any()
    assert not weight.grad.any()


def test_gradients_scale_with_what_comes_after():
    """As in accumulation: the loss is divided before the backward pass."""
    hidden, weight, targets = setting(40, 30)
    _, d_hidden, d_weight = reference(hidden, weight, targets)
    (fused_cross_entropy(hidden, weight, targets) / 4).backward()
    torch.testing.assert_close(hidden.grad, d_hidden / 4, rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(weight.grad, d_weight / 4, rtol=1e-4, atol=1e-7)


def test_huge_logits_stay_finite():
    hidden, weight, targets = setting(20, 30)
    loss = fused_cross_entropy(hidden * 1e4, weight, targets)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(hidden.grad).all()


def test_without_gradients_none_are_computed():
    hidden, weight, targets = setting(40, 30)
    with torch.no_grad():
        loss = fused_cross_entropy(hidden, weight, targets)
    assert not loss.requires_grad
    frozen = fused_cross_entropy(hidden, weight.detach(), targets)
    frozen.backward()
    assert hidden.grad is not None
    assert weight.grad is None


@pytest.mark.parametrize("wide", [torch.float32, torch.bfloat16])  # the hidden states as autocast leaves them
def test_bfloat16_autocast_is_as_close_as_torch(wide):
    """float32 master weights: products in bfloat16, softmax in float32. No further from float64 than torch's own."""
    hidden, weight, targets = setting(300, 2000)
    hidden = (hidden.detach() / 3).to(wide).requires_grad_()
    double_hidden, double_weight = (one.detach().double().requires_grad_() for one in (hidden, weight))
    exact = reference(double_hidden, double_weight, targets)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = fused_cross_entropy(hidden, weight, targets)
        plain = functional.cross_entropy(functional.linear(hidden, weight).float(), targets, ignore_index=-100)
    found = (loss, *torch.autograd.grad(loss, (hidden, weight)))
    torchs = (plain, *torch.autograd.grad(plain, (hidden, weight)))
    assert [one.dtype for one in found] == [torch.float32, wide, torch.float32]
    for one, other, right in zip(found, torchs, exact, strict=True):
        assert (one - right).abs().mean() <= 1.1 * (other - right).abs().mean() + 1e-6
