"""npm packages by name against a registry of this machine."""

import json

import pytest

from outside.web import redirect
from sources.registries import Npm, fetched, place, refused, registries, sha256, tar, texts
from starloom.sources.packages import npm
from starloom.sources.packages.release import Document, PackageName
from starloom.sources.repository import LicenseMetadata


@pytest.fixture
def web(monkeypatch):
    with registries(monkeypatch) as web:
        yield web


def test_npm_takes_what_is_called_latest(web, tmp_path):
    registry = Npm(web)
    document = registry.add("@left/pad", "1.0.0")
    registry.add("@left/pad", "2.0.0-beta.1", latest=False)
    source = fetched("npm:@left/pad", place(tmp_path))
    repository = source.repository()
    assert (repository.repo_name, repository.version, repository.kind) == ("npm/@left/pad", "1.0.0", "package")
    assert repository.url == "https://code.example.org/left/pad"
    assert repository.home_page == "https://left.example.org/"
    assert source.license_metadata() == LicenseMetadata(expression="MIT")
    assert texts(source)["index.js"] == b"// 1.0.0\n"
    (path,) = (tmp_path / "packages" / "files").iterdir()
    assert repository.checksum == f"sha256:{path.name.removesuffix('.tgz')}" == f"sha256:{sha256(path.read_bytes())}"
    assert fetched("npm:@left/pad@2.0.0-beta.1", place(tmp_path)).repository().version == "2.0.0-beta.1"
    assert document["version"] == "1.0.0"


@pytest.mark.parametrize(
    ("fields", "metadata"),
    [
        ({"license": "(MIT OR Apache-2.0)"}, LicenseMetadata(expression="(MIT OR Apache-2.0)")),
        ({"license": {"type": "BSD-3-Clause", "url": "x"}}, LicenseMetadata(expression="BSD-3-Clause")),
        ({"license": None, "licenses": [{"type": "MIT"}, {"type": "GPL-2.0"}]}, LicenseMetadata("(MIT OR GPL-2.0)")),
        ({"license": "SEE LICENSE IN x.txt"}, LicenseMetadata(field="SEE LICENSE IN x.txt")),
        ({"license": "UNLICENSED"}, LicenseMetadata(field="UNLICENSED")),
        ({"license": None}, LicenseMetadata()),
        ({"license": 7}, LicenseMetadata()),
    ],
)
def test_npm_licenses(web, tmp_path, fields, metadata):
    Npm(web).add("pad", "1.0.0", **fields)
    assert fetched("npm:pad", place(tmp_path)).license_metadata() == metadata


@pytest.mark.parametrize(
    ("stated", "address"),
    [
        ("github:a/b", "https://github.com/a/b"),
        ("a/b", "https://github.com/a/b"),
        ("gitlab:a/b", "https://gitlab.com/a/b"),
        ({"url": "git+https://github.com/a/b.git"}, "https://github.com/a/b"),
        ({"url": "git://github.com/a/b.git#main"}, "https://github.com/a/b"),
        ({"url": "git@github.com:a/b.git"}, "https://github.com/a/b"),
        ({"url": "https://user:secret@github.com/a/b"}, "https://github.com/a/b"),
        ({"url": "file:///etc/passwd"}, None),
        ({"url": "javascript:alert(1)"}, None),
        ({"url": ["x"]}, None),
        (None, None),
        (7, None),
    ],
)
def test_npm_repositories(stated, address):
    assert npm.repository_address(Document(PackageName("npm", "a"), "https://x/", stated)) == address


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "other"}, "another package"),
        ({"version": "9.9.9"}, "another version"),
        ({"dist": {}}, "`dist.tarball` is nothing"),
        ({"dist": None}, "`dist` is nothing, not an object"),
        ({"dist": {"tarball": "x.tgz"}}, "`dist.integrity` is nothing"),
        ({"dist": {"tarball": "x.tgz", "integrity": "sha1-abc"}}, "integrity text with a SHA-512"),
        ({"dist": {"tarball": "x.tgz", "integrity": "sha512-abc"}}, "integrity text with a SHA-512"),
    ],
)
def test_npm_what_the_registry_says_wrong(web, tmp_path, fields, words):
    Npm(web).add("pad", "1.0.0", **fields)
    assert words in refused("npm:pad@1.0.0", place(tmp_path)).reason


def test_npm_a_wrong_tarball_is_not_kept(web, tmp_path):
    Npm(web).add("pad", "1.0.0")
    web.put("/npm/pad/-/pad-1.0.0.tgz", tar({"package/evil.js": b"x"}))
    assert "SHA-512" in refused("npm:pad", place(tmp_path)).reason
    assert not list((tmp_path / "packages" / "files").iterdir())


def test_npm_a_mirror_that_hands_on_the_public_addresses(web, tmp_path):
    document = Npm(web).add("pad", "1.0.0")
    tarball = document["dist"]["tarball"].replace(f"{web.url}/npm", "https://public.example.org")
    web.put("/pad/-/pad-1.0.0.tgz", tar({"package/package.json": b"{}"}))
    document["dist"] = {"tarball": tarball, "integrity": document["dist"]["integrity"]}
    web.put("/npm/pad/latest", json.dumps(document).encode())
    assert "SHA-512" in refused("npm:pad", place(tmp_path)).reason  # asked the mirror, not the public one


def test_npm_there_is_no_such_package(web, tmp_path):
    problem = refused("npm:absent", place(tmp_path))
    assert "not in the registry" in problem.reason
    assert "spelled" in problem.hint


def test_a_redirect_to_a_metadata_service_is_refused(web, tmp_path):
    web.routes["/npm/pad/latest"] = redirect("http://169.254.169.254/latest")
    assert "refused" in refused("npm:pad", place(tmp_path)).reason
