"""Who sees whom, and what computes it: what every backend of attention is (`attention` makes them).

Shapes: B batch, H query heads, K key and value heads (H a multiple of K), T queries, S keys, D width of a head.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from starloom.starcoder2.config import Backend


class Layout(ABC):
    """Who sees whom, for the last T of S positions, and the backend that computes it."""

    backend: ClassVar[Backend]

    @abstractmethod
    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """softmax(q k^T / sqrt(D)) v over the keys that each query sees. q [B, H, T, D]; k, v [B, K, S, D]; as q."""
