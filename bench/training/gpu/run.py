"""A 111 million parameter model on the code that is installed here: trained, killed, resumed, then long context.

    python -m training.gpu.run --out DIR [--folder FOLDER] [--steps 300] [--long-steps 60] [--megabytes 300]

The run is `starloom train`'s, base at 4,096 tokens and a stage at 16,384 with a window of 4,096. Its process is killed
with SIGKILL in the middle and started again. Then both models are scored on 16,384 tokens of packages that were held
out: a model that learnt long context loses nothing beyond the 4,096th.
"""

import dataclasses
import itertools
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from starloom.starcoder2 import interchange
from starloom.training import pretraining, runs
from starloom.training.settings import TrainSettings
from starloom.training.stage import TrainStage
from training.gpu import device as devices
from training.gpu import installed

RUN: Final = "base"
LONG: Final = "long"
_ROWS: Final = 8  # scored, at most
_STARTED: Final = 5400.0  # seconds in which a run must get anywhere


def settings(given: Any) -> TrainSettings:
    """As the recipe `100m-h200` has them, for minutes."""
    shared: dict[str, Any] = {"optimizer": "adamw", "schedule": "cosine", "ema": 0.0}
    shared["checkpoint_seconds"] = 0.2 if given.small else 20.0
    if given.small:
        stage = TrainStage(LONG, sequence=128, context=128, rope_theta=100_000.0, batch=2, steps=given.long_steps)
        return TrainSettings(
            **shared, layers=2, hidden=32, heads=2, feed_forward=64, window=32, context=32, sequence=32, batch=4,
            steps=given.steps, warm_up=5, adamw_rate=1e-2, stages=(stage,),
        )  # fmt: skip
    stage = TrainStage(
        LONG, sequence=16_384, context=16_384, rope_theta=1e6, batch=16, micro_batch=4, steps=given.long_steps,
        adamw_rate=2e-4, warm_up=5,
    )  # fmt: skip
    return TrainSettings(
        **shared, preset="100m", sequence=4096, batch=64, micro_batch=16, steps=given.steps, warm_up=30,
        adamw_rate=1e-3, least_rate=0.1, precision="bfloat16", compile=True, stages=(stage,),
    )  # fmt: skip


def main() -> None:
    parser = devices.options(__doc__)
    parser.add_argument("--folder", type=Path, help="for the workspace, kept; default: a temporary one")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--long-steps", type=int, default=60)
    parser.add_argument("--megabytes", type=float, default=300, help="of code, at most")
    parser.add_argument("--child", action="store_true", help="train in --folder: what is killed")
    given = parser.parse_args()
    if given.child:
        pretraining.train(given.folder, settings(given), RUN, command="python -m training.gpu.run")
        return
    device = devices.find(given.small)
    root = given.folder or Path(tempfile.mkdtemp(prefix="starloom-gpu-"))
    started = time.monotonic()
    held = installed.make(root, int(given.megabytes * 1e6), 512 if given.small else 49_152)
    found: dict[str, Any] = devices.about(device) | {"packing": time.monotonic() - started, "held out": len(held)}
    found["killed after"] = _killed(root, given)
    found["resumed"] = _resumed(root, given)
    folder = root / "models"
    found["runs"] = {name: _told(folder / name) for name in (RUN, f"{RUN}.{LONG}")}
    found["positions"] = {name: by_position(folder / name / "model", held, device, given) for name in found["runs"]}
    devices.save(given.out, "run", found, report(found))
    for name in found["runs"]:
        shutil.copy(folder / name / "loss.svg", given.out / f"{name}.svg")
        shutil.copy(folder / name / "loss.jsonl", given.out / f"{name}.jsonl")
    print(report(found))
    if not given.folder:
        shutil.rmtree(root)


def _command(root: Path, given: Any) -> list[str]:
    command = [sys.executable, "-m", "training.gpu.run", "--child", "--folder", str(root), "--out", str(given.out)]
    command += ["--steps", str(given.steps), "--long-steps", str(given.long_steps)]
    return [*command, "--small"] if given.small else command


