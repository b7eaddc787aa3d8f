"""What a published folder holds, and the proof that it still holds it: `manifest.json`.

The manifest is canonical JSON (one text per value) with the hash of itself and of every file. It bears no time, no host
and no path, so identical input gives identical bytes. Readers start here and never list a folder: a file that is not in
the manifest does not exist. `open_folder` checks sizes (cheap), `verify` re-reads every byte (disk speed).
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from starloom.errors import UserError

FORMAT: Final = 1
NAME: Final = "manifest.json"
_LEVELS: Final = 4  # below a workspace: models/RUN/checkpoints/step-NNNNNN
_MOST: Final = 256 << 20  # bytes of a manifest; more is no manifest of ours
_MADE_BY: Final = {  # folders that `starloom build` does not make
    "report": "starloom report",
    "tokenizer": "starloom tokenizer",
    "tokens": "starloom pack",
    "search": "starloom index search",
    "membership": "starloom index membership",
    "model": "starloom train` or `starloom finetune",  # and its checkpoints
    "examples": "starloom finetune",
}


@dataclass(frozen=True)
class FileEntry:
    """One file of a published folder. `rows` is None where the file has none."""

    name: str
    bytes: int
    sha256: str
    rows: int | None


@dataclass(frozen=True)
class Manifest:
    """`version` is that of the stage's code; `fingerprint` stands for inputs, settings and version together."""

    kind: str
    version: int
    fingerprint: str
    inputs: dict[str, str]
    settings: dict[str, Any]
    facts: dict[str, Any]
    files: tuple[FileEntry, ...]

    @property
    def content(self) -> str:
        """Equal for equal content, whatever made it: a hash over name, sha256, bytes and rows of the files."""
        rows = [[file.name, file.sha256, file.bytes, file.rows] for file in self.files]
        return hashlib.sha256(_compact(rows)).hexdigest()

    @property
    def rows(self) -> int:
        return sum(file.rows or 0 for file in self.files)

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)


def fingerprint(*parts: Any) -> str:
    """32 hexadecimal digits that stand for these JSON values. Raises TypeError or ValueError for any other value."""
    check_json(parts)
    return hashlib.sha256(_compact(parts)).hexdigest()[:32]


