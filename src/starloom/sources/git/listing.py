"""The paths of a git tree, streamed: its trees are read and hashed here, without git, and of each file the header.

Where anything is not as git writes it, git goes on (`ls_tree.py`), so what is broken is described by it alone. Memory:
the trees on the way down to one path, at most HELD bytes. Cost: see `bench/sources.py`.
"""

import re
from collections.abc import Iterator
from itertools import islice

from starloom.sources.git.folder import GitFolder, failed
from starloom.sources.git.ls_tree import MAX_LISTED_BYTES, MAX_LISTED_PATH, listed_by_git
from starloom.sources.git.store import Store
from starloom.sources.repository import MAX_ENTRIES, SUBMODULE, SYMLINK, Entry, checked_entry

HELD = 8 << 20  # bytes of trees that are open at once; as Python objects up to ten times as many
AT_ONCE = 4_000  # paths whose sizes are looked up together
_LINE = 60  # bytes of a path's line besides the path, as git lists it
# As git writes it. Old or crafted trees have other modes, or a slash in a name.
_ITEM = re.compile(rb"(40000|100644|100755|120000|160000) ([^\0/]+)\0(.{20})", re.DOTALL)
_TREE = re.compile(rb"(?:(?:40000|100644|100755|120000|160000) [^\0/]+\0.{20})*", re.DOTALL)
_FILES = {b"100644": 0o100644, b"100755": 0o100755}


class _UnusualError(Exception):
    """Something that is left to git."""


def listed(location: str, folder: GitFolder, directory_id: str) -> Iterator[Entry]:
    """Every path below the tree `directory_id`, in bytewise order. Raises SourceError, at the latest at the end.

    A path that does not come after all before it has a problem, so sound ones are distinct.
    """
    given = 0
    try:
        with Store(folder.objects) as store:
            paths = _paths(location, store, bytes.fromhex(directory_id))
            while some := list(islice(paths, AT_ONCE)):
                sizes = store.sizes([name for _, _, name in some])
                for (mode, path, name), size in zip(some, sizes, strict=True):
                    yield _entry(mode, path, name, size)
                    given += 1
    except _UnusualError:
        yield from islice(listed_by_git(location, folder, directory_id), given, None)


def _paths(location: str, store: Store, tree: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """(mode, path, name of the object) of everything below the tree but trees."""
    count, size, held, greatest = 0, 0, 0, b""
    below: list[tuple[int, Iterator[tuple[bytes, bytes, bytes]], bytes]] = []
    prefix = b""
    while tree or below:
        if tree:
            data = store.read(b"tree", tree)
            if data is None or held + len(data) > HELD or len(prefix) > MAX_LISTED_PATH or not _TREE.fullmatch(data):
                raise _UnusualError
            held += len(data)
            below.append((len(data), iter(_ITEM.findall(data)), prefix))
            tree = b""
        length, items, prefix = below[-1]
        for mode, last, name in items:
            path = prefix + last
            count += 1
            size += len(path) + _LINE
            if count > MAX_ENTRIES:
                raise failed(location, f"more than {MAX_ENTRIES} paths")
            if size > MAX_LISTED_BYTES:
                raise failed(location, f"its paths have more than {MAX_LISTED_BYTES} bytes together")
            if mode == b"40000":
                tree, prefix = name, path + b"/"
                break
            if path <= greatest:
                raise _UnusualError
            greatest = path
            yield mode, path, name
        else:
            held -= length
            below.pop()


def _entry(mode: bytes, path: bytes, name: bytes, size: int | None) -> Entry:
    if size is not None and mode in _FILES:
        return checked_entry(path, "file", _FILES[mode], size, name.hex())
    if mode == b"160000":
        return checked_entry(path, "submodule", SUBMODULE, None, None, target=name.hex())
    if size is None:
        raise _UnusualError
    return checked_entry(path, "symlink", SYMLINK, size, None)
