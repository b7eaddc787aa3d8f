"""Low-rank adapters in PEFT's format, added to the weights of their base in plain PyTorch (arXiv 2106.09685).

`adapter_model.safetensors` has for a matrix W [out, in] of the base a pair A [r, in] and B [out, r]; the adapted model
computes with W + scale * B A, scale being alpha / r. Only adapters that are no more than this: what would change the
result otherwise (DoRA, ranks by pattern, other modules saved whole) is refused by name.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from starloom.errors import UserError
from starloom.starcoder2 import safetensors_files

CONFIG: Final = "adapter_config.json"
WEIGHTS: Final = "adapter_model.safetensors"
PREFIX: Final = "base_model.model."  # of every name in the file
_A, _B = ".lora_A.weight", ".lora_B.weight"
_REMEDY: Final = "merge it with PEFT: `PeftModel.from_pretrained(…).merge_and_unload().save_pretrained(DIR)`"
_PLAIN: Final[Mapping[str, tuple[object, object]]] = {  # what a setting must be, where it is there
    "use_dora": (False, None),
    "fan_in_fan_out": (False, None),
    "lora_bias": (False, None),
    "bias": ("none", None),
    "modules_to_save": (None, []),
    "rank_pattern": ({}, None),
    "alpha_pattern": ({}, None),
    "target_parameters": (None, []),
    "layer_replication": (None, []),
}


@dataclass(frozen=True)
class Adapter:
    """base: as the adapter names it, a folder or a name. pairs: of a base's tensor, by its name, A and B."""

    folder: Path
    base: str
    scale: float
    pairs: Mapping[str, tuple[Tensor, Tensor]]

    def merged(self, tensors: Iterator[tuple[str, Tensor]]) -> Iterator[tuple[str, Tensor]]:
        """The base's tensors, those that have an adapter changed; added in float32, each in its own dtype again.

        Raises UserError, at the end, for an adapter of a matrix that did not come, or has another shape.
        """
        left = dict(self.pairs)
        for name, tensor in tensors:
            pair = left.pop(name, None)
            if pair is None:
                yield name, tensor
                continue
            a, b = pair
            if tuple(tensor.shape) != (b.shape[0], a.shape[1]):
                raise UserError(
                    f"{self.folder / WEIGHTS} changes {name} as {b.shape[0]} x {a.shape[1]}, and the base's has "
                    f"{' x '.join(map(str, tensor.shape))}",
                    "give the model that the adapter was trained on",
                )
            exact = torch.promote_types(tensor.dtype, torch.float32)
            change = (b.to(tensor.device, exact) @ a.to(tensor.device, exact)) * self.scale
            yield name, (tensor.to(exact) + change).to(tensor.dtype)
        if left:
            raise UserError(
                f"{self.folder / WEIGHTS} changes {min(left)}, which the base does not have",
                "give the model that the adapter was trained on",
            )


def read(folder: Path) -> Adapter:
    """The adapter in `folder`. Raises UserError: none, torn, of another kind than LoRA's plain one."""
    path = folder / CONFIG
    values = safetensors_files.read_json(path)
    if values.get("peft_type") != "LORA":
        raise UserError(f"{path} is of a {values.get('peft_type')!r}: only LORA can be added to weights", _REMEDY)
    for name, plain in _PLAIN.items():
        if values.get(name) not in plain:
            raise UserError(f"{path} has {name} = {values[name]!r}: only plain LoRA can be added to weights", _REMEDY)
    rank, alpha, base = (values.get(name) for name in ("r", "lora_alpha", "base_model_name_or_path"))
    if type(rank) is not int or rank < 1 or not isinstance(alpha, int | float) or not isinstance(base, str):
        raise UserError(f"{path} does not say of which rank, scale or base it is", "copy the adapter again, whole")
    scale = alpha / (math.sqrt(rank) if values.get("use_rslora") else rank)
    return Adapter(folder, base, scale, _pairs(folder / WEIGHTS, rank))


def _pairs(path: Path, rank: int) -> dict[str, tuple[Tensor, Tensor]]:
    found: dict[str, dict[str, Tensor]] = {}
    with safetensors_files.opened(path) as file:
        for name in file.keys():  # noqa: SIM118 - no mapping, only its methods
            kind = _A if name.endswith(_A) else _B
            if not name.startswith(PREFIX) or not name.endswith(kind):
                raise UserError(f"{path} holds {name}, which is no part of a plain LoRA", _REMEDY)
            found.setdefault(name[len(PREFIX) : -len(kind)] + ".weight", {})[kind] = file.get_tensor(name)
    for name, pair in found.items():
        if pair.keys() != {_A, _B} or pair[_A].shape[:1] != (rank,) or pair[_B].shape[1:] != (rank,):
            raise UserError(f"{path} has no pair of rank {rank} for {name}", "copy the adapter again, whole")
    return {name: (pair[_A], pair[_B]) for name, pair in found.items()}


def named(base: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of adapters in a network, as their file names them: PEFT calls the first adapter `default`."""
    return {PREFIX + name.replace(".default.", "."): value for name, value in base.items()}
