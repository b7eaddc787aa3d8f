"""Rows into a file: all columns, in order, byte for byte where lines become lines; else converted as documented."""

import csv
import datetime
import gzip
import io
import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.dedup import rows_out
from starloom.dedup.inputs import open_input, together
from starloom.dedup.rows_out import form_of, write_rows, write_table
from starloom.errors import UserError

MOMENT = datetime.datetime(2026, 11, 28, 11, 12, 13, 141516, datetime.UTC)
ROWS = {
    "id": pa.array(range(9)),
    "content": pa.array([f"text {k} ä" if k % 4 else None for k in range(9)]),
    "when": pa.array([MOMENT] * 9, pa.timestamp("us", "UTC")),
    "share": pa.array([math.nan if k == 3 else k / 8 for k in range(9)]),
    "raw": pa.array([bytes([k]) for k in range(9)]),
    "nested": pa.array([{"a": [k], "b": None} for k in range(9)]),
    "kind": pa.array(["x", "y", "x"] * 3).dictionary_encode(),
}
KEEP = np.array([k % 3 != 1 for k in range(9)])


@pytest.fixture
def written(tmp_path):
    """`written(source, keep, form)`: the bytes."""

    def write(source, keep, form):
        with (tmp_path / "out").open("wb") as out:
            write_rows(source, np.asarray(keep, bool), out, form)
        return (tmp_path / "out").read_bytes()

    return write


@pytest.fixture
def parquet(tmp_path):
    made = pa.table(ROWS).replace_schema_metadata({"huggingface": "features"})
    pq.write_table(made, tmp_path / "x.parquet", row_group_size=4)
    return open_input(tmp_path / "x.parquet", tmp_path / "s")


def read(data):
    return pq.read_table(io.BytesIO(data))


def test_parquet_keeps_every_column_type_and_note(written, parquet):
    found = read(written(parquet, KEEP, "parquet"))
    wanted = pa.table(ROWS).filter(pa.array(KEEP))
    assert str(found.to_pylist()) == str(wanted.to_pylist())  # NaN is not NaN
    assert found.schema.types == wanted.schema.types
    assert found.schema.metadata[b"huggingface"] == b"features"
    assert written(parquet, KEEP, "parquet") == written(parquet, KEEP, "parquet")


def test_parquet_as_json_lines(written, parquet):
    found = [json.loads(line) for line in written(parquet, KEEP, "jsonl").splitlines()]
    assert [row["id"] for row in found] == np.flatnonzero(KEEP).tolist()
    assert found[2] == {
        "id": 3,
        "content": "text 3 ä",
        "when": "2026-11-28T11:12:13.141516+00:00",
        "share": None,
        "raw": "03",
        "nested": {"a": [3], "b": None},
        "kind": "x",
    }


def test_nothing_and_everything(written, parquet):
    assert len(read(written(parquet, np.zeros(9), "parquet"))) == 0
    assert written(parquet, np.zeros(9), "jsonl") == b""
    assert len(read(written(parquet, np.ones(9), "parquet"))) == 9


@pytest.mark.parametrize("form", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_lines_are_copied_byte_for_byte(tmp_path, written, form):
    odd = [
        b'{"content":"x",  "n": 1.0e3}',
        b'{"content": null, "content": "\\u00e4"}\r',
        b' {"n": 12345678901234567890}',
    ]
    (tmp_path / "x.jsonl").write_bytes(b"\n\n".join(odd))
    source = open_input(tmp_path / "x.jsonl", tmp_path / "s")
    data = written(source, [1, 1, 1], form)
    assert written(source, [1, 1, 1], form) == data  # no time in it
    plain = {"jsonl": bytes, "jsonl.gz": gzip.decompress, "jsonl.zst": _unpacked}[form](data)
    assert plain == b"".join(line + b"\n" for line in odd)
    assert written(source, [0, 1, 0], "jsonl") == odd[1] + b"\n"


def _unpacked(data):
    return pa.CompressedInputStream(io.BytesIO(data), "zstd").read()


VALUES = st.none() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False, width=32)
OBJECTS = st.fixed_dictionaries(
    {"content": st.none() | st.text(max_size=5)},
    optional={"n": VALUES, "flag": st.booleans(), "tags": st.lists(st.text(max_size=3), max_size=2)},
)


