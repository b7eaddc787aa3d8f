"""Benchmarks from files as they are published: which is which, their problems and parts, what is wrong with some."""

import json

import pytest

from starloom.errors import UserError
from starloom.tasks.benchmark import shipped
from starloom.tasks.problems import mark, open_benchmarks
from tasks.benchmark_samples import HUMANEVAL, MBPP, PROMPT, SOLUTION, benchmarks, lines, parquet

JS = [{"name": "HumanEval_0_near", "language": "js", "prompt": "//Return it.\nfunction near(x){\n", "tests": "x"}]
PACK = [{"task_id": "CPP/0", "prompt": PROMPT, "docstring": "d", "canonical_solution": "s", "buggy_solution": "b"}]
GSM = [{"question": "How many?", "answer": "2 #### 2"}, {"question": "How few?", "answer": "1 #### 1"}]
APPS = [{"problem_id": 4000, "question": "Print it.", "solutions": '["a"]', "difficulty": "x"}]
DS = [
    {
        "prompt": "Problem:\nSum.\nA:\nBEGIN SOLUTION\n<code>",
        "reference_code": "df.sum()",
        "metadata": {"problem_id": 0},
    }
]


def read(folder):
    return {one.name: one for one in open_benchmarks([str(folder)]).benchmarks}


def test_a_folder_of_two(tmp_path):
    found = read(benchmarks(tmp_path / "all"))
    assert sorted(found) == ["humaneval", "mbpp"]
    first = found["humaneval"].problems[0]
    assert first.task_id == "HumanEval/0"
    docstring = first.parts[0][1]
    assert docstring.startswith(" Return the least distance")
    assert docstring.endswith("1.75\n    ")
    assert first.parts == (("docstring", docstring), ("solution", SOLUTION), ("prompt", PROMPT))
    assert [one.task_id for one in found["mbpp"].problems] == ["11", "510"]  # the test set


