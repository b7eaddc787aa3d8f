"""A whole training step at 28 million parameters beside transformers': CPU time and peak memory.

Both sides: the same shape and weights, the same rows, float32, gradients clipped, fused AdamW. Theirs is
Starcoder2ForCausalLM with its own loss; ours the objective and the optimizer that `starloom train` uses.
"""

import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from starloom.starcoder2.config import StarCoder2Config
from starloom.starcoder2.network import StarCoder2

SHAPE: Final = StarCoder2Config(
    vocab_size=49_152,
    hidden_size=384,
    intermediate_size=1536,
    num_hidden_layers=6,
    num_attention_heads=6,
    num_key_value_heads=2,
    max_position_embeddings=4096,
    sliding_window=4096,
    rope_theta=10_000.0,
)
ROWS: Final = (4, 512)  # samples, tokens of each
SIDES: Final = ("starloom", "transformers")
_RATE: Final = 1e-3
_WARM: Final = 2  # steps that are not counted

Step = Callable[[], float]


def rows(seed: int = 0) -> Tensor:
    """int64 [B, T + 1] of tokens that are drawn as words are: few of them often."""
    random = torch.Generator().manual_seed(seed)
    ranks = torch.rand(ROWS[0], ROWS[1] + 1, generator=random)
    return (SHAPE.vocab_size**ranks - 1).long()


def ours() -> Step:
    from starloom.training.objective import Objective
    from starloom.training.optimizer import Optimizer
    from starloom.training.settings import TrainSettings

    settings = TrainSettings(optimizer="adamw", adamw_rate=_RATE, batch=ROWS[0], sequence=ROWS[1], ema=0.0)
    objective = Objective(_fresh(), settings, None)
    optimizer = Optimizer(objective, settings, torch.float32)
    tokens = rows()

    def step() -> float:
        ids, targets = tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous()
        loss, _ = objective(ids, targets, None, torch.tensor(targets.numel()))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(objective.parameters(), settings.clip)
        optimizer.step(1.0)
        return float(loss.detach())

    return step


def theirs() -> Step:
    from transformers import Starcoder2Config, Starcoder2ForCausalLM

    config = Starcoder2Config(**{k: v for k, v in SHAPE.to_json().items() if k not in ("architectures", "model_type")})
    model = Starcoder2ForCausalLM(config)
    model.load_state_dict(_fresh().state_dict(), strict=False)  # all but the head, which is the embedding
    model.train()
    tall = [one for one in model.parameters() if one.ndim >= 2]
    flat = [one for one in model.parameters() if one.ndim < 2]
    groups = [{"params": tall, "weight_decay": 0.1}, {"params": flat, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=_RATE, betas=(0.9, 0.95), fused=True)
    tokens = rows()

    def step() -> float:
        ids = tokens[:, :-1].contiguous()
        # `labels` are shifted inside; `shift_labels` is for labels that are shifted already.
        loss = model(ids, labels=ids, shift_labels=tokens[:, 1:].contiguous(), use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return float(loss.detach())

    return step


_MAKE: Final = {"starloom": ours, "transformers": theirs}


def measure(repetitions: int) -> dict[str, Any]:
    """Times of steps in turns, in one process of one thread; peak memory of processes of their own."""
    torch.set_num_threads(1)
    steps = {side: _MAKE[side]() for side in SIDES}
    losses: dict[str, list[float]] = {side: [] for side in SIDES}
    seconds: dict[str, list[float]] = {side: [] for side in SIDES}
    for turn in range(_WARM + repetitions):
        for side in SIDES if turn % 2 else reversed(SIDES):
            start = time.process_time()
            losses[side].append(steps[side]())
            if turn >= _WARM:
                seconds[side].append(time.process_time() - start)
    of_pairs = [mine / other for mine, other in zip(*(seconds[side] for side in SIDES), strict=True)]
    peaks = {side: _peak(side) for side in SIDES}
    return {
        "parameters": SHAPE.parameters(),
        "rows": list(ROWS),
        "versions": {name: version(name) for name in ("torch", "transformers")},
        "repetitions": repetitions,
        "cpu seconds a step": {side: statistics.median(seconds[side]) for side in SIDES},
        "time ratio": statistics.median(seconds[SIDES[0]]) / statistics.median(seconds[SIDES[1]]),
        "time ratio of pairs": [min(of_pairs), statistics.median(of_pairs), max(of_pairs)],
        "largest difference of losses": max(
            abs(mine - other) for mine, other in itertools.islice(zip(*(losses[side] for side in SIDES)), 3)
        ),
        "peak": peaks,
        "memory ratio": peaks[SIDES[0]]["peak"] / peaks[SIDES[1]]["peak"],
    }


def _peak(side: str) -> dict[str, int]:
    """Bytes: `peak` of a process that takes three steps, and what it had `before` the model was made."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    ran = subprocess.run([sys.executable, __file__, side], env=environment, stdout=subprocess.PIPE, check=True)
    found: dict[str, int] = json.loads(ran.stdout)
    return found


def _fresh() -> StarCoder2:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return StarCoder2(SHAPE)


def table(found: dict[str, Any]) -> str:
    seconds, peaks = found["cpu seconds a step"], found["peak"]
    lines = [
        f"{found['parameters']:,} parameters, vocabulary {SHAPE.vocab_size:,}, {found['rows'][0]} x {found['rows'][1]} "
        f"tokens, float32, one thread; torch {found['versions']['torch']}, transformers "
        f"{found['versions']['transformers']}. Median of {found['repetitions']} steps of each, in turns, in one "
        "process; peak resident memory of three steps in a process of its own, libraries included. Largest difference "
        f"of the first three losses: {found['largest difference of losses']:.1e}.",
        "",
        "| | CPU seconds a step | peak memory | of which before the model |",
        "|---|---:|---:|---:|",
        *(
            f"| {side} | {seconds[side]:.3f} | {peaks[side]['peak'] / 1e6:,.0f} MB "
            f"| {peaks[side]['before'] / 1e6:,.0f} MB |"
            for side in SIDES
        ),
        f"| ratio | **{found['time ratio']:.2f}** (pairs of turns: {found['time ratio of pairs'][0]:.2f} to "
        f"{found['time ratio of pairs'][2]:.2f}) | **{found['memory ratio']:.2f}** | |",
    ]
    return "\n".join(lines)


def _resident() -> int:
    """Bytes: the most that this process had resident. Not ru_maxrss, which begins at the parent's."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    torch.set_num_threads(1)
    (asked,) = sys.argv[1:]
    before = _resident()
    taken = _MAKE[asked]()
    for _ in range(3):
        taken()
    print(json.dumps({"before": before, "peak": _resident()}))
