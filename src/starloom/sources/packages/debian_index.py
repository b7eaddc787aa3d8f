"""The list of source packages of a Debian suite: fetched, verified, kept, searched.

InRelease names the list (`main/source/Sources.xz`) with its SHA-256; the list names each package's files with theirs.
Where `gpgv` and the archive's keyring are on this machine, InRelease must be signed by a key of it, and only what is
signed is read; else what is fetched rests on the mirror alone, and its records say so. The list (10 MB for Debian 12)
is kept and fetched again only when somebody asks to, or for a package that is not in it. Cost: one search is one pass
over the list, 1 s. Not covered: a mirror that keeps back a newer list, components other than main.

Environment: STARLOOM_DEBIAN_MIRROR, STARLOOM_DEBIAN_SUITE, STARLOOM_DEBIAN_KEYRING (empty: do not check signatures).
"""

import gzip
import hashlib
import json
import lzma
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starloom.errors import UserError
from starloom.outside.download import download
from starloom.outside.http import Http, HttpError, shown
from starloom.outside.paths import printable
from starloom.outside.processes import ProcessError, find_program, run
from starloom.sources.aside import locked, replace_file
from starloom.sources.packages import registries
from starloom.sources.packages.release import PackageName, fetch_bytes, unreachable

SUITE: Final = "bookworm"
KEYRING: Final = "/usr/share/keyrings/debian-archive-keyring.gpg"

GOOD: Final = "good"  # of a signature

_INRELEASE_LIMIT: Final = 16 << 20  # bytes
_LIST_LIMIT: Final = 512 << 20  # bytes, compressed
_PLAIN_LIMIT: Final = 4 << 30  # bytes, decompressed
_LINE_LIMIT: Final = 4 << 20  # bytes
_PARAGRAPH_LINES: Final = 200_000
_ARMOR: Final = re.compile(
    rb"-----BEGIN PGP SIGNED MESSAGE-----\n(?:[A-Za-z-]+: [^\n]*\n)*\n(.*?)\n-----BEGIN PGP SIGNATURE-----\n", re.DOTALL
)
_SIGNED: Final = b"-----BEGIN PGP SIGNED MESSAGE-----"
_SIGNATURE: Final = b"-----BEGIN PGP SIGNATURE-----"
_OWN_KEYRING: Final = "name this mirror's keyring in STARLOOM_DEBIAN_KEYRING, or set it empty not to check signatures"
_FORMS: Final = (("main/source/Sources.xz", lzma.open), ("main/source/Sources.gz", gzip.open))


@dataclass(frozen=True)
class Listed:
    """A source package of the list: its files by name, with SHA-256 and bytes."""

    version: str
    directory: str  # below the mirror
    files: dict[str, tuple[str, int]]
    home_page: str | None
    repository: str | None  # where its packaging is kept, as the list says it


@dataclass(frozen=True)
class Index:
    """The list of a suite, on this machine."""

    path: Path
    signature: str  # GOOD, or why it was not checked

    def find(self, package: PackageName) -> list[Listed]:
        """Every version of the package that the list has. Raises SourceError where it is damaged."""
        found: list[Listed] = []
        try:
            for paragraph in _paragraphs(self.path, package.name.encode()):
                if (listed := _listed(paragraph)) is not None:
                    found.append(listed)
        except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error) as problem:
            self.path.unlink(missing_ok=True)
            reason = f"the list of source packages is damaged: {printable(str(problem))}"
            raise package.problem(reason, "run the same command again: the list is fetched anew") from None
        return found


def mirror(package: PackageName) -> str:
    """The mirror's URL, without a slash at its end; `package` asks. Raises SourceError; UserError for a wrong suite."""
    name = suite()
    with package.problems():
        return registries.debian(name).rstrip("/")


