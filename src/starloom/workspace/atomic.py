"""Publication: a folder or a file is there complete, or it is not there.

`publish` writes into a private folder beside the target (`.NAME.RANDOM.aside`), every file fsynced, the manifest last,
and renames it into place. After a crash at any point the target is what it was, or complete; what lies aside is removed
by `recover`. Costs one fsync per file and folder, two for the rename. Not covered: a disk that lies about fsync.
"""

import contextlib
import errno
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from starloom.errors import UserError
from starloom.workspace import operations, parquet
from starloom.workspace.manifest import (
    NAME,
    FileEntry,
    Manifest,
    from_bytes,
    hash_file,
    open_folder,
    read_bytes,
    safe_name,
    to_bytes,
)
from starloom.workspace.operations import Output

_ASIDE: Final = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{16}\.(?P<state>aside|old)", re.DOTALL)
_WORKER: Final = ".worker-"


class Draft:
    """A folder in the making. Put JSON values worth showing into `facts`; `manifest` is there after success."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.facts: dict[str, Any] = {}
        self.manifest: Manifest | None = None
        self._files: dict[str, FileEntry] = {}
        self._folders: list[str] = []
        self._workers = 0

    def parquet(
        self,
        name: str,
        schema: pa.Schema,
        batches: Iterable[pa.RecordBatch | pa.Table],
        *,
        row_group_rows: int = 100_000,
        row_group_bytes: int = 64 << 20,
    ) -> int:
        """Writes the rows of `batches`, see parquet.py. Returns their number. Raises ValueError on a wrong schema."""
        with self.create(name) as output:
            return parquet.write(output, schema, batches, row_group_rows, row_group_bytes)

    def write(self, name: str, data: bytes) -> None:
        """A small file. Raises ValueError for an unsafe name or one used before."""
        with self.create(name) as output:
            output.write(data)

    @contextlib.contextmanager
    def create(self, name: str) -> Iterator[Output]:
        """A binary file to stream into; set its `rows` where it has any. Raises ValueError as `write`."""
        output = Output(self._claim(name))
        try:
            yield output
            output.finish()
        finally:
            output.abandon()
        self._files[name] = FileEntry(name, output.size, output.sha256, output.rows)

    def worker_folder(self) -> Path:
        """A new folder for one worker process: `adopt` what it wrote; the rest goes when the draft is published."""
        folder = self.folder / f"{_WORKER}{self._workers}"
        self._workers += 1
        operations.make_folder(folder)
        return folder

    def adopt(self, path: Path, name: str, rows: int | None) -> None:
        """Moves a file that another process wrote (on the same file system) into the draft: fsynced, hashed, listed.

        Raises ValueError for an unsafe name, or when `path` is no regular file.
        """
        place = self._claim(name)
        if path.is_symlink() or not path.is_file():
            raise ValueError(f"{path} is no regular file")
        operations.sync_file(path)
        operations.rename(path, place)
        self._files[name] = FileEntry(name, place.stat().st_size, hash_file(place), rows)

    def keep(self, path: Path, name: str, entry: FileEntry) -> None:
        """A file of a published folder once more, as it is: a hard link, or a copy where links are not possible.

        Published files are never written again, so two folders may share one. `entry`: what the manifest of that folder
        says of it, which is believed. Raises ValueError as `write`, and for a file of another size.
        """
        place = self._claim(name)
        if path.is_symlink() or not path.is_file() or path.stat().st_size != entry.bytes:
            raise ValueError(f"{path} is not what its manifest says")
        operations.link(path, place)
        self._files[name] = FileEntry(name, entry.bytes, entry.sha256, entry.rows)

    def _claim(self, name: str) -> Path:
        folder, _, base = name.rpartition("/")
        if not safe_name(name) or base == NAME:
            raise ValueError(f"no name for a published file: {name!r}")
        path = self.folder / name
        if name in self._files or os.path.lexists(path):
            raise ValueError(f"{name} is written twice")
        if folder and folder not in self._folders:
            operations.make_folder(self.folder / folder)
            self._folders.append(folder)
        return path

    def _seal(self, manifest: Manifest) -> bytes:
        """Everything to the disk, the manifest last. Returns its bytes."""
        for number in range(self._workers):
            operations.remove(self.folder / f"{_WORKER}{number}")
        self._check_complete()
        for folder in self._folders:
            operations.sync_folder(self.folder / folder)
        data = to_bytes(manifest)
        operations.write_new(self.folder / NAME, data)
        operations.sync_folder(self.folder)
        return data

    def _check_complete(self) -> None:
        found = {
            str(path.relative_to(self.folder))
            for path in self.folder.rglob("*")
            if path.is_symlink() or not path.is_dir()
        }
        if strange := sorted(found ^ set(self._files)):
            raise ValueError(f"written past the draft, or gone from it: {', '.join(strange[:5])}")

    def _entries(self) -> tuple[FileEntry, ...]:
        return tuple(self._files[name] for name in sorted(self._files))


@contextlib.contextmanager
def publish(
    target: Path,
    *,
    kind: str,
    version: int,
    fingerprint: str,
    inputs: dict[str, str],
    settings: dict[str, Any],
    replace: bool,
) -> Iterator[Draft]:
    """A draft that becomes the folder `target` when the block ends, or leaves no trace when it raises.

    Without `replace` an equal folder that is already there counts as success. Raises UserError when a different one is,
    when `target` is no folder of Starloom's, and for what the file system refuses (disk full, read-only, …).
    """
    target = target.absolute()
    draft = Draft(aside_name(target))
    with operations.explained(target):
        try:
            operations.make_parents(target.parent)
            _refuse_strangers(target)
            operations.make_folder(draft.folder)
            yield draft
            manifest = Manifest(kind, version, fingerprint, inputs, settings, draft.facts, draft._entries())
            data = draft._seal(manifest)
        except BaseException:
            operations.discard(draft.folder)
            raise
        _place(draft.folder, target, data, replace)
    draft.manifest = from_bytes(data, target / NAME)


def replace_file(path: Path, data: bytes) -> None:
    """The file `path` holds `data`, or what it held before. Raises UserError for what the file system refuses."""
    path = path.absolute()
    aside = aside_name(path)
    with operations.explained(path):
        try:
            operations.write_new(aside, data)
            operations.rename(aside, path)
        except BaseException:
            operations.discard(aside)
            raise
        operations.sync_folder(path.parent)


def remove_folder(folder: Path) -> None:
    """Removes a published folder: it vanishes in one step, its files afterwards. Absent is fine. Raises UserError."""
    folder = folder.absolute()
    aside = aside_name(folder)
    with operations.explained(folder):
        try:
            operations.rename(folder, aside)
        except FileNotFoundError:
            return
        operations.sync_folder(folder.parent)
        operations.discard(aside)


def recover(root: Path) -> list[Path]:
    """Clears what dead runs left aside, in `root` and two levels below; returns those paths.

    A version that was moved out of the way and whose successor never arrived is put back. Only the holder of the
    workspace's lock may call this: a living run's draft looks the same. Raises UserError.
    """
    with operations.explained(root):
        return list(_recover(root, levels=2)) if root.is_dir() else []


def _recover(folder: Path, levels: int) -> Iterator[Path]:
    for name in sorted(os.listdir(folder)):  # noqa: PTH208 - names only
        path = folder / name
        left = _ASIDE.fullmatch(name)
        if left:
            target = folder / left["name"]
            if left["state"] == "old" and not os.path.lexists(target):
                operations.rename(path, target)
                operations.sync_folder(folder)
            else:
                operations.remove(path)
            yield path
        elif levels and path.is_dir() and not path.is_symlink():
            yield from _recover(path, levels - 1)


def aside_name(path: Path, state: str = "aside") -> Path:
    """A name beside `path` that nobody else has: hidden, on the same file system, known to `recover`."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.{state}")


