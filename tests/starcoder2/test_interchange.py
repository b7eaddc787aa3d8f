"""Folders: ours in transformers, theirs here, and every way in which one can be broken."""

import json
import pickle
import shutil

import pytest
import safetensors.torch
import torch
import transformers
from transformers.utils import logging

from starcoder2 import building
from starloom.errors import UserError
from starloom.starcoder2 import interchange
from starloom.starcoder2.network import StarCoder2

logging.disable_progress_bar()

IDS = building.ids(2, 40)
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"


def put(draft, model, files, folder=""):
    interchange.write(draft, model.config, dict(model.named_parameters()), files, folder)


def written(folder, **changes):
    """Our model in a published folder, and its logits."""
    model = building.pair(building.config(**changes))[1]
    with building.draft(folder) as draft:
        put(draft, model, {"tokenizer.json": b"{}\n"})
    with torch.no_grad():
        return model.logits(model(IDS))


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("original") / "model"
    written(folder)
    return folder


@pytest.fixture
def model(original, tmp_path):
    """A copy to break."""
    return shutil.copytree(original, tmp_path / "model")


@pytest.mark.parametrize("changes", [{}, {"tie_word_embeddings": False}, {"use_bias": False}, {"sliding_window": None}])
def test_what_we_write_loads_in_transformers(tmp_path, changes):
    expected = written(tmp_path / "model", **changes)
    theirs, report = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "model", output_loading_info=True)
    assert not any(report[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert type(theirs) is transformers.Starcoder2ForCausalLM
    assert theirs.dtype == torch.float32
    assert (theirs.generation_config.bos_token_id, theirs.generation_config.eos_token_id) == (0, 0)
    with torch.no_grad():
        assert torch.equal(theirs(IDS).logits, expected)


@pytest.mark.parametrize("changes", [{}, {"tie_word_embeddings": False}, {"use_bias": False}, {"sliding_window": None}])
def test_what_we_write_loads_here(tmp_path, changes):
    expected = written(tmp_path / "model", **changes)
    back = interchange.read(tmp_path / "model")
    assert back.config == building.config(**changes)
    with torch.no_grad():
        assert torch.equal(back.logits(back(IDS)), expected)
    assert all(parameter.requires_grad and parameter.is_leaf for parameter in back.parameters())


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("shard", ["100GB", "5KB"])
def test_what_transformers_writes_loads_here(tmp_path, tied, shard):
    theirs, _ = building.pair(building.config(tie_word_embeddings=tied))
    theirs.save_pretrained(tmp_path, max_shard_size=shard)
    assert (tmp_path / INDEX).exists() == (shard == "5KB")
    ours = interchange.read(tmp_path)
    with torch.no_grad():
        assert torch.equal(ours.logits(ours(IDS)), theirs(IDS).logits)


def test_the_round_trip_changes_no_byte(original, tmp_path):
    """Read by transformers and written again, the weights have the same bytes in another order."""
    transformers.AutoModelForCausalLM.from_pretrained(original).save_pretrained(tmp_path / "theirs")
    with building.draft(tmp_path / "again") as draft:
        put(draft, interchange.read(tmp_path / "theirs"), {"tokenizer.json": b"{}\n"})
    for name in (WEIGHTS, "config.json", "generation_config.json"):
        assert (tmp_path / "again" / name).read_bytes() == (original / name).read_bytes()


def test_a_published_folder(original):
    assert sorted(path.name for path in original.iterdir()) == [
        "config.json",
        "generation_config.json",
        "manifest.json",
        WEIGHTS,
        "tokenizer.json",
    ]
    config = json.loads((original / "config.json").read_bytes())
    assert config["architectures"] == ["Starcoder2ForCausalLM"]
    assert (config["bos_token_id"], config["eos_token_id"]) == (0, 0)
    with safetensors.safe_open(original / WEIGHTS, "pt") as file:
        assert file.metadata() == {"format": "pt"}
        assert "lm_head.weight" not in file.keys()  # noqa: SIM118
    header = int.from_bytes((original / WEIGHTS).read_bytes()[:8], "little")
    assert header % 8 == 0


def test_inside_another_draft(tmp_path):
    """A checkpoint keeps its model in a folder of its own."""
    ours = building.pair(building.config())[1]
    with building.draft(tmp_path / "step") as draft:
        put(draft, ours, {"tokenizer.json": b"{}"}, folder="model")
        draft.write("state.json", b"{}")
    assert interchange.read(tmp_path / "step" / "model").config == ours.config


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(tmp_path, dtype):
    """Written as it is; read as float32 unless asked otherwise."""
    ours = building.pair(building.config())[1].to(dtype)
    with building.draft(tmp_path / "model") as draft:
        put(draft, ours, {})
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype="auto")
    assert theirs.dtype == dtype
    assert interchange.read(tmp_path / "model", dtype).head.dtype == dtype
    back = interchange.read(tmp_path / "model")
    assert back.head.dtype == torch.float32
    for name, tensor in ours.state_dict().items():
        assert torch.equal(back.state_dict()[name], tensor.float())


def test_a_loaded_model_owns_its_weights(model):
    """The file may change or go while the model is in use."""
    ours = interchange.read(model)
    before = ours(IDS)
    with (model / WEIGHTS).open("r+b") as file:
        file.truncate(1000)
    assert torch.equal(ours(IDS), before)


def test_a_model_trained_on_after_reading(model):
    ours = interchange.read(model)
    ours.logits(ours(IDS)).sum().backward()
    assert all(parameter.grad is not None for parameter in ours.parameters())


# Faults


def refused(folder, *told):
    with pytest.raises(UserError) as caught:
        interchange.read(folder)
    for part in told:
        assert part in caught.value.problem
    assert caught.value.hint
    assert "\n" not in caught.value.problem
    return caught.value


def resave(folder, change):
    tensors = safetensors.torch.load_file(folder / WEIGHTS)
    change(tensors)
    safetensors.torch.save_file(tensors, folder / WEIGHTS, {"format": "pt"})


def test_torn_weights_at_every_length(model):
    """Cut anywhere, in the header's length, the header, or the tensors: told, never loaded, never a crash."""
    data = (model / WEIGHTS).read_bytes()
    header = 8 + int.from_bytes(data[:8], "little")
    lengths = {0, 1, 7, 8, 9, header - 1, header, header + 1, len(data) - 1, *range(0, len(data), 997)}
    for length in sorted(lengths):
        (model / WEIGHTS).write_bytes(data[:length])
        refused(model, str(model / WEIGHTS), "torn")
    (model / WEIGHTS).write_bytes(data + b"\0")
    refused(model, str(model / WEIGHTS), "torn")


@pytest.mark.parametrize("start", [b"\xff" * 8, b"\0" * 8, (100).to_bytes(8, "little") + b"{" * 100])
def test_a_header_that_is_none(model, start):
    (model / WEIGHTS).write_bytes(start + (model / WEIGHTS).read_bytes()[len(start) :])
    refused(model, str(model / WEIGHTS), "torn")


def test_no_config(tmp_path):
    refused(tmp_path, "no config.json in", str(tmp_path))
    refused(tmp_path / "absent", "no config.json in")


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"nan nan"])
def test_a_config_that_is_not_json(model, text):
    (model / "config.json").write_bytes(text)
    refused(model, str(model / "config.json"), "is not JSON")


