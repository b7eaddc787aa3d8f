"""Data sets in The Stack's columns: the same repositories, paths and contents as the files they were made of."""

import gzip
import json
import os
from dataclasses import asdict, replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
from starloom.errors import UserError
from starloom.identity import blob_id, content_id
from starloom.outside import hub, json_lines, parquet_footers
from starloom.outside.paths import text_path
from starloom.sources.folder import FolderSource
from starloom.sources.hub_datasets import meaning, open_dataset, packs, prepare
from starloom.sources.hub_datasets import rows as dataset_rows
from starloom.sources.hub_datasets.shape import shape_of
from starloom.sources.repository import Place, Repository, SourceError, SourceSettings, Wanted
from starloom.the_stack import tables

REVISION, ROOT, SNAPSHOT = "1" * 40, "2" * 40, "3" * 40
FILES = {
    "ada/one": {
        b"a-b": b"#!/bin/sh\n",
        b"a.py": b"",
        b"a/x.py": b"x = 1\n",
        "caf\xe9.py".encode(): "caf\xe9 = 1\n".encode(),
        b"deep/er/y.c": b"int y;\n" * 1000,
    },
    "bob/two": {b"README.md": b"# Two\n", b"x.py": b"x = 1\n"},  # one content in two repositories
}


@pytest.fixture
def place(tmp_path):
    with LocalEngine(EngineSettings(workers=1, memory="500MB"), tmp_path / "spill") as engine:
        yield Place(tmp_path / "place", engine)


@pytest.fixture
def opened(place):
    """The sources and problems of a data set, prepared."""

    def made(path, problems=False, **settings):
        asked = SourceSettings(str(path), **settings)
        found = open_dataset(str(path), asked, place)
        for one in found.unfetched:
            assert one.alone
            one.fetch(place)
        found = open_dataset(str(path), asked, place)
        assert found.unfetched == []
        if problems:
            return found
        assert found.problems == []
        return {source.repository().repo_name: source for source in found.sources}

    return made


def read(source):
    """{raw path: content or problem} of what a source lists."""
    entries = list(source.entries(1 << 30))
    assert [one.raw_path for one in entries] == sorted(one.raw_path for one in entries)
    wanted = {one.content_id: Wanted(one.raw_path, one.content_id, one.size) for one in entries if one.content_id}
    answers = {one.content_id: one for one in source.contents(wanted.values())}
    assert answers.keys() == wanted.keys()
    found = {}
    for one in entries:
        answer = answers.get(one.content_id)
        found[one.raw_path] = one.problem or answer.problem or answer.data
        if answer and answer.data is not None:
            assert content_id(answer.data) == one.content_id
            assert len(answer.data) == one.size
    return found


def flat(row):
    """One row a file."""
    return [row(name, path, data) for name, files in FILES.items() for path, data in files.items()]


def v1():
    return flat(
        lambda name, path, data: {
            "hexsha": content_id(data),
            "size": len(data),
            "ext": "py",
            "lang": "Python",
            "max_stars_repo_path": path.decode(),
            "max_stars_repo_name": name,
            "max_stars_repo_head_hexsha": REVISION,
            "max_stars_repo_licenses": ["MIT", "Apache-2.0"],
            "max_stars_count": 7.0,
            "max_issues_repo_name": "some/other",
            "max_forks_count": 100,
            "content": data.decode(),
        }
    )


def v2(content=True):
    return flat(
        lambda name, path, data: (
            {
                "blob_id": blob_id(data),
                "directory_id": ROOT,
                "path": "/" + path.decode(),
                "content_id": content_id(data),
                "detected_licenses": ["MIT"],
                "license_type": "permissive",
                "repo_name": name,
                "snapshot_id": SNAPSHOT,
                "revision_id": REVISION,
                "branch_name": "refs/heads/main",
                "visit_date": datetime(2023, 9, 6, 1, 2, 3, 4567),
                "revision_date": datetime(2022, 1, 1),
                "committer_date": datetime(2022, 1, 2),
                "github_id": 9,
                "star_events_count": 7,
                "fork_events_count": 2,
                "gha_license_id": "MIT",
                "gha_event_created_at": datetime(2022, 1, 3),
                "gha_created_at": None,
                "gha_language": "Python",
                "src_encoding": "UTF-8",
                "language": "Python",
                "is_vendor": False,
                "is_generated": False,
                "length_bytes": len(data),
                "extension": "py",
            }
            | ({"content": data.decode()} if content else {})
        )
    )


