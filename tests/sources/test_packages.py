"""Packages by name against registries of this machine: names, PyPI, what is pinned and kept; nothing is run."""

import contextlib
import json
import shutil
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outside.web import once, send
from sources.registries import SETTINGS, Index, fetched, place, refused, registries, sdist, sha256, tar, texts, torn
from starloom.errors import UserError
from starloom.sources.packages import npm, pypi, release
from starloom.sources.packages.by_name import is_package, open_package, parse_package
from starloom.sources.packages.release import Document, PackageName, web_address
from starloom.sources.packages.shelf import Shelf
from starloom.sources.repository import LicenseMetadata, SourceError


@pytest.fixture
def index(monkeypatch):
    with registries(monkeypatch) as web:
        yield Index(web)


# Names


@pytest.mark.parametrize(
    ("text", "package"),
    [
        ("pypi:Zope.Interface", PackageName("pypi", "zope-interface")),
        ("pypi:requests==2.32.0", PackageName("pypi", "requests", "2.32.0")),
        ("pypi:x == 1.0RC1", PackageName("pypi", "x", "1.0rc1")),
        ("npm:left-pad", PackageName("npm", "left-pad")),
        ("npm:@types/node@20.1.0", PackageName("npm", "@types/node", "20.1.0")),
        ("npm:JSONStream@1.3.5", PackageName("npm", "JSONStream", "1.3.5")),
        ("debian:zlib=1:1.2.13.dfsg-1", PackageName("debian", "zlib", "1:1.2.13.dfsg-1")),
        ("debian:libstdc++6", PackageName("debian", "libstdc++6")),
    ],
)
def test_names(text, package):
    assert is_package(text)
    assert parse_package(text) == package
    assert parse_package(str(package)) == package


@pytest.mark.parametrize(
    "text",
    [
        *("pypi:", "pypi:../x", "pypi:a/b", "pypi:x==", "pypi:x==latest", "pypi:x>=1", "pypi:" + "a" * 200),
        *("npm:", "npm:@scope", "npm:@a/b/c", "npm:../x", "npm:a@^1.0.0", "npm:a@latest", "npm:.hidden", "npm:a b"),
        *("debian:", "debian:Zlib", "debian:../x", "debian:zlib=", "debian:zlib=1/../2", "debian:zlib=1 2"),
        *("npm:a@1.0.0-" + "a" * 80, "crates:serde"),
    ],
)
def test_names_that_are_refused(text):
    with pytest.raises(UserError) as caught:
        parse_package(text)
    assert caught.value.hint


@given(st.text(max_size=40), st.sampled_from(["pypi", "npm", "debian"]))
def test_any_text_is_a_name_or_refused(text, registry):
    try:
        package = parse_package(f"{registry}:{text}")
    except UserError:
        return
    assert parse_package(str(package)) == package
    assert ".." not in package.name.split("/")
    assert "\n" not in str(package)


# PyPI


def test_pypi_takes_the_newest_stable_sdist(index, tmp_path):
    index.add("demo", "demo-1.0.tar.gz", sdist("demo", "1.0"))
    index.add("demo", "demo-1.10.tar.gz", sdist("demo", "1.10"))
    index.add("demo", "demo-1.9.tar.gz", sdist("demo", "1.9"))
    index.add("demo", "demo-2.0rc1.tar.gz", sdist("demo", "2.0rc1"))
    index.add("demo", "demo-1.10-py3-none-any.whl", b"a wheel")
    index.add("demo", "demo-3.0.tar.gz", b"yanked", yanked="broken")
    index.add("demo", "demo-9.0-py2.7.egg", b"an egg")
    index.add("demo", "demo-other-9.0.tar.gz", b"of another project")
    source = fetched("pypi:Demo", place(tmp_path))
    repository = source.repository()
    assert (repository.repo_name, repository.kind, repository.version) == ("pypi/demo", "package", "1.10")
    assert repository.location == "pypi:demo"
    assert repository.checksum == f"sha256:{sha256(sdist('demo', '1.10'))}"
    assert repository.home_page == "https://demo.example.org/"
    assert repository.url == "https://code.example.org/demo"  # without the login
    assert source.license_metadata() == LicenseMetadata(expression="MIT")
    assert texts(source)["a.py"] == b"# 1.10\n"
    assert "secret" not in "".join(path.read_text("latin-1") for path in tmp_path.rglob("*.json"))


