"""The language that a file's author told Emacs or Vim: `-*- C++ -*-`, `vim: ft=perl`, a `Local Variables:` block.

Looked at as the editors do: the first and last five lines; Emacs' block near the end. Of each at most some thousand
characters. Cost: about 1.5 µs for a file without a mode line.
"""

import re
from functools import lru_cache

from starloom.languages.table import Language, load

LINES = 5  # at each end of a file, as Vim's default has it
MAX_HEAD = 1_500  # characters of the first lines, and of the last
MAX_BLOCK = 3_000  # as Emacs has it
# Lines with a mode have one of these in any case, the block has the last as it is.
SIGNS, BLOCK_SIGN = ("-*-", "vi:", "vim", "ex:"), "ocal "

_EMACS = re.compile(r"-\*-[ \t]*([^\n]{1,300}?)[ \t]*-\*-")
_MODE = re.compile(r"(?:^|;)[ \t]*mode[ \t]*:[ \t]*([\w+#-]+)", re.IGNORECASE)
# vim: ft=sh, vim: set ft=sh ts=4:, vi: filetype=sh. Vim wants white space or the line's start before its own name.
_VIM = re.compile(
    r"(?:^|[ \t/*#;%\"!<{(-])(?:vim?(?:[<=>]?\d+)?|ex):(?:[^\n]{0,200}?[ \t:])?(?:ft|filetype|syn|syntax)[ \t]*="
    r"[ \t]*([\w+#-]+)",
    re.IGNORECASE | re.MULTILINE,
)
_BLOCK = re.compile(r"^([^\n]{0,40})Local Variables:[ \t]*[^\n]{0,40}$", re.IGNORECASE | re.MULTILINE)
_BLOCK_MODE = re.compile(r"^[^\n]{0,40}?\bmode:[ \t]*([\w+#-]+)", re.IGNORECASE | re.MULTILINE)


def modeline(text: str) -> Language | None:
    """The language of a mode line in the first or last lines of `text`, if it is one in the table.

    >>> modeline("// -*- C++ -*-").name, modeline("#!/bin/x\\n# vim: set ft=ruby ts=2:\\n").name
    ('C++', 'Ruby')
    """
    first = _first_lines(text[:MAX_HEAD])
    if _may_have(first) and (found := _named("\n".join(first.splitlines()[:LINES]))):
        return found
    tail = text[-MAX_BLOCK:]
    last = _last_lines(tail[-MAX_HEAD:])
    if _may_have(last) and (found := _named("\n".join(last.splitlines()[-LINES:]))):
        return found
    return _block(tail) if BLOCK_SIGN in tail else None


def by_mode(mode: str) -> Language | None:
    """The language that editors call so: c++-mode, python-ts-mode, emacs-lisp, make."""
    mode = mode.lower().removesuffix("-mode").removesuffix("-ts")
    table = load()
    if mode in table.modes:
        return table.modes[mode]
    return table.by_alias.get(mode) or table.by_alias.get(mode.replace("-", " "))  # emacs-lisp


def _may_have(lines: str) -> bool:
    """Nearly no lines have one of these, and looking for them is far cheaper than the patterns."""
    return "-*-" in lines or (
        "=" in lines and ("vi:" in lines or "vim" in lines or "ex:" in lines or "Vim" in lines or "VIM" in lines)
    )


def _first_lines(text: str) -> str:
    """The first lines by "\\n" alone, or more: what is looked through for a sign before lines are split in earnest."""
    end = -1
    for _ in range(LINES):
        if (end := text.find("\n", end + 1)) < 0:
            return text
    return text[:end]


def _last_lines(text: str) -> str:
    begin = len(text) - text.endswith("\n")
    for _ in range(LINES):
        if (begin := text.rfind("\n", 0, begin)) < 0:
            return text
    return text[begin + 1 :]


@lru_cache(maxsize=4096)  # files of one project share their first lines
def _named(lines: str) -> Language | None:
    for found in _EMACS.finditer(lines):
        variables = found[1]
        if ":" not in variables:
            mode = variables.strip()
        elif setting := _MODE.search(variables):
            mode = setting[1]
        else:
            continue
        if language := by_mode(mode):
            return language
    for found in _VIM.finditer(lines):
        if language := by_mode(found[1]):
            return language
    return None


def _block(tail: str) -> Language | None:
    if tail.isascii() and "local variables:" not in tail.lower():  # some letters beyond are `i` or `s` to a pattern
        return None
    start = _BLOCK.search(tail)
    if not start:
        return None
    end = tail.find("End:", start.end())
    setting = _BLOCK_MODE.search(tail, start.end(), end if end >= 0 else len(tail))
    return by_mode(setting[1]) if setting else None
