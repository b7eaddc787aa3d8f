"""Who does not want to be in, and what does not want to be: all opt-outs of a workspace, as `list`, `read` and `decide`
ask for them.

They stand in a log (opt_out_log, written by `starloom opt-out`) and in a plain file, which a person writes:

    # one a line; empty lines are free, and comments: `#` at the start or after a blank
    somebody                                 a user or an organisation: all of their repositories
    somebody/project                         one repository (on GitLab: a group and all below it)
    https://github.com/somebody/project      the same, as its address
    swh:1:cnt:…                              a content, wherever it stands
    my notes/                                a name with blanks or other signs has a slash at its end

An opted-out repository is listed with that reason and is neither fetched nor read: its occurrences go, and a content of
it that stands in another repository too is that one's. An opted-out content goes wherever it stands, and is not read.
Names are compared folded (`opt_out_subject`), with every name that a repository is known to have had.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from starloom.errors import UserError
from starloom.sources.git.url import name_from_url
from starloom.sources.repository import names_before
from starloom.the_stack import opt_out_log
from starloom.the_stack.opt_out_log import Entry
from starloom.the_stack.opt_out_subject import folded, parse, readings

FILE = "opt-outs.txt"  # in a workspace
RULE = "opt-out"  # in the ledger

_COMMENT = re.compile(r"(?:^|\s)#")

OPTED_CONTENTS = pa.schema([("content_id", pa.string()), ("entry", pa.string())])
OPTED_FILES = pa.schema([("repo_key", pa.string()), ("path", pa.string()), ("entry", pa.string())])


@dataclass(frozen=True)
class OptOuts:
    """What is opted out → the entry that says so, in words."""

    names: Mapping[str, str] = field(default_factory=dict)  # of owners and repositories, folded
    contents: Mapping[str, str] = field(default_factory=dict)  # by content id
    files: Mapping[tuple[str, str], str] = field(default_factory=dict)  # by repository in lower case, and path

    def covering(self, names: Iterable[str]) -> str | None:
        """The entry (with its place) that covers one of the names of a repository; None where none does."""
        return next((self.names[one] for one in called(names) if one in self.names), None)

    @property
    def mark(self) -> dict[str, str]:
        """Stands for what `decide` asks of them; empty where it asks nothing. Of a repository, `list` tells."""
        if not self.contents and not self.files:
            return {}
        rows = [sorted(self.contents.items()), sorted([*key, entry] for key, entry in self.files.items())]
        return {"opt-outs": hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:32]}

    def contents_table(self) -> pa.Table:
        """OPTED_CONTENTS."""
        rows = sorted(self.contents.items())
        return pa.table([[one[0] for one in rows], [one[1] for one in rows]], schema=OPTED_CONTENTS)

    def files_table(self) -> pa.Table:
        """OPTED_FILES."""
        rows = sorted((*key, entry) for key, entry in self.files.items())
        return pa.table([[one[place] for one in rows] for place in range(3)], schema=OPTED_FILES)


def called(names: Iterable[str]) -> Iterator[str]:
    """What is asked for repositories of these names: each, and its owners, folded."""
    for name in (one for given in names for one in _as_written(given)):
        parts = folded(name).removesuffix(".git").split("/")
        for end in range(1, len(parts) + 1):
            yield "/".join(parts[:end])


def _as_written(repo_name: str) -> Iterator[str]:
    """How a person may have written the repository that is listed so; data sets may call one by its address."""
    yield from names_before(repo_name)
    if named := name_from_url(repo_name):
        yield named


def of(root: Path, plain: str = "") -> OptOuts:
    """All opt-outs of a workspace; `plain`: the setting `[list] opt_outs`. Raises UserError with file and line."""
    found = read(root / (plain or FILE))
    logged = of_entries(opt_out_log.read(root).active)
    return OptOuts({**logged.names, **found.names}, {**logged.contents, **found.contents}, logged.files)


def of_entries(entries: Sequence[Entry]) -> OptOuts:
    """Those of some entries of the log."""
    names: dict[str, str] = {}
    contents: dict[str, str] = {}
    files: dict[tuple[str, str], str] = {}
    for one in entries:
        said = f"{one.subject} (entry {one.number})"
        if one.scope in ("owner", "repository"):
            names.setdefault(folded(one.subject), said)
        if one.scope == "file":
            for name, path in readings(one.subject):
                for form in (name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)):
                    files.setdefault((form.lower(), path), said)  # queries compare lower case alone
        for content_id in one.contents:
            contents.setdefault(content_id, said)
    return OptOuts(names, contents, files)


def read(path: Path) -> OptOuts:
    """The opt-outs in a plain file; none where there is no such file. Raises UserError with the line that is none."""
    names: dict[str, str] = {}
    contents: dict[str, str] = {}
    for number, text in lines(path):
        try:
            subject = parse(text)
            if subject.scope == "file":
                hint = "have it looked up: `starloom opt-out add`; a repository that is called so has a slash behind it"
                raise UserError(f"`{subject.text}` is a file", hint)
        except UserError as problem:
            raise UserError(f"{path}:{number}: {problem.problem}", problem.hint) from None
        if subject.scope == "content":
            contents.setdefault(subject.content_id, f"{subject.text} (line {number})")
        else:
            names.setdefault(subject.key, f"{subject.key} (line {number})")
    return OptOuts(names, contents)


def lines(path: Path) -> list[tuple[int, str]]:
    """(number, text) of the lines of a plain file that say something. Raises UserError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(f"{path}: the opt-outs cannot be read: {problem}", "it must be a text file in UTF-8") from None
    plain = ((number, _COMMENT.split(line, maxsplit=1)[0].strip()) for number, line in enumerate(text.splitlines(), 1))
    return [(number, line) for number, line in plain if line]
