"""Many devices, applied to a model from outside: what each holds of it, computes again, compiles.

PyTorch's FSDP2 (`fully_shard`): every process holds its rows of each weight, gradient and moment; a layer's weights are
gathered while it computes, its gradients added up and scattered as they come. "hybrid" does so within a group of
processes (a machine's devices, which are near each other) and adds up between groups; "none" holds everything
everywhere. Gradients are sums, not means, over processes: the loss of each is already its share of the whole mean.

Names of parameters do not change, so that optimizer, checkpoints and the finished model go by the same ones. Layers are
those of `objective.network`, ours or another model's: the list of like modules that holds most of it.

FSDP2 is imported where there are processes to shard over: it takes 0.7 s, which one process need not spend.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple, TypeGuard

import torch
from torch import Tensor, distributed, nn
from torch.utils.checkpoint import checkpoint

from starloom.errors import UserError
from starloom.training.machine import Machine
from starloom.training.settings import TrainSettings
from starloom.training.world import World

if TYPE_CHECKING:
    from torch.distributed.device_mesh import DeviceMesh
    from torch.distributed.fsdp import FSDPModule
    from torch.distributed.tensor import DTensor

_COPIES, _SHARDS = "copies", "shards"  # dimensions of the mesh
_TO_CLIP: Final = 1e-6  # as in PyTorch: a gradient of zero is not divided by zero


def apply(objective: nn.Module, settings: TrainSettings, machine: Machine, world: World) -> None:
    """Changes `objective`, which all processes made alike, in place: its parameters become each process's share.

    Its weights are the same before and after. Everything must go through its `forward` afterwards, in the machine's
    `autocast`. Raises UserError for processes that `replicas` does not divide.
    """
    network = objective.network
    assert isinstance(network, nn.Module)
    layers = layers_of(network)
    for layer in layers:
        if settings.compile:
            layer.forward = torch.compile(layer.forward)
        if settings.activation_checkpointing == "layers":
            layer.forward = functools.partial(checkpoint, layer.forward, use_reentrant=False)
    if world.size > 1:
        _shard(objective, layers, settings, machine, world)


def layers_of(network: nn.Module) -> list[nn.Module]:
    """Its repeated part, in order: the list of modules with most parameters. Empty where there is none."""
    lists: list[nn.Module] = [module for module in network.modules() if isinstance(module, nn.ModuleList)]
    if not lists:
        return []
    return list(max(lists, key=lambda one: sum(weight.numel() for weight in one.parameters())).children())


def copies(settings: TrainSettings, world: World) -> int:
    """How many groups of processes hold all weights. Raises UserError where they do not divide the processes."""
    if settings.sharding in ("auto", "full"):
        return 1
    if settings.sharding == "none":
        return world.size
    wanted = settings.replicas or world.nodes
    if world.size % wanted:
        raise UserError(
            f"[train] replicas = {wanted} does not divide {world.size} processes",
            "choose replicas, the groups that hold all weights, as a divisor of the number of processes",
        )
    return wanted


@contextmanager
def accumulating(objective: nn.Module, last: bool) -> Iterator[None]:
    """Around the forward pass of one of several micro-batches; `last` of them. Until its own backward pass is done,
    groups that hold the same do not add up their gradients. Within a group they are, each time: kept whole they would
    need as much memory as the weights of the whole model."""
    if _is_sharded(objective):
        objective.set_requires_all_reduce(last)
    yield


@torch.no_grad()
def clipped(parameters: Iterable[Tensor], most: float) -> Tensor:
    """The norm of the whole gradient over all processes, as it was: scalar, float32; then it is `most` at most.

    A norm that is no number, or infinite, makes gradients what no update should take: ask it first.
    """
    gradients = [one.grad for one in parameters if one.grad is not None]
    own = [held(one).tensor for one in gradients]
    norm: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(own)).float())
    if group := next((one.device_mesh.get_group(_SHARDS) for one in gradients if _is_share(one)), None):
        total = norm.square()
        distributed.all_reduce(total, group=group)
        norm = total.sqrt()
    if most < float("inf"):
        torch._foreach_mul_(own, (most / (norm + _TO_CLIP)).clamp(max=1.0))
    return norm


def gathered(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Whole tensors on the CPU, on the first process; nothing on the others. All processes call it; the devices hold
    one whole tensor at a time."""
    found = {}
    for name, tensor in weights.items():
        whole = tensor.detach()
        if _is_share(whole):
            whole = whole.full_tensor()
        if not distributed.is_initialized() or distributed.get_rank() == 0:
            found[name] = whole.cpu()
    return found


class Held(NamedTuple):
    """What this process holds of a tensor: its rows from `first` on of `rows`. `once`: no process before it in the
    mesh holds the same ones."""

    tensor: Tensor
    first: int
    rows: int
    once: bool


def held(tensor: Tensor) -> Held:
    """Of a tensor of a model that was `apply`d, its gradient or moment; of any other one, all, which the first process
    holds once. A tensor without dimensions counts as one row. Not a copy."""
    tensor = tensor.detach()
    if not _is_share(tensor):
        rows = tensor.shape[0] if tensor.ndim else 1
        return Held(tensor, 0, rows, not distributed.is_initialized() or distributed.get_rank() == 0)
    mesh, own = tensor.device_mesh, tensor.to_local()
    assert all(one.is_replicate() or one.is_shard(0) for one in tensor.placements)
    place = mesh.get_local_rank(_SHARDS)
    size = mesh[_SHARDS].size()
    each = -(-tensor.shape[0] // size)
    first = min(place * each, tensor.shape[0])
    assert len(own) == min(each, tensor.shape[0] - first)
    return Held(own, first, tensor.shape[0], mesh.ndim == 1 or mesh.get_local_rank(_COPIES) == 0)


def _shard(
    objective: nn.Module, layers: list[nn.Module], settings: TrainSettings, machine: Machine, world: World
) -> None:
    """Layer by layer, then what is left: embedding, last norm, head."""
    from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard

    mesh = _mesh(settings, machine.device, world)
    # A layer's products are in bfloat16 under autocast anyway. Gathered as such, its weights come in half the time, and
    # are gone after its forward pass, while autocast's own copies, of all layers, would stay until they are needed
    # going back. Norms have their weights rounded too, as is usual; those of a CPU do not take them so.
    half = machine.dtype is torch.bfloat16 and machine.device == "cuda"
    policy = MixedPrecisionPolicy(
        param_dtype=torch.bfloat16 if half else None,
        reduce_dtype=torch.float32 if half else None,
        cast_forward_inputs=False,
    )
    for layer in layers:
        fully_shard(layer, mesh=mesh, mp_policy=policy)
    fully_shard(objective, mesh=mesh)
    for module in objective.modules():
        if isinstance(module, FSDPModule):
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)  # gloo knows no other; NCCL has nothing to divide


def _mesh(settings: TrainSettings, device: str, world: World) -> "DeviceMesh":
    from torch.distributed.device_mesh import init_device_mesh

    groups = copies(settings, world)
    if groups == 1:
        return init_device_mesh(device, (world.size,), mesh_dim_names=(_SHARDS,))
    return init_device_mesh(device, (groups, world.size // groups), mesh_dim_names=(_COPIES, _SHARDS))


def _is_sharded(module: nn.Module) -> "TypeGuard[FSDPModule]":
    return hasattr(module, "set_requires_all_reduce")


def _is_share(tensor: Tensor) -> "TypeGuard[DTensor]":
    return hasattr(tensor, "device_mesh")
