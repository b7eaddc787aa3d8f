"""Reading and writing `model.safetensors`: tensors by name, a JSON header before them, no code (unlike pickles).

Format: https://huggingface.co/docs/safetensors. One file, or shards that `model.safetensors.index.json` lists. Every
fault of a file is a UserError that names it and says what to do.
"""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from starloom.errors import UserError
from starloom.workspace.manifest import hash_file
from starloom.workspace.operations import Output, explained

SINGLE: Final = "model.safetensors"
INDEX: Final = "model.safetensors.index.json"
_AGAIN: Final = "copy or download the file again"
_MOST_JSON: Final = 64 << 20  # bytes of a configuration or an index: an index of the largest models is below 1 MB
_ALIGNMENT: Final = 8  # of the header's end: readers map the file

_NAMES: Final = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e5m2: "F8_E5M2",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
_DTYPES: Final = {name: dtype for dtype, name in _NAMES.items()}


class Tensors(NamedTuple):
    """The files of one model, and where each tensor is."""

    files: dict[str, Path]  # tensor -> the file that holds it
    shapes: dict[str, tuple[int, ...]]
    dtypes: dict[str, torch.dtype]


class Kind(NamedTuple):
    """What a header says of one tensor."""

    dtype: torch.dtype
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object in a file that a stranger wrote. Raises UserError, which names the file."""
    try:
        if path.stat().st_size > _MOST_JSON:
            raise UserError(f"{path} is larger than {_MOST_JSON >> 20} MB: it is no {path.name}", _AGAIN)
        values = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise UserError(f"no {path.name} in {path.parent}", "give the folder of a Hugging Face model") from None
    except OSError as problem:
        raise UserError(f"cannot read {path}: {problem.strerror}", "make the file readable for you") from None
    except (ValueError, RecursionError):
        raise UserError(f"{path} is not JSON", _AGAIN) from None
    if not isinstance(values, dict):
        raise UserError(f"{path} holds no JSON object", _AGAIN)
    return values


def find(folder: Path) -> Tensors:
    """The tensors of the model in `folder`; every header is read and checked against its file's size.

    Raises UserError: no safetensors, only pickles, an index that leads elsewhere, a torn file.
    """
    if (folder / SINGLE).exists():
        names = [SINGLE]
        listed = None
    elif (folder / INDEX).exists():
        listed = _listed(folder / INDEX)
        names = sorted(set(listed.values()))
    else:
        raise UserError(*_nothing(folder))
    files: dict[str, Path] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    dtypes: dict[str, torch.dtype] = {}
    for name in names:
        path = folder / name
        with opened(path) as file:
            for tensor in file.keys():  # noqa: SIM118 - no mapping, only its methods
                if listed is not None and listed.get(tensor) != name:
                    raise UserError(f"{path} holds {tensor}, which {INDEX} does not place there", _AGAIN)
                part = file.get_slice(tensor)
                if (kind := part.get_dtype()) not in _DTYPES:
                    raise UserError(f"{path}: {tensor} is of {kind}", "take the model's unquantized weights")
                files[tensor], shapes[tensor] = path, tuple(part.get_shape())
                dtypes[tensor] = _DTYPES[kind]
    if listed is not None and (missing := sorted(listed.keys() - files.keys())):
        raise UserError(f"{folder / listed[missing[0]]} lacks {missing[0]}, which {INDEX} promises", _AGAIN)
    return Tensors(files, shapes, dtypes)


def hashes(folder: Path) -> dict[str, str]:
    """File -> sha256 of the weights in `folder`. Cost: reads them all (2 GB/s). Raises UserError as `find` does."""
    files = set(find(folder).files.values())
    with explained(folder):
        return {path.name: hash_file(path) for path in sorted(files)}


def load(tensors: Tensors, dtype: torch.dtype, device: torch.device) -> Iterator[tuple[str, Tensor]]:
    """Every tensor, one after the other, as a copy of its own: a file that changes later does no harm.

    Raises UserError for a file that has gone or is torn.
    """
    for path in sorted(set(tensors.files.values())):
        with opened(path) as file:
            for name, place in tensors.files.items():
                if place == path:
                    yield name, file.get_tensor(name).to(device=device, dtype=dtype, copy=True)


def opened(path: Path) -> Any:
    """The library's own view of one file; opening checks the header and that all of the file is there."""
    try:
        return safe_open(path, framework="pt", device="cpu")
    except SafetensorError as problem:
        raise UserError(f"{path} is torn or no safetensors file ({problem})", _AGAIN) from None
    except FileNotFoundError:
        raise UserError(f"{path} is missing", _AGAIN) from None
    except OSError as problem:
        raise UserError(f"cannot read {path}: {problem}", "make the file readable for you") from None


def write(output: Output, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Writes `tensors` in order of their names, as `stream`; holds one of them at a time in memory beside the model."""
    kinds = {name: Kind(tensor.dtype, tuple(tensor.shape)) for name, tensor in tensors.items()}
    stream(output, kinds, (tensors[name] for name in sorted(tensors)), metadata)


def stream(
    output: Output, kinds: Mapping[str, Kind], tensors: Iterator[Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """Writes one file: `tensors` come in the order of the names in `kinds`, and are what these say (ValueError).

    Metadata says `format: pt`, without which transformers refuses the file, and what is given as `metadata`. Same
    tensors, same bytes.
    """
    header: dict[str, Any] = {"__metadata__": {"format": "pt"} | dict(metadata or {})}
    end = 0
    for name, kind in sorted(kinds.items()):
        start, end = end, end + kind.bytes
        header[name] = {"dtype": _NAMES[kind.dtype], "shape": list(kind.shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (math.ceil(len(text) / _ALIGNMENT) * _ALIGNMENT - len(text))
    output.write(len(text).to_bytes(8, "little"))
    output.write(text)
    for (name, kind), tensor in zip(sorted(kinds.items()), tensors, strict=True):
        if kind != (tensor.dtype, tuple(tensor.shape)):
            raise ValueError(f"{name} is {tensor.dtype} {list(tensor.shape)}, not as the header says")
        plain = tensor.detach().cpu().contiguous().reshape(-1)
        output.write(plain.view(torch.uint8).numpy().data)


def _listed(index: Path) -> dict[str, str]:
    """tensor -> file name, as the index says; every name is that of a file right beside it."""
    places = read_json(index).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise UserError(f"{index} has no weight_map", _AGAIN)
    for name in places.values():
        plain = isinstance(name, str) and name.endswith(".safetensors") and not set(name) & set("/\\\0")
        if not plain:
            raise UserError(f"{index} leads to {name!r}: shards lie beside it", "take this model from a safer place")
    return places


def _nothing(folder: Path) -> tuple[str, str]:
    """Problem and hint for a folder without safetensors."""
    pickles = sorted(path.name for pattern in ("*.bin", "*.pt", "*.pth", "*.ckpt") for path in folder.glob(pattern))
    if pickles:
        return (
            f"{folder} has its weights in {pickles[0]}, a pickle: opening one can run any program",
            "convert it to safetensors where you trust it: `AutoModelForCausalLM.from_pretrained(…).save_pretrained(…)`"
            " in transformers, or https://huggingface.co/spaces/safetensors/convert",
        )
    return f"no {SINGLE} in {folder}", "give the folder of a Hugging Face model with its weights"