@pytest.mark.parametrize(
    ("files", "taken"),
    [
        ({"demo-1.0-py3-none-any.whl": {}, "demo-1.0-cp311-cp311-linux_x86_64.whl": {}}, "demo-1.0-py3-none-any.whl"),
        ({"demo-1.0-cp311-cp311-linux_x86_64.whl": {}}, "demo-1.0-cp311-cp311-linux_x86_64.whl"),
        ({"demo-1.0.zip": {}, "demo-1.0-py3-none-any.whl": {}}, "demo-1.0.zip"),
        ({"demo-2.0b1.tar.gz": {}, "demo-1.0b1.tar.gz": {}}, "demo-2.0b1.tar.gz"),  # nothing but pre-releases
        ({"demo-1.0.tar.gz": {"yanked": True}, "demo-0.9.tar.gz": {}}, "demo-0.9.tar.gz"),
        ({"demo-2.0.tar.gz": {"yanked": True}, "demo-2.0-py3-none-any.whl": {}}, "demo-2.0-py3-none-any.whl"),
    ],
)
def test_pypi_prefers(index, tmp_path, files, taken):
    for name, fields in files.items():
        index.add("demo", name, tar({f"x/{name}": name.encode()}), **fields)
    (data,) = texts(fetched("pypi:demo", place(tmp_path))).values()
    assert data == taken.encode()


def test_a_yanked_version_only_when_it_is_named(index, tmp_path):
    index.add("demo", "demo-1.0.tar.gz", sdist("demo", "1.0"), yanked="broken")
    problem = refused("pypi:demo", place(tmp_path))
    assert "no archive of it" in problem.reason
    assert "1.0" in problem.hint
    assert fetched("pypi:demo==1.0", place(tmp_path)).repository().version == "1.0"


def test_a_version_stays_until_it_is_updated(index, tmp_path):
    index.add("demo", "demo-1.0.tar.gz", sdist("demo", "1.0"))
    assert fetched("pypi:demo", place(tmp_path)).repository().version == "1.0"
    index.add("demo", "demo-1.1.tar.gz", sdist("demo", "1.1"))
    asked = len(index.web.seen)
    assert fetched("pypi:demo", place(tmp_path)).repository().version == "1.0"
    assert len(index.web.seen) == asked  # offline
    assert fetched("pypi:demo", place(tmp_path, update=True)).repository().version == "1.1"
    assert fetched("pypi:demo", place(tmp_path)).repository().version == "1.1"


def test_a_named_version_is_never_fetched_again(index, tmp_path):
    index.add("demo", "demo-1.0.tar.gz", sdist("demo", "1.0"))
    fetched("pypi:demo==1.0", place(tmp_path))
    assert not open_package("pypi:demo==1.0", SETTINGS, place(tmp_path, update=True)).unfetched


