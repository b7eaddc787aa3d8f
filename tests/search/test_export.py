"""The export for Quickwit and OpenSearch: the same files by the same words, whole, in pieces that they take."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.conftest import index, write_dataset
from search.test_search import CORPUS
from starloom.errors import UserError
from starloom.search import export
from starloom.search.index import SearchIndex
from starloom.search.nodes import fold
from starloom.workspace.manifest import verify


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    made = tmp_path_factory.mktemp("export") / "w"
    write_dataset(made, CORPUS[:80], CORPUS[80:])
    index(made, shards=3)
    return made


def lines(folder):
    return [json.loads(line) for path in sorted(folder.glob("*.ndjson")) for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize("engine", ["quickwit", "opensearch"])
def test_every_file_is_there_once(root, tmp_path, engine, monkeypatch):
    monkeypatch.setattr(export, "_FILE_BYTES", 900)
    assert export.export(root, engine, tmp_path / "out") == len(CORPUS)
    assert verify(tmp_path / "out") == []
    assert len(list((tmp_path / "out").glob("*.ndjson"))) > 3
    told = lines(tmp_path / "out")
    if engine == "opensearch":
        actions, told = told[::2], told[1::2]
        assert [one["index"]["_id"] for one in actions] == [one["id"] for one in told]
    expected = {(one["repo_name"], one["path"]): one["content"] for one in CORPUS}
    assert {(one["repo_name"], one["path"]): one["content"] for one in told} == expected
    assert len({one["id"] for one in told}) == len(told)
    definition = json.loads((tmp_path / "out" / "index.json").read_bytes())
    if engine == "quickwit":
        known = [one["name"] for one in definition["doc_mapping"]["field_mappings"]]
    else:
        known = list(definition["mappings"]["properties"])
    assert all(set(one) == set(known) for one in told)


def test_a_word_finds_the_same_files(root, tmp_path):
    export.export(root, "quickwit", tmp_path / "out")
    told = lines(tmp_path / "out")
    opened = SearchIndex.open(root)
    for word in ("self", "readjson", "read", "json", "x1", "__init__", "init", "ab"):
        hits = opened.search(f"case:no {word}", 1000, count_seconds=60).hits
        found = {(one["repo_name"], one["path"]) for one in told if word in one["words"].split()}
        assert found == {(hit.repo_name, hit.path) for hit in hits}


@given(st.text(st.sampled_from("aAbB1_ é.")))
def test_words_are_folded_and_once(text):
    found = export.words(text)
    assert found == sorted(set(found))
    assert all(word and word == fold(word) for word in found)


def test_a_folder_of_something_else_is_refused(root, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").touch()
    with pytest.raises(UserError, match="not Starloom's"):
        export.export(root, "quickwit", tmp_path / "out")
    with pytest.raises(UserError, match="no search index"):
        export.export(tmp_path, "quickwit", tmp_path / "other")
