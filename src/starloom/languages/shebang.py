"""The languages of the program that a "#!" line starts: through env and its options, without its version.

Also through the tricks of scripts that the kernel cannot start directly: a shell that at once runs another
interpreter on the same file (`exec tclsh "$0"`), `nix-shell -i`, `osascript -l`. Cost: 1-3 µs a script.
"""

import re
from functools import lru_cache

from starloom.languages.table import Language, load

MAX_LINE = 200  # characters of a "#!" line; interpreters fit in far less
_MAX_HEAD = 2_000  # characters after it that are searched for another interpreter
_MAX_LINES = 12

_VERSION = re.compile(r"[-.\d]+$")
_SHELLS = frozenset(["sh", "bash", "dash", "ksh", "zsh", "ash"])
_STARTERS = frozenset(["busybox", "npx", "bunx", "sudo", "nice", "time", "xvfb-run", "rlwrap"])
# The shell runs this file itself again, in another language: exec tclsh "$0" ${1+"$@"}
_EXEC = re.compile(
    r"""\bexec['"]{0,3}[ \t]+['"]?(?:/usr/bin/env[ \t]+)?([\w./+-]+)[^\n]*?[ \t]"?"""
    r"""\$(?:0|\{0\}|\{BASH_SOURCE(?:\[0\])?\})['"]?(?=[ \t;]|$)""",
    re.MULTILINE,
)
_NIX = re.compile(r"^#![ \t]*nix-shell\b[^\n]*?[ \t](?:-i|--interpreter)[ \t]*([\w./+-]+)", re.MULTILINE)
_SCRIPT_LANGUAGE = re.compile(r"[ \t]-l[ \t]*(\w+)")


def shebang(text: str) -> tuple[Language, ...]:
    """The languages of the interpreter, the most usual one first; () where there is no such line, or none is known.

    >>> [one.name for one in shebang("#!/usr/bin/env -S node --harmony")]
    ['JavaScript', 'TypeScript']
    >>> [one.name for one in shebang('#!/bin/sh\\n# \\\\\\nexec wish "$0" "$@"')]
    ['Tcl']
    """
    if not text.startswith("#!"):
        return ()
    head = text[:_MAX_HEAD]
    line = head.partition("\n")[0].partition("\r")[0][:MAX_LINE]
    program = interpreter(line)
    if program in _SHELLS and "exec" in head:
        lines = "\n".join(head.splitlines()[1:_MAX_LINES])
        if (again := _EXEC.search(lines)) and (found := _languages(_base(again[1]))):
            return found
    elif program == "nix-shell":
        return _languages(_base(inner[1])) if (inner := _NIX.search(head)) else _languages("sh")
    elif program == "osascript" and (named := _SCRIPT_LANGUAGE.search(line)):
        language = load().by_alias.get(named[1].lower())
        return (language,) if language else ()
    return _languages(program)


@lru_cache(maxsize=4096)
def interpreter(line: str) -> str:
    """The program of a "#!" line: its name without folder, or ""."""
    words = line[2:].split()
    if words and _base(words[0]) == "env":
        words = _after_env(words[1:])
    while len(words) > 1 and _base(words[0]) in _STARTERS:
        words = [word for word in words[1:] if not word.startswith("-")] or [""]
    return _base(words[0]) if words else ""


def _languages(program: str) -> tuple[Language, ...]:
    known = load().by_interpreter
    return known.get(program) or known.get(_VERSION.sub("", program)) or ()


def _base(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2].removesuffix(".exe")


def _after_env(words: list[str]) -> list[str]:
    """What env runs: past its options and the variables it sets."""
    words = words[:]
    while words:
        word = words[0]
        if word in ("-u", "--unset", "-C", "--chdir"):
            del words[:2]
        elif word.startswith("--split-string="):
            words[0] = word.partition("=")[2].strip("'\"")
        elif word.startswith("-") and not word.startswith("--") and "S" in word:
            # -S, -vS and -Snode: what follows the S is the first word of the command.
            words[0] = word.partition("S")[2].strip("'\"")
        elif not word or word.startswith("-") or "=" in word:
            del words[0]
        else:
            return words
    return []
