"""Packing in runs: the same bytes however the work is shared, killed and resumed; variants and sources of a mixture."""

import errno
import os
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest

from starloom.errors import UserError
from starloom.the_stack import tables
from starloom.tokens import pack, pack_encoder, pack_plan, pack_run, repositories, shards
from starloom.tokens.pack_run import Run
from starloom.tokens.special_tokens import END_OF_TEXT
from starloom.workspace import operations
from starloom.workspace.manifest import verify
from tokens.learning import family

RUNS = ".starloom/unfinished/pack"


@pytest.fixture
def small_runs(monkeypatch):
    monkeypatch.setattr(pack_plan, "RUN_BYTES", 2000)


def test_the_same_bytes_however_the_work_is_shared(make, monkeypatch, built_dataset):
    """Repositories that lie in two data files included, and those that are laid out from a scratch file, in parts."""
    paths = tables.dataset(built_dataset.root, "files", "train")
    names = [set(pq.read_table(path, columns=["repo_name"]).column(0).to_pylist()) for path in paths]
    assert sum(map(len, names)) > len(set().union(*names))
    whole = make().pack(variants=2)
    for size in (1, 2000):
        monkeypatch.setattr(pack_plan, "RUN_BYTES", size)
        monkeypatch.setattr(pack_run, "PART_BYTES", size)
        monkeypatch.setattr(pack_encoder, "BATCH_BYTES", size)
        monkeypatch.setattr(repositories, "LARGE", size)
        assert make().pack(variants=2).content == whole.content


def test_in_parts_without_a_token_for_files(make, monkeypatch):
    whole = make(family(END_OF_TEXT)).pack()
    monkeypatch.setattr(pack_run, "PART_BYTES", 1)
    assert make(family(END_OF_TEXT)).pack().content == whole.content


def test_the_same_bytes_with_two_workers(make, small_runs):
    assert make().pack(workers=2).content == make().pack().content


def test_variants(make):
    """Each drawn for itself; the text is the same."""
    packed = make().pack(variants=3, repository_rate=1.0)
    streams = [packed.ids(variant=variant).tolist() for variant in range(3)]
    assert streams == [list(packed.expected(variant)) for variant in range(3)]
    assert streams[0] != streams[1] != streams[2]
    orders = {tuple(piece["path"] for piece in packed.table("pieces", variant=variant)) for variant in range(3)}
    assert len(orders) == 3
    contents = [sorted(one["content_id"] for one in packed.table("pieces", variant=variant)) for variant in range(3)]
    assert contents[0] == contents[1] == contents[2]
    assert packed.packed.variants == 3
    assert packed.ids().tolist() == make().pack(repository_rate=1.0).ids().tolist()  # the first is that of one alone
    assert verify(packed.folder) == []


def test_a_text_of_several_variants_is_encoded_once(make, monkeypatch):
    packed, sizes = make().pack(), []
    encode = pack_run.Tokenizer.encode_arrays

    def counted(self, texts):
        sizes.append(sum(map(len, texts)))
        return encode(self, texts)

    monkeypatch.setattr(pack_run.Tokenizer, "encode_arrays", counted)
    packed.pack(variants=4, repository_rate=0.0)
    text = sum(len(row["content"]) for row in packed.rows)
    assert text < sum(sizes) < 2.5 * text  # with paths and without


