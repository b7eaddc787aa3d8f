"""Exported folders: equal bytes, other precisions, shards; they load in transformers and here; faults are told."""

import json

import pytest
import safetensors.torch
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from transformers.utils import logging

from completion import building as completing
from starcoder2 import building
from starloom.errors import UserError
from starloom.starcoder2 import export as exports
from starloom.starcoder2.export import Terms, export
from starloom.starcoder2.open import open_model
from starloom.starcoder2.safetensors_files import Kind
from starloom.tokens.tokenizer import Tokenizer
from starloom.workspace import manifest

logging.disable_progress_bar()

NOBODY = Terms("", {})
WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """A StarCoder2 of 28,032 parameters with its tokenizer."""
    return completing.model_folder(tmp_path_factory.mktemp("models") / "ours")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """A Llama as transformers writes it, untied."""
    folder = tmp_path_factory.mktemp("models") / "theirs"
    completing.foreign_folder(folder, completing.tokenizer_json())
    return folder


def loaded(folder):
    """All tensors of a folder, whatever the shards."""
    found = {}
    for path in sorted(folder.glob("*.safetensors")):
        part = safetensors.torch.load_file(path)
        assert not found.keys() & part.keys()
        found |= part
    return found


def same_bytes(left, right):
    assert left.keys() == right.keys()
    for name, tensor in left.items():
        assert tensor.dtype == right[name].dtype
        assert torch.equal(tensor.view(torch.uint8), right[name].view(torch.uint8)), name


@pytest.mark.parametrize("kind", ["ours", "theirs"])
@pytest.mark.parametrize("shard", [20_000, exports.SHARD])
def test_every_tensor_keeps_its_bytes(request, tmp_path, kind, shard):
    source = request.getfixturevalue(kind)
    made = export(source, tmp_path / "out", NOBODY, shard_bytes=shard)
    same_bytes(loaded(source), loaded(tmp_path / "out"))
    assert (made.shards > 1) == (shard == 20_000) == (tmp_path / "out" / f"{WEIGHTS}.index.json").exists()
    assert made.dtype == "float32"
    assert made.bytes == 4 * made.parameters
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert made.parameters == model.num_parameters()
    ids = building.ids(1, 30, vocabulary=300)
    with torch.no_grad():
        torch.testing.assert_close(open_model(tmp_path / "out").logits(ids), model(ids).logits, rtol=0, atol=1e-5)
    assert manifest.verify(tmp_path / "out") == []


@pytest.mark.slow
def test_the_tokenizer_goes_along(ours, tmp_path):
    export(ours, tmp_path / "out", NOBODY)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path / "out")
    own = Tokenizer.open(ours)
    assert [theirs.decode([number]) for number in range(60, 300)] == [own.decode([number]) for number in range(60, 300)]
    assert theirs.eos_token == "<|endoftext|>"


def test_the_index_is_that_of_the_hub(ours, tmp_path):
    made = export(ours, tmp_path / "out", NOBODY, shard_bytes=20_000)
    index = json.loads((tmp_path / "out" / f"{WEIGHTS}.index.json").read_bytes())
    assert index["metadata"]["total_size"] == made.bytes
    names = sorted(path.name for path in (tmp_path / "out").glob("*.safetensors"))
    assert names == [f"model-{at:05}-of-{made.shards:05}.safetensors" for at in range(1, made.shards + 1)]
    assert sorted(set(index["weight_map"].values())) == names
    assert index["weight_map"].keys() == loaded(ours).keys()


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 30))
def test_shards_are_filled(sizes, most):
    kinds = {f"t{at:02}": Kind(torch.uint8, (size,)) for at, size in enumerate(sizes)}
    shards = exports._shards(kinds, most)
    assert [name for names in shards.values() for name in names] == sorted(kinds)
    filled = [sum(kinds[name].bytes for name in names) for names in shards.values()]
    assert all(size <= most or len(names) == 1 for size, names in zip(filled, shards.values(), strict=True))
    for size, names in zip(filled, list(shards.values())[1:], strict=False):
        assert size + kinds[names[0]].bytes > most  # the next would not have gone in


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_another_precision(ours, tmp_path, dtype):
    made = export(ours, tmp_path / "out", NOBODY, dtype=dtype, shard_bytes=20_000)
    same_bytes({name: tensor.to(dtype) for name, tensor in loaded(ours).items()}, loaded(tmp_path / "out"))
    assert made.bytes == 2 * made.parameters
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype="auto")
    assert model.dtype == dtype
    config = json.loads((tmp_path / "out" / "config.json").read_bytes())
    assert config["torch_dtype"] == made.dtype == str(dtype).removeprefix("torch.")


