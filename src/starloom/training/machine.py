"""What computes a run: device, precision, threads; the same again when a run goes on, so that it goes on exactly.

On a CPU the same machine, PyTorch and number of threads give the same bits. Not on a CUDA device, whose kernels may add
in another order; there a run goes on with the same samples and schedule.
"""

import os
import platform
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from starloom.errors import UserError
from starloom.progress import say
from starloom.training.runs import Record
from starloom.training.settings import TrainSettings

# Flags of /proc/cpuinfo: products of bfloat16 in hardware (x86, x86, Arm). Elsewhere they are done in software, slower
# than float32.
_BFLOAT16: Final = {"avx512_bf16", "amx_bf16", "bf16"}
_CPUINFO: Final = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Machine:
    """`threads` of the CPU; `precision` float32 or bfloat16, of the products: weights are float32 always."""

    device: str
    precision: str
    threads: int

    @property
    def dtype(self) -> torch.dtype:
        return torch.bfloat16 if self.precision == "bfloat16" else torch.float32

    def autocast(self) -> AbstractContextManager[object]:
        """Products in the machine's precision while the block runs."""
        return torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.precision == "bfloat16")

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Threads as the run's, and every operation repeatable, while the block runs."""
        before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
        deterministic: Any = torch.utils.deterministic  # a module whose settings are properties
        filling = deterministic.fill_uninitialized_memory
        try:
            torch.set_num_threads(self.threads)
            if self.device == "cpu":
                torch.use_deterministic_algorithms(True)
                deterministic.fill_uninitialized_memory = False  # it is written before it is read
            yield
        finally:
            torch.set_num_threads(before[0])
            torch.use_deterministic_algorithms(before[1])
            deterministic.fill_uninitialized_memory = filling


def device(settings: TrainSettings) -> str:
    """The kind that a run which begins would take. Raises UserError when it is not there."""
    found = settings.device
    if found == "auto":
        found = "cuda" if torch.cuda.is_available() else "cpu"
    _check_device(found, 'write `device = "cpu"` into [train]')
    return found


def choose(settings: TrainSettings) -> Machine:
    """For a run that begins. Raises UserError when the device is not there."""
    kind = device(settings)
    able = kind == "cuda" or _cpu_has_bfloat16()
    precision = settings.precision
    if precision == "auto":
        precision = "bfloat16" if able else "float32"
    elif precision == "bfloat16" and not able:
        say('note: this CPU has no bfloat16 of its own: `precision = "float32"` is faster here')
    # PyTorch's own number heeds OMP_NUM_THREADS and the cores this process may use.
    return Machine(kind, precision, settings.threads or torch.get_num_threads())


def again(record: Record) -> Machine:
    """For a run that goes on: as it began. Says what cannot be the same. Raises UserError when the device is gone."""
    _check_device(record.device, "go on where the run began, or begin it anew with --restart")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if record.threads > cores:
        say(f"note: the run began with {record.threads} threads, and there are {cores} cores now: it will be slower")
    for name, was in record.versions.items():
        if (now := versions().get(name)) != was:
            say(f"note: the run began with {name} {was}, this is {now}: its weights may differ in their last bits")
    return Machine(record.device, record.precision, record.threads)


def versions() -> dict[str, str]:
    """What rounds: other versions, other bits."""
    return {
        "torch": str(torch.__version__),
        "processor": f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}",
    }


def _check_device(device: str, remedy: str) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("no CUDA device is there", remedy)


def _cpu_has_bfloat16() -> bool:
    try:
        lines = _CPUINFO.read_text(errors="replace").splitlines()
    except OSError:  # no Linux
        return False
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return not _BFLOAT16.isdisjoint(flags.split())