def test_sources_of_a_mixture(make):
    packed = make()
    names = [name for name, _ in packed.repositories()]
    mixture = [
        {"name": "first", "repositories": (f"*{names[1]}", names[3])},
        {"name": "none", "languages": ("COBOL",)},
        {"name": "taken", "tokens": "/elsewhere"},
        {"name": "markdown", "languages": ("Markdown",), "repositories": (names[0],)},
    ]
    packed.pack(mixture=mixture, variants=2)
    facts = packed.manifest.facts
    assert facts["sources"] == ["first", "rest"]
    assert facts["no_repositories"] == ["none", "markdown"]
    chosen = {"first": [names[1], names[3]], "rest": [one for one in names if one not in (names[1], names[3])]}
    for source, repo_names in chosen.items():
        for variant in range(2):
            assert packed.ids(source, variant).tolist() == list(packed.expected(variant, repo_names))
            stream = packed.stream(source, variant)
            documents, pieces = (packed.table(name, source, variant) for name in ("documents", "pieces"))
            assert [one["repo_name"] for one in documents] == repo_names
            assert stream.starts[:-1].tolist() == [one["first_token"] for one in documents]
            for piece in pieces:
                assert piece["document"] in stream.documents_between(piece["first_token"], piece["first_token"] + 1)
                assert stream.read(piece["first_token"], piece["first_token"] + 1) == packed.tokenizer.markers.file_sep
            files = [row for row in packed.rows if row["repo_name"] in repo_names]
            assert sorted(one["content_id"] for one in pieces) == sorted(row["content_id"] for row in files)
            about = facts["streams"][shards.stream_name(source, variant)]
            assert about["text_bytes"] == sum(len(row["content"].encode()) for row in files)
            assert about["seen"]["documents"] == about["documents"] == len(repo_names)


def test_a_mixture_by_language_and_its_weights(make, capfd, small_runs):
    packed = make()
    by_language = [{"name": "python", "languages": ("Python",), "weight": 2.0}]
    packed.pack(mixture=by_language)
    assert packed.manifest.facts["sources"] == ["python"]  # README.md is less in all of them
    whole = make().pack()
    assert packed.ids("python").tolist() == whole.ids().tolist()
    capfd.readouterr()
    by_language[0]["weight"] = 3.0
    packed.pack(mixture=by_language)
    assert "pack       up to date" in capfd.readouterr().err
    packed.pack(mixture=[{"name": "rust", "languages": ("Rust",)}])
    assert "rest 100.0% (not trained on); of [[mixture]] no repository belongs to rust" in capfd.readouterr().err


def test_file_order_by_dependencies(make):
    packed = make().pack(file_order="dependencies", variants=2)
    orders = [[one["path"] for one in packed.table("pieces", variant=variant)] for variant in range(2)]
    assert orders[0] == orders[1]
    assert packed.content != make().pack(variants=2).content
    assert packed.manifest.facts["unordered_repositories"] == 0


def test_what_is_too_large_to_be_ordered_is_told(make, monkeypatch, capfd):
    for module in (pack, pack_run):
        monkeypatch.setattr(module, "ORDERED_BYTES", 10)
    packed = make().pack(file_order="dependencies")
    count = len(list(packed.repositories()))
    assert packed.manifest.facts["unordered_repositories"] == count
    assert f"{count} too large to be ordered by their imports" in capfd.readouterr().err
    assert packed.ids().tolist() == make().pack().ids().tolist()


def test_syntax(make):
    pytest.importorskip("tree_sitter_language_pack")
    packed = make().pack(repository_rate=1.0, file_rate=1.0, syntax_rate=1.0)
    seen = packed.manifest.facts["streams"]["code-0"]["seen"]
    assert seen["syntax"] > 0
    assert seen["syntax"] + seen["no_grammar"] + seen["not_parsed"] == seen["cut"]
    assert packed.manifest.inputs["outside:syntax"]


def test_a_difference_packs_all_of_it_slowly(make, monkeypatch, capfd, small_runs):
    """A worker's encoder that differs from the library's: no run keeps ids that were made before it was seen."""
    whole = make().pack().content
    packed, slow = make(), []
    pack_run._tokenizer.cache_clear()
    monkeypatch.setattr(pack_run.Tokenizer, "trusted", property(lambda _: False))
    monkeypatch.setattr(pack_run.Tokenizer, "distrust", lambda _: slow.append(True))
    packed.pack()
    pack_run._tokenizer.cache_clear()
    assert slow
    assert "all of it is packed anew" in capfd.readouterr().err
    assert packed.content == whole


