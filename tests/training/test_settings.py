"""The section [train]: what is refused, and what is recorded."""

import pytest

from starloom.errors import UserError
from starloom.settings import load
from starloom.training.settings import TrainSettings


def test_the_demo_model():
    shape = TrainSettings().model(8192)
    assert shape.parameters() == 3_155_072  # the 3.2 M of dependencies.md, section 2
    assert (shape.vocab_size, shape.sliding_window, shape.num_key_value_heads) == (8192, 512, 1)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"heads": 5}, "heads = 5 does not divide hidden = 192"),
        ({"heads": 4, "kv_heads": 3}, "kv_heads = 3 does not divide heads = 4"),
        ({"hidden": 9, "heads": 3}, "heads of odd width 3"),
        ({"sequence": 4096}, "sequence = 4096 is longer than context = 2048"),
        ({"layers": 0}, "layers = 0 is out of range"),
        ({"batch": -1}, "batch = -1 is out of range"),
        ({"steps": -1}, "steps = -1 is out of range"),
        ({"seconds": 0.0}, "seconds = 0.0 is out of range"),
        ({"keep": 0}, "keep = 0 is out of range"),
        ({"block": 0}, "block = 0 is out of range"),
        ({"packing": "greedy"}, "'greedy' is not accepted"),
        ({"decay": 1.5}, "decay = 1.5 is out of range"),
        ({"ema": 1.0}, "ema = 1.0 is out of range"),
        ({"muon_rate": -1.0}, "muon_rate = -1.0 is out of range"),
        ({"seed": -1}, "seed = -1 is out of range"),
        ({"precision": "float16"}, "'float16' is not accepted"),
        ({"device": "tpu"}, "'tpu' is not accepted"),
        ({"laers": 3}, "unknown key `laers`"),
    ],
)
def test_refused(table, words):
    with pytest.raises(UserError) as refused:
        load(table, TrainSettings, "starloom.toml, section [train]")
    assert words in refused.value.problem
    assert refused.value.hint


def test_what_does_not_touch_the_weights_may_change():
    assert TrainSettings(keep=5, checkpoint_seconds=1.0).outcome() == TrainSettings().outcome()
    assert TrainSettings(seed=1).outcome() != TrainSettings().outcome()