def check_json(value: Any) -> None:
    """Raises TypeError for what JSON would lose or change in silence, ValueError for NaN and infinities."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"keys of JSON objects are strings, not {key!r}")
            check_json(item)
    elif isinstance(value, list | tuple):
        for item in value:
            check_json(item)
    elif isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise ValueError(f"{value} is no JSON number")
    elif not (value is None or isinstance(value, str | int)):
        raise TypeError(f"no JSON value: {value!r}")


def safe_name(name: str) -> bool:
    """Whether `name` is a plain file name, or one folder and a file name: nothing hidden, nothing that climbs."""
    parts = name.split("/")
    return len(parts) <= 2 and all(
        0 < len(part.encode("utf-8", "replace")) <= 200
        and part.isprintable()
        and "\\" not in part
        and part[0] not in ".-~"
        for part in parts
    )


def to_bytes(manifest: Manifest) -> bytes:
    """The content of manifest.json. Raises TypeError or ValueError when settings or facts are no JSON."""
    check_json([manifest.inputs, manifest.settings, manifest.facts])
    body = vars(manifest) | {"files": [vars(file) for file in manifest.files], "format": FORMAT}
    data = _text(body | {"sha256": hashlib.sha256(_compact(body)).hexdigest()})
    _remember(hashlib.sha256(data).digest())
    return data


def from_bytes(data: bytes, path: Path) -> Manifest:
    """The manifest that `data`, the content of the file `path`, describes. Raises UserError for anything else."""
    try:
        body = json.loads(data, object_pairs_hook=_object, parse_constant=_refuse)
        if not isinstance(body, dict):
            raise TypeError("no object")
        number = body.get("format")
        if type(number) is int and number > FORMAT:
            raise _NewerError
        _prove(data, body)
        return _manifest(body)
    except _NewerError:
        raise UserError(
            f"{path} was written by a newer Starloom (format {number}, this one knows {FORMAT})",
            "update Starloom: pip install --upgrade starloom",
        ) from None
    except (ValueError, TypeError, KeyError, RecursionError) as problem:
        cause = problem.args[0] if type(problem) in (ValueError, TypeError) and problem.args else "torn"
        raise UserError(f"{path} is damaged ({cause})", remedy(path.parent)) from None


# SHA-256 of what was proved, or written by this process: a build reads each of hundreds of manifests several times, and
# writing one anew to compare it is most of the cost.
_PROVED: Final[set[bytes]] = set()
_MANY: Final = 100_000  # 10 MB


def _prove(data: bytes, body: dict[str, Any]) -> None:
    """Takes the hash from `body`, what `data` holds. Raises ValueError where that is not what was written."""
    digest = hashlib.sha256(data).digest()
    if digest in _PROVED:
        del body["sha256"]
        return
    if data != _text(body):
        raise ValueError("not as written")  # whitespace and spelling of numbers count too: no flip goes unseen
    claimed = body.pop("sha256")
    if claimed != hashlib.sha256(_compact(body)).hexdigest():
        raise ValueError("its own hash does not match")
    _remember(digest)


def _remember(digest: bytes) -> None:
    if len(_PROVED) >= _MANY:
        _PROVED.clear()
    _PROVED.add(digest)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of `folder`; None when the folder or its manifest is absent.

    Raises UserError when it is torn, altered, from a newer Starloom, or names files outside the folder.
    """
    path = folder / NAME
    data = read_bytes(path)
    return None if data is None else from_bytes(data, path)


def read_bytes(path: Path) -> bytes | None:
    """The content of a manifest file, None when absent. Raises UserError when it cannot be read or is absurdly long."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # never waits on a pipe put there
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST:
                raise UserError(f"{path} is no manifest", remedy(path.parent))
            with os.fdopen(descriptor, "rb", closefd=False) as file:  # refuses a folder, and would not close it
                return file.read()
        finally:
            os.close(descriptor)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as problem:
        raise UserError(
            f"cannot read {path}: {problem.strerror}", "check its permissions and the disk it is on"
        ) from problem


def open_folder(folder: Path) -> Manifest | None:
    """`read_manifest`, and every listed file is there with the listed size. Raises UserError."""
    manifest = read_manifest(folder)
    for file in manifest.files if manifest else ():
        if problem := _size_problem(folder, file):
            raise UserError(problem, remedy(folder))
    return manifest


def check_version(folder: Path, manifest: Manifest, version: int) -> None:
    """That of what is read, where no older one can be. Raises UserError for any other than `version`."""
    if manifest.version > version:
        raise UserError(
            f"{folder} was written by a newer Starloom (version {manifest.version}, this one knows {version})",
            f"update Starloom: pip install --upgrade starloom; or have this one make it again: `{made_by(folder)}`",
        )
    if manifest.version < version:
        raise UserError(f"{folder} was written by an older Starloom", f"make it again: `{made_by(folder)}`")


def verify(folder: Path) -> list[str]:
    """Every byte read again: an empty list when all is proved, else one sentence per problem, naming the file.

    A listed manifest (the parts of a cache) is followed into its own folder.
    """
    try:
        manifest = read_manifest(folder)
    except UserError as problem:
        return [problem.problem]
    if manifest is None:
        return [f"{folder / NAME} is missing"]
    problems: list[str] = []
    for file in manifest.files:
        path = folder / file.name
        if found := problem_of(folder, file):
            problems.append(found)
        elif path.name == NAME:
            problems += verify(path.parent)
    return problems


def verify_all(path: Path) -> tuple[int, dict[Path, list[str]]]:
    """`verify` of a published folder, or of every published folder below `path`: (their number, problems by folder).

    Raises UserError when there is none.
    """
    folders = _published(path, _LEVELS)
    if not folders:
        raise UserError(f"{path} holds nothing that Starloom published", "give a workspace, or one of its folders")
    return len(folders), {folder: problems for folder in folders if (problems := verify(folder))}


def _published(folder: Path, levels: int) -> list[Path]:
    """The outermost published folders in `folder`, itself one of them perhaps; no drafts, no links."""
    if (folder / NAME).is_file():
        return [folder]
    if not levels or not folder.is_dir():
        return []
    inside = [one for one in folder.iterdir() if not one.name.startswith(".") and one.is_dir() and not one.is_symlink()]
    return [found for one in sorted(inside) for found in _published(one, levels - 1)]


def problem_of(folder: Path, file: FileEntry) -> str | None:
    """What is wrong with a file of a published folder, every byte of it read: a sentence that names it, or None."""
    return _size_problem(folder, file) or _hash_problem(folder / file.name, file)


def _size_problem(folder: Path, file: FileEntry) -> str | None:
    path = folder / file.name
    try:
        status = path.lstat()
    except OSError as problem:
        return f"{path} is missing ({problem.strerror})"
    if not stat.S_ISREG(status.st_mode):
        return f"{path} is no regular file"
    if status.st_size != file.bytes:
        return f"{path} has {status.st_size:,} bytes, its manifest says {file.bytes:,}"
    return None


def _hash_problem(path: Path, file: FileEntry) -> str | None:
    try:
        found = hash_file(path)
    except OSError as problem:
        return f"{path} cannot be read ({problem.strerror})"
    return None if found == file.sha256 else f"{path} was altered: its sha256 is not the one in the manifest"


def hash_file(path: Path) -> str:
    """The sha256 of a file's content. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _NewerError(Exception):
    """A format that this version does not know."""


