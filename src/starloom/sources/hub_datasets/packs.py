"""Contents of a data set, each packed alone and found by its place: what a repository needs, in a few reads.

A data set lies by language or at random; read by repository, every repository would unpack whole row groups for a few
files each. So preparing, which reads every content once to hash it, keeps it: zstd, one frame a content, behind four
bytes of its length. Disk: about a third of the text. Memory: one content. Contents are hashed again when they are read.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import IO

import pyarrow as pa

from starloom.identity import content_id
from starloom.outside.paths import describe
from starloom.sources.prepared import ContentReader, PreparedFile
from starloom.sources.repository import Content

_LENGTH = struct.Struct(">I")
_CODEC = pa.Codec("zstd", 3)


class PackWriter:
    """Appends contents to an open file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._end = 0

    def add(self, data: bytes) -> int:
        """The place of `data`."""
        packed = _CODEC.compress(data, asbytes=True)
        place = self._end
        self._file.write(_LENGTH.pack(len(packed)))
        self._file.write(packed)
        self._end += _LENGTH.size + len(packed)
        return place


@dataclass(frozen=True)
class DatasetReader:
    """A `ContentReader`: packed contents from `folder`, those with ids only from `store`."""

    folder: str
    store: ContentReader | None

    def read(self, rows: Sequence[PreparedFile]) -> Iterator[Content]:
        packed = [row for row in rows if row.file is not None and row.row is not None]
        packed.sort(key=lambda row: (row.file or 0, row.row or 0))
        for number, group in groupby(packed, key=lambda row: row.file):
            yield from self._pack(int(number or 0), list(group))
        stored = [row for row in rows if row.file is None or row.row is None]
        if self.store is not None:
            yield from self.store.read(stored)
        else:
            for row in stored:
                yield Content(row.content_id, None, "it is not in the data set, and `contents` names no store")

    def _pack(self, number: int, rows: list[PreparedFile]) -> Iterator[Content]:
        try:
            with pack(Path(self.folder), number).open("rb") as file:
                for row in rows:
                    yield _unpacked(file, row)
        except OSError as problem:
            for row in rows:  # those answered already have been taken out by their `content_id`
                yield Content(row.content_id, None, f"its pack is {describe(problem)}; prepare the data set again")


def pack(folder: Path, number: int) -> Path:
    """The file of a unit's contents."""
    return folder / f"{number}.pack"


def _unpacked(file: IO[bytes], row: PreparedFile) -> Content:
    file.seek(row.row or 0)
    head = file.read(_LENGTH.size)
    size = row.size or 0
    if len(head) == _LENGTH.size:
        packed = file.read(_LENGTH.unpack(head)[0])
        try:
            data = _CODEC.decompress(packed, decompressed_size=size, asbytes=True) if size else b""
        except (pa.ArrowException, OSError, ValueError):
            data = None
        if data is not None and content_id(data) == row.content_id:
            return Content(row.content_id, data)
    return Content(row.content_id, None, "its pack is damaged: prepare the data set again")
