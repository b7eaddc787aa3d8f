"""Problems planted in texts are found where they are, whatever was done to their layout; and nothing else is."""

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.tasks.contamination import ContaminationSettings, complaint, mark, open_search
from tasks.benchmark_samples import HUMANEVAL, MBPP, PROMPT, SHORT, SOLUTION, benchmarks, lines


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return benchmarks(tmp_path_factory.mktemp("tasks") / "all")


@pytest.fixture(scope="module")
def found(folder):
    """`found(text, …, **settings)`: the matches of each text."""

    def ask(*texts, **chosen):
        encoded = [one.encode() for one in texts]
        offsets = np.cumsum([0, *map(len, encoded)]).astype(np.int64)
        search = open_search(ContaminationSettings((str(folder),), **chosen))
        return search.find(offsets, np.frombuffer(b"".join(encoded), dtype=np.uint8))

    return ask


def tabs(text):
    return "".join(
        "\t" * ((len(line) - len(line.lstrip())) // 4 + 1) + line.lstrip() + "\n" for line in text.splitlines()
    )


def wrapped(text):
    return "\n   \n\t\n".join(text.split("\n"))


def crlf(text):
    return text.replace("\r", "").replace("\n", "\r\n")


def old_mac(text):
    return text.replace("\r", "").replace("\n", "\r")


def in_json(text):
    return json.dumps({"prompt": text})


def in_a_notebook(text):
    return json.dumps({"cells": [{"cell_type": "code", "source": text.splitlines(keepends=True)}]}, indent=1)


def in_json_in_json(text):
    return json.dumps(json.dumps(text))


def shouted(text):
    return text.upper()


def pasted(text):
    return text.replace(" ", "\u00a0")


LAYOUTS = [str, tabs, wrapped, crlf, old_mac, in_json, in_json_in_json, in_a_notebook, shouted, pasted]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda one: one.__name__)
@pytest.mark.parametrize(
    "part", [PROMPT, SOLUTION, MBPP[1]["text"], MBPP[2]["code"]], ids=["prompt", "solution", "text", "code"]
)
def test_layout_does_not_matter(found, layout, part):
    text = "import os\n\nclass Other:\n" + layout(part) + "\nx = 1\n"
    (matches,) = found(text)
    assert matches
    first = matches[0]
    assert (first.benchmark, first.share) in (("humaneval", 1), ("mbpp", 1))
    planted = layout(part)
    inner = text[first.start : first.end]
    assert "".join(inner.split()) in "".join(planted.split())
    assert text.count("\n", 0, first.start) + 1 == first.line
    assert text.count("\n", 0, first.end) + 1 == first.end_line


def test_what_it_says(found):
    text = "é = 1\n\n" + PROMPT + SOLUTION + "# the end\n"
    (matches,) = found(text)
    assert {(one.benchmark, one.problem) for one in matches} == {("humaneval", "HumanEval/0")}
    assert [one.part for one in matches] == ["prompt", "solution", "docstring"]  # the longest first
    prompt, solution, docstring = matches
    assert text[prompt.start : prompt.end] == PROMPT.strip()
    assert (prompt.line, prompt.end_line) == (3, 10)
    assert text[docstring.start : docstring.end].startswith("Return the least")
    assert text[solution.start : solution.end] == SOLUTION.strip()
    assert (solution.line, solution.end_line) == (11, 14)


def test_trivial_parts_are_not_looked_for(found, folder):
    assert found("def f(x, y):\n" + SHORT) == [[]]
    assert found("def f(x, y):\n" + SHORT, min_characters=8)[0][0].problem == "HumanEval/1"
    search = open_search(ContaminationSettings((str(folder),)))
    assert [(one.benchmark, one.problems, one.parts, one.trivial, one.unseen) for one in search.sought] == [
        ("humaneval", 2, 5, 1, 0),
        ("mbpp", 2, 4, 0, 0),
    ]
    assert search.names == "humaneval 2, mbpp 2"


def test_what_is_not_of_the_test_set(found):
    assert found(MBPP[0]["code"], MBPP[3]["code"], MBPP[3]["text"]) == [[], [], []]


def test_almost_is_not_enough(found):
    assert found(SOLUTION.replace("gaps", "distances")) == [[]]


def test_most_of_its_words_are_enough_where_asked_for(found):
    commented = "".join(f"// {line.strip()}\n" for line in PROMPT.replace("infinity", "inf").splitlines())
    assert found(commented) == [[]]
    (matches,) = found(commented, ngram=4, share=0.7)
    assert {(one.problem, one.part) for one in matches} == {("HumanEval/0", "prompt"), ("HumanEval/0", "docstring")}
    assert all(0.7 <= one.share < 1 for one in matches)
    (whole,) = found(PROMPT, ngram=4)
    assert {one.share for one in whole} == {1.0}
    assert len(whole) == 2
    assert found(commented, ngram=4, share=1.0) == [[]]


