"""What Linguist reads off the first and last lines of a file: mode lines of Emacs and Vim, "#!" lines, XML's head.

These are code in Linguist, not tables; here is what they do, in other words, with its oddities: a first line without
an end is not among the first lines, "\\r\\n" counts as two line ends from the back, and the last of the first lines
is joined to the first of the last ones.
"""

import re

import regex  # type: ignore[import-untyped,unused-ignore]

LINES = 5  # at either end
MAX_BYTES = 1 << 20  # of a file whose lines Linguist looks at
_END = re.compile(rb"\r\n|\r|\n")

# An opening mark; the mode alone, or what follows "mode:" after any other variables; anything; a closing mark.
_EMACS = regex.compile(
    rb"-\*-(?:[ \t]*(?=[^:;\s]+[ \t]*-\*-)|(?:[^\n]*?[ \t;]|(?<=-\*-))[ \t]*mode[ \t]*:[ \t]*)"
    rb"([^:;\s]+)(?=[ \t;]|(?<![-*])-\*-)[^\n]*?-\*-",
    regex.IGNORECASE,
)
# What Vim may be called here, perhaps with a version; then options, of which one is the file type. With "set", the
# options must end in a colon.
_VIM = regex.compile(
    rb"(?:(?:^|[ \t])(?:vi(?:m(?:[<=>]?[0-9]+)?)?|Vim(?:[<=>]?[0-9]+)?)|[ \t]ex)"
    rb"(?=:[ \t]*set?[ \t][^\r\n:]+:|:(?![ \t]*set?[ \t]))"
    rb"(?:(?:[ \t]*:[ \t]*|[ \t])\w*(?:[ \t]*=(?:[^\\\s]|\\[^\n])*)?)*"
    rb"[ \t:](?:filetype|ft|syntax)[ \t]*=(\w+)(?=$|\s|:)",
    regex.MULTILINE,
)


def first_lines(data: bytes, count: int) -> bytes:
    """The first `count` lines that have an end, joined by "\\n"."""
    end = 0
    for _ in range(count):
        found = _END.search(data, end)
        if not found:
            break
        end = found.end()
    return b"\n".join(_END.split(data[:end])) if end else b""


def last_lines(data: bytes, count: int) -> bytes:
    """The last `count` lines, joined by "\\n"; fewer where lines end in "\\r\\n"."""
    ended = False
    at = start = len(data)
    seen = 0
    while seen < count:
        # From the back, so "\r\n" is found twice: as "\n", then as itself.
        before = at if at > 0 else len(data)
        place = max(data.rfind(b"\n", 0, before), data.rfind(b"\r", 0, before))
        if place < 0:
            break
        width = 2 if data.startswith(b"\r\n", place) else 1
        if seen == 0 and place + width == at:
            ended = True
            count += 1
        at, start = place, place + width
        seen += 1
    lines = _END.split(data[start:]) if start < len(data) else []
    return b"\n".join(lines[:-1] if ended else lines)


def mode(data: bytes, seconds: float) -> str | None:
    """The mode or file type that the first or last lines of `data` name. TimeoutError when it takes too long."""
    head = first_lines(data, LINES)
    if b"UseVimball" in head:
        return None  # an archive whose first lines are those of a file within
    text = head + last_lines(data, LINES)
    found = None
    if b"-*-" in text:
        found = _EMACS.search(text, timeout=seconds, concurrent=False)
    if not found and b"=" in text:
        found = _VIM.search(text, timeout=seconds, concurrent=False)
    return found[1].decode("utf-8", "replace") if found else None


def is_xml(data: bytes) -> bool:
    """Whether the first two lines have an XML declaration (or, as in Linguist, only its "xml version=")."""
    return b"xml version=" in first_lines(data, 2)


_SKIPPED = re.compile(rb"(?:-[i0uCSv]*|--\S+|\S+=\S+)\Z")  # options of env and variables that it sets
_VERSION = re.compile(rb"\.\d+\Z")
_EXEC = re.compile(rb"exec (\w+)")


def interpreter(data: bytes) -> str | None:
    """The program that a "#!" line names, as Linguist spells it."""
    if not data.startswith(b"#!"):
        return None
    line = data[2:].partition(b"\n")[0]
    words = line.split()
    if not words:
        return None
    rest = line.split(None, 1)[1] if len(words) > 1 else b""
    alone = b"/" not in words[0].rstrip(b"/")  # "#!env": no path, so not taken for env
    script = words[0].rstrip(b"/").rpartition(b"/")[2]
    if script == b"env" and not alone:
        ended = rest[-1:].isspace()
        rest_words = words[1:]
        while rest_words and (len(rest_words) > 1 or ended) and _SKIPPED.match(rest_words[0]):
            del rest_words[0]
        if not rest_words:
            return None
        script = rest_words[0]
        rest = b" ".join(rest_words[1:])
    script = _VERSION.sub(b"", script)
    if not alone:
        script = script.removeprefix(b"#!")  # as Linguist does, having taken this for the beginning of the line
    if script == b"sh":
        script = _executed(data) or script
    if script == b"osascript" and b"-l" in rest:
        return None  # in a language that has no interpreter of its own
    return script.rstrip(b"/").rpartition(b"/")[2].decode("utf-8", "replace")


def _executed(data: bytes) -> bytes | None:
    """What a shell script runs itself by: exec PROGRAM … "$0" … "$@" on one of the first lines."""
    start = 0
    for _ in range(LINES):
        end = data.find(b"\n", start)
        line = data[start : end if end >= 0 else len(data)]
        zero = line.rfind(b"$0", 0, max(line.rfind(b"$@") - 1, 0))
        for found in _EXEC.finditer(line):
            room = zero - found.start(1) - 1  # at least one character is between
            if room < 1:
                break
            return found[1][:room]
        if end < 0:
            break
        start = end + 1
    return None
