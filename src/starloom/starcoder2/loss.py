"""Cross-entropy of the vocabulary's head without ever holding all logits, nor computing any twice.

The head is the largest part of a small model's step: at 49,152 tokens the logits of 2,048 positions are 400 MB, and
as much again for their gradients. Here they exist `chunk` positions at a time; their gradients are computed while they
are there, in the forward pass. Measured beside transformers' step in bench/results/training.md.

Shapes: N positions, d hidden size, V vocabulary, c positions of one chunk.
"""

import functools
import importlib.util
from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# Positions whose logits exist at once. On a CPU, 50 MB of them at 49,152 tokens, little more than its caches hold. On a
# GPU each chunk also reads and writes the gradient of the whole weight, so chunks must be long for products to prevail.
CHUNK: Final = 256
CHUNK_ON_GPU: Final = 4096


def fused_cross_entropy(
    hidden: Tensor,
    weight: Tensor,
    targets: Tensor,
    *,
    count: Tensor | None = None,
    z_loss: float = 0.0,
    chunk: int = 0,
) -> tuple[Tensor, Tensor]:
    """(loss, parts) over the positions with a target >= 0, each with -ln p(target) + z_loss * (ln sum exp logits)^2.

    hidden [N, d]; weight [V, d]; targets int64 [N], negative: not counted. loss: scalar, at least float32, the sum
    over positions divided by `count`: a scalar, of the whole step where these positions are a share of it; None:
    their own number, so that it is their mean; 0 where there is none. parts: float32 [2], without gradients, the
    cross-entropy and the z-loss (arXiv 2204.02311, section 5) whose sum it is. chunk: positions at once; 0: as suits
    the device.

    Under autocast the products are in its dtype, all else in float32. Gradients reach `hidden` and `weight`, in one
    backward pass: a second one raises RuntimeError, and second derivatives do not exist.
    """
    if hidden.device.type == "cpu" and not (counted := targets >= 0).all():
        hidden, targets = hidden[counted], targets[counted]  # the rest costs nothing; a GPU would be waited for
    loss, parts = _FusedCrossEntropy.apply(hidden, weight, targets, count, z_loss, chunk)  # type: ignore[no-untyped-call]
    return loss, parts


class _FusedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, count: Tensor | None, z_loss: float, chunk: int
    ) -> tuple[Tensor, Tensor]:
        kind = hidden.device.type
        chunk = chunk or (CHUNK if kind == "cpu" else CHUNK_ON_GPU)
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else weight.dtype
        exact = torch.promote_types(dtype, torch.float32)
        with torch.autocast(kind, enabled=False):
            d_hidden = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None  # [N, d]
            d_weight = torch.zeros_like(weight, dtype=exact) if ctx.needs_input_grad[1] else None  # [V, d]
            head = weight.to(dtype)
            judge = _compiled() if kind == "cuda" else _judge
            counted = targets >= 0
            share = 1 / (counted.sum() if count is None else count).clamp(min=1).to(exact)
            totals = torch.zeros(2, dtype=exact, device=hidden.device)  # cross-entropy, z-loss
            for start in range(0, len(targets), chunk):
                part = slice(start, start + chunk)
                x = hidden[part].to(dtype)  # [c, d]
                index = targets[part].clamp(min=0)[:, None]  # [c, 1]
                scale = counted[part].to(exact)[:, None] * share  # [c, 1]
                gradient, at_target, losses = judge(x @ head.T, index, scale, z_loss)
                totals += losses
                gradient.scatter_(1, index, at_target)
                if d_hidden is not None:
                    d_hidden[part] = gradient @ head
                if d_weight is not None:
                    if dtype is exact:
                        d_weight.addmm_(gradient.T, x)
                    else:
                        d_weight += gradient.T @ x
        ctx.gradients = (d_hidden, None if d_weight is None else d_weight.to(weight.dtype))
        parts = totals.float()
        ctx.mark_non_differentiable(parts)
        return totals.sum(), parts

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        if ctx.gradients is None:
            raise RuntimeError("a second backward pass through fused_cross_entropy: its gradients are given away once")
        d_hidden, d_weight = ctx.gradients
        ctx.gradients = None
        return *(None if one is None else one.mul_(scale.to(one.dtype)) for one in (d_hidden, d_weight)), *[None] * 4


def _judge(logits: Tensor, index: Tensor, scale: Tensor, z_loss: float) -> tuple[Tensor, Tensor, Tensor]:
    """(gradient of the logits [c, V], right but at the targets; at the targets [c, 1]; both losses, summed [2]).

    logits [c, V] become the gradient, in place where they are exact; index [c, 1]: targets; scale [c, 1]: what each
    position counts for, 0 where it does not.
    """
    exact = logits.to(scale.dtype)
    highest = exact.amax(dim=1, keepdim=True)  # [c, 1], as what follows
    logit = exact.gather(1, index)
    powers = exact.sub_(highest).exp_()  # [c, V]
    sums = powers.sum(dim=1, keepdim=True)
    normalizer = sums.log() + highest  # ln sum exp
    # A position that does not count may have any logits: 0 * inf would be no number.
    losses = torch.cat((normalizer - logit, z_loss * normalizer.square()), dim=1)  # [c, 2]
    totals = torch.where(scale > 0, losses * scale, 0.0).sum(dim=0)
    # (1 + 2 z ln sum exp) p, less 1 at the target
    factor = scale * (1 + 2 * z_loss * normalizer)
    at_target = factor * (logit - normalizer).exp() - scale
    return powers.mul_(factor / sums).to(logits.dtype), at_target.to(logits.dtype), totals


@functools.cache
def _compiled() -> Callable[[Tensor, Tensor, Tensor, float], tuple[Tensor, Tensor, Tensor]]:
    """For a GPU, where uncompiled its seven passes over [c, V] would take half as long as the products, by arithmetic.

    As it is where there is no Triton to compile for one.
    """
    return torch.compile(_judge) if importlib.util.find_spec("triton") else _judge