def by_repository(content=True):
    """The rows of The Stack v2's training sets, and with contents."""
    rows = {}
    for row in v2(content):
        files = ("blob_id", "path", "content_id", "language", "length_bytes", "src_encoding", "content")
        repository = {key: value for key, value in row.items() if key not in files and key != "extension"}
        whole = rows.setdefault(row["repo_name"], repository | {"repo_url": "https://example.org/x", "files": []})
        whole["files"].append({key: row[key] for key in files if key in row})
    return list(rows.values())


def v3():
    return [
        {
            "repo_path": name,
            "repo_id": 9,
            "commit_id": REVISION,
            "github_metadata": {
                "branch": "main",
                "commit_count": 3,
                "repo_created_at": "2015-01-01T00:00:00Z",
                "is_fork": False,
                "stars": 7,
                "forks": 2,
            },
            "num_files": len(files),
            "files": [
                {
                    "content_id": content_id(data),
                    "content": data.decode(),
                    "size_bytes": len(data),
                    "file_path": path.decode(),
                    "language": "Python",
                    "detected_licenses": [],
                }
                for path, data in files.items()
            ],
        }
        for name, files in FILES.items()
    ]


def ours():
    defaults = {"license_evidence": "none", "rights": "public", "alphanum_fraction": 0.5}
    rows = v2()
    for row in rows:
        row["path"] = text_path(row["path"].removeprefix("/").encode())
    return pa.Table.from_pylist(
        [dict.fromkeys(tables.DATASET_FILES.names) | row | defaults for row in rows], tables.DATASET_FILES
    )


def generic():
    return flat(lambda name, path, data: {"repo_name": name, "path": path.decode(), "content": data.decode()})


SHAPES = {"v1": v1, "v2": v2, "v2 by repository": by_repository, "v3": v3, "ours": ours, "generic": generic}


