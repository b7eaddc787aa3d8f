"""Contents out of a tar, asked for part by part: a pass goes on where the last one for the same file stopped.

A tar has no index, and its compression cannot be entered in the middle, so each call would begin anew: n/2 passes for n
parts. Callers ask in the order of paths, and most archives are in that order too, so the place where one call ended is
kept for the next one: one open file and its decompressor a process, if it is more than `KEEP_FROM` bytes in. An archive
in another order costs up to one pass a call. Every content is hashed, so nothing depends on what is kept.
"""

import atexit
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from starloom.identity import content_id
from starloom.sources.archives.rows import FILE
from starloom.sources.archives.stream import Stream, open_stream
from starloom.sources.archives.tar import TarMember, members
from starloom.sources.repository import Content, Wanted

KEEP_FROM = 8 << 20  # bytes; going there again costs less than a tenth of a second

_Key = tuple[int, ...]


@dataclass(frozen=True)
class _Pass:
    file: IO[bytes]
    stream: Stream
    members: Iterator[TarMember]


_kept: dict[_Key, _Pass] = {}  # one at most


def tar_contents(file: IO[bytes], left: dict[str, Wanted]) -> Iterator[Content]:
    """Answers those of `left` that are in the archive, and takes them out of it. A member's path does not matter, since
    it may be listed under a link's or without its top folder: every member of a wanted size is hashed."""
    sizes = Counter(one.size for one in left.values())
    key = _key(file)
    kept = _kept.pop(key, None)
    for one in ([kept] if kept else []) + [None]:
        current = one or _begin(file)
        done = False
        try:
            for member in current.members:
                if member.kind != FILE or member.problem or not sizes[member.size]:
                    continue
                data = current.stream.read(member.size)
                name = content_id(data)
                if name in left:
                    del left[name]
                    sizes[member.size] -= 1
                    yield Content(name, data)
                    if not left:
                        done = True
                        return
        finally:
            if done and current.stream.position >= KEEP_FROM:
                _forget()
                _kept[key] = current
            else:
                current.file.close()


@atexit.register
def _forget() -> None:
    while _kept:
        _kept.popitem()[1].file.close()


def _begin(file: IO[bytes]) -> _Pass:
    own = os.fdopen(os.dup(file.fileno()), "rb", buffering=0)  # the caller closes its own
    stream = open_stream(own)
    return _Pass(own, stream, members(stream))


def _key(file: IO[bytes]) -> _Key:
    """Another process that inherits what is kept would share the file's position with this one: hence its number."""
    status = os.fstat(file.fileno())
    return os.getpid(), status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
