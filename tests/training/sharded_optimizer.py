"""Three updates of a model by 1, 2 and 4 processes that share its rows unevenly: `python sharded_optimizer.py DIR`.

All are forked from one process that has imported everything. Each number of processes leaves what it has, whole, in
DIR/N.safetensors: weights, state, average.
"""

import os
import sys
import traceback
from pathlib import Path

import torch
import torch._dynamo
import torch.distributed.fsdp
from safetensors.torch import save_file
from torch import distributed, nn
from torch.distributed.tensor import DTensor, distribute_tensor

from starloom.starcoder2.network import StarCoder2
from starloom.training import parallel
from starloom.training.machine import Machine
from starloom.training.optimizer import Average, Optimizer
from starloom.training.settings import TrainSettings
from starloom.training.world import World

# 4 does not divide 14 and 34 rows, nor the 6 matrices; of the 2 rows of keys, two of 4 processes hold none.
SETTINGS = TrainSettings(
    layers=1, hidden=14, heads=7, kv_heads=1, feed_forward=34, context=64, sequence=32, device="cpu", threads=1, ema=0.5
)


class Objective(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.network = StarCoder2(SETTINGS.model(50))


def updated(rank: int, size: int) -> dict[str, torch.Tensor]:
    """What the first process has after three updates; gradients are given, so that no order of sums is in them."""
    objective = Objective()
    parallel.apply(objective, SETTINGS, Machine("cpu", "float32", 1), World(rank, size, rank))
    weights = dict(objective.network.named_parameters())
    optimizer, average = Optimizer(objective, SETTINGS, torch.float32), Average(weights, SETTINGS)
    for step in range(3):
        torch.manual_seed(step)
        for one in objective.parameters():
            gradient = torch.randn(one.shape)
            one.grad = (
                distribute_tensor(gradient, one.device_mesh, one.placements) if isinstance(one, DTensor) else gradient
            )
        optimizer.step(0.5)
        average.step(step)
    state = parallel.gathered(weights | optimizer.state() | average.state())
    found = {name: one.clone() for name, one in state.items()}
    average.into_weights()
    return found | {f"{name}.after": one for name, one in parallel.gathered(weights).items()}


def process(rank: int, size: int, folder: Path) -> None:
    torch.set_num_threads(1)
    if size > 1:
        store = distributed.FileStore(str(folder / f"{size}.store"), size)
        distributed.init_process_group("gloo", store=store, rank=rank, world_size=size)
    found = updated(rank, size)
    if rank == 0:
        save_file(found, folder / f"{size}.safetensors")
    if size > 1:
        distributed.destroy_process_group()


def main(folder: Path) -> int:
    started = []
    for size in (1, 2, 4):
        for rank in range(size):
            if pid := os.fork():
                started.append(pid)
                continue
            try:
                process(rank, size, folder)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
    return max(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0 for pid in started)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
