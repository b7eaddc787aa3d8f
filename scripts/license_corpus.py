"""The licence texts of folders, each distinct one once: for the table (license_texts.py) and its bench.

Read are files whose names may be a licence's (licenses/candidates), in the folders and in the tar archives below them,
and the licence paragraphs of Debian's copyright files. Cost: half a minute for 340 MB of archives.
"""

import hashlib
import os
import re
import sys
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from starloom.licenses.candidates import is_license_candidate, is_license_text
from starloom.outside.text import Decoded, decode

MAX_BYTES = 1 << 20
MAX_CHARACTERS = 200_000  # of a text that ScanCode is asked about
_SPEAKS = re.compile(r"licen[cs]|copyright|copyleft|permission|redistribut|public domain|gpl|warrant", re.IGNORECASE)
_ARCHIVE = re.compile(r"\.(?:tar\.(?:xz|gz|bz2)|tgz)$")
_NO_TEXT = (".pyc", ".gz", ".png", ".so")
_FIELD = re.compile(r"^License:(.*)\n((?:[ \t].*\n?)+)", re.MULTILINE)


class Text(NamedTuple):
    kind: str  # license, copyright (Debian's), paragraph (of one), readme, other
    name: str
    source: str  # folder or archive, and the path there
    text: str


def distinct(folders: Iterable[str]) -> list[Text]:
    """All of them in the order of their hashes, so that any first part is a sample."""
    found: dict[bytes, Text] = {}
    for one in _all(folders):
        if one.text.strip() and len(one.text) <= MAX_CHARACTERS and _SPEAKS.search(one.text):
            found.setdefault(hashlib.sha256(one.text.encode("utf-8", "surrogatepass")).digest(), one)
    return [found[key] for key in sorted(found)]


def _all(folders: Iterable[str]) -> Iterator[Text]:
    for path in sorted(Path(root, name) for folder in folders for root, _, names in os.walk(folder) for name in names):
        if _ARCHIVE.search(path.name):
            yield from _in_archive(path)
        elif _is_candidate(path):
            yield from _texts(path.name, str(path), path.read_bytes())


def _is_candidate(path: Path) -> bool:
    if path.suffix in _NO_TEXT or not is_license_candidate(path.name):
        return False
    return path.is_file() and path.stat().st_size <= MAX_BYTES


def _in_archive(path: Path) -> Iterator[Text]:
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile() and member.size <= MAX_BYTES and is_license_candidate(member.name):
                    file = archive.extractfile(member)
                    assert file is not None
                    yield from _texts(member.name.rpartition("/")[2], f"{path.name}:{member.name}", file.read())
    except (tarfile.TarError, EOFError, OSError) as error:
        print(f"{path}: {error}", file=sys.stderr)


def _texts(name: str, source: str, data: bytes) -> Iterator[Text]:
    decoded = decode(data)
    if not isinstance(decoded, Decoded):
        return
    text = decoded.text
    yield Text(_kind(name), name, source, text)
    if name == "copyright" and text.startswith("Format:"):
        for field in _FIELD.finditer(text.replace("\r\n", "\n")):
            lines = ("" if line.strip() == "." else line[1:] for line in field[2].split("\n"))
            yield Text("paragraph", f"{name}#{field[1].strip()}", source, "\n".join(lines))


def _kind(name: str) -> str:
    if name == "copyright":
        return name
    if is_license_text(name):
        return "license"
    return "readme" if name.lower().startswith("readme") else "other"
