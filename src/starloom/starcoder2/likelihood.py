"""How well a model predicts a text: bits per token, from which bits per byte follow; and whether it would have written
just this text itself.
"""

from collections.abc import Collection, Sequence
from typing import Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from starloom.errors import UserError

WINDOW: Final = 2048  # tokens that a prediction sees at most, wherever bits per byte are told
_MOST_LOGITS: Final = 1 << 25  # at once, unless one window has more: 128 MB of float32
_ROWS: Final = 256  # tokens whose logits are summed at once


class Predictor(Protocol):
    """A language model that is only asked what it expects: every CausalModel is one."""

    @property
    def vocabulary(self) -> int:
        """V: rows of the head."""

    @property
    def context(self) -> int:
        """Most tokens that it takes."""

    def logits(self, ids: Tensor) -> Tensor:
        """int64 [B, T] -> [B, T, V]."""


def bits(model: Predictor, ids: Sequence[int], window: int) -> NDArray[np.float64]:
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


def is_greedy(model: Predictor, prompt: Sequence[int], answer: Sequence[int], stops: Collection[int]) -> bool:
    """Whether greedy decoding gives just `answer` after `prompt`, and then one of `stops`.

    One pass tells: it does if and only if every token of the answer is the likeliest after all before it. An answer
    that spells the same text by other tokens counts as another one. Raises ValueError for an empty prompt.
    """
    if not prompt:
        raise ValueError("an answer to nothing")
    ids = torch.tensor([[*prompt, *answer]])
    with torch.no_grad():
        told = model.logits(ids)[0, len(prompt) - 1 :].argmax(dim=1).tolist()
    return told[:-1] == list(answer) and told[-1] in stops


@torch.no_grad()
def _bits(model: Predictor, given: Tensor, wanted: Tensor) -> NDArray[np.float64]:
    """-log2 p of `wanted` [B, T], each after `given` [B, T] up to its place; flat."""
    logits = model.logits(given).flatten(0, 1)  # [B * T, V]
    targets = wanted.to(logits.device).view(-1, 1)
    nats = []
    for at in range(0, len(targets), _ROWS):
        rows = logits[at : at + _ROWS].float()
        nats.append(rows.logsumexp(dim=1) - rows.gather(1, targets[at : at + _ROWS])[:, 0])
    found: NDArray[np.float64] = torch.cat(nats).double().cpu().numpy() / np.log(2.0)
    return found
