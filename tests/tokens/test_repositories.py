"""Rows of data files to repositories, and to runs of them: all of it once, in order, however the files are cut."""

import itertools

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.the_stack import tables
from starloom.tokens import pack_plan, repositories
from starloom.tokens.mixture import MixtureSource
from starloom.tokens.pack_plan import plan
from starloom.tokens.repositories import Rows, told

COLUMNS = ["repo_name", "path", "content_id", "language", "license_type", "detected_licenses", "redactions"]
SCHEMA = pa.schema([tables.DATASET_FILES.field(name) for name in (*COLUMNS, "length_bytes", "content")])
EMAIL = 35

TEXTS = st.text(max_size=9)
REPOSITORIES = st.lists(st.lists(TEXTS, min_size=1, max_size=5), min_size=1, max_size=6)


def rows_of(texts):
    """A file of each text of each repository."""
    return [
        {
            "repo_name": f"r{repository:02d}",
            "path": f"{number}.py",
            "content_id": f"{repository} {number}",
            "language": "Python" if repository % 2 else "C",
            "license_type": "permissive",
            "detected_licenses": ["MIT"] * number,
            "redactions": [{"start": 0, "end": 7, "kind": "EMAIL"}] if text.startswith("<EMAIL>") else None,
            "length_bytes": len(text.encode()),
            "content": text,
        }
        for repository, some in enumerate(texts)
        for number, text in enumerate(some)
    ]


def write(folder, rows, cuts=(), group=3):
    """Data files of the rows, cut before these."""
    paths = []
    for number, (start, stop) in enumerate(itertools.pairwise([0, *sorted(cuts), len(rows)])):
        paths.append(folder / f"{number}.parquet")
        pq.write_table(pa.Table.from_pylist(rows[start:stop], SCHEMA), paths[-1], row_group_size=group)
    return paths


def read(rows, scratch):
    """{name: files} in order, each text asked for last first."""
    found = {}
    for one in repositories.repositories(rows, {"<EMAIL>": EMAIL}, scratch):
        files = [one.file(number) for number in reversed(range(len(one)))][::-1]
        assert one.paths == [file.path for file in files]
        assert one.sizes == [len(file.content.encode()) for file in files]
        assert one.bytes == sum(one.sizes)
        found[one.name] = files
    assert not scratch.exists()
    return found


@settings(max_examples=60, deadline=None)
@given(
    texts=REPOSITORIES,
    cuts=st.lists(st.integers(0, 30), max_size=3),
    group=st.integers(1, 6),
    run=st.integers(1, 60),
    large=st.integers(0, 30),
)
def test_every_file_once_in_order(fresh, texts, cuts, group, run, large):
    base = fresh()
    rows = rows_of(texts)
    paths = write(base, rows, [min(cut, len(rows)) for cut in cuts], group)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pack_plan, "RUN_BYTES", run)
        patch.setattr(repositories, "LARGE", large)
        found = plan(paths, ())
        assert found.sources == ("code",)
        named, about = [], []
        for one in found.runs:
            some = read(one.rows, base / "scratch")
            assert len(some) == len(one.sources)
            assert one.text_bytes == sum(len(file.content.encode()) for files in some.values() for file in files)
            named += [(name, file) for name, files in some.items() for file in files]
            about += told(one.rows).to_pylist()
    assert [name for name, _ in named] == [row["repo_name"] for row in rows]
    for (_, file), row in zip(named, rows, strict=True):
        assert file[:3] == (row["path"], row["content_id"], row["content"])
        assert file.language == row["language"]
        assert file.marked == (((0, 7, EMAIL),) if row["redactions"] else ())
    keys = ("content_id", "path", "license_type", "detected_licenses")
    assert about == [{key: row[key] for key in keys} for row in rows]


def test_what_was_replaced_is_marked_by_its_place(tmp_path):
    (path,) = write(tmp_path, rows_of([["<EMAIL> of <EMAIL>", "x <EMAIL>"]]))
    first, second = read([Rows(path, 0, 2)], tmp_path / "scratch")["r00"]
    assert (first.marked, second.marked) == (((0, 7, EMAIL),), ())


def test_a_run_begins_with_a_repository(tmp_path, monkeypatch):
    """Once enough is together."""
    monkeypatch.setattr(pack_plan, "RUN_BYTES", 10)
    paths = write(tmp_path, rows_of([["a" * 4, "b" * 4], ["c" * 4], ["d"], ["e" * 30, "f"], ["g"]]), cuts=[1, 4])
    found = plan(paths, ()).runs
    assert [one.text_bytes for one in found] == [12, 32, 1]
    assert [len(one.sources) for one in found] == [2, 2, 1]
    assert found[0].rows == (Rows(paths[0], 0, 1), Rows(paths[1], 0, 2))


def test_sources(tmp_path):
    paths = write(tmp_path, rows_of([["a"], ["b"], ["c"], ["d"]]), cuts=[1])
    mixture = [
        MixtureSource("none", repositories=("nobody/*",)),
        MixtureSource("c", languages=("C",), repositories=("r00",)),
        MixtureSource("elsewhere", tokens="/tmp/tokens"),
        MixtureSource("python", languages=("Python",)),
    ]
    found = plan(paths, mixture)
    assert found.sources == ("c", "python", "rest")
    assert found.without == ("none",)
    assert [number for run in found.runs for number in run.sources] == [0, 1, 2, 1]
    assert plan(paths, [*mixture, MixtureSource("others")]).sources == ("c", "python", "others")


def test_nothing(tmp_path):
    assert plan(write(tmp_path, []), ()).runs == ()
    assert plan([], ()).runs == ()
