"""`query`: SQL over the given tables in bounded memory, and nothing else within its reach."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from starloom.engine import local
from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
from starloom.errors import UserError


@pytest.fixture
def engine(tmp_path):
    with LocalEngine(EngineSettings(workers=2, memory="1GB"), tmp_path / "spill") as engine:
        yield engine


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    """24 million bytes twice, in no order: more than the memory limits below."""
    path = tmp_path_factory.mktemp("big") / "big.parquet"
    count = 3_000_000
    keys = np.random.default_rng(0).integers(0, 1 << 62, count)
    pq.write_table(pa.table({"key": keys, "n": np.arange(count)}), path, compression="none", row_group_size=100_000)
    return path


def test_tables_and_files(engine, tmp_path):
    for number in range(2):
        pq.write_table(pa.table({"n": [number]}), tmp_path / f"{number}.parquet")
    rows = engine.table(
        "SELECT f.n, t.word FROM files AS f JOIN t USING (n) ORDER BY n",
        {"files": [tmp_path / "0.parquet", tmp_path / "1.parquet"], "t": pa.table({"n": [1, 0], "word": ["b", "a"]})},
    )
    assert rows.to_pylist() == [{"n": 0, "word": "a"}, {"n": 1, "word": "b"}]


def test_rows_are_streamed(engine):
    with engine.query("SELECT range AS n FROM range(1000000)", {}) as rows:
        first = next(iter(rows))
        assert 0 < len(first) <= 100_000
    with engine.query("SELECT range AS n FROM range(1000000)", {}) as rows:
        assert sum(len(batch) for batch in rows) == 1_000_000


def test_no_rows(engine):
    table = engine.table("SELECT n, 'x' AS word FROM t", {"t": pa.table({"n": pa.array([], pa.int32())})})
    assert table.schema == pa.schema([("n", pa.int32()), ("word", pa.string())])
    assert len(table) == 0


@pytest.mark.parametrize("value", [1, 1.5, "it's", 'a "b" $n ; DROP TABLE t --', None, True, b"\0\xff", ["a", "'"]])
def test_parameters_are_values(engine, value):
    assert engine.table("SELECT $value AS v", {}, {"value": value}).to_pylist() == [{"v": value}]


def test_parameters_filter(engine):
    given = {"t": pa.table({"n": [1, 2, 3]})}
    assert engine.table("SELECT n FROM t WHERE n > $least ORDER BY n", given, {"least": 1})["n"].to_pylist() == [2, 3]
    with pytest.raises(duckdb.Error, match="least"):
        engine.table("SELECT n FROM t WHERE n > $least", given, {})


@pytest.mark.parametrize(
    "name", ["it's", 'a "b"', "[1]", "st*r", "wh?t", "{a,b}", "year=2024", "100%", "ü 日", "new\nline", "a\\b", "http:"]
)
def test_odd_paths(engine, tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    pq.write_table(pa.table({"n": [1]}), folder / f"{name}.parquet")
    pq.write_table(pa.table({"n": [2]}), folder / "other.parquet")
    assert engine.table("SELECT * FROM t", {"t": [folder / f"{name}.parquet"]}).to_pylist() == [{"n": 1}]


def test_relative_and_linked_paths(engine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    pq.write_table(pa.table({"n": [1]}), tmp_path / "data" / "x.parquet")
    (tmp_path / "link").symlink_to("data")
    for text in ("data/x.parquet", "./data/../data/x.parquet", "link/x.parquet"):
        path = type(tmp_path)(text)
        assert len(engine.table("SELECT * FROM t", {"t": [path]})) == 1


def test_unusual_names_of_tables(engine):
    assert len(engine.table('SELECT * FROM "left-pairs"', {"left-pairs": pa.table({"n": [1]})})) == 1


@pytest.mark.parametrize("name", ["tables", "table", "paths", "parameters", "connection"])
def test_a_table_that_was_not_given_is_an_error(engine, name):
    """DuckDB looks for Python variables of that name unless told not to."""
    with pytest.raises(duckdb.CatalogException, match="does not exist"):
        engine.table(f'SELECT * FROM "{name}"', {"given": pa.table({"n": [1]})})


def test_queries_see_nothing_of_each_other(engine):
    engine.table("SELECT * FROM t", {"t": pa.table({"n": [1]})})
    with pytest.raises(duckdb.CatalogException):
        engine.table("SELECT * FROM t", {})


def test_the_same_files_are_asked_in_one_database(engine, tmp_path, monkeypatch):
    """Its last answers, though, are those of what the files hold by now; and other files are out of its reach."""
    one, two = tmp_path / "one.parquet", tmp_path / "two.parquet"
    connect, opened = engine._connect, []
    monkeypatch.setattr(engine, "_connect", lambda: opened.append(connect()) or opened[-1])
    for number in range(3):
        for path, name in ((one, "t"), (two, "u")):
            pq.write_table(pa.table({"n": [number]}), tmp_path / "aside")
            (tmp_path / "aside").replace(path)
            assert engine.table(f"SELECT n FROM {name}", {name: [path]})["n"].to_pylist() == [number]
    assert len(opened) == 2
    with engine.query("SELECT n FROM t", {"t": [one]}) as rows:  # no other question goes to it now
        assert engine.table("SELECT n FROM t", {"t": pa.table({"n": [7]})})["n"].to_pylist() == [7]
        assert engine.table("SELECT n FROM s", {"s": [one]})["n"].to_pylist() == [2]
        assert rows.read_all()["n"].to_pylist() == [2]
    assert len(opened) == 4
    with pytest.raises(duckdb.Error, match="disabled"):
        engine.table(f"SELECT * FROM read_parquet('{two}')", {"t": [one]})
    assert len(engine.table("SELECT n FROM t", {"t": [one]})) == 1
    assert len(opened) == 5  # the error cost the database
    engine.table("CREATE MACRO abs(n) AS 7; SELECT n FROM t", {"t": [one]})
    assert engine.table("SELECT abs(n) AS n FROM t", {"t": [one]})["n"].to_pylist() == [2]
    for number in range(9):
        pq.write_table(pa.table({"n": [number]}), tmp_path / f"{number}.parquet")
        engine.table("SELECT n FROM t", {"t": [tmp_path / f"{number}.parquet"]})
    assert len(engine._databases) == local._KEPT


# Memory


def test_a_sort_larger_than_memory_spills(tmp_path, big):
    with LocalEngine(EngineSettings(workers=2, memory="60MB"), tmp_path / "spill") as engine:
        last = -1
        with engine.query("SELECT key, n FROM t ORDER BY key", {"t": [big]}) as rows:
            spilled = sum(path.stat().st_size for path in engine.spill.iterdir())
            count = 0
            for batch in rows:
                keys = batch["key"].to_numpy()
                assert keys[0] >= last
                assert (np.diff(keys) >= 0).all()
                last = keys[-1]
                count += len(keys)
        assert count == 3_000_000
        assert spilled > 10 << 20
        assert sum(path.stat().st_size for path in engine.spill.iterdir()) == 0  # gone with the query


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT list(key ORDER BY key) AS keys FROM t",
        "SELECT key, list(n) AS ns FROM t GROUP BY key",
        "SELECT string_agg(repeat('x', 1000), '') AS text FROM t",
    ],
)
def test_out_of_memory_is_told(tmp_path, big, sql):
    with LocalEngine(EngineSettings(workers=2, memory="20MB"), tmp_path / "spill") as engine:
        with pytest.raises(UserError, match="did not fit into memory: Out of Memory") as problem:
            engine.table(sql, {"t": [big]})
        assert "\n" not in problem.value.problem
        assert "raise `memory` under [engine]" in problem.value.hint


class Broken:
    """A reader whose rows end in an error, as Arrow passes DuckDB's on: an OSError without a number."""

    def __init__(self, text):
        self.text = text

    def read_all(self):
        raise OSError(self.text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Out of Memory Error: failed to allocate\n\nPossible solutions:", "did not fit into memory: Out of Memory"),
        ("IO Error: Could not write file: No space left on device", "could not read or spill: IO Error"),
    ],
)
def test_what_goes_wrong_while_rows_stream_is_told_too(engine, text, words):
    with pytest.raises(UserError, match=words) as problem, engine.query("SELECT 1", {}):
        Broken(text).read_all()
    assert problem.value.hint


