"""What is new: the texts with lines that a diff adds, git's of the work tree around us or one that is handed in."""

import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from starloom.membership.added import added
from starloom.membership.given import Given
from starloom.progress import say
from starloom.sources.git.patch import WorkTree

_ENDS: Final = ("PRE_COMMIT_FROM_REF", "PRE_COMMIT_TO_REF")  # set by `pre-commit run --from-ref A --to-ref B`


def changed(stream: BinaryIO, paths: Sequence[Path], revision: str | None, staged: bool) -> Iterator[Given]:
    """What the files at `paths` (none: all) have more than `revision`, or with `staged` what the next commit adds;
    `-` is a diff that comes from `stream`. Raises UserError, at the latest at the end.

    Between two revisions, as pre-commit runs its hooks in CI, nothing is staged: there it is what the second adds.
    """
    if revision == "-":
        return added(line.removesuffix(b"\n") for line in stream)
    tree = WorkTree(Path.cwd())
    ends = [os.environ.get(name, "") for name in _ENDS]
    if staged and all(ends):
        lines = tree.since("...".join(ends), paths)
    elif staged:
        lines = tree.staged(paths)
    else:
        lines = tree.since(revision or "HEAD", paths)
        if ".." not in (revision or "") and tree.untracked():
            say("note: files that git does not track are in no diff; `git add -N FILE` shows them to it")
    return added(itertools.chain.from_iterable(lines))