@pytest.mark.parametrize("text", [b"[]", b"null", b'"starcoder2"'])
def test_a_config_that_is_no_object(model, text):
    (model / "config.json").write_bytes(text)
    refused(model, str(model / "config.json"), "no JSON object")


def test_another_family(model):
    (model / "config.json").write_text(json.dumps({"model_type": "llama"}))
    refused(model, str(model / "config.json"), "model_type is 'llama'")


def test_a_missing_tensor(model):
    resave(model, lambda tensors: tensors.pop("model.layers.1.mlp.c_fc.bias"))
    refused(model, WEIGHTS, "lacks model.layers.1.mlp.c_fc.bias")


def test_missing_layers_are_counted(model):
    config = json.loads((model / "config.json").read_bytes())
    (model / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    refused(model, "lacks model.layers.2.input_layernorm.bias and 15 more")


def test_an_additional_tensor(model):
    resave(model, lambda tensors: tensors.update({"model.layers.0.extra": torch.zeros(3)}))
    refused(model, WEIGHTS, "holds model.layers.0.extra")


def test_a_misshapen_tensor(model):
    resave(model, lambda tensors: tensors.update({"model.norm.bias": torch.zeros(25)}))
    refused(model, WEIGHTS, "model.norm.bias is [25], not [24]")


def test_a_tied_head_stored_twice_is_fine(model):
    before = interchange.read(model)
    resave(model, lambda tensors: tensors.update({"lm_head.weight": tensors["model.embed_tokens.weight"].clone()}))
    assert torch.equal(interchange.read(model)(IDS), before(IDS))


def test_no_weights(model):
    (model / WEIGHTS).unlink()
    refused(model, "no model.safetensors in")


def test_pickles_are_never_opened(model):
    (model / WEIGHTS).unlink()

    class Bomb:
        def __reduce__(self):
            return (model.joinpath("exploded").touch, ())

    (model / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb()))
    problem = refused(model, "pytorch_model.bin", "a pickle")
    assert "safetensors" in problem.hint
    assert not (model / "exploded").exists()


