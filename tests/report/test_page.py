"""The page: hostile names stay text, nothing comes from outside, the same input gives the same bytes."""

import doctest
import json
import re

import pytest

from starloom.report import charts
from starloom.report.page import FOLDER, PAGE, SECTIONS, STAGE
from starloom.stages import load_settings
from starloom.workspace.manifest import open_folder, verify
from the_stack import building

TAGS = """
    html head meta title style body header div span nav main section h1 h2 h3 h4 p code strong dl dt dd a ul li i b
    details summary table thead tbody tr th td article pre footer mark figure figcaption
    svg g path rect text tspan
"""
EVIL_NAMES = (
    "<script>alert(1)</script>.py",
    "\"quoted' & <b>bold.py",
    "{{ 7 * 7 }}{% raw %}.py",
    "right\u202eyp.tfel.py",
    "line\nbreak\x1b[2J.py",
    "zero\u200bwidth.py",
)


def test_every_section_is_there_with_its_numbers(report, toured):
    page = report(toured)
    ids = [attributes["id"] for tag, attributes in page.tags if tag == "section"]
    assert ids == [section.name for section in SECTIONS]
    facts = toured.facts("report")
    ledger = toured.ledger().values()
    assert facts["listed_files"] == len(ledger)
    assert f"{facts['kept_files']} {'are' if facts['kept_files'] > 1 else 'is'} kept" in page.text
    for row in toured.ledger().values():
        if row["rule"]:
            assert row["rule"] in page.text
    assert "license_type = 'non_permissive'" in page.text
    assert "arXiv 2402.19173, section 2.2" in page.text
    assert "alpha:src/gpl.py" in page.text
    assert "This program is free software" in page.text


def test_every_link_leads_to_something_on_the_page_and_nothing_comes_from_outside(report, toured):
    page = report(toured)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert page.links
    assert all(link.startswith("#") and link[1:] in ids for link in page.links)
    (style,) = re.findall(r"<style>(.*?)</style>", page.html, re.DOTALL)
    assert not re.search(r"url\(|@import|expression", style)
    (policy,) = [a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert {tag for tag, _ in page.tags} <= set(TAGS.split())


@pytest.fixture
def evil(tmp_path, workspace):
    """Names, contents and licences that try to be markup, dropped by various rules, in repositories named so too."""
    contents = b"</pre></details><script>alert(2)</script>\n<!-- \xe2\x80\xae --> {{ 7 * 7 }}\n"
    files = {f"a{number}/{name}": b"# Automatically generated\n" + contents for number, name in enumerate(EVIL_NAMES)}
    files |= {f"copy/{name}": building.code("same") for name in EVIL_NAMES}
    files |= {f"kept/{name}": building.code(name) for name in EVIL_NAMES}
    files["meta/pyproject.toml"] = b"[project]\nname = 'x'\nlicense = '<script>'\n"
    one = building.folder(tmp_path / "sources" / "<img src=x onerror=alert(1)>", files)
    two = building.git_repository(tmp_path / "sources" / "\"'><b>two", {"LICENSE": building.MIT, "a.py": contents})
    return workspace(one, two)


def test_hostile_names_and_contents_are_text(report, evil):
    page = report(evil)
    assert {tag for tag, _ in page.tags} <= set(TAGS.split())
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert not set("\u202e\u200b\x1b") & set(page.html)
    assert "<script>alert(1)</script>.py" in page.text  # as text: it was escaped
    assert "</pre></details><script>alert(2)</script>" in page.text
    assert "right\\u202eyp.tfel.py" in page.text
    assert "line\\x0abreak\\x1b[2J.py" in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert "<img src=x onerror=alert(1)>" in page.text
    assert "49" not in re.findall(r"\S*7 \* 7\S*|\b49\{", page.text)


def test_same_dataset_same_bytes_whatever_the_folder(report, tmp_path, workspace):
    one = building.folder(tmp_path / "code", {"a.py": building.code(1), "b.py": building.code(1), "c.bin": b"\0"})
    pages = [report(workspace(one, name=name)).html for name in ("first", "second")]
    assert pages[0] == pages[1]
    assert str(tmp_path) not in pages[0]


def test_a_fresh_report_is_left_alone_and_a_stale_one_is_not(report, tmp_path, workspace):
    made = workspace(building.folder(tmp_path / "code", {"a.py": building.code(1)}))
    report(made)
    assert verify(made.root / FOLDER) == []
    before = (made.root / FOLDER / PAGE).stat().st_ino
    report(made)
    assert (made.root / FOLDER / PAGE).stat().st_ino == before
    (tmp_path / "code" / "b.py").write_bytes(building.code(2))
    made.build()
    report(made)
    assert (made.root / FOLDER / PAGE).stat().st_ino != before
    assert made.facts("report")["kept_files"] == 2


def test_the_funnel_is_that_of_the_build_whatever_starloom_toml_says_now(report, tmp_path, workspace):
    made = workspace(building.folder(tmp_path / "code", {"a.py": building.code(1)}))
    made.configure('[[rules]]\nname = "no-python"\ndrop = "language = \'Python\'"\n')
    page = report(made)
    assert "no-python" not in page.text
    made.build()
    assert "no-python" in report(made).text


def test_owned_code_is_said_to_be_not_publishable(report, tmp_path, workspace):
    code = building.folder(tmp_path / "code", {"a.py": building.code(1)})
    assert "Not to be published" not in report(workspace(code)).text
    made = workspace((code, "owned"), name="owned", recipe="own-code")
    assert "Not to be published" in report(made).text
    assert made.facts("report")["publishable"] is False


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "Nothing was listed"),
        ({"a.bin": b"\0\1\2"}, "Of 1 file in 1 repository, none is kept."),
        ({"a.py": b""}, "none is kept"),
        ({"a.py": building.code(1)}, "Of 1 file in 1 repository, 1 is kept."),
    ],
)
def test_little_or_nothing(report, tmp_path, workspace, files, words):
    page = report(workspace(building.folder(tmp_path / "code", files)))
    assert words in page.text
    assert "nan" not in page.text.lower().split()
    text, spared = re.subn("None among the files that got this far", "", page.text)
    assert spared == 2
    assert "None" not in text.split()


