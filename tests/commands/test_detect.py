"""`starloom detect` on folders and files, good and bad, as a process of its own."""

import json

import pytest

from the_stack import building


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("detect") / "project"
    building.put(
        folder,
        {
            "LICENSE": building.MIT,
            "src/a.py": building.code("a"),
            "src/gnu.py": building.GPL_NOTICE + building.code("g"),
            "src/parser.h": b"namespace a { template <class T> class B {}; }\n",
            "src/gen_pb2.py": building.code("p"),
            "vendor/x/x.js": b"function x() { return 1 }\n",
            "binary.py": b"\0\1\2" * 100,
            "utf16.py": "print('Grüße')\n".encode("utf-16"),
            "bom.py": b"\xef\xbb\xbfprint(1)\n",
            "empty.py": b"",
            "long.js": b"x=1;" * 1_000_000,
            "bad-mode.py": b"# -*- mode: no such thing; -*- vim: ft=\nprint(1)\n",
            "tests/test_a.py": b"def test_a(): pass\n",
        },
    )
    return folder


def test_every_file_has_its_row(cli, project):
    told = json.loads(cli("detect", str(project), "--json").stdout)
    rows = {row["path"]: row for row in told["files"]}
    assert len(rows) == 13
    keys = {"path", "language", "is_generated", "is_vendor", "license_type", "detected_licenses"}
    assert all(keys <= set(row) for row in rows.values())
    assert rows["src/parser.h"]["language"] == "C++"
    assert rows["src/parser.h"]["language_by"] == "rule"
    assert (rows["src/gnu.py"]["license_type"], rows["src/gnu.py"]["license_source"]) == (
        "non_permissive", "src/gnu.py:2-4"
    )  # fmt: skip
    assert rows["src/a.py"]["detected_licenses"] == ["MIT"]
    assert rows["src/gen_pb2.py"]["is_generated"]
    assert rows["vendor/x/x.js"]["is_vendor"]
    assert rows["tests/test_a.py"]["is_test"]
    assert rows["binary.py"]["problem"].startswith("binary")
    assert rows["utf16.py"]["language"] == rows["bom.py"]["language"] == rows["bad-mode.py"]["language"] == "Python"
    assert rows["long.js"]["language"] == "JavaScript"
    assert told["totals"]["files"] == 13
    assert told["languages"][0]["language"] == "Python"  # the long line of JavaScript is a program's work


def test_in_words(cli, project):
    text = cli("detect", str(project), "--files").stdout
    assert "13 files" in text
    assert "JavaScript" in text
    assert "src/gnu.py  Python  non_permissive: GPL-3.0-or-later" in text
    one = cli("detect", str(project / "src" / "gnu.py")).stdout
    assert "language  Python  (by extension)" in one
    assert "see gnu.py:2-4  (notice: gnu)" in one


def test_nothing_there(cli, refused, tmp_path):
    refused(cli("detect", "nowhere"), "nowhere cannot be read: No such file or directory")
    (tmp_path / "empty").mkdir()
    assert "0 files" in cli("detect", "empty").stdout


def test_a_folder_that_is_no_linguist(cli, refused, project):
    refused(cli("detect", str(project), "--linguist", str(project)))
