"""The processes of a run: one, or as many as torchrun started; what they tell each other beside the gradients.

`torchrun --nproc-per-node N --no-python starloom train …` starts N of them on this machine, and says in the environment
of each which it is. They must see the same workspace: on several machines, one on a shared file system. The first one
alone holds the lock, writes records and speaks; an error is told by the process that meets it first.

Without torchrun nothing here communicates, and PyTorch's distributed package is not even initialised.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import torch
from torch import distributed

from starloom.errors import UserError
from starloom.progress import silenced
from starloom.training.heartbeat import Heartbeat

# The first process may work alone for long: it hashes a checkpoint, it writes the model. Who has died is known sooner,
# by the heartbeat.
_PATIENCE: Final = timedelta(hours=2)
_BACKENDS: Final = {"cpu": "gloo", "cuda": "cpu:gloo,cuda:nccl"}  # words between processes go by the CPU always
_LOST: Final = (
    "connection",
    "gloo",
    "nccl",
    "peer",
    "store",
    "socket",
)  # in PyTorch's words for a process that is gone
_TORCHRUN: Final = "torchrun --nproc-per-node N --no-python starloom train"


@dataclass(frozen=True)
class World:
    """rank: of this process among `size`. local_rank: among those of its machine. nodes: machines."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    nodes: int = 1
    _side: Any = field(default=None, compare=False, repr=False)  # a group for one thread beside the main one

    @property
    def first(self) -> bool:
        """Whether it is the one that writes and speaks."""
        return self.rank == 0

    def device(self, kind: str) -> torch.device:
        """This process's own of `kind`, cpu or cuda; the current one from now on."""
        if kind != "cuda":
            return torch.device(kind)
        found = torch.device(kind, self.local_rank)
        torch.cuda.set_device(found)
        return found

    def sums(self, values: Sequence[Any]) -> list[float]:
        """Of numbers, added over all processes; every one of them gets the same. One message, in float64."""
        total = torch.tensor([float(value) for value in values], dtype=torch.float64)
        if self.size > 1:
            distributed.all_reduce(total)
        found: list[float] = total.tolist()
        return found

    def barrier(self) -> None:
        """Comes back when every process has come here."""
        self.sums([0])

    def exchanged(self, data: bytes) -> list[bytes]:
        """What each process gave, by rank: all of one length. For one thread beside the main one, which may meanwhile
        speak to the others itself."""
        if self.size == 1:
            return [data]
        mine = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        found = [torch.empty_like(mine) for _ in range(self.size)]
        distributed.all_gather(found, mine, group=self._side)
        return [one.numpy().tobytes() for one in found]


def speaks() -> bool:
    """Whether this process is the first of its run, or the only one: whose results are printed."""
    return _number("RANK", 0) == 0


@contextmanager
def join(device_kind: str) -> Iterator[World]:
    """The processes of this run, by torchrun's environment, while the block runs; without it, this one alone.

    device_kind: cpu or cuda. Raises UserError: an environment that makes no sense, fewer CUDA devices than processes,
    another process that died. Where several processes fail, one tells why, and the others leave by SystemExit.
    """
    rank, size = _number("RANK", 0), _number("WORLD_SIZE", 1)
    if size == 1:
        yield World()
        return
    local_rank, local_size = _number("LOCAL_RANK", rank), _number("LOCAL_WORLD_SIZE", size)
    if not 0 <= local_rank < local_size <= size or not rank < size:
        found = f"RANK = {rank}, WORLD_SIZE = {size}, LOCAL_RANK = {local_rank}, LOCAL_WORLD_SIZE = {local_size}"
        raise UserError(f"{found} fit no run", f"start with `{_TORCHRUN}`, which sets them")
    if device_kind == "cuda" and torch.cuda.device_count() < local_size:
        raise UserError(
            f"{local_size} processes on a machine with {torch.cuda.device_count()} CUDA devices",
            f"start as many as there are devices: `torchrun --nproc-per-node {torch.cuda.device_count()} …`",
        )
    heartbeat = Heartbeat(rank, size)
    device = {"device_id": torch.device("cuda", local_rank)} if device_kind == "cuda" else {}
    with silenced(rank > 0), _told_once(heartbeat):
        distributed.init_process_group(_BACKENDS[device_kind], timeout=_PATIENCE, **device)  # type: ignore[arg-type]
        side = distributed.new_group(backend="gloo", timeout=_PATIENCE)
        with heartbeat:
            yield World(rank, size, local_rank, max(size // local_size, 1), side)
    distributed.destroy_process_group()  # not after an error: it would wait for processes that are gone


@contextmanager
def _told_once(heartbeat: Heartbeat) -> Iterator[None]:
    """Errors of many processes: the one that meets it first tells of it. One that died is a UserError too."""
    try:
        yield
    except UserError as problem:
        if not heartbeat.is_news(problem.problem):
            raise SystemExit(1) from None
        raise
    except RuntimeError as problem:
        if not _is_loss(problem):
            raise
        if not heartbeat.is_news("lost"):
            raise SystemExit(1) from None
        raise UserError(
            "another process of this run has died",
            "its own message, if it left one, stands above (killed without one: look for want of memory, `dmesg`); run "
            "the same command: it goes on from the last checkpoint",
        ) from problem


def _is_loss(problem: RuntimeError) -> bool:
    """Whether PyTorch says that another process does not answer: its errors for that are plain RuntimeErrors."""
    if isinstance(problem, distributed.DistError):
        return True
    words = str(problem).lower()
    return type(problem) is RuntimeError and "out of memory" not in words and any(word in words for word in _LOST)


def _number(name: str, default: int) -> int:
    value = os.environ.get(name, "")
    if not value:
        return default
    with suppress(ValueError):
        if (number := int(value)) >= 0:
            return number
    raise UserError(f"{name} = {value!r} in the environment is no number", f"start with `{_TORCHRUN}`, which sets it")
