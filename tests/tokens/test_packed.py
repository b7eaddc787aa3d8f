"""Reading packed tokens: the files at a stretch by few row groups, and many shards with few of them open."""

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.tokens import packed as reading
from starloom.tokens import shards
from starloom.tokens.packed import Packed
from starloom.workspace.atomic import publish
from tokens.packing import chunks, packed, table

ROWS = 3  # of a row group


def with_pieces(folder, spans, tokens):
    """One document of so many tokens with files at these (start, stop), `ROWS` of them in a row group."""
    documents = [[1] * tokens]
    name = shards.stream_name(shards.ONLY, 0)
    starts, lengths = [start for start, _ in spans], [stop - start for start, stop in spans]
    numbers = range(len(spans))
    about = [[0] * len(spans), [f"{one:040x}" for one in numbers], [f"{one}.py" for one in numbers]]
    nothing = [[None] * len(spans)] * 2
    pieces = pa.table([*about, *nothing, starts, lengths], schema=shards.PIECES)
    with publish(folder, kind=shards.KIND, version=1, fingerprint="", inputs={}, settings={}, replace=True) as draft:
        shards.write_tokens(draft, f"{name}/", chunks(documents, 9), np.dtype("<u2"))
        draft.parquet(f"{name}/documents.parquet", shards.DOCUMENTS, [table(documents)])
        draft.parquet(f"{name}/pieces.parquet", shards.PIECES, [pieces], row_group_rows=ROWS)
        draft.facts = {
            "sources": [shards.ONLY],
            "variants": 1,
            "streams": {name: {"tokens": tokens, "documents": 1}},
            "vocabulary": 50,
            "tokenizer": "0" * 64,
        }
    return Packed.open(folder).stream(shards.ONLY, 0)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4)), max_size=20), st.data())
def test_the_files_at_a_stretch(fresh, shape, data):
    """Between two files may lie what is of none: a repository's name, the end of a document."""
    spans, at = [], 0
    for gap, length in shape:
        spans.append((at + gap, at + gap + length))
        at += gap + length
    stream = with_pieces(fresh() / "tokens", spans, at + 2)
    for _ in range(8):
        start = data.draw(st.integers(0, stream.tokens))
        stop = data.draw(st.integers(start, stream.tokens))
        found = stream.pieces(start, stop)
        assert found.schema == shards.PIECES
        expected = [k for k, (begin, end) in enumerate(spans) if begin < stop and end > start and start < stop]
        assert found.column("path").to_pylist() == [f"{k}.py" for k in expected]


def test_few_row_groups_are_read(fresh, monkeypatch):
    spans = list(itertools.pairwise(range(0, 100, 2)))
    stream = with_pieces(fresh() / "tokens", spans, 100)
    read = []
    whole = pq.ParquetFile.read_row_group
    monkeypatch.setattr(
        pq.ParquetFile,
        "read_row_group",
        lambda file, number, **some: read.append(number) or whole(file, number, **some),
    )
    assert stream.pieces(50, 53).column("first_token").to_pylist() == [50, 52]
    assert read == [8]
    stream.pieces(50, 53)
    assert read == [8]  # it is kept
    stream.pieces(0, 100)
    assert len(stream._groups) <= reading._GROUPS


def test_more_shards_than_are_mapped(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "SHARD_BYTES", 4)
    monkeypatch.setattr(reading, "_MAPPED", 3)
    tokens = list(range(40))
    stream = Packed.open(packed(tmp_path / "tokens", [tokens])).stream(shards.ONLY, 0)
    for start in (0, 38, 7, 20):
        assert stream.read(start, 40).tolist() == tokens[start:]
        assert len(stream.payload._maps) <= 3
