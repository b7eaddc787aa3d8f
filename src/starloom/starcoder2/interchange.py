"""Models as Hugging Face folders: what we write loads in transformers, what it writes loads here.

The parameters have the same names there and here, so nothing is converted. Only StarCoder2; `open.py` takes any model.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from starloom.errors import UserError
from starloom.starcoder2 import safetensors_files
from starloom.starcoder2.config import StarCoder2Config
from starloom.starcoder2.network import StarCoder2
from starloom.starcoder2.safetensors_files import SINGLE, Tensors, read_json
from starloom.workspace.atomic import Draft

CONFIG: Final = "config.json"
GENERATION: Final = "generation_config.json"
_HEAD: Final = "lm_head.weight"
_EMBEDDING: Final = "model.embed_tokens.weight"


def write(
    draft: Draft,
    config: StarCoder2Config,
    weights: Mapping[str, Tensor],
    tokenizer_files: Mapping[str, bytes],
    folder: str = "",
) -> None:
    """Puts a model into `draft`, at its top or in `folder`: configuration, weights as they are, tokenizer.

    weights: by Hugging Face's names, all of one dtype, on any device, as `named_parameters` gives them: the head is not
    among them when it is tied. tokenizer_files: name -> bytes, as `Tokenizer.files` gives them. Raises ValueError for a
    name used before.
    """
    prefix = f"{folder}/" if folder else ""
    for name, data in files(config, next(iter(weights.values())).dtype, tokenizer_files).items():
        draft.write(f"{prefix}{name}", data)
    with draft.create(f"{prefix}{SINGLE}") as output:
        safetensors_files.write(output, weights)


def files(config: StarCoder2Config, dtype: torch.dtype, tokenizer_files: Mapping[str, bytes]) -> dict[str, bytes]:
    """All files of a model but its weights, which are of `dtype`: name -> bytes."""
    named = str(dtype).removeprefix("torch.")
    ends = {"bos_token_id": config.bos_token_id, "eos_token_id": config.eos_token_id}
    return {
        CONFIG: to_bytes(config.to_json() | {"torch_dtype": named}),  # the name that transformers 4 and 5 both read
        GENERATION: to_bytes(ends),
        **dict(sorted(tokenizer_files.items())),
    }


def read_config(folder: Path) -> StarCoder2Config:
    """The shape of the model in `folder`. Raises UserError, which names the file."""
    path = folder / CONFIG
    values = read_json(path)
    try:
        return StarCoder2Config.from_json(values)
    except UserError as problem:
        raise UserError(f"{path}: {problem.problem}", problem.hint) from None


def read(
    folder: Path,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    config: StarCoder2Config | None = None,
    change: Callable[[Iterator[tuple[str, Tensor]]], Iterator[tuple[str, Tensor]]] | None = None,
) -> StarCoder2:
    """The model in `folder`, its weights as `dtype` on `device`, ready to train (`train` mode is PyTorch's default).

    config: instead of the folder's own, for weights that go on under another window, context or rotary base.
    change: what an adapter makes of the tensors, as they come.
    Raises UserError: no or a broken config.json, torn, missing, additional or misshapen tensors, pickles only.
    """
    config = config or read_config(folder)
    tensors, model = _found(folder, config)
    read_in = safetensors_files.load(tensors, dtype, torch.device(device))
    loaded = dict(change(read_in) if change else read_in)
    loaded.pop(_HEAD, None) if config.tie_word_embeddings else None
    model.load_state_dict(loaded, strict=True, assign=True)
    return model.requires_grad_(True)


def find(folder: Path) -> Tensors:
    """The tensors of the model in `folder`, none of them read: all that its config.json wants. Raises as `read`."""
    return _found(folder, read_config(folder))[0]


def _found(folder: Path, config: StarCoder2Config) -> tuple[Tensors, StarCoder2]:
    """The tensors on disk, and the model on the meta device that they were checked against."""
    tensors = safetensors_files.find(folder)
    with torch.device("meta"), _Unset():
        model = StarCoder2(config)
    _check(folder, model, tensors)
    return tensors, model


class _Unset(TorchFunctionMode):
    """Fresh weights are not drawn: they are replaced, and to draw on the meta device loads a compiler (1.5 s)."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        if getattr(function, "__module__", "") == "torch.nn.init":
            return (*args, *(kwargs or {}).values())[0]
        return function(*args, **kwargs or {})


def _check(folder: Path, model: StarCoder2, tensors: Tensors) -> None:
    """Every tensor there, none more, each of the right shape. Raises UserError."""
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = dict(tensors.shapes)
    if model.config.tie_word_embeddings and found.get(_HEAD) == expected[_EMBEDDING]:
        del found[_HEAD]  # some writers store the tied weight twice
    where = folder / SINGLE if (folder / SINGLE).exists() else folder
    remedy = f"check that {CONFIG} and the weights are of one model"
    if missing := sorted(expected.keys() - found.keys()):
        raise UserError(f"{where} lacks {_some(missing)}", remedy)
    if more := sorted(found.keys() - expected.keys()):
        raise UserError(f"{tensors.files[more[0]]} holds {_some(more)}, which {CONFIG} has no place for", remedy)
    for name, shape in expected.items():
        if found[name] != shape:
            raise UserError(f"{tensors.files[name]}: {name} is {list(found[name])}, not {list(shape)}", remedy)


def _some(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1:,} more"


def to_bytes(values: dict[str, Any]) -> bytes:
    """JSON as the files of a model hold it: the same values, the same bytes."""
    return (json.dumps(values, indent=2, sort_keys=True) + "\n").encode()
