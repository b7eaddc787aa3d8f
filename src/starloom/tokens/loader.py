"""The batches of a training, one after the other, read ahead.

Batch b has the samples from b * batch on; of them process r of w takes every w-th from the r-th on. So whatever the
number of processes and threads, and wherever it was interrupted, the stream of all samples is the same, and the state
is one number: how many samples were consumed.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Final

import numpy as np

from starloom.errors import UserError
from starloom.tokens.samples import Batch, Int64s, Samples, Stretches

_AT_ONCE: Final = 2048  # samples whose places are computed together: each alone costs as much as thirty
_ANNOUNCED: Final = 64  # samples that a store is asked for before they are read


@dataclass(frozen=True)
class State:
    """Where a loader is: what it reads, in which order, and how far it came."""

    fingerprint: str  # of the tokens
    seed: int
    recipe: str  # its digest, with the sources
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
        self._announced = max(_ANNOUNCED * world // batch, 1) if samples.far else 0
        self._begin()

    @classmethod
    def resume(
        cls, samples: Samples, batch: int, state: State, *, rank: int = 0, world: int = 1, threads: int = 1
    ) -> "Loader":
        """Goes on after `state`. Raises UserError when that is of other tokens, or another order."""
        now = (samples.fingerprint, samples.recipe.seed, samples.digest)
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
        samples = self.samples
        return State(samples.fingerprint, samples.recipe.seed, samples.digest, self._next * self.batch)

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        """This process's rows of the next batch. Raises UserError for a damaged shard, or a store that is not reached;
        who asks again asks for the same batch."""
        try:
            if self._threads is None:
                found = self.samples.read(*self._planned())
            else:
                while len(self._coming) <= self._ahead:
                    self._coming.append(self._threads.submit(self.samples.read, *self._planned()))
                found = self._coming.popleft().result()
        except BaseException:
            for one in self._coming:
                one.cancel()
            self._begin()
            raise
        self._next += 1
        return found

    def _begin(self) -> None:
        """Nothing is on its way, and the next batch comes next."""
        self._coming: deque[Future[Batch]] = deque()
        self._plan: deque[tuple[Int64s, Stretches]] = deque()  # announced, not read yet
        self._places = self._placed(self._next)

    def _planned(self) -> tuple[Int64s, Stretches]:
        """What is to be read after what was planned before."""
        while len(self._plan) <= self._announced:
            self._plan.append(next(self._places))
            if self._announced:
                self._plan[-1][1].want()
        return self._plan.popleft()

    def _placed(self, number: int) -> Iterator[tuple[Int64s, Stretches]]:
        """This process's samples of each batch from that one on, and where they lie."""
        some = max(_AT_ONCE // self.batch, 1)
        width = self.batch // self._world
        while True:
            positions = np.arange(number * self.batch, (number + some) * self.batch, dtype=np.int64)
            mine = positions.reshape(some, self.batch)[:, self._rank :: self._world]
            stretches = self.samples.stretches(self.samples.where(mine.ravel()))
            for k in range(some):
                yield mine[k], stretches.part(k * width, (k + 1) * width)
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