@pytest.mark.parametrize(
    ("path", "rows", "name", "ids"),
    [
        ("HumanEval.jsonl", HUMANEVAL, "humaneval", ["HumanEval/0", "HumanEval/1"]),
        (
            "openai--openai_humaneval/test-00000-of-00001.parquet",
            HUMANEVAL,
            "humaneval",
            ["HumanEval/0", "HumanEval/1"],
        ),
        ("mbpp.jsonl.gz", MBPP, "mbpp", ["11", "510"]),
        ("google--mbpp/full/test-00000-of-00001.parquet", MBPP, "mbpp", ["11", "510"]),
        ("multipl-e-humaneval/humaneval-js.jsonl.gz", JS, "multipl-e-humaneval", ["js/HumanEval_0_near"]),
        ("nuprl--MultiPL-E/humaneval-js/test.parquet", JS, "multipl-e-humaneval", ["js/HumanEval_0_near"]),
        ("humanevalpack-cpp.jsonl", PACK, "humanevalpack", ["CPP/0"]),
        ("humaneval-plus/HumanEvalPlus.jsonl.gz", HUMANEVAL, "humaneval-plus", ["HumanEval/0", "HumanEval/1"]),
        ("gsm8k/test.jsonl.gz", GSM, "gsm8k", ["gsm8k/0", "gsm8k/1"]),
        ("openai--gsm8k/main/test-00000-of-00001.parquet", GSM, "gsm8k", ["main/0", "main/1"]),
        ("codeparrot--apps/test.jsonl", APPS, "apps", ["4000"]),
        ("xlangai--DS-1000/test.jsonl", DS, "ds-1000", ["xlangai--DS-1000/0"]),
        ("ours/secret exam.jsonl", [{"prompt": "p", "code": "c"}], "secret exam", ["secret exam/0"]),
        ("exam/test.jsonl", [{"task_id": "e1", "question": "q"}], "exam", ["e1"]),
        ("humaneval/mbpp.jsonl", MBPP, "mbpp", ["11", "510"]),  # by its fields
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_which_is_which(tmp_path, path, rows, name, ids):
    (parquet if path.endswith("parquet") else lines)(tmp_path / "x" / path, rows)
    found = read(tmp_path / "x")
    assert list(found) == [name]
    assert [one.task_id for one in found[name].problems] == ids
    assert all(one.parts for one in found[name].problems)


def test_a_prompt_ends_before_its_solution(tmp_path):
    lines(tmp_path / "ds-1000" / "test.jsonl", DS)
    assert read(tmp_path)["ds-1000"].problems[0].parts == (("prompt", "Problem:\nSum.\nA:\n"), ("solution", "df.sum()"))


def test_two_forms_of_a_benchmark_are_one(tmp_path):
    lines(tmp_path / "HumanEvalPlus.jsonl", HUMANEVAL)
    lines(tmp_path / "HumanEvalPlus-Mini.jsonl", [HUMANEVAL[0] | {"canonical_solution": "another solution"}])
    first, second = read(tmp_path)["humaneval-plus"].problems
    assert [text for name, text in first.parts if name == "solution"] == ["another solution", SOLUTION]
    assert len(second.parts) == 3


def test_training_sets_are_left_out_and_told(tmp_path):
    lines(tmp_path / "gsm8k" / "test.jsonl", GSM)
    lines(tmp_path / "gsm8k" / "train.jsonl", GSM * 2)
    parquet(tmp_path / "gsm8k" / "socratic" / "test-00000-of-00001.parquet", GSM)
    found = open_benchmarks([str(tmp_path)])  # whose name has "training" in it
    assert len(found.benchmarks[0].problems) == 2
    assert found.skipped == tuple(
        f"{tmp_path.name}/gsm8k/{name}" for name in ("socratic/test-00000-of-00001.parquet", "train.jsonl")
    )


def test_a_definition_of_ones_own(tmp_path):
    rows = [{"nr": 1, "aufgabe": "Schreibe eine Funktion", "teile": ["eins", "zwei", 3]}]
    lines(tmp_path / "klausur.jsonl", rows)
    (tmp_path / "klausur.toml").write_text(
        'title = "Klausur"\nsource = "ours"\nnames = ["*klausur*"]\nid = ["nr"]\n'
        '[[parts]]\nname = "task"\nfield = "aufgabe"\n[[parts]]\nname = "step"\nfield = "teile"\n'
    )
    (problem,) = read(tmp_path)["klausur"].problems
    assert problem.task_id == "1"
    assert problem.parts == (("task", "Schreibe eine Funktion"), ("step", "eins"), ("step", "zwei"))


def test_json_files(tmp_path):
    (tmp_path / "exam.json").write_text(json.dumps([{"task_id": "a", "prompt": "p"}]))
    (tmp_path / "named.json").write_text(json.dumps({"x": {"task_id": "b", "prompt": "q"}}))
    (tmp_path / "dataset_infos.json").write_text("{}")
    assert {name: one.problems[0].task_id for name, one in read(tmp_path).items()} == {"exam": "a", "named": "b"}


def test_the_mark_is_of_files_and_definitions(tmp_path):
    folder = benchmarks(tmp_path / "all")
    before = mark([str(folder)])
    assert len(before) == 16
    assert mark([]) == ""
    (folder / "README.md").write_text("Other words.\n")
    assert mark([str(folder)]) == before
    lines(folder / "mbpp" / "mbpp.jsonl", MBPP[:2])
    changed = mark([str(folder)])
    assert changed != before
    (folder / "own.toml").write_text('title="t"\nsource="s"\nnames=["*x*"]\n[[parts]]\nname="p"\nfield="f"\n')
    assert mark([str(folder)]) not in (before, changed)


BROKEN = [
    ("a.jsonl", b'{"prompt": "p"}\nnonsense\n', "a.jsonl, line 2: no JSON object"),
    ("a.jsonl", b'["prompt"]\n', "a.jsonl, line 1: no JSON object"),
    ("a.jsonl", b"", "without a row"),
    ("a.jsonl", b'{"id": 1, "label": "x"}\n', "its fields are id, label"),
    ("mbpp.jsonl", b'{"task_id": 600, "text": "t", "code": "c"}\n', "no problem of mbpp"),
    ("a.jsonl", b'{"prompt": ""}\n', "no problem of other"),
    ("a.jsonl.gz", b"\x1f\x8bnonsense", "damaged or truncated gzip"),
    ("a.parquet", b"PAR1nonsense", "damaged Parquet"),
    ("a.json", b"{", "no JSON"),
    ("a.json", b"[1]", "no rows"),
    ("gsm8k/train.jsonl", b'{"question": "q", "answer": "a"}\n', "only files that are no part of their benchmark"),
    ("README.md", b"nothing else", "has no data files"),
    ("a.toml", b"title = 1", "is not text in quotes"),
    ("a.toml", b'title="t"\nsource="s"\nnames=["*"]\nparts=[]\n', "has `names` of its files and `parts`"),
    ("a.toml", b'title="t"\nsource="s"\nnames=["*"]\n[[parts]]\nname="p"\n', "part `p` has no field"),
    ("a.toml", b'title="t"\nsource="s"\nnames=["*"]\nid_pattern="("\n[[parts]]\nname="p"\nfield="f"\n', "id_pattern"),
    (
        "a.toml",
        b'title="t"\nsource="s"\nnames=["*"]\n[[parts]]\nname="p"\nfield="f"\ntake="before"\n',
        "`marks` belong",
    ),
]


@pytest.mark.parametrize(("name", "data", "told"), BROKEN, ids=[f"{one[0]}-{one[2][:20]}" for one in BROKEN])
def test_what_is_wrong_is_told(tmp_path, name, data, told):
    path = tmp_path / "bad" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    with pytest.raises(UserError) as raised:
        open_benchmarks([str(tmp_path / "bad")])
    assert told in str(raised.value)
    assert raised.value.hint


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("/nowhere/at/all", "does not exist"),
        ("openai/gsm8k", "does not exist"),
        ("hub:no name", "names no data set"),
        ("hub:owner/name", "is not fetched yet"),
    ],
)
def test_places_that_are_not_there(tmp_path, monkeypatch, place, told):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=told):
        open_benchmarks([place])
    with pytest.raises(UserError, match=told):
        mark([place])


def test_the_shipped_definitions_are_sound():
    names = [one.name for one in shipped()]
    assert len(names) == len(set(names)) >= 13
    assert {"apps", "cruxeval", "ds-1000", "gsm8k", "humaneval", "mbpp", "multipl-e-humaneval", "other"} <= set(names)
