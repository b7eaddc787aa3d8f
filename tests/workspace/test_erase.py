"""Erasing from the caches: the rows that are wanted go, all others stay as they were, in their order."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.workspace import erase
from starloom.workspace.manifest import read_manifest, verify
from starloom.workspace.parts import Parts

SCHEMA = pa.schema([pa.field("content_id", pa.string(), nullable=False), ("value", pa.list_(pa.int32()))])
OTHER = pa.schema([("text", pa.string())])


def cache(root, parts, name="files", kind="files"):
    """A cache of {part: content ids}, with facts of its own, a second file without ids, and a third without rows."""
    made = Parts(root / name, kind)
    for part, ids in parts.items():
        with made.publish(part, version=3, fingerprint=f"f {part}", inputs={"a": "b"}, settings={"s": 1}) as draft:
            rows = pa.table([ids, [[len(one), number] for number, one in enumerate(ids)]], schema=SCHEMA)
            draft.parquet("contents.parquet", SCHEMA, [rows], row_group_rows=3)
            draft.parquet("texts.parquet", OTHER, [pa.table([["x"]], schema=OTHER)])
            draft.write("note.txt", b"a note")
            draft.facts = {"part": part}
        made.commit(part)
    made.set_facts({"complete": "yes"})
    return made


def rows(root, part, name="files"):
    return pq.read_table(root / name / part / "contents.parquet").to_pylist()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abcdef"), max_size=9, unique=True), min_size=1, max_size=3),
    st.sets(st.sampled_from("abcxyz")),
)
def test_what_is_wanted_goes_and_the_rest_stays(tmp_path_factory, parts, wanted):
    root = tmp_path_factory.mktemp("w")
    named = {f"p{number}": ids for number, ids in enumerate(parts)}
    cache(root, named)
    before = {part: rows(root, part) for part in named}
    untouched = {part: read_manifest(root / "files" / part) for part, ids in named.items() if not wanted & set(ids)}
    done = erase.erase(root, ("files",), wanted)
    assert {part: rows(root, part) for part in named} == {
        part: [row for row in found if row["content_id"] not in wanted] for part, found in before.items()
    }
    assert done.rows == sum(len(wanted & set(ids)) for ids in parts)
    assert done.parts == sum(bool(wanted & set(ids)) for ids in parts)
    for part in named:
        kept = read_manifest(root / "files" / part)
        assert (kept.version, kept.fingerprint, kept.inputs, kept.settings) == (3, f"f {part}", {"a": "b"}, {"s": 1})
        assert kept.facts == {"part": part}
        assert kept == untouched.get(part, kept)
        assert (root / "files" / part / "note.txt").read_bytes() == b"a note"
    assert Parts(root / "files", "files").facts() == {"complete": "yes"}
    assert verify(root / "files") == []
    assert erase.finish(root) == erase.Erased(0, 0, 0)


def test_nothing_wanted_touches_nothing(tmp_path):
    cache(tmp_path, {"p": ["a"]})
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert erase.erase(tmp_path, ("files", "signals"), ()) == erase.Erased(0, 0, 0)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_caches_that_are_not_there(tmp_path):
    assert erase.erase(tmp_path, ("files", "signals"), {"a"}) == erase.Erased(0, 0, 0)


def test_a_damaged_journal_is_told(tmp_path):
    (tmp_path / ".starloom").mkdir()
    (tmp_path / ".starloom" / erase.JOURNAL).write_text("{")
    with pytest.raises(UserError, match=erase.JOURNAL):
        erase.finish(tmp_path)


def test_a_missing_part_is_told(tmp_path):
    cache(tmp_path, {"p": ["a"], "q": ["b"]})
    (tmp_path / "files" / "p" / "manifest.json").unlink()
    with pytest.raises(UserError, match="is missing"):
        erase.erase(tmp_path, ("files",), {"a"})
