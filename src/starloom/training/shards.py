"""Tensors of which each process holds some rows: one safetensors file a process, read again by any number of them.

`process-R-of-N.safetensors` has the rows that process R holds of each tensor, under the tensor's name; `rows` in its
metadata says where they belong: JSON, name -> [first row, rows of the whole tensor]. A file without it has whole
tensors. What several processes hold alike is written by the first of them. No pickle, and no file that lists the
others: the folder's manifest does.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor

from starloom.errors import UserError
from starloom.starcoder2 import safetensors_files
from starloom.training.parallel import held
from starloom.workspace.manifest import FileEntry
from starloom.workspace.operations import Output

SUFFIX: Final = ".safetensors"
_ROWS: Final = "rows"
_AGAIN: Final = "begin the run anew with --restart"


class Part(NamedTuple):
    """Rows of a tensor from `first` on, of `rows` in all: a copy in main memory."""

    tensor: Tensor
    first: int
    rows: int


class _Place(NamedTuple):
    """Where some rows of a tensor lie: rows `first` to before `stop`, in the file `file`."""

    first: int
    stop: int
    file: Any  # an open safetensors file


def name_of(rank: int, size: int) -> str:
    """The file of process `rank` of `size`."""
    return f"process-{rank}-of-{size}{SUFFIX}"


@torch.no_grad()
def snapshot(tensors: Mapping[str, Tensor]) -> dict[str, Part]:
    """This process's part of each tensor, copied; of what others hold too, on one of them alone."""
    found = {}
    for name, tensor in tensors.items():
        own = held(tensor)
        if own.once and (own.tensor.numel() or not own.rows):
            found[name] = Part(own.tensor.to("cpu", copy=True), own.first, own.rows)
    return found


def write(path: Path, parts: Mapping[str, Part]) -> FileEntry:
    """The new file `path`, on the disk, and what a manifest says of it. Raises OSError."""
    places = {name: [part.first, part.rows] for name, part in sorted(parts.items())}
    output = Output(path)
    try:
        tensors = {name: part.tensor for name, part in parts.items()}
        safetensors_files.write(output, tensors, {_ROWS: json.dumps(places, separators=(",", ":"))})
        output.finish()
    finally:
        output.abandon()
    return FileEntry(path.name, output.size, output.sha256, None)


@torch.no_grad()
def read(paths: Sequence[Path], tensors: Mapping[str, Tensor]) -> None:
    """Copies into `tensors`, in place, what these files of one folder hold under their names: of a sharded tensor, this
    process's rows alone are read.

    Raises UserError: a tensor that is missing, too much, of another shape or dtype, or whose rows are not all there.
    """
    folder, places = paths[0].parent, _places(paths)
    if strange := sorted(places.keys() - tensors.keys()):
        raise UserError(f"{folder} holds {strange[0]}, which this run has no place for", _AGAIN)
    for name, tensor in tensors.items():
        if name not in places:
            raise UserError(f"{folder} lacks {name}", _AGAIN)
        own = held(tensor)
        _fill(folder, name, own.tensor if own.tensor.ndim else own.tensor[None], own.first, own.rows, places[name])


def _fill(folder: Path, name: str, target: Tensor, first: int, rows: int, places: list[_Place]) -> None:
    """`target`: rows from `first` on, of `rows`."""
    there = 0
    for place in sorted(places, key=lambda one: one[:2]):
        if place.first != there:
            what = "lacks" if place.first > there else "has twice"
            raise UserError(
                f"{folder} {what} rows {min(there, place.first):,} to {max(there, place.first):,} of {name}", _AGAIN
            )
        there = place.stop
        start, stop = max(place.first, first), min(place.stop, first + len(target))
        stored = place.file.get_slice(name)
        shape = list(stored.get_shape()) or [1]
        if shape[1:] != list(target.shape[1:]):
            raise UserError(f"{folder}: {name} has rows of {shape[1:]}, not {list(target.shape[1:])}", _AGAIN)
        if start >= stop:
            continue
        # A slice of the file is copied into memory of our own: kernels must not see that a run was resumed.
        data = stored[start - place.first : stop - place.first] if stored.get_shape() else place.file.get_tensor(name)
        if data.dtype != target.dtype:
            raise UserError(f"{folder}: {name} is {data.dtype}, not {target.dtype}", _AGAIN)
        target[start - first : stop - first] = data
    if there != rows:
        raise UserError(f"{folder}: {name} has {there:,} rows, not {rows:,}", _AGAIN)


def _places(paths: Sequence[Path]) -> dict[str, list[_Place]]:
    """Every tensor's places in these files. Raises UserError for a file that is torn or tells nonsense."""
    found: dict[str, list[_Place]] = {}
    for path in paths:
        file = safetensors_files.opened(path)
        rows = _rows(path, file)
        for name in file.keys():  # noqa: SIM118 - no mapping, only its methods
            first = rows.get(name, 0)
            count = (file.get_slice(name).get_shape() or [1])[0]
            found.setdefault(name, []).append(_Place(first, first + count, file))
    return found


def _rows(path: Path, file: Any) -> dict[str, int]:
    """First rows by name, as a file's metadata has them."""
    text = (file.metadata() or {}).get(_ROWS)
    if text is None:
        return {}
    try:
        found = {str(name): int(first) for name, (first, _) in json.loads(text).items()}
        if min(found.values(), default=0) < 0:
            raise ValueError("rows before the first")
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise UserError(f"{path} does not say which rows it holds", _AGAIN) from None
    return found
