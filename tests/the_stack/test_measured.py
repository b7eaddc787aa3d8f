"""What was measured of contents stands beside their ids, whatever a run that was stopped left of a signal."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from starloom.errors import UserError
from starloom.the_stack import measured, tables
from the_stack import building


@pytest.fixture
def made(tmp_path, workspace):
    files = {f"{number}.py": building.code(number, 3 + number) for number in range(4)}
    other = {f"{number}.py": building.code(number, 20 + number) for number in range(4, 6)}
    built = workspace(building.folder(tmp_path / "a", files))
    built.add(building.folder(tmp_path / "b", other))  # what comes later is a part of its own
    return built.build("measure").root


def lines(root):
    """{content_id: num_lines} as `decide` is given them."""
    rows = measured._contents(root, {"lines": ["num_lines"]}).to_pylist()
    assert [row["place"] for row in rows] == list(range(len(rows)))
    return {row["content_id"]: row["lines"]["num_lines"] for row in rows}


def test_each_beside_its_own(made, monkeypatch):
    parts = [pq.read_table(path).select(["content_id", "num_lines"]) for path in tables.signal(made, "lines")]
    assert len(parts) == 2
    every = dict(zip(*pa.concat_tables(parts).to_pydict().values(), strict=True))
    assert lines(made) == every
    paths = tables.signal(made, "lines")
    monkeypatch.setattr(tables, "signal", lambda *_: paths[::-1])
    assert lines(made) == every
    monkeypatch.setattr(tables, "signal", lambda *_: paths[:1])
    assert lines(made) == every | dict.fromkeys(parts[1].column(0).to_pylist())
    monkeypatch.setattr(tables, "signal", lambda *_: [])
    assert set(lines(made).values()) == {None}


def test_a_row_less(made):
    path = tables.signal(made, "lines")[0]
    table = pq.read_table(path)
    expected = lines(made) | {table.column("content_id")[0].as_py(): None}
    pq.write_table(table.slice(1), path)
    assert lines(made) == expected


def test_what_cannot_be_read(made):
    path = tables.signal(made, "lines")[1]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UserError, match="cannot be read"):
        lines(made)
