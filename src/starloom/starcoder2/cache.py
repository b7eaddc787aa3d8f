"""Keys and values of the positions that a later query can still see: the last `window`, or all of the context.

A ring: position p lies at p modulo the capacity, already rotated, so a decoded token costs one write and no copy. The
order of keys does not matter to one query; several at once get them in order, which costs one copy.
"""

import torch
from torch import Tensor

from starloom.starcoder2.config import StarCoder2Config


class Cache:
    """For one run of forward passes. Memory: 2 * layers * K * D * min(window, context) values, taken when used."""

    def __init__(self, config: StarCoder2Config) -> None:
        self.length = 0  # positions seen so far, kept or not
        context, window = config.max_position_embeddings, config.sliding_window
        self._slides = window is not None and window < context
        self._capacity = window if window is not None and window < context else context
        self._rings: dict[int, tuple[Tensor, Tensor]] = {}  # layer -> keys, values, each [B, K, capacity, D]

    def keys_with(self, new: int) -> int:
        """S: how many keys `extend` will give with `new` positions. Raises ValueError past the context."""
        if not self._slides and self.length + new > self._capacity:
            raise ValueError(f"{self.length + new} positions in a context of {self._capacity}")
        if new == 1:
            return min(self.length + 1, self._capacity)
        return self._kept() + new

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Takes up keys and values [B, K, T, D] of the next T positions; returns those to attend to, [B, K, S, D]."""
        new = k.shape[2]
        rings = self._rings.get(layer)
        if rings is None:
            shape = (*k.shape[:2], self._capacity, k.shape[3])
            rings = self._rings[layer] = (k.new_empty(shape), v.new_empty(shape))
        if new == 1:
            place = self.length % self._capacity
            filled = min(self.length + 1, self._capacity)
            for ring, one in zip(rings, (k, v), strict=True):
                ring[:, :, place : place + 1] = one
            return rings[0][:, :, :filled], rings[1][:, :, :filled]
        if self.length:
            k, v = (torch.cat((self._in_order(ring), one), dim=2) for ring, one in zip(rings, (k, v), strict=True))
        for ring, all_of_it in zip(rings, (k, v), strict=True):
            self._fill(ring, all_of_it[:, :, -min(new, self._capacity) :], self.length + new)
        return k, v

    def advance(self, new: int) -> None:
        """All layers have taken up `new` positions."""
        self.length += new

    def _kept(self) -> int:
        """Positions before the next one that its query sees."""
        return min(self.length, self._capacity - 1 if self._slides else self._capacity)

    def _in_order(self, ring: Tensor) -> Tensor:
        """The kept positions, oldest first: [B, K, kept, D]."""
        end = self.length % self._capacity
        if self.length <= self._capacity:
            kept = ring[:, :, : self.length]
        else:
            kept = torch.cat((ring[:, :, end:], ring[:, :, :end]), dim=2)
        return kept[:, :, kept.shape[2] - self._kept() :]

    def _fill(self, ring: Tensor, last: Tensor, end: int) -> None:
        """Puts `last`, the positions that end before `end`, into their places."""
        first = (end - last.shape[2]) % self._capacity
        head = min(last.shape[2], self._capacity - first)
        ring[:, :, first : first + head] = last[:, :, :head]
        ring[:, :, : last.shape[2] - head] = last[:, :, head:]
