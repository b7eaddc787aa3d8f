"""What is deduplicated: real code for speed, and several releases of the same packages for quality.

Speed: the contents of a workspace, each once, in the order of its parts, up to a size. Quality: the files of package
releases that `pip download` and `npm pack` fetch and nothing of which is run. Paths are taken in the order of a hash of
their name without the release, each with all its releases, so that families stay whole; exact copies count once, files
of fewer than five words not at all. Everything is Parquet with the columns `row` (its number), `id` and `content`.
"""

import hashlib
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from starloom.the_stack import tables

PYTHON_RELEASES = (
    "django==5.0.6", "django==5.1.1", "django==5.1.4",
    "sympy==1.12.1", "sympy==1.13.1", "sympy==1.13.3",
    "transformers==4.46.3", "transformers==4.47.1",
)  # fmt: skip
JAVASCRIPT_RELEASES = (
    "three@0.160.0", "three@0.165.0", "three@0.170.0", "rxjs@7.8.0", "rxjs@7.8.1", "mathjs@12.4.0", "mathjs@13.2.0",
    "highlight.js@11.8.0", "highlight.js@11.10.0",
)  # fmt: skip
C_RELEASES = (
    "sodium-native@3.4.1", "sodium-native@4.0.0", "sodium-native@4.1.0", "leveldown@5.6.0", "leveldown@6.1.0",
    "usb@2.9.0", "usb@2.11.0", "usb@2.14.0", "secp256k1@4.0.3", "secp256k1@5.0.0", "tree-sitter@0.20.6",
    "tree-sitter@0.21.1", "ffi-napi@3.1.0", "ffi-napi@4.0.3", "node-sass@8.0.0", "node-sass@9.0.0",
)  # fmt: skip
_MAX_BYTES = 1 << 20  # of a file
_SCHEMA = pa.schema([("row", pa.int64()), ("id", pa.string()), ("content", pa.string())])


def speed(workspace: Path, target: Path, max_bytes: int) -> None:
    """Contents of a workspace, up to `max_bytes`."""
    left, rows = max_bytes, 0
    with pq.ParquetWriter(target, _SCHEMA, compression="zstd") as writer:
        for path in tables.contents(workspace):
            for batch in pq.ParquetFile(path).iter_batches(1000, columns=["content_id", "content"]):
                if left > 0:
                    columns = [pa.array(range(rows, rows + len(batch)), pa.int64()), *batch.columns]
                    table = pa.table(columns, schema=_SCHEMA)
                    writer.write_table(table)
                    left, rows = left - size_of(table), rows + len(table)


def slice_of(source: Path, target: Path, max_bytes: int) -> None:
    """Every k-th file of `source`, so that it is the same mixture."""
    table = pq.read_table(source)
    step = max(round(size_of(table) / max_bytes), 1)
    table = table.take(pa.array(range(0, len(table), step)))
    pq.write_table(table.set_column(0, "row", pa.array(range(len(table)), pa.int64())), target)


def size_of(table: pa.Table) -> int:
    """Bytes of text."""
    return pc.sum(pc.binary_length(table.column("content"))).as_py() or 0


Kind = tuple[tuple[str, ...], tuple[str, ...], int]  # releases, endings of names, files at least
QUALITY: dict[str, list[Kind]] = {
    "Python": [(PYTHON_RELEASES, (".py",), 2000)],
    "C and JavaScript": [
        (C_RELEASES, (".c", ".h", ".cc", ".cpp", ".hpp"), 1500),
        (JAVASCRIPT_RELEASES, (".js", ".mjs", ".cjs"), 1500),
    ],
}


def quality(archives: Path, kinds: list[Kind], target: Path) -> None:
    """Distinct files of each kind, as many as it wants where there are so many. `archives`: what was fetched before."""
    found: dict[str, str] = {}
    for releases, endings, files in kinds:
        found |= {
            text: where for text, where in _files(archives, releases, endings, files).items() if text not in found
        }
    columns = {"row": range(len(found)), "id": list(found.values()), "content": list(found)}
    pq.write_table(pa.table(columns, schema=_SCHEMA), target)


def _files(archives: Path, releases: tuple[str, ...], endings: tuple[str, ...], files: int) -> dict[str, str]:
    """Texts, and where each was first."""
    by_path: dict[str, dict[str, str]] = {}  # by name of the package and path
    for release in releases:
        name, version = re.split("==|@", release)
        for path, data in _members(_fetched(archives, release)):
            text = _text(path, data, endings)
            if text is not None:
                by_path.setdefault(f"{name}/{path}", {}).setdefault(text, f"{name}-{version}/{path}")
    chosen: dict[str, str] = {}
    for path in sorted(by_path, key=lambda one: hashlib.sha256(one.encode()).digest()):
        if len(chosen) >= files:
            break
        chosen |= {text: where for text, where in by_path[path].items() if text not in chosen}
    return chosen


def _text(path: str, data: bytes, endings: tuple[str, ...]) -> str | None:
    if not path.lower().endswith(endings) or len(data) > _MAX_BYTES:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return text if len(re.findall(r"\w+", text)) >= 5 else None


def _fetched(folder: Path, release: str) -> Path:
    """The archive of a release: `pip download` of wheels only, for an sdist would be run; `npm pack` runs nothing."""
    place = folder / release
    if not place.exists():
        waiting = folder / f"{release}.part"
        waiting.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", ".", release]
        command = pip if "==" in release else ["npm", "pack", "--silent", release]
        subprocess.run(command, check=True, cwd=waiting, stdout=subprocess.DEVNULL)
        waiting.rename(place)
    (archive,) = place.iterdir()
    return archive


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as opened:
            for one in opened.infolist():
                yield one.filename, opened.read(one)
    else:
        with tarfile.open(archive) as opened:
            for member in opened:
                file = opened.extractfile(member) if member.isfile() else None
                if file:
                    yield member.name.partition("/")[2], file.read()
