"""Code that is not in the index: Python's own library and the packages installed beside it, in several languages."""

import hashlib
import sysconfig
from pathlib import Path

SUFFIXES = {
    ".py": "Python",
    ".pyi": "Python",
    ".h": "C",
    ".c": "C",
    ".hpp": "C++",
    ".cpp": "C++",
    ".cc": "C++",
    ".js": "JavaScript",
    ".mjs": "JavaScript",
    ".ts": "TypeScript",
}
_LEAST, _MOST = 500, 500_000  # characters of a file


def texts(most: int) -> list[tuple[str, str]]:
    """(language, text) of up to `most` characters, in an order of chance that is always the same."""
    folders = sorted({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib", "include")})
    paths = {path for folder in folders for path in Path(folder).rglob("*") if path.suffix in SUFFIXES}
    found, seen, size = [], set(), 0
    for path in sorted(paths, key=_chance):
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        if not _LEAST <= len(text) <= _MOST or text in seen:
            continue
        seen.add(text)
        found.append((SUFFIXES[path.suffix], text))
        size += len(text)
        if size >= most:
            break
    return found


def _chance(path: Path) -> tuple[bytes, Path]:
    """By name and size, wherever the packages are; the path where two have the same."""
    return hashlib.sha256(path.name.encode() + str(path.stat().st_size).encode()).digest(), path
