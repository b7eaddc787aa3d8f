"""Which language a file is in, from its name and its first line.

The order, the first that answers wins:

1. a mode line of Emacs (`-*- C++ -*-`) or Vim (`vim: ft=perl`) in the first line: its author said so;
2. the file's whole name (Makefile);
3. its extension, the longest that is known (`d.ts` before `ts`), exactly as written, then in lower case. Where
   several languages share it, a "#!" line that names one of them decides, else the table's default;
4. a "#!" line;
5. its name without the ending of a template or sample (config.h.in, settings.py.example);
6. its name up to a dot or hyphen, where that is a known name (Dockerfile.dev, LICENSE-MIT).

So a "#!" line never overrules an extension that one language has for itself (Linguist lets it). Not looked at: the
rest of the content, hence wrong answers for shared extensions (`.h` is C unless a mode line says C++); the last
lines, where Vim allows mode lines too.
Cost: 0.6-1.2 µs a file where the name or a plain extension decides, up to 5 µs otherwise (2 shared cores, 2026).
"""

import re
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from starloom.languages.table import Language, load

MAX_NAME = 255  # bytes, hence characters, of a file name on Linux
MAX_FIRST_LINE = 200  # characters of it that are looked at; mode lines and interpreters fit in far less

By = Literal["filename", "extension", "shebang", "modeline"]


class Detection(NamedTuple):
    """A language and what it was recognised by."""

    language: str  # its name in the table
    by: By


class _Extension(NamedTuple):
    """What there is to know about an extension, or about the end of longer ones."""

    detection: Detection | None  # None: known only as the end of longer ones
    sharers: frozenset[str]  # names of the languages; empty unless there are two or more
    longer: bool  # whether a longer extension ends in it


class _Index(NamedTuple):
    names: dict[str, Detection]
    extensions: dict[str, _Extension]


_MAX_DOTS = 3  # more than any extension in the table has; bounds the work on names full of dots

# vim: ft=sh, vim: set ft=sh ts=4:, vi: filetype=sh. Quadratic at worst, in at most 200 characters.
_VIM = re.compile(r"(?:^|[\s/*#;%\"-])(?:vim?|ex):(?:.*?[\s:])?(?:ft|filetype|syn|syntax)=([\w+#-]+)", re.IGNORECASE)
_VERSION = re.compile(r"[-.\d]+$")
_TEMPLATES = frozenset(["in", "tmpl", "template", "example", "sample", "dist", "default"])
_STEM = re.compile(r"[^.-]+")
# Modes whose names are no alias of the language, or that mean another one there.
_MODES = {"conf": None, "nroff": "Roff", "cc": "C++", "web": "HTML"}


def detect(file_name: str, first_line: str) -> Detection | None:
    """The language of the file at `file_name` (a name or a whole path), or None. For the order see the module.

    >>> detect("src/main.rs", "")
    Detection(language='Rust', by='extension')
    >>> detect("configure", "#!/bin/sh")
    Detection(language='Shell', by='shebang')
    """
    if len(first_line) > MAX_FIRST_LINE:
        first_line = first_line[:MAX_FIRST_LINE]
    # Nearly no line has one of these, and looking for them is far cheaper than the patterns.
    if ("-*-" in first_line or "vim:" in first_line or "vi:" in first_line or "ex:" in first_line) and (
        language := modeline(first_line)
    ):
        return Detection(language.name, "modeline")
    index = _index()
    name = file_name.rpartition("/")[2]
    if found := index.names.get(name):
        return found
    stem, dot, last = name.rpartition(".")
    entry = (index.extensions.get(last) or index.extensions.get(last.lower())) if dot else None
    if entry and entry.longer:
        entry = _longest(stem, last, entry, index)
    interpreter = shebang(first_line) if first_line.startswith("#!") else None
    if entry and entry.detection:
        if interpreter and interpreter.name in entry.sharers:
            return Detection(interpreter.name, "shebang")
        return entry.detection
    if interpreter:
        return Detection(interpreter.name, "shebang")
    if last.lower() in _TEMPLATES and stem:
        # Each turn shortens the name; .in.in.in at most 85 times, since names have 255 bytes.
        return detect(stem[-MAX_NAME:], "")
    start = _STEM.match(name)
    return index.names.get(start[0]) if start else None


