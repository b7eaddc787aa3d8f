"""Parquet: the same rows give the same bytes, however they come in."""

import hashlib
import io
import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.workspace import parquet
from starloom.workspace.operations import Output

SCHEMA = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        ("content", pa.large_binary()),
        ("size", pa.int32()),
        ("share", pa.float64()),
        ("vendored", pa.bool_()),
        ("licenses", pa.list_(pa.string())),
        ("spans", pa.list_(pa.struct([("start", pa.int64()), ("kind", pa.string())]))),
        ("origin", pa.struct([("name", pa.string()), ("revision", pa.binary())])),
        ("counts", pa.map_(pa.string(), pa.int16())),
        ("seen", pa.timestamp("us", tz="UTC")),
    ]
)


class Memory(io.BytesIO):
    """An Output without a disk."""

    rows = None

    def close(self):
        """As Output: nothing."""


def written(batches, schema=SCHEMA, rows=100_000, size=64 << 20):
    memory = Memory()
    count = parquet.write(memory, schema, batches, rows, size)
    assert memory.rows == count
    return memory.getvalue()


def groups(data):
    meta = pq.ParquetFile(io.BytesIO(data)).metadata
    return [meta.row_group(number).num_rows for number in range(meta.num_row_groups)]


spans = st.lists(
    st.fixed_dictionaries({"start": st.integers(0, 99), "kind": st.none() | st.text(max_size=3)}), max_size=3
)
rows_strategy = st.lists(
    st.fixed_dictionaries(
        {
            "path": st.text(max_size=5),
            "content": st.none() | st.binary(max_size=40),
            "size": st.none() | st.integers(-(2**31), 2**31 - 1),
            "share": st.none() | st.floats(),
            "vendored": st.none() | st.booleans(),
            "licenses": st.none() | st.lists(st.none() | st.text(max_size=3), max_size=3),
            "spans": st.none() | spans,
            "origin": st.none() | st.fixed_dictionaries({"name": st.text(max_size=3), "revision": st.none()}),
            "counts": st.none() | st.lists(st.tuples(st.text(max_size=2), st.integers(0, 9)), max_size=2),
            "seen": st.none() | st.integers(0, 10**15),
        }
    ),
    max_size=25,
)


def cut(data, table):
    """`table` as batches and tables of any cut, empty ones, slices with an offset, tables of many chunks."""
    pieces, start = [], 0
    while start < len(table) or not pieces:
        length = data.draw(st.integers(0, 6))
        piece = table.slice(start, length)
        kind = data.draw(st.sampled_from(["table", "batches", "copied", "chunks"]))
        if kind == "table":
            pieces.append(piece)
        elif kind == "batches":
            pieces += piece.to_batches()
        elif kind == "copied":
            pieces += pa.Table.from_pylist(piece.to_pylist(), table.schema).to_batches()
        else:
            pieces.append(pa.concat_tables([piece.slice(0, 1), piece.slice(1)]))
        start += length
    return pieces


@settings(max_examples=25)
@given(st.data(), rows_strategy, st.integers(1, 9), st.sampled_from([1, 60, 300, 64 << 20]))
def test_same_bytes_however_the_rows_are_batched(data, rows, group_rows, group_bytes):
    table = pa.Table.from_pylist(rows, SCHEMA)
    whole = written([table], rows=group_rows, size=group_bytes)
    assert written(cut(data, table), rows=group_rows, size=group_bytes) == whole
    read = pq.read_table(io.BytesIO(whole))
    assert read.schema.equals(SCHEMA)
    assert repr(read.to_pylist()) == repr(table.to_pylist())  # repr: NaN equals NaN
    assert all(count <= group_rows for count in groups(whole))


def test_same_bytes_where_a_group_has_many_pages():
    """Pages are cut per chunk: chunks of another length would show."""
    schema = pa.schema([("n", pa.int64()), ("text", pa.string())])
    values = [n * 0x9E3779B97F4A7C15 % 2**62 for n in range(60_000)]
    table = pa.table({"n": values, "text": [f"{value:060x}" for value in values]}, schema)
    whole = written([table], schema)
    for length in (59_999, 7_001, 333):
        assert written(table.to_batches(max_chunksize=length), schema) == whole
        assert written([table.slice(n, length) for n in range(0, len(table), length)], schema, 50_000) == written(
            [table], schema, 50_000
        )