def _killed(root: Path, given: Any) -> int:
    """Kills a run once it has a checkpoint and is past half of its steps; the steps that it had done."""
    process = subprocess.Popen(_command(root, given))
    folder = root / "models" / RUN
    ends = time.monotonic() + _STARTED
    while process.poll() is None and time.monotonic() < ends:
        done = _lines(folder / "loss.jsonl")
        if done > given.steps // 2 and any((folder / "checkpoints").glob("step-*")):
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return done
        time.sleep(0.05)
    process.kill()
    raise SystemExit(f"the run ended before it could be killed (status {process.wait()})")


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _resumed(root: Path, given: Any) -> dict[str, Any]:
    """Runs it to the end: from which step it went on, and how many lines of its log came out as they had been."""
    folder = root / "models" / RUN
    before = {one.step: one.loss for one in runs.losses(folder)}
    newest = max(int(path.name.removeprefix("step-")) for path in (folder / "checkpoints").glob("step-*"))
    subprocess.run(_command(root, given), check=True)
    after = {one.step: one.loss for one in runs.losses(folder)}
    again = [step for step in before if step > newest]
    apart = max((abs(after[step] - before[step]) / before[step] for step in again), default=0.0)
    return {"from": newest, "steps computed again": len(again), "largest relative difference": apart}


def _told(folder: Path) -> dict[str, Any]:
    losses = runs.losses(folder)
    last = losses[len(losses) // 2 :]
    tokens = last[-1].tokens - last[0].tokens
    seconds = last[-1].seconds - last[0].seconds
    rates = sorted(one.mfu for one in last if one.mfu is not None)
    marks = sorted({0, *(len(losses) * part // 8 for part in range(1, 8)), len(losses) - 1})
    return {
        "parameters": json.loads((folder / "model" / "manifest.json").read_text())["facts"].get("parameters"),
        "tokens": losses[-1].tokens,
        "tokens a second": tokens / seconds,
        "mfu": rates[len(rates) // 2] if rates else None,
        "losses": [[losses[at].step, losses[at].loss] for at in marks],
    }


@torch.inference_mode()
def by_position(model: Path, held: NDArray[np.uint16], device: torch.device, given: Any) -> dict[str, float]:
    """Nats a token of rows of the long length, by where in the row; the model's context is made as long."""
    stage = settings(given).stages[0]
    assert stage.context
    had = interchange.read_config(model)
    network = interchange.read(
        model, device=device, config=dataclasses.replace(had, max_position_embeddings=stage.context)
    ).eval()
    length = stage.context
    rows = min(_ROWS, (len(held) - 1) // length)
    if not rows:
        raise SystemExit(f"{len(held):,} tokens are held out: too few for a row of {length:,}")
    short = settings(given).sequence
    totals = torch.zeros(length, dtype=torch.float64)
    for row in range(rows):
        ids = torch.from_numpy(held[row * length : (row + 1) * length + 1].astype(np.int64)).to(device)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            hidden = network(ids[None, :-1])[0]
        for start in range(0, length, 1024):
            logits = network.logits(hidden[start : start + 1024].float())
            wanted = ids[start + 1 : start + 1 + len(logits), None]
            totals[start : start + len(logits)] += (logits.logsumexp(1) - logits.gather(1, wanted)[:, 0]).double().cpu()
    places = [0, short // 2, *(short * 2**power for power in range(int(math.log2(length // short)) + 1))]
    return {
        f"{start:,} to {stop:,}": float(totals[start:stop].mean() / rows) for start, stop in itertools.pairwise(places)
    }


def report(found: dict[str, Any]) -> str:
    resumed = found["resumed"]
    lines = [
        f"{found['device']}, CUDA {found['cuda']}, {found['versions']}. Code that is installed here, packed in "
        f"{found['packing']:.0f} s. Killed (SIGKILL) after step {found['killed after']:,}; the same command went on "
        f"after step {resumed['from']:,}: {resumed['steps computed again']:,} steps were computed again, their losses "
        f"within {resumed['largest relative difference']:.1e} of what they had been.",
        "",
        "| run | tokens | tokens/s | MFU | loss at step |",
        "|---|---:|---:|---:|---|",
    ]
    for name, one in found["runs"].items():
        marks = ", ".join(f"{step:,}: {loss:.3f}" for step, loss in one["losses"])
        mfu = f"{one['mfu']:.1%}" if one["mfu"] is not None else ""
        lines.append(f"| {name} | {one['tokens']:,} | {one['tokens a second']:,.0f} | {mfu} | {marks} |")
    names = list(found["positions"])
    lines += [
        "",
        "Nats a token on packages that were held out, by the position in a row:",
        "",
        f"| positions | {' | '.join(names)} |",
        "|---|" + "---:|" * len(names),
    ]
    for place in found["positions"][names[0]]:
        cells = " | ".join(f"{found['positions'][name][place]:.3f}" for name in names)
        lines.append(f"| {place} | {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
