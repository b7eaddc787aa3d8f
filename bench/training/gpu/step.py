"""StarCoder2-3B's training step on one GPU, at 4,096 tokens and at 16,384 with a window, beside transformers'.

    python -m training.gpu.step --out DIR [--length 4096] [--only "starloom;transformers"]

Both sides: the same shape, float32 weights and moments, products in bfloat16 (autocast), fused AdamW, gradients
clipped, as many rows at once as fit. Ours is the objective, the optimizer and the compiled layers of `starloom train`;
theirs Starcoder2ForCausalLM with SDPA and its own loss, plain and compiled. Utilisation (MFU) is of the operations that
the model needs, its window and documents known, over the maker's dense peak; the usual figure stands beside it.
"""

import dataclasses
import gc
import statistics
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import torch

from starloom.starcoder2 import flops
from starloom.starcoder2.config import StarCoder2Config
from starloom.starcoder2.network import StarCoder2
from starloom.starcoder2.presets import PRESETS
from starloom.training import parallel
from starloom.training.machine import Machine
from starloom.training.objective import Objective
from starloom.training.optimizer import Optimizer
from starloom.training.settings import TrainSettings
from starloom.training.world import World
from training.gpu import device as devices

SIDES: Final = ("starloom", "starloom, documents", "transformers", "transformers, compiled")
_DOCUMENT: Final = 1024  # tokens of a document, on average, where there are several in a row
# How many rows at once, and whether layers are computed again going back; the first that fits is taken, then the next
# ones are tried too, as more rows are not always faster.
_TRIES: Final = {
    4096: ((8, False), (4, False), (2, False), (8, True)),
    16_384: ((2, False), (1, False), (2, True)),
    128: ((2, False), (2, True)),
}
_FITTING: Final = 2  # of these tries, so many that fit are measured
_WARM, _REPETITIONS = 3, 8

Step = Callable[[], object]


def main() -> None:
    parser = devices.options(__doc__)
    parser.add_argument("--only", default=";".join(SIDES), help="sides, divided by `;`")
    parser.add_argument("--length", type=int, choices=(4096, 16_384), default=4096, help="tokens of a row")
    given = parser.parse_args()
    device = devices.find(given.small)
    config = shape(given.length, given.small)
    length = config.max_position_embeddings
    found: dict[str, Any] = devices.about(device) | {"parameters": config.parameters(), "rows": []}
    for side in given.only.split(";"):
        for row in measured(device, config, length, side):
            found["rows"].append(row)
            devices.save(given.out, f"step-{given.length}", found, report(found))
    print(report(found))


def shape(length: int, small: bool) -> StarCoder2Config:
    """The 3B as it was trained at that length: 4,096 of context, or 16,384 with the window."""
    if small:
        return dataclasses.replace(PRESETS["tiny"], max_position_embeddings=128, sliding_window=64, num_hidden_layers=2)
    return dataclasses.replace(PRESETS["3b"], max_position_embeddings=length)


def measured(device: torch.device, config: StarCoder2Config, length: int, side: str) -> Iterator[dict[str, Any]]:
    fitted = 0
    for rows, again in _TRIES[length]:
        row = {"side": side, "tokens": length, "rows": rows, "layers again": again}
        try:
            yield row | _one(device, config, length, rows, again, side)
            fitted += 1
        except torch.OutOfMemoryError:
            yield row | {"problem": "out of memory"}
        gc.collect()
        torch._dynamo.reset()
        devices.most_memory(device)
        if fitted == _FITTING:
            return