@pytest.fixture
def sharded(tmp_path):
    building.pair(building.config())[0].save_pretrained(tmp_path, max_shard_size="5KB")
    return tmp_path


def rewrite_index(folder, change):
    index = json.loads((folder / INDEX).read_bytes())
    change(index["weight_map"])
    (folder / INDEX).write_text(json.dumps(index))


@pytest.mark.parametrize(
    "name", ["../x.safetensors", "/etc/x.safetensors", "a/b.safetensors", "a\\b.safetensors", "x.bin"]
)
def test_an_index_that_leads_elsewhere(sharded, name):
    rewrite_index(sharded, lambda places: places.update({"model.norm.bias": name}))
    refused(sharded, INDEX, repr(name))


@pytest.mark.parametrize("value", [5, None, ["model.safetensors"]])
def test_an_index_of_no_names(sharded, value):
    rewrite_index(sharded, lambda places: places.update({"model.norm.bias": value}))
    refused(sharded, INDEX, repr(value))


@pytest.mark.parametrize("text", ["{}", '{"weight_map": []}', '{"weight_map": {}}'])
def test_an_index_without_a_map(sharded, text):
    (sharded / INDEX).write_text(text)
    refused(sharded, INDEX, "no weight_map")


def test_a_missing_shard(sharded):
    shard = sorted(sharded.glob("model-*.safetensors"))[2]
    shard.unlink()
    refused(sharded, str(shard), "is missing")


def test_a_torn_shard(sharded):
    shard = sorted(sharded.glob("model-*.safetensors"))[2]
    shard.write_bytes(shard.read_bytes()[:-1])
    refused(sharded, str(shard), "torn")


def test_shards_that_differ_from_their_index(sharded):
    rewrite_index(sharded, lambda places: places.pop("model.norm.bias"))
    refused(sharded, "holds model.norm.bias", "does not place there")
    rewrite_index(
        sharded,
        lambda places: places.update(
            {"model.norm.bias": places["model.norm.weight"], "x": places["model.norm.weight"]}
        ),
    )
    refused(sharded, "lacks x")


def test_fresh_models_are_written_the_same(tmp_path):
    """Same seed, same bytes: what a manifest's hashes rest on."""
    hashes = []
    for name in ("a", "b"):
        torch.manual_seed(7)
        with building.draft(tmp_path / name) as draft:
            put(draft, StarCoder2(building.config()), {})
        hashes.append((tmp_path / name / WEIGHTS).read_bytes())
    assert hashes[0] == hashes[1]