def write(path, rows, groups=3):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows)
        pq.write_table(table, path, row_group_size=groups, write_page_checksum=True)
    else:
        rows = rows.to_pylist() if isinstance(rows, pa.Table) else rows
        data = b"".join(json.dumps(row, default=str).encode() + b"\n" for row in rows)
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("ending", ["parquet", "jsonl", "jsonl.gz"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_files_come_back(tmp_path, opened, shape, ending):
    write(tmp_path / "set" / "data" / f"train-00000-of-00001.{ending}", SHAPES[shape]())
    sources = opened(tmp_path / "set")
    assert {name: read(source) for name, source in sources.items()} == FILES
    for name, files in FILES.items():  # as a folder of the same files is listed
        root = tmp_path / "folders" / name
        for path, data in files.items():
            target = root / os.fsdecode(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        folder = FolderSource(Repository(repo_name=name, kind="folder", location=str(root), rights="public"))
        assert list(sources[name].entries(1 << 30)) == list(folder.entries(1 << 30))
        assert read(sources[name]) == read(folder)


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_what_is_known_of_repositories(tmp_path, opened, ending):
    def known(shape):
        (path := tmp_path / shape).mkdir()
        write(path / f"x.{ending}", SHAPES[shape]())
        return opened(path, rights="owned")["ada/one"].repository()

    base = {
        "repo_name": "ada/one",
        "kind": "dataset",
        "rights": "owned",
        "revision_id": REVISION,
        "star_events_count": 7,
    }
    github = base | {"url": "https://github.com/ada/one"}
    second = github | {
        "directory_id": ROOT,
        "snapshot_id": SNAPSHOT,
        "branch_name": "refs/heads/main",
        "visit_date": datetime(2023, 9, 6, 1, 2, 3, 4567, tzinfo=UTC),
        "revision_date": datetime(2022, 1, 1, tzinfo=UTC),
        "committer_date": datetime(2022, 1, 2, tzinfo=UTC),
        "github_id": 9,
        "fork_events_count": 2,
        "gha_license_id": "MIT",
        "gha_event_created_at": datetime(2022, 1, 3, tzinfo=UTC),
        "gha_language": "Python",
    }
    third = github | {
        "github_id": 9,
        "fork_events_count": 2,
        "branch_name": "refs/heads/main",
        "gha_created_at": datetime(2015, 1, 1, tzinfo=UTC),
    }
    expected = {
        "v1": github | {"declared_license": "Apache-2.0 AND MIT"},
        "v2": second,
        "ours": second,
        "v2 by repository": second | {"url": "https://example.org/x"},
        "v3": third,
    }
    for shape, facts in expected.items():
        assert known(shape) == Repository(**facts, location=str(tmp_path / shape)), shape


def test_the_dataset_folder_of_a_workspace(tmp_path, opened):
    """Both forms lie in it: the files are taken, the repositories say nothing more."""
    root = tmp_path / "dataset"
    write(root / "files" / "train-00000.parquet", ours())
    rows = [dict.fromkeys(tables.DATASET_REPOSITORIES.names) | row for row in by_repository(content=False)]
    write(root / "repositories" / "train-00000.parquet", pa.Table.from_pylist(rows, tables.DATASET_REPOSITORIES))
    (root / "README.md").write_text("x")
    (root / ".cache").mkdir()
    (root / ".cache" / "x.parquet").write_bytes(b"no data")
    assert {name: read(source) for name, source in opened(root).items()} == FILES


def test_bytes_that_are_no_utf_8_come_back_where_an_id_tells_them(tmp_path, opened):
    latin = "caf\xe9\n".encode("iso-8859-1")
    marked = b"\xef\xbb\xbfx = 1\n"
    rows = [
        {
            "repo_name": "a/b",
            "path": "1",
            "content": "caf\xe9\n",
            "content_id": content_id(latin),
            "src_encoding": "ISO-8859-1",
        },
        {
            "repo_name": "a/b",
            "path": "2",
            "content": "x = 1\n",
            "content_id": content_id(marked),
            "src_encoding": "UTF-8-SIG",
        },
        {"repo_name": "a/b", "path": "3", "content": "caf\xe9\n", "content_id": "0" * 40, "src_encoding": "ISO-8859-1"},
        {"repo_name": "a/b", "path": "4", "content": "caf\xe9\n", "content_id": None, "src_encoding": "ISO-8859-1"},
        {
            "repo_name": "a/b",
            "path": "5",
            "content": "caf\xe9\n",
            "content_id": content_id(latin),
            "src_encoding": "zip",
        },
        {
            "repo_name": "a/b",
            "path": "6",
            "content": "\u4e2d\n",
            "content_id": content_id(latin),
            "src_encoding": "idna",
        },
    ]
    sources = opened(write(tmp_path / "x.jsonl", rows))
    utf8 = "caf\xe9\n".encode()
    assert read(sources["a/b"]) == {
        b"1": latin,
        b"2": marked,
        b"3": utf8,
        b"4": utf8,
        b"5": utf8,
        b"6": "\u4e2d\n".encode(),
    }


def test_redacted_contents_have_their_own_ids_and_are_counted(tmp_path, opened, capsys):
    rows = v2()
    for row in rows:
        row["content"] += "<EMAIL>"
    sources = opened(write(tmp_path / "x.parquet", rows))
    assert read(sources["bob/two"])[b"x.py"] == b"x = 1\n<EMAIL>"
    assert "7 contents do not hash to the id that is stated" in capsys.readouterr().err


@pytest.mark.parametrize("packed", [True, False])
def test_ids_only(tmp_path, opened, packed):
    pytest.importorskip("starloom.outside.object_store")
    store = tmp_path / "store"
    store.mkdir()
    for files in FILES.values():
        for data in files.values():
            (store / blob_id(data)).write_bytes(gzip.compress(data) if packed else data)
    (store / blob_id(b"# Two\n")).unlink()
    (store / blob_id(b"#!/bin/sh\n")).write_bytes(gzip.compress(b"something else"))
    sources = opened(write(tmp_path / "x.parquet", by_repository(content=False)), contents=str(store))
    found = {name: read(source) for name, source in sources.items()}
    assert isinstance(found["bob/two"].pop(b"README.md"), str)
    assert isinstance(found["ada/one"].pop(b"a-b"), str)
    expected = {name: dict(files) for name, files in FILES.items()}
    del expected["bob/two"][b"README.md"], expected["ada/one"][b"a-b"]
    assert found == expected


def test_ids_only_needs_a_store(tmp_path, opened):
    with pytest.raises(UserError, match="has ids of contents, not the contents") as raised:
        opened(write(tmp_path / "x.parquet", v2(content=False)))
    assert "contents = " in raised.value.hint


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        ([{"title": "x", "body": "y"}], "'title', 'body'"),
        ([{"blob_id": "1", "path": "x"}], "'blob_id', 'path'"),
        ([{"files": [{"x": 1}]}], "'files'"),
    ],
)
@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_unknown_columns_are_named(tmp_path, opened, rows, columns, ending):
    with pytest.raises(UserError, match=f"its columns are not understood: {columns}") as raised:
        opened(write(tmp_path / f"x.{ending}", rows))
    assert "content" in raised.value.hint


@pytest.mark.parametrize("name", ["none", "x.txt", "empty/"])
def test_no_data_set(tmp_path, opened, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(UserError):
        opened(tmp_path / name)


def test_rows_without_names(tmp_path, opened):
    root = tmp_path / "my-set"
    write(
        root / "a" / "one.jsonl",
        [{"text": "x = 1", "ext": ".py"}, {"text": "y", "id": "given/z.c"}, {"text": "z", "id": 5}],
    )
    write(root / "b.parquet", [{"code": "x = 1"}, {"code": "x = 1"}])
    (source,) = opened(root).values()
    assert source.repository().repo_name == "my-set"
    assert read(source) == {
        b"a/one/0.py": b"x = 1",
        b"given/z.c": b"y",
        b"a/one/65": b"z",
        b"b/0": b"x = 1",
        b"b/1": b"x = 1",
    }


def test_a_path_that_comes_twice_is_a_problem_of_the_later_one(tmp_path, opened):
    write(tmp_path / "set" / "1.jsonl", [{"repo_name": "a/b", "path": "x", "content": "first"}])
    write(tmp_path / "set" / "2.jsonl", [{"repo_name": "a/b", "path": "/x", "content": "second"}])
    (source,) = opened(tmp_path / "set").values()
    entries = list(source.entries(1 << 20))
    assert [(one.problem, one.content_id) for one in entries] == [
        (None, content_id(b"first")),
        ("duplicate path", None),
    ]


def test_unsafe_and_odd_paths_are_data(tmp_path, opened):
    paths = ["../../etc/passwd", "/etc/shadow", "a//b", "x\u202egnp.py", "nul\0", "\ud800", "C:\\x", "a" * 5000]
    rows = [{"repo_name": "a/b", "path": path, "content": str(number)} for number, path in enumerate(paths)]
    (source,) = opened(write(tmp_path / "x.jsonl", rows)).values()
    entries = {one.raw_path: one for one in source.entries(1 << 20)}
    assert len(entries) == len(paths)
    assert [raw[:20] for raw, one in entries.items() if one.problem] == [
        b"../../etc/passwd",
        rb"\ud800",
        b"a//b",
        b"a" * 20,
        b"nul\0",
    ]
    assert entries[b"etc/shadow"].content_id


def test_rows_without_contents_are_problems_of_their_own(tmp_path, opened):
    ids = {"content_id": content_id(b"elsewhere"), "blob_id": blob_id(b"elsewhere"), "content": None}
    rows = [
        {"path": "1", "content": "x"},
        {"path": "2", "content": None},
        {"path": "3", "content": "\ud800"},
        {"path": "4", "content": 5},
        {"path": "5", **ids, "size": 9},
        {"path": "6", **ids},
        {"path": "7", **ids, "size": 9, "blob_id": "none"},
    ]
    (source,) = opened(write(tmp_path / "x.jsonl", rows)).values()
    assert read(source) == {
        b"1": b"x",
        b"2": "its row has no content",
        b"3": "its content is no text: it has lone surrogates",
        b"4": "its content is no text",
        b"5": "it is not in the data set, and `contents` names no store",
        b"6": "its row has no content",
        b"7": "its row has no content",
    }


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.dictionary(pa.int32(), pa.string())],
    ids=str,
)
def test_types_of_content(tmp_path, opened, kind):
    table = pa.table({"path": pa.array(["b", "a"], pa.large_string()), "content": pa.array(["x", "y"]).cast(kind)})
    assert read(next(iter(opened(write(tmp_path / "x.parquet", table)).values()))) == {b"a": b"y", b"b": b"x"}


