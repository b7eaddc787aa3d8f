"""Packages of an npm registry by name: `npm:left-pad`, `npm:left-pad@1.3.0`, `npm:@scope/name`.

One document is asked for, that of the version (the abbreviated form states no licence), then its tarball, whose SHA-512
must be the one stated there. Without a version: what the registry calls `latest`. No script of a package runs. Tarballs
often hold built and minified code beside or instead of the sources.

The registry is that of `registries`, and tarballs come from it alone: where a document names another host (a mirror
hands on the public registry's documents as they are), the same path is asked of the registry, as npm does. Not covered:
version ranges and tags, `.npmrc` files and their logins, registries that state only a SHA-1, signatures.
"""

import base64
import binascii
import re
import urllib.parse
from typing import Final

from starloom.errors import UserError
from starloom.outside.http import Http, shown
from starloom.outside.paths import printable
from starloom.sources.packages import registries
from starloom.sources.packages.release import (
    Description,
    Document,
    PackageName,
    Release,
    RemoteFile,
    fetch_document,
    joined,
    web_address,
)
from starloom.sources.repository import LicenseMetadata

_DOCUMENT_LIMIT: Final = 16 << 20  # bytes
_PART: Final = r"[a-z0-9~_-][a-z0-9._~-]*"
_NAME: Final = re.compile(rf"(?:@{_PART}/)?{_PART}")
_OLD_NAME: Final = re.compile(r"[A-Za-z0-9~_-][A-Za-z0-9._~-]*")  # capitals were allowed once
_VERSION: Final = re.compile(r"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")
_NOT_SPDX: Final = re.compile(r"(?i)see licen[sc]e in |unlicensed$|https?:")
_SHORTHAND: Final = re.compile(r"(?:(github|gitlab|bitbucket):)?([\w.-]+/[\w.-]+)")
_FORGES: Final = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}


def parse(text: str) -> PackageName:
    """`NAME`, `@SCOPE/NAME`, either with `@VERSION`. Raises UserError."""
    name, sign, version = text[:1] + text[1:].partition("@")[0], *text[1:].partition("@")[1:]
    if len(name) > 214 or not (_NAME.fullmatch(name) or _OLD_NAME.fullmatch(name)):
        raise UserError(
            f"npm:{printable(text)} names no package", "write `npm:NAME`, `npm:@SCOPE/NAME` or `npm:NAME@VERSION`"
        )
    if sign and (len(version) > 64 or not _VERSION.fullmatch(version)):
        hint = "give one exact version, as in `npm:left-pad@1.3.0`; tags and ranges are not read"
        raise UserError(f"npm:{printable(text)}: `{printable(version)}` is no version", hint)
    return PackageName("npm", name, version or None)


def resolve(http: Http, package: PackageName) -> Release:
    """The release that `package` means now. Raises SourceError."""
    with package.problems():
        registry = registries.npm()
    url = f"{registry.rstrip('/')}/{urllib.parse.quote(package.name, safe='@')}/"
    url += urllib.parse.quote(package.version or "latest", safe="")
    found = fetch_document(http, package, url, "application/json", _DOCUMENT_LIMIT)
    name, version = found.field("name").text(), found.field("version").text()
    if name != package.name:
        raise package.problem(f"{shown(url)}: the answer is about another package, {printable(name[:80])}")
    if not _VERSION.fullmatch(version) or len(version) > 64 or package.version not in (None, version):
        raise package.problem(f"{shown(url)}: the answer is about another version, {printable(version[:80])}")
    archive = RemoteFile(
        url=_tarball(registry, found.field("dist").field("tarball")),
        name=f"{version}.tgz",
        sha512=_sha512(found.field("dist").field("integrity")),
    )
    return Release(
        package=package.at(version),
        archive=archive,
        description=Description(
            url=repository_address(found.field("repository")),
            home_page=web_address(_lenient(found.field("homepage").value)),
            license=_license(found),
        ),
    )


def _tarball(registry: str, field: Document) -> str:
    stated, ours = urllib.parse.urlsplit(joined(field.url, field.text())), urllib.parse.urlsplit(registry)
    return urllib.parse.urlunsplit(stated._replace(scheme=ours.scheme, netloc=ours.netloc))


def _sha512(field: Document) -> str:
    """The SHA-512 of "subresource integrity" text, in hex."""
    for one in field.text().split():
        algorithm, _, value = one.partition("-")
        if algorithm == "sha512":
            try:
                digest = base64.b64decode(value.partition("?")[0], validate=True)
            except (binascii.Error, ValueError):
                digest = b""
            if len(digest) == 64:
                return digest.hex()
    raise field.wrong("integrity text with a SHA-512")


def _license(found: Document) -> LicenseMetadata:
    """`license`: text, or an old object; `licenses`: an older list, of which any may be chosen."""
    stated = found.field("license").value
    several = found.field("licenses").value
    if stated is None and isinstance(several, list):
        names = [name for one in several if (name := _license_name(one))]
        stated = f"({' OR '.join(names)})" if len(names) > 1 else "".join(names)
    text = _license_name(stated)
    if not text:
        return LicenseMetadata()
    return LicenseMetadata(field=text) if _NOT_SPDX.match(text) else LicenseMetadata(expression=text)


def _license_name(stated: object) -> str | None:
    return _lenient(stated.get("type") or stated.get("name")) if isinstance(stated, dict) else _lenient(stated)


def _lenient(value: object) -> str | None:
    """Short, proper text; None for anything else: what only describes spoils nothing."""
    if not isinstance(value, str) or not value.strip() or len(value) > 1000:
        return None
    return value.strip().encode("utf-8", "replace").decode()


def repository_address(field: Document) -> str | None:
    """The web address of the source repository, from any of the spellings of package.json."""
    value = field.value
    text = _lenient(value.get("url") if isinstance(value, dict) else value)
    if text is None:
        return None
    if short := _SHORTHAND.fullmatch(text):
        return f"https://{_FORGES[short[1] or 'github']}/{short[2]}"
    text = re.sub(r"^git\+", "", text)
    text = re.sub(r"^(?:ssh|git)://(?:[^/@]*@)?([^/:]+)(?::\d+)?/", r"https://\1/", text)
    text = re.sub(r"^[^/@:]+@([^/:]+):(?!/)", r"https://\1/", text)
    address = web_address(text.partition("#")[0])
    return address.removesuffix(".git") if address else None
