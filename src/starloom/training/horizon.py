"""Horizon-length prediction: how much of a middle is left, told at each of its tokens (arXiv 2410.03103).

Fill-in-the-middle models lose sight of where the suffix begins. A linear head on the last hidden state learns it: of
a middle of M tokens, (M - t) / M is left once t of them are there, from 1 at `<fim_middle>` to 0 at the last one. The
head is needed in training alone. Its form (a sigmoid) and its loss (L1) are ours: the paper's own are unverified.

Which tokens are middles, the ids say: from the marker to the next token that ends a completion. Left out are middles
whose end is not in the row, empty ones, and those after `<fim_prefix><fim_suffix>`: there prefix and middle are one
text (suffix first, as StarCoder2 has it), whose border is not known.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from starloom.tokens.special_tokens import Markers


class HorizonHead(nn.Module):
    """Zero at first: it says "half", and leaves the network alone until it knows more."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, hidden_size))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, hidden: Tensor, left: Tensor) -> Tensor:
        """Scalar float32: the sum of |predicted - left| over hidden [B, T, d] where `left` [B, T] is >= 0."""
        with torch.autocast(hidden.device.type, enabled=False):
            told = functional.linear(hidden.float(), self.weight.float(), self.bias.float())[..., 0].sigmoid()  # [B, T]
        return torch.where(left >= 0, (told - left).abs(), 0.0 * told).sum()


class Horizons:
    """Where the middles of a tokenizer's rows are."""

    def __init__(self, markers: Markers) -> None:
        self._prefix, self._middle, self._suffix = markers.prefix, markers.middle, markers.suffix
        self._ends = sorted(markers.stops)

    def of(self, ids: Tensor, targets: Tensor, documents: Tensor | None) -> Tensor:
        """float32 [B, T]: the share of its middle that is left after each token, -1 where there is none to learn.

        ids, targets int64 [B, T]; documents int [B, T], None: not known. A target that is not counted (-1) parts what
        is before it from what comes after.
        """
        here = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
        ends = torch.tensor(self._ends, device=ids.device)
        begins = _last(ids == self._middle, here)  # the marker at or before each token
        after_gap = functional.pad(targets[:, :-1] < 0, (1, 0))
        parted = _last((ids != self._middle) & (torch.isin(ids, ends) | after_gap), here)
        stops = _next(torch.isin(targets, ends), here)  # the last token of the middle: an end follows it
        length = stops - begins
        found = (begins > parted) & (stops < _next(targets < 0, here)) & (length > 0)
        found &= self._is_alone(ids, documents, here).gather(1, begins.clamp(min=0))
        return torch.where(found, (stops - here) / length.clamp(min=1), -1.0)

    def _is_alone(self, ids: Tensor, documents: Tensor | None, here: Tensor) -> Tensor:
        """bool [B, T]: whether a middle that began here would be the middle alone, its prefix elsewhere in the row."""
        prefix = _last(ids == self._prefix, here)
        at = prefix.clamp(min=0)
        after = functional.pad(ids[:, 1:], (0, 1), value=self._suffix)
        found = (prefix >= 0) & (after.gather(1, at) != self._suffix)
        return found if documents is None else found & (documents.gather(1, at) == documents)


def _last(is_one: Tensor, here: Tensor) -> Tensor:
    """int64 [B, T]: the place of the last one at or before each place; -1: none."""
    return torch.where(is_one, here, -1).cummax(dim=1).values


def _next(is_one: Tensor, here: Tensor) -> Tensor:
    """int64 [B, T]: the place of the first one at or after each place; T: none."""
    return torch.where(is_one, here, here.shape[1]).flip(1).cummin(dim=1).values.flip(1)