def test_without_near_duplicates_it_says_that_none_were_looked_for(report, tmp_path, workspace):
    extra = building.ENGINE + "\n[decide]\nnear_duplicates = 0.0\n"
    made = workspace(building.folder(tmp_path / "code", {"a.py": building.code(1)}), extra=extra)
    assert "Not looked for: near_duplicates = 0" in report(made).text


def test_repositories_that_could_not_be_read_are_named(report, tmp_path, workspace):
    broken = tmp_path / "sources" / "<broken>"
    (broken / ".git").mkdir(parents=True)
    (broken / ".git" / "HEAD").write_text("nonsense\n")
    building.folder(tmp_path / "sources" / "good", {"a.py": building.code(1)})
    made = workspace(tmp_path / "sources")
    problems = made.problems()
    assert problems
    page = report(made)
    assert made.facts("report")["unread_repositories"] == len(problems)
    for problem in problems:
        assert problem["location"] in page.text
        assert problem["reason"] in page.text


def test_command(tmp_path, workspace):
    made = workspace(building.folder(tmp_path / "code", {"a.py": building.code(1)}))
    said = building.starloom("report", "-w", made.root)
    assert (said.returncode, said.stdout) == (0, f"{made.root / FOLDER / PAGE}\n")
    answer = json.loads(building.starloom("report", "-w", made.root, "--json").stdout)
    assert answer.pop("report") == str(made.root / FOLDER / PAGE)
    assert answer == made.facts("report")
    assert answer["kept_files"] == 1
    made.configure('[[rules]]\nname = "no-python"\ndrop = "language = \'Python\'"\n')
    assert "stale: decide, write" in building.starloom("report", "-w", made.root).stderr


def test_command_before_a_build(tmp_path, workspace):
    made = workspace(building.folder(tmp_path / "code", {"a.py": building.code(1)}), build=False)
    refused = building.starloom("report", "-w", made.root)
    assert refused.returncode == 1
    assert "hint: run `starloom build" in refused.stderr
    assert not (made.root / FOLDER).exists()


def test_the_stage_depends_on_what_it_shows(toured, report):
    report(toured)
    manifest = open_folder(toured.root / FOLDER)
    assert set(manifest.inputs) == set(STAGE.reads)
    assert manifest.settings == STAGE.settings(load_settings(toured.root))


def test_bars():
    parts = [charts.Part("a", 1, "kept"), charts.Part("b", 0, "gone"), charts.Part("c", 1, "rest")]
    bar = str(charts.bar(parts, 3, 'a "title"'))
    assert re.findall(r'class="(\w+)" style="width:([\d.]+)%"', bar) == [("kept", "33.33"), ("rest", "33.33")]
    assert "&#34;title&#34;" in bar
    assert "width" not in charts.bar(parts, 0)  # nothing of nothing
    assert "width:0.15%" in charts.bar([charts.Part("a", 1, "kept")], 10**9)  # there, so seen


def test_documented():
    assert doctest.testmod(charts).failed == 0