def test_strange_values_are_unknown_not_errors(tmp_path, opened):
    row = {
        "repo_name": ["x"],
        "path": 5,
        "content": "x",
        "revision_id": "HEAD",
        "github_id": "many",
        "visit_date": "soon",
        "star_events_count": -1,
        "license": {"a": 1},
    }
    (source,) = opened(
        write(tmp_path / "x.jsonl", [row, {"content": "y", "path": "z", "visit_date": "0001-01-01T00:00:00+23:00"}])
    ).values()
    assert read(source) == {b"5": b"x", b"z": b"y"}
    assert source.repository() == Repository("x", "dataset", str(tmp_path / "x.jsonl"), "public")


def test_wild_timestamps(tmp_path, opened):
    wild = pa.array([1 << 62, -(1 << 62)], pa.timestamp("ns"))
    table = pa.table({"repo_name": ["a", "b"], "path": ["x", "x"], "content": ["x", "y"], "visit_date": wild})
    assert len(opened(write(tmp_path / "x.parquet", table))) == 2


def test_a_data_set_from_the_hub(tmp_path, place, monkeypatch):
    """With the Hub's own answers: `tests/outside/test_hub.py`."""
    calls = []

    def snapshot(repo_id, folder, revision, patterns):
        calls.append((repo_id, revision))
        write(folder / "data" / "train-0.parquet", v1() if len(calls) == 1 else generic())
        (folder / hub.RECORD).write_text(json.dumps(asdict(hub.Record(repo_id, revision, "a" * 40, 1, 1))))

    monkeypatch.setattr(hub, "snapshot", snapshot)
    settings = SourceSettings("hub:ada/code@v1.0")
    for count, here in ((1, place), (1, place), (2, replace(place, update=True)), (2, place)):
        found = open_dataset(settings.path, settings, here)
        assert [one.location for one in found.unfetched] == (["hub:ada/code@v1.0"] if found.unfetched else [])
        for one in found.unfetched:
            one.fetch(here)
        assert calls == [("ada/code", "v1.0")] * count
        sources = {one.repository().repo_name: one for one in open_dataset(settings.path, settings, place).sources}
        assert {name: read(source) for name, source in sources.items()} == FILES
    assert sources["ada/one"].repository().location == "hub:ada/code@v1.0"


