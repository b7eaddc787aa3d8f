"""Debian source packages by name: `debian:zlib`, `debian:zlib=1:1.2.13.dfsg-1`.

The suite's list (see `debian_index`) names the .dsc and the files of it, each with its SHA-256; all are downloaded,
nothing is unpacked or built. Without a version: the newest one that the list has. A package of a corpus is found
without the list: its .dsc is pinned by its SHA-256, and names the other files by theirs. Mirrors keep only the latest
versions.

Licences are not stated for a package as a whole; they are in its `debian/copyright`, file by file.
"""

import hashlib
import re
import urllib.parse
from pathlib import Path
from typing import Final

from starloom.errors import UserError
from starloom.outside.http import Http, shown
from starloom.outside.paths import printable
from starloom.sources.packages.debian_index import Listed, checksums, current, fields, mirror
from starloom.sources.packages.release import (
    Description,
    PackageName,
    Release,
    RemoteFile,
    fetch_bytes,
    quoted,
    web_address,
)

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9+.-]{1,99}")
_VERSION: Final = re.compile(r"(?:\d{1,9}:)?[0-9][A-Za-z0-9.+~-]*")
_DIRECTORY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._~-]*(?:/[A-Za-z0-9][A-Za-z0-9+._~-]*)*")
_DSC_LIMIT: Final = 1 << 20  # bytes


def parse(text: str) -> PackageName:
    """`NAME` or `NAME=VERSION`, of a source package. Raises UserError."""
    name, sign, version = text.partition("=")
    if not _NAME.fullmatch(name):
        hint = "write `debian:NAME` or `debian:NAME=VERSION`, NAME that of a source package"
        raise UserError(f"debian:{printable(text)} names no package", hint)
    if sign and (len(version) > 64 or not _VERSION.fullmatch(version)):
        hint = "give it whole, as in `debian:zlib=1:1.2.13.dfsg-1`"
        raise UserError(f"debian:{printable(text)}: `{printable(version)}` is no version", hint)
    return PackageName("debian", name, version or None)


def resolve(http: Http, package: PackageName, folder: Path, refresh: bool = False) -> Release:
    """The release that `package` means now; the list is kept in `folder`. Raises SourceError."""
    index, fresh = current(http, package, folder, refresh)
    found = index.find(package)
    offered = _offered(package, found)
    if not offered and not fresh:  # it may have come since
        index, _ = current(http, package, folder, refresh=True)
        found = index.find(package)
        offered = _offered(package, found)
    if not offered:
        versions = quoted([one.version for one in found])
        hint = f"it has: {versions}" if found else "see that it is the name of a source package of `main`"
        raise package.problem("not in the mirror's list of source packages", hint)
    best = max(offered, key=lambda one: version_key(one.version))
    return _release(package, best, index.signature)


def _offered(package: PackageName, found: list[Listed]) -> list[Listed]:
    return [one for one in found if package.version in (None, one.version) and _VERSION.fullmatch(one.version)]


def _release(package: PackageName, listed: Listed, signature: str) -> Release:
    dsc = [name for name in listed.files if name.endswith(".dsc")]
    if len(dsc) != 1 or not _DIRECTORY.fullmatch(listed.directory):
        raise package.problem("its entry in the mirror's list is damaged")
    folder = f"{mirror(package)}/{listed.directory}"
    files = {name: _remote(folder, name, *what) for name, what in listed.files.items()}
    archive = files.pop(dsc[0])
    return Release(
        package=package.at(listed.version),
        archive=archive,
        parts=tuple(files.values()),
        description=Description(web_address(listed.repository), web_address(listed.home_page)),
        signature=signature,
    )


def pinned(http: Http, package: PackageName, sha256: str) -> Release:
    """The release whose .dsc has that SHA-256, wherever the mirror's list has got to. Raises SourceError."""
    assert package.version is not None
    prefix = package.name[:4] if package.name.startswith("lib") else package.name[:1]
    name = f"{package.name}_{package.version.partition(':')[2] or package.version}.dsc"
    folder = f"{mirror(package)}/pool/main/{prefix}/{package.name}"
    url = _remote(folder, name, sha256, None).url
    data = fetch_bytes(http, package, url, _DSC_LIMIT)
    digest = hashlib.sha256(data).hexdigest()
    if digest != sha256:
        raise package.problem(f"{shown(url)}: its SHA-256 is {digest}, expected was {sha256}")
    found = fields(_signed(data.decode("utf-8", "replace").splitlines()))
    files = checksums(found.get("Checksums-Sha256", ""))
    if not files:
        raise package.problem(f"{shown(url)}: names no files with their SHA-256")
    repository = found.get("Vcs-Browser") or found.get("Vcs-Git", "").partition(" ")[0]
    return Release(
        package=package,
        archive=RemoteFile(url, name, sha256=sha256, size=len(data), data=data),
        parts=tuple(_remote(folder, one, *what) for one, what in files.items()),
        description=Description(web_address(repository), web_address(found.get("Homepage"))),
    )


def _remote(folder: str, name: str, sha256: str, size: int | None) -> RemoteFile:
    return RemoteFile(f"{folder}/{urllib.parse.quote(name)}", name, sha256=sha256, size=size)


def _signed(lines: list[str]) -> list[str]:
    """The first paragraph of a .dsc, without the armour around it."""
    if lines[:1] == ["-----BEGIN PGP SIGNED MESSAGE-----"]:
        lines = lines[lines.index("") + 1 :] if "" in lines else []
    return lines[: lines.index("")] if "" in lines else lines


def version_key(version: str) -> tuple[int, list[tuple[list[int], int]], list[tuple[list[int], int]]]:
    """Sorts as Debian's versions do: epoch, upstream version, revision; `~` before the end, letters before others.

    >>> sorted(["1.0", "1.0~rc1-1", "1:0.1", "1.0-2", "1.0-10"], key=version_key)
    ['1.0~rc1-1', '1.0', '1.0-2', '1.0-10', '1:0.1']
    """
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "0")
    return int(epoch), _pieces(upstream), _pieces(revision)


def _pieces(text: str) -> list[tuple[list[int], int]]:
    """Turns of other characters and digits, ended so that what goes on with `~` comes before what ends."""
    pieces = [
        ([_weight(one) for one in others] + [0], int(digits or 0))
        for others, digits in re.findall(r"([^0-9]*)([0-9]*)", text)
        if others or digits
    ]
    return [*pieces, ([0], 0)]


def _weight(character: str) -> int:
    return -1 if character == "~" else ord(character) + (0 if character.isalpha() else 0x100)
