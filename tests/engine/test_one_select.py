"""SQL of a person: one SELECT, whatever it looks like; every error in one line, with its place."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.engine.local import LocalEngine
from starloom.engine.one_select import explained, one_select
from starloom.engine.verbs import EngineSettings
from starloom.errors import UserError

TABLES = {"ledger": ["verdict", "rule", "length_bytes"], "pairs": ["left", "right", "jaccard"]}
ROWS = pa.table({"verdict": ["kept", "dropped"], "rule": [None, "license"], "length_bytes": [3, 5]})


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with LocalEngine(EngineSettings(workers=1), tmp_path_factory.mktemp("spill")) as found:
        yield found


def ask(engine, sql):
    select = one_select(sql)
    with explained(select, TABLES), engine.query(sql, {"ledger": ROWS}) as rows:
        return rows.read_all().to_pylist()


@pytest.mark.parametrize(
    ("sql", "columns", "tables", "has_star"),
    [
        ("SELECT verdict FROM ledger", ["verdict"], ["ledger"], False),
        ("FROM ledger", [], ["ledger"], True),
        ("SELECT l.rule, sum(l.length_bytes) FROM Ledger l GROUP BY ALL;", ["rule", "length_bytes"], ["Ledger"], False),
        (
            "WITH a AS (SELECT rule FROM ledger) SELECT * FROM a JOIN pairs ON a.rule = pairs.left -- ;",
            ["rule", "left"],
            ["ledger", "a", "pairs"],
            True,
        ),
        ("SELECT 1 UNION ALL SELECT length_bytes FROM ledger ORDER BY 1", ["length_bytes"], ["ledger"], False),
        ("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) FROM r", ["n"], ["r"], True),
        ("DESCRIBE ledger", [], ["ledger"], True),
        ("VALUES (1)", [], [], True),
        ("SELECT 'DROP TABLE ledger; COPY x'", [], [], False),
        ("SELECT 'é', verdict FROM ledger WHERE 1 IN (SELECT 1 FROM pairs)", ["verdict"], ["ledger", "pairs"], False),
    ],
)
def test_what_is_read(sql, columns, tables, has_star):
    found = one_select(sql)
    assert set(found.columns) == set(columns)
    assert set(found.tables) == set(tables)
    assert found.has_star == has_star


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("", "there is no SELECT"),
        ("-- nothing", "there is no SELECT"),
        ("SELECT 1; SELECT 2", "2 statements, not one"),
        ("SELECT 1; DROP VIEW ledger", "only a SELECT is allowed"),
        ("COPY ledger TO '/tmp/x'", "only a SELECT is allowed"),
        ("INSERT INTO ledger VALUES (1)", "only a SELECT is allowed"),
        ("SET threads = 9", "only a SELECT is allowed"),
        ("ATTACH 'x.db'", "only a SELECT is allowed"),
        ("INSTALL httpfs", "only a SELECT is allowed"),
        ("CREATE TABLE a AS SELECT 1", "only a SELECT is allowed"),
        ("EXPLAIN ANALYZE SELECT 1", "only a SELECT is allowed"),
        # DuckDB calls these a SELECT
        ("WITH a AS (COPY ledger TO '/tmp/x') SELECT 1", "COPY in it writes"),
        ("WITH a AS (DELETE FROM ledger RETURNING *) SELECT * FROM a", "DELETE in it writes"),
        ("WITH a AS (INSERT INTO ledger VALUES (1) RETURNING *) SELECT * FROM a", "INSERT in it writes"),
        ("SELECT * FROM (WITH a AS (COPY ledger TO '/tmp/x') SELECT 1)", "COPY in it writes"),
        ("SELECT 1 WHERE EXISTS (WITH a AS (COPY ledger TO 'x') SELECT 1)", "COPY in it writes"),
        ("SELECT 1 UNION SELECT (WITH a AS (COPY ledger TO 'x') SELECT 1)", "COPY in it writes"),
        ("SELECT $x", "parameters have no values here"),
        ("SELECT ?", "parameters have no values here"),
        ("SELECT 1\0", "the SQL has a NUL character"),
        ("SELEC 1", 'line 1, column 1: syntax error at or near "SELEC"'),
        ("SELECT 1,\n  FROM FROM", 'line 2, column 8: syntax error at or near "FROM"'),
        ("SELECT '日本', 'abc", "line 1, column 14: unterminated string literal"),
        ("SELECT " + "(" * 2000 + "1" + ")" * 2000, "Max expression depth"),
        ("SELECT \udce9", "the SQL is no UTF-8"),
    ],
)
def test_refused(sql, problem):
    with pytest.raises(UserError) as caught:
        one_select(sql)
    assert problem in caught.value.problem
    assert "\n" not in caught.value.problem
    assert caught.value.hint


def test_what_it_refuses_would_have_written(engine, tmp_path):
    """A file that may be read may be written: DuckDB alone would not stop it."""
    path = tmp_path / "ledger.parquet"
    pq.write_table(ROWS, path)
    sql = f"WITH a AS (COPY (SELECT 1 AS gone) TO '{path}' (USE_TMP_FILE false)) SELECT 1"
    engine.table(sql, {"ledger": [path]})
    assert pq.read_table(path).column_names == ["gone"]
    with pytest.raises(UserError, match="COPY in it writes"):
        one_select(sql)


@pytest.mark.parametrize(
    ("sql", "problem", "hint"),
    [
        ("SELECT verdit FROM ledger", "line 1, column 8: no column `verdit`", "did you mean `verdict`?"),
        ("SELECT rule,\n  VERDIT FROM ledger", "line 2, column 3: no column `VERDIT`", "did you mean `verdict`?"),
        ("SELECT '日本', verdit FROM ledger", "line 1, column 14: no column `verdit`", "did you mean `verdict`?"),
        ("SELECT l.verdit FROM ledger l", "line 1, column 8: no column `verdit`", "did you mean `verdict`?"),
        ("SELECT * EXCLUDE (verdit) FROM ledger", "no column `verdit`", "did you mean `verdict`?"),
        ("SELECT * FROM ledgr", "line 1, column 15: no table `ledgr`", "did you mean `ledger`?"),
        ("SELECT flor(1.5)", "line 1, column 8: no function `flor`", "did you mean `floor`?"),
        ("SELECT rule,\n CAST(rule AS INT) FROM ledger", "line 2, column 2: Could not convert", "mend the SQL"),
        ("SELECT verdict FROM ledger GROUP BY rule", 'column "verdict" must appear in the GROUP BY', "mend the SQL"),
        ("SELECT sum(verdict) FROM ledger", "No function matches", "mend the SQL"),
        ("SELECT * FROM read_text('/etc/passwd')", "Cannot access file", "tables"),
        ("SELECT * FROM '/etc/passwd'", "no table `/etc/passwd`", "known here: ledger, pairs"),
        ("SELECT error('boom\nbang')", "boom", "mend the SQL"),
        # found only when rows stream
        (
            "SELECT CAST(CASE WHEN range = 250000 THEN 'x' ELSE '1' END AS INT) FROM range(300000)",
            "line 1, column 8: Could not convert string 'x'",
            "mend the SQL",
        ),
        (
            "SELECT " + "rule, " * 60 + "CAST(rule AS INT) FROM ledger",
            "line 1, column 368: Could not convert",
            "mend the SQL",
        ),
    ],
)
def test_what_goes_wrong(engine, sql, problem, hint):
    with pytest.raises(UserError) as caught:
        ask(engine, sql)
    assert problem in caught.value.problem
    assert "\n" not in caught.value.problem
    assert hint in caught.value.hint


def test_trouble_of_the_machine_is_not_the_querys():
    with pytest.raises(FileNotFoundError), explained(one_select("SELECT 1"), TABLES):
        Path("/no/such/file").read_bytes()


PIECES = (
    "SELECT FROM WITH AS ( ) , ; * ledger verdict rule 'a ' \" -- /* */ COPY TO DELETE INSERT INTO VALUES RETURNING 1 "
    "= AND NOT UNION ALL JOIN ON USING GROUP BY ORDER LIMIT PIVOT SET CALL $x ? é { } [ ] :: INT CASE WHEN END"
)
WORDS = st.sampled_from([*PIECES.split(), "\n", "\0"])


@given(st.lists(WORDS, max_size=14).map(" ".join) | st.text(max_size=30))
def test_any_text_is_answered_or_refused(engine, sql):
    before, problem = ROWS.to_pylist(), "answered"
    try:
        ask(engine, sql)
    except UserError as refused:
        problem = refused.problem
    assert problem
    assert "\n" not in problem
    assert ROWS.to_pylist() == before
