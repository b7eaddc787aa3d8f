"""Against torch's cross-entropy over whole logits."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from starloom.starcoder2 import loss as loss_module
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


def parts(hidden, weight, targets, z_loss):
    """(cross-entropy, z-loss), sums over the positions that count, from their definitions."""
    logits = (hidden @ weight.T)[targets >= 0]
    normalizer = logits.logsumexp(dim=1)
    at_target = logits.gather(1, targets[targets >= 0, None])[:, 0]
    return (normalizer - at_target).sum(), z_loss * normalizer.square().sum()


@settings(max_examples=50)
@given(
    count=st.integers(1, 50),
    chunk=st.integers(1, 60),
    vocabulary=st.integers(1, 40),
    seed=st.integers(0, 9),
    z_loss=st.sampled_from([0.0, 1e-4, 0.5]),
    whole=st.none() | st.integers(1, 500),
)
def test_z_loss_and_count(count, chunk, vocabulary, seed, z_loss, whole):
    hidden, weight, targets = setting(count, vocabulary, seed, dtype=torch.float64)
    targets[0] = 0
    counted = (targets >= 0).sum() if whole is None else torch.tensor(whole)
    given = None if whole is None else counted
    loss, found_parts = fused_cross_entropy(hidden, weight, targets, count=given, z_loss=z_loss, chunk=chunk)
    expected_parts = [part / counted for part in parts(hidden, weight, targets, z_loss)]
    expected = sum(expected_parts)
    found = (loss, *torch.autograd.grad(loss, (hidden, weight)))
    for one, other in zip(found, (expected, *torch.autograd.grad(expected, (hidden, weight))), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)
    assert found_parts.dtype == torch.float32
    assert not found_parts.requires_grad
    torch.testing.assert_close(found_parts, torch.stack(expected_parts).detach().float())


def test_shares_of_a_step_add_up():
    """Micro-batches and processes each have a part of the positions and the count of all."""
    hidden, weight, targets = setting(90, 30, dtype=torch.float64)
    whole, whole_parts = fused_cross_entropy(hidden, weight, targets, z_loss=1e-3)
    expected = (whole, *torch.autograd.grad(whole, (hidden, weight)))
    count = (targets >= 0).sum()
    cuts = (slice(0, 17), slice(17, 60), slice(60, 90))
    pieces = [fused_cross_entropy(hidden[cut], weight, targets[cut], count=count, z_loss=1e-3) for cut in cuts]
    total = sum(loss for loss, _ in pieces)
    found = (total, *torch.autograd.grad(total, (hidden, weight)))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(sum(parts for _, parts in pieces), whole_parts)


def test_a_second_backward_pass_is_refused():
    hidden, weight, targets = setting(10, 30)
    loss, _ = fused_cross_entropy(hidden, weight, targets)
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="second backward pass"):
        loss.backward()


@given(count=st.integers(1, 50), chunk=st.integers(1, 60), vocabulary=st.integers(1, 40), seed=st.integers(0, 9))
def test_loss_and_gradients(count, chunk, vocabulary, seed):
    hidden, weight, targets = setting(count, vocabulary, seed, dtype=torch.float64)
    targets[0] = 0  # at least one counts
    loss, _ = fused_cross_entropy(hidden, weight, targets, chunk=chunk)
    found = (loss, *torch.autograd.grad(loss, (hidden, weight)))
    for one, other in zip(found, reference(hidden, weight, targets), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


def test_float32():
    hidden, weight, targets = setting(700, 3000)
    loss, _ = fused_cross_entropy(hidden, weight, targets)
    found = (loss, *torch.autograd.grad(loss, (hidden, weight)))
    for one, other in zip(found, reference(hidden, weight, targets), strict=True):
        assert one.dtype == torch.float32
        assert (one - other).abs().max() <= 2e-6 * other.abs().max()


def test_any_negative_target_is_left_out():
    hidden, weight, targets = setting(40, 30)
    assert (targets < 0).any()
    expected, _ = fused_cross_entropy(hidden, weight, targets)
    assert torch.equal(fused_cross_entropy(hidden, weight, torch.where(targets < 0, -1, targets))[0], expected)
    kept = targets >= 0
    torch.testing.assert_close(fused_cross_entropy(hidden[kept], weight, targets[kept])[0], expected)


def test_what_does_not_count_is_not_computed():
    """Prompts of fine-tuning, padding: whatever they hold reaches neither the loss nor a gradient."""
    hidden, weight, targets = setting(40, 30)
    with torch.no_grad():
        hidden[targets < 0] = torch.nan
    loss, _ = fused_cross_entropy(hidden, weight, targets)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(weight.grad).all()
    assert not hidden.grad[targets < 0].any()


def test_no_target_at_all():
    hidden, weight, targets = setting(10, 30)
    loss, _ = fused_cross_entropy(hidden, weight, torch.full_like(targets, -1))
    loss.backward()
    assert loss == 0
    assert not hidden.grad.any()
    assert not weight.grad.any()


def test_gradients_scale_with_what_comes_after():
    """As in accumulation: the loss is divided before the backward pass."""
    hidden, weight, targets = setting(40, 30)
    _, d_hidden, d_weight = reference(hidden, weight, targets)
    (fused_cross_entropy(hidden, weight, targets)[0] / 4).backward()
    torch.testing.assert_close(hidden.grad, d_hidden / 4, rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(weight.grad, d_weight / 4, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_compiled_as_on_a_gpu(dtype, monkeypatch):
    """What a GPU compiles, traced and run with PyTorch's own kernels: the same, to the bit, whatever is in place."""
    monkeypatch.setattr(loss_module.importlib.util, "find_spec", lambda name: None)
    assert loss_module._compiled.__wrapped__() is loss_module._judge  # nothing is there to compile it
    logits = torch.randn(20, 300, generator=torch.Generator().manual_seed(0)).to(dtype)
    index = torch.randint(0, 300, (20, 1), generator=torch.Generator().manual_seed(1))
    scale = (torch.arange(20)[:, None] % 5 > 0) / 16
    traced = torch.compile(loss_module._judge, backend="aot_eager", fullgraph=True)
    expected = loss_module._judge(logits.clone(), index, scale, 1e-3)
    for one, other in zip(traced(logits.clone(), index, scale, 1e-3), expected, strict=True):
        assert one.dtype == other.dtype
        assert torch.equal(one, other)


def test_huge_logits_stay_finite():
    hidden, weight, targets = setting(20, 30)
    loss, _ = fused_cross_entropy(hidden * 1e4, weight, targets)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(hidden.grad).all()


def test_without_gradients_none_are_computed():
    hidden, weight, targets = setting(40, 30)
    with torch.no_grad():
        loss, _ = fused_cross_entropy(hidden, weight, targets)
    assert not loss.requires_grad
    frozen, _ = fused_cross_entropy(hidden, weight.detach(), targets)
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
        loss, _ = fused_cross_entropy(hidden, weight, targets)
        plain = functional.cross_entropy(functional.linear(hidden, weight).float(), targets, ignore_index=-100)
    found = (loss, *torch.autograd.grad(loss, (hidden, weight)))
    torchs = (plain, *torch.autograd.grad(plain, (hidden, weight)))
    assert [one.dtype for one in found] == [torch.float32, wide, torch.float32]
    for one, other, right in zip(found, torchs, exact, strict=True):
        assert (one - right).abs().mean() <= 1.1 * (other - right).abs().mean() + 1e-6
