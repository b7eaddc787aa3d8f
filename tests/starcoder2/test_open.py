"""Any family: models of transformers' shapes, decoded and scored like ours; what cannot be opened is told."""

import json
import sys

import pytest
import torch
import transformers
from transformers.utils import logging

from starcoder2 import building
from starloom.errors import UserError
from starloom.starcoder2 import open as opening
from starloom.starcoder2.decode import generate
from starloom.starcoder2.likelihood import bits
from starloom.starcoder2.open import Foreign, Own, open_model

SMALL = {
    "vocab_size": building.VOCABULARY,
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "num_key_value_heads": 1,
    "max_position_embeddings": 64,
    "bos_token_id": 0,
    "eos_token_id": 0,
}
FAMILIES = {
    "qwen2": transformers.Qwen2Config(**SMALL),  # Qwen2.5-Coder
    "qwen3": transformers.Qwen3Config(**SMALL, head_dim=8),
    "llama": transformers.LlamaConfig(**SMALL),  # Seed-Coder, Mellum, CodeLlama
    "mistral": transformers.MistralConfig(**SMALL, sliding_window=8),  # a window of its own
    "gpt_bigcode": transformers.GPTBigCodeConfig(  # StarCoder, SantaCoder
        vocab_size=building.VOCABULARY, n_embd=24, n_layer=2, n_head=3, n_positions=64, bos_token_id=0, eos_token_id=0
    ),
    "starcoder2": transformers.Starcoder2Config(**SMALL, sliding_window=8),
}


def save(config, folder, **options):
    logging.disable_progress_bar()
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    building.randomize(model, scale=0.4)
    model.save_pretrained(folder, **options)
    return model


@pytest.fixture(scope="module", params=FAMILIES)
def family(request, tmp_path_factory):
    """(transformers' model, ours opened from its folder)."""
    folder = tmp_path_factory.mktemp(request.param)
    return save(FAMILIES[request.param], folder), open_model(folder)


def test_who_opens_it(family):
    theirs, opened = family
    assert type(opened) is (Own if theirs.config.model_type == "starcoder2" else Foreign)
    assert opened.model_type == theirs.config.model_type
    assert opened.vocabulary == building.VOCABULARY
    assert opened.context == 64


def test_logits(family):
    theirs, opened = family
    ids = building.ids(2, 40)
    with torch.no_grad():
        expected = theirs(ids).logits
    found = opened.logits(ids)
    assert not found.requires_grad
    assert (found - expected).abs().max() <= 1e-5


def test_steps_equal_the_whole(family):
    """A prompt at once, then token by token, then several: beyond the window, where there is one."""
    _, opened = family
    ids, cache, at = building.ids(1, 50), None, 0
    whole = opened.logits(ids)[0]
    for size in (12, *[1] * 20, 5, *[1] * 13):
        logits, cache = opened.step(ids[:, at : at + size], cache)
        at += size
        assert logits.shape == (1, building.VOCABULARY)
        torch.testing.assert_close(logits[0], whole[at - 1], rtol=0, atol=2e-5)
    assert at == 50


def test_greedy(family):
    theirs, opened = family
    expected = theirs.generate(
        torch.tensor([[3, 1, 4]]), max_new_tokens=40, do_sample=False, eos_token_id=None, pad_token_id=0
    )
    assert list(generate(opened, [3, 1, 4], max_tokens=40)) == expected[0, 3:].tolist()


def test_bits(family):
    theirs, opened = family
    ids = building.ids(30)
    with torch.no_grad():
        expected = -theirs(ids[None, :-1]).logits[0].double().log_softmax(1).gather(1, ids[1:, None])[:, 0]
    found = bits(opened, ids.tolist(), 64)
    assert abs(torch.from_numpy(found) * torch.log(torch.tensor(2.0)) - expected).max() <= 1e-5


def test_what_was_read_is_taken_back(family):
    """Where the family's cache can: then other tokens follow as if the first had never been read."""
    _, opened = family
    ids, other = building.ids(1, 30), building.ids(1, 6, seed=1)
    _, cache = opened.step(ids, None)
    slides = opened.model_type == "mistral"  # of transformers' windows, what slid out is gone
    assert opened.cut(cache, 30) != slides
    assert opened.cut(cache, 20) != slides
    if not slides:
        logits, _ = opened.step(other, cache, 3)
        whole = opened.logits(torch.cat((ids[:, :20], other), dim=1))[0, -3:]
        torch.testing.assert_close(logits, whole, rtol=0, atol=2e-5)


