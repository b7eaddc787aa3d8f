"""The device that is measured, its clock, its memory, and where results go."""

import argparse
import json
import platform
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import torch

from starloom.training import gpus

_PACKAGES: Final = ("torch", "triton", "transformers")


def options(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--small", action="store_true", help="tiny shapes, on a CPU where there is no GPU")
    return parser


def find(small: bool) -> torch.device:
    if torch.cuda.is_available():
        torch.backends.cuda.matmul.allow_tf32 = True
        return torch.device("cuda")
    if not small:
        raise SystemExit("no CUDA device: on a CPU only --small runs, which measures nothing")
    return torch.device("cpu")


def peak(device: torch.device) -> float:
    """FLOP/s, dense, bfloat16; of a device that nobody knows 1 TFLOP/s, so that shares are read as TFLOP/s."""
    return (gpus.peak(torch.cuda.get_device_name(device)) if device.type == "cuda" else None) or 1e12


def about(device: torch.device) -> dict[str, Any]:
    """What ran it."""
    cuda = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if cuda else platform.processor() or platform.machine(),
        "peak": peak(device),
        "cuda": torch.version.cuda if cuda else None,
        "versions": {name: _version(name) for name in _PACKAGES},
        "python": platform.python_version(),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def timed(device: torch.device, work: Callable[[], object], warm: int, repetitions: int) -> list[float]:
    """Seconds of each repetition, all that it started included."""
    seconds = []
    for turn in range(warm + repetitions):
        start = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if turn >= warm:
            seconds.append(time.perf_counter() - start)
    return seconds


def most_memory(device: torch.device) -> int:
    """Bytes allocated at once since the last time that this was asked."""
    if device.type != "cuda":
        return 0
    found = torch.cuda.max_memory_allocated(device)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    return found


def save(out: Path, name: str, found: dict[str, Any], words: str) -> None:
    """NAME.json and NAME.md, after every measurement, so that a run that is stopped leaves what it has."""
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    (out / f"{name}.md").write_text(words + "\n")