def _one(
    device: torch.device, config: StarCoder2Config, length: int, rows: int, again: bool, side: str
) -> dict[str, Any]:
    random = np.random.default_rng(0)
    borders = random.random((rows, length)) < 1 / _DOCUMENT
    documents = borders.cumsum(1).astype(np.int32) if "documents" in side else None
    ids = torch.from_numpy(random.integers(0, config.vocab_size, (rows, length + 1))).to(device)
    if side.startswith("starloom"):
        step = _ours(device, config, ids, documents, again)
    else:
        step = _theirs(device, config, ids, again, "compiled" in side)
    seconds = devices.timed(device, step, _WARM, _REPETITIONS)
    median = statistics.median(seconds)
    needed = flops.training_step(config, (rows, length) if documents is None else documents)
    return {
        "seconds": median,
        "spread": [min(seconds), max(seconds)],
        "tokens a second": rows * length / median,
        "mfu": needed / median / devices.peak(device),
        "usual mfu": flops.standard(config, (rows, length)) / median / devices.peak(device),
        "memory": devices.most_memory(device),
    }


def _ours(device: torch.device, config: StarCoder2Config, ids: torch.Tensor, documents: Any, again: bool) -> Step:
    rows, length = ids.shape[0], ids.shape[1] - 1
    settings = TrainSettings(
        context=length,
        sequence=length,
        batch=rows,
        optimizer="adamw",
        adamw_rate=1e-4,
        ema=0.0,
        precision="bfloat16",
        compile=True,
        activation_checkpointing="layers" if again else "none",
    )
    machine = Machine(device.type, "bfloat16", torch.get_num_threads())
    with device:
        network = StarCoder2(config, settings.attention)
    objective = Objective(network, settings, None)
    parallel.apply(objective, settings, machine, World())
    optimizer = Optimizer(objective, settings, machine.dtype)
    given, targets = ids[:, :-1].contiguous(), ids[:, 1:].contiguous()
    apart = None if documents is None else torch.from_numpy(documents).to(device)
    count = torch.tensor(targets.numel(), device=device)

    def step() -> None:
        with machine.autocast():
            loss, _ = objective(given, targets, apart, count)
        loss.backward()
        parallel.clipped(objective.parameters(), settings.clip)
        optimizer.step(1.0)

    return step


def _theirs(device: torch.device, config: StarCoder2Config, ids: torch.Tensor, again: bool, compiled: bool) -> Step:
    from transformers import Starcoder2Config, Starcoder2ForCausalLM

    told = {name: value for name, value in config.to_json().items() if name not in ("architectures", "model_type")}
    with device:
        model = Starcoder2ForCausalLM(Starcoder2Config(**told, attn_implementation="sdpa"))
    model.train()
    if again:
        model.gradient_checkpointing_enable()
    tall = [one for one in model.parameters() if one.ndim >= 2]
    flat = [one for one in model.parameters() if one.ndim < 2]
    groups = [{"params": tall, "weight_decay": 0.1}, {"params": flat, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-4, betas=(0.9, 0.95), fused=True)
    given, targets = ids[:, :-1].contiguous(), ids[:, 1:].contiguous()
    forward: Any = torch.compile(model) if compiled else model

    def step() -> None:
        with torch.autocast(device.type, dtype=torch.bfloat16):
            loss = forward(input_ids=given, labels=given, shift_labels=targets, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return step


def report(found: dict[str, Any]) -> str:
    lines = [
        f"{found['device']}, CUDA {found['cuda']}, {found['versions']}; {found['parameters']:,} parameters; random "
        f"tokens; median of {_REPETITIONS} steps after {_WARM}. MFU: of the operations needed, over "
        f"{found['peak'] / 1e12:.0f} TFLOP/s; beside it the usual figure, as if every token saw its whole row. "
        f"Documents: of {_DOCUMENT:,} tokens on average, kept apart; else a row is one.",
        "",
        "| side | tokens a row | rows | layers again | s a step | tokens/s | MFU | usual | memory |",
        "|---|---:|---:|---|---:|---:|---:|---:|---:|",
    ]
    for row in found["rows"]:
        start = f"| {row['side']} | {row['tokens']:,} | {row['rows']} | {'yes' if row['layers again'] else 'no'} |"
        if "problem" in row:
            lines.append(f"{start} {row['problem']} | | | | |")
        else:
            lines.append(
                f"{start} {row['seconds']:.3f} | {row['tokens a second']:,.0f} | {row['mfu']:.1%} "
                f"| {row['usual mfu']:.1%} | {row['memory'] / 1e9:.1f} GB |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
