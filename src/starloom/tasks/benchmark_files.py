"""The data files of benchmarks: where they lie, in a folder or fetched from the Hub, and their rows.

JSON lines (plain, gzip, Zstandard), one JSON array or object of rows, Parquet. Whatever is damaged is an error that
names file and line: a benchmark of which a part was silently left out would be looked for in vain.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from starloom.errors import UserError
from starloom.outside import hub
from starloom.outside.json_lines import LinesError, json_object, lines
from starloom.outside.parquet_footers import too_large
from starloom.outside.paths import printable

PATTERNS = ("*.parquet", "*.jsonl", "*.jsonl.gz", "*.jsonl.zst", "*.ndjson", "*.ndjson.gz", "*.json", "*.json.gz")
MAX_LINE, MAX_TEXT = 256 << 20, 8 << 30  # bytes, unpacked
MAX_FILES = 10_000
_HUB = re.compile(r"hub:([\w][\w.-]{0,95}/[\w][\w.-]{0,95})(?:@([\w][\w./-]{0,199}))?", re.ASCII)
_DATA = re.compile(r"[^.].*\.(?:parquet|(?:jsonl|ndjson|json)(?:\.gz|\.zst)?)", re.IGNORECASE)
_ASIDE = re.compile(r"(?:dataset_infos|dataset_info|metadata|package|package-lock|config)\.json", re.IGNORECASE)
_ROWS = 1_000  # of Parquet at a time


@dataclass(frozen=True)
class DataFile:
    name: str  # its path below the folder given, that folder's name first
    path: Path
    digest: str  # SHA-256


def is_hub(place: str) -> bool:
    return place.startswith("hub:")


def fetch(place: str) -> None:
    """Fetches `hub:OWNER/NAME[@REVISION]`, unless it is there. Raises UserError."""
    if not is_hub(place) or hub.fetched(snapshot := _snapshot(place)) is not None:
        return
    named = _named(place)
    try:
        hub.snapshot(named[1], snapshot, named[2], (*PATTERNS, "*.toml"))
    except ModuleNotFoundError:
        raise UserError(f"{place}: the Hub needs huggingface_hub", "pip install 'starloom[hub]'") from None
    except hub.HubError as problem:
        raise UserError(f"[contamination] benchmarks: {problem}", problem.hint) from None


def folder_of(place: str) -> Path:
    """Where the files of `place` lie. Raises UserError where there is no folder, or nothing fetched yet."""
    if is_hub(place):
        folder = _snapshot(place)
        if hub.fetched(folder) is None:
            raise UserError(f"{place} is not fetched yet", "run `starloom build`: it fetches it")
        return folder
    folder = Path(place).expanduser().absolute()
    if folder.is_dir() or folder.is_file():
        return folder
    hint = "give a folder or file of JSON lines or Parquet; from the Hub: hub:OWNER/NAME"
    if re.fullmatch(r"[\w.-]+/[\w.-]+", place):
        hint = f"give a folder or file of JSON lines or Parquet; from the Hub: hub:{place}"
    raise UserError(f"[contamination] benchmarks: {printable(str(folder))} does not exist", hint)


def data_files(place: str) -> list[DataFile]:
    """Every data file of `place`, by name. Raises UserError where there are none, or too many."""
    root = folder_of(place)
    found: list[tuple[str, Path]] = []
    try:
        if root.is_file():
            found = [(f"{root.parent.name}/{root.name}", root)]
        else:
            for folder, inner, names in os.walk(root):
                inner[:] = sorted(name for name in inner if not name.startswith("."))
                paths = [Path(folder, name) for name in names if _DATA.fullmatch(name) and not _ASIDE.fullmatch(name)]
                found += [(f"{root.name}/{path.relative_to(root).as_posix()}", path) for path in paths]
                if len(found) > MAX_FILES:
                    raise UserError(
                        f"{printable(str(root))}: more than {MAX_FILES:,} data files", "give a folder of benchmarks"
                    )
        files = [DataFile(name, path, digest(path)) for name, path in sorted(found)]
    except OSError as problem:
        raise UserError(
            f"[contamination] benchmarks: {printable(str(problem.filename or root))}: {problem.strerror}",
            "make it readable",
        ) from None
    if not files:
        raise UserError(
            f"[contamination] benchmarks: {printable(place)} has no data files",
            f"they are known by their names: {', '.join(PATTERNS)}",
        )
    return files


def digest(path: Path) -> str:
    """Its SHA-256, kept while size and time stay the same. Raises OSError."""
    status = path.stat()
    return _digest(str(path), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=4096)
def _digest(path: str, _size: int, _time: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a data file. Raises UserError with file and line where it is damaged."""
    where = printable(str(path))
    suffixes = {one.lower() for one in path.suffixes}
    try:
        if ".parquet" in suffixes:
            yield from _parquet(path)
        elif ".json" in suffixes:
            yield from _json(path)
        else:
            for number, (_, line) in enumerate(lines(str(path), max_line=MAX_LINE, max_bytes=MAX_TEXT), 1):
                if line is None:
                    raise UserError(f"{where}, line {number}: longer than {MAX_LINE:,} bytes", "mend the file")
                if not line.strip():
                    continue
                row = json_object(line)
                if row is None:
                    raise UserError(f"{where}, line {number}: no JSON object", "mend the file, or take it away")
                yield row
    except (LinesError, OSError) as problem:
        raise UserError(f"{where}: {problem}", "fetch it again") from None


def _parquet(path: Path) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            if bad := too_large(file.metadata, path.stat().st_size):
                raise LinesError(f"refused: row group {bad[0]} unpacks to {bad[1]:,} bytes")
            for batch in file.iter_batches(_ROWS):
                yield from batch.to_pylist()
    except pa.ArrowException as problem:
        raise LinesError(f"damaged Parquet: {str(problem).splitlines()[0]}") from None


def _json(path: Path) -> Iterator[dict[str, Any]]:
    """A file that is one value: an array of rows, or an object of rows by name."""
    text = b"\n".join(line or b"" for _, line in lines(str(path), max_line=MAX_LINE, max_bytes=MAX_LINE))
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise LinesError(f"no JSON: {printable(str(problem))[:200]}") from None
    some = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(some, list) or not all(isinstance(one, dict) for one in some):
        raise LinesError("no rows: an array of objects is expected")
    yield from some


def _named(place: str) -> re.Match[str]:
    named = _HUB.fullmatch(place)
    if named is None:
        raise UserError(
            f"{printable(place)} names no data set on the Hub", "write it as hub:OWNER/NAME or hub:OWNER/NAME@REVISION"
        )
    return named


def _snapshot(place: str) -> Path:
    named = _named(place)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "starloom" / "benchmarks"
    revision = f"@{named[2].replace('/', '--')}" if named[2] else ""
    return cache / (named[1].replace("/", "--") + revision)
