"""Corpora: the lists themselves, and fetching one from registries of this machine, with everything that goes wrong."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import tomllib

import pytest

from outside.web import once, send
from sources.registries import SETTINGS, Debian, Index, Npm, place, registries, sdist, sha256, tar, torn
from starloom.errors import UserError
from starloom.languages.table import by_name
from starloom.sources import corpus as module
from starloom.sources.corpus import corpus, default_folder, fetch_corpus, names, open_corpus
from starloom.sources.packages.by_name import parse_package
from starloom.sources.packages.shelf import Shelf
from starloom.sources.repository import SourceError


def listing(*packages) -> str:
    """A list in TOML of (registry, name, version, sha256, bytes)."""
    rows = [
        f'[[packages]]\nregistry = "{registry}"\nname = "{name}"\nversion = "{version}"\nsha256 = "{digest}"\n'
        f'bytes = {size}\nunpacked = {size}\nlanguages = ["Python", "C"]\nlicense = "MIT"\n'
        for registry, name, version, digest, size in packages
    ]
    return 'title = "for tests"\n' + "\n".join(rows)


@pytest.fixture
def web(monkeypatch):
    with registries(monkeypatch) as web:
        yield web


@pytest.fixture
def tiny(web, tmp_path, monkeypatch):
    """The corpus `tiny`: one package of each registry. The mirror has only a newer list, and still the files."""
    data = sdist("demo", "1.0")
    Index(web).add("demo", "demo-1.0.tar.gz", data)
    pad = tar({"package/index.js": b"1;\n"})
    Npm(web).add("@left/pad", "1.0.0", pad)
    dsc = Debian(web).add("zlib", "1:1.2-1")
    packages = [
        ("pypi", "demo", "1.0", sha256(data), len(data)),
        ("npm", "@left/pad", "1.0.0", sha256(pad), len(pad)),
        ("debian", "zlib", "1:1.2-1", dsc, 1000),
    ]
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "tiny.toml").write_text(listing(*packages))
    monkeypatch.setattr(module, "_LISTS", lists)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return corpus("tiny")


# The lists


@pytest.mark.parametrize(
    ("name", "packages", "languages", "bytes_"),
    [("standard", (40, 60), 25, (200e6, 500e6)), ("large", (15, 60), 20, (1e9, 3e9))],
)
def test_the_lists(name, packages, languages, bytes_):
    listed = corpus(name)
    assert packages[0] <= len(listed.packages) <= packages[1]
    assert len(listed.languages) >= languages
    assert bytes_[0] <= listed.unpacked <= bytes_[1]
    assert [one for one in listed.languages if by_name(one) is None] == []
    texts = [str(one.package) for one in listed.packages]
    assert len(set(texts)) == len(texts)
    for one in listed.packages:
        assert parse_package(str(one.package)) == one.package
        assert len(one.sha256) == 64
        assert 0 < one.bytes < one.unpacked
        assert one.license
        assert one.languages


def test_the_lists_are_disjoint_and_all_named():
    assert names() == ["standard", "large"]
    first, second = ({one.package.repo_name for one in corpus(name).packages} for name in names())
    assert not first & second
    assert {one.registry for one in corpus("large").packages} == {"debian"}


def test_an_unknown_corpus():
    with pytest.raises(UserError) as caught:
        corpus("standart")
    assert "standard" in caught.value.hint


# Fetching


def test_every_package_is_a_repository_of_its_own(tiny, web):
    before = open_corpus("corpus:tiny", SETTINGS, place(None))
    assert (before.sources, len(before.unfetched)) == ([], 3)
    told = []
    done = fetch_corpus(tiny, default_folder("tiny"), advance=told.append)
    assert (len(done.records), done.downloaded, done.problems) == (3, 3, [])
    assert sum(told) == done.bytes > 0
    assert not [path for path in web.paths() if "dists" in path]  # what is pinned needs no list
    web.seen.clear()
    opened = open_corpus("corpus:tiny", SETTINGS, place(None))
    rows = [source.repository() for source in opened.sources]
    assert [row.repo_name for row in rows] == ["pypi/demo", "npm/@left/pad", "debian/zlib"]
    assert [row.location for row in rows] == ["pypi:demo==1.0", "npm:@left/pad@1.0.0", "debian:zlib=1:1.2-1"]
    assert [row.checksum for row in rows] == [f"sha256:{one.sha256}" for one in tiny.packages]
    assert all(entry.problem is None for source in opened.sources for entry in source.entries(1 << 20))
    told.clear()
    again = fetch_corpus(tiny, default_folder("tiny"), advance=told.append)
    assert (len(again.records), again.downloaded) == (3, 0)
    assert sum(told) == tiny.bytes
    assert web.seen == []


def test_a_source_fetches_what_is_not_there(tiny, tmp_path):
    text = f"corpus:tiny@{tmp_path / 'elsewhere'}"
    for one in open_corpus(text, SETTINGS, place(None)).unfetched:
        assert one.repo_name
        one.fetch(place(tmp_path / "unused"))
    assert len(open_corpus(text, SETTINGS, place(None)).sources) == 3
    assert not default_folder("tiny").exists()
    assert not (tmp_path / "unused").exists()
    assert len(open_corpus("corpus:tiny", SETTINGS, place(None)).unfetched) == 3
    with pytest.raises(UserError):
        open_corpus("corpus:tiny@", SETTINGS, place(None))


def test_what_the_registries_have_no_more_costs_itself(tiny, web, tmp_path):
    index, mirror = Index(web), Debian(web)
    index.add("demo", "demo-1.1.tar.gz", sdist("demo", "1.1"))
    for path in [path for path in web.routes if path.endswith(".dsc")]:
        del web.routes[path]
    newer = mirror.add("zlib", "1:1.3-1")
    done = fetch_corpus(tiny, tmp_path / "c")
    assert [record.package.name for record in done.records] == ["@left/pad"]
    assert [problem.location for problem in done.problems] == ["pypi:demo==1.0", "debian:zlib=1:1.2-1"]
    assert all("--newest" in problem.hint for problem in done.problems)
    assert "SHA-256" in done.problems[0].reason
    assert "404" in done.problems[1].reason
    done = fetch_corpus(tiny, tmp_path / "c", newest=True)
    assert (done.downloaded, done.problems) == (2, [])
    assert {str(record.package): record.deviates for record in done.records} == {
        "npm:@left/pad@1.0.0": False,
        "pypi:demo==1.1": True,
        "debian:zlib=1:1.3-1": True,
    }
    opened = open_corpus(f"corpus:tiny@{tmp_path / 'c'}", SETTINGS, place(None))
    rows = {source.repository().location: source.repository() for source in opened.sources}
    assert rows["debian:zlib=1:1.2-1"].version == "1:1.3-1"
    assert rows["debian:zlib=1:1.2-1"].checksum == f"sha256:{newer}"


def test_another_archive_under_the_pinned_version_is_refused(tiny, web, tmp_path):
    changed = tar({"package/index.js": b"evil;\n"})
    Npm(web).add("@left/pad", "1.0.0", changed)  # with a fitting SHA-512
    (dsc,) = [path for path in web.routes if path.endswith(".dsc")]
    web.put(dsc, b"Format: 3.0 (quilt)\n")
    done = fetch_corpus(tiny, tmp_path / "c")
    assert [problem.location for problem in done.problems] == ["npm:@left/pad@1.0.0", "debian:zlib=1:1.2-1"]
    assert all("SHA-256 is" in problem.reason for problem in done.problems)


def test_a_record_of_another_list_does_not_count(tiny, web, tmp_path, monkeypatch):
    fetch_corpus(tiny, tmp_path / "c")
    first = tiny.packages[0]
    monkeypatch.setattr(module, "corpus", lambda name: tiny)
    other = type(first)(**{**vars(first), "sha256": "0" * 64})
    assert module.found(Shelf(tmp_path / "c"), first)
    assert module.found(Shelf(tmp_path / "c"), other) is None


def test_a_server_that_fails_at_times(tiny, web, tmp_path):
    for path, answer in list(web.routes.items()):
        web.routes[path] = once(lambda handler: send(handler, 503), lambda handler: send(handler, 429), answer)
    done = fetch_corpus(tiny, tmp_path / "c")
    assert (len(done.records), done.problems) == (3, [])


def test_a_full_disk_ends_the_run(tiny, tmp_path, monkeypatch):
    def full(*_args, **_options):
        raise UserError("cannot write x: No space left on device", "free some space")

    monkeypatch.setattr("starloom.sources.packages.shelf.download", full)
    with pytest.raises(UserError, match="No space"):
        fetch_corpus(tiny, tmp_path / "c")


def test_an_unfetched_one_raises_what_is_wrong(tiny, web, tmp_path):
    web.routes.clear()
    for one in open_corpus(f"corpus:tiny@{tmp_path / 'c'}", SETTINGS, place(None)).unfetched:
        with pytest.raises(SourceError) as caught:
            one.fetch(place(None))
        assert caught.value.problem.location == one.location


SCRIPT = """
import sys
from pathlib import Path
from starloom.sources import corpus
corpus._LISTS = Path(sys.argv.pop(1))
from starloom.commands import main
main()
"""


def started(tiny_lists, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tiny_lists), "corpus", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_stopped_in_the_middle_it_goes_on(tiny, web, tmp_path, how):
    """The sdist's download stops half way and hangs; after the stop, only the rest of it is asked for."""
    data = sdist("demo", "1.0", noise=os.urandom(300_000))
    Index(web).add("demo", "demo-1.0.tar.gz", data)
    packages = [("pypi", "demo", "1.0", sha256(data), len(data))]
    packages += [(one.registry, one.name, one.version, one.sha256, one.bytes) for one in tiny.packages[1:]]
    (tmp_path / "lists" / "tiny.toml").write_text(listing(*packages))
    whole, half, reached = web.routes["/files/demo-1.0.tar.gz"], len(data) // 2, threading.Event()

    def hanging(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.send_header("ETag", '"1"')
        handler.end_headers()
        handler.wfile.write(data[:half])
        handler.wfile.flush()
        reached.set()
        web.over.wait(60)

    web.routes["/files/demo-1.0.tar.gz"] = hanging
    folder = tmp_path / "c"
    partial = folder / "files" / f"{sha256(data)}.tar.gz.part"
    running = started(tmp_path / "lists", "fetch", "tiny", "--dir", str(folder))
    assert reached.wait(60)
    deadline = time.monotonic() + 60
    while not (partial.is_file() and partial.stat().st_size == half) or len(list(folder.glob("records/*.json"))) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    running.send_signal(how)
    _, told = running.communicate(timeout=60)
    assert running.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
    assert "Traceback" not in told
    web.routes["/files/demo-1.0.tar.gz"] = whole
    web.seen.clear()
    done, told = (again := started(tmp_path / "lists", "fetch", "tiny", "--dir", str(folder), "--json")).communicate()
    assert again.returncode == 0, told
    assert (json.loads(done)["fetched"], json.loads(done)["downloaded"]) == (3, 1)
    assert [headers.get("Range") for path, headers in web.seen if "files" in path] == [f"bytes={half}-"]
    assert not list(folder.rglob("*.part*"))
    web.over.set()


def test_the_lists_are_toml_with_nothing_else():
    for name in names():
        path = module._LISTS / f"{name}.toml"
        assert set(tomllib.loads(path.read_text())) == {"title", "packages"}


def test_torn_downloads_end_as_a_problem(tiny, web, tmp_path):
    web.routes["/files/demo-1.0.tar.gz"] = torn(sdist("demo", "1.0"), 20)
    done = fetch_corpus(tiny, tmp_path / "c")
    assert [problem.location for problem in done.problems] == ["pypi:demo==1.0"]
    assert "again" in done.problems[0].hint
