"""Muon and AdamW against PyTorch's, what decays, states that come back whole, and rows that many processes share."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from starloom.starcoder2.network import StarCoder2
from starloom.training.muon import Muon, orthogonal
from starloom.training.objective import Objective
from starloom.training.optimizer import UPDATES, AdamW, Average, Optimizer
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


@pytest.mark.parametrize("changes", [{}, {"beta1": 0.8, "beta2": 0.999, "epsilon": 1e-3, "weight_decay": 0.3}])
def test_adamw_is_pytorchs(changes):
    settings = tiny(adamw_rate=0.02, **changes)
    ours, theirs = matrices(0), matrices(0)
    adamw = AdamW(ours, settings)
    reference = torch.optim.AdamW(
        theirs.values(),
        lr=0.02,
        betas=(settings.beta1, settings.beta2),
        eps=settings.epsilon,
        weight_decay=settings.weight_decay,
        fused=True,
    )
    for factor in (1.0, 0.5, 0.25, 1.0):
        reference.param_groups[0]["lr"] = 0.02 * factor
        adamw.step(factor)
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


def objective(seed=0, **changes):
    torch.manual_seed(seed)
    settings = tiny(**changes)
    return Objective(StarCoder2(settings.model(64)), settings, None)


def with_gradients(model, seed):
    torch.manual_seed(seed)
    for one in model.parameters():
        one.grad = torch.randn_like(one)
    return model


@pytest.mark.parametrize("kind", ["muon", "adamw"])
def test_norms_and_biases_do_not_decay(kind):
    model = objective()
    torch.nn.init.constant_(model.network.model.layers[0].mlp.c_fc.bias, 0.5)
    before = {name: one.detach().clone() for name, one in model.named_parameters()}
    for one in model.parameters():
        one.grad = torch.zeros_like(one)
    Optimizer(model, tiny(weight_decay=0.5, optimizer=kind), torch.float32).step(1.0)
    for name, one in model.named_parameters():
        if one.ndim == 2:  # without a gradient, decay is all there is
            torch.testing.assert_close(one, before[name] * (1 - 4e-3 * 0.5))
        else:
            assert torch.equal(one, before[name]), name


@pytest.mark.parametrize("kind", ["muon", "adamw"])
def test_each_parameter_has_one_optimizer(kind):
    model = with_gradients(objective(), 1)
    optimizer = Optimizer(model, tiny(optimizer=kind), torch.float32)
    optimizer.step(1.0)
    assert all(one.grad is None for one in model.parameters())
    kinds = {}
    for name in optimizer.state().keys() - {UPDATES}:
        parameter, _, moment = name.rpartition(".")
        kinds.setdefault(parameter, set()).add(moment)
    for name, one in model.named_parameters():
        hidden = kind == "muon" and "layers" in name and one.ndim == 2
        assert kinds.pop(name) == ({"momentum"} if hidden else {"exp_avg", "exp_avg_sq"})
    assert not kinds


def test_what_is_not_trained_stays():
    """Adapters: the base is frozen, has no moments and no gradients."""
    model = objective()
    frozen = [one for name, one in model.named_parameters() if "mlp" not in name]
    for one in frozen:
        one.requires_grad_(False)
    before = [one.clone() for one in frozen]
    optimizer = Optimizer(model, tiny(), torch.float32)
    for one in model.parameters():
        if one.requires_grad:
            one.grad = torch.randn_like(one)
    optimizer.step(1.0)
    assert all(map(torch.equal, frozen, before))
    assert all("mlp" in name for name in optimizer.state().keys() - {UPDATES})


def test_a_state_goes_on_bit_for_bit():
    whole = objective()
    optimizer, average = Optimizer(whole, tiny(), torch.float32), Average(dict(whole.named_parameters()), tiny())
    for step in range(4):
        with_gradients(whole, step)
        if step == 2:  # passed over: the moments' correction must not count it
            optimizer.forget()
            continue
        optimizer.step(0.5)
        average.step(step)
    assert optimizer.state()[UPDATES] == 3
    half = objective()
    half.load_state_dict(whole.state_dict())
    again, mean = Optimizer(half, tiny(), torch.float32), Average(dict(half.named_parameters()), tiny())
    fresh = again.state() | mean.state()
    assert fresh.keys() == (optimizer.state() | average.state()).keys()
    for name, one in (optimizer.state() | average.state()).items():
        fresh[name].copy_(one)
    for model, one, other in ((whole, optimizer, average), (half, again, mean)):
        with_gradients(model, 9)
        one.step(0.25)
        other.step(3)
    for name, one in (optimizer.state() | average.state()).items():
        assert torch.equal(one, (again.state() | mean.state())[name]), name
    assert all(map(torch.equal, whole.parameters(), half.parameters()))


def test_a_step_that_is_passed_over_changes_nothing():
    model = with_gradients(objective(), 0)
    optimizer = Optimizer(model, tiny(), torch.float32)
    optimizer.step(1.0)
    tensors = {**dict(model.named_parameters()), **optimizer.state()}
    before = {name: one.detach().clone() for name, one in tensors.items()}
    with_gradients(model, 1)
    optimizer.forget()
    assert all(one.grad is None for one in model.parameters())
    assert all(torch.equal(one, before[name]) for name, one in tensors.items())


def test_the_average_becomes_the_weights():
    weights = {"a": torch.nn.Parameter(torch.zeros(3, 2)), "b": torch.nn.Parameter(torch.zeros(2))}
    average = Average(weights, tiny(ema=0.5))
    expected = torch.zeros(())
    for step in range(40):
        with torch.no_grad():
            for one in weights.values():
                one.fill_(float(step))
        average.step(step)
        stays = min(0.5, (step + 1) / (step + 10))
        expected = stays * expected + (1 - stays) * step
    average.into_weights()
    for one in weights.values():
        torch.testing.assert_close(one.detach(), expected.expand_as(one))


@pytest.mark.slow
def test_rows_that_many_processes_share(tmp_path):
    """Every update is that of one process: Muon's whole matrices, AdamW's rows, of which a process may have none."""
    script = Path(__file__).with_name("sharded_optimizer.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        env=os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"},
        timeout=120,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = load_file(tmp_path / "1.safetensors")
    assert {f"{name}.after" for name in expected} & expected.keys()
    for size in (2, 4):
        found = load_file(tmp_path / f"{size}.safetensors")
        assert found.keys() == expected.keys()
        for name, one in expected.items():
            torch.testing.assert_close(found[name], one, rtol=1e-5, atol=1e-7, msg=f"{size}: {name}")
