"""Every problem of HumanEval, MBPP and MultiPL-E, planted in 5,000 real files in other layouts, is found; nothing else.

Needs the benchmarks' files: STARLOOM_BENCHMARKS=FOLDER with HumanEval.jsonl.gz, mbpp.jsonl.gz and MultiPL-E's
humaneval-LANGUAGE.jsonl.gz in it or below. A file's name has no say: the search is given none (builds of files with
names: tests/the_stack/test_contamination.py).
"""

import json
import os
import random
import sysconfig
from pathlib import Path

import pyarrow as pa
import pytest

from starloom.kernels.text import text_buffers
from starloom.tasks.contamination import ContaminationSettings, open_search
from starloom.tasks.problems import open_benchmarks

FOLDER = os.environ.get("STARLOOM_BENCHMARKS", "")
WANTED = {"humaneval": 164, "mbpp": 500, "multipl-e-humaneval": 2800}
FILES = 5_000


def deeper(text, _dice):
    return "".join(f"    {line}\n" for line in text.splitlines())


def tabs(text, _dice):
    lines = text.splitlines()
    return "".join("\t" * (1 + (len(one) - len(one.lstrip())) // 2) + one.lstrip() + "\n" for one in lines)


def crlf(text, _dice):
    return "".join(f"{line}  \r\n" for line in text.splitlines())


def blank_lines(text, dice):
    return "".join(line + "\n" + dice.choice(["", "\n", " \t\n\n"]) for line in text.splitlines())


def one_line(text, _dice):
    return " ".join(text.split()) + "\n"


def in_json(text, _dice):
    return json.dumps({"prompt": text}, ensure_ascii=False) + "\n"


def in_a_notebook(text, _dice):
    cell = {"cell_type": "code", "source": text.splitlines(keepends=True)}
    return json.dumps({"cells": [cell]}, indent=1, ensure_ascii=False) + "\n"


LAYOUTS = (deeper, tabs, crlf, blank_lines, one_line, in_json, in_a_notebook)


@pytest.fixture(scope="module")
def real_files():
    """5,000 different files of this Python and what is installed in it."""
    found = {}
    for place in (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")):
        for path in sorted(Path(place).rglob("*.*")):
            if path.suffix in (".py", ".pyi", ".h", ".c", ".js", ".md", ".rst", ".json", ".toml", ".txt"):
                try:
                    text = path.read_text(encoding="utf-8")
                except (OSError, UnicodeDecodeError):
                    continue
                if 200 < len(text) < 200_000:
                    found.setdefault(text, None)
            if len(found) == FILES:
                return list(found)
    pytest.skip(f"only {len(found)} real files here")


def whole(problem):
    """A problem as a file would have it: its longest statement, then its solution."""
    parts = {}
    for name, text in problem.parts:
        parts.setdefault(name, text)
    return parts["prompt"] + "\n" + parts.get("solution", "")


@pytest.mark.slow
@pytest.mark.skipif(not FOLDER, reason="STARLOOM_BENCHMARKS names no folder of benchmarks")
@pytest.mark.parametrize("ngram", [0, 8])
def test_every_planted_problem_is_found_and_nothing_else(real_files, ngram):
    dice = random.Random(8)
    wanted = [one for one in open_benchmarks([FOLDER]).benchmarks if one.name in WANTED]
    assert all(len(one.problems) >= WANTED[one.name] for one in wanted)
    planted = [(one.name, problem) for one in wanted for problem in one.problems]
    assert len(wanted) == len(WANTED)
    assert len(planted) < len(real_files)
    texts = dice.sample(real_files, FILES)
    search = open_search(ContaminationSettings((FOLDER,), ngram=ngram))
    clean = [row for row, some in enumerate(search.find(*text_buffers(pa.array(texts, pa.large_string())))) if some]
    assert [texts[row][:200] for row in clean] == []  # should one stand here: look at it
    for row, (_, problem) in enumerate(planted):
        lines = texts[row].splitlines(keepends=True)
        place = dice.randrange(len(lines) + 1)
        layout = dice.choice(LAYOUTS)
        texts[row] = "".join([*lines[:place], "\n", layout(whole(problem), dice), *lines[place:]])
    found = search.find(*text_buffers(pa.array(texts, pa.large_string())))
    missed = [
        (name, problem.task_id)
        for row, (name, problem) in enumerate(planted)
        if (name, problem.task_id) not in {(one.benchmark, one.problem) for one in found[row]}
    ]
    assert missed == []
    assert [row for row in range(len(planted), FILES) if found[row]] == []
