"""The batches of a training, one after the other, read ahead.

Batch b has the samples from b * batch on; of them process r of w takes every w-th from the r-th on. So whatever the
number of processes and threads, and wherever it was interrupted, the stream of all samples is the same, and the state
is one number: how many samples were consumed.
"""

import functools
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Final

import numpy as np

from starloom.errors import UserError
from starloom.tokens.samples import Batch, Samples

_AT_ONCE: Final = 512  # samples whose places are computed together: each alone costs as much as thirty


@dataclass(frozen=True)
class State:
    """Where a loader is: what it reads, in which order, and how far it came."""

    fingerprint: str  # of the tokens
    seed: int
    recipe: str  # its digest
    consumed: int  # samples, by all processes


class Loader:
    """An endless iterator of batches. Close it, or use it as a context."""

    def __init__(
        self, samples: Samples, batch: int, *, start: int = 0, rank: int = 0, world: int = 1, threads: int = 1
    ) -> None:
        """batch: samples of all processes together. start: samples consumed before. threads: that read ahead; 0: each
        batch is read when it is asked for. Raises UserError when the processes cannot share a batch evenly, or a start
        that is not between two batches."""
        if batch < 1 or world < 1 or batch % world:
            raise UserError(
                f"a batch of {batch:,} samples cannot be shared by {world:,} processes",
                "make the batch a multiple of the number of processes",
            )
        if start < 0 or start % batch:
            raise UserError(
                f"{start:,} samples consumed are not whole batches of {batch:,}",
                "go on with the batch it was begun with",
            )
        if not 0 <= rank < world:
            raise ValueError(f"process {rank} of {world}")
        samples.prepare()  # threads find it made
        self.samples = samples
        self.batch = batch
        self._rank, self._world = rank, world
        self._next = start // batch  # the batch that is given next
        self._ahead = 2 * threads
        self._threads = ThreadPoolExecutor(threads, "loader") if threads else None
        self._coming: deque[Future[Batch]] = deque()
        self._batches = self._planned(self._next)

    @classmethod
    def resume(
        cls, samples: Samples, batch: int, state: State, *, rank: int = 0, world: int = 1, threads: int = 1
    ) -> "Loader":
        """Goes on after `state`. Raises UserError when that is of other tokens, or another order."""
        now = (samples.fingerprint, samples.recipe.seed, samples.recipe.digest())
        for what, had, has in zip(
            ("tokens", "seed", "recipe"), (state.fingerprint, state.seed, state.recipe), now, strict=True
        ):
            if had != has:
                raise UserError(
                    f"it was begun with {what} {_short(had)}, and these are {what} {_short(has)}",
                    "go on with what it was begun with, or begin anew",
                )
        return cls(samples, batch, start=state.consumed, rank=rank, world=world, threads=threads)

    def state(self) -> State:
        """After the batches that were given so far."""
        recipe = self.samples.recipe
        return State(self.samples.fingerprint, recipe.seed, recipe.digest(), self._next * self.batch)

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        """This process's rows of the next batch. Raises UserError for a damaged shard."""
        if self._threads is None:
            found = next(self._batches)()
        else:
            while len(self._coming) <= self._ahead:
                self._coming.append(self._threads.submit(next(self._batches)))
            found = self._coming.popleft().result()
        self._next += 1
        return found

    def _planned(self, number: int) -> Iterator[Callable[[], Batch]]:
        """What is to be read for each batch from that one on."""
        some = max(_AT_ONCE // self.batch, 1)
        while True:
            positions = np.arange(number * self.batch, (number + some) * self.batch, dtype=np.int64)
            mine = positions.reshape(some, self.batch)[:, self._rank :: self._world]
            where = self.samples.where(mine.ravel())
            width = self.batch // self._world
            for k in range(some):
                yield functools.partial(self.samples.read, mine[k], where.part(k * width, (k + 1) * width))
            number += some

    def close(self) -> None:
        if self._threads:
            self._threads.shutdown(cancel_futures=True)

    def __enter__(self) -> "Loader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _short(value: object) -> str:
    return str(value)[:12]
