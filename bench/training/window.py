"""Attention over 16,384 tokens with a window, forward and backward: in bands, beside one dense mask.

The dense mask is what `transformers` gives scaled_dot_product_attention for a window. It is made once for all layers
on both sides, so making it is not timed.
"""

import statistics
import time
from importlib.metadata import version
from typing import Any, Final

import torch
from torch import Tensor

from starloom.starcoder2 import attention
from starloom.starcoder2.attention import layout_for
from starloom.starcoder2.layout import Layout

TOKENS: Final = 16_384
WINDOW: Final = 4096
HEADS, KEY_HEADS, WIDTH = 2, 1, 64
_DOCUMENT: Final = 2048  # tokens of a document, on average, where documents are kept apart

Result = tuple[Tensor, Tensor, Tensor, Tensor]


def documents() -> Tensor:
    """int64 [1, T]: documents of random lengths."""
    random = torch.Generator().manual_seed(1)
    begins = torch.rand(1, TOKENS, generator=random) < 1 / _DOCUMENT
    return begins.cumsum(1)


def once(layout: Layout, seed: int) -> tuple[float, Result]:
    """(CPU seconds of one forward and backward pass, output and gradients)."""
    random = torch.Generator().manual_seed(seed)
    q = torch.randn(1, HEADS, TOKENS, WIDTH, generator=random, requires_grad=True)
    k, v = (torch.randn(1, KEY_HEADS, TOKENS, WIDTH, generator=random, requires_grad=True) for _ in range(2))
    upstream = torch.randn(1, HEADS, TOKENS, WIDTH, generator=random)
    start = time.process_time()
    out = layout.attend(q, k, v)
    torch.autograd.backward(out, upstream)
    seconds = time.process_time() - start
    assert q.grad is not None
    assert k.grad is not None
    assert v.grad is not None
    return seconds, (out.detach(), q.grad, k.grad, v.grad)


def measure(repetitions: int) -> dict[str, Any]:
    torch.set_num_threads(1)
    cpu = torch.device("cpu")
    cases = {}
    for name, borders in (("one document", None), ("documents", documents())):
        sides = {
            "banded": layout_for(TOKENS, TOKENS, WINDOW, borders, cpu, "banded"),
            "dense mask": layout_for(TOKENS, TOKENS, WINDOW, borders, cpu, "sdpa"),
        }
        seconds: dict[str, list[float]] = {side: [] for side in sides}
        differences = [0.0] * 4
        for turn in range(repetitions):
            results = []
            for side, layout in sides.items():
                spent, result = once(layout, turn)
                seconds[side].append(spent)
                results.append(result)
            differences = [
                max(most, float((mine - other).abs().max()))
                for most, mine, other in zip(differences, *results, strict=True)
            ]
        pairs = [mine / other for mine, other in zip(*seconds.values(), strict=True)]
        cases[name] = {
            "cpu seconds": {side: statistics.median(spent) for side, spent in seconds.items()},
            "ratio": statistics.median(pairs),
            "ratios": pairs,
            "largest difference of output, and of gradients": [differences[0], max(differences[1:])],
        }
    return {"torch": version("torch"), "chunk": attention.CHUNK, "repetitions": repetitions, "cases": cases}


def table(found: dict[str, Any]) -> str:
    lines = [
        f"{TOKENS:,} tokens, window {WINDOW:,}, {HEADS} query heads and {KEY_HEADS} of keys and values, {WIDTH} wide, "
        f"float32, one thread, chunks of {found['chunk']}; torch {found['torch']}; median of {found['repetitions']} "
        f"pairs of turns. Documents, where they are kept apart, have {_DOCUMENT:,} tokens on average.",
        "",
        "| | CPU seconds, banded | dense mask | ratio | differences: output, gradients |",
        "|---|---:|---:|---:|---|",
    ]
    for name, one in found["cases"].items():
        spent, (out, gradients) = one["cpu seconds"], one["largest difference of output, and of gradients"]
        lines.append(
            f"| {name} | {spent['banded']:.2f} | {spent['dense mask']:.2f} | **{one['ratio']:.2f}** "
            f"| {out:.0e}, {gradients:.0e} |"
        )
    return "\n".join(lines)
