"""The ledger asked in SQL: which tables there are, what comes out of them, and how it is written."""

import csv
import io
import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from starloom.errors import UserError
from starloom.stages import load_settings
from starloom.the_stack import ledger_about, query_output, tables
from starloom.the_stack.columns import COLUMNS
from starloom.the_stack.ledger_columns import EXAMPLES, LEDGER, described
from starloom.the_stack.ledger_query import answer
from starloom.the_stack.signal import all_signals
from starloom.workspace.run import engine
from the_stack import building


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    base = tmp_path_factory.mktemp("ledger")
    files = {
        "LICENSE": building.MIT,
        "a.py": building.code("a", 40),
        "b.py": building.code("b"),
        "damaged.py": b"\xff\xfea",
    }
    files |= {"near.py": building.code("a", 40).replace(b"return", b"yield", 1), "copy.py": building.code("b")}
    return building.Workspace(base / "w", building.folder(base / "code", files)).build()


@pytest.fixture(scope="module")
def local(workspace):
    with engine(workspace.root, load_settings(workspace.root).engine) as found:
        yield found


@pytest.fixture(scope="module")
def ask(workspace, local):
    def about(sql):
        with answer(workspace.root, local, sql) as rows:
            return rows.read_all()

    return about


def test_every_column_of_the_ledger_is_documented():
    assert list(LEDGER) == [name for name in LEDGER if name in tables.LEDGER_ROWS.names or name == "quality_score"]
    assert set(tables.LEDGER_ROWS.names) <= set(LEDGER)


def test_tables_are_what_is_described(ask):
    """Every table, with the columns and types that `starloom ledger` shows."""
    for table, columns in described().items():
        found = ask(f"SELECT * FROM {table} LIMIT 1").schema
        assert [field.name for field in found] == [column.name for column in columns], table
        if table != "measured":
            simple = [
                (field.name, str(field.type).replace("Etc/", ""))
                for field in found
                if not pa.types.is_nested(field.type)
            ]
            types = {column.name: re.sub(r"^fixed_size_binary.*", "binary", column.type) for column in columns}
            assert simple == [(name, types[name]) for name, _ in simple], table
    assert {"ledger", "files", "repositories", "problems", "pairs", *(one.name for one in all_signals())} < set(
        described()
    )


def test_the_ledger_as_it_is(ask, workspace):
    assert (
        ask("FROM ledger ORDER BY repo_name, path").to_pylist()
        == pq.read_table(tables.ledger(workspace.root)[0]).to_pylist()
    )


def test_measured_is_the_ledger_and_what_was_measured(ask):
    """Each column alone, and all of them: the same values; for every file of the ledger."""
    everything = ask("SELECT * FROM measured ORDER BY repo_name, path")
    assert everything.num_rows == 6
    for name in COLUMNS:
        alone = ask(f"SELECT {name} FROM measured ORDER BY repo_name, path")
        assert alone.column(0).to_pylist() == everything.column(name).to_pylist(), name
    row = next(one for one in everything.to_pylist() if one["path"] == "a.py")
    assert (row["num_lines"], row["language"], row["extension"]) == (119, "Python", "py")
    damaged = next(one for one in everything.to_pylist() if one["path"] == "damaged.py")
    assert (damaged["verdict"], damaged["num_lines"]) == ("quarantined", None)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT path FROM measured ORDER BY path DESC",
        "  SELECT path FROM measured ORDER BY path DESC ;; ",
        "SELECT path FROM Measured m ORDER BY m.path DESC -- so",
        "WITH a AS (FROM measured) SELECT path FROM a ORDER BY num_lines IS NULL OR true, path DESC",
        "SELECT l.path FROM ledger l JOIN lines USING (content_id) RIGHT JOIN measured m ON l.path = m.path AND "
        "l.repo_name = m.repo_name ORDER BY coalesce(l.path, m.path) DESC, 1",
    ],
)
def test_the_order_asked_for(ask, sql):
    paths = [path for path in ask(sql).column(0).to_pylist() if path]
    assert paths == sorted(paths, reverse=True)
    assert len(paths) >= 5


@pytest.mark.parametrize(
    ("sql", "problem", "hint"),
    [
        ("SELECT verdit FROM ledger", "line 1, column 8: no column `verdit`", "did you mean `verdict`?"),
        ("SELECT num_line FROM measured", "line 1, column 8: no column `num_line`", "did you mean `num_lines`?"),
        ("SELECT path,\n 1 + CAST(path AS INT) FROM measured", "line 2, column 6: Could not convert", "mend the SQL"),
        ("SELECT num_lines FROM ledger", "line 1, column 8: no column `num_lines`", "known here"),
        ("SELECT * FROM ledgers", "line 1, column 15: no table `ledgers`", "did you mean `ledger`?"),
        ("SELECT content FROM contents", "line 1, column 21: no table `contents`", ""),
        ("COPY ledger TO 'x'", "only a SELECT is allowed", "one SELECT"),
        ("WITH a AS (COPY ledger TO 'x') FROM a", "COPY in it writes", "one SELECT"),
    ],
)
def test_refused(ask, sql, problem, hint):
    with pytest.raises(UserError) as caught:
        ask(sql)
    assert problem in caught.value.problem
    assert "\n" not in caught.value.problem
    assert hint in caught.value.hint


