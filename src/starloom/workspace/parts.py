"""An append-only cache of immutable parts: `files/`, `signals/NAME/`.

Each part is a published folder; the index, `FOLDER/manifest.json`, is a manifest whose files are the parts', so
one hash covers everything below it. Workers publish parts, in any order; only the process that holds the workspace's
lock commits them. Parts are ordered by name: the order in which workers finish leaves no trace. A commit rewrites the
index (about 150 bytes per part): commit many at once.
"""

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from starloom.errors import UserError
from starloom.workspace import atomic, operations
from starloom.workspace.manifest import (
    NAME,
    FileEntry,
    Manifest,
    fingerprint,
    from_bytes,
    open_folder,
    read_bytes,
    read_manifest,
    safe_name,
    to_bytes,
)

VERSION = 1  # of the index
COMMIT_SECONDS = 10.0


class Parts:
    """The cache in `folder`; `kind` is that of its parts, its index has `KIND-index`."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder = folder
        self.kind = kind
        self._read: dict[str, Manifest] = {}  # sha256 of a part's manifest → it

    def manifests(self) -> dict[str, Manifest]:
        """The live parts by name, in order of names. Raises UserError when the index or a manifest is damaged."""
        return {_part(file): self._manifest(file) for file in self._index().files}

    def path(self, part: str, file: str) -> Path:
        """Where a file of a part is."""
        return self.folder / part / file

    @contextlib.contextmanager
    def publish(
        self, part: str, *, version: int, fingerprint: str, inputs: dict[str, str], settings: dict[str, Any]
    ) -> Iterator[atomic.Draft]:
        """As `atomic.publish`. A part that nobody committed is replaced; a committed one must be equal (UserError)."""
        _check(part)
        committed = part in self._entries()
        with atomic.publish(
            self.folder / part,
            kind=self.kind,
            version=version,
            fingerprint=fingerprint,
            inputs=inputs,
            settings=settings,
            replace=not committed,
        ) as draft:
            yield draft

    def commit(self, part: str) -> None:
        """`commit_many` of one."""
        self.commit_many([part])

    def commit_many(self, parts: Iterable[str]) -> None:
        """Published parts become visible, all at once. Those committed before are left alone. Raises UserError."""
        self._write(self._entries() | {part: self._entry(part) for part in parts}, self.facts())

    @contextlib.contextmanager
    def committing(self) -> Iterator[Callable[[str], None]]:
        """A function that takes finished parts: they become visible every ten seconds, and at the end of the block
        however it ends, so that an interrupted run loses nothing that was finished, a killed one seconds of it."""
        waiting: list[str] = []
        last = time.monotonic()

        def commit(part: str) -> None:
            nonlocal last
            waiting.append(part)
            if time.monotonic() - last > COMMIT_SECONDS:
                self.commit_many(waiting)
                waiting.clear()
                last = time.monotonic()

        try:
            yield commit
        finally:
            if waiting:
                self.commit_many(waiting)

    def retire(self, parts: Iterable[str]) -> None:
        """The parts leave the index; then their folders are removed. Absent ones are fine."""
        gone = sorted(set(parts))
        for part in gone:
            _check(part)
        self._write({part: file for part, file in self._entries().items() if part not in gone}, self.facts())
        for part in gone:
            atomic.remove_folder(self.folder / part)

    def facts(self) -> dict[str, Any]:
        """What `set_facts` left in the index."""
        return dict(self._index().facts)

    def set_facts(self, facts: Mapping[str, Any]) -> None:
        """Replaces the index's facts: JSON values, no times."""
        self._write(self._entries(), dict(facts))

    def _index(self) -> Manifest:
        index = read_manifest(self.folder)
        if index is None:
            return _index_of(self.kind, {}, {}, [])
        if index.kind != f"{self.kind}-index" or not all(file.name.endswith(f"/{NAME}") for file in index.files):
            raise UserError(
                f"{self.folder / NAME} is no index of {self.kind} parts (it says {index.kind!r})",
                f"delete {self.folder} and run `starloom build`: it is made again",
            )
        return index

    def _entries(self) -> dict[str, FileEntry]:
        return {_part(file): file for file in self._index().files}

    def _entry(self, part: str) -> FileEntry:
        _check(part)
        folder = self.folder / part
        manifest = open_folder(folder)
        data = read_bytes(folder / NAME)
        if manifest is None or data is None:
            raise UserError(f"{folder} is missing: it cannot be committed", "run `starloom build` again")
        if manifest.kind != self.kind:
            raise ValueError(f"{folder} holds {manifest.kind}, not {self.kind}")
        return FileEntry(f"{part}/{NAME}", len(data), hashlib.sha256(data).hexdigest(), manifest.rows)

    def _manifest(self, file: FileEntry) -> Manifest:
        if file.sha256 not in self._read:
            path = self.folder / file.name
            data = read_bytes(path)
            if data is None or hashlib.sha256(data).hexdigest() != file.sha256:
                raise UserError(
                    f"{path} is {'missing' if data is None else 'not the one that the index lists'}",
                    f"delete {self.folder} and run `starloom build`: it is made again",
                )
            self._read[file.sha256] = from_bytes(data, path)
        return self._read[file.sha256]

    def _write(self, entries: dict[str, FileEntry], facts: dict[str, Any]) -> None:
        files = [entries[part] for part in sorted(entries)]
        marks = {_part(file): self._manifest(file).fingerprint for file in files}
        index = _index_of(self.kind, marks, facts, sorted(files, key=lambda file: file.name))
        data = to_bytes(index)
        if read_bytes(self.folder / NAME) != data:
            operations.make_parents(self.folder)
            atomic.replace_file(self.folder / NAME, data)


def _index_of(kind: str, marks: dict[str, str], facts: dict[str, Any], files: list[FileEntry]) -> Manifest:
    return Manifest(
        kind=f"{kind}-index",
        version=VERSION,
        fingerprint=fingerprint(kind, marks),
        inputs={},
        settings={},
        facts=facts,
        files=tuple(files),
    )


def _part(file: FileEntry) -> str:
    return file.name.removesuffix(f"/{NAME}")


def _check(part: str) -> None:
    if not safe_name(part) or "/" in part or part == NAME:
        raise ValueError(f"no name for a part: {part!r}")
