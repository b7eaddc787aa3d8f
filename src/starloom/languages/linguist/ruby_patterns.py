"""Regular expressions as Ruby writes them, for bytes, with a time limit.

Linguist's tables hold patterns for Ruby's engine, which it applies to the bytes of a file. Here the module `regex` runs
them: it has possessive and atomic groups, sets within sets, and a time limit, which is needed since the patterns come
from a folder somebody named and the files from strangers. What the two spell differently is rewritten: `m` (which is
`s` here), `\\h`, `\\R`, `\\z`, `\\Z`, `\\e`, `\\g<..>`, `\\k<..>`, `\\u`, the range `{2}+`, a brace that is a brace,
and `^`, which in Ruby is no line's beginning after the last newline. Characters beyond ASCII are matched by their
UTF-8 bytes; in a set they cannot be, and are refused, as is Ruby's `(?~`.
"""

import re
from typing import Any, NamedTuple, Protocol

import regex  # type: ignore[import-untyped,unused-ignore]

from starloom.errors import UserError


class Matcher(Protocol):
    """Whether something holds for the head of a file; `seconds` is the time there is. TimeoutError beyond."""

    def holds(self, data: bytes, seconds: float) -> bool: ...


class RubyPattern(NamedTuple):
    """One pattern, ready to run."""

    compiled: Any  # regex.Pattern[bytes]

    def holds(self, data: bytes, seconds: float) -> bool:
        return self.compiled.search(data, timeout=seconds, concurrent=False) is not None


def compile_ruby(source: str) -> RubyPattern:
    """Raises UserError for a pattern that is none in Ruby, or that cannot be said here."""
    try:
        return RubyPattern(regex.compile(translate(source), regex.VERSION1 | regex.MULTILINE))
    except (regex.error, ValueError, OverflowError, RecursionError) as problem:
        shown = source if len(source) <= 80 else f"{source[:77]}..."
        raise UserError(f"the pattern {shown!r} cannot be read: {problem}", "is this a Linguist's own file?") from None


def union(sources: list[str]) -> str:
    """One pattern for any of several; flags of one do not reach into the next, numbers of groups do, as in Ruby."""
    return sources[0] if len(sources) == 1 else "|".join(f"(?-mix:{source})" for source in sources)


_RANGE = re.compile(r"\{(?:\d+(?:,\d*)?|,\d+)\}")
_FLAGS = re.compile(r"\(\?([imxadu]*)(?:-([imx]*))?([:)])")
_NAMED = re.compile(r"\\([gk])(?:<([^<>]*)>|'([^']*)')")
_PROPERTY = re.compile(r"\\[pP]\{\^?\w+\}")
_POINTS = re.compile(r"\\u(?:\{([0-9a-fA-F ]+)\}|([0-9a-fA-F]{4}))")
_POSIX = re.compile(r"\[:\^?\w+:\]")
_SIGNS = frozenset(r".^$*+?{}[]()|\&~-# ")  # mean something, or would with some flag
_HEX = "0-9a-fA-F"
_KEPT = frozenset("dDwWsSbBAtnrfvaxKG0123456789")  # escapes that mean the same here, on bytes


def translate(source: str) -> bytes:
    """`source` for the module `regex`. Raises ValueError."""
    return _Translation(source).whole()


