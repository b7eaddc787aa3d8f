"""Samples of a model from JSON lines, and how much of them is in the data."""

import gzip
import json

import pytest

from membership.told import FakeIndex, check, file, match
from starloom.errors import UserError
from starloom.membership.answers import answer
from starloom.membership.batch import Batch, samples


def written(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read(path, **options):
    return [(line, task, given.text) for line, task, given in samples(path, **options)]


@pytest.mark.parametrize(
    ("row", "texts", "task"),
    [
        ({"task_id": "HumanEval/0", "completion": "    return 1\n"}, ["    return 1\n"], "HumanEval/0"),
        ({"task_id": "Mbpp/2", "solution": "def f(): pass"}, ["def f(): pass"], "Mbpp/2"),  # EvalPlus
        ({"id": 7, "generation": ["a", "b"]}, ["a", "b"], "7"),
        ({"choices": [{"text": "a"}, {"message": {"content": "b"}}]}, ["a", "b"], "line 1"),
        ({"completion": "a", "text": "b"}, ["a"], "line 1"),
        ({"text": ""}, [""], "line 1"),
    ],
    ids=["humaneval", "evalplus", "list", "choices", "order", "empty"],
)
def test_forms(tmp_path, row, texts, task):
    assert read(written(tmp_path / "s.jsonl", row)) == [(1, task, text) for text in texts]


def test_named_fields(tmp_path):
    path = written(tmp_path / "s.jsonl", {"a": "x", "b": "y", "completion": "z"})
    assert read(path, content="a", name="b") == [(1, "y", "x")]


def test_lines_are_counted_and_packed_files_read(tmp_path):
    path = tmp_path / "s.jsonl.gz"
    path.write_bytes(gzip.compress(b'\xef\xbb\xbf{"text": "a"}\n\n  \n{"text": "b"}'))
    assert read(path) == [(1, "line 1", "a"), (4, "line 4", "b")]


def test_what_cannot_be_asked(tmp_path):
    path = tmp_path / "s.jsonl"
    path.write_text('{"text": "\\ud800 alone"}\n' + json.dumps({"text": "x" * (8 << 20) + "x"}) + "\n")
    assert [(given.text, given.problem) for _, _, given in samples(path)] == [
        (None, "no Unicode: a lone surrogate"),
        (None, "more than 8,388,608 bytes"),
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b'{"text": "a"}\nnot json\n', "line 2 is no JSON object"),
        (b"[1]\n", "line 1 is no JSON object"),
        (b'{"prompt": "a"}\n', "line 1: none of completion.*; it has prompt"),
        (b'{"completion": 3}\n', "line 1: none of completion"),
        (b"\x1f\x8b\x08broken", "cannot read .*gzip"),
    ],
    ids=["empty", "no-json", "array", "no-text", "number", "gzip"],
)
def test_refusals(tmp_path, data, words):
    path = tmp_path / "s.jsonl"
    path.write_bytes(data)
    with pytest.raises(UserError, match=words) as caught:
        read(path)
    assert caught.value.hint
    with pytest.raises(UserError, match="cannot read"):
        read(tmp_path / "missing.jsonl")


def test_contamination(tmp_path):
    rows = [
        {"task_id": "a", "completion": "copied" + "x" * 300},
        {"task_id": "a", "completion": "own" + "x" * 300},
        {"task_id": "b", "completion": "common" + "x" * 300},
        {"task_id": "b", "completion": "x"},
    ]
    files = [file("one"), file("two", license="GPL-3.0-only")]

    def found(text):
        if text.startswith("copied"):
            return check(match(*files, end=120), match(files[0], end=200, common=True), characters=300)
        if text.startswith("common"):
            return check(match(*files, common=True), characters=300)
        return check(characters=len(text), status="no_match" if len(text) > 50 else "not_covered")

    batch = Batch()
    index = FakeIndex(found)
    for line, task, given in samples(written(tmp_path / "s.jsonl", *rows)):
        batch.add(line, task, answer(index, given, 5))
    assert [(one.task_id, one.sample, one.matched, one.longest) for one in batch.samples] == [
        ("a", 0, True, 120),
        ("a", 1, False, 0),
        ("b", 0, False, 0),
        ("b", 1, False, 0),
    ]
    assert batch.samples[0].licenses == ("GPL-3.0-only", "MIT")
    assert batch.samples[0].repositories == ("one", "two")
    assert batch.tasks == {"a": 1, "b": 0}
    told = batch.to_json()
    assert told["tasks"] == {"a": {"samples": 2, "matched": 1}, "b": {"samples": 2, "matched": 0}}
    assert (told["texts"], told["matched"], told["slight"], told["short"]) == (4, 1, 1, 1)
    json.dumps(told)
