"""Times of ORC files as integers: equal to what was written, whatever the compression; damaged footers are said."""

import pyarrow as pa
import pyarrow.orc as orc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.sources.software_heritage.orc_times import EPOCH, OrcError, with_integer_times

COMPRESSIONS = ["uncompressed", "zlib", "zstd"]
SECONDS = st.none() | st.integers(-(2**40), 2**40)


def written(times, compression, **more):
    columns = {"id": [f"{n:x}" for n in range(len(times))], "date": pa.array(times, pa.timestamp("s"))}
    columns |= {"committer_date": pa.array(times[::-1], pa.timestamp("s")), "seen": pa.array(times, pa.timestamp("s"))}
    sink = pa.BufferOutputStream()
    orc.write_table(pa.table(columns), sink, compression=compression, **more)
    return sink.getvalue()


def opened(data, columns=("date", "committer_date")):
    return orc.ORCFile(with_integer_times(pa.BufferReader(data), len(data), set(columns)))


@pytest.mark.parametrize("compression", COMPRESSIONS)
@settings(max_examples=30)
@given(times=st.lists(SECONDS, min_size=1, max_size=40))
def test_times_are_what_was_written(compression, times):
    file = opened(written(times, compression))
    assert [str(field.type) for field in file.schema] == ["string", "int64", "int64", "timestamp[ns]"]
    table = file.read(["id", "date", "committer_date"])
    for name, expected in (("date", times), ("committer_date", times[::-1])):
        assert [one if one is None else one + EPOCH for one in table.column(name).to_pylist()] == expected
    assert table.column("id").to_pylist() == [f"{n:x}" for n in range(len(times))]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_every_stripe(compression):
    times = [2**40 if n % 1000 == 0 else 1_500_000_000 + n * 997 for n in range(30_000)]
    file = opened(written(times, compression, stripe_size=1 << 16))
    found = [file.read_stripe(n, ["date"]).column("date").to_pylist() for n in range(file.nstripes)]
    assert [one + EPOCH for stripe in found for one in stripe] == times


def test_a_file_without_such_columns_is_as_it_was():
    data = written([5, None], "zstd")
    assert opened(data, ["other"]).read() == orc.ORCFile(pa.BufferReader(data)).read()


@settings(max_examples=200)
@given(
    cut=st.integers(0, 400),
    flip=st.integers(1, 300),
    value=st.integers(0, 255),
    compression=st.sampled_from(COMPRESSIONS),
)
def test_damage_is_an_error_or_none(cut, flip, value, compression):
    data = bytearray(written([1, 2, None], compression))
    data = data[: max(len(data) - cut, 1)]
    data[-min(flip, len(data))] = value
    try:
        with_integer_times(pa.BufferReader(bytes(data)), len(data), {"date"})
    except (OrcError, OSError) as problem:
        assert str(problem)  # noqa: PT017 - no error is fine too