def first_line(text: str) -> str:
    """The first line of `text` without its end or a byte order mark, at most 200 characters of it.

    >>> first_line("#!/bin/sh\\r\\necho")
    '#!/bin/sh'
    """
    head = text[: MAX_FIRST_LINE + 1]
    if head.startswith("\ufeff"):
        head = head[1:]
    return head.partition("\n")[0].partition("\r")[0][:MAX_FIRST_LINE]


def extension(path: str) -> str:
    """The published column `extension`: what follows the last dot of the name, in lower case; "" without a dot.

    As in The Stack v2, whose values are "py", "rmd" (of .Rmd), "php" (of .blade.php too) and, of names that are
    all extension, "gitignore" (seen in BigCode's language_labels.csv, 2024).
    """
    _, dot, last = path.rpartition("/")[2].rpartition(".")
    return last.lower() if dot else ""


@lru_cache(maxsize=4096)  # files of one project share their first lines
def modeline(line: str) -> Language | None:
    """The language that a mode line of Emacs or Vim in `line` names, if it is one in the table."""
    _, mark, rest = line.partition("-*-")
    if mark:
        variables, end, _ = rest.partition("-*-")
        if end and (mode := _emacs_mode(variables)) and (language := _by_mode(mode)):
            return language
    found = _VIM.search(line)
    return _by_mode(found[1]) if found else None


def _emacs_mode(variables: str) -> str | None:
    if ":" not in variables:
        return variables.strip()
    for variable in variables.split(";"):
        key, _, value = variable.partition(":")
        if key.strip().lower() == "mode":
            return value.strip()
    return None


def _by_mode(mode: str) -> Language | None:
    mode = mode.lower().removesuffix("-mode").removesuffix("-ts")
    table = load()
    if mode in _MODES:
        name = _MODES[mode]
        return table.languages[name] if name else None
    return table.by_alias.get(mode) or table.by_alias.get(mode.replace("-", " "))  # emacs-lisp


@lru_cache(maxsize=4096)
def shebang(line: str) -> Language | None:
    """The language of the interpreter that a "#!" line names: through env and its options, without its version."""
    if not line.startswith("#!"):
        return None
    words = line[2:].split()
    if words and _program(words[0]) == "env":
        words = _after_env(words[1:])
    if not words:
        return None
    interpreters = load().by_interpreter
    program = _program(words[0])
    return interpreters.get(program) or interpreters.get(_VERSION.sub("", program))


def _program(path: str) -> str:
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


def _longest(stem: str, last: str, entry: _Extension, index: _Index) -> _Extension:
    """The entry of the longest known extension of `stem`.`last`, of which `entry` is the shortest."""
    parts = [*stem.split(".")[1:][-_MAX_DOTS:], last]
    for start in range(len(parts) - 1):
        longer = ".".join(parts[start:])
        found = index.extensions.get(longer) or index.extensions.get(longer.lower())
        if found and found.detection:
            return found
    return entry


@cache
def _index() -> _Index:
    table = load()
    names = {name: Detection(language.name, "filename") for name, language in table.by_file_name.items()}
    ends = {part for whole in table.by_extension for part in _proper_ends(whole)}
    extensions = {
        whole: _Extension(
            Detection(languages[0].name, "extension"),
            frozenset(language.name for language in languages) if len(languages) > 1 else frozenset(),
            whole in ends,
        )
        for whole, languages in table.by_extension.items()
    }
    for end in ends - extensions.keys():
        extensions[end] = _Extension(None, frozenset(), True)
    return _Index(names, extensions)


def _proper_ends(whole: str) -> list[str]:
    parts = whole.split(".")
    return [".".join(parts[start:]) for start in range(1, len(parts))]
