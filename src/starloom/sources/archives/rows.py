"""What was found in an archive, held narrow until it can be given out in bytewise order of paths.

An archive is in no order, so its rows are collected (about 100 bytes each and the path), sorted and yielded. Here the
rules of one listing are kept: one common top folder is taken off; of members with one path the last one counts, as when
unpacking, and the others are problems; a hard link is the earlier file it names; what lies below a file or link is a
problem, since no tree can hold it (writing it would go through the link). Memory: `MAX_PATHS` bytes of paths at most.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from starloom.outside.paths import MAX_PATH, is_safe_raw
from starloom.sources.archives.stream import ArchiveError
from starloom.sources.repository import MAX_ENTRIES, Entry, checked_entry

MAX_PATHS = 1 << 30  # bytes of all paths: a compressed archive can name millions of long ones
MAX_LINKS = 1_000_000  # hard links

FILE, LINK, SPECIAL, HARD_LINK = range(4)  # kinds of members; HARD_LINK until it is resolved

DUPLICATE = "duplicate path: a later member has it too"
BELOW = "below a file or link of the same archive"
DANGLING = "a hard link to what is no earlier file of the archive"
NOT_IN_TOP = "not in the top folder that is taken off"

_ROW = struct.Struct("<BIqI20s")  # kind, mode, size or -1, problem, content id
_ROWS = np.dtype([("kind", "u1"), ("mode", "<u4"), ("size", "<i8"), ("problem", "<u4"), ("id", "V20")])
_NO_ID = bytes(20)
_BATCH = 10_000
_SLASH = ord("/")
_LARGEST = (1 << 63) - 1

_Row = tuple[int, int, int, int, bytes]


class Rows:
    """Filled by `add`, closed by `close_section` (once for each archive that the whole is made of), then listed."""

    def __init__(self) -> None:
        self._section: list[pa.Array] = []  # names of the open section, in batches
        self._batch: list[bytes] = []
        self._names: list[pa.Array] = []  # of closed sections
        self._rows = bytearray()
        self._links: list[tuple[int, bytes]] = []  # row and target of each hard link
        self._first_link = 0  # of the open section
        self._problems = [""]
        self._codes = {"": 0}
        self._bytes = 0
        self._top: bytes | None = None  # the folder, with slash, of all in the section; b"": none; None: no row yet

    def __len__(self) -> int:
        return len(self._rows) // _ROW.size

    def add(
        self,
        raw: bytes,
        kind: int,
        mode: int,
        size: int | None,
        content_id: str | None,
        problem: str | None = None,
        target: bytes = b"",
    ) -> None:
        """One member. `target`: of a hard link. Raises ArchiveError where there are too many."""
        raw = raw[: MAX_PATH + 1]  # longer ones are unsafe whatever they are
        self._bytes += len(raw) + len(target)
        if len(self._rows) >= MAX_ENTRIES * _ROW.size:
            raise ArchiveError(f"more than {MAX_ENTRIES} paths")
        if self._bytes > MAX_PATHS:
            raise ArchiveError(f"more than {MAX_PATHS} bytes of paths")
        if kind == HARD_LINK:
            if len(self._links) >= MAX_LINKS:
                raise ArchiveError(f"more than {MAX_LINKS} hard links")
            self._links.append((len(self), target))
        if self._top is None:
            self._top = raw[: raw.find(b"/") + 1]
        elif self._top and not raw.startswith(self._top):
            self._top = b""
        code = self._code(problem) if problem else 0
        self._rows += _ROW.pack(
            kind,
            mode,
            -1 if size is None else min(size, _LARGEST),
            code,
            bytes.fromhex(content_id) if content_id else _NO_ID,
        )
        self._batch.append(raw)
        if len(self._batch) == _BATCH:
            self._flush()

    def close_section(self, prefix: bytes = b"", strip: int | None = None) -> bytes:
        """Takes off the first `strip` folders of every path since the last call, or the one that all are in, and puts
        `prefix` before. The folder that all are in, with its slash: b"" for none."""
        self._flush()
        top = self._top or b""
        if not is_safe_raw(top[:-1]):
            top = b""
        first = len(self) - sum(len(batch) for batch in self._section)

        def moved(raw: bytes) -> bytes | None:
            if strip is None:
                return prefix + raw[len(top) :] if raw.startswith(top) else None
            parts = raw.split(b"/", strip)
            return prefix + parts[strip] if len(parts) > strip else None

        if prefix or top or strip:
            for number, batch in enumerate(self._section):
                paths = batch.to_pylist()
                after = [moved(path) for path in paths]
                for row, path in enumerate(after, first):
                    if path is None:
                        self._set_problem(row, NOT_IN_TOP)
                self._section[number] = _names([old if new is None else new for old, new in zip(paths, after)])
                first += len(paths)
            for number in range(self._first_link, len(self._links)):
                row, target = self._links[number]
                self._links[number] = row, moved(target) or target
        self._names += self._section
        self._section, self._top, self._first_link = [], None, len(self._links)
        return top

    def replace(self, folder: bytes, problem: str) -> None:
        """Everything so far in `folder` (with slash) gets `problem`: what comes next stands in its place."""
        first = 0
        for batch in self._names:
            for place in np.flatnonzero(pc.starts_with(batch, pattern=folder).to_numpy(zero_copy_only=False)):
                self._set_problem(first + int(place), problem)
            first += len(batch)

    def entries(self) -> Iterator[Entry]:
        """Every member once, in bytewise order of paths; of equal ones the last member first. Leaves the rows empty."""
        if not self._names:
            return
        # Turned round, so that a stable sort puts the last one of equal paths first.
        rows = np.frombuffer(self._rows, _ROWS)[::-1].copy()
        names = pa.concat_arrays(self._names)
        self._rows, self._names = bytearray(), []
        names = names.take(pa.array(np.arange(len(names) - 1, -1, -1)))
        order = pc.array_sort_indices(names).to_numpy()
        self._resolve(names, rows, order)
        above: list[bytes] = []  # paths, each the start of the next, that the coming one may lie below
        previous: bytes | None = None
        for raw, row in _in_order(names, rows, order):
            if raw == previous:
                yield self._entry(raw, row, DUPLICATE)
                continue
            while above and not raw.startswith(above[-1]):
                above.pop()
            below = any(raw[len(one)] == _SLASH for one in above)
            yield self._entry(raw, row, BELOW if below else "")
            above.append(raw)
            previous = raw

    def _entry(self, raw: bytes, row: _Row, reason: str) -> Entry:
        kind, mode, size, code, name = row
        problem = self._problems[code] or reason or None
        found = name.hex() if kind == FILE and not problem and name != _NO_ID else None
        return checked_entry(raw, _TYPES[kind], mode, None if size < 0 else size, found, problem)

    def _resolve(self, names: pa.Array, rows: npt.NDArray[np.void], order: npt.NDArray[np.uint64]) -> None:
        """Each hard link becomes the last file before it that has the path it names."""

        def at(place: int) -> tuple[bytes, int]:
            row = int(order[place])
            return names[row].as_py(), row

        for number, target in self._links:  # in the order of members, so one may name another
            row = len(rows) - 1 - number
            place = bisect_right(range(len(order)), (target, row), key=at)
            found, other = at(place) if place < len(order) else (b"", 0)
            if found == target and rows["kind"][other] == FILE:
                rows[row] = rows[other]
            else:
                rows["kind"][row] = FILE
                rows["problem"][row] = self._code(DANGLING)

    def _set_problem(self, row: int, problem: str) -> None:
        struct.pack_into("<I", self._rows, row * _ROW.size + 13, self._code(problem))

    def _code(self, problem: str) -> int:
        code = self._codes.setdefault(problem, len(self._problems))
        if code == len(self._problems):
            self._problems.append(problem)
        return code

    def _flush(self) -> None:
        if self._batch:
            self._section.append(_names(self._batch))
            self._batch = []


_TYPES = {FILE: "file", LINK: "symlink", SPECIAL: "special"}


def _names(names: list[bytes]) -> pa.Array:
    return pa.array(names, pa.large_binary())


def _in_order(
    names: pa.Array, rows: npt.NDArray[np.void], order: npt.NDArray[np.uint64]
) -> Iterator[tuple[bytes, _Row]]:
    for first in range(0, len(order), _BATCH):
        places = order[first : first + _BATCH]
        yield from zip(names.take(pa.array(places)).to_pylist(), rows[places].tolist(), strict=True)
