"""What a step does to the weights: Muon for the hidden matrices, AdamW for the rest, and their running average.

Muon (https://kellerjordan.github.io/posts/muon/) makes the update of a matrix orthogonal by a Newton-Schulz iteration,
scaled so that AdamW's rates fit it (arXiv 2502.16982, section 2.2). It reaches AdamW's loss with 0.6 of the tokens
(dependencies.md, section 2). Here, not `torch.optim.Muon`, as that always iterates in bfloat16: on a CPU without it,
the demo's model took 2.7 s a step in PyTorch's and 0.065 s in float32, on the same two cores.
"""

from typing import Final

import torch
from torch import Tensor, nn

from starloom.errors import UserError
from starloom.training.settings import TrainSettings, average_factor

_MOMENTUM: Final = 0.95
_COEFFICIENTS: Final = (3.4445, -4.7750, 2.0315)  # of the quintic: steepest at zero
_ITERATIONS: Final = 5
_EPSILON: Final = 1e-7
_BETAS: Final = (0.9, 0.95)  # arXiv 2402.19173, section 6.2


class Muon:
    """Momentum (Nesterov), made orthogonal, for named matrices. `dtype`: of the iteration."""

    def __init__(self, matrices: dict[str, nn.Parameter], rate: float, weight_decay: float, dtype: torch.dtype) -> None:
        self.matrices, self.rate, self.weight_decay, self.dtype = matrices, rate, weight_decay, dtype
        self.momentum = {name: torch.zeros_like(matrix) for name, matrix in matrices.items()}

    @torch.no_grad()
    def step(self, factor: float) -> None:
        """One update at `factor` of the rate, from the gradients as they are."""
        rate = self.rate * factor
        for name, matrix in self.matrices.items():
            assert matrix.grad is not None
            momentum = self.momentum[name].lerp_(matrix.grad, 1 - _MOMENTUM)
            update = orthogonal(matrix.grad.lerp(momentum, _MOMENTUM), self.dtype)
            matrix.mul_(1 - rate * self.weight_decay)
            matrix.add_(update, alpha=-rate * 0.2 * max(matrix.shape) ** 0.5)  # as large as AdamW's update, by RMS


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


class Optimizer:
    """Muon and AdamW over one network, with a state of named tensors that needs no pickle."""

    def __init__(self, network: nn.Module, settings: TrainSettings, dtype: torch.dtype) -> None:
        named = dict(network.named_parameters())
        hidden = {name: one for name, one in named.items() if ".layers." in name and one.ndim == 2}
        self._rest = {name: one for name, one in named.items() if name not in hidden}
        self._muon = Muon(hidden, settings.muon_rate, settings.weight_decay, dtype)
        groups = [
            {"params": [one for one in self._rest.values() if one.ndim >= 2], "weight_decay": settings.weight_decay},
            {"params": [one for one in self._rest.values() if one.ndim < 2], "weight_decay": 0.0},
        ]
        self._rate = settings.adamw_rate
        self._adamw = torch.optim.AdamW(groups, lr=self._rate, betas=_BETAS, fused=True)

    def step(self, factor: float) -> None:
        """One update at `factor` of the rates; the gradients are gone afterwards."""
        self._muon.step(factor)
        for group in self._adamw.param_groups:
            group["lr"] = self._rate * factor
        self._adamw.step()
        self._adamw.zero_grad()
        for matrix in self._muon.matrices.values():
            matrix.grad = None

    def state(self) -> dict[str, Tensor]:
        """The moments by name, as they are, not copies: NAME.momentum, NAME.exp_avg, NAME.exp_avg_sq."""
        found = {f"{name}.momentum": tensor for name, tensor in self._muon.momentum.items()}
        for name, one in self._rest.items():
            for moment in ("exp_avg", "exp_avg_sq"):
                found[f"{name}.{moment}"] = self._adamw.state[one].get(moment, torch.zeros_like(one))
        return found

    def load(self, tensors: dict[str, Tensor], step: int) -> None:
        """Goes on from `state()` after `step` steps. Raises UserError when a tensor is missing or misshapen."""
        for name, tensor in self._muon.momentum.items():
            tensor.copy_(_taken(tensors, f"{name}.momentum", tensor))
        for name, one in self._rest.items():
            self._adamw.state[one] = {
                "step": torch.tensor(float(step), device=one.device),
                "exp_avg": _taken(tensors, f"{name}.exp_avg", one),
                "exp_avg_sq": _taken(tensors, f"{name}.exp_avg_sq", one),
            }


class Average:
    """The weights, averaged over the last steps: what a decay of the rate would reach, at once."""

    def __init__(self, network: nn.Module, settings: TrainSettings) -> None:
        self._settings = settings
        self._named = dict(network.named_parameters())
        self._mean = {name: one.detach().clone() for name, one in self._named.items()}

    @torch.no_grad()
    def step(self, step: int) -> None:
        """Takes up the weights after `step` (from 0)."""
        stays = average_factor(step, self._settings)
        torch._foreach_lerp_(list(self._mean.values()), list(self._named.values()), 1 - stays)

    def state(self) -> dict[str, Tensor]:
        """NAME.average, not copies."""
        return {f"{name}.average": tensor for name, tensor in self._mean.items()}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Goes on from `state()`. Raises UserError when a tensor is missing or misshapen."""
        for name, tensor in self._mean.items():
            tensor.copy_(_taken(tensors, f"{name}.average", tensor))

    @torch.no_grad()
    def into_network(self) -> None:
        """The network's weights become the averaged ones."""
        for name, one in self._named.items():
            one.copy_(self._mean[name])


def _taken(tensors: dict[str, Tensor], name: str, like: Tensor) -> Tensor:
    """A copy in memory of our own, aligned as a fresh tensor's: kernels must not see that a run was resumed."""
    found = tensors.get(name)
    if found is None or found.shape != like.shape or found.dtype != like.dtype:
        raise UserError(
            f"the checkpoint's {name} is {'missing' if found is None else f'{found.dtype} {list(found.shape)}'}",
            "begin the run anew with --restart",
        )
    return torch.empty_like(like, requires_grad=False).copy_(found)
