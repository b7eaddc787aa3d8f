"""Packed tokens that are not what they were: each damage is refused where it is met, with the place and the remedy."""

import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.commands.tokens import export, show
from starloom.errors import UserError
from starloom.tokens import shards
from starloom.tokens.packed import Packed
from starloom.workspace.atomic import publish
from starloom.workspace.manifest import NAME, read_manifest, to_bytes
from tokens.packing import packed

DOCUMENTS = [[5, 6, 0], [7, 0], [*range(1, 40), 0], [0], [49, 48, 47, 0]]
STREAM = [token for document in DOCUMENTS for token in document]
CODE = shards.stream_name(shards.ONLY, 0)


def make(folder, documents=DOCUMENTS, **options):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "SHARD_BYTES", 64)
        return packed(folder, documents, **options)


@pytest.fixture(scope="module")
def whole(fresh):
    return make(fresh() / "tokens")


@pytest.fixture
def folder(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "tokens")


def everything(folder):
    found = Packed.open(folder)
    stream = found.stream(found.sources[0], 0)
    stream.pieces(0, stream.tokens)
    stream.repo_names(range(stream.documents))
    return stream.read(0, stream.tokens).tolist()


def flip(path, place=-5):
    data = bytearray(path.read_bytes())
    data[place] ^= 0x10
    path.write_bytes(data)


def manifest_of_another(folder):
    """Of tokens of another tokenizer, as long as these: nothing but hashes tells."""
    documents = [[(token + 1) % 50 for token in document] for document in DOCUMENTS]
    other = make(folder.parent / "other" / "tokens", documents, facts={"tokenizer": "1" * 64})
    assert [one.bytes for one in read_manifest(other).files] == [one.bytes for one in read_manifest(folder).files]
    shutil.copy(other / NAME, folder / NAME)


def said(folder, **facts):
    """Another manifest that is whole in itself."""
    found = read_manifest(folder)
    found.facts.update(facts)
    (folder / NAME).write_bytes(to_bytes(found))


def linked(folder):
    shard = folder / CODE / "tokens-00000.bin"
    shutil.move(shard, folder / "elsewhere")
    shard.symlink_to(folder / "elsewhere")


def older(folder):
    """As an older Starloom laid it out: the shards beside the manifest."""
    shutil.rmtree(folder)
    with publish(folder, kind="pack", version=3, fingerprint="", inputs={}, settings={}, replace=True) as draft:
        draft.write("tokens-00000.bin", np.array(STREAM, "<u2").tobytes())
        draft.facts = {"tokens": len(STREAM), "documents": 5, "vocabulary": 50, "tokenizer": "0" * 64}


DAMAGES = {
    "no folder": (shutil.rmtree, ("no tokens are packed",)),
    "no manifest": (lambda folder: (folder / NAME).unlink(), ("no tokens are packed",)),
    "torn manifest": (
        lambda folder: (folder / NAME).write_bytes((folder / NAME).read_bytes()[:-9]),
        ("manifest.json is damaged",),
    ),
    "flipped byte of the manifest": (lambda folder: flip(folder / NAME, 60), ("manifest.json is damaged",)),
    "torn shard": (
        lambda folder: (folder / CODE / "tokens-00000.bin").write_bytes(b"\0" * 63),
        ("tokens-00000.bin has 63 bytes", "64"),
    ),
    "missing shard": (
        lambda folder: (folder / CODE / "tokens-00001.bin").unlink(),
        ("tokens-00001.bin is missing",),
    ),
    "flipped byte": (
        lambda folder: flip(folder / CODE / "tokens-00001.bin", 9),
        ("tokens-00001.bin is damaged between bytes 0 and",),
    ),
    "flipped checksum": (lambda folder: flip(folder / CODE / "checksums.bin", 0), ("checksums.bin was altered",)),
    "flipped byte of the documents": (
        lambda folder: flip(folder / CODE / "documents.parquet"),
        ("documents.parquet was altered",),
    ),
    "flipped byte of the pieces": (
        lambda folder: flip(folder / CODE / "pieces.parquet"),
        ("pieces.parquet was altered",),
    ),
    "a link": (
        linked,
        ("tokens-00000.bin is no regular file",),
    ),
    "manifest of another recipe": (manifest_of_another, ("was altered",)),
    "an older Starloom": (older, ("does not hold packed tokens",)),
    "a smaller vocabulary": (lambda folder: said(folder, vocabulary=40), ("token 49 in a vocabulary of 40",)),
    "a wider vocabulary": (lambda folder: said(folder, vocabulary=1 << 17), ("does not hold packed tokens",)),
    "fewer tokens": (
        lambda folder: said(folder, streams={CODE: {"tokens": 3, "documents": 1}}),
        ("do not hold the 3 tokens",),
    ),
    "fewer documents": (
        lambda folder: said(folder, streams={CODE: {"tokens": len(STREAM), "documents": 4}}),
        ("4 documents",),
    ),
    "no streams": (lambda folder: said(folder, streams={}), ("does not say what packed tokens are",)),
    "streams of another type": (
        lambda folder: said(folder, streams=[1]),
        ("does not say what packed tokens are",),
    ),
    "a source elsewhere": (
        lambda folder: said(folder, sources=["../x"], streams={"../x-0": {"tokens": 1, "documents": 1}}),
        ("../x-0",),
    ),
    "no number": (lambda folder: said(folder, vocabulary="many"), ("does not say what packed tokens are",)),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damage_is_refused(folder, name):
    damage, words = DAMAGES[name]
    assert everything(folder) == STREAM
    damage(folder)
    with pytest.raises(UserError) as caught:
        everything(folder)
    for word in words:
        assert word in caught.value.problem
    assert str(folder) in caught.value.problem
    assert "`starloom pack`" in caught.value.hint


@pytest.mark.parametrize("name", ["torn shard", "missing shard", "flipped byte", "manifest of another recipe"])
def test_commands_refuse_it_too(folder, name, tmp_path):
    DAMAGES[name][0](folder)
    (tmp_path / "out").mkdir()
    with pytest.raises(UserError) as caught:
        export.main(["megatron", str(tmp_path / "out" / "code"), "--tokens", str(folder)], standalone_mode=False)
    assert DAMAGES[name][1][0] in caught.value.problem
    assert not list((tmp_path / "out").iterdir())
    if name != "flipped byte":  # the numbers are told without reading all tokens
        with pytest.raises(UserError):
            show.main(["--tokens", str(folder)], standalone_mode=False)


@settings(max_examples=200)
@given(st.data())
def test_no_flipped_bit_goes_unseen(whole, fresh, data):
    folder = shutil.copytree(whole, fresh() / "tokens")
    path = data.draw(st.sampled_from(sorted(path for path in folder.rglob("*") if path.is_file())))
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    with pytest.raises(UserError):
        everything(folder)
    shutil.rmtree(folder)


def test_what_is_not_read_is_not_checked(folder):
    """A block is looked at when it is read: a terabyte is not hashed to see one sample."""
    flip(folder / CODE / "tokens-00001.bin", 9)
    stream = Packed.open(folder).stream(shards.ONLY, 0)
    assert stream.read(0, 32).tolist() == STREAM[:32]
    with pytest.raises(UserError, match="tokens-00001"):
        stream.read(30, 34)
