"""vocab.json and merges.txt alone: the ids are those of GPT-2's own tokenizer; what splits otherwise is refused."""

import json

import pytest

from starloom.errors import UserError
from starloom.tokens import hub_format
from starloom.tokens.special_tokens import SPECIAL_TOKENS
from starloom.tokens.tokenizer import Tokenizer
from tokens.learning import OTHER, table

TEXTS = ("def f(x):\n    return 12345  # naïve  \r\n", OTHER, "'s 't  1", "", "<fim_prefix> <|endoftext|>")


def put(folder, merges_head="#version: 0.2\n", **companions):
    """A folder of the vocabulary and merges of our tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    model = table()["model"]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
    lines = [" ".join(pair) for pair in model["merges"]]
    (folder / "merges.txt").write_text(merges_head + "\n".join(lines) + "\n", encoding="utf-8")
    for name, value in companions.items():
        (folder / f"{name}.json").write_text(json.dumps(value))
    return folder


def fails(folder):
    with pytest.raises(UserError) as raised:
        Tokenizer.open(folder)
    return raised.value


@pytest.mark.filterwarnings("ignore")  # transformers' imports
def test_as_transformers_has_it(tmp_path):
    transformers = pytest.importorskip("transformers")
    folder = put(tmp_path, special_tokens_map={"additional_special_tokens": list(SPECIAL_TOKENS[1:])})
    mine = Tokenizer.open(folder)
    theirs = transformers.GPT2Tokenizer.from_pretrained(folder, local_files_only=True)
    for text in TEXTS[:4]:
        assert mine.encode(text) == theirs.encode(text, add_special_tokens=False)
        assert mine.decode(mine.encode(text)) == text
    assert len(mine.encode("12345")) == len(theirs.encode("12345"))


def test_digits_are_not_split_off(tmp_path):
    """Which is what differs from the tokenizer that those files are of."""
    changed = table()["model"]
    folder = put(tmp_path)
    vocabulary = changed["vocab"] | {"12": 1000}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    with (folder / "merges.txt").open("a") as file:
        file.write("1 2\n")
    assert Tokenizer.open(folder).encode("12") == [1000]


@pytest.mark.parametrize(
    ("companions", "special"),
    [
        ({}, {0}),  # <|endoftext|> is known by its spelling
        ({"tokenizer_config": {"tokenizer_class": "GPT2Tokenizer", "pad_token": "<fim_pad>"}}, {0, 4}),
        ({"tokenizer_config": {"tokenizer_class": "GPT2TokenizerFast", "eos_token": {"content": "<pr>"}}}, {0, 18}),
        ({"tokenizer_config": {"added_tokens_decoder": {"1": {"content": "<fim_prefix>", "special": True}}}}, {0, 1}),
        ({"added_tokens": {"<more>": 1000}}, {0, 1000}),
        ({"special_tokens_map": {"unk_token": "no token of it"}}, {0}),
    ],
    ids=["none", "class", "fast class", "decoder", "added", "unknown"],
)
def test_special_tokens(tmp_path, companions, special):
    tokenizer = Tokenizer.open(put(tmp_path, **companions))
    assert tokenizer.added == special
    assert tokenizer.end_of_text == 0
    for text in TEXTS:
        assert special.isdisjoint(tokenizer.encode(text))
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_what_is_made_is_a_tokenizer_of_its_own(tmp_path):
    """The same bytes every time, which open by themselves."""
    folder = put(tmp_path / "old", tokenizer_config={"eos_token": "<|endoftext|>"})
    tokenizer = Tokenizer.open(folder)
    assert Tokenizer.open(folder).sha256 == tokenizer.sha256
    assert set(tokenizer.files()) == {"tokenizer.json", "tokenizer_config.json"}
    (tmp_path / "new.json").write_bytes(tokenizer.files()["tokenizer.json"])
    assert Tokenizer.open(tmp_path / "new.json").encode(OTHER) == tokenizer.encode(OTHER)


def test_tokenizer_json_comes_first(tmp_path):
    folder = put(tmp_path)
    (folder / "tokenizer.json").write_text(json.dumps(table()))
    assert Tokenizer.open(folder).markers is not None


def test_other_classes_are_refused(tmp_path):
    error = fails(put(tmp_path, tokenizer_config={"tokenizer_class": "Qwen2Tokenizer"}))
    assert "Qwen2Tokenizer, which splits texts in a way of its own" in error.problem
    assert "save_pretrained(OTHER)" in error.hint


def test_a_folder_of_sentencepiece(tmp_path):
    (tmp_path / "tokenizer.model").write_bytes(b"\n\x0e\n\x05<unk>")
    error = fails(tmp_path)
    assert "holds no tokenizer.json" in error.problem
    assert "it has a tokenizer.model: let transformers write its tokenizer.json" in error.hint


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("vocab.json", b"{"),
        ("vocab.json", b"[]"),
        ("vocab.json", b"{}"),
        ("vocab.json", b'{"a": -1}'),
        ("vocab.json", b'{"a": "1"}'),
        ("vocab.json", b"[" * 100_000),
        ("merges.txt", b"a b c\n"),
        ("merges.txt", b"\xff \xfe\n"),
        ("added_tokens.json", b"7"),
        ("tokenizer_config.json", b"not JSON"),
    ],
    ids=lambda one: one if isinstance(one, str) else f"{len(one)} bytes",
)
def test_damaged_files(tmp_path, name, data):
    put(tmp_path)
    (tmp_path / name).write_bytes(data)
    error = fails(tmp_path)
    assert str(tmp_path) in error.problem
    assert error.hint == "download it again, whole"


def test_merges_of_tokens_that_are_none(tmp_path):
    folder = put(tmp_path, merges_head="no such\n")
    assert str(folder / "tokenizer.json") in fails(folder).problem


def test_a_file_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(hub_format, "_LARGEST", 1000)
    error = fails(put(tmp_path))
    assert "vocab.json has more than 1,000 bytes" in error.problem
