"""The paths of a git tree as git lists them: `git ls-tree -r -l`, which reads trees and the header of every object.

Git does not check what it reads of a pack against its name, so each tree is read once more and hashed here: a flipped
bit could else give other paths without a word. Memory: one chunk of git's output and the names of `BATCH` trees. Cost:
see `bench/sources.py`.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from starloom.outside.processes import ProcessError, Stream
from starloom.sources.git.folder import MEMORY, GitFolder, complaint, failed, neutral
from starloom.sources.repository import MAX_ENTRIES, SUBMODULE, SYMLINK, Entry, checked_entry

IDLE_SECONDS = 120.0  # without any output: git waits for something that will not come, as a FIFO
MAX_LISTED_PATH = 1 << 20  # bytes; a longer path ends the listing
MAX_LISTED_BYTES = 4 << 30  # of all paths together: a tree bomb may have few, but long ones
BATCH = 20_000  # trees hashed by one `git cat-file`
_REGULAR = {b"100644 blob ": 0o100644, b"100755 blob ": 0o100755}
_MISSING = "missing: the clone lacks this object, or it is corrupt"


def listed_by_git(location: str, folder: GitFolder, directory_id: str) -> Iterator[Entry]:
    """Every path below the tree `directory_id`, in bytewise order. Raises SourceError, at the latest at the end.

    A path that does not come after all before it has a problem, so sound ones are distinct.
    """
    count, size, greatest = 0, 0, b""
    trees = {directory_id.encode("ascii")}
    argv = ["ls-tree", "-r", "-t", "-z", "-l", "--full-tree", directory_id]
    with (
        neutral(folder) as (git, environment),
        Stream([*git, *argv], environment, idle_timeout=IDLE_SECONDS, limits=MEMORY) as stream,
    ):
        try:
            for lines in stream.pieces(b"\0", MAX_LISTED_PATH):
                count += len(lines)
                size += sum(map(len, lines))
                if count > MAX_ENTRIES:
                    raise failed(location, f"more than {MAX_ENTRIES} paths")
                if size > MAX_LISTED_BYTES:
                    raise failed(location, f"its paths have more than {MAX_LISTED_BYTES} bytes together")
                for line in lines:
                    meta, _, raw = line.partition(b"\t")
                    if meta.startswith(b"040000 tree "):
                        trees.add(meta[12:52])
                    elif raw > greatest:
                        greatest = raw
                        yield _entry(meta, raw, None)
                    else:
                        yield _entry(meta, raw, "duplicate path" if raw == greatest else "out of order")
                if len(trees) > BATCH:
                    _check_trees(location, git, environment, trees)
                    trees.clear()
            status = stream.finish()
        except ProcessError as problem:
            raise failed(location, f"its files cannot be listed: {problem}") from None
        if status:
            raise failed(location, f"its files cannot all be listed: {complaint(stream)}")
        _check_trees(location, git, environment, trees)


def _check_trees(location: str, git: Sequence[str], environment: Mapping[str, str], trees: set[bytes]) -> None:
    """Raises SourceError unless every one of `trees` hashes to its name."""
    feed = b"".join([b"%b\n" % one for one in trees])
    argv = [*git, "cat-file", "--batch", "--buffer"]
    try:
        with Stream(argv, environment, feed=feed, idle_timeout=IDLE_SECONDS, limits=MEMORY) as stream:
            for one in trees:
                name, kind, length = (stream.read_until(b"\n") or b"").split(b" ")
                data = stream.read_exactly(int(length))
                stream.skip(1)
                found = hashlib.sha1(b"%b %b\0%b" % (kind, length, data), usedforsecurity=False).hexdigest()
                if name != one or found.encode("ascii") != one:
                    raise failed(location, f"its folder {one.decode()} is corrupt: it does not hash to its name")
    except (ProcessError, ValueError) as problem:
        raise failed(location, f"its folders cannot be read: {problem}") from None


def _entry(meta: bytes, raw: bytes, problem: str | None) -> Entry:
    """Of `MODE TYPE HASH SIZE` as `git ls-tree -l` has it; the size may be `-` or `BAD`."""
    mode = _REGULAR.get(meta[:12])
    if mode is not None and problem is None and meta[-1:].isdigit():
        return checked_entry(raw, "file", mode, int(meta[53:]), meta[12:52].decode("ascii"))
    mode_text, kind, name, size_text = meta.split()
    mode = int(mode_text, 8)
    size = int(size_text) if size_text.isdigit() else None
    if mode == SUBMODULE or kind == b"commit":
        return checked_entry(raw, "submodule", mode, None, None, problem, target=name.decode("ascii"))
    if mode == SYMLINK:
        return checked_entry(raw, "symlink", mode, size, None, problem)
    if kind != b"blob" or mode & 0o170000 != 0o100000:
        return checked_entry(raw, "special", mode, None, None, problem or f"a {kind.decode()} of mode {mode:o}")
    if size is None:
        return checked_entry(raw, "file", mode, None, None, problem or _MISSING)
    return checked_entry(raw, "file", mode, size, None if problem else name.decode("ascii"), problem)
