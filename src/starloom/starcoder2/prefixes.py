"""What was read is not read again: the caches of the last few texts, for texts that begin as one of them does.

An editor asks after every few keystrokes, with a prompt whose beginning it sent before; several samples of one prompt
share all of it. Only the rest is computed, and the answer is that of a fresh cache, to rounding.

Memory: `_MOST` caches, each of what its text took (`cache.py`). One user at a time.
"""

from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from starloom.starcoder2.open import CausalModel

_MOST: Final = 4  # texts that are kept
_WORTH: Final = 32  # tokens in common that are worth the end of the text that had them


class Reading:
    """A text as far as a model has read it."""

    def __init__(self, model: CausalModel) -> None:
        self._model = model
        self.ids: list[int] = []  # what `cache` holds
        self.cache: Any | None = None

    def read(self, ids: list[int], last: int = 1) -> Tensor:
        """The logits [last, V] after the last tokens of `ids`, which come next. When it fails, all is unread."""
        cache, self.cache = self.cache, None
        held, self.ids = self.ids, []
        logits, self.cache = self._model.step(torch.tensor([ids]), cache, last)
        held += ids
        self.ids = held
        return logits

    def cut(self, length: int) -> bool:
        """Back to the first `length` tokens. False where the model cannot: nothing has changed then."""
        if self.cache is None or not self._model.cut(self.cache, length):
            return False
        del self.ids[length:]
        return True


class Prefixes:
    """The last few readings of one model."""

    def __init__(self, model: CausalModel) -> None:
        self._model = model
        self._kept: list[Reading] = []  # the newest last

    def take(self, prompt: list[int]) -> Reading:
        """A reading of as much of `prompt` as was read before, without its last token, which tells what comes next.
        It belongs to the caller, until it is put back."""
        common = [min(_common(one.ids, prompt), len(prompt) - 1) for one in self._kept]
        best = max(range(len(common)), key=common.__getitem__, default=-1)
        if best >= 0 and common[best] >= _WORTH and self._kept[best].cut(common[best]):
            return self._kept.pop(best)
        return Reading(self._model)

    def put(self, reading: Reading) -> None:
        """Keeps a reading for later texts, in place of the oldest; none of a model that cannot go back in it."""
        if reading.cut(len(reading.ids)):
            self._kept = [*self._kept, reading][-_MOST:]


def _common(left: list[int], right: list[int]) -> int:
    """How many tokens two texts have in common at their beginnings."""
    size = min(len(left), len(right))
    other = np.flatnonzero(np.array(left[:size]) != np.array(right[:size]))
    return int(other[0]) if len(other) else size
