r"""What stands on the first line of whatever a regular expression finds: a pattern that reaches over no line's end.

Of `fn\s*\w+\(` it is `fn[\t\f\r ]*(?:$|\w+\()`: the line ends among the blanks, or all of it stands there. Where a
piece stands is soon known, and its lines are few: what has no such line need not be gone through whole. No text has a
match of the pattern and none of this; the other way round is left to the pattern itself.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice, takewhile
from typing import Final, NamedTuple

from starloom.search import patterns, required
from starloom.search.needs import sure_of
from starloom.search.nodes import Pattern

_KEPT: Final = 8  # answers, those of the queries that are being answered
_MOST_BEGINNINGS: Final = 8
_CLASS: Final = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]", re.DOTALL)
_PIECE: Final = re.compile(r"\\.|[^\\\[()|]", re.DOTALL)
_MEMBER: Final = re.compile(r"\\.|.", re.DOTALL)
_REPEAT: Final = re.compile(rf"(?:[*+?]|{patterns.COUNTED.pattern})\??")
_FLAGS: Final = re.compile(r"\(\?[imsU-]+\)")
_LITERAL: Final = re.compile(r"(?:[^\\\[\](){}|.*+?^$]|\\[^\w\s])*")
_BLANKS: Final = r"\t\f\r "
_WITHOUT_LINE_ENDS: Final = {r"\n": "", r"\s": f"[{_BLANKS}]", r"\W": r"[^\n\w]", r"\D": r"[^\n\d]"}


class _Atom(NamedTuple):
    """A part of a pattern without line ends, perhaps nothing then. `ends`: whether it may be one."""

    source: str
    repeat: str
    ends: bool


@lru_cache(_KEPT)
def first_line(pattern: Pattern) -> Pattern | None:
    """What is on one line of each text that the pattern, which RE2 accepts, is found in: on the line where all of it
    begins, or what comes after something that may reach over lines' ends, whatever needs most. None where that says
    nothing but the pieces that are needed."""
    best, most = None, 0
    atoms = _atoms(pattern.source)
    for begin in islice(_beginnings(atoms), _MOST_BEGINNINGS):
        line = Pattern(_on_one_line(atoms[begin:]), pattern.case_sensitive)
        if not line.case_sensitive and _LITERAL.fullmatch(line.source):
            continue
        if patterns.by_unicode(line) != patterns.by_unicode(pattern):
            continue  # they would mean different letters by the same
        worth = _worth(atoms[begin:], pattern.case_sensitive)
        if worth > most:
            best, most = line, worth
    return best if best and _compiles(best) else None


def _worth(atoms: Sequence[_Atom], case_sensitive: bool) -> int:
    """Up to where the line may end: behind it nothing is needed."""
    sure = "".join(one.source + one.repeat for one in takewhile(lambda one: not one.ends, atoms))
    return sure_of(required.needed(Pattern(sure, case_sensitive)))


def _compiles(pattern: Pattern) -> bool:
    try:
        patterns.compile(pattern)
    except ValueError:  # it is larger than the one it is made of
        return False
    return True


def _beginnings(atoms: Sequence[_Atom]) -> Iterator[int]:
    if atoms:
        yield 0
    for number, atom in enumerate(atoms[:-1]):
        if atom.ends:
            yield number + 1


def _on_one_line(atoms: Sequence[_Atom]) -> str:
    """The pattern of the line that a match of these begins on."""
    source, closing = "", ""
    for number, atom in enumerate(atoms):
        if not atom.ends:
            source += atom.source + atom.repeat
        elif number == len(atoms) - 1:
            break  # nothing that is known follows on this line
        elif not atom.source and not atom.repeat:
            source += "$"
            break
        else:
            source += f"{atom.source}*(?:$|" if atom.source else "(?:$|"
            closing += ")"
    return source + closing


def _atoms(source: str) -> list[_Atom]:
    """The parts of a pattern, one after the other, up to the first that is not understood; none where there are
    alternatives to all of it."""
    if r"\Q" in source:
        return []
    atoms: list[_Atom] = []
    at, understood = 0, True
    while at < len(source):
        end = _end(source, at)
        if end is None:
            return []
        found = _REPEAT.match(source, end)
        repeat = found[0] if found else ""
        if repeat and _FLAGS.fullmatch(source, at, end):
            return []  # to RE2 it repeats what is before the flags
        inside = _without_line_ends(source[at:end]) if understood else None
        understood = inside is not None
        if inside is not None:
            atoms.append(_Atom(inside, repeat, inside != source[at:end]))
        at = end + len(repeat)
    return atoms


def _end(source: str, at: int) -> int | None:
    """Where the part that begins there ends, without its repetition; None where none begins there."""
    depth = 0
    while at < len(source):
        if source[at] == "(":
            depth += 1
            at += 1
        elif source[at] == ")" and depth:
            depth -= 1
            at += 1
        elif source[at] == "|" and depth:
            at += 1
        else:
            found = (_CLASS if source[at] == "[" else _PIECE).match(source, at)
            if found is None:
                return None
            at = found.end()
        if not depth:
            return at
    return None


def _without_line_ends(source: str) -> str | None:
    r"""Of a part what it is on one line: of `[^;]` `[^\n;]`. None: not understood."""
    if patterns.is_on_one_line(source):
        return source
    if source in _WITHOUT_LINE_ENDS:
        return _WITHOUT_LINE_ENDS[source]
    if source.startswith("[^"):
        found = f"[^\\n{source[2:]}" if source[2] not in "]-" else source
    elif source.startswith("["):
        if re.search(r"\\n-(?!\])", source):
            return None  # a range that begins with it
        members = [one[0] for one in _MEMBER.finditer(source)]
        found = "".join(_BLANKS if one == r"\s" else "" if one == r"\n" else one for one in members)
        found = "" if found == "[]" else found
    else:
        return None
    return found if patterns.is_on_one_line(found) else None