def test_errors_of_the_reader_pass_unchanged(engine):
    with pytest.raises(FileNotFoundError), engine.query("SELECT 1", {}):
        raise FileNotFoundError(2, "IO Error of its own", "x")
    with pytest.raises(OSError, match="Invalid Input Error: boom") as problem:
        engine.table("SELECT CASE WHEN range = 999999 THEN error('boom') ELSE range END AS n FROM range(1000000)", {})
    assert not isinstance(problem.value, UserError)


FULL = """
import sys
from pathlib import Path
from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
from starloom.errors import UserError
try:
    with LocalEngine(EngineSettings(workers=2, memory="60MB"), Path(sys.argv[1]) / "spill") as engine:
        engine.table("SELECT key, n FROM t ORDER BY key", {"t": [Path(sys.argv[2])]})
except UserError as problem:
    print(problem.problem, "|", problem.hint)
"""


def test_no_room_to_spill_is_told(tmp_path, big):
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-Urm", "true"], check=False).returncode:
        pytest.skip("no user namespaces here: `unshare -Urm` is refused")
    script = 'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$3" -c "$4" "$1" "$2"'
    mount = tmp_path / "mount"
    mount.mkdir()
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", script, "sh", str(mount), str(big), sys.executable, FULL],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(("a query could not read or spill", "a query did not fit into memory"))
    assert "|" in done.stdout


