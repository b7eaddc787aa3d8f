"""Keys and values of the positions that a later query can still see: the last `window`, or all of the context.

A buffer in the order of the text, already rotated: new positions are written at its end, a query reads a slice of it,
and to take positions back is to forget them. With a window shorter than the context the buffer has `SPARE` places more
than the window; when they are used up, what is still seen moves to its front (each position once in `SPARE` tokens).

Rows may have texts of different lengths: each begins at the left of its row, and a mask hides what is right of its end.

Memory: 2 * layers * K * D * min(window + SPARE, context) values a row, taken as the text grows.
Shapes: B rows, K key and value heads, T new positions, S positions seen, D width of a head.
"""

from collections.abc import Sequence
from typing import Final, Self

import torch
from torch import Tensor

from starloom.starcoder2.attention import layout_for, layout_of
from starloom.starcoder2.config import StarCoder2Config
from starloom.starcoder2.layout import Layout

SPARE: Final = 2048  # places beyond the window, and so what may be taken back for certain
_LEAST: Final = 256  # places of the smallest buffer


class Cache:
    """What a model has read, for forward passes that go on from it: `prepare`, `extend` of every layer, `advance`."""

    def __init__(self, config: StarCoder2Config) -> None:
        context, window = config.max_position_embeddings, config.sliding_window
        self._config = config
        self._window = window if window is not None and window < context else None
        self._most = context if self._window is None else min(self._window + SPARE, context)
        self._lengths = [0]  # positions read in each row, held or not; one number where all are alike
        self._starts = [0]  # the first position that the buffer of each row holds
        self._places = 0  # columns of the buffers, once a layer needs them
        self._layers: dict[int, tuple[Tensor, Tensor]] = {}  # layer -> keys, values, each [B, K, places, D]
        self._seen = slice(0, 0)  # columns that the queries in hand see
        self._ragged = False
        self._columns = torch.empty(0)  # of ragged rows: where each writes

    @property
    def length(self) -> int:
        """Positions read, of the longest row."""
        return max(self._lengths)

    def prepare(self, ids: Tensor) -> tuple[Tensor, Layout]:
        """Makes room for `ids` [B, T], the tokens that come next: their positions, [T] or (rows of different lengths)
        [B, 1, T], and who sees whom among the keys that `extend` will give.

        Raises ValueError past the context, and for several tokens at once in rows of different lengths.
        """
        new = ids.shape[1]
        if self._window is None and self.length + new > self._most:
            raise ValueError(f"{self.length + new} positions in a context of {self._most}")
        if self._ragged and new > 1:
            raise ValueError(f"{new} tokens at once in rows of different lengths")
        self._make_room(new)
        if self._ragged:
            return self._prepare_ragged(ids.device)
        before, start = self._lengths[0], self._starts[0]
        first = before - self._reach(before)
        self._seen = slice(first - start, before + new - start)
        layout = layout_for(new, before + new - first, self._window, None, ids.device)
        return torch.arange(before, before + new, device=ids.device), layout

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Takes up keys and values [B, K, T, D] of the tokens in hand; returns those to attend to, [B, K, S, D]."""
        keys, values = self._buffers(layer, k, v)
        if self._ragged:
            rows = torch.arange(len(k), device=k.device)
            keys[rows, :, self._columns] = k[:, :, 0]
            values[rows, :, self._columns] = v[:, :, 0]
        else:
            last = slice(self._seen.stop - k.shape[2], self._seen.stop)
            keys[:, :, last] = k
            values[:, :, last] = v
        return keys[:, :, self._seen], values[:, :, self._seen]

    def advance(self, new: int) -> None:
        """All layers have taken up `new` tokens of every row."""
        self._lengths = [length + new for length in self._lengths]

    def cut(self, length: int) -> bool:
        """Forgets all but the first `length` positions, of rows of one length. False, and nothing is forgotten, where
        what the next query would see is held no more."""
        if self._ragged or length > self.length or length - self._reach(length) < self._starts[0]:
            return False
        self._lengths = [length]
        return True

    def copy(self) -> "Cache":
        """Another cache that has read the same."""
        return Cache.join([self])

    @classmethod
    def join(cls, caches: Sequence[Self]) -> Self:
        """One cache of as many rows as there are `caches`, each of one row, in order; they stay as they are."""
        made = cls(caches[0]._config)
        made._lengths = [length for one in caches for length in one._lengths]
        made._starts = [start for one in caches for start in one._starts]
        made._ragged = len(caches) > 1  # those that have one length now may part later
        made._places = made._used()
        for layer, (keys, _) in caches[0]._layers.items():
            shape = (len(made._lengths), keys.shape[1], made._places, keys.shape[3])
            buffers = made._layers[layer] = (keys.new_zeros(shape), keys.new_zeros(shape))
            for row, one in enumerate(caches):
                for into, held in zip(buffers, one._layers[layer], strict=True):
                    into[row, :, : one._used()] = held[0, :, : one._used()]
        return made

    def keep(self, rows: Sequence[int]) -> None:
        """Drops all rows but these."""
        self._lengths = [self._lengths[row] for row in rows]
        self._starts = [self._starts[row] for row in rows]
        for layer, (keys, values) in self._layers.items():
            self._layers[layer] = (keys[list(rows)], values[list(rows)])

    def _prepare_ragged(self, device: torch.device) -> tuple[Tensor, Layout]:
        lengths, starts = torch.tensor(self._lengths, device=device), torch.tensor(self._starts, device=device)
        self._columns = lengths - starts
        first = min(
            length - self._reach(length) - start for length, start in zip(self._lengths, self._starts, strict=True)
        )
        self._seen = slice(first, self._used() + 1)
        columns = torch.arange(first, self._used() + 1, device=device)
        mask = columns <= self._columns[:, None]  # [B, S]
        if self._window is not None:
            mask &= columns > self._columns[:, None] - self._window
        return lengths[:, None, None], layout_of(mask[:, None, None])

    def _reach(self, length: int) -> int:
        """How many of `length` positions the query after them sees."""
        return length if self._window is None else min(length, self._window - 1)

    def _used(self) -> int:
        """Columns that hold something."""
        return max(length - start for length, start in zip(self._lengths, self._starts, strict=True))

    def _make_room(self, new: int) -> None:
        """`new` columns after those that are used: in a larger buffer while it may grow, else at the cost of what no
        query sees any more."""
        wanted = self._used() + new
        if wanted <= self._places:
            return
        if wanted > self._most:
            self._move_to_the_front()
            wanted = self._used() + new  # a text of many tokens at once takes what it takes
        if wanted > self._places:
            self._places = max(wanted, min(self._most, max(2 * self._places, _LEAST)))

    def _move_to_the_front(self) -> None:
        for row, (length, start) in enumerate(zip(self._lengths, self._starts, strict=True)):
            kept = self._reach(length)
            here = slice(row, row + 1) if self._ragged else slice(None)  # a number for all rows, or for each
            for buffer in (one for layer in self._layers.values() for one in layer):
                buffer[here, :, :kept] = buffer[here, :, length - start - kept : length - start].clone()
            self._starts[row] = length - kept

    def _buffers(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """The buffers of a layer, with all the columns that `_make_room` asked for. Zeros where nothing was written: a
        mask hides numbers, but no NaN."""
        held = self._layers.get(layer)
        if held is None or held[0].shape[2] < self._places:
            shape = (*k.shape[:2], self._places, k.shape[3])
            made = (k.new_zeros(shape), v.new_zeros(shape))
            for into, old in zip(made, held or (), strict=False):
                into[:, :, : old.shape[2]] = old
            held = self._layers[layer] = made
        return held