def test_again_is_nothing_new_and_another_is_in_the_way(ours, theirs, tmp_path):
    for _ in range(2):
        export(ours, tmp_path / "out", NOBODY)
    before = (tmp_path / "out" / "manifest.json").stat()
    with pytest.raises(UserError, match=str(tmp_path / "out")):
        export(theirs, tmp_path / "out", NOBODY)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep me")
    with pytest.raises(UserError, match=str(tmp_path / "mine")):
        export(ours, tmp_path / "mine", NOBODY)
    assert (tmp_path / "mine" / "letter.txt").read_text() == "keep me"
    assert (tmp_path / "out" / "manifest.json").stat() == before


def test_the_card_names_the_licence_and_its_text_goes_along(ours, tmp_path):
    export(ours, tmp_path / "out", Terms("Apache-2.0", {"LICENSE": b"the text"}))
    card = (tmp_path / "out" / "README.md").read_text()
    assert card.startswith("---\n")
    assert 'license: "apache-2.0"' in card.split("---")[1]
    assert "`LICENSE`" in card
    assert (tmp_path / "out" / "LICENSE").read_bytes() == b"the text"
    export(ours, tmp_path / "silent", NOBODY)
    card = (tmp_path / "silent" / "README.md").read_text()
    assert "license:" not in card
    assert "Nobody has said" in card
    assert "context 96" in card
    with pytest.raises(UserError, match="no licence"):
        export(ours, tmp_path / "bad", Terms("mit\ngated: true", {}))


def test_its_own_card_stays(theirs, tmp_path):
    (theirs / "README.md").write_text("---\nlicense: mit\n---\nmine\n")
    (theirs / "generation_config.json").write_text('{"eos_token_id": 7}')
    (theirs / "chat_template.jinja").write_text("{{ messages }}")
    export(theirs, tmp_path / "out", Terms("mit", {}))
    for name in ("README.md", "generation_config.json", "chat_template.jinja"):
        assert (tmp_path / "out" / name).read_bytes() == (theirs / name).read_bytes()


def adapter(folder, base, changed):
    """A LoRA of rank 2 over one matrix, in PEFT's format; what it makes of that matrix."""
    folder.mkdir()
    settings = {"peft_type": "LORA", "r": 2, "lora_alpha": 6, "base_model_name_or_path": str(base)}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    matrix = loaded(base)[changed]
    torch.manual_seed(1)
    a, b = torch.randn(2, matrix.shape[1]), torch.randn(matrix.shape[0], 2)
    name = f"base_model.model.{changed.removesuffix('.weight')}"
    pair = {f"{name}.lora_A.weight": a, f"{name}.lora_B.weight": b}
    safetensors.torch.save_file(pair, folder / "adapter_model.safetensors")
    return matrix + 3 * (b @ a)


@pytest.mark.parametrize("kind", ["ours", "theirs"])
def test_an_adapter_is_added_to_its_base(request, tmp_path, kind):
    base = request.getfixturevalue(kind)
    changed = "model.layers.1.self_attn.v_proj.weight"
    expected = adapter(tmp_path / "adapter", base, changed)
    export(tmp_path / "adapter", tmp_path / "out", NOBODY, shard_bytes=20_000)
    found = loaded(tmp_path / "out")
    torch.testing.assert_close(found.pop(changed), expected)
    same_bytes({name: tensor for name, tensor in loaded(base).items() if name != changed}, found)
    ids = building.ids(1, 30, vocabulary=300)
    opened, merged = open_model(tmp_path / "adapter").logits(ids), open_model(tmp_path / "out").logits(ids)
    torch.testing.assert_close(opened, merged, rtol=0, atol=1e-5)
    assert (opened - open_model(base).logits(ids)).abs().max() > 1e-2


def test_an_adapter_whose_base_is_not_here(ours, tmp_path):
    adapter(tmp_path / "adapter", ours, "model.layers.1.self_attn.v_proj.weight")
    path = tmp_path / "adapter" / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"base_model_name_or_path": "org/model"}))
    for action in (lambda: open_model(tmp_path / "adapter"), lambda: export(tmp_path / "adapter", tmp_path, NOBODY)):
        with pytest.raises(UserError, match="an adapter of org/model") as caught:
            action()
        assert "adapter_config.json" in caught.value.hint


def test_torn_weights_leave_nothing(ours, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in ours.iterdir():
        data = path.read_bytes()
        (broken / path.name).write_bytes(data[:-5] if path.name == WEIGHTS else data)
    with pytest.raises(UserError, match="torn"):
        export(broken, tmp_path / "out", NOBODY)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken"]
    with pytest.raises(UserError, match="shards of 0 bytes"):
        export(ours, tmp_path / "out", NOBODY, shard_bytes=0)