def numbers(count):
    return pa.table({"n": pa.array(range(count), pa.int64())})


def test_groups_are_cut_by_rows():
    schema = numbers(0).schema
    assert groups(written([numbers(10)], schema, rows=4)) == [4, 4, 2]
    assert groups(written([numbers(8)], schema, rows=4)) == [4, 4]
    assert groups(written([numbers(1)] * 9, schema, rows=4)) == [4, 4, 1]


def test_groups_are_cut_by_bytes():
    schema = numbers(0).schema
    assert groups(written([numbers(10)], schema, size=32)) == [4, 4, 2]  # 8 bytes a row
    assert groups(written([numbers(10)], schema, size=39)) == [4, 4, 2]
    assert groups(written([numbers(10)], schema, size=40)) == [5, 5]
    assert groups(written([numbers(1)] * 10, schema, size=40)) == [5, 5]
    assert groups(written([numbers(3)], schema, size=7)) == [1, 1, 1]


def test_a_row_larger_than_a_group_makes_one():
    schema = pa.schema([("content", pa.large_binary())])
    big, small = bytes(1000), b"x"
    contents = [small, small, big, small, big, big, small, small]
    table = pa.table({"content": contents}, schema)
    expected = [2, 1, 1, 1, 1, 2]
    assert groups(written([table], schema, size=100)) == expected
    assert groups(written([table.slice(n, 1) for n in range(8)], schema, size=100)) == expected


def test_a_large_single_row(tmp_path):
    schema = pa.schema([("content", pa.large_binary())])
    content = bytes(range(256)) * (65 << 12)  # more than a row group takes
    output = Output(tmp_path / "x.parquet")
    assert parquet.write(output, schema, [pa.table({"content": [b"before", content, b"after"]}, schema)]) == 3
    output.finish()
    data = (tmp_path / "x.parquet").read_bytes()
    assert (output.size, output.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert groups(data) == [1, 1, 1]
    assert pq.read_table(tmp_path / "x.parquet")["content"].to_pylist() == [b"before", content, b"after"]


def test_no_rows():
    for batches in ([], [SCHEMA.empty_table()], SCHEMA.empty_table().to_batches()):
        data = written(batches)
        assert data == written([])
        assert groups(data) == []
        assert pq.read_table(io.BytesIO(data)).schema.equals(SCHEMA)


def test_batches_are_read_as_they_are_written():
    """Memory stays bounded: no more is taken from the source than the group in the making needs."""
    taken = 0

    def source():
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield numbers(10)

    class Watched(Memory):
        def write(self, data):
            seen.append(taken)
            return super().write(data)

    seen = []
    parquet.write(Watched(), numbers(0).schema, source(), 20, 1 << 20)
    assert [count for count in seen if 2 < count < 50]


def test_statistics_and_compression():
    column = pq.ParquetFile(io.BytesIO(written([numbers(5)], numbers(0).schema))).metadata.row_group(0).column(0)
    assert column.compression == "ZSTD"
    assert (column.statistics.min, column.statistics.max, column.statistics.null_count) == (0, 4, 0)


def test_pandas_metadata_leaves_no_trace():
    plain = numbers(3)
    marked = plain.replace_schema_metadata({"pandas": "{}", "starloom": "kept"})
    data = written([marked], marked.schema)
    assert data == written([plain], plain.schema.with_metadata({"starloom": "kept"}))
    assert pq.read_schema(io.BytesIO(data)).metadata == {b"starloom": b"kept"}
    # that of the batches never counts
    assert written([marked], plain.schema) == written([plain], plain.schema)


# Rows that are refused


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"m": pa.array([1], pa.int64())}),  # another name
        pa.table({"n": pa.array([1], pa.int32())}),  # another type
        pa.table({"n": pa.array([1], pa.int64()), "m": [1]}),  # one too many
        pa.table({}),
        pa.table({"n": pa.array([1], pa.int64())}, pa.schema([pa.field("n", pa.int64(), nullable=False)])),
        pa.table({"n": pa.array([1], pa.int64()).dictionary_encode()}),
    ],
    ids=lambda table: str(table.schema).replace("\n", ", "),
)
def test_wrong_columns(table):
    with pytest.raises(ValueError, match="wrong columns"):
        written([table], numbers(0).schema)
    with pytest.raises(ValueError, match="wrong columns"):
        written([numbers(3), *table.to_batches()] if len(table) else [numbers(3), table], numbers(0).schema)