class _Translation:
    """A walk over a pattern from left to right."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.out: list[bytes] = []
        self.atom = 0  # where in `out` begins what a quantifier would repeat
        self.open: list[int] = []  # of groups that are open: where in `out` they begin
        self.verbose = [False]

    def whole(self) -> bytes:
        while self.at < len(self.source):
            self._step(self.source[self.at])
        while self.open:
            if self.open.pop() >= 0:
                raise ValueError("a group does not end")
            self.out.append(b")")
        return b"".join(self.out)

    def _step(self, char: str) -> None:
        if self.verbose[-1] and (char.isspace() or char == "#"):
            end = self.source.find("\n", self.at) if char == "#" else self.at
            self.at = len(self.source) if end < 0 else end + 1
        elif char == "\\":
            self._escape()
        elif char == "[":
            self._put(self._set())
        elif char == "(":
            self._group()
        elif char == ")":
            self._close()
        elif char in "*+?{":
            self._quantifier(char)
        elif char == "^":
            self._put(rb"^(?!\Z)", 1)
        elif char in ".$":
            self._put(char.encode(), 1)
        elif char == "|":
            self.out.append(b"|")
            self.atom = len(self.out)
            self.at += 1
        else:
            self._put(_literal(char), 1)

    def _put(self, piece: bytes, taken: int = 0) -> None:
        self.atom = len(self.out)
        self.out.append(piece)
        self.at += taken

    def _escape(self) -> None:
        source, at = self.source, self.at
        if found := _PROPERTY.match(source, at):
            self._put(found[0].encode(), len(found[0]))
        elif found := _NAMED.match(source, at):
            name = (found[2] if found[2] is not None else found[3]).encode()
            self._put(b"(?&%s)" % name if found[1] == "g" else b"(?P=%s)" % name, len(found[0]))
        elif found := _POINTS.match(source, at):
            points = (found[1] or found[2]).split()
            self._put(b"".join(_literal(chr(int(point, 16))) for point in points), len(found[0]))
        else:
            char = source[at + 1 : at + 2]
            special = {"h": b"[%s]", "H": b"[^%s]"}.get(char)
            if special:
                self._put(special % _HEX.encode(), 2)
            elif char == "R":
                self._put(rb"(?>\r\n|[\n\v\f\r])", 2)
            elif char == "Z":
                self._put(rb"(?=\n?\Z)", 2)
            elif char == "z":
                self._put(rb"\Z", 2)
            else:
                self._put(_escaped(char), 2)

    def _group(self) -> None:
        found = _FLAGS.match(self.source, self.at)
        if found:
            on, off = (_flags(found[1]), _flags(found[2] or ""))
            if "x" in found[1] or "x" in (found[2] or ""):
                verbose = "x" in found[1]
            else:
                verbose = self.verbose[-1]
            piece = b"(?%s%s:" % (on, b"-" + off if off else b"")
            self.at += len(found[0])
            if found[3] == ")":  # to the end of the group around it: alternatives and all
                self.out.append(piece)
                self.verbose[-1] = verbose
                self.open.append(-1)
            else:
                self._opened(piece, verbose)
            return
        source, at = self.source, self.at
        if source.startswith("(?#", at):
            self.at = source.find(")", at) + 1 or len(source)
            return
        if source.startswith("(?~", at):
            raise ValueError("(?~ is not known here")
        for opening in ("(?<=", "(?<!", "(?=", "(?!", "(?>"):
            if source.startswith(opening, at):
                self.at += len(opening)
                self._opened(opening.encode(), self.verbose[-1])
                return
        named = re.compile(r"\(\?(?:<(\w+)>|'(\w+)')").match(source, at)
        self.at += len(named[0]) if named else 1
        self._opened(b"(?P<%s>" % (named[1] or named[2]).encode() if named else b"(", self.verbose[-1])

    def _opened(self, piece: bytes, verbose: bool) -> None:
        self.open.append(len(self.out))
        self.verbose.append(verbose)
        self.out.append(piece)
        self.atom = len(self.out)

    def _close(self) -> None:
        while self.open and self.open[-1] < 0:
            self.open.pop()
            self.out.append(b")")
        if not self.open:
            raise ValueError("a parenthesis too many")
        self.verbose.pop()
        start = self.open.pop()
        self.out.append(b")")
        self.atom = start
        self.at += 1

    def _quantifier(self, char: str) -> None:
        found = _RANGE.match(self.source, self.at)
        if not found and char == "{":
            self._put(rb"\{", 1)
        elif not found:
            self.out.append(char.encode())
            self.at += 1
        else:
            # Here a{2}+ would be possessive; in Ruby it repeats what has been repeated.
            self.out[self.atom :] = [b"(?:%s%s)" % (b"".join(self.out[self.atom :]), found[0].encode())]
            self.at += len(found[0])
            if self.source[self.at : self.at + 1] == "?" and "," in found[0]:
                self.out[self.atom] = self.out[self.atom][:-1] + b"?)"
                self.at += 1

    def _set(self) -> bytes:
        """A set, sets within it and `&&` as they are."""
        source = self.source
        if found := _POSIX.match(source, self.at):
            self.at += len(found[0])
            return found[0].encode()
        pieces = [b"["]
        self.at += 1
        if source[self.at : self.at + 1] == "^":
            pieces.append(b"^")
            self.at += 1
        first = True
        while self.at < len(source):
            char = source[self.at]
            if char == "]" and not first:
                self.at += 1
                return b"".join([*pieces, b"]"])
            first = False
            if char == "[":
                pieces.append(self._set())
            elif char == "\\":
                pieces.append(self._escape_in_set())
            elif source.startswith("&&", self.at):
                pieces.append(b"&&")
                self.at += 2
            elif source[self.at : self.at + 2] in ("--", "~~", "||"):
                pieces.append(b"\\" + char.encode())  # operators here, characters in Ruby
                self.at += 1
            elif ord(char) > 127:
                raise ValueError(f"{char!r} in a set: only ASCII can be matched there")
            else:
                pieces.append(b"\\" + char.encode() if char in "]&~| #" else char.encode())
                self.at += 1
        raise ValueError("a set does not end")

    def _escape_in_set(self) -> bytes:
        if found := _POINTS.match(self.source, self.at):
            raise ValueError(f"{found[0]} in a set: only ASCII can be matched there")
        if found := _PROPERTY.match(self.source, self.at):
            self.at += len(found[0])
            return found[0].encode()
        char = self.source[self.at + 1 : self.at + 2]
        self.at += 2
        if char in ("h", "H"):
            return b"[%s%s]" % (b"^" if char == "H" else b"", _HEX.encode())
        return _escaped(char)


def _escaped(char: str) -> bytes:
    if not char:
        raise ValueError("it ends in a backslash")
    if char == "e":
        return rb"\x1b"
    if char in _KEPT:
        return b"\\" + char.encode()
    return _literal(char)


def _literal(char: str) -> bytes:
    data = char.encode("utf-8", "surrogatepass")
    if len(data) > 1:
        return b"(?:%s)" % data
    return b"\\" + data if char in _SIGNS else data


def _flags(letters: str) -> bytes:
    return "".join({"i": "i", "m": "s"}.get(letter, "") for letter in letters).encode()
