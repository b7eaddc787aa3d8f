"""Debian source packages by name against a mirror of this machine, its signatures with real keys."""

import json
import random
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.registries import SETTINGS, Debian, fetched, place, refused, registries, texts
from starloom.errors import UserError
from starloom.sources.packages import debian, debian_index
from starloom.sources.packages.by_name import open_package
from starloom.sources.repository import LicenseMetadata


@pytest.fixture
def web(monkeypatch):
    with registries(monkeypatch) as web:
        yield web


def test_debian_takes_the_newest_version_of_the_list(web, tmp_path):
    mirror = Debian(web)
    mirror.add("zlib", "1:1.9-2")
    digest = mirror.add("zlib", "1:1.10~rc1-1")
    mirror.add("zlib-ng", "9.9-1")
    source = fetched("debian:zlib", place(tmp_path))
    repository = source.repository()
    assert (repository.repo_name, repository.version) == ("debian/zlib", "1:1.10~rc1-1")
    assert repository.checksum == f"sha256:{digest}"
    assert (repository.home_page, repository.url) == ("https://zlib.example.org/", "https://code.example.org/zlib")
    assert source.license_metadata() == LicenseMetadata()
    assert texts(source) == {"main.c": b"/* 1:1.10~rc1-1 */\n", "debian/copyright": b"License: Zlib\n"}
    (record,) = (tmp_path / "packages" / "records").iterdir()
    assert json.loads(record.read_bytes())["signature"].startswith("not checked")
    assert fetched("debian:zlib=1:1.9-2", place(tmp_path)).repository().version == "1:1.9-2"


def test_debian_the_list_is_fetched_once_and_again_for_what_is_new(web, tmp_path):
    mirror = Debian(web, by_hash=False)
    mirror.add("zlib")
    mirror.add("jq")
    lists = "/debian/dists/bookworm/main/source/Sources.xz"
    fetched("debian:zlib", place(tmp_path))
    fetched("debian:jq", place(tmp_path))
    assert web.paths().count(lists) == 1
    mirror.add("redis")
    mirror.add("zlib", "2.0-1")
    assert fetched("debian:zlib", place(tmp_path)).repository().version == "1.0-1"
    fetched("debian:redis", place(tmp_path))
    assert web.paths().count(lists) == 2
    assert fetched("debian:zlib", place(tmp_path, update=True)).repository().version == "2.0-1"
    assert web.paths().count(lists) == 2  # it did not change
    problem = refused("debian:zlib=3.0-1", place(tmp_path))
    assert "not in the mirror's list" in problem.reason
    assert "2.0-1" in problem.hint


def test_debian_a_list_or_a_file_with_a_wrong_checksum(web, tmp_path):
    mirror = Debian(web)
    mirror.add("zlib")
    (listed,) = [path for path in web.routes if "by-hash" in path]
    sound = web.routes[listed]
    web.put(listed, b"x" * 100)
    assert "bytes" in refused("debian:zlib", place(tmp_path)).reason
    web.routes[listed] = sound
    (original,) = [path for path in web.routes if path.endswith(".orig.tar.gz")]
    web.put(original, b"evil")
    assert "bytes" in refused("debian:zlib", place(tmp_path)).reason


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Directory: pool", "Directory: ../../etc/pool", "damaged"),
        ("Directory: pool", "Directory: /pool", "damaged"),
        ("zlib_1.0.orig.tar.gz", "../../zlib_1.0.orig.tar.gz", "file name that is not accepted"),
        ("zlib_1.0.orig.tar.gz", "/etc/cron.d/x", "file name that is not accepted"),
        ("zlib_1.0.orig.tar.gz", ".hidden", "file name that is not accepted"),
        ("Version: 1.0-1", "Version: $(touch x)", "not in the mirror's list"),
        ("zlib_1.0-1.dsc", "zlib_1.0-1.txt", "damaged"),
    ],
)
def test_debian_what_the_list_says_wrong(web, tmp_path, old, new, words):
    mirror = Debian(web)
    mirror.add("zlib")
    mirror.paragraphs = [one.replace(old, new) for one in mirror.paragraphs]
    mirror.publish()
    assert words in refused("debian:zlib", place(tmp_path / "w")).reason
    assert {path.name for path in tmp_path.iterdir()} == {"w"}


def test_debian_a_list_that_is_damaged_is_fetched_anew(web, tmp_path):
    mirror = Debian(web)
    mirror.add("zlib")
    fetched("debian:zlib", place(tmp_path))
    (listed,) = (tmp_path / "packages" / "debian").rglob("*.xz")
    listed.write_bytes(listed.read_bytes()[:-20])
    assert "damaged" in refused("debian:jq", place(tmp_path)).reason
    mirror.add("jq")
    assert fetched("debian:jq", place(tmp_path)).repository().version == "1.0-1"


