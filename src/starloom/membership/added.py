"""Unified diffs (git, Mercurial, `diff -u`) as texts to be checked: of each hunk its new side, and which lines it adds.

The lines around the added ones stay in the text, so that a copy is found where some of its lines were there before. A
diff with whole files as context (`git diff -U10000000`, as `starloom check --diff` asks for) gives whole files. Memory:
one hunk, at most `MOST_BYTES` of it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from starloom.errors import UserError
from starloom.membership.check import MOST_BYTES
from starloom.membership.given import Given, of_text
from starloom.outside.paths import text_path
from starloom.outside.text import Decoded, decode

_HUNK: Final = re.compile(rb"@@ -\d{1,10}(?:,(\d{1,10}))? \+(\d{1,10})(?:,(\d{1,10}))? @@")
_ESCAPE: Final = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_ESCAPES: Final = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_SIDES: Final = (b"b", b"i", b"w", b"c", b"o", b"2")  # of git's diff.mnemonicPrefix too
_NO_NEWLINE: Final = b"\\"  # of `\ No newline at end of file`


class _Hunk:
    def __init__(self, path: str, first_line: int, old: int, new: int) -> None:
        self.path = path
        self.first_line = first_line
        self.old, self.new = old, new  # lines that are still to come
        self._lines: list[bytes] = []
        self._added: list[int] = []
        self._size = 0
        self._removed = False  # the last line was
        self._ended = True  # the last line has an end

    def take(self, line: bytes) -> bool:
        """Takes in a line of the hunk; False for one that is none."""
        mark, rest = line[:1] or b" ", line[1:]  # mailers drop the blank of an empty line
        if mark not in (b" ", b"+", b"-"):
            return False
        self._removed = mark == b"-"
        if mark != b"+":
            self.old -= 1
        if mark != b"-":
            self.new -= 1
            self._size += len(rest) + 1
            if mark == b"+":
                self._added.append(self.first_line + len(self._lines))
            self._lines.append(rest if self._size <= MOST_BYTES else b"")
        return self.old >= 0 and self.new >= 0

    @property
    def complete(self) -> bool:
        return self.old == self.new == 0

    def no_newline(self) -> None:
        """The line before has no end."""
        self._ended = self._ended and self._removed

    def given(self) -> Given | None:
        """The text of the new side; None when nothing is added. Where its lines are not those of the diff (UTF-16 has
        bytes that look like line ends) all of it counts as new."""
        if not self._added:
            return None
        data = b"\n".join([*self._lines, b""] if self._ended else self._lines)
        text = decode(data) if self._size <= MOST_BYTES else None
        if text is None:
            found = Given(self.path, None, f"more than {MOST_BYTES:,} bytes")
        else:
            found = of_text(self.path, text.text) if isinstance(text, Decoded) else Given(self.path, None, text.reason)
        other = found.text is not None and found.text.count("\n") != data.count(b"\n")
        return replace(found, first_line=self.first_line, added=None if other else tuple(self._added))


def added(lines: Iterable[bytes]) -> Iterator[Given]:
    """The hunks of a diff, given by its lines without their ends, that add something.

    What a diff says is binary is given with that as its problem. Raises UserError for a diff that is cut off or
    combined (of a merge), and for text in which no diff is.
    """
    path: str | None = None
    hunk: _Hunk | None = None
    plain = True  # no `diff --git` came: names may be without a/ and b/
    seen = False
    old_name = b""
    something = False
    for number, line in enumerate(lines, 1):
        something = something or not (not line or line.isspace())
        if hunk is not None and line.startswith(_NO_NEWLINE):
            hunk.no_newline()
            continue
        if hunk is not None and hunk.complete:
            if found := hunk.given():
                yield found
            hunk = None
        if hunk is not None:
            if not hunk.take(line):
                raise _malformed(number, "a line is neither context nor added nor removed")
        elif line.startswith(b"diff --git "):
            plain, path, seen = False, None, True
        elif line.startswith((b"diff --cc ", b"diff --combined ", b"@@@ ")):
            raise UserError(
                f"line {number:,} of the diff: a combined diff of a merge tells not which lines are new",
                "compare with one parent: git diff HEAD^ | starloom check --diff -",
            )
        elif line.startswith(b"--- "):
            old_name = line[4:]
        elif line.startswith(b"+++ "):
            path, seen = _name(old_name, line[4:], plain), True
        elif line.startswith((b"Binary files ", b"GIT binary patch")):
            seen = True
            yield Given(path or _binary(line), None, "the diff calls it binary", added=())
        elif header := _HUNK.match(line):
            if path is None:
                raise _malformed(number, "a hunk without the name of its file")
            first, new = int(header[2]), int(header[3] or 1)
            hunk = _Hunk(path, first, int(header[1] or 1), new)
    if hunk is not None and hunk.complete:
        if found := hunk.given():
            yield found
    elif hunk is not None:
        raise UserError("the diff ends within a hunk", "give all of it: git diff … | starloom check --diff -")
    if something and not seen:
        raise UserError("no diff: it has neither `diff --git` nor `+++`", "for plain text leave out --diff")


def _malformed(number: int, problem: str) -> UserError:
    return UserError(
        f"line {number:,} of the diff: {problem}", "give it as git writes it: git diff … | starloom check --diff -"
    )


def _name(old: bytes, new: bytes, plain: bool) -> str:
    """The path after `+++`, without the `b/` (or `i/`, `w/` …) of git."""
    old, new = _unquoted(old), _unquoted(new)
    if new[1:2] == b"/" and new[:1] in _SIDES:
        other = old[1:2] == b"/" and old[:1] != new[:1]
        if other or (old == b"/dev/null" and not plain):
            return text_path(new[2:])
    return text_path(new)


def _unquoted(name: bytes) -> bytes:
    name = name.removesuffix(b"\r")
    if name.startswith(b'"') and (end := name.rfind(b'"')) > 0:
        return _ESCAPE.sub(lambda one: _ESCAPES.get(one[1]) or _escaped(one[1]), name[1:end])
    return name.split(b"\t")[0]  # `diff -u` puts the time behind a tab, git a tab behind a name with blanks


def _escaped(code: bytes) -> bytes:
    return bytes([int(code, 8) & 0xFF]) if len(code) == 3 else code


def _binary(line: bytes) -> str:
    """The new name in `Binary files OLD and NEW differ`."""
    new = line.removesuffix(b" differ").rpartition(b" and ")[2]
    return text_path(_unquoted(new).removeprefix(b"b/")) if new else "a binary file"