def test_what_is_finished_is_not_done_again(make, monkeypatch, small_runs):
    whole = make().pack(variants=2)
    packed, done = make(), []

    def counted(run: Run) -> None:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(run.folder.name)
        pack_run.pack_run(run)

    monkeypatch.setattr("starloom.tokens.pack.pack_run", counted)
    with pytest.raises(KeyboardInterrupt):
        packed.pack(variants=2)
    kept = sorted(path.name for path in (packed.root / RUNS).iterdir())
    assert kept == sorted(done)
    torn = packed.root / RUNS / kept[0] / "1.bin"
    torn.write_bytes(torn.read_bytes()[:-2])
    (packed.root / RUNS / "strange").mkdir()
    first, done[:] = set(done), []
    monkeypatch.setattr(
        "starloom.tokens.pack.pack_run", lambda run: (done.append(run.folder.name), pack_run.pack_run(run))
    )
    packed.pack(variants=2)
    assert first & set(done) == {kept[0]}
    assert packed.content == whole.content
    assert not (packed.root / RUNS).exists()


def test_other_settings_begin_anew(make, monkeypatch, small_runs):
    packed = make()

    def stop(run: Run) -> None:
        pack_run.pack_run(run)
        raise KeyboardInterrupt

    monkeypatch.setattr("starloom.tokens.pack.pack_run", stop)
    with pytest.raises(KeyboardInterrupt):
        packed.pack(seed=1)
    assert len(list((packed.root / RUNS).iterdir())) == 1
    monkeypatch.undo()
    monkeypatch.setattr(pack_plan, "RUN_BYTES", 2000)
    assert packed.pack(seed=2).content == make().pack(seed=2).content


KILLED = """
import os, sys
from pathlib import Path
from starloom.workspace import operations
from starloom.tokens import pack_plan
from starloom.stages import load_settings
from starloom.tokens.pack import STAGE
from starloom.workspace.run import build

seen, last = 0, int(sys.argv[2])
def hook(operation, path):
    global seen
    seen += operation == "rename"
    if seen == last:
        os._exit(86)
operations.fault_hook = hook
pack_plan.RUN_BYTES = 2000
root = Path(sys.argv[1])
(root / "starloom.toml").write_text('recipe = "small"\\n[engine]\\nworkers = 1\\n')
settings = load_settings(root)
build(root, [STAGE], settings, settings.engine, "test")
"""


@pytest.mark.parametrize("last", [1, 3], ids=["first", "midway"])
def test_killed(make, small_runs, last):
    """At a rename: of a run, or of all of it; then the same command again."""
    whole = make().pack().content
    packed = make().pack(seed=9)
    done = subprocess.run([sys.executable, "-c", KILLED, packed.root, str(last)], capture_output=True, check=False)
    assert done.returncode == 86, done.stderr.decode()
    assert packed.pack().content == whole
    assert verify(packed.folder) == []
    assert not list(packed.root.rglob("*.aside"))


@pytest.mark.parametrize("after", [0, 4, 9], ids=["first", "midway", "late"])
def test_a_full_disk(make, monkeypatch, small_runs, after):
    packed, writes = make(), []
    packed.pack(seed=1)
    before = packed.content

    def hook(operation, path):
        if (operation == "write" and "tokens" in str(path)) or RUNS in str(path):
            writes.append(path)
            if len(writes) > after * 10:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(operations, "fault_hook", hook)
    with pytest.raises(UserError, match="No space left on device") as caught:
        packed.pack(seed=2)
    assert "free some space" in caught.value.hint
    monkeypatch.setattr(operations, "fault_hook", None)
    assert packed.content == before
    assert packed.pack(seed=2).content == make().pack(seed=2).content


def test_a_damaged_dataset(make, built_dataset):
    packed = make()
    packed.pack()
    (packed.root / "dataset").unlink()
    copy = packed.root / "dataset"
    copy.mkdir()
    for path in built_dataset.root.joinpath("dataset").rglob("*"):
        if path.is_file():
            place = copy / path.relative_to(built_dataset.root / "dataset")
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(path.read_bytes())
    (first, *_) = tables.dataset(packed.root, "files", "train")
    data = bytearray(first.read_bytes())
    data[len(data) // 2] ^= 1  # what Parquet does not always see
    first.write_bytes(data)
    with pytest.raises(UserError, match=first.name) as caught:
        packed.pack(seed=5)
    assert "starloom build" in caught.value.hint


def test_a_stretch_of_files_larger_than_what_is_laid_out_at_a_time(make, monkeypatch):
    monkeypatch.setattr(pack_run, "PART_BYTES", 300)
    assert np.array_equal(make().pack().ids(), list(make().pack().expected()))
