"""Token shards: what was written is what is read, across shards and blocks. Damage: test_bad_tokens.py."""

import itertools
import zlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.tokens import shards
from starloom.tokens.packed import Packed
from starloom.workspace.atomic import publish
from tokens.packing import packed

DOCUMENTS = [[5, 6, 0], [7, 0], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0], [0], [49, 48, 47, 0]]
STREAM = list(itertools.chain(*DOCUMENTS))
NUMBERS = [number for number, document in enumerate(DOCUMENTS) for _ in document]
CODE = shards.stream_name(shards.ONLY, 0)


def opened(folder):
    return Packed.open(folder).stream(shards.ONLY, 0)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The documents, in shards of eight bytes."""
    monkeypatch.setattr(shards, "SHARD_BYTES", 8)
    return packed(tmp_path / "tokens", DOCUMENTS)


def test_every_range_across_shards(folder):
    found = opened(folder)
    assert len(list((folder / CODE).glob("tokens-*.bin"))) == -(-len(STREAM) // 4)
    for start in range(len(STREAM) + 1):
        for stop in range(start, len(STREAM) + 1):
            read = found.read(start, stop)
            assert read.tolist() == STREAM[start:stop]
            assert read.dtype == np.int64
            assert list(found.documents_between(start, stop)) == sorted(set(NUMBERS[start:stop]))


def test_what_it_says_of_itself(folder):
    whole, found = Packed.open(folder), opened(folder)
    assert (found.name, found.tokens, found.documents) == (CODE, len(STREAM), len(DOCUMENTS))
    assert found.starts.tolist() == [0, 3, 5, 16, 17, 21]
    assert found.repo_names([4, 0]) == ["repo-4", "repo-0"]
    assert (whole.vocabulary, whole.tokenizer, whole.sources, whole.variants) == (50, "0" * 64, ("code",), 1)
    assert whole.tokens == len(STREAM)
    assert whole.fingerprint == Packed.open(folder).fingerprint


@pytest.mark.parametrize(("start", "stop"), [(-1, 3), (0, len(STREAM) + 1), (5, 4)])
def test_ranges_outside_the_stream(folder, start, stop):
    found = opened(folder)
    for ask in (found.read, found.documents_between, found.pieces):
        with pytest.raises(ValueError, match=f"of {len(STREAM)}"):
            ask(start, stop)


@settings(max_examples=20)
@given(st.lists(st.lists(st.integers(0, 299), min_size=1, max_size=9), min_size=1, max_size=9), st.integers(1, 9))
def test_the_bytes_do_not_depend_on_the_chunks(fresh, documents, chunk):
    base = fresh()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "SHARD_BYTES", 10)
        patch.setattr(shards, "BLOCK_BYTES", 4)
        one, two = packed(base / "one", documents, 300, chunk), packed(base / "two", documents, 300, 1000)
    assert Packed.open(one).fingerprint == Packed.open(two).fingerprint
    payloads = [path.read_bytes() for path in sorted((one / CODE).glob("tokens-*.bin"))]
    assert b"".join(payloads) == np.array(list(itertools.chain(*documents)), dtype="<u2").tobytes()
    blocks = [zlib.crc32(data[at : at + 4]) for data in payloads for at in range(0, len(data), 4)]
    assert np.fromfile(one / CODE / shards.CHECKSUMS, dtype="<u4").tolist() == blocks


@pytest.mark.parametrize(
    ("vocabulary", "width"),
    [
        (65_536, 2),  # its largest id is 65,535
        (65_537, 4),
    ],
)
def test_the_width_of_a_token(tmp_path, vocabulary, width):
    folder = packed(tmp_path / "tokens", [[0, 258, vocabulary - 1]], vocabulary)
    data = (folder / CODE / "tokens-00000.bin").read_bytes()
    assert data[: 2 * width] == b"\0" * width + b"\2\1" + b"\0" * (width - 2)
    assert opened(folder).read(0, 3).tolist() == [0, 258, vocabulary - 1]


def test_which_file_lies_where(tmp_path):
    """Of every range the pieces that have a token of it."""
    spans = [(0, 1, 2), (1, 3, 1), (2, 5, 3), (2, 8, 7)]  # document, first token, tokens
    rows = [
        {
            "document": document,
            "content_id": f"c{first}",
            "path": f"{first}.py",
            "license_type": "permissive",
            "detected_licenses": ["MIT"],
            "first_token": first,
            "tokens": tokens,
        }
        for document, first, tokens in spans
    ]
    lengths = list(map(len, DOCUMENTS))
    numbers = range(len(lengths))
    names = [f"repo-{number}" for number in numbers]
    firsts = np.cumsum(lengths) - lengths
    about = {"kind": shards.KIND, "version": 1, "fingerprint": "", "inputs": {}, "settings": {}, "replace": True}
    with publish(tmp_path / "tokens", **about) as draft:
        said = shards.write_stream(
            draft,
            CODE,
            [np.array(STREAM)],
            np.dtype("<u2"),
            pa.table([list(numbers), names, firsts, lengths], schema=shards.DOCUMENTS),
            [pa.Table.from_pylist(rows, shards.PIECES)],
        )
        draft.facts = {"sources": ["code"], "variants": 1, "streams": {CODE: said}} | {
            "vocabulary": 50,
            "tokenizer": "0" * 64,
        }
    found = opened(tmp_path / "tokens")
    assert found.borders.tolist() == [1, 3, 5, 8, 16, 17]
    for start in range(len(STREAM) + 1):
        for stop in range(start, len(STREAM) + 1):
            mine = [row for row in rows if row["first_token"] < stop and row["first_token"] + row["tokens"] > start]
            assert found.pieces(start, stop).to_pylist() == (mine if start < stop else [])


def refused(folder, *words):
    with pytest.raises(UserError) as caught:
        opened(folder)
    text = f"{caught.value.problem} {caught.value.hint}"
    assert "`starloom pack`" in text
    for word in words:
        assert word in text


def test_missing(tmp_path):
    refused(tmp_path / "tokens", "no tokens are packed")


def test_another_stages_folder(tmp_path):
    with publish(
        tmp_path / "tokens", kind="write", version=1, fingerprint="", inputs={}, settings={}, replace=True
    ) as draft:
        draft.write("README.md", b"text")
    refused(tmp_path / "tokens", "`write` made it")


@pytest.mark.parametrize(
    ("facts", "about", "word"),
    [
        ({}, {"tokens": 20}, "20 tokens"),
        ({}, {"tokens": None}, "does not say"),
        ({}, {"documents": 4}, "4 documents"),
        ({"vocabulary": "many"}, {}, "does not say"),
        ({"vocabulary": 100_000}, {}, "does not hold packed tokens"),  # four bytes a token then
        ({"variants": 2}, {}, "code-1"),
        ({"sources": ["code", "docs"]}, {}, "docs-0"),
    ],
)
def test_facts_that_do_not_fit(tmp_path, facts, about, word):
    refused(packed(tmp_path / "tokens", DOCUMENTS, facts=facts, about=about), word)
