"""`starloom generate` as a process: text, JSON, files, and what it refuses."""

import json
import os
import pty
import subprocess
import sys

import pytest
from click.testing import CliRunner

from completion import building
from starloom.commands import group
from starloom.completion.local import LocalCompleter
from starloom.completion.request import Request
from starloom.errors import UserError
from the_stack.building import starloom

OPTIONS = ("--max-tokens", "8", "--seed", "5", "--temperature", "1")


@pytest.fixture
def generate(tiny, tmp_path, monkeypatch):
    """`generate(*arguments)`: the command in this process, where there is no workspace; (stdout, what it raised)."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, given=None):
        done = CliRunner().invoke(group, ["generate", "--model", str(tiny), *arguments], input=given)
        assert done.stderr == "" or done.exit_code == 2
        return done

    return run


@pytest.fixture
def said(completer):
    def complete(prompt, **options):
        return completer.complete(Request(prompt, **({"max_tokens": 8, "seed": 5, "temperature": 1.0} | options)))

    return complete


@pytest.mark.slow
def test_as_a_process(tiny, tmp_path, said):
    done = starloom("generate", "--model", tiny, "def add(", *OPTIONS, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == said("def add(").text.replace("\r", "\n") + "\n"  # as text=True reads it


def test_text_and_json(generate, said):
    assert generate("def add(", *OPTIONS).stdout == said("def add(").text + "\n"
    done = generate("def add(", *OPTIONS, "--suffix", "    return x", "--json")
    (choice,) = json.loads(done.stdout)["choices"]
    expected = said("def add(", suffix="    return x")
    assert choice == {"text": expected.text, "finish_reason": expected.finish_reason}


def test_files_and_standard_input(generate, said, tmp_path):
    (tmp_path / "half.py").write_text("class Größe:\n    ")
    (tmp_path / "rest.py").write_text("\n    pass\n")
    expected = said("class Größe:\n    ", suffix="\n    pass\n").text + "\n"
    assert generate("@half.py", *OPTIONS, "--suffix", "@rest.py").stdout == expected
    expected = said("class Größe:\n    ").text + "\n"
    assert generate("-", *OPTIONS, given="class Größe:\n    ".encode()).stdout == expected


def test_several_answers(generate, said):
    expected = [said("def add(", seed=seed) for seed in (5, 6, 7)]
    done = generate("def add(", *OPTIONS, "--samples", "3")
    assert done.stdout == "".join(f"--- {at} of 3\n{one.text}\n" for at, one in enumerate(expected, 1))
    choices = json.loads(generate("def add(", *OPTIONS, "--samples", "3", "--json").stdout)["choices"]
    assert [one["text"] for one in choices] == [one.text for one in expected]


def test_a_file_of_prompts(generate, said, tmp_path):
    asked = [
        '"def add("',
        "",
        '{"prompt": "class A:", "seed": 9, "max_tokens": 3, "other": 1}',
        '{"prompt": "def f():\\n    x = 1\\n", "suffix": "\\n    return x", "stop": "return"}',
        '{"suffix": "\\nimport os", "stop": ["a", "b"], "temperature": 0}',
    ]
    (tmp_path / "prompts.jsonl").write_text("\n".join(asked))
    done = generate("--prompts", "prompts.jsonl", *OPTIONS, "--samples", "2")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["line"], one["sample"]) for one in found] == [(line, at) for line in (1, 3, 4, 5) for at in (0, 1)]
    expected = [
        *(said("def add(", seed=seed) for seed in (5, 6)),
        *(said("class A:", seed=seed, max_tokens=3) for seed in (9, 10)),
        *(said("def f():\n    x = 1\n", suffix="\n    return x", stop=("return",), seed=seed) for seed in (5, 6)),
        *[said("", suffix="\nimport os", stop=("a", "b"), temperature=0)] * 2,
    ]
    assert [(one["text"], one["finish_reason"]) for one in found] == [(one.text, one.finish_reason) for one in expected]
    assert not any(one["truncated"] for one in found)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("def f():", "line 2: no JSON"),
        ("[1]", "line 2: neither a text nor an object"),
        ('""', "line 2: the prompt is empty"),
        ('{"text": "x"}', "line 2: it has no prompt"),
        ('{"prompt": 5}', "line 2: prompt is '5'"),
        ('{"prompt": "x", "max_tokens": true}', "line 2: max_tokens is 'True'"),
        ('{"prompt": "x", "top_p": 3}', "line 2: top_p is 3"),
        ('{"prompt": "x", "stop": ["a", 1]}', "line 2: stop is no list of texts"),
    ],
)
def test_a_line_that_asks_nothing(generate, tmp_path, line, words):
    (tmp_path / "prompts.jsonl").write_text(f'"fine"\n{line}\n')
    problem = generate("--prompts", "prompts.jsonl", *OPTIONS).exception
    assert isinstance(problem, UserError)
    assert problem.problem.startswith("prompts.jsonl, ")
    assert words in problem.problem
    assert problem.hint


def test_prompts_from_nowhere_or_twice(generate):
    problem = generate("--prompts", "missing.jsonl").exception
    assert isinstance(problem, UserError)
    assert "missing.jsonl cannot be read: unreadable: No such file" in problem.problem
    assert generate("x", "--prompts", "missing.jsonl").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([""], "the prompt is empty"),
        (["@missing.py"], "cannot read missing.py: No such file"),
        (["@."], "cannot read .: Is a directory"),
        (["@latin.py"], "latin.py is not UTF-8"),
        (["x", "--max-tokens", "0"], "max_tokens is 0"),
        (["x", "--temperature", "-1"], "temperature is -1"),
        (["x", "--temperature", "nan"], "temperature is nan"),
        (["x", "--top-p", "2"], "top_p is 2"),
        (["x " * 500], "there is room for 95"),
    ],
)
def test_refused(generate, tmp_path, arguments, words):
    (tmp_path / "latin.py").write_bytes("Größe".encode("latin-1"))
    done = generate(*arguments)
    assert isinstance(done.exception, UserError)
    assert words in done.exception.problem
    assert done.exception.hint
    assert done.stdout == ""


def test_no_prompt_is_wrong_use(generate):
    done = generate()
    assert done.exit_code == 2
    assert "Missing argument 'PROMPT'" in done.stderr


def test_a_prompt_made_to_fit(generate):
    assert generate("x " * 500, "--fit", *OPTIONS).exit_code == 0


def test_without_workspace_or_model(tmp_path, tiny, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def refused(*arguments):
        problem = CliRunner().invoke(group, ["generate", "x", *arguments]).exception
        assert isinstance(problem, UserError)
        assert problem.hint
        return problem.problem

    assert "no workspace here" in refused()
    assert "no workspace here" in refused("--model", "nothing-of-this-name")
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for path in tiny.iterdir():
        data = path.read_bytes()
        (damaged / path.name).write_bytes(data[: len(data) // 2] if path.suffix == ".safetensors" else data)
    assert "model.safetensors" in refused("--model", str(damaged))


@pytest.mark.slow
def test_a_terminal_is_not_steered(tmp_path, tiny):
    """What a model says may hold escape sequences; on a terminal they are shown, not sent."""
    ours, theirs = pty.openpty()
    script = (
        "from starloom.completion.local import LocalCompleter\nfrom starloom.completion.request import Piece\n"
        "LocalCompleter.stream = lambda self, request: iter([Piece('a\\x1b[2J\\tb\\n\\u202e'), Piece('', 'stop')])\n"
        "from starloom.commands import main; main()"
    )
    done = subprocess.Popen(
        [sys.executable, "-c", script, "generate", "x", "--model", tiny], stdout=theirs, stderr=theirs, cwd=tmp_path
    )
    os.close(theirs)
    data = b""
    while True:
        try:
            chunk = os.read(ours, 4096)
        except OSError:  # how Linux says that the other end was closed
            break
        if not chunk:
            break
        data += chunk
    os.close(ours)
    assert done.wait(60) == 0
    assert b"\x1b" not in data
    assert b"a\\x1b[2J" in data
    assert "\u202e".encode() not in data


@pytest.mark.slow
def test_every_family(tmp_path):
    """Models of other families, as transformers writes them, complete with and without a suffix."""
    pytest.importorskip("transformers")
    files = {"tokenizer.json": building.tokenizer_json()}
    table = json.loads(files["tokenizer.json"])
    for name, prefix, middle, suffix, more in FAMILIES:
        changed = json.dumps(table)
        spelled = {"<fim_prefix>": prefix, "<fim_middle>": middle, "<fim_suffix>": suffix, **more}
        for ours, theirs in spelled.items():
            changed = changed.replace(json.dumps(ours), json.dumps(theirs))
        folder = tmp_path / name
        building.foreign_folder(folder, changed.encode())
        completer = LocalCompleter.open(folder)
        assert completer.fills_in_the_middle, name
        done = completer.complete(Request("def f():\n    ", suffix="\n    return x\n", max_tokens=6, seed=1))
        assert done.prompt_tokens > 5
        text = completer.complete(Request("def f(", max_tokens=6, temperature=0)).text
        assert "fim" not in text


FAMILIES = [
    (
        "qwen",
        "<|fim_prefix|>",
        "<|fim_middle|>",
        "<|fim_suffix|>",
        {"<fim_pad>": "<|fim_pad|>", "<repo_name>": "<|repo_name|>", "<file_sep>": "<|file_sep|>"},
    ),
    ("seed", "<[fim-prefix]>", "<[fim-middle]>", "<[fim-suffix]>", {"<file_sep>": "<[none]>"}),
    ("mellum", "<fim_prefix>", "<fim_middle>", "<fim_suffix>", {"<file_sep>": "<filename>", "<pr>": "<assistant>"}),
]
