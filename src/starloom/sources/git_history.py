"""When a git history introduced each content: one pass of `git log --raw` over the ancestors of a revision.

Cost: git compares every commit's tree with its parent's (5,000 commits of three files: 0.13 s). Of merges
only what differs from all parents counts. In a shallow clone the last commit it has seems to introduce
everything before it.
"""

from collections.abc import Iterator
from datetime import datetime

from starloom.outside.processes import ProcessError, Stream
from starloom.sources.git_folder import GitFolder, neutral
from starloom.sources.repository import RepositoryProblem, SourceError, utc

MAX_PIECE = 1 << 20  # bytes of one path
# `-c`: for merges the combined form, else `git log` shows nothing of them.
_LOG = ["log", "--raw", "-c", "--root", "-z", "--no-renames", "--no-abbrev", "--no-textconv", "--no-ext-diff"]


def first_seen(location: str, folder: GitFolder, revision: str, content_ids: set[str]) -> dict[str, datetime]:
    """The earliest committer date (UTC) of a commit that has each content anew. Raises SourceError."""
    earliest: dict[str, int] = {}
    argv = [
        *_LOG,
        "--no-mailmap",
        "--no-color",
        "--ignore-submodules=all",
        "--format=%x01%ct",
        revision,
        "--",
    ]
    try:
        with (
            neutral(folder) as (git, environment),
            Stream([*git, *argv], environment, idle_timeout=600.0) as stream,
        ):
            for content, seconds in _introduced(stream):
                if content in content_ids and seconds < earliest.get(content, seconds + 1):
                    earliest[content] = seconds
            if stream.finish():
                reason = f"its history is incomplete: {stream.stderr.strip()[:200]}"
                raise SourceError(RepositoryProblem(location, reason, "see what `git fsck` says of it"))
    except ProcessError as problem:
        raise SourceError(RepositoryProblem(location, f"its history cannot be read: {problem}")) from None
    dates = {content: utc(seconds) for content, seconds in earliest.items()}
    return {content: date for content, date in dates.items() if date is not None}


def _introduced(stream: Stream) -> Iterator[tuple[str, int]]:
    """(content id, committer time in seconds) of each file that each commit has anew.

    Pieces end in NUL: `\\x01SECONDS` of a commit; `:MODES… HASHES… LETTERS` of a change, followed by its
    path.
    """
    seconds: int | None = None
    while (piece := stream.read_until(b"\0", MAX_PIECE)) is not None:
        piece = piece.lstrip(b"\n")
        if piece.startswith(b":"):
            parents = len(piece) - len(piece.lstrip(b":"))
            new = piece.split(b" ")[2 * parents + 1]
            stream.read_until(b"\0", MAX_PIECE)  # the path
            if seconds is not None and new.strip(b"0"):  # all zeros: deleted
                yield new.decode("ascii"), seconds
        elif piece.startswith(b"\x01"):
            digits = piece[1:].strip()
            seconds = int(digits) if digits.isdigit() else None