def test_debian_wrong_settings(web, tmp_path, monkeypatch):
    monkeypatch.setenv("STARLOOM_DEBIAN_SUITE", "../../etc")
    (one,) = open_package("debian:zlib", SETTINGS, place(tmp_path)).unfetched
    with pytest.raises(UserError, match="SUITE"):
        one.fetch(place(tmp_path))


def test_debian_a_keyring_that_is_named_must_be_there(web, tmp_path, monkeypatch):
    Debian(web).add("zlib")
    monkeypatch.setenv("STARLOOM_DEBIAN_KEYRING", str(tmp_path / "absent.gpg"))
    assert "no keyring" in refused("debian:zlib", place(tmp_path)).reason


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """`keys(name)`: a keyring, and what signs with it."""
    if not (shutil.which("gpg") and shutil.which("gpgv")):
        pytest.skip("needs gpg and gpgv")
    base = tmp_path_factory.mktemp("k")  # short: gpg's sockets lie in it

    def make(name):
        home = base / name
        home.mkdir(mode=0o700)

        def gpg(*arguments, feed=b""):
            command = [
                "gpg",
                "--batch",
                "--yes",
                "--homedir",
                str(home),
                "--pinentry-mode",
                "loopback",
                "--passphrase",
                "",
            ]
            return subprocess.run([*command, *arguments], input=feed, capture_output=True, check=True).stdout

        gpg("--quick-generate-key", f"{name}@example.org", "ed25519", "sign", "never")
        ring = base / f"{name}.gpg"
        ring.write_bytes(gpg("--export"))
        homes.append(home)
        return ring, lambda text: gpg("--clearsign", feed=text)

    homes = []
    yield make
    for home in homes:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], capture_output=True, check=False)


def test_debian_signatures(web, tmp_path, keys, monkeypatch):
    ring, sign = keys("ours")
    _, foreign = keys("theirs")
    mirror = Debian(web)
    mirror.add("zlib")
    monkeypatch.setenv("STARLOOM_DEBIAN_KEYRING", str(ring))
    path = "/debian/dists/bookworm/InRelease"

    assert "not one signed text" in refused("debian:zlib", place(tmp_path / "a")).reason
    mirror.publish(foreign)
    assert "NO_PUBKEY" in refused("debian:zlib", place(tmp_path / "b")).reason
    signed = sign(b"Origin: Test\nSHA256:\n")
    web.put(path, signed.replace(b"Origin: Test", b"Origin: Evil"))
    problem = refused("debian:zlib", place(tmp_path / "c"))
    assert "BADSIG" in problem.reason
    assert "STARLOOM_DEBIAN_KEYRING" in problem.hint
    unsigned = Debian(web, mirror.paragraphs)
    captured = []
    unsigned.publish(lambda text: captured.append(text) or text)
    web.put(path, captured[0] + signed)  # what stands beside the signed text is not signed
    assert "not one signed text" in refused("debian:zlib", place(tmp_path / "d")).reason
    web.put(path, foreign(captured[0]) + signed)
    assert "not one signed text" in refused("debian:zlib", place(tmp_path / "e")).reason
    mirror.publish(sign)
    fetched("debian:zlib", place(tmp_path / "f"))
    (record,) = (tmp_path / "f" / "packages" / "records").iterdir()
    assert json.loads(record.read_bytes())["signature"] == "good"


@pytest.mark.parametrize(
    "ordered",
    [
        ["1.0~rc1", "1.0", "1.0-1", "1.0-1.1", "1.0-2", "1.0-10", "1.0a-1", "1.0+b1-1", "1.1-1", "1:0.1-1"],
        ["0~", "0", "0a", "0a1", "0+", "0.1"],
        ["2.0-1~deb12u1", "2.0-1", "2.0-1+deb12u1", "2.0-1+deb12u2", "2.0-1+deb12u10"],
    ],
)
def test_debian_versions_are_ordered(ordered):
    shuffled = random.Random(3).sample(ordered, len(ordered))
    assert sorted(shuffled, key=debian.version_key) == ordered


@given(st.binary(max_size=300))
def test_any_bytes_are_a_release_or_none(data):
    files, _ = debian_index._release_files(data)
    assert all(len(digest) == 64 for digest, _ in files.values())


@given(st.lists(st.text(max_size=60), max_size=12))
def test_any_lines_are_fields_or_none(lines):
    found = debian_index.fields(lines)
    debian_index.checksums(found.get("Checksums-Sha256", ""))
    debian_index._listed(lines)