def test_what_the_hub_refuses_is_a_source_error(place, monkeypatch):
    def snapshot(*_):
        raise hub.HubError("ada/code: gated", "ask for access")

    monkeypatch.setattr(hub, "snapshot", snapshot)
    (unfetched,) = open_dataset("hub:ada/code", SourceSettings("hub:ada/code"), place).unfetched
    with pytest.raises(SourceError, match="gated"):
        unfetched.fetch(place)


@pytest.mark.parametrize("text", ["hub:", "hub:ada", "hub:../x", "hub:a/b/c", "hub:a/b@", "hub:a b/c", "hub:a/b@--x"])
def test_names_on_the_hub(place, text):
    with pytest.raises(UserError, match="names no data set on the Hub"):
        open_dataset(text, SourceSettings(text), place)


# Damage


def damaged(path, how):
    sound = path.read_bytes()
    middle = len(sound) // 2
    path.write_bytes(
        {
            "truncated": sound[:middle],
            "flipped": sound[:middle] + bytes(one ^ 0x55 for one in sound[middle : middle + 40]) + sound[middle + 40 :],
            "nothing": b"",
            "other": b"PAR1 this is no Parquet PAR1",
        }[how]
    )


@pytest.mark.parametrize("how", ["truncated", "flipped", "nothing", "other"])
@pytest.mark.parametrize("name", ["bad.parquet", "bad.jsonl.gz"])
def test_a_damaged_file_costs_itself(tmp_path, opened, name, how):
    write(tmp_path / "set" / "good.parquet", [{"repo_name": "a/b", "path": "x", "content": "x"}])
    rows = [{"repo_name": f"c/{number}", "path": "x", "content": os.urandom(50).hex()} for number in range(400)]
    bad = write(tmp_path / "set" / name, rows, 1000)
    damaged(bad, how)
    found = opened(tmp_path / "set", problems=True)
    assert [source.repository().repo_name for source in found.sources] == ["a/b"]
    if not (how == "nothing" and name.endswith("gz")):  # an empty file of lines has no lines
        assert [one.location for one in found.problems] == [str(bad)]
        assert found.problems[0].reason.startswith(("damaged", "unreadable", "its columns", "a line"))


