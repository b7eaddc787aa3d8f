"""Prepared repositories: what is written is read back, in slices; damage and hostile rows cost themselves."""

import dataclasses
import pickle
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.identity import content_id
from starloom.sources import prepared
from starloom.sources.content_ids import ContentIds
from starloom.sources.prepared import NUMBERED_FILES, PreparedFile, read_prepared, write_prepared
from starloom.sources.repository import (
    Content,
    LicenseMetadata,
    Repository,
    RepositoryProblem,
    SourceError,
    Wanted,
)


@dataclasses.dataclass(frozen=True)
class Shelf:
    """A reader over {content_id: bytes}; answers backwards, and leaves out what it does not have."""

    held: dict

    def read(self, rows):
        for row in reversed(rows):
            assert isinstance(row, PreparedFile)
            if row.content_id in self.held:
                yield Content(row.content_id, self.held[row.content_id])


def repository(name, **more):
    return Repository(repo_name=name, kind="archived", location=f"https://example.org/{name}", rights="public", **more)


def file(number, path, data=b"x", **more):
    row = {"repository": number, "raw_path": path, "entry_type": "file", "mode": 0o100644}
    return row | {"size": len(data), "content_id": content_id(data), "blob_id": "b" * 40} | more


def batches(rows, size=7):
    table = pa.Table.from_pylist(rows, NUMBERED_FILES)
    return table.to_batches(max_chunksize=size) or [pa.RecordBatch.from_pylist([], NUMBERED_FILES)]


def sources(folder, reader=Shelf({})):
    return read_prepared(folder, reader, "public").sources


def test_a_row_comes_back_whole(tmp_path):
    when = datetime(2020, 1, 2, 3, 4, 5, 6, UTC)
    rows = [
        repository("a/b", star_events_count=3, former_names=("x/y", "z/w"), visit_date=when, github_id=1 << 40),
        repository("c/d", revision_id="0" * 40, gha_pushed_at=when, home_page="https://example.org"),
    ]
    write_prepared(
        tmp_path / "p", rows, batches([file(1, b"x")]), [RepositoryProblem("l", "r", "h", "a/b", "some rule")]
    )
    opened = read_prepared(tmp_path / "p", Shelf({}), "owned")
    assert [one.repository() for one in opened.sources] == [dataclasses.replace(one, rights="owned") for one in rows]
    assert opened.problems == [RepositoryProblem("l", "r", "h", "a/b", "some rule", "owned")]
    first, second = opened.sources
    assert first.license_metadata() == LicenseMetadata()
    assert first.first_seen(ContentIds([])) is None
    assert [list(first.entries(1)), [one.path for one in second.entries(1)]] == [[], ["x"]]
    assert second.renamed("e/f").repository().repo_name == "e/f"
    assert prepared.is_prepared(tmp_path / "p")
    assert not prepared.is_prepared(tmp_path / "q")


def test_entries_are_those_of_the_rows(tmp_path):
    rows = [
        file(0, b"a", mode=0o100755),
        file(0, b"b\xff/c", b"yy"),
        file(0, b"d/../e"),
        file(0, b"link", entry_type="symlink", mode=0o120000, content_id=None),
        file(0, b"module", entry_type="submodule", mode=0o160000, size=None, content_id=None, target="1" * 40),
        file(0, b"skipped", size=None, content_id=None, problem="not archived"),
    ]
    write_prepared(tmp_path / "p", [repository("a/b")], batches(rows))
    (source,) = sources(tmp_path / "p")
    assert [(e.path, e.entry_type, e.mode, e.size, e.content_id, e.problem, e.target) for e in source.entries(0)] == [
        ("a", "file", 0o100755, 1, content_id(b"x"), None, None),
        ("b\\xff/c", "file", 0o100644, 2, content_id(b"yy"), None, None),
        ("d/../e", "file", 0o100644, 1, None, "unsafe path", None),
        ("link", "symlink", 0o120000, 1, None, None, None),
        ("module", "submodule", 0o160000, None, None, None, "1" * 40),
        ("skipped", "file", 0o100644, None, None, "not archived", None),
    ]


def test_repeated_and_unordered_paths_are_problems(tmp_path):
    rows = [file(0, path) for path in (b"b", b"b", b"a", b"c")]
    write_prepared(tmp_path / "p", [repository("a/b")], batches(rows))
    (source,) = sources(tmp_path / "p")
    assert [(e.path, e.problem, bool(e.content_id)) for e in source.entries(0)] == [
        ("b", None, True),
        ("b", "duplicate path", False),
        ("a", "out of order", False),
        ("c", None, True),
    ]


