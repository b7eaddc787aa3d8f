"""The objective over a model of another family: transformers' network, our loss.

Hidden states go into the fused loss, so that the logits of a large vocabulary never exist at once, where the model's
logits are its head's product and nothing more; else (soft caps, scales) its own logits are used. Examples that share a
row are kept apart by positions that begin anew, which is how transformers knows packed rows. Both are tried out on a
few tokens when the model is opened: nothing is taken on trust. No dropout, as in pretraining.

Shapes: B rows, T positions, d hidden size, V vocabulary.
"""

from collections.abc import Mapping
from typing import Any, Final, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from starloom.errors import UserError
from starloom.starcoder2.loss import fused_cross_entropy
from starloom.training.settings import TrainSettings
from starloom.training.work import PARTS

_TRIED: Final = 8  # tokens
_NEAR: Final = {torch.float32: 1e-4, torch.bfloat16: 5e-2}  # of the largest logit: as much as orders of sums may differ


class ForeignObjective(nn.Module):
    """`network`: a causal language model of transformers'. Use `tried` when its weights are there."""

    def __init__(self, network: Any, settings: TrainSettings) -> None:
        super().__init__()
        self.network = network.eval()
        self._settings = settings
        self._is_plain = False

    def forward(
        self,
        ids: Tensor,
        targets: Tensor | None = None,
        documents: Tensor | None = None,
        count: Tensor | None = None,
    ) -> Any:
        """With targets (loss, parts) as `Work.objective` has it, else logits [B, T, V].

        ids int64 [B, T]; targets int64 [B, T], negative: not counted; documents int [B, T]: tokens of the same number
        see one another; count: targets of the whole step.
        """
        taken: dict[str, Any] = {"input_ids": ids, "use_cache": False}
        if documents is not None:
            taken["position_ids"] = places(documents)
        if targets is None:
            return self.network(**taken).logits
        weight = self._settings.z_loss
        if self._is_plain:
            hidden = self.network.base_model(**taken).last_hidden_state  # [B, T, d]
            head = self.network.get_output_embeddings().weight
            loss, shares = fused_cross_entropy(
                hidden.flatten(0, 1), head, targets.flatten(), count=count, z_loss=weight
            )
        else:
            loss, shares = _plain_loss(self.network(**taken).logits.flatten(0, 1), targets.flatten(), count, weight)
        return loss, functional.pad(shares, (0, len(PARTS) - len(shares)))

    def train(self, mode: bool = True) -> Self:
        """Dropout stays off."""
        del mode
        return super().train(False)

    @torch.no_grad()
    def tried(self) -> Self:
        """After it was tried out. Raises UserError where it cannot keep examples apart, and has to."""
        head = self.network.get_output_embeddings()
        device = self.network.get_input_embeddings().weight.device
        ids = torch.arange(_TRIED, device=device)[None] % head.weight.shape[0]
        halves = torch.arange(_TRIED, device=device)[None] * 2 // _TRIED
        # [1, T, V] of both halves in a row, and of the second alone
        row, alone = self(ids, documents=halves), self(ids[:, _TRIED // 2 :])
        if self._settings.document_mask and not _near(row[:, _TRIED // 2 :], alone):
            raise UserError(
                f"models of type {self.network.config.model_type} do not keep the examples of a row apart",
                "let them see each other: `document_mask = false` under [finetune]",
            )
        hidden = self.network.base_model(input_ids=ids, use_cache=False).last_hidden_state
        made = functional.linear(hidden.to(head.weight.dtype), head.weight)
        self._is_plain = _near(made, self(ids))
        return self


def places(documents: Tensor) -> Tensor:
    """int64 [B, T]: the place of each token in its document; a document is a stretch of equal numbers.

    >>> places(torch.tensor([[0, 0, 1, 1, 1, -1]])).tolist()
    [[0, 1, 0, 1, 2, 0]]
    """
    here = torch.arange(documents.shape[1], device=documents.device).expand(documents.shape)
    begins = functional.pad(documents[:, 1:] != documents[:, :-1], (1, 0), value=True)
    return here - torch.where(begins, here, 0).cummax(dim=1).values


def _near(one: Tensor, other: Tensor) -> bool:
    apart = (one.float() - other.float()).abs().max()
    return bool(apart <= _NEAR.get(one.dtype, _NEAR[torch.bfloat16]) * other.float().abs().max())


def _plain_loss(logits: Tensor, targets: Tensor, count: Tensor | None, z_loss: float) -> tuple[Tensor, Tensor]:
    """As `fused_cross_entropy`, of logits [N, V] that exist."""
    logits = logits.float()
    counted = targets >= 0
    share = 1 / (counted.sum() if count is None else count).clamp(min=1).float()
    sums = logits.logsumexp(dim=1)  # [N]
    at_target = logits.gather(1, targets.clamp(min=0)[:, None])[:, 0]
    parts = torch.stack([sums - at_target, z_loss * sums.square()]) * (counted.float() * share)
    parts = parts.sum(dim=1)  # [2]
    return parts.sum(), parts.detach()


def step_flops(config: Mapping[str, Any], matrices: int, documents: NDArray[np.int32], whole: bool) -> int:
    """Floating-point operations of a step over rows of these documents [B, T] (-1: padding), forward and backward.

    matrices: numbers in all matrices that a token is multiplied with. whole: all of them are trained; a frozen one has
    no gradient of its own. Attention is counted as every token seeing its document up to itself; sliding windows, which
    families lay out differently, are not taken off.
    """
    pairs = 0
    for row in documents:
        edges = np.flatnonzero(np.diff(row, prepend=row[0] - 1, append=row[-1] - 1))
        lengths = np.diff(edges)
        lengths = lengths[row[edges[:-1]] >= 0]
        pairs += int((lengths * (lengths + 1) // 2).sum())
    heads = int(config.get("num_attention_heads", 0))
    wide = int(config.get("head_dim") or int(config.get("hidden_size", 0)) // max(heads, 1))
    attention = 4 * int(config.get("num_hidden_layers", 0)) * heads * wide * pairs
    products = 2 * matrices * int((documents >= 0).sum())
    return 3 * attention + (3 if whole else 2) * products
