"""`starloom tokens`: what it says of packed tokens, and the way to other trainers and back."""

import json
from pathlib import Path

import pytest

from starloom.commands.tokens import export, import_, show
from starloom.errors import UserError
from tokens.learning import ours
from tokens.packing import packed
from tokens.test_pack_report import make

TEXTS = ["def f():\n    return 1\n", "import os\n", "# größe\n"]


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A workspace with a tokenizer and tokens, as far as these commands look at it; the current folder is in it."""
    root = tmp_path / "w"
    (root / "tokenizer").mkdir(parents=True)
    (root / "starloom.toml").write_text("")
    for name, data in ours().files().items():
        (root / "tokenizer" / name).write_bytes(data)
    documents = [[*ours().encode(text), ours().end_of_text] for text in TEXTS]
    packed(root / "tokens", documents, ours().vocabulary, facts={"tokenizer": ours().sha256})
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def run(capsys):
    """`run(command, "word", …)`: what stands on stdout and on stderr."""

    def call(command, *words):
        command.main([str(word) for word in words], standalone_mode=False)
        found = capsys.readouterr()
        return found.out, found.err

    return call


def test_show(run, root):
    text, _ = run(show, "--sequence", "8")
    assert f"{root}/tokens: " in text
    assert "8 best-fit" in text
    assert "8 concatenate" in text
    found = json.loads(run(show, "--json")[0])
    assert {"folder", "fingerprint", "tokenizer", "vocabulary", "tokens", "variants", "settings", "streams"} <= set(
        found
    )
    (stream,) = found["streams"]
    assert (stream["source"], stream["variant"], stream["documents"]) == ("code", 0, 3)
    assert [one["sequence"] for one in stream["packings"]] == [2048, 2048, 4096, 4096, 16384, 16384]
    assert stream["seen"]["cut_files"] == 0


def test_out_and_in_again(run, root, tmp_path):
    (root / "out").mkdir()
    said = json.loads(run(export, "megatron", "out/code", "--json")[0])
    assert (said["format"], said["stream"], said["sequences"], said["dtype"]) == ("megatron", "code-0", 3, "uint16")
    assert Path(said["payload"]).read_bytes() == (root / "tokens/code-0/tokens-00000.bin").read_bytes()
    found = json.loads(run(import_, "out/code", "--to", tmp_path / "in", "--json")[0])
    assert (found["documents"], found["ended"], found["tokenizer"]) == (3, 3, ours().sha256)
    text, said = run(show, "--tokens", tmp_path / "in")
    assert "imported from code (uint16)" in text
    assert "its markers are not counted" in said  # no tokenizer lies beside it
    assert not run(show, "--tokens", tmp_path / "in", "--tokenizer", root / "tokenizer")[1]
    run(export, "megatron", "out/again", "--tokens", tmp_path / "in")
    for kind in ("bin", "idx"):
        assert (root / f"out/again.{kind}").read_bytes() == (root / f"out/code.{kind}").read_bytes()
    assert "1 chunk, " in run(export, "litdata", "out/chunks")[0]


def test_an_import_says_what_is_left_out_and_how_documents_end(run, root, tmp_path):
    from tokens.test_megatron import pair

    pair(tmp_path / "p", "<i4", [50, 51, 52, 9], [2, 0, 1], borders=[0, 1, 2, 3])
    text, said = run(import_, tmp_path / "p", "--to", tmp_path / "in")
    assert "3 tokens in 2 documents, 2 sequences" in text
    assert "left out: 1 empty document, 1 empty sequence, 4 unused bytes" in said
    assert "2 documents of 2 do not end with <|endoftext|>" in said


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["megatron", "nowhere/code"], "there is no folder nowhere"),
        (["megatron", "tokens/code"], "lies in a folder that is read"),
        (["megatron", "there.bin"], "there.bin is there already"),
        (["megatron", "x", "--source", "python"], "has no source 'python'"),
        (["megatron", "x", "--variant", "1"], "has no variant 1: there are 1"),
        (["litdata", "tokenizer"], "tokenizer holds files that are not Starloom's"),
    ],
)
def test_an_export_that_cannot_be(run, root, words, told):
    (root / "there.bin").write_bytes(b"x")
    before = sorted(root.rglob("*"))
    with pytest.raises(UserError) as caught:
        run(export, *words)
    assert told in caught.value.problem
    assert caught.value.hint
    assert sorted(root.rglob("*")) == before


def test_one_of_several_sources(run, root):
    make(root / "mixed", [(True, [("plain", [43])])], ("python", "rest"), 2)
    with pytest.raises(UserError, match="several sources: python, rest"):
        run(export, "megatron", "x", "--tokens", "mixed")
    assert (
        "python-1"
        in run(export, "megatron", "x", "--tokens", "mixed", "--source", "python", "--variant", "1", "--json")[0]
    )


def test_tokenizers_that_are_not_theirs(run, root, tmp_path):
    make(root / "other", [(True, [("plain", [43])])])
    with pytest.raises(UserError, match="is another tokenizer"):
        run(show, "--tokens", "other", "--tokenizer", "tokenizer")
    assert "its markers are not counted" in run(show, "--tokens", "other")[1]
    run(export, "megatron", "x")
    small = tmp_path / "small"
    small.mkdir()
    from tokens.learning import family

    (small / "tokenizer.json").write_bytes(family("<|endoftext|>").files()["tokenizer.json"])
    with pytest.raises(UserError, match=r"x\.bin has token .*: the tokenizer has 257 tokens"):
        run(import_, "x", "--tokenizer", small, "--to", tmp_path / "in")
    assert not (tmp_path / "in").exists()


def test_nothing_there(run, root):
    with pytest.raises(UserError, match="no tokens are packed"):
        run(show, "--tokens", "nothing")
    with pytest.raises(UserError, match=r"nothing\.bin"):
        run(import_, "nothing", "--to", "in")
    with pytest.raises(UserError, match="holds no tokenizer"):
        run(import_, "nothing", "--to", "in", "--tokenizer", "tokens")
