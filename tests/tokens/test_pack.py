"""Packing a built dataset: the stream is the documents' pieces, nothing else, and it is told what lies where."""

import json
from collections import Counter

import pytest

from starloom.errors import UserError
from starloom.tokens import redacted, special_tokens
from starloom.tokens.pack_settings import PackSettings
from starloom.tokens.packed import Packed
from starloom.workspace.manifest import verify
from the_stack import building
from tokens.learning import family, ours
from tokens.packs import PRIVATE, Pack


def test_the_stream_is_the_documents(make):
    for seed in range(3):
        packed = make().pack(seed=seed, repository_rate=0.9)
        assert packed.ids().tolist() == list(packed.expected())
        assert packed.packed.tokenizer == packed.tokenizer.sha256
        assert packed.packed.vocabulary == packed.tokenizer.vocabulary
        assert verify(packed.folder) == []


def test_a_document_is_a_repository_and_ends(make):
    packed = make().pack()
    found, documents = packed.stream(), packed.table("documents")
    assert [row["repo_name"] for row in documents] == [name for name, _ in packed.repositories()]
    assert [row["document"] for row in documents] == list(range(len(documents)))
    assert [row["first_token"] for row in documents] == found.starts[:-1].tolist()
    stream = found.read(0, found.tokens)
    ends = [row["first_token"] + row["tokens"] - 1 for row in documents]
    assert (stream == packed.tokenizer.end_of_text).nonzero()[0].tolist() == ends  # a forged one is text


def test_only_the_train_split_and_all_of_it(make, built_dataset):
    packed = make().pack(repository_rate=1.0)
    contents = {row["content_id"] for row in packed.table("pieces")}
    assert contents == {row["content_id"] for row in packed.rows}
    held_out = {row["content_id"] for row in built_dataset.dataset() if row["split"] == "held_out"}
    assert held_out
    assert not contents & held_out


def test_provenance(make):
    """A file's tokens begin with its separator, and are told with its place and licence."""
    packed = make().pack(repository_rate=0.0)
    by_path = {(row["repo_name"], row["path"]): row for row in packed.rows}
    names = [row["repo_name"] for row in packed.table("documents")]
    stream, pieces = packed.stream(), packed.table("pieces")
    assert len(pieces) == len(by_path)
    separator = packed.tokenizer.markers.file_sep
    told = 0
    for piece in pieces:
        start, stop = piece["first_token"], piece["first_token"] + piece["tokens"]
        row = by_path.pop((names[piece["document"]], piece["path"]))
        for column in ("content_id", "license_type", "detected_licenses"):
            assert piece[column] == row[column]
        first, *ids = stream.read(start, stop).tolist()
        assert first == separator
        text = packed.tokenizer.decode(ids)
        told += text != row["content"]
        assert text in (row["content"], f"{row['path']}\n{row['content']}")
        assert list(stream.documents_between(start, stop)) == [piece["document"]]
    assert 0 < told < len(pieces)
    assert pieces == sorted(pieces, key=lambda piece: piece["first_token"])


def test_provenance_with_cuts(make):
    """A file that was cut is one span, markers included, with every character of it."""
    packed = make().pack(repository_rate=1.0, file_rate=1.0)
    by_id = {row["content_id"]: row for row in packed.rows}
    markers = packed.tokenizer.markers
    marks = {markers.prefix, markers.middle, markers.suffix}
    pieces = packed.table("pieces")
    assert len({piece["content_id"] for piece in pieces}) == len(pieces)
    for piece in pieces:
        row = by_id[piece["content_id"]]
        first = piece["first_token"]
        ids = packed.stream().read(first, first + piece["tokens"]).tolist()
        found = Counter(number for number in ids if number in marks)
        assert found == (dict.fromkeys(marks, 1) if row["content"] else {})
        text = packed.tokenizer.decode([number for number in ids[1:] if number not in marks])
        assert Counter(text) in (Counter(row["content"]), Counter(f"{row['path']}\n{row['content']}"))


@pytest.mark.parametrize("rate", [0.0, 1.0], ids=["whole", "cut"])
def test_what_is_private_is_a_token(make, rate):
    """One that was written is text."""
    packed = make().pack(repository_rate=rate, file_rate=rate)
    stream = packed.ids()
    email = special_tokens.SPECIAL_IDS["<EMAIL>"]
    assert int((stream == email).sum()) == 2
    text = packed.tokenizer.decode(stream.tolist())
    assert text.count("<EMAIL>") == 4
    assert PRIVATE.decode() not in text
    (piece,) = (
        one
        for one in packed.table("pieces")
        if email in packed.stream().read(one["first_token"], one["first_token"] + one["tokens"])
    )
    assert {row["content_id"]: row["path"] for row in packed.rows}[piece["content_id"]] == "private.py"


def test_a_tokenizer_without_tokens_for_what_is_private(make):
    packed = make(family(special_tokens.END_OF_TEXT, special_tokens.FILE_SEP)).pack()
    stream = packed.ids()
    assert packed.tokenizer.marked == {}
    assert packed.tokenizer.decode(stream.tolist()).count("<EMAIL>") == 4


