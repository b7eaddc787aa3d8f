"""The section of benchmarks: what was looked for, where problems stand and what became of the files; or that nothing
was looked for."""

import json

from tasks.benchmark_samples import MBPP, PROMPT, SOLUTION, benchmarks, lines
from the_stack.building import MIT, Workspace, code, folder


def built(tmp_path, extra=""):
    files = {
        "LICENSE": MIT,
        "clean.py": code(1),
        "<b>planted.py": code(2) + PROMPT.encode() + SOLUTION.encode(),
        "text.md": f"# Notes\n\n> {MBPP[1]['text']}\n".encode(),
    }
    made = Workspace(tmp_path / "workspace", folder(tmp_path / "sources" / "alpha", files))
    made.configure(extra)
    return made.build()


def section(page):
    return page.html.partition('<section id="contamination"')[2].partition("</section>")[0]


def test_nothing_was_looked_for(tmp_path, report):
    told = section(report(built(tmp_path)))
    assert "No benchmarks were looked for" in told
    assert "[contamination]" in told


def test_problem_file_and_lines(tmp_path, report):
    place = benchmarks(tmp_path / "benchmarks")
    lines(place / "exam.jsonl", [{"task_id": "e1", "prompt": "Nobody has ever written this down before."}])
    off = '[[rules]]\nname = "contaminated"\ndrop = "false"\n'
    made = built(tmp_path, f"[contamination]\nbenchmarks = [{json.dumps(str(place))}]\n{off}")
    told = section(report(made))
    assert "Files that have one are in the dataset" in told
    line = len(code(2).splitlines()) + 1
    (row,) = [one for one in told.split("<tr>") if "HumanEval/0" in one]
    assert "&lt;b&gt;planted.py" in row
    assert f"{line}–{line + 7}" in row
    assert "kept" in row
    assert "text.md" in told
    assert "<h3>exam</h3>" not in told
    quiet = next(one for one in told.split("<tr") if ">exam<" in one)
    assert 'class="quiet"' in quiet
    assert "def nearest_pair" not in told


def test_dropped_files_are_told_with_their_rule(tmp_path, report):
    rule = '[[rules]]\nname = "contaminated"\ndrop = "benchmark IS NOT NULL"\n'
    place = json.dumps(str(benchmarks(tmp_path / "benchmarks")))
    told = section(report(built(tmp_path, f"[contamination]\nbenchmarks = [{place}]\n{rule}")))
    assert "Files that have one are in the dataset" not in told
    assert told.count("dropped") >= 2
    assert "contaminated" in told
