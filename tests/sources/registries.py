"""The three registries on a server of this machine, with packages made here; and what their archives hold."""

import base64
import contextlib
import gzip
import hashlib
import io
import json
import lzma
import pickle
import random
import socket
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from outside.web import Answer, Web, serving
from starloom.sources.packages.by_name import open_package
from starloom.sources.repository import Place, SourceError, SourceSettings, Wanted

SETTINGS = SourceSettings("")


def place(folder: Path, **options) -> Place:
    return Place(folder, None, **options)  # nothing here prepares on an engine


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sri(data: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


def tar(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    """The same bytes for the same files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    plain = buffer.getvalue()
    return {"w": plain, "w:gz": gzip.compress(plain, mtime=0), "w:xz": lzma.compress(plain)}[mode]


PKG_INFO = """Metadata-Version: 2.4
Name: {name}
Version: {version}
Home-page: https://{name}.example.org/
Project-URL: Source Code, https://user:secret@code.example.org/{name}
License-Expression: MIT

Text.
"""


def sdist(name: str, version: str, **files: bytes) -> bytes:
    top = f"{name}-{version}"
    stated = PKG_INFO.format(name=name, version=version).encode()
    inner = {"PKG-INFO": stated, "a.py": f"# {version}\n".encode()} | files
    return tar({f"{top}/{path}": data for path, data in inner.items()})


def torn(data: bytes, count: int) -> Answer:
    """Says that `data` comes, and is gone after `count` bytes of it."""

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.send_header("ETag", '"1"')
        handler.end_headers()
        handler.wfile.write(data[:count])
        handler.wfile.flush()
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)

    return answer


@contextlib.contextmanager
def registries(monkeypatch) -> Iterator[Web]:
    """A server that the three registries are looked for on, by this process and those it starts."""
    with serving() as web:
        for name, value in environment(web).items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("STARLOOM_DEBIAN_SUITE", raising=False)
        monkeypatch.setattr(random, "uniform", lambda *_: 0.0)  # no waiting between attempts
        yield web


def environment(web: Web) -> dict[str, str]:
    return {
        "STARLOOM_ALLOW_PRIVATE": "1",
        "PIP_INDEX_URL": f"{web.url}/simple",
        "NPM_CONFIG_REGISTRY": f"{web.url}/npm",
        "STARLOOM_DEBIAN_MIRROR": f"{web.url}/debian",
        "STARLOOM_DEBIAN_KEYRING": "",
    }


@dataclass
class Index:
    """A Python index at /simple."""

    web: Web
    pages: dict[str, list[dict]] = field(default_factory=dict)

    def add(self, name: str, filename: str, data: bytes, /, **fields) -> dict:
        self.web.put(f"/files/{filename}", data)
        row = {
            "filename": filename,
            "url": f"../../files/{filename}",
            "hashes": {"sha256": sha256(data)},
            "size": len(data),
            "yanked": False,
        } | fields
        self.pages.setdefault(name, []).append(row)
        self.publish(name)
        return row

    def publish(self, name: str) -> None:
        page = {"meta": {"api-version": "1.1"}, "name": name, "files": self.pages[name]}
        self.web.put(f"/simple/{name}/", json.dumps(page).encode())


@dataclass
class Npm:
    """An npm registry at /npm."""

    web: Web

    def add(self, name: str, version: str, data: bytes | None = None, /, *, latest: bool = True, **fields) -> dict:
        if data is None:
            stated = json.dumps({"name": name, "version": version, "scripts": {"postinstall": "exit 1"}}).encode()
            data = tar({"package/package.json": stated, "package/index.js": f"// {version}\n".encode()})
        path = f"/npm/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
        document = {
            "name": name,
            "version": version,
            "license": "MIT",
            "homepage": "https://left.example.org/",
            "repository": {"type": "git", "url": "git+ssh://git@code.example.org/left/pad.git"},
            "dist": {"tarball": self.web.put(path, data), "integrity": sri(data)},
        } | fields
        body = json.dumps(document).encode()
        quoted = name.replace("/", "%2F")
        self.web.put(f"/npm/{quoted}/{version}", body)
        if latest:
            self.web.put(f"/npm/{quoted}/latest", body)
        return document


@dataclass
class Debian:
    """A Debian mirror at /debian."""

    web: Web
    paragraphs: list[str] = field(default_factory=list)
    by_hash: bool = True

    def add(self, name: str, version: str = "1.0-1", *, packaging: bytes | None = None) -> str:
        """A source package, format 3.0 (quilt); gives the SHA-256 of its .dsc."""
        plain = version.partition(":")[2] or version
        upstream = plain.rpartition("-")[0]
        original = tar({f"{name}-{upstream}/main.c": f"/* {version} */\n".encode()})
        debian = packaging or tar({"debian/copyright": b"License: Zlib\n"}, "w:xz")
        files = {f"{name}_{upstream}.orig.tar.gz": original, f"{name}_{plain}.debian.tar.xz": debian}
        sums = "".join(f"\n {sha256(data)} {len(data)} {file}" for file, data in files.items())
        dsc = (
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"
            f"Format: 3.0 (quilt)\nSource: {name}\nVersion: {version}\nHomepage: https://{name}.example.org/\n"
            f"Vcs-Browser: https://code.example.org/{name}\nChecksums-Sha256:{sums}\n\n"
            "-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n"
        ).encode()
        files[f"{name}_{plain}.dsc"] = dsc
        prefix = name[:4] if name.startswith("lib") else name[:1]
        directory = f"pool/main/{prefix}/{name}"
        for one, data in files.items():
            self.web.put(f"/debian/{directory}/{one}", data)
        sums = "".join(f"\n {sha256(data)} {len(data)} {file}" for file, data in files.items())
        self.paragraphs.append(
            f"Package: {name}\nBinary: {name}\nVersion: {version}\nHomepage: https://{name}.example.org/\n"
            f"Vcs-Browser: https://code.example.org/{name}\nDirectory: {directory}\nChecksums-Sha256:{sums}\n"
        )
        self.publish()
        return sha256(dsc)

    def publish(self, sign=lambda text: text) -> None:
        listed = lzma.compress("\n".join(self.paragraphs).encode())
        digest = sha256(listed)
        base = "/debian/dists/bookworm"
        if self.by_hash:
            self.web.put(f"{base}/main/source/by-hash/SHA256/{digest}", listed)
        else:
            self.web.put(f"{base}/main/source/Sources.xz", listed)
        text = (
            "Origin: Test\nSuite: bookworm\n"
            + ("Acquire-By-Hash: yes\n" if self.by_hash else "")
            + f"MD5Sum:\n {'0' * 32} 1 main/source/Sources.xz\n"
            + f"SHA256:\n {digest} {len(listed)} main/source/Sources.xz\n"
        )
        self.web.put(f"{base}/InRelease", sign(text.encode()))


def fetched(text, where):
    """The source of a package, fetched as the list stage does it."""
    opened = open_package(text, SETTINGS, where)
    for one in opened.unfetched:
        pickle.loads(pickle.dumps(one)).fetch(where)
    if opened.unfetched:
        opened = open_package(text, SETTINGS, place(where.folder))
    assert (len(opened.sources), opened.problems, opened.unfetched) == (1, [], [])
    return opened.sources[0]


def refused(text, where):
    """Why a package cannot be fetched."""
    (one,) = open_package(text, SETTINGS, where).unfetched
    with pytest.raises(SourceError) as caught:
        one.fetch(where)
    assert not open_package(text, SETTINGS, place(where.folder)).sources
    assert caught.value.problem.location == text
    return caught.value.problem


def texts(source):
    """Every file with its content."""
    entries = list(source.entries(1 << 20))
    assert not [entry.problem for entry in entries if entry.problem]
    wanted = {entry.content_id: Wanted(entry.raw_path, entry.content_id, entry.size) for entry in entries}
    data = {one.content_id: one.data for one in source.contents(wanted.values())}
    return {entry.path: data[entry.content_id] for entry in entries}
