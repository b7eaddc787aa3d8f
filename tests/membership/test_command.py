"""`starloom check`: files, folders, standard input; for people and for programs."""

import json
import os
import tempfile
from pathlib import Path

import pytest

from commands.conftest import cli, refused  # noqa: F401 - fixtures
from membership import told
from starloom.membership.answers import Answer
from starloom.membership.given import from_folder
from starloom.membership.whole import whole
from starloom.membership.words import about_texts
from the_stack.building import code

pytestmark = pytest.mark.usefixtures("real")


@pytest.fixture
def check(cli, real):  # noqa: F811
    def run(*arguments, **options):
        return cli("check", *arguments, "-w", real.root, **options)

    return run


@pytest.fixture
def copied(rows, tmp_path):
    """A file with own code around a re-indented piece of the dataset: (path, row it came from)."""
    row = next(row for row in rows if row["path"] in ("json/decoder.py", "vendored.py"))
    piece = "".join(f"        {line}\r\n" for line in row["content"].split("\n")[60:110])
    path = tmp_path / "mine.py"
    path.write_bytes(code("mine") + b"\n" + piece.encode() + code("more"))
    return path, row


def test_a_file(check, copied):
    path, _ = copied
    done = check(path)
    assert done.returncode == 0, done.stderr
    assert f"{path}: match in the 3 repositories indexed, " in done.stdout
    assert "one:json/decoder.py, lines 61 to 110" in done.stdout
    assert "copies:vendored.py, lines 61 to 110" in done.stdout
    assert "a copy of a file in train" in done.stdout or "a copy of a file in held out" in done.stdout
    assert "plagiar" not in done.stdout


def test_json(check, copied):
    path, row = copied
    found = json.loads(check(path, "--json").stdout)
    assert set(found) >= {"path", "verdict", "coverage", "seconds", "matches"}
    match = found["matches"][0]
    text = path.read_bytes().decode()
    assert match["path"] == str(path)
    assert text[match["start"] : match["end"]].split() == " ".join(row["content"].split("\n")[60:110]).split()
    assert {"repo_name", "path", "content_id", "detected_licenses"} <= set(match["files"][0])
    assert match["files"][0]["content_id"] == row["content_id"]


def test_standard_input(check, copied, real):
    import subprocess
    import sys

    path, _ = copied
    done = subprocess.run(
        [sys.executable, "-c", "from starloom.commands import main; main()", "check", "-", "-w", real.root],
        input=path.read_bytes(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"-: match in the 3 repositories indexed")


def test_a_folder(check, copied, tmp_path):
    path, _ = copied
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / "src" / "__pycache__").mkdir()
    path.rename(folder / "src" / "mine.py")
    for name, data in {
        "own.py": code("own code", 30),
        "short.py": b"x = 1\n",
        "image.png": b"\x89PNG\r\n\x1a\n\0\0",
        ".git/config": (folder / "src" / "mine.py").read_bytes(),
        "src/__pycache__/mine.py": (folder / "src" / "mine.py").read_bytes(),
        "odd \x1b[31m.py": (folder / "src" / "mine.py").read_bytes(),
    }.items():
        (folder / name).write_bytes(data)
    (folder / "link.py").symlink_to("src/mine.py")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    done = check(folder)
    assert done.returncode == 0, done.stderr
    assert "2 files of 5 with a match, 1 too short, 1 not read" in done.stdout
    assert "\x1b" not in done.stdout
    found = json.loads(check(folder, "--json").stdout)
    told = {text["path"]: text for text in found["texts"]}
    assert set(told) == {"own.py", "short.py", "image.png", "src/mine.py", "odd \x1b[31m.py"}
    assert told["src/mine.py"]["matches"] >= 1
    assert told["own.py"]["verdict"] == "no match in the 3 repositories indexed"
    assert told["short.py"]["verdict"] == "not covered: shorter than 50 characters"
    assert told["image.png"]["verdict"] == "not covered: binary: NUL byte at offset 8"
    assert {match["path"] for match in found["matches"]} == {"src/mine.py", "odd \x1b[31m.py"}
    assert 0 < found["coverage"] < 1


def test_no_match(check, tmp_path):
    (tmp_path / "own.py").write_bytes(code("no one", 30))
    done = check(tmp_path / "own.py")
    assert done.returncode == 0
    assert "no match in the 3 repositories indexed (a copy of 99 or more characters would be found" in done.stdout
    assert "clean" not in done.stdout


def test_other_encodings(check, copied, tmp_path):
    path, _ = copied
    other = tmp_path / "utf16.py"
    other.write_bytes(path.read_bytes().decode().encode("utf-16"))
    assert "match in the 3 repositories indexed" in check(other).stdout


def test_refusals(check, cli, real, refused, tmp_path):  # noqa: F811
    refused(check(tmp_path / "nowhere.py"), "cannot read", "missing")
    (tmp_path / "binary").write_bytes(b"a\0b")
    refused(cli("check", tmp_path / "binary", cwd=tmp_path), "no workspace here")
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "starloom.toml").write_text("")
    refused(cli("check", tmp_path / "binary", "-w", tmp_path / "w"), "no index of matching code", "starloom index")


def test_what_is_no_text_is_told_and_passes(check, copied, tmp_path):
    """As in a folder; hooks name the files."""
    path, _ = copied
    (tmp_path / "binary").write_bytes(b"a\0b")
    (tmp_path / "large.py").write_bytes(b"x = 1\n" * (3 << 19))
    done = check(tmp_path / "binary", "--fail-on", "any")
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'binary'}: not covered: binary: NUL byte at offset 1\n")
    assert json.loads(check(tmp_path / "binary", "--json").stdout)["status"] == "not_covered"
    several = (tmp_path / "binary", tmp_path / "large.py", path)
    done = check(*several, "--fail-on", "copyleft")
    assert done.returncode == 0, done.stderr
    assert "1 file of 3 with a match, 2 not read" in done.stdout
    assert check(*several, "--fail-on", "any").returncode == 1
    done = check(tmp_path / "large.py")
    assert "large.py: not covered: more than 8,388,608 bytes" in done.stdout


@pytest.fixture
def nobody():
    """Not the superuser, who reads everything."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield
    os.seteuid(user)


def test_what_may_not_be_read_is_named(nobody):
    with tempfile.TemporaryDirectory() as name:  # pytest's own folder is closed to others
        folder = Path(name)
        (folder / "own.py").write_bytes(b"x = 1\n")
        (folder / "secret.py").touch(mode=0)
        (folder / "closed").mkdir(mode=0)
        given = list(from_folder(folder))
        (folder / "closed").chmod(0o755)
    found = [Answer(one, told.check(status="not_covered") if one.text else None) for one in given]
    shown = about_texts(found, whole(found), "all", False)
    assert shown.startswith(
        "secret.py: not covered: unreadable: Permission denied\nclosed: not covered: unreadable: Permission denied\n\n"
    )
    assert "0 files of 3 with a match, 1 too short, 2 not read (no text, too large, or unreadable)" in shown


def test_an_empty_folder(check, tmp_path):
    (tmp_path / "empty").mkdir()
    done = check(tmp_path / "empty")
    assert done.returncode == 0
    assert "0 files of 0 with a match" in done.stdout
