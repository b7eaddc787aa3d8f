"""Checkpoints of one process: whole or absent, damaged ones named and passed over, the newest few kept."""

import threading

import pytest
import torch

from starloom.errors import UserError
from starloom.training import checkpoint, shards
from starloom.training.checkpoint import Checkpoints, Identity
from starloom.training.world import World
from starloom.workspace.atomic import recover

FILES = {"tokenizer.json": b"{}", "config.json": b"{}"}


class Run:
    """Some tensors, and checkpoints of them in `folder`; `fingerprint` says which run it is."""

    def __init__(self, folder, fingerprint="one", keep=2):
        self.weights = {"model.weight": torch.zeros(5, 3), "model.bias": torch.zeros(5)}
        self.state = {"network.model.weight.momentum": torch.zeros(5, 3), "scale": torch.tensor(0.0)}
        identity = Identity(fingerprint, {"tokens": "x"}, {"layers": 2})
        self.checkpoints = Checkpoints(folder / "small" / "checkpoints", identity, keep, World())
        self.step = 0

    def advance(self, steps):
        self.step += steps
        for number, tensor in enumerate([*self.weights.values(), *self.state.values()]):
            torch.manual_seed(100 * self.step + number)
            tensor.copy_(torch.randn_like(tensor))  # in place, as an optimizer does it
        return self

    def publish(self):
        losses = b"".join(b"%d\n" % step for step in range(self.step))
        facts = {"step": self.step, "samples": {"consumed": 4 * self.step}}
        self.checkpoints.publish(self.step, self.weights, self.state, FILES, losses, facts)
        return self

    def save(self, steps=1):
        self.advance(steps).publish().checkpoints._join()
        return self

    @property
    def names(self):
        return sorted(path.name for path in self.checkpoints.folder.iterdir())


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_what_is_saved_comes_back(tmp_path):
    run = Run(tmp_path).save(3)
    again = Run(tmp_path)
    found = again.checkpoints.newest()
    assert found.step == 3
    assert found.losses() == b"0\n1\n2\n"
    assert found.samples() == {"consumed": 12}
    where = [tensor.data_ptr() for tensor in (*again.weights.values(), *again.state.values())]
    found.restore(again.weights, again.state)
    assert equal(again.weights, run.weights)
    assert equal(again.state, run.state)
    assert where == [tensor.data_ptr() for tensor in (*again.weights.values(), *again.state.values())]  # in place


def test_it_is_a_model_folder(tmp_path):
    Run(tmp_path).save()
    with (tmp_path / "small/checkpoints/step-000001/model.safetensors").open("rb") as file:
        header = file.read(400)
    assert b'"format":"pt"' in header
    assert b"momentum" not in header


def test_none(tmp_path):
    run = Run(tmp_path)
    assert run.checkpoints.newest() is None
    assert not run.checkpoints.any()
    run.checkpoints.close()


@pytest.mark.parametrize("keep", [1, 3])
def test_the_newest_few_are_kept(tmp_path, keep):
    run = Run(tmp_path, keep=keep)
    for _ in range(5):
        run.save()
    assert run.names == [f"step-{step:06}" for step in range(6 - keep, 6)]


def test_the_run_goes_on_while_it_is_written(tmp_path, monkeypatch):
    begun, may, written = threading.Event(), threading.Event(), checkpoint.safetensors_files.write

    def slowly(*words):
        begun.set()
        assert may.wait(20)
        written(*words)

    monkeypatch.setattr(checkpoint.safetensors_files, "write", slowly)
    run = Run(tmp_path).advance(1).publish()
    saved = {name: tensor.clone() for name, tensor in (run.weights | run.state).items()}
    run.advance(1)  # the next step changes the tensors
    assert begun.wait(20)
    assert not list(run.checkpoints.folder.glob("step-*"))
    may.set()
    assert run.checkpoints.any()  # waits for it
    run.checkpoints.close()
    again = Run(tmp_path)
    again.checkpoints.newest().restore(again.weights, again.state)
    assert equal(again.weights | again.state, saved)