def test_nothing_but_damage_is_a_source_error(tmp_path, place):
    path = write(tmp_path / "x.parquet", v1())
    damaged(path, "truncated")
    settings = SourceSettings(str(path))
    (unfetched,) = open_dataset(str(path), settings, place).unfetched
    with pytest.raises(SourceError, match=r"x\.parquet: damaged"):
        unfetched.fetch(place)
    assert open_dataset(str(path), settings, place).unfetched  # tried again the next time


def test_lines_that_are_no_rows_are_counted(tmp_path, opened, monkeypatch):
    monkeypatch.setattr(dataset_rows, "MAX_LINE", 1000)
    monkeypatch.setattr(json_lines, "BLOCK", 64)
    good = b'{"path": "%d", "content": "x"}\n'
    lines = [
        b"\xef\xbb\xbf" + good % 1,
        b"no json\n",
        b"[1]\n",
        b"\n",
        b"[" * 900 + b"\n",
        b" " * 5000 + good % 9,
        good % 2,
        b"\xff\xfe\n",
        good.rstrip() % 3,
    ]
    (tmp_path / "x.jsonl").write_bytes(b"".join(lines))
    found = opened(tmp_path / "x.jsonl", problems=True)
    assert set(read(found.sources[0])) == {b"1", b"2", b"3"}
    assert sorted(one.reason for one in found.problems) == [
        "a line is longer than 1,000 bytes (1 times): left out",
        "a line is no JSON object (4 times): left out",
    ]


@pytest.mark.parametrize("name", ["x.jsonl", "x.parquet"])
@pytest.mark.parametrize("size", [37, 1000, 1 << 20])
def test_parts_of_a_file_meet_exactly(tmp_path, monkeypatch, name, size):
    rows = [{"path": f"{number}", "content": "x" * (number % 50)} for number in range(300)]
    path = str(write(tmp_path / name, rows, 7))
    monkeypatch.setattr(dataset_rows, "UNIT_BYTES", size)
    units = dataset_rows.units(path, dataset_rows.columns_of(path)[1])
    found = [row for unit in units for row in dataset_rows.rows(unit)]
    assert [row.values["path"] for row in found] == [
        row["path"] if name == "x.jsonl" else row["path"].encode() for row in rows
    ]
    assert len({row.number for row in found}) == 300
    assert (len(units) > 1) == (size < 1 << 20)


def test_bombs_are_refused_before_they_are_read(tmp_path, opened, monkeypatch):
    zeros = pa.table({"content": pa.array(["\0" * (1 << 20)] * 64), "path": [str(number) for number in range(64)]})
    write(tmp_path / "set" / "a.parquet", pa.table({"content": ["x"], "path": ["y"]}))
    pq.write_table(zeros, tmp_path / "set" / "bomb.parquet", compression="zstd", use_dictionary=False)
    pq.write_table(pa.table({"content": pa.nulls(1 << 20, pa.string())}), tmp_path / "set" / "rows.parquet")
    monkeypatch.setattr(parquet_footers, "_SMALL", 1 << 20)
    monkeypatch.setattr(parquet_footers, "MAX_RATIO", 1000)
    found = opened(tmp_path / "set", problems=True)
    assert [one.reason.partition(":")[0] for one in found.problems] == ["refused", "refused"]
    assert len(found.sources) == 1


# Again


def test_a_killed_preparation_goes_on(tmp_path, opened, place, monkeypatch):
    for number in range(4):
        write(tmp_path / "set" / f"{number}.jsonl", [{"repo_name": f"a/{number}", "path": "x", "content": str(number)}])
    read_unit, count = prepare.read_unit, []

    def killed(item):
        if len(count) == 2:
            raise KeyboardInterrupt
        count.append(item)
        return read_unit(item)

    monkeypatch.setattr(prepare, "read_unit", killed)
    with pytest.raises(KeyboardInterrupt):
        opened(tmp_path / "set")
    monkeypatch.setattr(prepare, "read_unit", lambda item: count.append(item) or read_unit(item))
    sources = opened(tmp_path / "set")
    assert len(count) == 4  # none twice
    assert {name: read(source) for name, source in sources.items()} == {
        f"a/{number}": {b"x": str(number).encode()} for number in range(4)
    }
    assert not list(place.folder.rglob("*.aside"))