def test_a_benchmark_in_one_file(found, folder):
    everything = (folder / "mbpp" / "mbpp.jsonl").read_text()
    (matches,) = found(everything)
    assert {one.problem for one in matches} == {"11", "510"}
    assert len(matches) == 4


@settings(deadline=None, max_examples=60)
@given(before=st.text(max_size=60), after=st.text(max_size=60), seed=st.integers(0, 2**20))
def test_planted_anywhere(found, before, after, seed):
    before, after = (one.encode("utf-8", "replace").decode() for one in (before.rstrip("\\"), after))
    dice = np.random.default_rng(seed)
    planted = "".join(one + dice.choice(["", "", " ", "\t", "\n\n"]) if one.isspace() else one for one in SOLUTION)
    text = before + planted + after
    (matches,) = found(text)
    (match,) = [one for one in matches if one.part == "solution" and one.problem == "HumanEval/0"]
    assert "".join(text[match.start : match.end].split()) == "".join(SOLUTION.split())
    assert match.start == len(before) + len(planted) - len(planted.lstrip())


@pytest.mark.parametrize(
    "text", ["", "\0" * 99, "\ufeff", "é" * 200_000, "\\" * 500_000, "a" * 2_000_000, "\n" * 99_999]
)
def test_no_text_fails(found, text):
    assert found(text, text, ngram=3) == [[], []]


def test_none_and_no_texts(found):
    assert found() == []


def test_equal_parts_of_two_benchmarks(tmp_path):
    lines(tmp_path / "HumanEval.jsonl", HUMANEVAL)
    lines(tmp_path / "HumanEvalPlus.jsonl", HUMANEVAL)
    search = open_search(ContaminationSettings((str(tmp_path),)))
    data = np.frombuffer(SOLUTION.encode(), dtype=np.uint8)
    (matches,) = search.find(np.array([0, len(data)], dtype=np.int64), data)
    assert [one.benchmark for one in matches] == ["humaneval", "humaneval-plus"]


def test_complaints(folder, tmp_path):
    assert "no benchmarks are looked for" in complaint(ContaminationSettings())
    assert complaint(ContaminationSettings((str(folder),))) == ""
    lines(tmp_path / "exam.jsonl", [{"task_id": "a", "code": "f(x)"}, {"task_id": "b", "code": "f(x)" * 20}])
    assert "1 of exam" in complaint(ContaminationSettings((str(tmp_path),)))
    assert mark(ContaminationSettings()) == ""


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"min_characters": 7}, "min_characters = 7"),
        ({"ngram": -1}, "ngram = -1"),
        ({"ngram": 101}, "ngram = 101"),
        ({"share": 0.0}, r"share = 0\.0"),
        ({"share": 1.5}, r"share = 1\.5"),
    ],
)
def test_settings_out_of_range(chosen, told):
    with pytest.raises(UserError, match=told):
        ContaminationSettings(**chosen)


def test_the_signal(folder):
    from starloom.the_stack.signal import Batch, signal

    one = signal("contamination")
    texts = pa.array(["x = 1\n", PROMPT + SOLUTION + MBPP[1]["code"]], pa.large_string())
    nothing = pa.Table.from_arrays(list(one.measure(Batch(texts), ContaminationSettings())), schema=one.columns)
    assert all(column.null_count == 2 for column in nothing.columns)
    arrays = list(one.measure(Batch(texts), ContaminationSettings((str(folder),))))
    clean, row = pa.Table.from_arrays(arrays, schema=one.columns).to_pylist()
    assert clean == dict.fromkeys(clean) | {"benchmark_hits": 0, "benchmarks": "humaneval 2, mbpp 2"}
    assert row["benchmark_match"] == "humaneval HumanEval/0, prompt: lines 1 to 8, and 1 more"
    assert (row["benchmark"], row["benchmark_problem"], row["benchmark_part"]) == ("humaneval", "HumanEval/0", "prompt")
    assert (row["benchmark_line"], row["benchmark_end"], row["benchmark_hits"]) == (1, 8, 2)
    assert [(one["problem"], one["part"]) for one in row["benchmark_matches"]][-1] == ("11", "solution")
    assert (
        one.measure(Batch(pa.array([], pa.large_string())), ContaminationSettings((str(folder),)))[0].to_pylist() == []
    )