@settings(max_examples=25)
@given(st.lists(st.integers(0, 9), max_size=6), st.integers(1, 8), st.integers(1, 5))
def test_slices_are_each_repositorys_own(counts, group, size):
    import tempfile
    from pathlib import Path

    rows = [file(number, b"%03d" % place) for number, count in enumerate(counts) for place in range(count)]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepared, "GROUP_ROWS", group)
        write_prepared(Path(folder, "p"), [repository(f"a/{n}") for n in range(len(counts))], batches(rows, size))
        found = [[entry.raw_path for entry in source.entries(0)] for source in sources(Path(folder, "p"))]
    assert found == [[b"%03d" % place for place in range(count)] for count in counts]


def test_state_is_of_the_rows_and_what_is_known(tmp_path):
    rows = [file(0, b"a"), file(0, b"b"), file(1, b"a")]
    both = [repository("a/b"), repository("c/d")]

    def states(repositories, files, size=7):
        write_prepared(tmp_path / "p", repositories, batches(files, size))
        return [one.state() for one in sources(tmp_path / "p")]

    first, second = states(both, rows, 1)
    assert first != second
    turned = [file(0, b"a"), file(1, b"a"), file(1, b"b")]
    assert states(both[::-1], turned, 3) == [second, first]  # neither batches nor places matter
    for changed in (file(0, b"b", mode=0o100755), file(0, b"b", b"other"), file(0, b"b", problem="p"), file(0, b"c")):
        assert states(both, [rows[0], changed, rows[2]])[0] != first
        assert states(both, [rows[0], changed, rows[2]])[1] == second
    assert states([dataclasses.replace(both[0], revision_id="1" * 40), both[1]], rows)[0] != first
    (source, _) = sources(tmp_path / "p")
    assert source.renamed("x/y").state() == source.state()
    assert source.described(dataclasses.replace(source.repository(), star_events_count=7)).state() != source.state()


def test_every_wanted_content_is_answered_once(tmp_path):
    held = {content_id(data): data for data in (b"1", b"2", b"3")}
    rows = [
        file(0, path, data, file=4, row=7) for path, data in [(b"a", b"1"), (b"b", b"2"), (b"c", b"1"), (b"d", b"9")]
    ]
    write_prepared(tmp_path / "p", [repository("a/b")], batches(rows))
    (source,) = sources(tmp_path / "p", Shelf(held))
    source = pickle.loads(pickle.dumps(source))
    wanted = [Wanted(b"?", content_id(data), 1) for data in (b"1", b"2", b"3", b"9")]
    answers = {answer.content_id: answer for answer in source.contents(wanted)}
    assert len(answers) == 4
    assert [
        (answers[content_id(data)].data, answers[content_id(data)].problem) for data in (b"1", b"2", b"3", b"9")
    ] == [
        (b"1", None),
        (b"2", None),
        (None, "not listed in this repository"),
        (None, "the store gave no answer"),
    ]


def test_files_out_of_the_order_of_repositories_are_refused_and_nothing_is_left(tmp_path):
    both = [repository("a/b"), repository("c/d")]
    for rows in ([file(1, b"a"), file(0, b"a")], [file(2, b"a")], [file(-1, b"a")]):
        with pytest.raises(ValueError, match="files of repository"):
            write_prepared(tmp_path / "p", both, batches(rows))
        assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_removed_and_the_old_is_replaced(tmp_path):
    (tmp_path / ".p.killed.aside").mkdir()
    write_prepared(tmp_path / "p", [repository("a/b")], batches([]))
    write_prepared(tmp_path / "p", [repository("c/d")], batches([]))
    assert [one.name for one in tmp_path.iterdir()] == ["p"]
    assert [one.repository().repo_name for one in sources(tmp_path / "p")] == ["c/d"]


def test_damage_is_said(tmp_path):
    write_prepared(tmp_path / "p", [repository("a/b")], batches([file(0, b"%05d" % n) for n in range(50)]))
    (source,) = sources(tmp_path / "p")
    path = tmp_path / "p" / prepared.FILES_FILE
    table = pq.read_table(path)
    pq.write_table(table.slice(0, 20), path)  # shorter than it was
    with pytest.raises(SourceError, match="cannot be read"):
        list(source.entries(0))
    path.write_bytes(b"PAR1 no longer")
    with pytest.raises(SourceError, match="cannot be read"):
        list(source.entries(0))
    path.unlink()
    with pytest.raises(SourceError, match="cannot be read"):
        list(source.contents([Wanted(b"0", content_id(b"x"), 1)]))
    (tmp_path / "p" / prepared.REPOSITORIES_FILE).write_bytes(b"no")
    with pytest.raises(SourceError, match="cannot be read"):
        sources(tmp_path / "p")
