"""What is applied to a model from outside, on one process; `test_processes.py` has many."""

import functools

import pytest
import torch
from torch import nn

from starloom.errors import UserError
from starloom.starcoder2.network import StarCoder2
from starloom.training import parallel
from starloom.training.machine import Machine
from starloom.training.world import World
from training.packing import tiny

MACHINE = Machine("cpu", "float32", 1)


class Objective(nn.Module):
    """The mean of the logits' squares, of a network of two layers."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.network = StarCoder2(tiny().model(64))

    def forward(self, ids):
        return self.network.logits(self.network(ids)).square().mean()


def gradients(objective):
    objective(torch.arange(40).reshape(2, 20)).backward()
    return {name: one.grad.clone() for name, one in objective.named_parameters()}


def applied(**changes):
    objective = Objective()
    parallel.apply(objective, tiny(**changes), MACHINE, World())
    return objective


def test_activation_checkpointing_changes_no_name_and_no_bit():
    plain, again = Objective(), applied(activation_checkpointing="layers")
    calls = []
    for layer in again.network.model.layers:
        layer.mlp.register_forward_pre_hook(lambda *_: calls.append(1))
    expected, found = gradients(plain), gradients(again)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert len(calls) == 4  # each of two layers once more, going back


@pytest.mark.parametrize("activations", ["none", "layers"])
@pytest.mark.filterwarnings("ignore")  # the compiler looks at what warns when it is looked at
def test_compiled_layers(activations, monkeypatch):
    # Without the last stage, which has a C++ compiler at work for half a minute.
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="aot_eager"))
    plain, compiled = Objective(), applied(compile=True, activation_checkpointing=activations)
    expected, found = gradients(plain), gradients(compiled)
    assert expected.keys() == found.keys()
    for name, gradient in expected.items():
        assert (found[name] - gradient).norm() <= 1e-5 * gradient.norm()
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0


def test_layers_are_the_longest_list():
    class Foreign(nn.Module):
        def __init__(self):
            super().__init__()
            self.experts = nn.ModuleList([nn.Linear(2, 2)])
            self.blocks = nn.ModuleList([nn.Linear(9, 9), nn.Linear(9, 9)])

    network = Foreign()
    assert parallel.layers_of(network) == list(network.blocks)
    assert parallel.layers_of(nn.Linear(2, 2)) == []


@pytest.mark.parametrize("most", [0.5, 100.0, float("inf")])
def test_clipped_as_pytorch_does(most):
    objective, expected = Objective(), Objective()
    for one in (objective, expected):
        gradients(one)
        one.network.model.norm.bias.grad = None  # a parameter that is not trained
        for parameter in one.parameters():
            if parameter.grad is not None:
                parameter.grad *= 50
    norm = parallel.clipped(objective.parameters(), most)
    assert norm > 1  # else nothing is cut
    torch.testing.assert_close(norm, nn.utils.clip_grad_norm_(expected.parameters(), most))
    for one, other in zip(objective.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_a_norm_that_is_no_number_is_told():
    objective = Objective()
    gradients(objective)
    objective.network.model.norm.bias.grad[0] = float("nan")
    assert parallel.clipped(objective.parameters(), 1.0).isnan()


def test_gathered_of_one_process():
    objective = Objective()
    weights = dict(objective.network.named_parameters())
    found = parallel.gathered(weights)
    assert found.keys() == weights.keys()
    assert not any(one.requires_grad for one in found.values())
    assert all(torch.equal(found[name], weights[name]) for name in weights)


@pytest.mark.parametrize(
    ("sharding", "replicas", "expected"),
    [("auto", 0, 1), ("full", 0, 1), ("none", 0, 8), ("hybrid", 0, 2), ("hybrid", 4, 4)],
)
def test_groups_that_hold_everything(sharding, replicas, expected):
    assert parallel.copies(tiny(sharding=sharding, replicas=replicas), World(3, 8, 3, 2)) == expected


def test_groups_must_divide_the_processes():
    with pytest.raises(UserError, match="replicas = 3 does not divide 8") as refused:
        parallel.copies(tiny(sharding="hybrid", replicas=3), World(3, 8, 3, 2))
    assert "divisor" in refused.value.hint
