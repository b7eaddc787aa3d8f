"""Anybody's data as texts: every form gives the same rows, nothing is lost silently, rows come out as they went in."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.dedup.inputs import Input, open_input, open_parquet_files, together
from starloom.dedup.inputs import lines as inputs_lines
from starloom.dedup.inputs import part as inputs_part
from starloom.dedup.text_files import portions, runs
from starloom.errors import UserError
from starloom.outside import parquet_footers

ROWS = [
    {"id": "a", "content": "def one(): return 1\n", "stars": 3, "lang": "Python"},
    {"id": "b", "content": "", "stars": None, "lang": "C"},
    {"id": "c", "content": "größer := 2 // 日本語 \U0001f600\n", "stars": 5, "lang": "Go"},
    {"id": "d", "content": None, "stars": 0, "lang": None},
    {"id": "e", "content": 'print("\\u0000")\t\r\n', "stars": 9, "lang": "Python"},
]


def texts(source: Input):
    """What near-deduplication reads: a null counts as empty."""
    found = []
    for run in runs(source.files):
        for _, some, of in portions(run):
            found += [one or "" for one in some.take(of).to_pylist()]
    return found


def whole(source: Input, keep=None):
    """The rows as Arrow gives them."""
    found, row = [], 0
    for part in source.parts:
        some = np.ones(part.rows, bool) if keep is None else np.array(keep[row : row + part.rows], bool)
        found += [one for table in part.tables(some, part.schema()) for one in table.to_pylist()]
        row += part.rows
    return found


def lines(source: Input):
    return [line for part in source.parts for line in part.lines(np.ones(part.rows, bool))]


def table(rows=ROWS, **kinds):
    made = pa.Table.from_pylist(rows)
    for name, kind in kinds.items():
        made = made.set_column(made.schema.get_field_index(name), name, made[name].cast(kind))
    return made


def dictionary():
    made = table()
    return made.set_column(1, "content", made["content"].dictionary_encode())


def json_lines(rows=ROWS):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def zstandard(data):
    return pa.Codec("zstd").compress(data, asbytes=True)


FORMS = {
    "x.parquet": table,
    "large.parquet": lambda: table(content=pa.large_string()),
    "view.parquet": lambda: table(content=pa.string_view()),
    "binary.parquet": lambda: table(content=pa.binary()),
    "dictionary.parquet": dictionary,
    "parquet-by-its-bytes": table,
    "x.jsonl": json_lines,
    "x.NDJSON": json_lines,
    "x.json": json_lines,
    "x.jsonl.gz": lambda: gzip.compress(json_lines()),
    "x.json.zst": lambda: zstandard(json_lines()),
    "not-what-it-says.jsonl.gz": json_lines,
    "crlf.jsonl": lambda: b"\xef\xbb\xbf" + json_lines().replace(b"\n", b"\r\n\r\n"),
    "no-end.jsonl": lambda: json_lines().rstrip(b"\n"),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_same_texts(tmp_path, name):
    made = FORMS[name]()
    if isinstance(made, pa.Table):
        pq.write_table(made, tmp_path / name, row_group_size=2)
    else:
        (tmp_path / name).write_bytes(made)
    source = open_input(tmp_path / name, tmp_path / "scratch")
    assert texts(source) == [row["content"] or "" for row in ROWS]
    assert source.ids.to_pylist() == ["a", "b", "c", "d", "e"]
    assert source.lengths.tolist() == [len((row["content"] or "").encode()) for row in ROWS]
    assert source.column("stars").to_pylist() == [3, None, 5, 0, 9]
    assert source.column("lang").to_pylist() == [row["lang"] for row in ROWS]
    assert source.column("length_bytes").to_pylist() == source.lengths.tolist()
    assert source.columns() == ["id", "content", "stars", "lang"]
    assert source.left_out == ()
    if name != "binary.parquet":
        assert whole(source) == ROWS
        assert [json.loads(line.removeprefix(b"\xef\xbb\xbf")) for line in lines(source)] == ROWS


VALUES = st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text(max_size=5)
OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "content": st.none() | st.text(st.characters(exclude_categories=()), max_size=30),
        "id": st.none() | st.text(max_size=4) | st.integers(0, 9),
        "other": st.lists(VALUES, max_size=2) | VALUES,
    },
)


@given(
    st.lists(st.tuples(OBJECTS, st.booleans(), st.sampled_from(["\n", "\r\n", "\n\n", " \n"])), max_size=8),
    st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_json_lines_are_read_as_json_and_copied_byte_for_byte(tmp_path_factory, rows, keep):
    folder = tmp_path_factory.mktemp("lines")
    written = [json.dumps(row, ensure_ascii=ascii_ or _has_surrogates(row)) + end for row, ascii_, end in rows]
    (folder / "x.jsonl").write_bytes("".join(written).encode())
    known = any("content" in row for row, _, _ in rows)
    if rows and any(row for row, _, _ in rows) and not known:
        with pytest.raises(UserError, match="no column `content`"):
            open_input(folder / "x.jsonl", folder)
        return
    source = open_input(folder / "x.jsonl", folder)
    assert texts(source) == [(row.get("content") or "").encode("utf-8", "replace").decode() for row, _, _ in rows]
    keep = np.array(keep[: len(rows)], bool)
    (part,) = source.parts
    assert list(part.lines(keep)) == [
        line.split("\n")[0].encode() for line, stays in zip(written, keep.tolist()) if stays
    ]
    starts = [number for number, line in enumerate("".join(written).split("\n"), 1) if line.strip()]
    ids = [row.get("id") for row, _, _ in rows]
    assert source.ids.to_pylist() == [
        f"x.jsonl:{start}" if one is None else str(one) for one, start in zip(ids, starts)
    ]


def _has_surrogates(row):
    return any("\ud800" <= one <= "\udfff" for one in str(row.get("content")))


# Which column, which id


@pytest.mark.parametrize(
    ("columns", "asked", "ids"),
    [
        (["content", "id"], {}, ["r0", "r1"]),
        (["text", "code", "id"], {}, ["r0", "r1"]),
        (["code"], {}, ["x:0", "x:1"]),
        (["content", "repo_name", "path"], {}, ["r0:r0", "r1:r1"]),
        (["content", "path"], {}, ["x:0", "x:1"]),
        (["body", "id", "sha"], {"content_column": "body", "id_column": "sha"}, ["r0", "r1"]),
    ],
    ids=["id", "text", "row-numbers", "repo_name-and-path", "path-alone", "as-asked"],
)
@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_columns_of_texts_and_ids(tmp_path, columns, asked, ids, form):
    body = asked.get("content_column", columns[0])
    rows = [{name: f"text {k}" if name == body else f"r{k}" for name in columns} for k in range(2)]
    path = _written(tmp_path / f"x.{form}", rows)
    source = open_input(path, tmp_path / "s", **asked)
    assert texts(source) == ["text 0", "text 1"]
    numbers = (
        {"x:0": "x.parquet:0", "x:1": "x.parquet:1"} if form == "parquet" else {"x:0": "x.jsonl:1", "x:1": "x.jsonl:2"}
    )
    assert source.ids.to_pylist() == [numbers.get(one, one) for one in ids]


def _written(path, rows):
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_bytes(json_lines(rows))
    return path


def test_a_column_of_texts_is_one_that_holds_texts(tmp_path):
    path = _written(tmp_path / "x.parquet", [{"content": {"bytes": b""}, "text": "here"}])
    assert texts(open_input(path, tmp_path)) == ["here"]
    path = _written(tmp_path / "x.jsonl", [{"content": 3, "code": "here"}])
    assert texts(open_input(path, tmp_path)) == ["here"]


def test_ids_that_are_no_texts(tmp_path):
    path = _written(tmp_path / "x.parquet", [{"id": 7, "content": "a"}, {"id": None, "content": "b"}])
    assert open_input(path, tmp_path).ids.to_pylist() == ["7", "x.parquet:1"]
    path = _written(tmp_path / "y.parquet", [{"id": b"\xff\x00", "content": "a"}, {"id": None, "content": "b"}])
    assert open_input(path, tmp_path).ids.to_pylist() == ["ff00", "y.parquet:1"]
    path = _written(tmp_path / "z.parquet", [{"id": [1, None], "content": "a"}])
    assert open_input(path, tmp_path).ids.to_pylist() == ["[1, null]"]
    values = [1, "1", 2.5, True, [1], {"a": None}, "\ud800", None]
    path = _written(tmp_path / "x.jsonl", [{"id": value, "content": "a"} for value in values])
    ids = ["1", "1", "2.5", "true", "[1]", '{"a": null}', "?", "x.jsonl:8"]
    assert open_input(path, tmp_path).ids.to_pylist() == ids


# Folders

LATIN = "// Größe\n" + "int main(void) { return 0; }\n" * 20


def test_a_folder_of_source_files(tmp_path):
    folder = tmp_path / "src"
    (folder / "pkg" / ".git").mkdir(parents=True)
    (folder / "pkg" / "__pycache__").mkdir()
    (folder / "pkg" / "__pycache__" / "a.pyc").write_bytes(b"x")
    (folder / "pkg" / "a.py").write_text("import os\n")
    (folder / "pkg-1.py").write_text("")
    (folder / "latin.c").write_bytes(LATIN.encode("latin-1"))
    (folder / os.fsdecode(b"n\xe4me.PY")).write_text("x = 1\n")
    (folder / "package.json").write_text('{"content": "one line, but smaller than the source beside it"}')
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0")
    (folder / "link.py").symlink_to(folder / "pkg" / "a.py")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    (folder / "long.py").write_text("y = 2\n" * 30)
    source = open_input(folder, tmp_path / "s")
    assert source.ids.to_pylist() == [
        "latin.c",
        "long.py",
        "n\\xe4me.PY",
        "package.json",
        "pkg-1.py",
        "pkg/a.py",
    ]
    assert texts(source)[0] == LATIN
    assert source.column("extension").to_pylist() == ["c", "py", "py", "json", "py", "py"]
    assert sorted((one.path, one.kind) for one in source.left_out) == [
        ("link.py", "symbolic link"),
        ("loop", "symbolic link"),
        ("picture.png", "no text"),
        ("pipe", "no file"),
        ("pkg/.git/", "not entered"),
        ("pkg/__pycache__/", "not entered"),
    ]
    assert [json.loads(one)["path"] for one in lines(source)] == source.ids.to_pylist()
    (folder / "package.json").unlink()
    with pytest.raises(UserError, match="so no columns"):
        open_input(folder, tmp_path / "s", content_column="body")


def test_what_is_too_large_is_named(tmp_path, monkeypatch):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("x" * 100)
    (tmp_path / "src" / "b.py").write_text("x" * 101)
    monkeypatch.setattr("starloom.dedup.inputs.folder.MAX_TEXT", 100)
    source = open_input(tmp_path / "src", tmp_path / "s")
    assert source.ids.to_pylist() == ["a.py"]
    assert source.left_out == (("b.py", "too large", "more than 100 bytes"),)


def hub(folder):
    """A download of a data set from the Hub."""
    (folder / "data" / "c").mkdir(parents=True)
    (folder / ".cache" / "huggingface").mkdir(parents=True)
    (folder / ".cache" / "huggingface" / "x.parquet").write_bytes(b"half")
    (folder / ".gitattributes").write_text("*.parquet filter=lfs\n")
    (folder / "README.md").write_text("# A data set\n" * 1000)
    (folder / "dataset_infos.json").write_text('{"content": "infos"}')
    (folder / "loader.py").write_text("import datasets\n")
    _written(folder / "data" / "train-1.parquet", [{"text": "one"}, {"text": "two"}])
    _written(folder / "data" / "train-0.jsonl", [{"text": "zero", "n": 1}])
    (folder / "data" / "c" / "data.json").write_bytes(json_lines([{"text": "c"}]))
    (folder / "data" / "c" / "more.json").write_text('[{"text": "an array"}]')
    return folder


def test_a_download_from_the_hub(tmp_path):
    source = open_input(hub(tmp_path / "set"), tmp_path / "s")
    assert texts(source) == ["c", "zero", "one", "two"]
    assert source.ids.to_pylist() == [
        "data/c/data.json:1",
        "data/train-0.jsonl:1",
        "data/train-1.parquet:0",
        "data/train-1.parquet:1",
    ]
    assert source.column("n").to_pylist() == [None, 1, None, None]
    assert sorted((one.path, one.kind) for one in source.left_out) == [
        (".cache/", "not entered"),
        ("data/c/more.json", "no rows"),
        ("loader.py", "no rows"),
    ]


def test_a_snapshot_in_the_cache_of_the_hub_is_links(tmp_path):
    made, snapshot = hub(tmp_path / "made"), tmp_path / "datasets--a--b" / "snapshots" / "0123"
    (tmp_path / "datasets--a--b" / "blobs").mkdir(parents=True)
    (snapshot / "data").mkdir(parents=True)
    for name in ("train-1.parquet", "train-0.jsonl"):
        (made / "data" / name).rename(tmp_path / "datasets--a--b" / "blobs" / f"blob-of-{name}")
        (snapshot / "data" / name).symlink_to(f"../../../blobs/blob-of-{name}")
    _written(tmp_path / "secret.jsonl", [{"text": "secret"}])
    (snapshot / "out.jsonl").symlink_to(tmp_path / "secret.jsonl")
    source = open_input(snapshot, tmp_path / "s")
    assert texts(source) == ["zero", "one", "two"]
    assert source.left_out == (("out.jsonl", "symbolic link", "leads out of it"),)


def test_files_without_the_texts_are_named(tmp_path):
    (tmp_path / "set" / "files").mkdir(parents=True)
    (tmp_path / "set" / "repositories").mkdir()
    _written(tmp_path / "set" / "files" / "a.parquet", [{"content": "a", "repo_name": "r", "path": "p"}])
    _written(tmp_path / "set" / "repositories" / "a.parquet", [{"repo_name": "r"}])
    source = open_input(tmp_path / "set", tmp_path / "s")
    assert source.ids.to_pylist() == ["r:p"]
    assert source.left_out == (("repositories/a.parquet", "no column `content`", "its columns: repo_name"),)


def test_source_with_data_in_it_is_source_unless_a_column_is_asked_for(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.py").write_text("import sys\n" * 100)
    _written(tmp_path / "src" / "cases.jsonl", [{"content": "a case"}])
    assert open_input(tmp_path / "src", tmp_path / "s").ids.to_pylist() == ["cases.jsonl", "main.py"]
    asked = open_input(tmp_path / "src", tmp_path / "s", content_column="content")
    assert asked.ids.to_pylist() == ["cases.jsonl:1"]
    assert [one.path for one in asked.left_out] == ["main.py"]


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12\n"


def test_what_git_lfs_has_not_fetched(tmp_path):
    (tmp_path / "set").mkdir()
    for name in ("a.parquet", "b.jsonl"):
        (tmp_path / "set" / name).write_bytes(POINTER)
        with pytest.raises(UserError, match=f"{name} is a Git LFS pointer") as refused:
            open_input(tmp_path / "set" / name, tmp_path / "s")
        assert "git lfs pull" in refused.value.hint
    with pytest.raises(UserError, match=r"a\.parquet is a Git LFS pointer"):
        open_input(tmp_path / "set", tmp_path / "s")
    (tmp_path / "set" / "main.py").write_text("import sys\n" * 100)
    source = open_input(tmp_path / "set", tmp_path / "s")
    assert source.ids.to_pylist() == ["main.py"]
    assert [(one.path, one.kind) for one in source.left_out] == [
        ("a.parquet", "LFS pointer"),
        ("b.jsonl", "LFS pointer"),
    ]


def test_damaged_rows_spoil_a_data_set_but_no_source(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.py").write_text("import sys\n")
    (tmp_path / "src" / "numbers.jsonl").write_text("[1, 2]\n" * 100)
    _written(tmp_path / "src" / "table.parquet", [{"n": 1}])
    assert open_input(tmp_path / "src", tmp_path / "s").ids.to_pylist() == ["main.py", "numbers.jsonl"]
    _written(tmp_path / "src" / "rows.parquet", [{"content": "x"}])
    with pytest.raises(UserError, match=r"numbers.jsonl, line 1: no JSON object"):
        open_input(tmp_path / "src", tmp_path / "s")


def test_an_empty_folder_and_empty_files(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.jsonl").touch()
    pq.write_table(table([]) if False else pa.table({"content": pa.array([], pa.string())}), tmp_path / "x.parquet")
    for name in ("empty", "x.jsonl", "x.parquet"):
        source = open_input(tmp_path / name, tmp_path / "s")
        assert (source.rows, texts(source), source.ids.to_pylist(), source.lengths.tolist()) == (0, [], [], [])


# Several


def test_several_inputs_together(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        Path(name).mkdir()
        Path(name, "a.py").write_text(f"# {name}\n")
        Path(name, "logo.png").write_bytes(b"\0")
    _written(Path("two.jsonl"), [{"content": "x", "stars": 1.5}])
    _written(Path("b.parquet"), [{"content": "y", "id": "own", "stars": 2}])
    own = open_input(Path("b.parquet"), tmp_path / "s")
    source = together([*(open_input(Path(name), tmp_path / "s") for name in ("one", "two/", "two.jsonl")), own])
    assert source.ids.to_pylist() == ["one/a.py", "two/a.py", "two.jsonl:1", "own"]
    assert source.name == "one, two, two.jsonl, b.parquet"
    assert [left.path for left in source.left_out] == ["one/logo.png", "two/logo.png"]
    assert source.column("stars").to_pylist() == [None, None, 1.5, 2.0]
    assert texts(source) == ["# one\n", "# two\n", "x", "y"]


def test_columns_that_do_not_go_together(tmp_path):
    a = _written(tmp_path / "a.parquet", [{"content": "x", "n": 1}])
    b = _written(tmp_path / "b.parquet", [{"content": "x", "n": "one"}])
    source = together([open_input(one, tmp_path) for one in (a, b)])
    with pytest.raises(UserError, match="have `n` as int64, string"):
        source.column("n")
    mixed = open_input(_written(tmp_path / "c.jsonl", [{"content": "x", "n": 1}, {"content": "x", "n": "1"}]), tmp_path)
    with pytest.raises(UserError, match="values of `n` are of several kinds"):
        mixed.column("n")
    with pytest.raises(UserError, match="no column `nn`") as refused:
        source.column("nn")
    assert "`n`" in refused.value.hint


def test_a_published_dataset(tmp_path):
    path = _written(tmp_path / "x.parquet", [{"content": "x", "repo_name": "r", "path": "p"}])
    source = open_parquet_files("w", [("x", path)], "content", ("repo_name", "path"))
    assert source.ids.to_pylist() == ["r:p"]
    with pytest.raises(UserError, match="no column `pth`"):
        open_parquet_files("w", [("x", path)], "content", ("pth",))


# Refused

NO_JSON = {
    "array": (b'[{"content": "x"}]\n', "line 1", "jq -c '.[]'"),
    "over-lines": (b'{\n "content": "x"\n}\n', "line 1", "jq -c ."),
    "cut": (b'{"content": "x"}\n{"content": "y', "line 2", "one JSON object"),
    "latin": ('{"content": "ä"}\n'.encode("latin-1"), "line 1", "UTF-8"),
    "deep": (b'{"content": "x"}\n{"a": ' + b"[" * 100_000 + b"\n", "line 2", "one JSON object"),
    "number": (b'{"content": "x"}\n\n7\n', "line 3", "one JSON object"),
    "text": (b'{"content": "x"}\n{"content": ["x"]}\n' * 60, "line 2", "--content"),
}


@pytest.mark.parametrize("name", NO_JSON)
def test_lines_that_are_no_rows(tmp_path, name):
    data, where, hint = NO_JSON[name]
    (tmp_path / "x.jsonl").write_bytes(data)
    asked = {"content_column": "content"} if name == "text" else {}
    with pytest.raises(UserError) as refused:
        open_input(tmp_path / "x.jsonl", tmp_path / "s", **asked)
    assert "x.jsonl" in refused.value.problem
    if name != "text":
        assert where in refused.value.problem
        assert hint in refused.value.hint


def test_a_text_that_is_none(tmp_path):
    rows = [{"content": "x"}] * 200 + [{"content": ["x"]}]
    with pytest.raises(UserError, match="line 201: `content` is no text"):
        open_input(_written(tmp_path / "x.jsonl", rows), tmp_path)


@pytest.mark.parametrize("packed", [gzip.compress, zstandard], ids=["gzip", "zstandard"])
def test_bombs_and_endless_lines_are_bounded(tmp_path, monkeypatch, packed):
    monkeypatch.setattr(inputs_lines, "_SMALL", 1 << 20)
    monkeypatch.setattr(inputs_lines, "MAX_TEXT", 1 << 16)
    (tmp_path / "bomb.jsonl").write_bytes(packed(b'{"content": "x"}\n' + b" \n" * (16 << 20)))
    with pytest.raises(UserError, match=r"bomb.jsonl: more than [\d,]+ bytes"):
        open_input(tmp_path / "bomb.jsonl", tmp_path / "s")
    (tmp_path / "long.jsonl").write_bytes(b'{"content": "x"}\n' + b" " * (1 << 17))
    with pytest.raises(UserError, match=r"long.jsonl, line 2: longer than 65,536 bytes"):
        open_input(tmp_path / "long.jsonl", tmp_path / "s")
    (tmp_path / "cut.jsonl").write_bytes(packed(json_lines())[:-5])
    with pytest.raises(UserError, match="damaged or truncated"):
        open_input(tmp_path / "cut.jsonl", tmp_path / "s")


def test_damaged_parquet(tmp_path, monkeypatch):
    path = _written(tmp_path / "x.parquet", ROWS)
    good = path.read_bytes()
    for name, data in (("cut", good[:-20]), ("no-parquet", b"hello"), ("empty", b""), ("head", b"PAR1")):
        (tmp_path / f"{name}.parquet").write_bytes(data)
        with pytest.raises(UserError, match=f"{name}.parquet cannot be read as Parquet"):
            open_input(tmp_path / f"{name}.parquet", tmp_path)
    pq.write_table(pa.table({"content": pa.nulls(2_000_000, pa.string())}), tmp_path / "rows.parquet")
    with pytest.raises(UserError, match="2,000,000 rows in"):
        open_input(tmp_path / "rows.parquet", tmp_path)
    twice = pa.Table.from_arrays([pa.array(["x"])] * 2, names=["content", "content"])
    pq.write_table(twice, tmp_path / "twice.parquet")
    with pytest.raises(UserError, match="two columns `content`"):
        open_input(tmp_path / "twice.parquet", tmp_path)
    monkeypatch.setattr(parquet_footers, "MAX_GROUP", 10)
    with pytest.raises(UserError, match="row group 0 would unpack to"):
        open_input(path, tmp_path)


@pytest.mark.parametrize(
    ("name", "asked", "words"),
    [
        ("nothing.jsonl", {}, "does not exist"),
        ("main.py", {}, "neither Parquet nor JSON lines"),
        ("pipe.jsonl", {}, "no regular file"),
        ("x.jsonl", {"content_column": "contents"}, "no column `contents`"),
        ("x.jsonl", {"content_column": "stars"}, "`stars` holds no texts"),
        ("x.jsonl", {"id_column": "ids"}, "no column `ids`"),
        ("y.jsonl", {}, "no column `content`, `text` or `code`"),
    ],
    ids=["missing", "no-form", "pipe", "content", "no-texts", "id", "no-content"],
)
def test_refused(tmp_path, name, asked, words):
    _written(tmp_path / "x.jsonl", ROWS)
    _written(tmp_path / "y.jsonl", [{"body": "x", "url": "y"}])
    (tmp_path / "main.py").write_text("x = 1\n")
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(UserError, match=words) as refused:
        open_input(tmp_path / name, tmp_path / "s", **asked)
    assert refused.value.hint
    if name == "y.jsonl":
        assert "body, url" in refused.value.hint


def test_a_full_disk_is_said(tmp_path, monkeypatch):
    """As where the scratch folder has gone."""
    path = _written(tmp_path / "x.jsonl", ROWS)
    monkeypatch.setattr("starloom.dedup.inputs.open._staged", lambda scratch: Path("/dev/full"))
    monkeypatch.setattr(inputs_part, "_GROUP_BYTES", 10)
    with pytest.raises(UserError, match="cannot write /dev/full") as refused:
        open_input(path, tmp_path / "s")
    assert "TMPDIR" in refused.value.hint


def test_a_file_that_changes_meanwhile(tmp_path):
    path = _written(tmp_path / "x.jsonl", ROWS)
    source = open_input(path, tmp_path / "s")
    _written(path, ROWS[:3])
    with pytest.raises(UserError, match="changed while it was read"):
        lines(source)
    path = _written(tmp_path / "x.parquet", ROWS)
    source = open_input(path, tmp_path / "s")
    _written(path, ROWS[:3])
    with pytest.raises(UserError, match="changed while it was read"):
        lines(source)
