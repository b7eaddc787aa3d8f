"""What is minimised, from its definition; and that a step's loss does not depend on how its rows are dealt out."""

import pytest
import torch
from torch.nn import functional

from starloom.errors import UserError
from starloom.starcoder2.network import StarCoder2
from starloom.tokens.special_tokens import SPECIAL_IDS, find_markers
from starloom.training.objective import Objective
from starloom.training.optimizer import Optimizer
from training.packing import tiny

MARKERS = find_markers(SPECIAL_IDS, 0, frozenset())


def objective(markers=MARKERS, **changes):
    settings = tiny(**changes)
    torch.manual_seed(0)
    made = Objective(StarCoder2(settings.model(64)), settings, markers).double()
    if made.horizon is not None:
        torch.nn.init.normal_(made.horizon.weight)
    return made


def rows(count=6):
    """Rows with middles, one half padding, one of two documents."""
    random = torch.Generator().manual_seed(1)
    tokens = torch.randint(40, 64, (count, 33), generator=random)
    for number, one in enumerate(tokens):
        for place, marker in ((2, MARKERS.prefix), (9, MARKERS.suffix), (14, MARKERS.middle), (20 + number, 0)):
            one[place] = marker
    ids, targets = tokens[:, :-1], tokens[:, 1:].clone()
    documents = torch.zeros(ids.shape, dtype=torch.int32)
    targets[1, 16:], documents[1, 16:] = -1, -1
    targets[2, 27], documents[2, 28:] = -1, 1
    return ids, targets, documents


def by_definition(made, settings, ids, targets, documents):
    """[cross-entropy, z-loss, horizon] of whole logits, for autograd to go through."""
    hidden = made.network(ids, documents)
    logits = made.network.logits(hidden)
    counted = (targets >= 0).sum()
    cross_entropy = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1)
    z_loss = settings.z_loss * (logits.logsumexp(-1).square() * (targets >= 0)).sum() / counted
    horizon = torch.zeros(())
    if settings.horizon:
        told = (hidden @ made.horizon.weight[0] + made.horizon.bias).sigmoid()
        for number in range(len(ids)):
            stop = 19 + number  # the last token of the middle
            if number == 1:
                continue  # cut
            for place in range(14, stop + 1):
                share = (stop - place) / (stop - 14)
                horizon = horizon + settings.horizon * (told[number, place] - share).abs() / counted
    return torch.stack([cross_entropy, z_loss, horizon])


@pytest.mark.parametrize("changes", [{}, {"z_loss": 1e-2}, {"horizon": 0.5}, {"z_loss": 1e-2, "horizon": 0.5}])
def test_loss_and_gradients_by_definition(changes):
    made = objective(**changes)
    parameters = dict(made.named_parameters())
    loss, parts = made(*rows())
    found = torch.autograd.grad(loss, parameters.values())
    expected = by_definition(made, tiny(**changes), *rows())
    assert parts.shape == (3,)
    assert not parts.requires_grad
    torch.testing.assert_close(parts, expected.detach().float(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(loss, expected.sum(), rtol=1e-6, atol=1e-7)
    assert (parts > 0).tolist() == [True, "z_loss" in changes, "horizon" in changes]
    for name, one, other in zip(
        parameters, found, torch.autograd.grad(expected.sum(), parameters.values()), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-7, msg=name)


@pytest.mark.parametrize("sizes", [[6], [1] * 6, [4, 2], [5, 1]])
def test_shares_of_a_step_add_up(sizes):
    """Of micro-batches, or of processes: the same loss, parts and gradients as of all rows at once."""
    changes = {"z_loss": 1e-2, "horizon": 0.5}
    whole, cut = objective(**changes), objective(**changes)
    ids, targets, documents = rows()
    targets[3] = -1  # a micro-batch in which nothing counts
    loss, parts = whole(ids, targets, documents)
    loss.backward()
    count = (targets >= 0).sum()
    some = [one.split(sizes) for one in (ids, targets, documents)]
    losses, shares = [], []
    for piece in zip(*some, strict=True):
        share, made = cut(*piece, count)
        share.backward()
        losses.append(share.detach())
        shares.append(made)
    torch.testing.assert_close(sum(losses), loss.detach(), rtol=1e-8, atol=0)
    torch.testing.assert_close(sum(shares), parts)
    for one, other in zip(whole.parameters(), cut.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-6, atol=1e-9)


def test_without_targets_it_is_the_network():
    made = objective(horizon=0.1)
    ids, _, documents = rows()
    expected = made.network.logits(made.network(ids, documents))
    assert torch.equal(made(ids, documents=documents), expected)


def test_the_head_is_no_part_of_the_network():
    names = [name for name, _ in objective(horizon=0.1).named_parameters() if not name.startswith("network.")]
    assert names == ["horizon.weight", "horizon.bias"]
    assert objective().horizon is None


def test_its_weights_are_drawn_from_no_seed():
    """They come after the network's, whose seed is the run's: a run that goes on makes the same ones."""
    torch.manual_seed(1)
    before = torch.get_rng_state()
    network = StarCoder2(tiny().model(64))
    after = torch.get_rng_state()
    assert not torch.equal(before, after)
    Objective(network, tiny(horizon=0.1), MARKERS)
    assert torch.equal(torch.get_rng_state(), after)


def test_horizons_need_a_tokenizer_that_marks_middles():
    with pytest.raises(UserError, match=r"horizon = 0\.1, and the tokenizer has no tokens") as refused:
        objective(markers=None, horizon=0.1)
    assert "horizon = 0" in refused.value.hint
    assert objective(markers=None).horizon is None


def test_bfloat16_computes_the_horizon_in_float32():
    made = objective(horizon=1.0).float()
    ids, targets, documents = rows()
    _, exact = made(ids, targets, documents)
    with torch.autocast("cpu", torch.bfloat16):
        loss, parts = made(ids, targets, documents)
    assert loss.dtype == parts.dtype == torch.float32
    torch.testing.assert_close(parts, exact, rtol=2e-2, atol=0)
    loss.backward()
    assert all(one.grad.isfinite().all() for one in made.parameters())


def test_it_learns_how_much_is_left():
    """Middles whose lengths the prefix tells: from "half", always, to less than half of that error."""
    settings = tiny(horizon=1.0, hidden=32, optimizer="adamw", adamw_rate=3e-3)
    made = Objective(StarCoder2(settings.model(64)), settings, MARKERS)
    optimizer = Optimizer(made, settings, torch.float32)
    random = torch.Generator().manual_seed(0)
    errors = []
    for _ in range(100):
        lengths = torch.randint(3, 9, (8,), generator=random)
        tokens = torch.randint(50, 64, (8, 17), generator=random)
        for one, length in zip(tokens, lengths.tolist(), strict=True):
            one[:5] = torch.tensor([MARKERS.prefix, 40 + length, MARKERS.suffix, 50, MARKERS.middle])
            one[5 + length] = 0
        ids, targets = tokens[:, :-1], tokens[:, 1:]
        loss, parts = made(ids, targets)
        judged = (lengths + 1).sum()  # positions, from the marker to the last token of each middle
        errors.append(float(parts[2] * targets.numel() / judged))
        loss.backward()
        optimizer.step(1.0)
    assert sum(errors[:3]) / 3 > 0.25
    assert sum(errors[-10:]) / 10 < 0.5 * sum(errors[:3]) / 3
