"""Tensors in rows over several files: read whole, or in other parts, and never with a gap."""

import json
from itertools import pairwise

import pytest
import torch

from starloom.errors import UserError
from starloom.starcoder2 import safetensors_files
from starloom.training import shards
from starloom.training.shards import Part
from starloom.workspace.manifest import hash_file
from starloom.workspace.operations import Output

WHOLE = {
    "weight": torch.arange(21.0).reshape(7, 3),
    "bias": torch.arange(7.0),
    "one": torch.tensor([5.0]),
    "count": torch.tensor(3),
}


CUT = ("weight", "bias")  # the rest is on the first process


def write(folder, cuts):
    """A file a process, which holds the rows from one cut to the next."""
    bounds = [0, *cuts, 7]
    for rank, (first, stop) in enumerate(pairwise(bounds)):
        parts = {name: Part(WHOLE[name][first:stop], first, 7) for name in CUT if stop > first}
        if rank == 0:
            parts |= {name: Part(WHOLE[name], 0, 1) for name in ("one", "count")}
        shards.write(folder / shards.name_of(rank, len(bounds) - 1), parts)


def empty():
    return {name: torch.full_like(tensor, -1) for name, tensor in WHOLE.items()}


@pytest.mark.parametrize("cuts", [[], [4], [2, 4, 6], [3, 6, 7]])
def test_any_parts_make_the_whole(tmp_path, cuts):
    write(tmp_path, cuts)
    found = empty()
    shards.read(sorted(tmp_path.iterdir()), found)
    assert all(torch.equal(found[name], WHOLE[name]) for name in WHOLE)


@pytest.mark.parametrize("rows", [(0, 7), (0, 3), (3, 6), (6, 7), (7, 7)])
def test_only_the_rows_that_are_held(tmp_path, monkeypatch, rows):
    first, stop = rows
    write(tmp_path, [2, 4])
    found = empty()
    mine = {name: tensor[first:stop] if name in CUT else tensor for name, tensor in found.items()}
    whole = shards.held

    def as_process(tensor):
        is_cut = any(tensor is mine[name] for name in CUT)
        return whole(tensor)._replace(first=first, rows=7) if is_cut else whole(tensor)

    monkeypatch.setattr(shards, "held", as_process)
    shards.read(sorted(tmp_path.iterdir()), mine)
    for name in CUT:
        assert torch.equal(mine[name], WHOLE[name][first:stop])
        assert (found[name][:first] == -1).all()
        assert (found[name][stop:] == -1).all()


def test_the_entry_tells_of_the_file(tmp_path):
    entry = shards.write(tmp_path / "a.safetensors", {"x": Part(torch.ones(2, 2), 4, 9)})
    path = tmp_path / entry.name
    assert (entry.bytes, entry.sha256) == (path.stat().st_size, hash_file(path))
    with safetensors_files.opened(path) as file:
        assert json.loads(file.metadata()["rows"]) == {"x": [4, 9]}


def test_a_snapshot_is_a_copy():
    tensor = torch.nn.Parameter(torch.ones(3))
    (part,) = shards.snapshot({"x": tensor}).values()
    assert (part.first, part.rows) == (0, 3)
    with torch.no_grad():
        tensor.fill_(2)
    assert torch.equal(part.tensor, torch.ones(3))


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("process-0-of-3.safetensors", "lacks rows 0 to 3 of weight"),
        ("process-1-of-3.safetensors", "lacks rows 3 to 5 of weight"),
        ("process-2-of-3.safetensors", "weight has 5 rows, not 7"),
    ],
)
def test_rows_that_are_not_there(tmp_path, missing, words):
    write(tmp_path, [3, 5])
    (tmp_path / missing).unlink()
    with pytest.raises(UserError, match=words):
        shards.read(sorted(tmp_path.iterdir()), empty())


def test_rows_that_are_there_twice(tmp_path):
    write(tmp_path, [3])
    shards.write(tmp_path / "process-2-of-2.safetensors", {"weight": Part(WHOLE["weight"][2:4], 2, 7)})
    with pytest.raises(UserError, match="has twice rows 2 to 3 of weight"):
        shards.read(sorted(tmp_path.iterdir()), empty())


@pytest.mark.parametrize("rows", ["{", "[1]", '{"x": 1}', '{"x": ["a", 2]}', "null", '{"x": [-1, 2]}'])
def test_metadata_that_is_nonsense(tmp_path, rows):
    output = Output(tmp_path / "a.safetensors")
    safetensors_files.write(output, {"x": torch.ones(2)}, {"rows": rows})
    output.finish()
    with pytest.raises(UserError, match=r"a\.safetensors does not say which rows it holds"):
        shards.read(sorted(tmp_path.iterdir()), {"x": torch.ones(2)})