def test_a_failed_update_leaves_what_was_there(index, tmp_path):
    index.add("demo", "demo-1.0.tar.gz", sdist("demo", "1.0"))
    fetched("pypi:demo", place(tmp_path))
    index.add("demo", "demo-1.1.tar.gz", b"short", size=6)
    (one,) = open_package("pypi:demo", SETTINGS, place(tmp_path, update=True)).unfetched
    with pytest.raises(SourceError):
        one.fetch(place(tmp_path, update=True))
    assert fetched("pypi:demo", place(tmp_path)).repository().version == "1.0"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"hashes": {"sha256": "0" * 64}}, "SHA-256 is"),
        ({"hashes": {}}, "states no SHA-256"),
        ({"hashes": {"sha256": "xyz"}}, "`files[0].hashes.sha256` is str, not a checksum"),
        ({"size": 3}, "3 were expected"),
        ({"size": "3"}, "`files[0].size` is str, not a size"),
        ({"size": True}, "`files[0].size` is bool, not a size"),
        ({"url": None}, "`files[0].url` is nothing, not text"),
        ({"url": ["a"]}, "`files[0].url` is list, not text"),
        ({"url": "file:///etc/passwd"}, "only http and https"),
        ({"url": "http://169.254.169.254/x"}, "refused"),
        ({"url": "../../files/nowhere"}, "404"),
        ({"filename": 5}, "`files[0].filename` is int, not text"),
        ({"filename": "demo-1.0.tar.gz\0"}, "`files[0].filename`"),
        ({"hashes": None}, "`files[0].hashes` is nothing, not an object"),
        ({"yanked": {}}, "`files[0].yanked` is dict"),
    ],
)
def test_pypi_what_the_index_says_wrong(index, tmp_path, fields, words):
    index.add("demo", "demo-1.0.tar.gz", sdist("demo", "1.0"), **fields)
    assert words in refused("pypi:demo", place(tmp_path)).reason


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"{}", b'{"files": {}}', b'{"files": [[]]}', b"[" * 100_000, b'"\xff"', b"", b"null"]
)
def test_pypi_documents_that_are_none(index, tmp_path, body):
    index.web.put("/simple/demo/", body)
    assert "/simple/demo/" in refused("pypi:demo", place(tmp_path)).reason


def test_a_huge_document_is_not_read(index, tmp_path, monkeypatch):
    monkeypatch.setattr(release.fetch_document, "__defaults__", (1000,))
    index.web.put("/simple/demo/", b'{"files": [' + b" " * 2000 + b"]}")
    assert "limit of 1,000" in refused("pypi:demo", place(tmp_path)).reason


def test_malicious_file_names_are_not_paths(index, tmp_path):
    data = sdist("demo", "1.0")
    index.web.put("/files/x", data)
    for name in (
        "../../../demo-1.0.tar.gz",
        "/tmp/demo-1.0.tar.gz",
        "demo-1.0/../../x.tar.gz",
        "..",
        "demo-1.0.tar.gz/.",
    ):
        index.pages["demo"] = []
        row = {"filename": name, "url": f"{index.web.url}/files/x", "hashes": {"sha256": sha256(data)}}
        index.pages["demo"].append(row)
        index.publish("demo")
        where = place(tmp_path / "w")
        (one,) = open_package("pypi:demo", SETTINGS, where).unfetched
        with contextlib.suppress(SourceError):
            one.fetch(where)
    written = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")}
    assert written <= {"w"}
    assert {path.name for path in (tmp_path / "w").rglob("*.gz")} <= {f"{sha256(data)}.tar.gz"}


def test_nothing_of_a_package_is_run(index, tmp_path):
    canary = tmp_path / "canary"
    script = f"open({str(canary)!r}, 'w').close()\n".encode()
    backend = b"[build-system]\nrequires = []\nbuild-backend = 'setup'\nbackend-path = ['.']\n"
    files = {"setup.py": script, "pyproject.toml": backend, "conftest.py": script, "sitecustomize.py": script}
    index.add("demo", "demo-1.0.tar.gz", sdist("demo", "1.0", **files))
    source = fetched("pypi:demo", place(tmp_path / "w"))
    assert texts(source)["setup.py"] == script
    assert not canary.exists()


def test_503_is_tried_again_and_then_told(index, tmp_path):
    index.add("demo", "demo-1.0.tar.gz", sdist("demo", "1.0"))
    page = index.web.routes["/simple/demo/"]
    index.web.routes["/simple/demo/"] = once(lambda handler: send(handler, 503), page)
    assert fetched("pypi:demo", place(tmp_path / "a")).repository().version == "1.0"
    index.web.routes["/simple/demo/"] = lambda handler: send(handler, 503)
    problem = refused("pypi:demo", place(tmp_path / "b"))
    assert "503" in problem.reason
    assert "again" in problem.hint