@given(st.lists(OBJECTS, min_size=1, max_size=6), st.lists(st.booleans(), min_size=6, max_size=6))
def test_json_lines_as_parquet(tmp_path_factory, rows, keep):
    folder = tmp_path_factory.mktemp("rows")
    (folder / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    keep = np.array(keep[: len(rows)])
    with (folder / "out").open("wb") as out:
        write_rows(open_input(folder / "x.jsonl", folder), keep, out, "parquet")
    found = read((folder / "out").read_bytes())
    names = list(dict.fromkeys(name for row in rows for name in row))
    assert found.column_names == names
    assert found.to_pylist() == [
        {name: row.get(name) for name in names} for row, stays in zip(rows, keep.tolist()) if stays
    ]


def test_values_of_several_kinds_are_no_column(tmp_path, written):
    (tmp_path / "x.jsonl").write_text('{"content": "x", "n": 1}\n{"content": "y", "n": "one"}\n')
    source = open_input(tmp_path / "x.jsonl", tmp_path / "s")
    with pytest.raises(UserError, match="`n` are of several kinds"):
        written(source, [1, 1], "parquet")
    assert written(source, [1, 1], "jsonl").count(b"\n") == 2


def test_files_of_other_columns_in_one_table(tmp_path, written, parquet):
    (tmp_path / "y.jsonl").write_text('{"content": "of lines", "id": 4.5, "more": true}\n')
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("x = 1\n")
    sources = [parquet, open_input(tmp_path / "y.jsonl", tmp_path / "s"), open_input(tmp_path / "src", tmp_path / "s")]
    source = together(sources)
    keep = [k == 4 for k in range(9)] + [True, True]
    rows = read(written(source, keep, "parquet")).to_pylist()
    assert [row["content"] for row in rows] == [None, "of lines", "x = 1\n"]
    assert [row["id"] for row in rows] == [4.0, 4.5, None]
    assert [row["more"] for row in rows] == [None, True, None]
    assert [row["path"] for row in rows] == [None, None, "a.py"]
    (tmp_path / "z.jsonl").write_text('{"content": "x", "id": "text"}\n')
    apart = together([parquet, open_input(tmp_path / "z.jsonl", tmp_path / "s")])
    with pytest.raises(UserError, match="do not make one table"):
        written(apart, [1] * 10, "parquet")
    assert written(apart, [1] * 10, "jsonl").count(b"\n") == 10


def test_row_groups_are_bounded(written, parquet, monkeypatch):
    monkeypatch.setattr(rows_out, "_GROUP_ROWS", 4)
    metadata = pq.read_metadata(io.BytesIO(written(parquet, np.ones(9), "parquet")))
    assert [metadata.row_group(k).num_rows for k in range(metadata.num_row_groups)] == [4, 4, 1]


@pytest.mark.parametrize("form", ["parquet", "jsonl", "jsonl.gz", "csv"])
def test_a_table(tmp_path, form):
    table = pa.table({"id": ['a,"b"', "c\nd", "=1"], "jaccard": [0.7, 1.0, 0.123456789]})
    with (tmp_path / "out").open("wb") as out:
        write_table(table, out, form)
    data = (tmp_path / "out").read_bytes()
    if form == "parquet":
        found = read(data).to_pylist()
    elif form == "csv":
        found = [
            row | {"jaccard": float(row["jaccard"])} for row in csv.DictReader(io.StringIO(data.decode(), newline=""))
        ]
        assert data.startswith(b'id,jaccard\n"a,""b""",0.7\n')
    else:
        found = [json.loads(line) for line in (gzip.decompress(data) if form.endswith("gz") else data).splitlines()]
    assert found == table.to_pylist()


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.parquet", "parquet"),
        ("a.b.JSONL", "jsonl"),
        ("a.ndjson.gz", "jsonl.gz"),
        ("a.jsonl.zst", "jsonl.zst"),
        ("a.csv", None),
        ("a.json", None),
        ("jsonl", None),
    ],
)
def test_forms_by_name(tmp_path, name, form):
    if form:
        assert form_of(tmp_path / name) == form
    else:
        with pytest.raises(UserError, match="does not say what to write") as refused:
            form_of(tmp_path / name)
        assert ".jsonl" in refused.value.hint
        assert ".csv" not in refused.value.hint
    assert form_of(tmp_path / "a.csv", csv_too=True) == "csv"
