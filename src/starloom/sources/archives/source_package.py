"""A Debian source package: the archives that a `.dsc` file names, beside it, verified by its checksums.

Formats: 1.0 (with or without a diff), 3.0 (native), 3.0 (quilt) with additional components. As unpacked by Debian's own
tool, but **patches are not applied**: the listing is the upstream text as it was released, and the packaging beside it
(`debian/` with `debian/patches/`; of format 1.0 the diff as one file, `debian.diff`). What the packaging replaces (an
upstream `debian/`) is listed as a problem. Signatures (`.asc`) are not verified and not listed.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from starloom.outside.paths import RefusedError, Root, printable
from starloom.sources.archives.stream import ArchiveError, open_stream

MAX_DSC = 1 << 20  # bytes
MAX_DIFF = 1 << 30  # bytes of a diff, unpacked
DIFF_NAME = b"debian.diff"
REPLACED = "replaced by the packaging"
_SUMS = (("Checksums-Sha256", "sha256"), ("Checksums-Sha1", "sha1"), ("Files", "md5"))  # the best one that there is
_FIELD = re.compile(r"(?m)^([A-Za-z][A-Za-z0-9-]*):[ \t]*(.*(?:\n[ \t].*)*)")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~_:%-]*")
_ARCHIVE = r"\.tar\.(?:gz|bz2|xz)"


@dataclass(frozen=True)
class Part:
    """One file that a `.dsc` names."""

    name: str
    size: int
    algorithm: str
    checksum: str
    folder: bytes  # below which its members stand, with slash
    replaces: bytes = b""  # a folder that it stands for, with slash
    is_diff: bool = False


@dataclass(frozen=True)
class SourcePackage:
    """What a `.dsc` file says."""

    name: str
    version: str
    home_page: str | None
    parts: tuple[Part, ...]  # in the order in which they are unpacked


def is_dsc(head: bytes) -> bool:
    """Whether a file that begins so is the description of a source package."""
    fields = _fields(head[:4096].decode("utf-8", "replace"))
    return "Format" in fields and ("Source" in fields or "Binary" in fields) and not head.startswith(b"PK")


def read_dsc(path: Path) -> SourcePackage:
    """Raises ArchiveError for what is no `.dsc` of a known format."""
    try:
        with Root(path.parent) as root:
            data = root.read(os.fsencode(path.name), MAX_DSC)
    except (OSError, RefusedError) as problem:
        raise ArchiveError(f"unreadable: {problem}") from None
    if len(data) > MAX_DSC:
        raise ArchiveError(f"a .dsc of more than {MAX_DSC} bytes")
    fields = _fields(data.decode("utf-8", "replace"))
    name, version = fields.get("Source", ""), fields.get("Version", "")
    if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]*", name):
        raise ArchiveError(f"a .dsc without a package's name: {printable(name[:60])!r}")
    return SourcePackage(name, version, fields.get("Homepage") or None, tuple(_parts(fields)))


def _fields(text: str) -> dict[str, str]:
    """Fields of the first paragraph, inside a signature or not."""
    if text.startswith("-----BEGIN PGP SIGNED MESSAGE-----"):
        text = text.partition("\n\n")[2]
    return {name: value.strip() for name, value in _FIELD.findall(text.lstrip("\n").partition("\n\n")[0])}


def _parts(fields: dict[str, str]) -> Iterator[Part]:
    described = next(((fields[field], algorithm) for field, algorithm in _SUMS if field in fields), None)
    if described is None:
        raise ArchiveError("a .dsc that names no files")
    files: dict[str, tuple[int, str]] = {}
    for line in described[0].splitlines():
        words = line.split()
        if not words:
            continue
        if len(words) != 3 or not words[1].isdigit() or not _FILE_NAME.fullmatch(words[2]):
            raise ArchiveError(f"a .dsc with an unsafe or damaged line: {printable(line.strip()[:100])!r}")
        files[words[2]] = int(words[1]), words[0].lower()
    kind = fields.get("Format", "")

    def only(pattern: str, folder: bytes = b"", replaces: bytes = b"", is_diff: bool = False) -> list[Part]:
        found = [name for name in sorted(files) if re.fullmatch(pattern, name)]
        return [Part(name, files[name][0], described[1], files[name][1], folder, replaces, is_diff) for name in found]

    original = only(rf".*\.orig{_ARCHIVE}")
    if kind == "3.0 (quilt)":
        parts = list(original)
        for name in sorted(files):
            if found := re.fullmatch(rf".*\.orig-([A-Za-z0-9-]+){_ARCHIVE}", name):
                folder = found[1].encode() + b"/"
                parts += only(re.escape(name), folder, folder)
        parts += only(rf".*\.debian{_ARCHIVE}", replaces=b"debian/")
        complete = len(original) == 1 and parts[-1].replaces == b"debian/"
    elif kind == "1.0" and original:
        parts = original + only(r".*\.diff\.gz", is_diff=True)
        complete = len(original) == 1 and len(parts) == 2
    elif kind in ("1.0", "3.0 (native)"):
        parts = only(rf".*{_ARCHIVE}")
        complete = len(parts) == 1
    else:
        raise ArchiveError(
            f"a source package of format {printable(kind[:40])!r}", "1.0, 3.0 (native), 3.0 (quilt) are read"
        )
    if not complete:
        raise ArchiveError(f"its files are not those of format {kind}")
    yield from parts


@contextmanager
def opened(path: Path, part: Part) -> Iterator[IO[bytes]]:
    """The file of a part beside the `.dsc` at `path`, open at its start. Raises ArchiveError."""
    try:
        with Root(path.parent) as root:
            descriptor, _ = root.open(part.name.encode())
    except (OSError, RefusedError) as problem:
        raise ArchiveError(f"{part.name}: {problem}", "put it beside the .dsc file") from None
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        yield file


def verify(file: IO[bytes], part: Part) -> None:
    """Raises ArchiveError where the file is not the one that was described. Cost: one reading."""
    digest = hashlib.new(part.algorithm, usedforsecurity=False)
    size = 0
    while piece := file.read(1 << 20):
        digest.update(piece)
        size += len(piece)
    if size != part.size or digest.hexdigest() != part.checksum:
        raise ArchiveError(
            f"{part.name}: not the file of the .dsc: its {part.algorithm} or size differs", "get it again"
        )


def read_diff(file: IO[bytes], limit: int) -> bytes | int:
    """The unpacked diff; its size where it is more than `limit` bytes. Raises ArchiveError."""
    stream = open_stream(file)
    data = stream.read(limit + 1)
    if len(data) <= limit:
        return data
    while stream.read(1 << 20):
        if stream.position > MAX_DIFF:
            raise ArchiveError(f"a diff of more than {MAX_DIFF} bytes")
    return stream.position