def test_a_long_prompt_is_read_in_pieces(family, monkeypatch):
    _, opened = family
    monkeypatch.setattr(opening, "SPARE", 16)
    ids = building.ids(1, 50)
    logits, cache = opened.step(ids, None)
    torch.testing.assert_close(logits[0], opened.logits(ids)[0, -1], rtol=0, atol=2e-5)
    if isinstance(opened, Own):
        assert cache.length == 50


def test_precision_on_request(tmp_path):
    save(FAMILIES["llama"], tmp_path / "a")
    save(FAMILIES["starcoder2"], tmp_path / "b")
    for folder in ("a", "b"):
        assert open_model(tmp_path / folder, "cpu", torch.bfloat16).logits(building.ids(1, 3)).dtype == torch.bfloat16
        assert open_model(tmp_path / folder, "cpu").logits(building.ids(1, 3)).dtype == torch.float32


def test_shards_of_a_foreign_model(tmp_path):
    theirs = save(FAMILIES["llama"], tmp_path, max_shard_size="5KB")
    assert (tmp_path / "model.safetensors.index.json").exists()
    with torch.no_grad():
        expected = theirs(building.ids(1, 9)).logits
    assert (open_model(tmp_path).logits(building.ids(1, 9)) - expected).abs().max() <= 1e-6


def test_opening_is_silent(tmp_path, capfd):
    save(FAMILIES["llama"], tmp_path)
    logging.enable_progress_bar()
    try:
        capfd.readouterr()
        open_model(tmp_path)
        assert capfd.readouterr() == ("", "")
        assert logging.is_progress_bar_enabled()
    finally:
        logging.disable_progress_bar()


# Faults


@pytest.fixture
def llama(tmp_path):
    save(FAMILIES["llama"], tmp_path)
    return tmp_path


def refused(folder, *told):
    with pytest.raises(UserError) as caught:
        open_model(folder)
    for part in told:
        assert part in caught.value.problem
    assert caught.value.hint
    assert "\n" not in caught.value.problem
    return caught.value


def change_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | changes))


def test_no_model_at_all(tmp_path):
    refused(tmp_path, "no config.json in")


def test_no_family(llama):
    change_config(llama, model_type=None)
    refused(llama, "config.json names no model_type")


def test_a_family_nobody_knows(llama):
    change_config(llama, model_type="warp9")
    refused(llama, "warp9")


def test_a_family_that_generates_no_text(llama):
    change_config(llama, model_type="vit", architectures=["ViTModel"])
    refused(llama, "vit")


def test_remote_code_does_not_run(llama):
    """A folder that brings its own network: refused, and its file not executed."""
    (llama / "network.py").write_text(f"open({str(llama / 'ran')!r}, 'w').close()\nclass M: pass\n")
    change_config(llama, model_type="warp9", auto_map={"AutoConfig": "network.M", "AutoModelForCausalLM": "network.M"})
    refused(llama, "warp9")
    assert not (llama / "ran").exists()


@pytest.mark.parametrize("length", [0, 5, 300, 3000])
def test_torn_weights(llama, length):
    path = llama / "model.safetensors"
    path.write_bytes(path.read_bytes()[:length])
    refused(llama, str(path), "torn")


def test_pickles(llama):
    (llama / "model.safetensors").rename(llama / "pytorch_model.bin")
    assert "safetensors" in refused(llama, "pytorch_model.bin").hint


def test_missing_layers(llama):
    change_config(llama, num_hidden_layers=3)
    refused(llama, "model.layers.2.", "missing")


def test_another_shape(llama):
    change_config(llama, vocab_size=50)
    refused(llama, str(llama))


def test_without_transformers(llama, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    assert "starloom[models]" in refused(llama, "needs transformers").hint


def test_ours_need_no_transformers(tmp_path, monkeypatch):
    save(FAMILIES["starcoder2"], tmp_path)
    monkeypatch.setitem(sys.modules, "transformers", None)
    assert type(open_model(tmp_path)) is Own
