"""What one GPU has: memory, arithmetic, and what an hour of it costs. Torch-free.

Peaks are the makers' figures for dense products of bfloat16 with float32 sums, half of those "with sparsity" in their
data sheets. None was measured here. A real product of large matrices reaches about 0.8 of them (H200: 769 to 798 of
989 TFLOP/s).

Prices are list prices of one provider each, on demand, in US dollars an hour of one GPU, as third parties noted them
from its page at the date given: a first idea, from which others differ by half or by double. `starloom plan --price`
takes yours.
"""

import re
from dataclasses import dataclass
from typing import Final

from starloom.errors import UserError

_WORD: Final = re.compile(r"[a-z0-9]+")
# With these in its name, a device is a smaller one, or a part of one.
_LESSER: Final = frozenset({"laptop", "mobile", "mig", "max", "d", "ti", "super", "q"})


@dataclass(frozen=True)
class Gpu:
    """memory: GiB that PyTorch reports, rounded down. peak: FLOP/s. price: US dollars an hour, None where none is
    known."""

    name: str  # all of its words are in the name that its driver gives
    memory: int
    peak: float
    source: str  # of the peak
    price: float | None = None
    priced: str = ""  # whose price, and when


_HOPPER: Final = "NVIDIA H100 and H200 data sheets"
_AMPERE: Final = "NVIDIA A100 data sheet"
_ADA: Final = "NVIDIA L4 and L40S data sheets"
_RUNPOD: Final = "RunPod, secure cloud, 2026-11-09"
_RUNPOD_OCTOBER: Final = "RunPod, 2026-10-07"

# The first whose words are all there is meant: those with more words come first.
GPUS: Final = (
    Gpu("B200", 178, 2250e12, "NVIDIA Blackwell data sheet", 6.79, _RUNPOD_OCTOBER),
    Gpu("H200 NVL", 139, 835e12, _HOPPER),
    Gpu("H200", 139, 989e12, _HOPPER, 4.59, _RUNPOD_OCTOBER),
    Gpu("H100 NVL", 93, 835e12, _HOPPER, 3.19, _RUNPOD),
    Gpu("H100 PCIe", 79, 756e12, _HOPPER, 2.89, _RUNPOD),
    Gpu("H100", 79, 989e12, _HOPPER, 3.99, _RUNPOD),
    Gpu("A100 40GB", 39, 312e12, _AMPERE, 1.99, "Lambda, 2026-11-16"),
    Gpu("A100", 79, 312e12, _AMPERE, 1.79, _RUNPOD),
    Gpu("L40S", 44, 362e12, _ADA),
    Gpu("L4", 22, 121e12, _ADA),
    Gpu("RTX 4090", 23, 165e12, "NVIDIA Ada whitepaper"),
    Gpu("RTX 3090", 23, 71e12, "NVIDIA GA102 whitepaper"),
    Gpu("MI300X", 191, 1307e12, "AMD Instinct MI300X data sheet"),
)


def peak(device_name: str) -> float | None:
    """FLOP/s of the device that calls itself so (`torch.cuda.get_device_name`); None where it is not in the table.

    >>> peak("NVIDIA A100-SXM4-80GB")
    312000000000000.0
    >>> peak("NVIDIA GeForce RTX 4090 Laptop GPU")
    """
    found = _find(device_name)
    return found.peak if found else None


def named(name: str) -> Gpu:
    """The GPU of that name, as people and drivers write it. Raises UserError with all names."""
    if found := _find(name):
        return found
    known = ", ".join(gpu.name for gpu in GPUS)
    raise UserError(f"no GPU {name!r} is known", f"known are {known}; another one goes by --memory, --peak and --price")


def _find(name: str) -> Gpu | None:
    words = frozenset(_WORD.findall(name.lower()))
    if words & _LESSER:
        return None
    return next((gpu for gpu in GPUS if words.issuperset(_WORD.findall(gpu.name.lower()))), None)