def test_what_is_not_built_is_said(tmp_path, local):
    with pytest.raises(UserError, match="is missing"), answer(tmp_path, local, "FROM ledger"):
        pass


def test_about(workspace, local):
    text = ledger_about.words(workspace.root, local)
    for table, columns in described().items():
        assert table in text
        for column in columns:
            assert column.name in text.replace("\n", " ")
    for title, sql in EXAMPLES:
        assert title in text
        assert sql in text
    found = ledger_about.to_json(workspace.root, local)
    assert [one["name"] for one in found["tables"]] == list(described())
    assert all(one["meaning"] for one in found["tables"])
    assert [len(one["rows"]) > 0 for one in found["examples"]] == [True] * len(EXAMPLES)


ODD = [
    ("TIMESTAMP '2024-01-02 03:04:05'", "2024-01-02T03:04:05"),
    ("DATE '0044-03-15 (BC)'", None),  # Python has no such day
    ("'infinity'::TIMESTAMP", None),
    ("'nan'::DOUBLE", None),
    ("'\\xAA'::BLOB", "aa"),
    ("sum(1) OVER ()", 1),
    ("1.5::DECIMAL(9, 2)", 1.5),
    ("[1, NULL]", [1, None]),
    ("{'a': ['x']}", {"a": ["x"]}),
    ("NULL", None),
    ("true", True),
    ("'é\n\"'", 'é\n"'),
    ("170141183460469231731687303715884105727", 170141183460469231731687303715884105727),
    ("INTERVAL 3 MONTHS", [3, 0, 0]),
    ("TIME '10:00:00'", "10:00:00"),
]


@pytest.mark.parametrize(("value", "wanted"), ODD, ids=[one[0] for one in ODD])
def test_any_value_is_written(workspace, local, value, wanted):
    sql = f"SELECT {value} AS v, 'x' AS v, 1 AS v_2"

    def written(write):
        out = io.StringIO()
        with answer(workspace.root, local, sql) as rows:
            write(rows, out)
        return out.getvalue()

    found = json.loads(written(query_output.write_json), parse_constant=lambda name: pytest.fail(name))
    assert found["rows"] == [{"v": wanted, "v_2": "x", "v_2_2": 1}]
    assert [one["name"] for one in found["columns"]] == ["v", "v_2", "v_2_2"]
    names, row = csv.reader(io.StringIO(written(query_output.write_csv)))
    assert names == ["v", "v_2", "v_2_2"]
    cell = json.dumps(wanted) if isinstance(wanted, list | dict) else "" if wanted is None else str(wanted)
    assert row == [cell, "x", "1"]
    with answer(workspace.root, local, sql) as rows:
        lines = query_output.table(rows, 5)
    assert len(lines) == 3
    assert "\n" not in lines[2]


def test_a_table_for_a_person(local, workspace):
    def shown(sql, limit):
        with answer(workspace.root, local, sql) as rows:
            return query_output.table(rows, limit)

    assert shown("SELECT range AS n, 'x' || range AS name, NULL AS none FROM range(98, 101)", 5) == [
        "  n  name  none",
        "---  ----  ----",
        " 98  x98   null",
        " 99  x99   null",
        "100  x100  null",
    ]
    assert shown("SELECT 1 AS n FROM range(3)", 2)[-1].startswith("… more than 2 rows")
    assert shown("SELECT 1 AS n FROM range(2)", 2)[-1] == "1"
    assert shown("SELECT 1 AS n WHERE false", 2) == ["n", "-", "no rows"]
    (_, _, cell) = shown("SELECT 'begin' || repeat('x', 100) || 'end\x1b[31m' AS v", 2)
    assert len(cell) == 70
    assert cell.startswith("begin")
    assert "\x1b" not in cell


def test_many_rows_come_as_a_stream(local, workspace):
    out = io.StringIO()
    with answer(workspace.root, local, "SELECT range AS n FROM range(250000) ORDER BY n DESC") as rows:
        query_output.write_csv(rows, out)
    lines = out.getvalue().splitlines()
    assert (lines[0], lines[1], lines[-1], len(lines)) == ("n", "249999", "0", 250_001)
