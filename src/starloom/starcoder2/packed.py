"""Weights laid out once for oneDNN's kernels: what a CPU needs to read a model of float32 fast, token by token.

`F.linear` hands one to sixteen rows to a BLAS that reads a [V, d] head at a third of the memory's speed, and takes
twice the time for two rows as for one. Laid out for the kernel, a step of 16 tokens costs little more than one of 1,
which is what prompt lookup lives on. Measured in bench/results/training.md. TorchInductor's frozen graphs use the same
two operators; where PyTorch was built without them, nothing is packed.

Memory: none beyond the model's, but for a tied head: the embedding stays, in columns, which serve a single token faster
still. A packed model computes, it is neither trained nor saved.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class PackedLinear(nn.Module):
    """x W^T + b for a weight [out, in] of float32 on the CPU: what `nn.Linear` computes, to rounding."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight.detach(), None)  # opaque: no parameter
        self._bias = None if bias is None else bias.detach()

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, "none", [], "")
        return found


class TiedHead(nn.Module):
    """The head whose weight is that of `embedding`, whose own becomes the same numbers, a column after the other."""

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        self._many = PackedLinear(embedding.weight, None)
        embedding.weight.data = embedding.weight.data.t().contiguous().t()
        self._embedding = embedding

    def forward(self, x: Tensor) -> Tensor:
        single = x.numel() == x.shape[-1]
        found: Tensor = functional.linear(x, self._embedding.weight) if single else self._many(x)
        return found


def packs(weight: Tensor) -> bool:
    """Whether weights like this one can be packed here."""
    there = torch._C._has_mkldnn and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    return there and weight.device.type == "cpu" and weight.dtype == torch.float32


def pack(module: nn.Module) -> None:
    """Replaces every linear layer below `module` by a packed one, one after the other."""
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Linear):
            setattr(module, name, PackedLinear(child.weight, child.bias))
        else:
            pack(child)
