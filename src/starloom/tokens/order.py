"""Which row of a source comes when: a function, not a state.

Each epoch reads every row once, in the order of a permutation drawn by (seed, source, epoch). Where `block` is above 1,
`block` neighbouring rows stay together, so that a store far away is read in stretches: the blocks are permuted, and the
rows within each pool of POOL blocks that follow one another. Both can be asked backwards: restart, skipping ahead and
"when was this read?" need nothing but a number.
"""

import functools
from collections.abc import Sequence
from typing import Final

import numpy as np

from starloom.kernels.random import keyed_uint64s
from starloom.tokens.bijection import KEYS, Bijection, Int64s, UInt64s

POOL: Final = 64  # blocks; a reader keeps them at hand


class Order:
    """The rows 0 to `rows` - 1 of a source, epoch after epoch."""

    def __init__(self, rows: int, seed: int, source: str = "", block: int = 1) -> None:
        """Raises ValueError when there is no row, or a block of none."""
        if rows < 1 or block < 1:
            raise ValueError(f"an order of {rows} rows in blocks of {block}")
        self.rows = rows
        self.block = block
        self._seed, self._source = seed, source
        self._blocks = -(-rows // block)
        self._gap = self._blocks * block - rows  # what the last block lacks
        self._shorts: dict[int, int] = {}

    def at(self, epoch: int, places: Int64s) -> Int64s:
        """The row at each place, 0 to `rows` - 1, of an epoch. Raises ValueError for others."""
        self._check(epoch, places)
        if self.block == 1:
            return self._order_of_blocks(epoch).forwards(places)
        whole = self._whole(self._in_pools(epoch, places, back=False), self._short(epoch))
        blocks, inside = np.divmod(whole, self.block)
        return self._order_of_blocks(epoch).forwards(blocks) * self.block + inside

    def places(self, epoch: int, rows: Int64s) -> Int64s:
        """The inverse of `at`: when these rows are read in an epoch. Raises ValueError for rows that there are not."""
        self._check(epoch, rows)
        if self.block == 1:
            return self._order_of_blocks(epoch).backwards(rows)
        blocks, inside = np.divmod(rows, self.block)
        whole = self._order_of_blocks(epoch).backwards(blocks) * self.block + inside
        return self._in_pools(epoch, self._real(whole, self._short(epoch)), back=True)

    def _order_of_blocks(self, epoch: int) -> Bijection:
        return Bijection.of(self._blocks, _keys(self._seed, f"order of {self._source}, epoch {epoch}"))

    # A place counts rows; a whole place counts as if the last block were as long as the others.

    def _short(self, epoch: int) -> int:
        """The first whole place of those that the last block lacks."""
        if epoch not in self._shorts:
            last = np.array([self._blocks - 1], dtype=np.int64)
            self._shorts[epoch] = (int(self._order_of_blocks(epoch).backwards(last)[0]) + 1) * self.block - self._gap
        return self._shorts[epoch]

    def _whole(self, places: Int64s, short: int) -> Int64s:
        return places + self._gap * (places >= short)

    def _real(self, whole: Int64s, short: int) -> Int64s:
        return whole - self._gap * (whole >= short)

    def _in_pools(self, epoch: int, places: Int64s, back: bool) -> Int64s:
        """Each place permuted within its pool."""
        short = self._short(epoch)
        pools = self._whole(places, short) // (POOL * self.block)
        found = np.empty_like(places)
        for pool in np.unique(pools).tolist():
            edges = np.minimum(np.array([pool, pool + 1]) * POOL, self._blocks) * self.block
            begin, end = self._real(edges, short).tolist()
            keys = _keys(self._seed, f"order of {self._source}, epoch {epoch}, pool {pool}")
            inner = Bijection.of(end - begin, keys)
            here = pools == pool
            found[here] = (inner.backwards if back else inner.forwards)(places[here] - begin) + begin
        return found

    def _check(self, epoch: int, values: Int64s) -> None:
        if epoch < 0 or (len(values) and not 0 <= int(values.min()) <= int(values.max()) < self.rows):
            raise ValueError(f"rows or places of {self.rows} in epoch {epoch}: {values}")


def rows_at(orders: Sequence[tuple[Order, int]], which: Int64s, places: Int64s) -> Int64s:
    """`at` of several orders, each in an epoch: `which` of them at each place. At once, where they have no blocks."""
    if all(order.block == 1 for order, _ in orders) and orders:
        some = [order._order_of_blocks(epoch) for order, epoch in orders]
        return (some[0] if len(some) == 1 else Bijection.each(some, which)).forwards(places)
    found = np.empty_like(places)
    for number, (order, epoch) in enumerate(orders):
        here = which == number
        found[here] = order.at(epoch, places[here])
    return found


@functools.lru_cache(maxsize=1024)
def _keys(seed: int, purpose: str) -> UInt64s:
    return keyed_uint64s(seed, purpose, map(str, range(KEYS)))