def _manifest(body: dict[str, Any]) -> Manifest:
    """Checks every field: the hash proves only that nobody changed it by accident."""
    if body.pop("format") != FORMAT:
        raise ValueError("unknown format")
    if not all(isinstance(body[field], dict) for field in ("inputs", "settings", "facts")):
        raise TypeError("a field has the wrong type")
    texts = (body["kind"], body["fingerprint"], *body["inputs"].values())
    if not all(isinstance(text, str) for text in texts) or type(body["version"]) is not int:
        raise TypeError("a field has the wrong type")
    files = tuple(_entry(item) for item in body.pop("files"))
    names = [file.name for file in files]
    if names != sorted(set(names)):
        raise ValueError("files are not in order, or listed twice")
    return Manifest(files=files, **body)


def _entry(item: dict[str, Any]) -> FileEntry:
    file = FileEntry(**item)
    if not isinstance(file.name, str) or not safe_name(file.name) or file.name == NAME:
        raise ValueError(f"unsafe file name {file.name!r}")
    counts = (file.bytes,) if file.rows is None else (file.bytes, file.rows)
    if not all(type(count) is int and count >= 0 for count in counts):
        raise ValueError(f"impossible size of {file.name}")
    if not isinstance(file.sha256, str) or len(file.sha256) != 64 or set(file.sha256) - set("0123456789abcdef"):
        raise ValueError(f"impossible hash of {file.name}")
    return file


def made_by(folder: Path) -> str:
    """The command that makes a published folder of a workspace."""
    return _MADE_BY.get("model" if folder.name.startswith("step-") else folder.name, "starloom build")


def remedy(folder: Path) -> str:
    """What to do where a published folder is damaged."""
    return f"delete {folder} and run `{made_by(folder)}`: it is made again"


def _compact(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def _text(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, indent=1, allow_nan=False).encode("ascii") + b"\n"


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"{key!r} stands there twice")
        result[key] = value
    return result


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")
