"""What a step does to the weights: AdamW (arXiv 1711.05101), Muon for the hidden matrices, and their running average.

Both take and keep tensors whole or sharded by rows: every process updates the rows that it holds. Their state has
names and needs no pickle; it is allocated at once, so that a run that does not fit its device fails at its start.
Memory, in bytes a parameter of float32: 8 for AdamW, 4 for Muon, 4 for the average.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from starloom.training.muon import Muon
from starloom.training.parallel import held, layers_of
from starloom.training.schedule import average_factor
from starloom.training.settings import TrainSettings

UPDATES = "optimizer.updates"


class AdamW:
    """PyTorch's fused kernel, over named tensors. Those of one dimension, norms and biases, do not decay.

    All have one count of updates, by which the moments are corrected for their start: it is part of the state.
    """

    def __init__(self, weights: Mapping[str, Tensor], settings: TrainSettings) -> None:
        self.weights = dict(weights)
        self.mean = {name: torch.zeros_like(one.detach()) for name, one in self.weights.items()}
        self.square = {name: torch.zeros_like(one.detach()) for name, one in self.weights.items()}
        self.updates = torch.zeros((), dtype=torch.int64)
        self._rate, self._betas, self._epsilon = settings.adamw_rate, (settings.beta1, settings.beta2), settings.epsilon
        decays = {name: settings.weight_decay if one.ndim >= 2 else 0.0 for name, one in self.weights.items()}
        self._groups = [
            (decay, [name for name in self.weights if decays[name] == decay])
            for decay in dict.fromkeys(decays.values())
        ]

    @torch.no_grad()
    def step(self, factor: float) -> None:
        """One update at `factor` of the rate, from the gradients as they are; a tensor without one stays."""
        for decay, names in self._groups:
            parts = [
                tuple(held(one).tensor for one in (weight, weight.grad, self.mean[name], self.square[name]))
                for name in names
                if (weight := self.weights[name]).grad is not None
            ]
            parts = [part for part in parts if part[0].numel()]  # of few rows, the last processes hold none
            if not parts:
                continue
            weights, gradients, means, squares = (list(column) for column in zip(*parts, strict=True))
            adamw(
                weights,
                gradients,
                means,
                squares,
                [],
                list(torch.full((len(weights),), float(self.updates), device=weights[0].device).unbind()),
                fused=True,
                amsgrad=False,
                beta1=self._betas[0],
                beta2=self._betas[1],
                lr=self._rate * factor,
                weight_decay=decay,
                eps=self._epsilon,
                maximize=False,
            )
        self.updates += 1


class Optimizer:
    """AdamW over what is trained of one module, Muon over the matrices of its layers where `[train]` says so."""

    def __init__(self, objective: nn.Module, settings: TrainSettings, dtype: torch.dtype) -> None:
        """`objective.network` is the model, its gradients are float32. `dtype`: of Muon's products."""
        self._named = {name: one for name, one in objective.named_parameters() if one.requires_grad}
        hidden = {}
        if settings.optimizer == "muon":
            assert isinstance(objective.network, nn.Module)
            inner = {one for layer in layers_of(objective.network) for one in layer.parameters()}
            hidden = {name: one for name, one in self._named.items() if one in inner and one.ndim == 2}
        self._muon = Muon(hidden, settings.muon_rate, settings.weight_decay, dtype)
        self._adamw = AdamW({name: one for name, one in self._named.items() if name not in hidden}, settings)

    def step(self, factor: float) -> None:
        """One update at `factor` of the rates; the gradients are gone afterwards."""
        self._muon.step(factor)
        self._adamw.step(factor)
        self.forget()

    def forget(self) -> None:
        """The gradients go, and nothing changes: a step is passed over."""
        for one in self._named.values():
            one.grad = None

    def state(self) -> dict[str, Tensor]:
        """By name, as they are, not copies: NAME.momentum, or NAME.exp_avg and NAME.exp_avg_sq; the count of updates.

        Whatever is copied into them is where it goes on from.
        """
        found = {f"{name}.momentum": tensor for name, tensor in self._muon.momentum.items()}
        found |= {f"{name}.exp_avg": tensor for name, tensor in self._adamw.mean.items()}
        found |= {f"{name}.exp_avg_sq": tensor for name, tensor in self._adamw.square.items()}
        return found | {UPDATES: self._adamw.updates}


class Average:
    """Weights, averaged over the last steps: what a decay of the rate would reach, at once."""

    def __init__(self, weights: Mapping[str, Tensor], settings: TrainSettings) -> None:
        """weights: by name, as they are; they are averaged as they change."""
        self._settings = settings
        self._weights = dict(weights)
        self._mean = {name: one.detach().clone() for name, one in self._weights.items()}

    @torch.no_grad()
    def step(self, step: int) -> None:
        """Takes up the weights after `step` (from 0)."""
        stays = average_factor(step, self._settings)
        means, weights = ([held(one).tensor for one in many.values()] for many in (self._mean, self._weights))
        torch._foreach_lerp_(means, weights, 1 - stays)

    def state(self) -> dict[str, Tensor]:
        """NAME.average, as they are, not copies: whatever is copied into them is where it goes on from."""
        return {f"{name}.average": tensor for name, tensor in self._mean.items()}

    @torch.no_grad()
    def into_weights(self) -> None:
        """The weights become the averaged ones."""
        for name, one in self._weights.items():
            held(one).tensor.copy_(held(self._mean[name]).tensor)
