"""One layer of each published size at its full width beside transformers': logits, loss, gradients.

    cd bench; python -m training.full_width [--sizes 3b,7b,15b] [--positions 4352] [--threads 2]

Both models have the same weights (no biases of zero, so that every term counts), the released shape but for one layer
in place of 30 to 40, and fewer rows of the vocabulary, which keeps memory below 9 GB: what is proven per layer is
proven at its width, head and tying included. Rows are longer than the window of 4,096. float32 on a CPU; theirs is
Starcoder2ForCausalLM with SDPA and a dense mask. Each size runs in a process of its own; sizes that are not run anew
stay in bench/results/full_width.json.
"""

import argparse
import dataclasses
import datetime
import json
import resource
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import torch
import transformers
from running.machine import machine
from torch import Tensor, nn

from starloom.starcoder2.config import StarCoder2Config
from starloom.starcoder2.loss import fused_cross_entropy
from starloom.starcoder2.network import StarCoder2
from starloom.starcoder2.presets import PRESETS

RESULTS: Final = Path(__file__).parents[1] / "results"
ROWS: Final = {"3b": 16_384, "7b": 4096, "15b": 4096}  # of the vocabulary's 49,152
Found = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=",".join(ROWS))
    parser.add_argument("--positions", type=int, default=4352, help="tokens of the one row")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--date", default=datetime.date.today().isoformat(), help="written with the results")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(compare(given.child, given.positions, given.threads)))
        return
    kept = RESULTS / "full_width.json"
    for size in given.sizes.split(","):
        command = [sys.executable, "-m", "training.full_width", "--child", size]
        command += ["--positions", str(given.positions), "--threads", str(given.threads)]
        answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        found: Found = json.loads(kept.read_text()) if kept.exists() else {"sizes": {}}
        found["machine"] = machine()
        found["sizes"][size] = {"date": given.date} | answer
        kept.write_text(json.dumps(found, indent=1) + "\n")
        kept.with_suffix(".md").write_text(report(found))
    print(report(found))


def compare(size: str, positions: int, threads: int) -> Found:
    """How far apart ours and theirs are, one after the other in memory."""
    torch.set_num_threads(threads)
    config = dataclasses.replace(PRESETS[size], num_hidden_layers=1, vocab_size=ROWS[size])
    ids = torch.randint(0, config.vocab_size, (1, positions), generator=torch.Generator().manual_seed(1))
    start = time.monotonic()
    logits, loss, gradients = theirs(config, ids)
    ours = StarCoder2(config)
    fill(ours)
    found: Found = {
        "positions": positions,
        "window": config.sliding_window,
        "rows": config.vocab_size,
        "layer": sum(one.numel() for one in ours.model.layers.parameters()),
        "tied": config.tie_word_embeddings,
        "largest logit": logits.abs().max().item(),
        "logits": {},
    }
    for backend in ("sdpa", "banded"):
        ours.attention = backend
        with torch.set_grad_enabled(backend == "banded"):
            hidden = ours(ids)
        with torch.no_grad():
            found["logits"][backend] = (ours.logits(hidden) - logits).abs().max().item()
    del logits
    total, _ = fused_cross_entropy(hidden[0, :-1], ours.head, ids[0, 1:])
    total.backward()  # type: ignore[no-untyped-call]
    found["loss"] = abs(total.item() - loss) / loss
    apart = {name: distance(one, gradients.pop(name)) for name, one in ours.named_parameters()}
    found |= {"gradients": max(apart.values()), "furthest": max(apart, key=lambda name: apart[name])}
    found |= {"parameters compared": len(apart), "gradients left": len(gradients), "wall": time.monotonic() - start}
    found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # GB
    return found | {"torch": version("torch"), "transformers": version("transformers")}


def theirs(config: StarCoder2Config, ids: Tensor) -> tuple[Tensor, float, dict[str, Tensor]]:
    """(logits [1, T, V], loss, gradients by name) of transformers' model, which is gone afterwards."""
    shape = transformers.Starcoder2Config.from_dict(config.to_json())
    model = transformers.Starcoder2ForCausalLM._from_config(shape, attn_implementation="sdpa").eval()
    fill(model)
    answer = model(ids, labels=ids, use_cache=False)
    answer.loss.backward()
    gradients = {}
    for name, parameter in model.named_parameters():
        gradients[name], parameter.grad = parameter.grad, None
    return answer.logits.detach(), answer.loss.item(), gradients


def fill(model: nn.Module) -> None:
    """The same weights for either: as wide as fresh ones of matrices, ten times that for the rest."""
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(0, 0.02 if parameter.dim() == 2 else 0.2, generator=random)
            if "norm" in name and name.endswith("weight"):
                parameter.add_(1)


def distance(one: nn.Parameter, other: Tensor) -> float:
    """The largest difference of gradients, relative to the largest gradient of that parameter."""
    assert one.grad is not None
    return ((one.grad - other).abs().max() / other.abs().max()).item()


def report(found: Found) -> str:
    lines = [
        "# Full width\n",
        f"`cd bench; python -m training.full_width`; {found['machine']}, float32. One layer, embedding and head of "
        "each published size beside transformers' Starcoder2ForCausalLM (SDPA, dense mask) with the same weights.\n",
        "| size | layer's parameters | head | vocabulary | tokens (window) | logits apart, dense mask | banded "
        "| loss apart, relative | gradients apart, of the largest | peak | torch, transformers | date |",
        "|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---|---|",
    ]
    for size, one in found["sizes"].items():
        lines.append(
            f"| {size.upper()} | {one['layer']:,} | {'tied' if one['tied'] else 'own'} | {one['rows']:,} of 49,152 "
            f"| {one['positions']:,} ({one['window']:,}) | {one['logits']['sdpa']:.1e} | {one['logits']['banded']:.1e} "
            f"| {one['loss']:.1e} | {one['gradients']:.1e} ({one['furthest']}) | {one['peak']:.1f} GB "
            f"| {one['torch']}, {one['transformers']} | {one['date']} |"
        )
    lines.append("\nLogits: the largest absolute difference; gradients: over all parameters, by our loss and theirs.\n")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
