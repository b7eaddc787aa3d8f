"""Muon against PyTorch's, AdamW's groups, and states that come back whole."""

import pytest
import torch

from starloom.errors import UserError
from starloom.starcoder2.network import StarCoder2
from starloom.training.optimizer import Average, Muon, Optimizer, orthogonal
from training.packing import tiny

SHAPES = [(16, 16), (8, 24), (24, 8)]


def matrices(seed):
    torch.manual_seed(seed)
    found = {f"{rows}x{columns}": torch.nn.Parameter(torch.randn(rows, columns)) for rows, columns in SHAPES}
    for one in found.values():
        one.grad = torch.randn_like(one)
    return found


def test_muon_is_pytorchs():
    ours, theirs = matrices(0), matrices(0)
    muon = Muon(ours, rate=0.02, weight_decay=0.1, dtype=torch.bfloat16)
    reference = torch.optim.Muon(theirs.values(), lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for _ in range(5):
        muon.step(1.0)
        reference.step()
        for name in ours:
            assert torch.equal(ours[name], theirs[name])
            ours[name].grad = theirs[name].grad = torch.sin(ours[name].detach())


def test_float32_goes_the_same_way():
    near, far = matrices(0), matrices(0)
    Muon(near, 0.02, 0.1, torch.float32).step(1.0)
    Muon(far, 0.02, 0.1, torch.bfloat16).step(1.0)
    for (name, start), one, other in zip(matrices(0).items(), near.values(), far.values(), strict=True):
        cosine = torch.nn.functional.cosine_similarity((one - start).flatten(), (other - start).flatten(), dim=0)
        assert cosine > 0.999, name


@pytest.mark.parametrize("shape", SHAPES)
def test_orthogonal(shape):
    torch.manual_seed(1)
    matrix = torch.randn(shape)
    found = torch.linalg.svdvals(orthogonal(matrix, torch.float32))
    assert found.min() > 0.4
    assert found.max() < 1.25
    assert orthogonal(matrix, torch.float32).shape == shape
    assert not orthogonal(torch.zeros(shape), torch.float32).any()


def network(seed=0):
    torch.manual_seed(seed)
    return StarCoder2(tiny().model(64))


def with_gradients(model, seed):
    torch.manual_seed(seed)
    for one in model.parameters():
        one.grad = torch.randn_like(one)
    return model


def test_norms_and_biases_do_not_decay():
    model = network()
    torch.nn.init.constant_(model.model.layers[0].mlp.c_fc.bias, 0.5)
    before = {name: one.detach().clone() for name, one in model.named_parameters()}
    for one in model.parameters():
        one.grad = torch.zeros_like(one)
    Optimizer(model, tiny(weight_decay=0.5), torch.float32).step(1.0)
    for name, one in model.named_parameters():
        shrunk = (one.detach().abs() < before[name].abs()).any()
        assert bool(shrunk) == (one.ndim == 2), name


def test_each_parameter_has_one_optimizer():
    model = with_gradients(network(), 1)
    optimizer = Optimizer(model, tiny(), torch.float32)
    optimizer.step(1.0)
    assert all(one.grad is None for one in model.parameters())
    kinds = {}
    for name in optimizer.state():
        parameter, _, moment = name.rpartition(".")
        kinds.setdefault(parameter, set()).add(moment)
    for name, one in model.named_parameters():
        hidden = "layers" in name and one.ndim == 2
        assert kinds.pop(name) == ({"momentum"} if hidden else {"exp_avg", "exp_avg_sq"})
    assert not kinds


def test_a_state_goes_on_bit_for_bit():
    whole = network()
    optimizer, average = Optimizer(whole, tiny(), torch.float32), Average(whole, tiny())
    for step in range(3):
        with_gradients(whole, step)
        optimizer.step(0.5)
        average.step(step)
    half = network()
    half.load_state_dict(whole.state_dict())
    saved = {name: one.clone() for name, one in (optimizer.state() | average.state()).items()}
    again, mean = Optimizer(half, tiny(), torch.float32), Average(half, tiny())
    again.load(saved, 3)
    mean.load(saved)
    for model, one, other in ((whole, optimizer, average), (half, again, mean)):
        with_gradients(model, 9)
        one.step(0.25)
        other.step(3)
    for name, one in (optimizer.state() | average.state()).items():
        assert torch.equal(one, (again.state() | mean.state())[name]), name
    assert all(map(torch.equal, whole.parameters(), half.parameters()))


def test_another_networks_state_is_refused():
    optimizer = Optimizer(network(), tiny(), torch.float32)
    state = optimizer.state()
    name = next(iter(state))
    with pytest.raises(UserError, match="is missing"):
        optimizer.load({}, 1)
    with pytest.raises(UserError, match=r"momentum is torch.float32 \[3\]"):
        optimizer.load(state | {name: torch.zeros(3)}, 1)


def test_the_average_becomes_the_weights():
    model = network()
    average = Average(model, tiny(ema=0.5))
    with torch.no_grad():
        for one in model.parameters():
            one.fill_(2.0)
    for step in range(40):
        average.step(step)
    average.into_network()
    assert all(torch.allclose(one, torch.tensor(2.0)) for one in model.parameters())
