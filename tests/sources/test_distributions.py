"""Installed distributions, read as text from a forged environment, and this interpreter's own."""

import importlib.metadata
import sys
import sysconfig
from pathlib import Path

import pytest

from starloom.errors import UserError
from starloom.sources.content_ids import ContentIds
from starloom.sources.distributions import installed, parse_metadata
from starloom.sources.repository import Wanted

METADATA = """Metadata-Version: 2.4
Name: {name}
Version: 1.2
License: MIT License
License-Expression: MIT
Classifier: Programming Language :: Python
Classifier: License :: OSI Approved :: MIT License

Name: not-this-one
License: the description is no header
"""


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "env" / "lib" / "python3.11" / "site-packages"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def add(place):
    def make(name, record, files=(), **others):
        info = place / f"{name}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(METADATA.format(name=name))
        if record is not None:
            (info / "RECORD").write_bytes(record)
        for path, data in dict(files).items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(data)
        for other, text in others.items():
            (info / other.replace("__", ".")).write_text(text)
        return info

    return make


def test_entries(add, place):
    record = b"""demo/__init__.py,sha256=abc,6
demo/__pycache__/__init__.cpython-311.pyc,,
demo/old.pyc,,
demo/gone.py,sha256=abc,6
"demo/with, comma.py",,
demo-1.2.dist-info/METADATA,,
demo-1.2.dist-info/RECORD,,
../../../bin/demo,sha256=abc,10
/etc/passwd,,
demo/link.py,,
demo/__init__.py,sha256=again,6
"""
    add("demo", record, {"demo/__init__.py": b"x = 1\n", "demo/with, comma.py": b"", "demo/old.pyc": b"x"})
    (place / "demo" / "link.py").symlink_to("/etc/passwd")
    (source,) = installed([str(place)]).sources
    assert [(e.path, e.entry_type, e.problem) for e in source.entries(1000)] == [
        ("../../../bin/demo", "outside", None),
        ("/etc/passwd", "outside", None),
        ("demo-1.2.dist-info/METADATA", "file", None),
        ("demo/__init__.py", "file", None),
        ("demo/gone.py", "file", "missing"),
        ("demo/link.py", "symlink", None),
        ("demo/with, comma.py", "file", None),
    ]


def test_repository_and_license(add, place):
    add("Zope.Interface_X", b"")
    (source,) = installed([str(place)], rights="owned").sources
    row = source.repository()
    assert (row.repo_name, row.kind, row.version, row.rights) == (
        "pypi/zope-interface-x",
        "distribution",
        "1.2",
        "owned",
    )
    assert row.location == str(place)
    stated = source.license_metadata()
    assert (stated.expression, stated.field) == ("MIT", "MIT License")
    assert stated.classifiers == ("License :: OSI Approved :: MIT License",)
    assert source.renamed("pypi/other").license_metadata() == stated


@pytest.mark.parametrize(
    ("header", "name", "home_page"),
    [
        ("Name: Zope.x\nHome-page: https://a.example\n", "zope-x", "https://a.example"),
        ("Name: x\nProject-URL: Source, https://s.example\nProject-URL: Homepage, https://h.example/a,b\n", "x", "https://h.example/a,b"),
        ("Name: x\nProject-URL: home-page , https://h.example\n", "x", "https://h.example"),
        ("Name: x\nProject-URL: Homepage\n", "x", ""),
        ("Name: ../x\n", None, None),
        ("", None, None),
    ],
)  # fmt: skip
def test_metadata(header, name, home_page):
    found = parse_metadata(header.encode())
    assert (found.name, found.home_page) == (name, home_page or None)


def test_contents_and_changes(add, place, read):
    add("demo", b"demo.py,,\n", {"demo.py": b"x = 1\n"})
    (source,) = installed([str(place)]).sources
    assert read(source) == {b"demo.py": b"x = 1\n"}
    before = source.state()
    wanted = [Wanted(e.raw_path, e.content_id, e.size) for e in source.entries(100)]
    (place / "demo.py").write_bytes(b"x = 2\n")
    assert source.state() != before
    (answer,) = source.contents(wanted)
    assert answer.data is None
    assert "changed while reading" in answer.problem
    assert source.first_seen(ContentIds([wanted[0].content_id])) is None


def test_state_notices_a_missing_file_and_a_new_record(add, place):
    info = add("demo", b"demo.py,,\n", {"demo.py": b"x"})
    (source,) = installed([str(place)]).sources
    states = [source.state()]
    (place / "demo.py").unlink()
    states.append(source.state())
    (info / "RECORD").write_bytes(b"demo.py,,\nother.py,,\n")
    states.append(source.state())
    assert len(set(states)) == 3