def test_a_login_is_used_and_never_told(index, tmp_path, monkeypatch):
    index.add("demo", "demo-1.0.tar.gz", sdist("demo", "1.0"), url=f"{index.web.url}/files/demo-1.0.tar.gz")
    monkeypatch.setenv("PIP_INDEX_URL", index.web.url.replace("//", "//user:geheim@") + "/simple/")
    fetched("pypi:demo", place(tmp_path))
    assert all(headers.get("Authorization", "").startswith("Basic ") for _, headers in index.web.seen)
    assert "geheim" not in refused("pypi:absent", place(tmp_path)).reason
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"geheim" in path.read_bytes()]


def test_a_download_goes_on_where_it_was_killed(index, tmp_path):
    data = sdist("demo", "1.0", noise=json.dumps(list(range(99_999))).encode())
    row = index.add("demo", "demo-1.0.tar.gz", data)
    whole = index.web.routes["/files/demo-1.0.tar.gz"]
    half = len(data) // 2
    index.web.routes["/files/demo-1.0.tar.gz"] = once(*[torn(data, half)] * 5, lambda handler: send(handler, 404))
    refused("pypi:demo", place(tmp_path))
    partial = tmp_path / "packages" / "files" / f"{row['hashes']['sha256']}.tar.gz.part"
    assert partial.stat().st_size == half
    index.web.routes["/files/demo-1.0.tar.gz"] = whole
    index.web.seen.clear()
    assert fetched("pypi:demo", place(tmp_path)).repository().version == "1.0"
    assert [headers.get("Range") for path, headers in index.web.seen if "files" in path] == [f"bytes={half}-"]
    assert not partial.exists()


def test_several_threads_fetch_one_package_once(index, tmp_path):
    index.add("demo", "demo-1.0.tar.gz", sdist("demo", "1.0"))
    (one,) = open_package("pypi:demo", SETTINGS, place(tmp_path)).unfetched
    threads = [threading.Thread(target=one.fetch, args=(place(tmp_path),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert index.web.paths().count("/files/demo-1.0.tar.gz") == 1


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b"null", b'{"format": 2}', b'{"format": 1, "asked": "pypi:demo"}']
)
def test_a_damaged_record_is_fetched_again(index, tmp_path, damage):
    index.add("demo", "demo-1.0.tar.gz", sdist("demo", "1.0"))
    fetched("pypi:demo", place(tmp_path))
    (record,) = (tmp_path / "packages" / "records").iterdir()
    good = record.read_bytes()
    record.write_bytes(damage)
    assert open_package("pypi:demo", SETTINGS, place(tmp_path)).unfetched
    fetched("pypi:demo", place(tmp_path))
    assert record.read_bytes() == good
    stored = json.loads(good)
    for name in ("../../x.tar.gz", "/etc/passwd", "a/b.tar.gz", ""):
        record.write_text(json.dumps(stored | {"files": [[name, 1]]}))
        assert Shelf(tmp_path / "packages").find(PackageName("pypi", "demo")) is None


def test_a_lost_archive_is_fetched_again(index, tmp_path):
    index.add("demo", "demo-1.0.tar.gz", sdist("demo", "1.0"))
    fetched("pypi:demo", place(tmp_path))
    shutil.rmtree(tmp_path / "packages" / "files")
    assert texts(fetched("pypi:demo", place(tmp_path)))["a.py"] == b"# 1.0\n"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_any_document_is_read_or_refused(value):
    package = PackageName("pypi", "demo")
    for read in (
        lambda found: pypi._candidate(package, found),
        lambda found: npm._license(found),
        lambda found: npm._sha512(found),
        lambda found: npm._tarball("https://registry.example.org", found),
    ):
        with contextlib.suppress(SourceError):
            read(Document(package, "https://x.example.org/", value))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://a.example.org/x?y=1", "https://a.example.org/x?y=1"),
        ("http://u:p@a.example.org:80/", "http://a.example.org:80/"),
        (" https://a.example.org ", "https://a.example.org"),
        ("https://a.example.org/\x1b[2J", None),
        ("https://a.example.org/a b", None),
        ("ftp://a.example.org/", None),
        ("https://", None),
        ("http://[::1", None),
        ("https://a.example.org/" + "x" * 2000, None),
        (None, None),
    ],
)
def test_web_addresses(text, address):
    assert web_address(text) == address
