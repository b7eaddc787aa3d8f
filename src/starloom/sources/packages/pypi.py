"""Packages of a Python index by name: `pypi:requests`, `pypi:requests==2.32.3`.

One document is asked for, the project's page of the simple API in JSON (PEP 691 and 700), then one archive: the sdist
(.tar.gz, .zip), else the wheel for every system, else any wheel. Its SHA-256 must be the one that the index states.
Without a version the newest stable one is taken (a pre-release only where there is nothing else); yanked ones only when
their version is named. Nothing is built: `pip download` would run the package's build backend to learn its metadata.

The index is PIP_INDEX_URL, else the public one. Not covered: indexes that speak only HTML, PIP_EXTRA_INDEX_URL, markers
and `requires-python` (nothing is installed), signatures and attestations.
"""

import re
import urllib.parse
from dataclasses import dataclass
from typing import Final

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from starloom.errors import UserError
from starloom.outside.http import Http, shown
from starloom.outside.paths import printable
from starloom.sources.packages import registries
from starloom.sources.packages.release import (
    Document,
    PackageName,
    Release,
    RemoteFile,
    fetch_document,
    joined,
    quoted,
)

_ACCEPT: Final = "application/vnd.pypi.simple.v1+json"
_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_SDIST, _PURE, _WHEEL = range(3)  # in the order of preference


@dataclass(frozen=True)
class _Candidate:
    version: Version
    kind: int
    yanked: bool
    file: RemoteFile


def parse(text: str) -> PackageName:
    """`NAME` or `NAME==VERSION`, the name in the index's own spelling. Raises UserError."""
    name, sign, version = text.partition("==")
    name, version = name.strip(), version.strip()
    if not _NAME.fullmatch(name):
        raise UserError(f"pypi:{printable(text)} names no package", "write `pypi:NAME` or `pypi:NAME==VERSION`")
    if sign:
        try:
            version = str(Version(version))
        except InvalidVersion:
            hint = "give one exact version, as in `pypi:requests==2.32.3`"
            raise UserError(f"pypi:{printable(text)}: `{printable(version)}` is no version", hint) from None
        if len(version) > 64:
            raise UserError(f"pypi:{name}: a version of more than 64 characters", "see that it is spelled right")
    return PackageName("pypi", re.sub(r"[-_.]+", "-", name).lower(), version or None)


def resolve(http: Http, package: PackageName, sha256: str | None = None) -> Release:
    """The release that `package` means now; with `sha256` the archive that has it. Raises SourceError."""
    with package.problems():
        index = registries.pypi()
    url = f"{index.rstrip('/')}/{urllib.parse.quote(package.name)}/"
    page = fetch_document(http, package, url, _ACCEPT)
    found = [one for file in page.field("files").items() if (one := _candidate(package, file))]
    chosen = _choose(package, found, sha256, url)
    return Release(package.at(str(chosen.version)), chosen.file)


def _candidate(package: PackageName, file: Document) -> _Candidate | None:
    """None for what is neither an sdist nor a wheel of this package."""
    name = file.field("filename").text()
    try:
        if name.lower().endswith(".whl"):
            called, version, _, tags = parse_wheel_filename(name)
            pure = any(tag.abi == "none" and tag.platform == "any" for tag in tags)
            kind = _PURE if pure else _WHEEL
        else:
            called, version = parse_sdist_filename(name)
            kind = _SDIST
    except (InvalidSdistFilename, InvalidWheelFilename, InvalidVersion):
        return None  # an egg, an installer, an old spelling
    if called != package.name:
        return None
    remote = RemoteFile(
        url=joined(file.url, file.field("url").text()),
        name=name,
        sha256=file.field("hashes").field("sha256").hash_or_none(64),
        size=file.field("size").number_or_none(),
    )
    yanked = file.field("yanked").value
    if not isinstance(yanked, bool | str | None):
        raise file.field("yanked").wrong("true, false or a reason")
    return _Candidate(version, kind, isinstance(yanked, str) or bool(yanked), remote)


def _choose(package: PackageName, found: list[_Candidate], sha256: str | None, url: str) -> _Candidate:
    if package.version is not None:
        wanted = Version(package.version)
        offered = [one for one in found if one.version == wanted]
    else:
        sound = [one for one in found if not one.yanked]
        offered = [one for one in sound if not one.version.is_prerelease] or sound
    if sha256:
        offered = [one for one in offered if one.file.sha256 == sha256]
    if not offered:
        versions = [str(one) for one in sorted({one.version for one in found}, reverse=True)]
        hint = f"the index has: {quoted(versions)}" if versions else "see that the name is spelled right"
        pinned = f" with the SHA-256 {sha256}" if sha256 else ""
        raise package.problem(f"{shown(url)}: no archive of it{pinned} that may be used", hint)
    best = max(offered, key=lambda one: (one.version, -one.kind, one.file.name))
    if best.file.sha256 is None:
        raise package.problem(f"{shown(url)}: the index states no SHA-256 of {quoted([best.file.name])}")
    return best