def suite() -> str:
    """The suite, as `bookworm`. Raises UserError."""
    name = os.environ.get("STARLOOM_DEBIAN_SUITE") or SUITE
    if not re.fullmatch(r"[a-z][a-z0-9.-]{0,39}(?:/[a-z][a-z0-9.-]{0,39})?", name):
        raise UserError(f"STARLOOM_DEBIAN_SUITE: `{printable(name)}` is no suite", f"one like `{SUITE}`")
    return name


def current(http: Http, package: PackageName, folder: Path, refresh: bool) -> tuple[Index, bool]:
    """The suite's list, and whether it is fresh from the mirror; `package` is who asks. Raises SourceError."""
    base = f"{mirror(package)}/dists/{suite()}"
    place = folder / hashlib.sha256(shown(base).encode()).hexdigest()[:16]
    place.mkdir(parents=True, exist_ok=True)
    with locked(place / "lock"):
        kept = None if refresh else _kept(place)
        if kept is not None:
            return kept, False
        return _fetch(http, package, base, place), True


def _kept(place: Path) -> Index | None:
    try:
        stored = json.loads((place / "index.json").read_bytes()[:10_000])
        name, signature = stored["list"], stored["signature"]
        if re.fullmatch(r"[0-9a-f]{64}\.(?:xz|gz)", name) and isinstance(signature, str) and (place / name).is_file():
            return Index(place / name, signature)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        pass
    return None


def _fetch(http: Http, package: PackageName, base: str, place: Path) -> Index:
    release = fetch_bytes(http, package, f"{base}/InRelease", _INRELEASE_LIMIT)
    signed, signature = _verified(package, base, release)
    files, by_hash = _release_files(signed)
    stated = next((name for name, _ in _FORMS if name in files), None)
    if stated is None:
        raise package.problem(f"{shown(base)}/InRelease names no list of source packages of `main`")
    digest, size = files[stated]
    target = place / f"{digest}{Path(stated).suffix}"
    url = f"{base}/main/source/by-hash/SHA256/{digest}" if by_hash else f"{base}/{stated}"
    try:
        download(http, url, target, limit=_LIST_LIMIT, sha256=digest, size=size)
    except HttpError as failure:
        raise unreachable(package, failure) from None
    replace_file(place / "index.json", json.dumps({"list": target.name, "signature": signature}).encode())
    for old in [*place.glob("*.xz"), *place.glob("*.gz")]:
        if old != target:
            old.unlink(missing_ok=True)
    return Index(target, signature)


def _verified(package: PackageName, base: str, release: bytes) -> tuple[bytes, str]:
    """What of an InRelease is signed, and whether the signature is good. Raises SourceError for a bad one."""
    named = os.environ.get("STARLOOM_DEBIAN_KEYRING")
    keyring = KEYRING if named is None else named
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": "/nonexistent", "LC_ALL": "C"}
    reason = None
    if not keyring:
        reason = "not checked: STARLOOM_DEBIAN_KEYRING is empty"
    elif not Path(keyring).is_file():
        reason = f"not checked: no keyring at {keyring}"
    else:
        try:
            find_program("gpgv", environment)
        except UserError:
            reason = "not checked: gpgv is not installed"
    if reason is not None and named:
        raise package.problem(f"the signature of {shown(base)}/InRelease is {reason}", _OWN_KEYRING)
    if reason is not None and base.startswith("http:") and not os.environ.get("STARLOOM_DEBIAN_MIRROR"):
        hint = "install gpgv and debian-archive-keyring, or give a mirror by https in STARLOOM_DEBIAN_MIRROR"
        raise package.problem(f"the signature of {shown(base)}/InRelease, which came unencrypted, is {reason}", hint)
    if reason is not None:
        found = _ARMOR.search(release.replace(b"\r\n", b"\n"))
        return (re.sub(rb"(?m)^- ", b"", found[1]) if found else release), reason
    # Exactly one signed text: of several, one might carry the signature and another one be read.
    if not release.startswith(_SIGNED) or release.count(_SIGNED) != 1 or release.count(_SIGNATURE) != 1:
        raise package.problem(f"{shown(base)}/InRelease is not one signed text", _OWN_KEYRING)
    argv = ["gpgv", "--keyring", str(Path(keyring).absolute()), "--status-fd", "2", "--output", "-", "-"]
    try:
        done = run(argv, environment, timeout=60, feed=release)
    except ProcessError as problem:
        raise package.problem(f"{shown(base)}/InRelease: {problem}") from None
    # Of several signatures some may be by keys that are newer than the keyring: one good one is enough.
    told = [line.split()[1] for line in done.stderr.splitlines() if line.startswith("[GNUPG:] ")]
    if "VALIDSIG" not in told or "BADSIG" in told or not done.stdout:
        told = [one for one in told if one in ("BADSIG", "NO_PUBKEY", "NODATA", "EXPKEYSIG", "REVKEYSIG", "ERRSIG")]
        raise package.problem(
            f"{shown(base)}/InRelease is not signed by a key of {keyring} ({', '.join(told) or 'no signature'})",
            _OWN_KEYRING,
        )
    return done.stdout, GOOD


