"""What training minimises: cross-entropy, and where `[train]` asks for them a z-loss and horizon-length prediction.

Each position's loss is -ln p(next token) + z_loss * (ln sum exp logits)^2 + horizon * |share of the middle that is
left, as the model has it, less what it is|; a step's, the mean over all its counted targets. These rows give their
share of it: shares of micro-batches and of processes add up to the step's loss, and their gradients to its gradient,
however its rows are dealt out. Everything goes through `forward`, which is what sharding wraps.

Shapes: B rows, T positions, d hidden size, V vocabulary.
"""

from typing import Any

import torch
from torch import Tensor, nn

from starloom.errors import UserError
from starloom.starcoder2.loss import fused_cross_entropy
from starloom.starcoder2.network import StarCoder2
from starloom.tokens.special_tokens import Markers
from starloom.training.horizon import HorizonHead, Horizons
from starloom.training.settings import TrainSettings


class Objective(nn.Module):
    """Over `network`. `horizon`: the head of horizon-length prediction, which no model that is published keeps."""

    horizon: HorizonHead | None

    def __init__(self, network: StarCoder2, settings: TrainSettings, markers: Markers | None) -> None:
        """markers: the tokenizer's. Raises UserError for horizons of a tokenizer that marks no middles."""
        super().__init__()
        if settings.horizon and markers is None:
            raise UserError(
                f"[train] horizon = {settings.horizon:g}, and the tokenizer has no tokens for fill-in-the-middle",
                "set horizon = 0, or train a tokenizer of Starloom's own: `starloom tokenizer`",
            )
        self.network = network
        self._z_loss, self._horizon = settings.z_loss, settings.horizon
        self._horizons = Horizons(markers) if markers else None
        self.horizon = HorizonHead(network.config.hidden_size) if settings.horizon else None

    def forward(
        self,
        ids: Tensor,
        targets: Tensor | None = None,
        documents: Tensor | None = None,
        count: Tensor | None = None,
    ) -> Any:
        """With targets (loss, parts), else logits [B, T, V].

        ids int64 [B, T]; targets int64 [B, T]: the next token, negative where it is not to be learnt; documents int
        [B, T]: tokens of the same number in a row see each other; None: all do; count: scalar, the counted targets of
        the whole step; None: those of these rows. loss: scalar, to go backward from once. parts: float32 [3], without
        gradients, what it is the sum of: cross-entropy, z-loss, horizon.
        """
        hidden = self.network(ids, documents)  # [B, T, d]
        if targets is None:
            return self.network.logits(hidden)
        count = (targets >= 0).sum() if count is None else count
        loss, shares = fused_cross_entropy(
            hidden.flatten(0, 1), self.network.head, targets.flatten(), count=count, z_loss=self._z_loss
        )
        horizon = torch.zeros((), device=hidden.device)
        if self.horizon is not None and self._horizons is not None:
            left = self._horizons.of(ids, targets, documents)
            # Also where no middle is: under sharding every process must have a gradient for every parameter.
            horizon = self._horizon * self.horizon(hidden, left) / count.clamp(min=1)
            loss = loss + horizon
        return loss, torch.cat((shares, horizon.detach()[None].float()))