def test_a_dataset_of_an_older_starloom(make, monkeypatch):
    """It has no column for what was replaced: all is text."""
    monkeypatch.setattr(redacted, "COLUMN", "absent")
    packed = make().pack()
    stream = packed.ids()
    assert special_tokens.SPECIAL_IDS["<EMAIL>"] not in stream
    assert packed.tokenizer.decode(stream.tolist()).count("<EMAIL>") == 4


def test_stale_only_when_something_changed(make, capfd):
    packed = make().pack()
    first = packed.content

    def said(**settings):
        capfd.readouterr()
        packed.pack(**settings)
        return capfd.readouterr().err

    assert "pack       up to date" in said()
    assert "bytes per token" in said(seed=1)
    assert packed.content != first
    said()
    assert packed.content == first


def test_facts(make):
    packed = make().pack(seed=4, spm_rate=0.25)
    facts = packed.manifest.facts
    seen = facts["streams"]["code-0"].pop("seen")
    text = sum(len(row["content"].encode()) for row in packed.rows)
    documents = len(list(packed.repositories()))
    whole = {"tokens": packed.stream().tokens, "documents": documents, "text_bytes": text}
    assert facts == {
        **whole,
        "sources": ["code"],
        "no_repositories": [],
        "streams": {"code-0": {**whole, "files": len(packed.rows)}},
        "vocabulary": packed.tokenizer.vocabulary,
        "tokenizer": packed.tokenizer.sha256,
        "dtype": "uint16",
        "fill_in_the_middle": True,
        "seed": 4,
        "variants": 1,
        "file_order": "random",
        "repository_rate": 0.5,
        "file_rate": 0.5,
        "spm_rate": 0.25,
        "syntax_rate": 0.0,
    }
    markers, ids = packed.tokenizer.markers, packed.ids()
    assert (seen["documents"], seen["files"]) == (documents, len(packed.rows))
    assert seen["with_metadata"] == int((ids == markers.repo_name).sum())
    assert seen["cut"] == int((ids == markers.middle).sum()) > 0


def test_a_tokenizer_without_markers(make, capfd):
    packed = make(family(special_tokens.END_OF_TEXT)).pack(repository_rate=1.0, file_rate=1.0)
    assert "nothing cut for fill-in-the-middle: the tokenizer has no tokens for it" in capfd.readouterr().err
    stream = packed.ids()
    assert stream.tolist() == list(packed.expected())
    assert int((stream > 256).sum()) == 0
    assert not packed.manifest.facts["fill_in_the_middle"]


def test_another_familys_markers(make):
    """Qwen's: other ids, the path outside what is cut."""
    tokens = ["<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|repo_name|>", "<|file_sep|>", "<|endoftext|>"]
    packed = make(family(*tokens)).pack(repository_rate=1.0, file_rate=1.0)
    stream = packed.ids()
    assert stream.tolist() == list(packed.expected())
    files = sum(1 for row in packed.rows if row["content"])
    assert [int((stream == number).sum()) for number in (256, 257, 258)] == [files] * 3


def test_nothing_to_train_on(tmp_path):
    empty = building.Workspace(tmp_path / "w", building.folder(tmp_path / "s", {"a.bin": b"\0\1"})).build()
    with pytest.raises(UserError, match="has no files to train on") as caught:
        Pack(empty, tmp_path / "packed").pack()
    assert "starloom report" in caught.value.hint


@pytest.mark.parametrize("name", ["repository_rate", "file_rate", "spm_rate", "syntax_rate"])
def test_rates_are_shares(name):
    with pytest.raises(UserError, match=f"{name} = 1.5"):
        PackSettings(**{name: 1.5})


@pytest.mark.parametrize("variants", [0, -1, 1001])
def test_variants_are_a_number(variants):
    with pytest.raises(UserError, match=rf"\[pack\] variants = {variants}"):
        PackSettings(variants=variants)


def test_the_command_names_what_is_missing(tmp_path, built_dataset):
    done = building.starloom("pack", "-w", built_dataset.root)
    assert done.returncode == 1
    assert "tokenizer is missing" in done.stderr
    assert "hint: run `starloom tokenizer`" in done.stderr
    fresh = building.Workspace(tmp_path / "fresh", building.folder(tmp_path / "s", {"a.py": b"x = 1\n"}))
    done = building.starloom("pack", "-w", fresh.root)
    assert done.returncode == 1
    assert "hint: run `starloom build" in done.stderr


def test_the_command(tmp_path):
    source = building.folder(tmp_path / "one", {f"{number}.py": building.code(number) for number in range(6)})
    made = building.Workspace(tmp_path / "w", source)
    made.configure('[tokenizer]\nbase = "base"\n[pack]\nseed = 3\n')
    made.build()
    for name, data in ours().files().items():
        building.put(made.root / "base", {name: data})
    assert building.starloom("tokenizer", "-w", made.root).returncode == 0
    done = building.starloom("pack", "--json", "-w", made.root)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["tokens"] == Packed.open(made.root / "tokens").tokens
    assert told["folder"] == str(made.root / "tokens")
    assert told["seed"] == 3
    assert told["tokenizer"] == ours().sha256
    done = building.starloom("pack", "--variants", "2", "-w", made.root)
    assert done.returncode == 0, done.stderr
    assert "write into section [pack]: variants = 2" in done.stderr
    assert Packed.open(made.root / "tokens").variants == 2