def _release_files(text: bytes) -> tuple[dict[str, tuple[str, int]], bool]:
    """What InRelease's SHA256 section names, and whether the files can be had by their hash."""
    files: dict[str, tuple[str, int]] = {}
    by_hash = within = False
    for line in text.decode("utf-8", "replace").splitlines():
        if not line.startswith(" "):
            within = line.strip() == "SHA256:"
            by_hash = by_hash or line.strip().lower() == "acquire-by-hash: yes"
        elif within and (found := re.fullmatch(r" ([0-9a-f]{64}) +([0-9]{1,12}) (\S+)", line.rstrip())):
            files[found[3]] = found[1], int(found[2])
    return files, by_hash


def _paragraphs(path: Path, name: bytes) -> Iterator[list[str]]:
    """The lines of each paragraph about the source package `name`."""
    opener = lzma.open if path.suffix == ".xz" else gzip.open
    wanted = b"Package: " + name
    total = 0
    with opener(path, "rb") as file:
        lines: list[bytes] = []
        for line in _lines(file):
            total += len(line)
            if total > _PLAIN_LIMIT or len(lines) > _PARAGRAPH_LINES:
                raise ValueError("more than a list of packages has")
            if line.strip():
                lines.append(line)
                continue
            if any(one.rstrip() == wanted for one in lines):
                yield [one.decode("utf-8", "replace") for one in lines]
            lines = []
        if any(one.rstrip() == wanted for one in lines):
            yield [one.decode("utf-8", "replace") for one in lines]


def _lines(file: lzma.LZMAFile | gzip.GzipFile) -> Iterator[bytes]:
    while line := file.readline(_LINE_LIMIT):
        if len(line) == _LINE_LIMIT:
            raise ValueError("a line of more than 4 MB")
        yield line


def fields(lines: list[str]) -> dict[str, str]:
    """Fields of one paragraph; the lines of a longer value joined by line ends."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in lines:
        if line[:1] in (" ", "\t"):
            if name:
                found[name].append(line.strip())
        elif ":" in line:
            name, _, value = line.partition(":")
            found[name] = [value.strip()]
    return {name: "\n".join(values) for name, values in found.items()}


def checksums(text: str) -> dict[str, tuple[str, int]] | None:
    """Files by name of a Checksums-Sha256 field; None where a line is not as it should be."""
    files: dict[str, tuple[str, int]] = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        found = re.fullmatch(r"([0-9a-f]{64}) +([0-9]{1,13}) +(\S+)", line.strip())
        if found is None or found[3] in files:
            return None
        files[found[3]] = found[1], int(found[2])
    return files


def _listed(paragraph: list[str]) -> Listed | None:
    found = fields(paragraph)
    files = checksums(found.get("Checksums-Sha256", ""))
    if not files or not found.get("Version") or not found.get("Directory"):
        return None
    repository = found.get("Vcs-Browser") or found.get("Vcs-Git", "").partition(" ")[0]
    return Listed(found["Version"], found["Directory"], files, found.get("Homepage"), repository or None)
