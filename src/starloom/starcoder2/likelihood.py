"""How well a model predicts a text: bits per token, from which bits per byte follow."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from starloom.errors import UserError
from starloom.starcoder2.open import CausalModel

_MOST_LOGITS: Final = 1 << 25  # at once, unless one window has more: 128 MB of float32
_ROWS: Final = 256  # tokens whose logits are summed at once


def bits(model: CausalModel, ids: Sequence[int], window: int) -> NDArray[np.float64]:
    """-log2 p of each of ids[1:], float64 [len(ids) - 1].

    Windows of `window` predictions that do not overlap; each starts with the last token of the window before, so every
    token but the first is predicted once, from 1 to `window` tokens before it. Memory: the logits of one window.
    Raises UserError for a window longer than the model's context, or an id outside its vocabulary.
    """
    if not 0 < window <= model.context:
        raise UserError(f"a window of {window:,} tokens", f"the model's context has 1 to {model.context:,}: take those")
    tokens = np.asarray(ids, dtype=np.int64)
    if len(tokens) and not 0 <= tokens.min() <= tokens.max() < model.vocabulary:
        raise UserError(
            f"token ids run from {tokens.min():,} to {tokens.max():,}, the model's from 0 to {model.vocabulary - 1:,}",
            "take the tokenizer that belongs to the model",
        )
    if len(tokens) < 2:
        return np.zeros(0)
    whole = (len(tokens) - 1) // window  # windows that are full
    given = torch.from_numpy(tokens[: whole * window]).view(-1, window)
    wanted = torch.from_numpy(tokens[1 : whole * window + 1]).view(-1, window)
    batch = max(1, _MOST_LOGITS // (window * model.vocabulary))
    parts = [_bits(model, given[at : at + batch], wanted[at : at + batch]) for at in range(0, whole, batch)]
    if (rest := tokens[whole * window :]).size > 1:
        parts.append(_bits(model, torch.from_numpy(rest[None, :-1]), torch.from_numpy(rest[None, 1:])))
    return np.concatenate(parts)


@torch.inference_mode()
def _bits(model: CausalModel, given: Tensor, wanted: Tensor) -> NDArray[np.float64]:
    """-log2 p of `wanted` [B, T], each after `given` [B, T] up to its place; flat."""
    logits = model.logits(given).flatten(0, 1)  # [B * T, V]
    targets = wanted.to(logits.device).view(-1, 1)
    nats = []
    for at in range(0, len(targets), _ROWS):
        rows = logits[at : at + _ROWS].float()
        nats.append(rows.logsumexp(dim=1) - rows.gather(1, targets[at : at + _ROWS])[:, 0])
    found: NDArray[np.float64] = torch.cat(nats).double().cpu().numpy() / np.log(2.0)
    return found
