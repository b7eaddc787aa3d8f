"""Out of memory, in words: what did not fit, and which settings make a run smaller without changing what it learns.

Only what an allocator refuses can be told. A Linux machine that runs out of main memory often ends the process instead,
with no word (`dmesg` names it); `starloom plan` tells beforehand what a run needs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import torch

from starloom.errors import UserError
from starloom.training.settings import TrainSettings
from starloom.training.world import World

_CPU: Final = "DefaultCPUAllocator"  # in the words of PyTorch's plain RuntimeError


@contextmanager
def explained(settings: TrainSettings, world: World) -> Iterator[None]:
    """An allocation that fails while the block runs, as UserError with the remedies that this run has left."""
    try:
        yield
    except (MemoryError, RuntimeError) as problem:
        if not isinstance(problem, torch.OutOfMemoryError | MemoryError) and _CPU not in str(problem):
            raise
        where = "the device" if isinstance(problem, torch.OutOfMemoryError) else "this machine"
        many = f" of process {world.rank}" if world.size > 1 else ""
        said = str(problem).splitlines()[0] if str(problem) else "no memory"
        what = f"{where}{many} has too little memory for this run: {said}"
        raise UserError(what, remedies(settings, world)) from problem


def remedies(settings: TrainSettings, world: World) -> str:
    """What the user may change in [train] to go on from the last checkpoint with less memory."""
    share = max(settings.batch // world.size, 1)
    now = min(settings.micro_batch or share, share)
    found = []
    if now > 1:
        found.append(f"micro_batch = {now // 2} (now {now} samples at once)")
    if settings.activation_checkpointing == "none":
        found.append('activation_checkpointing = "layers"')
    if world.size > 1 and settings.sharding in ("none", "hybrid"):
        found.append('sharding = "full"')
    more = "more processes (torchrun), each with its own device, hold less of the model each"
    words = f"set in [train]: {', or '.join(found)}; or {more}" if found else more
    return f"{words}. The same command goes on from the last checkpoint; `starloom plan` tells what a run needs"
