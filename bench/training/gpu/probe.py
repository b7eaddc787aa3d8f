"""What the GPU and its PyTorch can do: the rate of a large product, and every backend of attention, at StarCoder2-3B's
heads: is it there, how fast is it, how far from float32.

    python -m training.gpu.probe --out DIR
"""

import statistics
from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor

from starloom.starcoder2.attention import layout_for
from starloom.starcoder2.config import Wanted
from starloom.starcoder2.layout import Layout
from training.gpu import device as devices

HEADS, KEY_HEADS, WIDTH = 24, 2, 128
BACKENDS: Final[tuple[Wanted, ...]] = ("sdpa", "varlen", "flex", "banded")
_PASSES: Final = 3.5  # of attention's two products: the pass back computes five
# (tokens, window, tokens of a document; None: one a row)
CASES: Final = ((4096, 4096, None), (4096, 4096, 512), (16_384, 4096, None), (16_384, 4096, 2048))
SMALL: Final = ((256, 64, None), (256, 64, 32))


def main() -> None:
    given = devices.options(__doc__).parse_args()
    device = devices.find(given.small)
    found: dict[str, Any] = devices.about(device) | {"rows": []}
    found["product"] = product(device, 512 if given.small else 8192)
    for tokens, window, document in SMALL if given.small else CASES:
        for backend in BACKENDS:
            row = {"tokens": tokens, "window": window, "document": document, "backend": backend}
            found["rows"].append(row | attention(device, tokens, window, document, backend))
            devices.save(given.out, "probe", found, report(found))
    print(report(found))


def product(device: torch.device, size: int) -> float:
    """FLOP/s of a square product in bfloat16, of random numbers: the rate is higher on zeros."""
    left, right = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    seconds = devices.timed(device, lambda: left @ right, 3, 10)
    return 2 * size**3 / statistics.median(seconds)


def attention(device: torch.device, tokens: int, window: int, document: int | None, backend: Wanted) -> dict[str, Any]:
    """Milliseconds forward and backward, FLOP/s of what is seen, error; or why it is not there."""
    random = torch.Generator(device).manual_seed(0)
    shapes = ((HEADS, tokens), (KEY_HEADS, tokens), (KEY_HEADS, tokens), (HEADS, tokens))
    q, k, v, upstream = (torch.randn(1, *shape, WIDTH, generator=random, device=device) for shape in shapes)
    documents = None if document is None else (torch.arange(tokens, device=device) // document)[None]
    half = torch.bfloat16
    try:
        layout = layout_for(tokens, tokens, window, documents, device, backend, half)
        pass_ = _pass(layout, *(one.to(half) for one in (q, k, v, upstream)))
        results = pass_()
        seconds = statistics.median(devices.timed(device, pass_, 2, 10))
        memory = devices.most_memory(device)
        exact = _pass(layout_for(tokens, tokens, window, documents, device, "banded"), q, k, v, upstream)()
    except Exception as problem:  # a backend that is not there is a finding
        return {"problem": f"{type(problem).__name__}: {str(problem).splitlines()[0]}"}
    errors = [_error(one, other) for one, other in zip(results, exact, strict=True)]
    seen = _pairs(tokens, window, document)
    return {
        "milliseconds": 1000 * seconds,
        "flops": 4 * seen * HEADS * WIDTH * _PASSES / seconds,
        "error": errors[0],
        "error of gradients": max(errors[1:]),
        "memory": memory,
    }


def _pass(layout: Layout, *tensors: Tensor) -> Callable[[], tuple[Tensor, ...]]:
    q, k, v = (one.detach().requires_grad_() for one in tensors[:3])

    def run() -> tuple[Tensor, ...]:
        out = layout.attend(q, k, v)
        return (out.detach(), *torch.autograd.grad(out, (q, k, v), tensors[3]))

    return run


def _error(found: Tensor, exact: Tensor) -> float:
    """Relative, in the root of mean squares."""
    return float((found.float() - exact).norm() / exact.norm())


def _pairs(tokens: int, window: int, document: int | None) -> int:
    """Of query and key, that see each other."""
    length = document or tokens
    reach = min(window, length)
    return tokens // length * (reach * (reach + 1) // 2 + (length - reach) * reach)


def report(found: dict[str, Any]) -> str:
    lines = [
        f"{found['device']}, CUDA {found['cuda']}, {found['versions']}: product of large matrices "
        f"{found['product'] / 1e12:.0f} TFLOP/s, {found['product'] / found['peak']:.0%} of {found['peak'] / 1e12:.0f}.",
        "",
        f"Attention, forward and backward, {HEADS} query heads and {KEY_HEADS} of keys and values, {WIDTH} wide, "
        "bfloat16. Error: relative to float32 in bands.",
        "",
        "| tokens | window | documents of | backend | ms | TFLOP/s of what is seen | error | of gradients | memory |",
        "|---:|---:|---:|---|---:|---:|---:|---:|---:|",
    ]
    for row in found["rows"]:
        start = f"| {row['tokens']:,} | {row['window']:,} | {row['document'] or 'all'} | {row['backend']} |"
        if "problem" in row:
            lines.append(f"{start} {row['problem']} | | | | |")
        else:
            lines.append(
                f"{start} {row['milliseconds']:.2f} | {row['flops'] / 1e12:.0f} | {row['error']:.1e} "
                f"| {row['error of gradients']:.1e} | {row['memory'] / 1e9:.2f} GB |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
