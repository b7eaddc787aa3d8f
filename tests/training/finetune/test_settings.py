"""[finetune]: what it makes of itself for the loop, and what no run can have."""

import pytest

from starloom.errors import UserError
from starloom.training.finetune.settings import FinetuneSettings


def test_what_the_loop_goes_by():
    made = FinetuneSettings(warm_up=0.1, batch=4).train(steps=200, sequence=1024)
    assert (made.steps, made.sequence, made.batch, made.warm_up) == (200, 1024, 4, 20)
    assert (made.optimizer, made.adamw_rate, made.schedule, made.ema) == ("adamw", 1e-5, "cosine", 0.0)
    assert FinetuneSettings(method="lora").train(1, 64).adamw_rate == 2e-4
    assert FinetuneSettings(method="lora", rate=1e-3).train(1, 64).adamw_rate == 1e-3


def test_what_may_change_when_a_run_goes_on():
    had = FinetuneSettings(method="lora").outcome(64)
    free = {"keep": 5, "merge": True, "micro_batch": 1, "activation_checkpointing": "layers", "evaluate_every": 3}
    assert FinetuneSettings(method="lora", **free).outcome(64) == had
    for name, value in {"rank": 8, "loss": "all", "seed": 1, "steps": 7, "targets": ("q_proj",)}.items():
        assert FinetuneSettings(**{"method": "lora", name: value}).outcome(64) != had, name
    assert FinetuneSettings().outcome(64)["rate"] == 1e-5  # as it was, whatever becomes usual


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rank": 0}, "rank = 0 is out of range"),
        ({"alpha": 0.0}, "alpha = 0.0 is out of range"),
        ({"epochs": 0.0}, "epochs = 0.0 is out of range"),
        ({"rate": 2.0}, "rate = 2.0 is out of range"),
        ({"warm_up": 1.5}, "warm_up = 1.5 is out of range"),
        ({"sequence": -1}, "sequence = -1 is out of range"),
        ({"merge": True}, 'merge is of adapters, and method = "full" has none'),
        ({"targets": ("q_proj",)}, "targets is of adapters"),
        ({"batch": 0}, "[finetune] batch = 0 is out of range"),  # the loop's own, in our words
    ],
)
def test_what_no_run_can_have(changes, said):
    with pytest.raises(UserError) as problem:
        FinetuneSettings(**changes)
    assert said in problem.value.problem
    assert problem.value.hint
