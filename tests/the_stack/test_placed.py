"""What was measured of contents stands beside the files that hold them, whatever a run that was stopped left of it."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from starloom.errors import UserError
from starloom.the_stack import placed, tables
from the_stack import building


@pytest.fixture
def made(tmp_path, workspace):
    files = {f"{number}.py": building.code(number, 3 + number) for number in range(4)}
    other = {f"{number}.py": building.code(number, 20 + number) for number in range(3, 6)}
    other["0 again.py"] = files["0.py"]
    built = workspace(building.folder(tmp_path / "a", files))
    built.add(building.folder(tmp_path / "b", other))  # what comes later is a part of its own
    return built.build("measure").root


def beside(root, name, column):
    """{content_id: value} as `decide` is given them."""
    listing = placed.placed(root, [])
    found = placed.beside(listing, placed.asked_of(root, [name], f"f.{name}.{column}"))
    assert found["c"].field("place").to_pylist() == listing.files.column("content").to_pylist()
    values = found[name].field(column).to_pylist()
    return dict(zip(listing.files.column("content_id").to_pylist(), values, strict=True))


def lines(root):
    return beside(root, "lines", "num_lines")


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


def test_by_name(made):
    """Of a content under two names, each file has what was said of its own name."""
    path, *_ = paths = tables.signal(made, "language")
    assert set(beside(made, "language", "language").values()) == {"Python"}
    for path in paths:
        table = pq.read_table(path)
        said = pa.array([f"of {name}" for name in table.column("file_name").to_pylist()])
        pq.write_table(table.set_column(table.column_names.index("language"), "language", said), path)
    listing = placed.placed(made, [])
    names = listing.files.column("file_name").to_pylist()
    asked = placed.asked_of(made, ["language", "html"], "f.language.language, f.html.visible_fraction, f.lines.x")
    found = placed.beside(listing, asked)
    assert set(found) == {"c", "language", "html"}
    assert found["language"].field("language").to_pylist() == [f"of {name}" for name in names]
    assert set(found["html"].field("visible_fraction").to_pylist()) == {None}


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


def test_in_order():
    rows = [("b", "x"), ("b", "y/z"), ("a", "é"), ("a", "b"), ("b", "y"), ("a", "a/b")]
    files = pa.table({"repo_name": [row[0] for row in rows], "path": [row[1] for row in rows], "row": range(len(rows))})
    found = placed.in_order(files)
    in_order = sorted(range(len(rows)), key=lambda row: tuple(text.encode() for text in rows[row]))
    assert found.column("row").to_pylist() == in_order
    again = placed.in_order(found.set_column(0, "repo_name", found.column("repo_name").cast(pa.string())))
    assert again.to_pydict() == found.to_pydict()


def test_numbered():
    ids = pa.chunked_array([["b", None, "x", "a"], ["y", "x"]], pa.string())
    assert placed.numbered(ids, pa.chunked_array([["a", "b"]])).to_pylist() == [1, None, 2, 0, 3, 2]
