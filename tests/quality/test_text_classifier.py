"""Hugging Face text classifiers, small ones with chance weights: their own answer is ours."""

import json

import numpy as np
import pytest
import torch
import transformers
from transformers.utils import logging

from starloom.errors import UserError
from starloom.quality.scorer.files import as_files
from starloom.quality.scorer.open import mark, open_scorer
from starloom.quality.settings import QualitySettings

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "def", "return", "value", "import", "this"]
TEXTS = ["def value return", "import this " * 200, "", "\0 \n", "value", "é中 def"]
FILES = as_files(TEXTS, ["Python"] * len(TEXTS), [None] * len(TEXTS))


def save(folder, **options):
    logging.disable_progress_bar()
    torch.manual_seed(3)
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    tokenizer = transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt"))
    tokenizer.save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=20,
        max_position_embeddings=32,
        initializer_range=1.0,
        **options,
    )
    model = transformers.BertForSequenceClassification(config).eval()
    model.save_pretrained(folder)
    return tokenizer, model


def theirs(tokenizer, model, text):
    tokens = tokenizer([text or " \n"], truncation=True, max_length=30, return_tensors="pt")
    with torch.inference_mode():
        return model(**tokens).logits[0]


@pytest.fixture
def opened(tmp_path):
    def make(labels=2, **settings):
        pair = save(tmp_path / "model", num_labels=labels)
        return *pair, open_scorer(QualitySettings(str(tmp_path / "model"), **settings)).score(FILES)

    return make


def test_two_classes(opened):
    tokenizer, model, found = opened(batch=4)
    assert found.dtype == np.float32
    for text, score in zip(TEXTS, found.tolist(), strict=True):
        assert score == pytest.approx(float(theirs(tokenizer, model, text).softmax(-1)[1]), abs=1e-5)
    assert len(set(np.round(found, 4).tolist())) > 3


def test_the_class_that_is_named(opened):
    tokenizer, model, found = opened(labels=3, label="LABEL_2")
    assert found[0] == pytest.approx(float(theirs(tokenizer, model, TEXTS[0]).softmax(-1)[2]), abs=1e-5)


def test_one_output(opened):
    tokenizer, model, found = opened(labels=1, least=-2.0, most=2.0)
    for text, score in zip(TEXTS, found.tolist(), strict=True):
        assert score == pytest.approx(min(max((float(theirs(tokenizer, model, text)[0]) + 2) / 4, 0), 1), abs=1e-5)


def test_batches_do_not_matter(tmp_path):
    save(tmp_path / "model", num_labels=2)
    one, many = (open_scorer(QualitySettings(str(tmp_path / "model"), batch=k)).score(FILES) for k in (1, 16))
    assert one == pytest.approx(many, abs=1e-5)


def test_what_is_refused(tmp_path):
    folder = tmp_path / "model"
    save(folder, num_labels=3)
    for settings, words in (
        ({}, "tells 3 classes: LABEL_0, LABEL_1, LABEL_2"),
        ({"label": "LABEL_7"}, "has no class `LABEL_7`"),
        ({"label": "LABEL_1", "most": 0.0}, "most = 0.0 is out of range"),
        ({"label": "LABEL_1", "batch": 0}, "batch = 0 is out of range"),
        ({"label": "LABEL_1", "device": "nonsense"}, "cannot be opened"),
    ):
        with pytest.raises(UserError, match=words):
            open_scorer(QualitySettings(str(folder), **settings))


def test_a_base_model_is_no_classifier(tmp_path):
    """transformers would give it a head of chance weights."""
    _, model = save(tmp_path / "model", num_labels=2)
    model.bert.save_pretrained(tmp_path / "model")
    with pytest.raises(UserError, match=r"is a BertModel, no text classifier"):
        open_scorer(QualitySettings(str(tmp_path / "model")))


@pytest.mark.parametrize("damage", ["config", "weights", "pickle", "code"])
def test_damaged_folders(tmp_path, damage):
    folder = tmp_path / "model"
    _, model = save(folder, num_labels=2)
    if damage == "config":
        (folder / "config.json").write_text("{")
    elif damage == "weights":
        (folder / "model.safetensors").write_bytes(b"\0" * 50)
    elif damage == "pickle":  # opening one could run any program
        (folder / "model.safetensors").unlink()
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
    else:
        config = json.loads((folder / "config.json").read_text())
        config["auto_map"] = {"AutoModelForSequenceClassification": "evil.Model", "AutoConfig": "evil.Config"}
        config["model_type"] = "evil"
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(UserError, match="cannot be opened as a text classifier"):
        open_scorer(QualitySettings(str(folder)))
    assert not (tmp_path / "ran").exists()


def test_the_mark_is_of_its_files(tmp_path):
    folder = tmp_path / "model"
    save(folder, num_labels=2)
    settings = QualitySettings(str(folder))
    before = mark(settings)
    (folder / "README.md").write_text("words")
    assert mark(settings) == before
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"hidden_act": "relu"}))
    assert mark(settings) != before


def test_without_transformers(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(UserError, match="needs transformers") as told:
        open_scorer(QualitySettings(str(tmp_path)))
    assert "starloom[train,models]" in told.value.hint
