"""`why`, `status`, `build` for programs and for people: keys, values, and every way to ask."""

import json
from pathlib import Path

import pytest

from starloom.commands import _workspace
from starloom.identity import content_id
from the_stack.building import MIT, code

WHY = {"repo_name", "path", "content_id", "verdict", "rule", "value", "limit", "twin", "diff", "stands_for"}
DIFF = {"alike", "removed", "added", "lines", "left_out", "is_part", "is_blank"}
STATUS = {"name", "state", "rows", "bytes", "seconds"}
STAGES = ["list", "read", "measure", "pair", "decide", "write", "collect"]
MADE = ["report", "tokenizer", "pack", "search", "membership"]  # of the dataset, by commands of their own


@pytest.fixture
def ask(cli, built):
    def why(what, *options):
        done = cli("why", what, "--json", *options, cwd=built.root)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return why


A, B = content_id(code("a", 40)), content_id(code("b"))


@pytest.mark.parametrize(
    ("what", "files"),
    [
        ("src/pkg/a.py", [("one", "src/pkg/a.py")]),
        ("a.py", [("one", "src/pkg/a.py")]),  # its end, by whole names: not latin.py
        ("pkg/a.py", [("one", "src/pkg/a.py")]),
        ("./src/pkg/a.py", [("one", "src/pkg/a.py")]),
        ("one:src/pkg/a.py", [("one", "src/pkg/a.py")]),
        ("one/src/pkg/a.py", [("one", "src/pkg/a.py")]),
        ("src/pkg", [("one", "src/pkg/a.py")]),
        ("src/pkg/", [("one", "src/pkg/a.py")]),
        ("one", [("one", "LICENSE"), ("one", "b.py"), ("one", "src/pkg/a.py")]),
        ("LICENSE", [("one", "LICENSE"), ("two", "LICENSE")]),
        (A, [("one", "src/pkg/a.py")]),
        (A.upper(), [("one", "src/pkg/a.py")]),
        (f"swh:1:cnt:{A}", [("one", "src/pkg/a.py")]),
        (B, [("one", "b.py"), ("two", "copy.py")]),
    ],
)
def test_why_is_asked_by(ask, what, files):
    found = ask(what)
    assert [(row["repo_name"], row["path"]) for row in found["files"]] == files
    assert found["total"] == len(files) == sum(row["files"] for row in found["counts"])
    assert all(set(row) >= WHY for row in found["files"])


def test_why_values(ask):
    (kept,) = ask("src/pkg/a.py")["files"]
    assert (kept["verdict"], kept["rule"], kept["twin"]) == ("kept", None, None)
    (near,) = ask("near.py")["files"]
    assert (near["verdict"], near["rule"], near["limit"]) == ("dropped", "near-duplicate", "jaccard >= 0.7")
    assert near["twin"] == {"repo_name": "one", "path": "src/pkg/a.py", "content_id": A}
    assert 0.7 <= float(near["value"]) < 1
    (copy,) = ask("copy.py")["files"]
    assert (copy["rule"], copy["twin"]["path"]) == ("exact-duplicate", "b.py")
    (damaged,) = ask("damaged.py")["files"]
    assert (damaged["verdict"], damaged["rule"]) == ("quarantined", "damaged")
    assert damaged["value"]
    (changed,) = ask("latin.py")["files"]
    assert (changed["verdict"], changed["rule"]) == ("changed", "encoding")


def test_why_shows_how_a_near_duplicate_differs(ask, cli, built):
    (row,) = ask("near.py")["files"]
    assert set(row["diff"]) == DIFF
    assert (row["diff"]["removed"], row["diff"]["added"]) == (1, 1)
    (short,) = ask("near.py", "--diff", "2")["files"]
    assert short["diff"]["lines"] == row["diff"]["lines"][:2]
    assert short["diff"]["left_out"] == len(row["diff"]["lines"]) - 2
    (none,) = ask("near.py", "--no-diff")["files"]
    assert none["diff"] is None
    text = cli("why", "near.py", cwd=built.root).stdout
    assert "differs   1 line only here (+), 1 only in the twin (-), 118 in both\n            @@ -1,4 +1,4 @@\n" in text
    assert "@@" not in cli("why", "near.py", "--no-diff", cwd=built.root).stdout
    assert ask("src/pkg/a.py")["files"][0]["stands_for"] == {"near-duplicate": 1}


def test_why_limit(ask):
    found = ask("two", "--limit", "1")
    assert len(found["files"]) == 1
    assert found["total"] == 6


@pytest.mark.parametrize(
    "what", ["nothing.py", "", "swh:1:cnt:" + "0" * 40, "0" * 40, "one:nothing.py", "'; --", "a\x00b"]
)
def test_why_unknown(cli, built, refused, what):
    if "\x00" in what:
        return  # no process can be given one
    refused(cli("why", what, cwd=built.root), "nothing is listed as")


def test_why_of_a_directory_swhid(cli, built, refused):
    refused(cli("why", "swh:1:dir:" + "0" * 40, cwd=built.root), "is no content")


def test_why_in_words(cli, built):
    text = cli("why", "near.py", cwd=built.root).stdout
    assert text.startswith("two:near.py\n  DROPPED by rule near-duplicate: 0.")
    assert "twin      one:src/pkg/a.py  (Jaccard 0." in text
    assert "swh:1:cnt:" in text
    assert "permissive: MIT  (by path)\n            see two:LICENSE  (licence text)" in text
    odd = cli("why", "two", cwd=built.root).stdout
    assert "\x1b" not in odd  # a file name can not colour the terminal
    assert "odd name" in odd