def test_names_of_list_items_leave_no_trace():
    """`list<item>` and `list<element>` are equal to Arrow; the schema decides which one is written."""
    one = pa.schema([("x", pa.list_(pa.field("item", pa.int64())))])
    two = pa.schema([("x", pa.list_(pa.field("element", pa.int64())))])
    tables = [pa.table({"x": [[1, 2], None]}, schema) for schema in (one, two)]
    assert written([tables[0]], one) == written([tables[1]], one)
    assert written(tables, one) == written(tables[::-1], one)


def test_nulls_where_there_must_be_none():
    schema = pa.schema([pa.field("n", pa.int64(), nullable=False)])
    table = pa.Table.from_arrays([pa.array([1, None])], schema=schema)
    with pytest.raises(ValueError, match="column n must not have nulls"):
        written([table], schema)
    assert groups(written([table.slice(0, 1)], schema)) == [1]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.list_(pa.field("item", pa.int64(), nullable=False)), [[1, None]]),
        (pa.struct([pa.field("a", pa.int64(), nullable=False)]), [{"a": None}]),
        (pa.list_(pa.struct([pa.field("a", pa.int64(), nullable=False)])), [[{"a": None}]]),
    ],
    ids=str,
)
def test_nulls_inside_where_there_must_be_none(kind, value):
    table = pa.table({"x": pa.array(value, kind)})
    with pytest.raises(ValueError, match="null"):
        written([table], table.schema)


@pytest.mark.parametrize(
    "kind",
    [
        pa.dictionary(pa.int32(), pa.string()),
        pa.list_(pa.dictionary(pa.int32(), pa.string())),
        pa.struct([("a", pa.dictionary(pa.int32(), pa.string()))]),
        pa.map_(pa.string(), pa.dictionary(pa.int32(), pa.string())),
    ],
    ids=str,
)
def test_dictionaries_are_refused(kind):
    """The same rows have different dictionaries, depending on what came before."""
    schema = pa.schema([("x", kind)])
    with pytest.raises(ValueError, match="column x: dictionary"):
        written([schema.empty_table()], schema)


def test_a_failed_source_leaves_no_footer(tmp_path):
    def source():
        yield numbers(10)
        raise RuntimeError

    output = Output(tmp_path / "x")
    with pytest.raises(RuntimeError):
        parquet.write(output, numbers(0).schema, source(), 2)
    output.abandon()
    assert output.rows is None
    assert not (tmp_path / "x").read_bytes().endswith(b"PAR1")


def write_and_finish(output):
    parquet.write(output, numbers(0).schema, [numbers(700_000)], 10_000)
    output.finish()


def test_a_failed_disk_is_not_swallowed(tmp_path, faults):
    for number in range(3):
        output = Output(tmp_path / str(number))  # open before the fault is set
        with faults.injected(faults.Fault("ENOSPC", number)), pytest.raises(OSError, match="No space"):
            write_and_finish(output)
        output.abandon()


@settings(max_examples=25)
@given(rows_strategy)
def test_sizes_of_rows_depend_on_the_row_alone(rows):
    """The estimate that decides the cuts: the same for a row wherever it stands."""
    table = pa.Table.from_pylist([*rows, *rows], SCHEMA).combine_chunks()
    sizes = parquet._row_sizes(table)
    alone = [int(parquet._row_sizes(table.slice(n, 1).combine_chunks())[0]) for n in range(len(table))]
    sliced = [int(parquet._row_sizes(table.slice(n))[0]) for n in range(len(table))]
    assert sizes.tolist() == alone == sliced
    assert parquet._most_size(table) >= sum(alone)  # what is counted whole is never cut too late
    assert not math.isnan(sum(alone))
