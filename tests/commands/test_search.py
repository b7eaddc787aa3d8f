"""`starloom search` and `starloom index export`, from repositories on."""

import json

import pytest

from starloom.search.build import STAGE
from starloom.stages import load_settings
from starloom.workspace.run import build, engine
from starloom.workspace.stage import Job
from the_stack.building import MIT, Workspace, code, folder, put, starloom


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    base = tmp_path_factory.mktemp("built")
    source = folder(base / "one", {"LICENSE": MIT, "src/tree.py": b"class Tree:\n    pass\n" + code(1, 30)})
    put(source, {"src/odd \x1b[31m.py": code(2) + b"# Tree \x1b[2J\n", "lib/other.py": code(3)})
    made = Workspace(base / "w", source).build()
    settings = load_settings(made.root)
    build(made.root, [STAGE], settings, settings.engine, "test")
    return made.root


def asked(root, *given):
    done = starloom("search", *given, "-w", root)
    assert done.returncode == 0, done.stderr
    return done


def test_for_people(built):
    done = asked(built, "Tree -path:odd")
    place, *snippet = done.stdout.splitlines()
    assert place.startswith("one:src/tree.py:1  MIT")
    assert snippet[0] == "    class Tree:"
    assert "\x1b" not in done.stdout
    assert done.stderr.startswith("1 file, ")


def test_what_finds_nothing_may_have_meant_something_else(built):
    done = asked(built, "Tree AND nothing")
    assert "hint: `AND` was looked for as a word" in done.stderr
    assert "hint" not in asked(built, "Tree").stderr
    assert "hint" not in asked(built, "Tree AND nothing", "--json").stderr


def test_names_hide_nothing(built):
    done = asked(built, "tree")
    assert r"src/odd \x1b[31m.py" in done.stdout
    assert "\x1b" not in done.stdout


def test_for_programs(built):
    found = json.loads(asked(built, "lang:python", "--limit", "2", "--json").stdout)
    assert (found["total"], found["complete"], found["partial"]) == (3, True, False)
    assert len(found["hits"]) == 2
    assert {"repo_name", "path", "line", "snippet", "language", "license_type", "content_id", "split"} <= found["hits"][
        0
    ].keys()
    second = json.loads(asked(built, "lang:python", "--cursor", found["cursor"], "--json").stdout)
    assert len(second["hits"]) == 1
    assert second["total"] == 3
    assert second["cursor"] is None


def test_pages_for_people(built):
    done = asked(built, "lang:python", "--limit", "1")
    assert "3 files, 1 shown" in done.stderr
    cursor = done.stderr.split("more: --cursor ")[1].split()[0]
    assert asked(built, "lang:python", "--limit", "1", "--cursor", cursor).stdout != done.stdout


def test_all_hits_a_line_each(built):
    done = asked(built, "lang:python", "--all", "--json")
    hits = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(hit["path"] for hit in hits) == ["lib/other.py", "src/odd \x1b[31m.py", "src/tree.py"]
    assert done.stderr.endswith("3 files\n")
    assert len(asked(built, "lang:python", "--all").stdout.split("\n\n")) == 4


def test_facets(built):
    done = asked(built, "class", "--facets")
    assert "language:     Python " in done.stdout
    assert "licence type: permissive " in done.stdout
    assert json.loads(asked(built, "Tree", "--facets", "--json").stdout)["facets"]["license"] == {"MIT": 2}


def test_time_that_is_up(built):
    done = asked(built, "/./", "--seconds", "0")
    assert "at least " in done.stderr
    assert "not all of it was looked at" in done.stderr
    assert "--cursor " in done.stderr


@pytest.mark.parametrize(
    ("query", "word"), [("", "empty"), ('"a', "quote"), ("foo:bar", "unknown field"), ("x" * 100_000, "more than")]
)
def test_what_cannot_be_understood(built, query, word):
    done = starloom("search", query, "-w", built)
    assert done.returncode == 1
    assert word in done.stderr
    assert "\n\nhint: " in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_use(built, tmp_path):
    assert starloom("search", "x", "--all", "--facets", "-w", built).returncode == 2
    assert starloom("search", "x", "--all", "--limit", "10", "-w", built).returncode == 2
    done = starloom("search", "x", "--cursor", "nonsense", "-w", built)
    assert done.returncode == 1
    assert "no cursor" in done.stderr
    (tmp_path / "starloom.toml").touch()
    done = starloom("search", "x", "-w", tmp_path)
    assert done.returncode == 1
    assert "hint: make it: `starloom index search`" in done.stderr


def test_nothing_found_is_no_failure(built):
    done = asked(built, "nowhere_at_all")
    assert done.stdout == ""
    assert done.stderr.startswith("0 files")


def test_the_engine_of_the_workspace_makes_it(built):
    settings = load_settings(built)
    with engine(built, settings.engine) as local:
        assert Job(built, STAGE, settings, local).state() == "fresh"


def test_export(built, tmp_path):
    done = starloom("index", "export", "opensearch", tmp_path / "out", "-w", built)
    assert done.returncode == 0, done.stderr
    lines = list(map(json.loads, (tmp_path / "out" / "files-00000.ndjson").read_text().splitlines()))
    assert all("index" in one for one in lines[::2])
    assert {"src/tree.py", "lib/other.py"} < {one["path"] for one in lines[1::2]}
    assert "_bulk" in (tmp_path / "out" / "README.md").read_text()
    assert starloom("index", "export", "lucene", tmp_path / "other", "-w", built).returncode == 2