def _refuse_strangers(target: Path) -> None:
    """Only what Starloom made, or an empty folder, is ever replaced."""
    if not os.path.lexists(target):
        return
    if target.is_symlink() or not target.is_dir():
        raise UserError(f"{target} is in the way: it is no folder", "move it, or choose another folder")
    if not os.path.lexists(target / NAME) and any(target.iterdir()):
        raise UserError(
            f"{target} holds files that are not Starloom's (no {NAME} in it)",
            "choose another folder, or move those files",
        )


def _place(aside: Path, target: Path, data: bytes, replace: bool) -> None:
    try:
        left = _move(aside, target, data, replace)
    except (OSError, UserError):
        operations.discard(aside)  # it did not move. After Ctrl-C it may have: then only `recover` knows enough
        raise
    operations.sync_folder(target.parent)
    if left:
        operations.discard(left)  # after the fsync: until then a power cut may bring the old version back


def _move(aside: Path, target: Path, data: bytes, replace: bool) -> Path | None:
    """Puts the complete folder `aside` at `target`. Returns what is left to remove."""
    try:
        operations.rename_new(aside, target)
    except FileExistsError:
        _refuse_strangers(target)
        if not any(target.iterdir()):
            try:
                operations.rename(aside, target)
            except OSError as problem:
                if problem.errno != errno.ENOTEMPTY:
                    raise  # else it was a version that another writer had just swapped out: ours meets the new one
            else:
                return None
        if replace:
            return _swap(aside, target)
        if read_bytes(target / NAME) != data or open_folder(target) is None:
            raise UserError(
                f"{target} exists already and differs",
                "choose another folder, or remove this one if it is no longer needed",
            ) from None
        return aside
    return None


def _swap(aside: Path, target: Path) -> Path:
    if operations.exchange(aside, target):
        return aside
    old = aside_name(target, "old")  # two steps, and no version visible between them: `recover` puts it back
    operations.rename(target, old)
    try:
        operations.rename(aside, target)
    except BaseException:
        with contextlib.suppress(OSError):
            operations.rename(old, target)
        raise
    return old