def test_a_changed_file_is_prepared_anew_and_the_old_one_goes(tmp_path, opened, place):
    path = write(tmp_path / "x.jsonl", [{"path": "a", "content": "x"}])
    first = next(iter(opened(path).values()))
    write(path, [{"path": "a", "content": "changed"}])
    second = next(iter(opened(path).values()))
    assert read(second) == {b"a": b"changed"}
    assert first.state() != second.state()
    assert len(list(place.folder.glob("datasets/*/*"))) == 1


def test_the_same_listing_whatever_the_workers(tmp_path):
    for number in range(3):
        rows = [{"repo_name": f"a/{one % 5}", "path": f"{number}/{one}", "content": f"{one}"} for one in range(50)]
        write(tmp_path / "set" / f"{number}.parquet", rows)
    states = []
    for workers in (1, 2):
        with LocalEngine(EngineSettings(workers=workers, memory="500MB"), tmp_path / "spill") as engine:
            place = Place(tmp_path / f"place{workers}", engine)
            settings = SourceSettings(str(tmp_path / "set"))
            open_dataset(settings.path, settings, place).unfetched[0].fetch(place)
            found = open_dataset(settings.path, settings, place).sources
            states.append([(one.repository(), one.state()) for one in found])
    assert states[0] == states[1]


def test_a_pack_that_was_damaged_or_deleted_is_a_problem_of_its_contents(tmp_path, opened, place):
    path = write(tmp_path / "x.jsonl", [{"path": f"{number}", "content": f"{number}" * 100} for number in range(9)])
    (source,) = opened(path).values()
    (pack,) = place.folder.rglob("*.pack")
    sound = pack.read_bytes()
    pack.write_bytes(sound[: len(sound) // 2])
    answers = list(read(source).values())
    assert sum(isinstance(one, bytes) for one in answers) in (4, 5)
    assert all(isinstance(one, bytes) or "damaged" in one for one in answers)
    pack.write_bytes(bytes(one ^ 1 for one in sound))
    assert all("damaged" in one for one in read(source).values())
    with pack.open("wb") as file:  # sound frames of other contents
        writer = packs.PackWriter(file)
        for number in range(9):
            writer.add(f"{8 - number}".encode() * 100)
    assert sum(isinstance(one, bytes) for one in read(source).values()) == 1  # the one in the middle
    pack.unlink()
    assert all("missing" in one for one in read(source).values())


# Strangers' values

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
COLUMNS = ["content", "path", "content_id", "blob_id", "src_encoding", "extension", "id", "repo_name", "license"]
COLUMNS += ["visit_date", "github_id", "revision_id", "github_metadata", "gha_created_at", "branch_name", "rights"]


@given(st.dictionaries(st.sampled_from(COLUMNS), VALUES | st.sampled_from(["utf-8", "utf-16", "idna", "x", b"\xff"])))
def test_any_values_give_a_file_and_a_repository(values):
    shape = shape_of([*COLUMNS, "license_evidence"], structs=["github_metadata.stars"])
    name = meaning.name_of(values, shape) or "x"
    repository = meaning.repository_of(values, shape, name, "y")
    file = meaning.file_of(values, shape, "z")
    assert (file.data is None) or content_id(file.data) == file.content_id
    facts = {key: getattr(repository, key) for key in prepare._FACTS} | {"unit": 0, "place": 0}
    pa.Table.from_pylist([facts], prepare._REPOSITORIES)
    pa.array([file.raw_path], pa.binary())


@given(st.binary(max_size=300))
def test_any_bytes_as_lines(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("lines") / "x.jsonl"
    path.write_bytes(data)
    try:
        dataset_rows.columns_of(str(path))
        shape = shape_of(["content"])
        for unit in dataset_rows.units(str(path), shape):
            list(dataset_rows.rows(unit))
    except SourceError:
        pass


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_packs_give_back_what_was_put_in(tmp_path_factory, contents):
    folder = tmp_path_factory.mktemp("packs")
    with packs.pack(folder, 3).open("wb") as file:
        writer = packs.PackWriter(file)
        places = [writer.add(data) for data in contents]
    wanted = [packs.PreparedFile(b"x", content_id(data), len(data), None, 3, at) for data, at in zip(contents, places)]
    answers = list(packs.DatasetReader(str(folder), None).read(wanted))
    assert sorted(one.data for one in answers) == sorted(contents)
