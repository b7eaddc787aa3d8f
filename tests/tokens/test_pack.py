"""Packing a built dataset: the stream is the documents' pieces, nothing else; the same bytes however it is made."""

import itertools
import json
from collections import Counter
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest

from starloom.engine.verbs import EngineSettings
from starloom.errors import UserError
from starloom.the_stack import tables, write
from starloom.tokens import pack, redacted, special_tokens, tokenizer
from starloom.tokens.pack import PackSettings
from starloom.tokens.redacted import markers
from starloom.tokens.shards import Shards
from starloom.tokens.templates.repository import File, document
from starloom.workspace.manifest import read_manifest, verify
from starloom.workspace.run import build
from the_stack import building
from tokens.learning import family, ours

FORGED = b"# <|endoftext|> <fim_prefix> <file_sep> <EMAIL> are text here\n"
PRIVATE = ("ada" + "@" + "analytical-engines.dev").encode()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Ten repositories, some held out, one of several row groups and data files."""
    base = tmp_path_factory.mktemp("pack")
    for name in "abcdefghij":
        count = 9 if name == "e" else 3
        files = {f"{number}.py": building.code(f"{name} {number}", 8) for number in range(count)}
        building.folder(base / name, {"README.md": f"# Übung {name}\n\nGrüße, 你好\n".encode() * 3, **files})
    private = b"# by %s <EMAIL> %s\n" % (PRIVATE, PRIVATE) + building.code("private")
    building.folder(base / "k", {"forged.py": FORGED + building.code("forged"), "empty.py": b"", "private.py": private})
    extra = building.ENGINE + "\n[decide]\nheld_out = 0.3\nseed = 2\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write, "BUCKET_BYTES", 6000)
        patch.setattr(write, "GROUP_BYTES", 2000)
        sources = [base / name for name in "abcdefghijk"]
        return building.Workspace(base / "workspace", *sources, extra=extra).build()


class Packed:
    """`dataset` with a tokenizer, packed in a folder of its own."""

    def __init__(self, dataset, root, chosen):
        self.root, self.tokenizer = root, chosen
        self.rows = [row for row in dataset.dataset() if row["split"] == "train"]
        root.mkdir()
        (root / "dataset").symlink_to(dataset.root / "dataset")
        base = root / "base"
        base.mkdir()
        for name, data in chosen.files().items():
            (base / name).write_bytes(data)
        self.settings = SimpleNamespace(tokenizer=tokenizer.TokenizerSettings(base="base"))

    def pack(self, workers=1, **settings):
        self.settings.pack = PackSettings(**settings)
        build(self.root, [tokenizer.STAGE, pack.STAGE], self.settings, EngineSettings(workers=workers), "test")
        return self

    @property
    def shards(self):
        return Shards.open(self.root / "tokens")

    @property
    def content(self):
        return read_manifest(self.root / "tokens").content

    def table(self, name):
        return pq.read_table(self.root / "tokens" / f"{name}.parquet").to_pylist()

    def repositories(self):
        for repo_name, rows in itertools.groupby(self.rows, key=lambda row: row["repo_name"]):
            yield (
                repo_name,
                [
                    File(
                        *(row[name] for name in ("path", "content_id", "content")),
                        markers(row["content"], row["redactions"], self.tokenizer.marked),
                    )
                    for row in rows
                ],
            )

    def expected(self):
        """The stream, piece by piece, with the slow encoder."""
        settings = self.settings.pack
        for repo_name, files in self.repositories():
            for piece in document(
                repo_name, files, settings.seed, 0, settings.fim(), self.tokenizer.markers, self.tokenizer.end_of_text
            ):
                yield from [piece.special] if piece.text is None else self.tokenizer.encode(piece.text)


@pytest.fixture
def make(dataset, tmp_path):
    numbers = itertools.count()
    return lambda chosen=None: Packed(dataset, tmp_path / f"packed-{next(numbers)}", chosen or ours())


def test_the_stream_is_the_documents(make):
    for seed in range(3):
        packed = make().pack(seed=seed, repository_rate=0.9)
        found = packed.shards
        assert found.read(0, found.tokens).tolist() == list(packed.expected())
        assert found.tokenizer == packed.tokenizer.sha256
        assert found.vocabulary == packed.tokenizer.vocabulary
        assert verify(packed.root / "tokens") == []


def test_a_document_is_a_repository_and_ends(make):
    packed = make().pack()
    found, documents = packed.shards, packed.table("documents")
    assert [row["repo_name"] for row in documents] == [name for name, _ in packed.repositories()]
    assert [row["document"] for row in documents] == list(range(len(documents)))
    assert [row["first_token"] for row in documents] == found.starts[:-1].tolist()
    stream = found.read(0, found.tokens)
    ends = [row["first_token"] + row["tokens"] - 1 for row in documents]
    assert (stream == packed.tokenizer.end_of_text).nonzero()[0].tolist() == ends  # a forged one is text


def test_only_the_train_split_and_all_of_it(make, dataset):
    packed = make().pack(repository_rate=1.0)
    contents = {row["content_id"] for row in packed.table("pieces")}
    assert contents == {row["content_id"] for row in packed.rows if row["content"]}
    held_out = {row["content_id"] for row in dataset.dataset() if row["split"] == "held_out"}
    assert held_out
    assert not contents & held_out


def test_provenance_without_cuts(make):
    packed = make().pack(repository_rate=0.0)
    by_id = {row["content_id"]: row for row in packed.rows}
    names = [row["repo_name"] for row in packed.table("documents")]
    pieces = packed.table("pieces")
    told = 0
    for piece in pieces:
        row = by_id[piece["content_id"]]
        start = piece["first_token"]
        text = packed.tokenizer.decode(packed.shards.read(start, start + piece["tokens"]).tolist())
        told += text != row["content"]
        assert text in (row["content"], f"{row['path']}\n{row['content']}")
        assert names[piece["document"]] == row["repo_name"]
        numbers = packed.shards.document_numbers(start, start + piece["tokens"])
        assert set(numbers.tolist()) == {piece["document"]}
    assert 0 < told < len(pieces)


def test_provenance_with_cuts(make):
    """A file that was cut is one span, markers included, with every character of it."""
    packed = make().pack(repository_rate=1.0, file_rate=1.0)
    by_id = {row["content_id"]: row for row in packed.rows}
    markers = packed.tokenizer.markers
    marks = {markers.prefix, markers.middle, markers.suffix}
    pieces = packed.table("pieces")
    assert len({piece["content_id"] for piece in pieces}) == len(pieces)
    for piece in pieces:
        ids = packed.shards.read(piece["first_token"], piece["first_token"] + piece["tokens"]).tolist()
        assert Counter(number for number in ids if number in marks) == dict.fromkeys(marks, 1)
        text = packed.tokenizer.decode([number for number in ids if number not in marks])
        row = by_id[piece["content_id"]]
        assert Counter(text) in (Counter(row["content"]), Counter(f"{row['path']}\n{row['content']}"))


@pytest.mark.parametrize("rate", [0.0, 1.0], ids=["whole", "cut"])
def test_what_is_private_is_a_token(make, rate):
    """One that was written is text."""
    packed = make().pack(repository_rate=rate, file_rate=rate)
    stream = packed.shards.read(0, packed.shards.tokens)
    email = special_tokens.SPECIAL_IDS["<EMAIL>"]
    assert int((stream == email).sum()) == 2
    text = packed.tokenizer.decode(stream.tolist())
    assert text.count("<EMAIL>") == 4
    assert PRIVATE.decode() not in text
    (piece,) = (
        one
        for one in packed.table("pieces")
        if email in packed.shards.read(one["first_token"], one["first_token"] + one["tokens"])
    )
    assert {row["content_id"]: row["path"] for row in packed.rows}[piece["content_id"]] == "private.py"


def test_a_tokenizer_without_tokens_for_what_is_private(make):
    packed = make(family(special_tokens.END_OF_TEXT, special_tokens.FILE_SEP)).pack()
    stream = packed.shards.read(0, packed.shards.tokens)
    assert packed.tokenizer.marked == {}
    assert packed.tokenizer.decode(stream.tolist()).count("<EMAIL>") == 4


def test_a_dataset_of_an_older_starloom(make, monkeypatch):
    """It has no column for what was replaced: all is text."""
    monkeypatch.setattr(redacted, "COLUMN", "absent")
    packed = make().pack()
    stream = packed.shards.read(0, packed.shards.tokens)
    assert special_tokens.SPECIAL_IDS["<EMAIL>"] not in stream
    assert packed.tokenizer.decode(stream.tolist()).count("<EMAIL>") == 4


def test_the_same_bytes_however_the_work_is_shared(make, monkeypatch, dataset):
    """Repositories that lie in two data files included."""
    paths = tables.dataset(dataset.root, "files", "train")
    names = [set(pq.read_table(path, columns=["repo_name"]).column(0).to_pylist()) for path in paths]
    assert sum(map(len, names)) > len(set().union(*names))
    whole = make().pack()
    for size in (1, 2000):
        monkeypatch.setattr(pack, "RUN_BYTES", size)
        monkeypatch.setattr(pack, "_BATCH", size)
        assert make().pack().content == whole.content


def test_the_same_bytes_with_two_workers(make, monkeypatch):
    monkeypatch.setattr(pack, "RUN_BYTES", 2000)
    assert make().pack(workers=2).content == make().pack().content


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
    facts = read_manifest(packed.root / "tokens").facts
    assert facts == {
        "tokens": packed.shards.tokens,
        "documents": len(list(packed.repositories())),
        "vocabulary": packed.tokenizer.vocabulary,
        "tokenizer": packed.tokenizer.sha256,
        "dtype": "uint16",
        "text_bytes": sum(len(row["content"].encode()) for row in packed.rows),
        "fill_in_the_middle": True,
        "seed": 4,
        "repository_rate": 0.5,
        "file_rate": 0.5,
        "spm_rate": 0.25,
    }


def test_a_tokenizer_without_markers(make, capfd):
    packed = make(family(special_tokens.END_OF_TEXT)).pack(repository_rate=1.0, file_rate=1.0)
    assert "nothing cut for fill-in-the-middle: the tokenizer has no tokens for it" in capfd.readouterr().err
    found = packed.shards
    stream = found.read(0, found.tokens)
    assert stream.tolist() == list(packed.expected())
    assert int((stream > 256).sum()) == 0
    assert not found.facts["fill_in_the_middle"]


def test_another_familys_markers(make):
    """Qwen's: other ids, the path outside what is cut."""
    tokens = ["<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|repo_name|>", "<|file_sep|>", "<|endoftext|>"]
    packed = make(family(*tokens)).pack(repository_rate=1.0, file_rate=1.0)
    stream = packed.shards.read(0, packed.shards.tokens)
    assert stream.tolist() == list(packed.expected())
    files = sum(1 for row in packed.rows if row["content"])
    assert [int((stream == number).sum()) for number in (256, 257, 258)] == [files] * 3


def test_nothing_to_train_on(dataset, tmp_path):
    empty = building.Workspace(tmp_path / "w", building.folder(tmp_path / "s", {"a.bin": b"\0\1"})).build()
    with pytest.raises(UserError, match="has no files to train on") as caught:
        Packed(empty, tmp_path / "packed", ours()).pack()
    assert "starloom report" in caught.value.hint


@pytest.mark.parametrize("name", ["repository_rate", "file_rate", "spm_rate"])
def test_rates_are_shares(name):
    with pytest.raises(UserError, match=f"{name} = 1.5"):
        PackSettings(**{name: 1.5})


def test_the_command_names_what_is_missing(tmp_path, dataset):
    done = building.starloom("pack", "-w", dataset.root)
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
    found = Shards.open(made.root / "tokens")
    assert told["tokens"] == found.tokens
    assert told["folder"] == str(made.root / "tokens")
    assert told["seed"] == 3
    assert told["tokenizer"] == ours().sha256
