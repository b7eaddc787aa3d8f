"""Out of memory: the message says what to change."""

import pytest
import torch

from starloom.errors import UserError
from starloom.training import memory
from starloom.training.world import World
from training.packing import tiny

ALONE = World()


def refused(settings, world=ALONE):
    with pytest.raises(UserError) as problem, memory.explained(settings, world):
        torch.empty(1 << 60)  # no machine has so much
    return problem.value


def test_an_allocation_that_fails():
    problem = refused(tiny(batch=8))
    assert "this machine has too little memory" in problem.problem
    assert "1152921504606846976" in problem.problem or "4611686018427387904" in problem.problem  # bytes
    assert "micro_batch = 4 (now 8 samples at once)" in problem.hint
    assert 'activation_checkpointing = "layers"' in problem.hint
    assert "sharding" not in problem.hint


def test_on_a_device():
    settings = tiny(batch=8, micro_batch=2, sharding="none")
    with pytest.raises(UserError) as refused, memory.explained(settings, World(1, 2, 1)):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nand much more")
    assert refused.value.problem.endswith("Tried to allocate 2 GiB.")
    assert "the device of process 1 has too little memory" in refused.value.problem
    assert "micro_batch = 1 (now 2 samples" in refused.value.hint
    assert 'sharding = "full"' in refused.value.hint


def test_nothing_left_to_set():
    problem = refused(tiny(batch=2, activation_checkpointing="layers"), World(0, 2, 0))
    assert problem.hint.startswith("more processes")
    assert "goes on from the last checkpoint" in problem.hint


@pytest.mark.parametrize("problem", [RuntimeError("shapes differ"), ValueError("x"), UserError("a", "b")])
def test_other_errors_pass(problem):
    with pytest.raises(type(problem)) as found, memory.explained(tiny(), World()):
        raise problem
    assert found.value is problem