def test_memory_auto_is_half_of_what_is_free(tmp_path, monkeypatch):
    monkeypatch.setattr(local, "_free_memory", lambda: 3 << 30)
    with LocalEngine(EngineSettings(workers=3), tmp_path / "spill") as engine:
        told = engine.table("SELECT current_setting('memory_limit') AS m, current_setting('threads') AS t", {})
    assert told.to_pylist() == [{"m": "1.4 GiB", "t": 3}]  # 1536 MB of a thousand


def test_free_memory_is_sensible():
    assert 512 << 20 <= local._free_memory() < 1 << 50


def test_a_missing_file_is_told(engine, tmp_path):
    with pytest.raises(UserError, match=r"could not read or spill: .*absent\.parquet") as problem:
        engine.table("SELECT * FROM t", {"t": [tmp_path / "absent.parquet"]})
    assert "starloom verify" in problem.value.hint


# What SQL from a stranger's recipe cannot do


@pytest.fixture
def wire():
    """A port of this machine and the connections that came."""
    came = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            try:
                while True:
                    connection, _ = server.accept()
                    came.append(connection.getsockname())
                    connection.close()
            except OSError:
                return

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield server.getsockname()[1], came
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_parquet('http://127.0.0.1:{port}/x.parquet')",
        "SELECT * FROM 'http://127.0.0.1:{port}/x.parquet'",
        "SELECT * FROM read_csv('s3://127.0.0.1:{port}/x.csv')",
        "INSTALL httpfs FROM 'http://127.0.0.1:{port}'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "ATTACH 'http://127.0.0.1:{port}/x.db'",
        "SET custom_extension_repository = 'http://127.0.0.1:{port}'; INSTALL httpfs",
        "SET autoinstall_known_extensions = true; SELECT * FROM 'http://127.0.0.1:{port}/x.parquet'",
    ],
)
def test_no_network(engine, wire, sql):
    port, came = wire
    with pytest.raises(duckdb.Error, match=r"disabled|locked|to be loaded"):
        engine.table(sql.format(port=port), {})
    assert came == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('{root}/secret.csv')",
        "SELECT * FROM read_text('{root}/secret.csv')",
        "SELECT * FROM '{root}/other.parquet'",
        "SELECT * FROM read_parquet('{root}/*.parquet')",
        "SELECT * FROM read_parquet('{root}/given.parquet/../other.parquet')",
        "SELECT * FROM glob('{root}/*')",
        "COPY (SELECT 1) TO '{root}/made.csv'",
        "COPY (SELECT 1) TO '{root}/given.parquet/../made.csv'",
        "ATTACH '{root}/made.db'",
        "EXPORT DATABASE '{root}/made'",
        "SET allowed_paths = ['{root}/secret.csv']",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "SET temp_directory = '{root}'",
        "RESET memory_limit",
    ],
)
def test_no_other_files(engine, tmp_path, sql):
    root = tmp_path / "data"
    root.mkdir()
    (root / "secret.csv").write_text("a,b\n1,2\n")
    for name in ("given", "other"):
        pq.write_table(pa.table({"n": [1]}), root / f"{name}.parquet")
    before = sorted(path.name for path in root.iterdir())
    with pytest.raises(duckdb.Error, match=r"disabled|locked"):
        engine.table(sql.format(root=root), {"given": [root / "given.parquet"]})
    assert sorted(path.name for path in root.iterdir()) == before


def test_nothing_is_loaded_unasked(engine):
    names = ["autoinstall_known_extensions", "autoload_known_extensions", "enable_external_access"]
    values = engine.table("SELECT value FROM duckdb_settings() WHERE list_contains($names, name)", {}, {"names": names})
    assert values["value"].to_pylist() == ["false"] * 3


LONG_QUERY = """
import sys
from pathlib import Path
from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
with LocalEngine(EngineSettings(workers=2), Path(sys.argv[1])) as engine:
    print("running", flush=True)
    try:
        engine.table("SELECT count(*) FROM range(10_000_000) a, range(1_000_000) b WHERE a.range * b.range % 7 = 3", {})
    except KeyboardInterrupt:
        print(engine.table("SELECT 1 AS one", {}).to_pylist(), flush=True)  # the next one runs
        sys.exit(130)
"""


def test_ctrl_c_stops_a_query(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", LONG_QUERY, str(tmp_path / "spill")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONFAULTHANDLER": "1"},
        text=True,
    )
    assert process.stdout.readline() == "running\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    said, complaint = process.communicate(timeout=60)
    assert (process.returncode, said, complaint) == (130, "[{'one': 1}]\n", "")


def test_a_spill_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    engine = LocalEngine(EngineSettings(workers=1), tmp_path / "file" / "spill")
    with pytest.raises(UserError, match="no folder can be made here: Not a directory"):
        engine.table("SELECT 1", {})
