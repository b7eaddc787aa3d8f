"""Checkpoints: whole or absent, damaged ones named and passed over, the newest few kept."""

import pytest
import torch

from starloom.errors import UserError
from starloom.starcoder2.network import StarCoder2
from starloom.training.checkpoint import Checkpoints, Identity
from starloom.training.optimizer import Average, Optimizer
from starloom.workspace.atomic import recover
from training.packing import tiny

FILES = {"tokenizer.json": b"{}"}


class Run:
    """A network with its optimizer, and checkpoints in `folder`; `fingerprint` says which run it is."""

    def __init__(self, folder, fingerprint="one", keep=2):
        torch.manual_seed(0)
        self.network = StarCoder2(tiny().model(64))
        self.optimizer = Optimizer(self.network, tiny(), torch.float32)
        self.average = Average(self.network, tiny())
        identity = Identity(fingerprint, {"tokens": "x"}, {"layers": 2})
        self.checkpoints = Checkpoints(folder / "small" / "checkpoints", identity, FILES, keep)
        self.step = 0

    def advance(self, steps):
        for _ in range(steps):
            torch.manual_seed(self.step)
            for one in self.network.parameters():
                one.grad = torch.randn_like(one)
            self.optimizer.step(1.0)
            self.average.step(self.step)
            self.step += 1
        return self

    def save(self, steps=1):
        self.advance(steps)
        losses = b"".join(b"%d\n" % step for step in range(self.step))
        self.checkpoints.publish(self.step, self.network, self.optimizer, self.average, losses, {"step": self.step})
        return self

    @property
    def names(self):
        return sorted(path.name for path in self.checkpoints.folder.iterdir())


def test_what_is_saved_comes_back(tmp_path):
    run = Run(tmp_path).save(3)
    found = Run(tmp_path).checkpoints.newest()
    assert found.step == 3
    assert found.losses() == b"0\n1\n2\n"
    network = found.network()
    optimizer, average = Optimizer(network, tiny(), torch.float32), Average(network, tiny())
    found.restore(optimizer, average)
    assert all(map(torch.equal, network.parameters(), run.network.parameters()))
    again = optimizer.state() | average.state()
    for name, tensor in (run.optimizer.state() | run.average.state()).items():
        assert torch.equal(tensor, again[name])


def test_none(tmp_path):
    run = Run(tmp_path)
    assert run.checkpoints.newest() is None
    assert not run.checkpoints.any()


@pytest.mark.parametrize("keep", [1, 3])
def test_the_newest_few_are_kept(tmp_path, keep):
    run = Run(tmp_path, keep=keep)
    for _ in range(5):
        run.save()
    assert run.names == [f"step-{step:06}" for step in range(6 - keep, 6)]


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
NAMES = [
    "manifest.json",
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "model.safetensors",
    "training.safetensors",
    "loss.jsonl",
]


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
        Run(root).advance(2).save()

    def whole(root):
        assert Run(root).checkpoints.newest().step in (2, 3)

    cases = faults.enumerate_faults(save, prepare=prepare, check=whole, kinds=("ENOSPC", "short", "halt"))
    assert cases["halt"] > 30
