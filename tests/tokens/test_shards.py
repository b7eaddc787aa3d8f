"""Token shards: what was written is what is read, across shards; what is torn, missing or strange is refused."""

import itertools
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.tokens import shards
from starloom.tokens.packed import Packed, Shards
from starloom.workspace.atomic import publish
from tokens.packing import packed

DOCUMENTS = [[5, 6, 0], [7, 0], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0], [0], [49, 48, 47, 0]]
STREAM = list(itertools.chain(*DOCUMENTS))
NUMBERS = [number for number, document in enumerate(DOCUMENTS) for _ in document]


def opened(folder) -> Shards:
    return Packed.open(folder).stream(shards.ONLY, 0)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The documents, in shards of eight bytes."""
    monkeypatch.setattr(shards, "SHARD_BYTES", 8)
    return packed(tmp_path / "tokens", DOCUMENTS)


def test_every_range_across_shards(folder):
    found = opened(folder)
    assert len(list(folder.glob("tokens-*.bin"))) == -(-len(STREAM) // 4)
    for start in range(len(STREAM) + 1):
        for stop in range(start, len(STREAM) + 1):
            read, numbers = found.read(start, stop), found.document_numbers(start, stop)
            assert read.tolist() == STREAM[start:stop]
            assert numbers.tolist() == NUMBERS[start:stop]
            assert list(found.documents_between(start, stop)) == sorted(set(NUMBERS[start:stop]))
            assert (read.dtype, numbers.dtype) == (np.int64, np.int32)


def test_what_it_says_of_itself(folder):
    found = opened(folder)
    assert (found.tokens, found.documents, found.vocabulary) == (len(STREAM), len(DOCUMENTS), 50)
    assert found.tokenizer == "0" * 64
    assert found.fingerprint == opened(folder).fingerprint
    assert found.starts.tolist() == [0, 3, 5, 16, 17, 21]


@pytest.mark.parametrize(("start", "stop"), [(-1, 3), (0, len(STREAM) + 1), (5, 4)])
def test_ranges_outside_the_stream(folder, start, stop):
    found = opened(folder)
    with pytest.raises(ValueError, match=f"of {len(STREAM)}"):
        found.read(start, stop)
    with pytest.raises(ValueError, match=f"of {len(STREAM)}"):
        found.document_numbers(start, stop)


@settings(max_examples=20)
@given(st.lists(st.lists(st.integers(0, 299), min_size=1, max_size=9), min_size=1, max_size=9), st.integers(1, 9))
def test_the_payload_does_not_depend_on_the_chunks(tmp_path_factory, documents, chunk):
    base = tmp_path_factory.mktemp("chunks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "SHARD_BYTES", 10)
        one, two = packed(base / "one", documents, 300, chunk), packed(base / "two", documents, 300, 1000)
        assert opened(one).fingerprint == opened(two).fingerprint
        assert opened(one).read(0, sum(map(len, documents))).tolist() == list(itertools.chain(*documents))
    shutil.rmtree(base)


@pytest.mark.parametrize(
    ("vocabulary", "width"),
    [
        (65_536, 2),  # its largest id is 65,535
        (65_537, 4),
    ],
)
def test_the_width_of_a_token(tmp_path, vocabulary, width):
    folder = packed(tmp_path / "tokens", [[0, 258, vocabulary - 1]], vocabulary)
    assert (folder / "tokens-00000.bin").read_bytes()[: 2 * width] == b"\0" * width + b"\2\1" + b"\0" * (width - 2)
    assert opened(folder).read(0, 3).tolist() == [0, 258, vocabulary - 1]


def refused(folder, *words):
    with pytest.raises(UserError) as caught:
        opened(folder)
    text = f"{caught.value.problem} {caught.value.hint}"
    assert "`starloom pack`" in text
    for word in words:
        assert word in text


def test_missing(tmp_path):
    refused(tmp_path / "tokens", "no tokens are packed")


def test_a_torn_shard(folder):
    path = folder / "tokens-00001.bin"
    path.write_bytes(path.read_bytes()[:-1])
    refused(folder, "tokens-00001.bin", "7 bytes", "delete")


def test_a_missing_shard(folder):
    (folder / "tokens-00002.bin").unlink()
    refused(folder, "tokens-00002.bin", "missing")


def test_a_missing_table(folder):
    (folder / "documents.parquet").unlink()
    refused(folder, "documents.parquet", "missing")


def test_a_torn_manifest(folder):
    path = folder / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"tokens": ', b'"tokens":  '))
    refused(folder, "manifest.json", "damaged")


def test_a_flipped_byte_in_the_table(folder):
    path = folder / "documents.parquet"
    data = bytearray(path.read_bytes())
    data[-10:-4] = b"\xff" * 6
    path.write_bytes(data)
    refused(folder, "documents.parquet")


def test_a_flipped_byte_in_a_shard_is_no_token(folder):
    path = folder / "tokens-00001.bin"
    path.write_bytes(b"\xff\xff" + path.read_bytes()[2:])
    found = opened(folder)
    assert found.read(0, 4).tolist() == STREAM[:4]
    with pytest.raises(UserError, match=r"tokens-00001\.bin is damaged: token 65535 in a vocabulary of 50"):
        found.read(2, 7)


def test_another_stages_folder(tmp_path):
    with publish(
        tmp_path / "tokens", kind="write", version=1, fingerprint="", inputs={}, settings={}, replace=True
    ) as draft:
        draft.write("README.md", b"text")
    refused(tmp_path / "tokens", "`write` made it")


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"tokens": 20}, "20 tokens"),
        ({"tokens": None}, "does not say"),
        ({"vocabulary": "many"}, "does not say"),
        ({"vocabulary": 100_000}, "does not hold packed tokens"),  # four bytes a token then
        ({"documents": 4}, "4 documents"),
    ],
)
def test_facts_that_do_not_fit(tmp_path, facts, word):
    refused(packed(tmp_path / "tokens", DOCUMENTS, facts=facts), word)