def test_skipped_ones_are_reported(add, place):
    add("norecord", None)
    add("editable", b"x,,\n", direct_url__json='{"url": "file:///src/it", "dir_info": {"editable": true}}')
    add("plain", b"", direct_url__json='{"url": "https://example.org/x.whl", "archive_info": {}}')
    (add("broken", b"") / "METADATA").write_text("Name: ../../evil\n")
    (add("nometa", b"") / "METADATA").unlink()
    (place / "old.egg-info").mkdir()
    found = installed([str(place)])
    assert [s.repository().repo_name for s in found.sources] == ["pypi/plain"]
    assert {Path(p.location).name: p.reason for p in found.problems} == {
        "norecord-1.2.dist-info": "installed without RECORD, so its files are not known",
        "editable-1.2.dist-info": "an editable install: its files are elsewhere",
        "broken-1.2.dist-info": "its METADATA has no name",
        "nometa-1.2.dist-info": "its METADATA cannot be read: missing",
        "old.egg-info": "installed without RECORD, so its files are not known",
    }
    (editable,) = [p for p in found.problems if "editable" in p.location]
    assert "/src/it" in editable.hint


@pytest.mark.parametrize(
    "record",
    [
        b"\xff\xfe\x00,,\n",
        b'"unclosed,,\n',
        b"a\0b,,\n",
        b",,\n\n",
        b"x" * 200_000 + b",,\n",
        b".git/config,,\n",
        b"a//b,,\n",
    ],
)
def test_odd_records(add, place, record):
    add("demo", record)
    (source,) = installed([str(place)]).sources
    try:
        assert all(e.problem for e in source.entries(100))
    except Exception as problem:
        assert type(problem).__name__ == "SourceError"  # noqa: PT017


def test_a_record_or_folder_that_is_a_link_is_not_followed(add, place, tmp_path):
    (tmp_path / "RECORD").write_text("x,,\n")
    (add("demo", None) / "RECORD").symlink_to(tmp_path / "RECORD")
    (place / "linked-1.2.dist-info").symlink_to(tmp_path)
    found = installed([str(place)])
    assert found.sources == []
    assert len(found.problems) == 2


def test_nothing_is_imported_or_run(add, place, tmp_path):
    marker = tmp_path / "marker"
    code = f"open({str(marker)!r}, 'w')\n".encode()
    add("demo", b"demo/__init__.py,,\nevil.pth,,\n", {"demo/__init__.py": code, "evil.pth": b"import demo\n"})
    modules = set(sys.modules)
    for source in installed(prefix=str(tmp_path / "env")).sources:
        source.state()
        assert list(source.entries(1000))
    assert not marker.exists()
    assert "demo" not in set(sys.modules) - modules


def test_this_environment():
    found = installed()
    names = {s.repository().repo_name: s for s in found.sources}
    assert {"pypi/chardet", "pypi/hypothesis", "python/cpython"} <= set(names)
    chardet = names["pypi/chardet"]
    assert chardet.repository().version == importlib.metadata.version("chardet")
    expected = {
        str(file)
        for file in importlib.metadata.files("chardet")
        if ".." not in file.parts
        and file.suffix != ".pyc"
        and "__pycache__" not in file.parts
        and file.name not in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")  # the installer's
    }
    assert {e.path for e in chardet.entries(0) if e.entry_type == "file"} == expected
    stated = importlib.metadata.metadata("chardet")
    assert chardet.license_metadata().expression == stated["License-Expression"]


def test_standard_library():
    (source,) = [s for s in installed().sources if s.repository().repo_name == "python/cpython"]
    row = source.repository()
    assert row.location == str(Path(sysconfig.get_path("stdlib")).resolve())
    assert row.version.startswith("3.")
    assert source.license_metadata().expression == "PSF-2.0"
    paths = [e.path for e in source.entries(0)]
    assert "os.py" in paths
    assert not [p for p in paths if "site-packages" in p or "__pycache__" in p]


def test_prefix_of_this_environment():
    by_prefix = installed(prefix=sys.prefix)
    rows = {s.repository().repo_name: s.repository() for s in by_prefix.sources}
    own = {s.repository().repo_name: s.repository() for s in installed().sources}
    assert rows["pypi/chardet"] == own["pypi/chardet"]
    assert rows["python/cpython"] == own["python/cpython"]


def test_prefix_without_python(tmp_path):
    with pytest.raises(UserError, match="holds no Python environment"):
        installed(prefix=str(tmp_path))


def test_prefix_without_its_standard_library(place, add, tmp_path):
    add("demo", b"")
    (tmp_path / "env" / "pyvenv.cfg").write_text("home = /nonexistent/bin\nversion = 3.11.7\n")
    found = installed(prefix=str(tmp_path / "env"))
    assert [s.repository().repo_name for s in found.sources] == ["pypi/demo"]
    assert "standard library" in found.problems[0].reason
