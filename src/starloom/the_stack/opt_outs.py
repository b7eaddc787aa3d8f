"""Who does not want to be in: a plain file of users, organisations and repositories.

    # one a line; comments and empty lines are free
    somebody                                 a user or an organisation: all of their repositories
    somebody/project                         one repository (on GitLab: a group and all below it)
    https://github.com/somebody/project      the same, as its address

Names are compared without regard to case, with every name that a repository is known to have had. An opted-out
repository is listed with that reason and is neither fetched nor read.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from starloom.errors import UserError

FILE = "opt-outs.txt"  # in a workspace
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://(?:[^/@\s]*@)?[^/\s]+/|git@[^:/\s]+:)", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9._~@+-]{1,100}(?:/[A-Za-z0-9._~@+-]{1,100})*")


@dataclass(frozen=True)
class OptOuts:
    """The entries of an opt-out file: name in lower case → line number."""

    lines: Mapping[str, int]

    def covering(self, names: Iterable[str]) -> str | None:
        """The entry (with its line) that covers one of the names of a repository; None where none does."""
        for name in names:
            parts = name.split("~")[0].lower().split("/")  # `~…` is ours, where two repositories have one name
            for end in range(1, len(parts) + 1):
                entry = "/".join(parts[:end])
                if entry in self.lines:
                    return f"{entry} (line {self.lines[entry]})"
        return None


def read(path: Path) -> OptOuts:
    """The opt-outs in a file; none where there is no such file. Raises UserError with the line that is no entry."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return OptOuts({})
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(f"{path}: the opt-outs cannot be read: {problem}", "it must be a text file in UTF-8") from None
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.partition("#")[0].strip()
        if not entry:
            continue
        name = _ADDRESS.sub("", entry, count=1).rstrip("/").removesuffix(".git")
        if not _NAME.fullmatch(name):
            raise UserError(
                f"{path}:{number}: `{entry[:100]}` is no opt-out",
                "write a user, an organisation, OWNER/NAME, or a repository's address, one a line",
            )
        found.setdefault(name.lower(), number)
    return OptOuts(found)
