"""Muon: momentum whose update is made orthogonal, for matrices, on one device or with their rows over many.

https://kellerjordan.github.io/posts/muon/, its update scaled so that AdamW's rates fit it (arXiv 2502.16982, section
2.2). It reaches AdamW's loss with 0.6 of the tokens (dependencies.md, section 2). Here, not `torch.optim.Muon`, as that
always iterates in bfloat16: on a CPU without it, the demo's model took 2.7 s a step in PyTorch's and 0.065 s in
float32, on the same two cores.

The iteration needs the whole matrix. Where processes hold rows of it, of as many matrices as there are processes each
one collects a whole one, iterates, and gives the rows back: no iteration is done twice among those that share the rows,
and a process holds one whole matrix at a time besides its rows of others.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import torch
from torch import Tensor, distributed
from torch.distributed.tensor import DTensor

from starloom.training.parallel import held

_MOMENTUM: Final = 0.95
_COEFFICIENTS: Final = (3.4445, -4.7750, 2.0315)  # of the quintic: steepest at zero
_ITERATIONS: Final = 5
_EPSILON: Final = 1e-7


class Muon:
    """Momentum (Nesterov), made orthogonal, for named matrices. `dtype`: of the iteration."""

    def __init__(self, matrices: Mapping[str, Tensor], rate: float, weight_decay: float, dtype: torch.dtype) -> None:
        self.matrices, self.rate, self.weight_decay, self.dtype = dict(matrices), rate, weight_decay, dtype
        self.momentum = {name: torch.zeros_like(matrix.detach()) for name, matrix in matrices.items()}
        self._group = _group(matrices.values())

    @torch.no_grad()
    def step(self, factor: float) -> None:
        """One update at `factor` of the rate, from the gradients as they are."""
        rate = self.rate * factor
        # The largest first: those that are made orthogonal at the same time are of one size.
        names = sorted(self.matrices, key=lambda name: -self.matrices[name].numel())
        at_once = self._group.size() if self._group else 1
        for start in range(0, len(names), at_once):
            some = names[start : start + at_once]
            rows = [self.matrices[name].shape[0] for name in some]
            updates = _orthogonal_together([self._wanted(name) for name in some], rows, self._group, self.dtype)
            for name, update in zip(some, updates, strict=True):
                matrix = self.matrices[name]
                own = held(matrix).tensor
                own.mul_(1 - rate * self.weight_decay)
                own.add_(update, alpha=-rate * 0.2 * max(matrix.shape) ** 0.5)  # as large as AdamW's update, by RMS

    def _wanted(self, name: str) -> Tensor:
        """The update before it is orthogonal, with this gradient in the momentum: the rows that this process holds."""
        gradient = self.matrices[name].grad
        assert gradient is not None
        own = held(gradient).tensor
        return own.lerp(held(self.momentum[name]).tensor.lerp_(own, 1 - _MOMENTUM), _MOMENTUM)


def orthogonal(matrix: Tensor, dtype: torch.dtype) -> Tensor:
    """[A, B] -> [A, B] with the same singular vectors and singular values of about one (0.7 to 1.2)."""
    a, b, c = _COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix).to(dtype)
    x = x / x.norm().clamp(min=_EPSILON)
    for _ in range(_ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.T if tall else x).to(matrix.dtype)


def _group(matrices: Iterable[Tensor]) -> distributed.ProcessGroup | None:
    """The processes that hold the rows together; None: each holds all of them."""
    first = next(iter(matrices), None)
    if not isinstance(first, DTensor):
        return None
    dimension = next(number for number, one in enumerate(first.placements) if one.is_shard(0))
    group = first.device_mesh.get_group(dimension)
    return group if group.size() > 1 else None


def _orthogonal_together(
    own: Sequence[Tensor], rows: Sequence[int], group: distributed.ProcessGroup | None, dtype: torch.dtype
) -> list[Tensor]:
    """This process's rows of each matrix, of `rows` in all -> its rows of the orthogonal ones. At most as many matrices
    as processes in the group, in the same order on each."""
    if group is None:
        return [orthogonal(one, dtype) for one in own]
    size, rank = group.size(), group.rank()
    sent = torch.cat([one.to(dtype).flatten() for one in own])
    given = [one.numel() for one in own] + [0] * (size - len(own))  # numbers to each process: matrix n is process n's
    taken, columns = [0] * size, 1
    if rank < len(own):
        columns = own[rank].shape[1]
        taken = [_rows_of(one, rows[rank], size) * columns for one in range(size)]
    whole = sent.new_empty(sum(taken))
    distributed.all_to_all_single(whole, sent, taken, given, group=group)
    if rank < len(own):
        whole = orthogonal(whole.view(-1, columns), dtype).flatten()
    distributed.all_to_all_single(sent, whole, given, taken, group=group)
    parts = torch.split(sent, given[: len(own)])
    return [part.view_as(one).to(one.dtype) for part, one in zip(parts, own, strict=True)]


def _rows_of(rank: int, rows: int, size: int) -> int:
    """How many of `rows` a process holds: as many as each other one, but for the last ones (`parallel.held`)."""
    each = -(-rows // size)
    return max(min(each, rows - rank * each), 0)
