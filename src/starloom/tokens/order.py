"""Which sample comes when: a function, not a state.

A sample is `sequence` consecutive tokens and the one after them. Each epoch reads every sample once, in the order of a
permutation drawn by (seed, epoch): a Feistel network on the smallest square that holds all samples, walked on until it
lands on one (Black and Rogaway 2002, "Ciphers with Arbitrary Finite Domains", methods 2 and 3). A square wastes next to
nothing, where a power of two makes three of four steps a walk in the worst case. So batch t is a pure function of
(shards, seed, t), and can be asked backwards: restart, skipping ahead and "when was this read?" need nothing but a
number. The last tokens of the stream, fewer than `sequence`, are in no sample.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.kernels.random import keyed_uint64s
from starloom.tokens.shards import Shards

_UInt64s = NDArray[np.uint64]
_ROUNDS = 12  # four do for many samples; with eight, orders of seven samples are not all equally likely (measured)


@dataclass(frozen=True)
class Batch:
    """Rows of `sequence` + 1 tokens: inputs and targets are these without the last, and without the first."""

    ids: NDArray[np.int64]  # [batch, sequence + 1]
    documents: NDArray[np.int32]  # [batch, sequence + 1], the number of the document that each token is in


class Order:
    """The samples 0 to `samples` - 1, epoch after epoch. Positions count on from epoch to epoch."""

    def __init__(self, samples: int, seed: int) -> None:
        """Raises ValueError when there is no sample."""
        if samples < 1:
            raise ValueError(f"an order of {samples} samples")
        self.samples = samples
        self.seed = seed
        self._side = np.uint64(math.isqrt(samples - 1) + 1)  # of the square

    def sample(self, position: int) -> int:
        """The sample at `position` (0 or more) of the whole training; its epoch is position // samples."""
        return int(self.samples_from(position, 1)[0])

    def samples_from(self, position: int, count: int) -> NDArray[np.int64]:
        """The samples at `count` positions from `position` on, across epochs. Raises ValueError for one below 0."""
        if position < 0 or count < 0:
            raise ValueError(f"{count} positions from {position}")
        found = np.empty(count, dtype=np.int64)
        done = 0
        while done < count:
            epoch, index = divmod(position + done, self.samples)
            some = min(count - done, self.samples - index)
            indices = np.arange(index, index + some, dtype=np.uint64)
            found[done : done + some] = self._walk(indices, self._forwards, epoch)
            done += some
        return found

    def position(self, sample: int, epoch: int) -> int:
        """Where `sample` is read in `epoch`: the inverse of `sample`. Raises ValueError for no such sample."""
        if not 0 <= sample < self.samples or epoch < 0:
            raise ValueError(f"sample {sample} of {self.samples} in epoch {epoch}")
        index = self._walk(np.array([sample], dtype=np.uint64), self._backwards, epoch)
        return epoch * self.samples + int(index[0])

    def _walk(self, values: _UInt64s, step: Callable[[_UInt64s, _UInt64s], _UInt64s], epoch: int) -> _UInt64s:
        keys = _keys(self.seed, epoch)
        values = step(values, keys)
        while len(outside := np.flatnonzero(values >= self.samples)):
            values[outside] = step(values[outside], keys)
        return values

    def _forwards(self, values: _UInt64s, keys: _UInt64s) -> _UInt64s:
        left, right = np.divmod(values, self._side)
        for key in keys[:_ROUNDS]:
            left, right = right, (left + _mixed(right ^ key) % self._side) % self._side
        return self._exchanged(left * self._side + right, keys)

    def _backwards(self, values: _UInt64s, keys: _UInt64s) -> _UInt64s:
        left, right = np.divmod(self._exchanged(values, keys), self._side)
        for key in keys[:_ROUNDS][::-1]:
            left, right = (right + self._side - _mixed(left ^ key) % self._side) % self._side, left
        return left * self._side + right

    def _exchanged(self, values: _UInt64s, keys: _UInt64s) -> _UInt64s:
        """0 and 1 trade places in half of the epochs: without it most squares allow even permutations only."""
        traded = (values < 2) & (keys[-1] & np.uint64(1) == 1) & (self._side > 1)
        return np.where(traded, values ^ np.uint64(1), values)


def samples(shards: Shards, sequence: int) -> int:
    """Samples in the stream. Raises UserError when there is not one, ValueError for a sequence of nothing."""
    if sequence < 1:
        raise ValueError(f"a sequence of {sequence} tokens")
    found = (shards.tokens - 1) // sequence
    if found < 1:
        raise UserError(
            f"{shards.folder} has {shards.tokens:,} tokens: too few for one sequence of {sequence:,}",
            f"set `sequence` under [train] in starloom.toml to {max(shards.tokens - 1, 1)} or less, or add sources",
        )
    return found


def batch(shards: Shards, order: Order, step: int, batch_size: int, sequence: int) -> Batch:
    """The samples at positions `step` * `batch_size` and after. Raises ValueError when `order` is not of these shards
    and this sequence, UserError for a damaged shard."""
    if order.samples != samples(shards, sequence):
        raise ValueError(f"an order of {order.samples} samples for {samples(shards, sequence)}")
    ids = np.empty((batch_size, sequence + 1), dtype=np.int64)
    documents = np.empty((batch_size, sequence + 1), dtype=np.int32)
    for row, sample in enumerate(order.samples_from(step * batch_size, batch_size).tolist()):
        start = sample * sequence
        ids[row] = shards.read(start, start + sequence + 1)
        documents[row] = shards.document_numbers(start, start + sequence + 1)
    return Batch(ids, documents)


@functools.lru_cache(maxsize=64)
def _keys(seed: int, epoch: int) -> _UInt64s:
    return keyed_uint64s(seed, f"order of epoch {epoch}", map(str, range(_ROUNDS + 1)))


def _mixed(values: _UInt64s) -> _UInt64s:
    """SplitMix64's finaliser: every bit depends on every bit."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