def test_status(cli, built):
    found = json.loads(cli("status", "--json", cwd=built.root).stdout)
    assert [row["name"] for row in found["stages"]] == STAGES + MADE
    assert {row["state"] for row in found["stages"][len(STAGES) :]} == {"missing"}
    assert found["runs"] == []
    for row in found["stages"][: len(STAGES)]:
        assert set(row) >= STATUS
        assert row["state"] == "fresh"
        assert row["bytes"] > 0 or row["name"] == "collect"  # there is no notebook
        assert row["seconds"] >= 0
    rows = {row["name"]: row["rows"] for row in found["stages"]}
    assert rows["decide"] == len(built.ledger()) == 9
    text = cli("status", cwd=built.root).stdout
    assert [line.split()[:2] for line in text.splitlines()] == [
        *([name, "fresh"] for name in STAGES),
        *([name, "missing"] for name in MADE),
    ]


def test_before_the_first_build(cli, tmp_path, refused):
    from the_stack import building

    made = building.Workspace(tmp_path / "w", building.folder(tmp_path / "s", {"a.py": code("a")}))
    found = json.loads(cli("status", "--json", cwd=made.root).stdout)
    assert {row["state"] for row in found["stages"]} == {"missing"}
    assert {row["seconds"] for row in found["stages"]} == {None}
    refused(cli("why", "a.py", cwd=made.root), "ledger is missing", "starloom build")
    refused(cli("verify", made.root), "nothing that Starloom published")


def test_build_says_what_is_stale(cli, tmp_path):
    from the_stack import building

    made = building.Workspace(tmp_path / "w", building.folder(tmp_path / "s", {"LICENSE": MIT, "a.py": code("a")}))
    done = cli("build", "measure", "--json", cwd=made.root)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [row["name"] for row in found["stages"]] == STAGES[:3]
    states = {row["name"]: row["state"] for row in json.loads(cli("status", "--json", cwd=made.root).stdout)["stages"]}
    assert states == dict.fromkeys(STAGES[:3], "fresh") | dict.fromkeys(STAGES[3:] + MADE, "missing")
    assert cli("build", cwd=made.root).returncode == 0
    made.configure("[decide]\nnear_duplicates = 0.9\n")
    dry = json.loads(cli("build", "--dry-run", "--json", cwd=made.root).stdout)["stages"]
    assert {row["name"]: row["state"] for row in dry} == dict.fromkeys(STAGES[:4], "fresh") | {
        "decide": "stale",
        "write": "stale",
        "collect": "stale",
    }
    assert [row["would"] for row in dry if row["state"] == "fresh"] == ["nothing"] * 4


def test_verify_finds_damage(cli, built, tmp_path, refused):
    import shutil

    shutil.copytree(built.root, tmp_path / "w")
    done = cli("verify", "--json", "w")
    assert json.loads(done.stdout)["failed"] == []
    path = next((tmp_path / "w" / "dataset" / "files").glob("*.parquet"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    done = cli("verify", "--json", "w")
    refused(done, "w is damaged")
    assert "dataset and run `starloom build`" in done.stderr
    assert len(json.loads(done.stdout)["failed"]) == 1
    path.unlink()
    assert cli("build", "-w", "w").returncode == 0  # what is missing is made again
    assert json.loads(cli("verify", "--json", "w").stdout)["failed"] == []
    assert path.exists()


def test_where_a_manifest_is_torn_status_and_verify_tell_by_which_command(cli, built, tmp_path, refused):
    import shutil

    shutil.copytree(built.root, tmp_path / "w")
    (tmp_path / "w" / "search").mkdir(exist_ok=True)
    (tmp_path / "w" / "search" / "manifest.json").write_text("{")
    remedy = "search and run `starloom index search`"
    done = cli("verify", "w")
    refused(done, "w is damaged")
    assert remedy in done.stderr
    shown = cli("status", "-w", "w").stdout
    assert "search     damaged" in shown
    assert remedy in shown
    rows = {row["name"]: row for row in json.loads(cli("status", "--json", "-w", "w").stdout)["stages"]}
    assert rows["search"]["state"] == "damaged"
    assert "manifest.json is damaged" in rows["search"]["problem"]
    assert rows["list"]["state"] == "fresh"
    part = next((tmp_path / "w" / "signals" / "minhash").glob("*/manifest.json"))
    part.write_text("{")
    rows = {row["name"]: row for row in json.loads(cli("status", "--json", "-w", "w").stdout)["stages"]}
    assert f"{part} is damaged" in rows["measure"]["problem"]
    assert "signals and run `starloom build`" in rows["measure"]["hint"]  # the part alone would stay away
    shutil.rmtree(tmp_path / "w" / "signals")
    assert cli("build", "-w", "w").returncode == 0
    assert "measure    fresh" in cli("status", "-w", "w").stdout
    part = next((tmp_path / "w" / "files").glob("*/manifest.json"))
    part.write_text("{")
    for given in (("build",), ("build", "--dry-run")):
        refused(cli(*given, "-w", "w"), str(part))
    shutil.copytree(tmp_path / "w" / "search", tmp_path / "elsewhere")
    assert "no stage of a workspace makes it" in cli("verify", "elsewhere").stderr


@pytest.mark.parametrize("large", [1, 1 << 30])
def test_large_json_is_as_python_writes_it(capsys, monkeypatch, large):
    monkeypatch.setattr(_workspace, "_LARGE", large)
    monkeypatch.setattr(_workspace, "_LARGER", large)
    value = {"é": ['"\\ ]}', {"nothing": [[], {}]}, Path("x"), 0.5, None, True], "text": "a\n"}
    _workspace.emit(value)
    assert capsys.readouterr().out == json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n"