def test_what_the_thread_meets_is_raised_by_the_next(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device", str(tmp_path))

    run = Run(tmp_path).save()
    with monkeypatch.context() as patched:
        patched.setattr(checkpoint.safetensors_files, "write", full)
        run.advance(1).publish()
        with pytest.raises(UserError, match="No space left"):
            run.advance(1).publish()
        run.publish()
        with pytest.raises(UserError, match="No space left"):
            run.checkpoints.close()
    assert run.names == ["step-000001"]


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGE = {
    "gone": lambda path: path.unlink(),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "empty": lambda path: path.write_bytes(b""),
    "flipped": flip,
}
NAMES = ["manifest.json", "config.json", "tokenizer.json", "model.safetensors", "training.safetensors", "loss.jsonl"]


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_one_is_named_and_the_one_before_taken(tmp_path, capsys, name, damage):
    run = Run(tmp_path).save().save()
    assert sorted(path.name for path in (run.checkpoints.folder / "step-000002").iterdir()) == sorted(NAMES)
    DAMAGE[damage](run.checkpoints.folder / "step-000002" / name)
    run = Run(tmp_path)
    assert run.checkpoints.newest().step == 1
    said = capsys.readouterr().err
    assert "step-000002 is damaged" in said
    assert name in said
    assert run.names == ["step-000001", "step-000002"]  # nothing goes before a whole one is there
    run.save(2)
    assert run.names == ["step-000001", "step-000002"]
    assert Run(tmp_path).checkpoints.newest().step == 2


def test_a_damaged_one_goes_when_a_newer_one_is_there(tmp_path):
    run = Run(tmp_path).save().save()
    flip(run.checkpoints.folder / "step-000002" / "model.safetensors")
    run = Run(tmp_path)
    run.checkpoints.newest()
    run.save(3)
    assert run.names == ["step-000001", "step-000003"]


def test_all_damaged(tmp_path):
    run = Run(tmp_path).save().save()
    for name in run.names:
        flip(run.checkpoints.folder / name / "training.safetensors")
    with pytest.raises(UserError, match=r"no checkpoint in .* is whole: .*training.safetensors") as refused:
        Run(tmp_path).checkpoints.newest()
    assert refused.value.hint == "begin the run anew: `starloom train small --restart`"


def test_another_runs_checkpoint_is_refused(tmp_path):
    Run(tmp_path).save()
    with pytest.raises(UserError, match="not of this run"):
        Run(tmp_path, "two").checkpoints.newest()


def other(run):
    run.weights["model.bias"] = torch.zeros(4)


def wider(run):
    run.weights["model.weight"] = torch.zeros(5, 4)


def coarser(run):
    run.state["scale"] = torch.tensor(0.0, dtype=torch.bfloat16)


def missing(run):
    del run.state["scale"]


def more(run):
    run.state["another"] = torch.zeros(1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (other, "model.bias has 5 rows, not 4"),
        (wider, r"model.weight has rows of \[3\], not \[4\]"),
        (coarser, "scale is torch.float32, not torch.bfloat16"),
        (missing, "holds scale, which this run has no place for"),
        (more, "lacks another"),
    ],
)
def test_another_shape_is_refused(tmp_path, change, words):
    Run(tmp_path).save()
    run = Run(tmp_path)
    change(run)
    with pytest.raises(UserError, match=words) as refused:
        run.checkpoints.newest().restore(run.weights, run.state)
    assert "--restart" in refused.value.hint


def test_a_name_twice(tmp_path):
    run = Run(tmp_path)
    with pytest.raises(ValueError, match="both a weight and a state"):
        run.checkpoints.publish(1, run.weights, run.weights, {}, b"", {})


def test_files_that_are_not_ours_stay(tmp_path):
    run = Run(tmp_path)
    run.checkpoints.folder.mkdir(parents=True)
    (run.checkpoints.folder / "notes").mkdir()
    (run.checkpoints.folder / "step-7").write_text("mine")
    run.save().save().save()
    assert run.names == ["notes", "step-000002", "step-000003", "step-7"]


def test_every_fault_leaves_a_whole_checkpoint(faults):
    """Each file operation of the third checkpoint fails: the one before stays; once more, and it is the same bytes."""

    def prepare(root):
        Run(root).save().save()

    def save(root):
        recover(root)
        run = Run(root).advance(2)
        try:
            run.save()
        finally:
            run.checkpoints._thread.shutdown()

    def whole(root):
        assert Run(root).checkpoints.newest().step in (2, 3)

    cases = faults.enumerate_faults(save, prepare=prepare, check=whole, kinds=("ENOSPC", "short", "halt"))
    assert cases["halt"] > 30


class Together:
    """Two processes, as their checkpoints see them: threads of this one."""

    def __init__(self):
        self.barrier, self.told = threading.Barrier(2, timeout=20), [b"", b""]

    def world(self, rank):
        together = self

        class Half(World):
            def exchanged(self, data):
                together.told[rank] = data
                together.barrier.wait()
                return list(together.told)

        return Half(rank, 2, rank)


def halves(folder):
    """The checkpoints of two processes: the first has the weights, the second the state."""
    together, found = Together(), []
    for rank in range(2):
        run = Run(folder)
        run.checkpoints.world = together.world(rank)
        if rank == 0:
            run.state = {}
        else:
            run.weights = {}
        found.append(run)
    return found


def closed(runs):
    """What each meets, in words."""
    found = []
    for run in runs:
        try:
            run.checkpoints.close()
        except UserError as problem:
            found.append(problem.problem)
    return found


def test_parts_of_two_processes_are_one_checkpoint(tmp_path):
    runs = halves(tmp_path)
    for _ in range(3):
        for run in runs:
            run.advance(1).publish()
    assert closed(runs) == []
    assert runs[0].names == ["step-000002", "step-000003"]
    files = {path.name for path in (runs[0].checkpoints.folder / "step-000003").iterdir()}
    parts = {"process-0-of-2.safetensors", "process-1-of-2.safetensors"}
    assert files == {*parts, "manifest.json", "loss.jsonl", *FILES}
    again = Run(tmp_path)
    again.checkpoints.newest().restore(again.weights, again.state)
    assert equal(again.weights, runs[0].weights)
    assert equal(again.state, runs[1].state)


def test_one_of_two_cannot_write_its_part(tmp_path, monkeypatch):
    runs, write = halves(tmp_path), shards.write
    for run in runs:
        run.advance(1).publish()
    for run in runs:
        run.checkpoints._join()

    def full(path, parts):
        if path.name.startswith("process-1"):
            raise OSError(28, "No space left on device", str(path))
        return write(path, parts)

    monkeypatch.setattr(shards, "write", full)
    for run in runs:
        run.advance(1).publish()
    first, second = closed(runs)
    assert first == "process 1 could not write its part of checkpoint 2"
    assert "No space left on device" in second
    assert runs[0].names == ["step-000001"]  # and nothing is left aside


def test_processes_that_see_different_folders(tmp_path, monkeypatch):
    run = Run(tmp_path).save()
    run.checkpoints.world = World(0, 2, 0)
    monkeypatch.setattr(World, "sums", lambda self, values: [*values[:-1], 0.0])  # the other one sees nothing
    with pytest.raises(UserError, match="not every process sees the same checkpoints") as refused:
        run.checkpoints.newest()
    assert "share" in refused.value.hint
