"""Which language a file is in, from its name and its text.

Linguist's order; each step narrows the languages that may be meant, and where one is left, it is the answer:

1. a mode line of Emacs or Vim: the author said so;
2. the file's whole name (Makefile);
3. a "#!" line;
4. its extension, the longest that is known (`d.ts` before `ts`), exactly as written, then in lower case;
5. without a known name: an XML declaration; a manual page's macros, where the name ends in a section (`.1`, `.3pm`);
   the name without the ending of a template or sample (config.h.in), or up to a dot or hyphen (Dockerfile.dev);
6. rules for what shares the extension, and for extensions that say little (ambiguous/); the classifier; the table's
   default.

Departures from Linguist: a few modes ("C", "text") do not overrule what the name says, since people name them to
editors that have no mode of the language; and "#!" may name several languages (node), of which the extension picks
one. Not looked at: more than the first 50,000 characters and the last few lines; bytes: whether a file is text at all
is for others to say.
Cost: 2-3 µs a file where the name decides; for shared extensions 20-300 µs, by their rules (2 shared cores, 2026).
"""

import re
from functools import cache
from typing import Literal, NamedTuple

from starloom.languages.ambiguous import doubtful
from starloom.languages.ambiguous.rule import MAX_HEAD, settle
from starloom.languages.modeline import modeline
from starloom.languages.shebang import shebang
from starloom.languages.table import load

MAX_NAME = 255  # bytes, hence characters, of a file name on Linux

By = Literal["modeline", "filename", "shebang", "extension", "xml", "manpage", "rule", "classifier", "default"]


class Detection(NamedTuple):
    """A language and what it was recognised by."""

    language: str  # its name in the table
    by: By
    reason: str = ""  # the rule's


class _Extension(NamedTuple):
    """What there is to know about an extension, or about the end of longer ones."""

    key: str  # as rules call it
    names: tuple[str, ...]  # of its languages, the default first; none: known only as the end of longer ones
    detection: Detection | None  # the only language's
    longer: bool  # whether a longer extension ends in it


class _Index(NamedTuple):
    names: dict[str, tuple[str, ...]]
    extensions: dict[str, _Extension]


_MAX_DOTS = 3  # more than any extension in the table has; bounds the work on names full of dots

_TEMPLATES = frozenset(["in", "tmpl", "template", "example", "sample", "dist", "default"])
# Modes that people name for want of their language's own: C for OpenCL, sh for an ebuild.
_STAND_INS = frozenset(["C", "C++", "HTML", "Java", "Python", "Shell", "Text", "XML"])
_FRAGMENTS = frozenset(["cfg", "def", "inc", "tpl", "txt", "x"])  # pieces of files in any language
# Modes of several languages of the table, which the rest has to tell apart.
_FAMILIES = {"BASIC": ("FreeBASIC", "QuickBASIC"), "Roff": ("Roff Manpage",)}

_STEM = re.compile(r"[^.-]+")
_SECTION = re.compile(r"[1-9][a-z]{0,12}\Z|0p\Z")
_ROFF = re.compile(r"^[.'](?:[ \t]*\\[\"#*]|[ \t]*[A-Za-z]{1,2}(?:[ \t\"]|\r?$)|\\\"|so )|\A'\\\"", re.MULTILINE)
_PAGE = re.compile(r"^[.'][ \t]*(?:TH|Dd|Dt|Sh|SH)(?:[ \t]|\r?$)|\A\s*\.so[ \t]+\S", re.MULTILINE)


class Doubt(NamedTuple):
    """A text in one of several languages, or in one or none: rules tell."""

    key: str  # of the rules
    names: tuple[str, ...]  # the default first
    text: str
    by_rule_only: bool = False  # whether it is in none of them where no rule holds


def detect(file_name: str, text: str) -> Detection | None:
    """The language of the file at `file_name` (a name or a whole path) with `text`, or None. See the module.

    >>> detect("src/main.py", "print()")
    Detection(language='Python', by='extension', reason='')
    >>> detect("configure", "#!/bin/sh")
    Detection(language='Shell', by='shebang', reason='')
    """
    found = told(file_name, text)
    return settled(found) if isinstance(found, Doubt) else found


def told(file_name: str, text: str, may_have_mode: bool = True) -> Detection | Doubt | None:
    """What is told without rules; `may_have_mode`: whether the text may have a mode line."""
    name = file_name.rpartition("/")[2]
    if text.startswith("\ufeff"):
        text = text[1:]
    index = _index()
    named = index.names.get(name)
    extension = None if named else _extension(name, index)
    if may_have_mode and (mode := modeline(text)) and not _stands_in(mode.name, named, extension):
        return Detection(mode.name, "modeline")
    if named and len(named) == 1:
        return Detection(named[0], "filename")
    if text.startswith("#!") and (interpreted := _interpreted(text, named, extension)):
        return interpreted
    if named:
        return Doubt(name, named, text)
    if extension:
        if extension.detection:
            is_doubtful = extension.key in doubtful.RULES
            return Doubt(extension.key, extension.names, text, True) if is_doubtful else extension.detection
        if _SECTION.match(extension.key):
            return _manual_page(text, extension)
        return Doubt(extension.key, extension.names, text)
    return _unnamed(name, text, may_have_mode, index)


def extension(path: str) -> str:
    """The published column `extension`: what follows the last dot of the name, in lower case; "" without a dot.

    As in The Stack v2, whose values are "py", "rmd" (of .Rmd), "php" (of .blade.php too) and, of names that are
    all extension, "gitignore" (seen in BigCode's language_labels.csv, 2024).
    """
    _, dot, last = path.rpartition("/")[2].rpartition(".")
    return last.lower() if dot else ""


def _stands_in(mode: str, named: tuple[str, ...] | None, extension: _Extension | None) -> bool:
    """Whether a mode line only says which editor mode comes nearest to the language that the name says."""
    known = named or (extension.names if extension else ())
    if mode in _FAMILIES:
        return any(relative in known for relative in _FAMILIES[mode])
    if len(known) == 1 and known[0] not in (mode, "Text") and load().languages[known[0]].kind == "prose":
        return True  # documents quote code, mode lines and all
    if mode not in _STAND_INS or not known or mode in known:
        return False
    return not (mode == "C++" and known == ("C",)) and (extension is None or extension.key not in _FRAGMENTS)


def _interpreted(text: str, named: tuple[str, ...] | None, extension: _Extension | None) -> Detection | Doubt | None:
    """What a "#!" line says; where it names several languages, or the name does, what both say."""
    found = tuple(language.name for language in shebang(text))
    if not found:
        return None
    known = named or (extension.names if extension else ())
    both = tuple(name for name in known if name in found)
    if not both:
        return Detection(found[0], "shebang")
    if len(both) == 1:
        # Whichever of the two narrowed it down.
        return Detection(both[0], "extension" if len(known) == 1 and not named else "shebang")
    assert extension is not None  # no name is listed by two languages that share an interpreter
    return Doubt(extension.key, both, text)


def _manual_page(text: str, extension: _Extension) -> Detection | Doubt | None:
    """Of what ends in a section, text without roff is anything (a library's or log's version)."""
    head = _head(text)
    if _PAGE.search(head):
        return Detection("Roff Manpage", "manpage")
    return Doubt(extension.key, extension.names, text) if _ROFF.search(head) else None


def settled(doubt: Doubt, words: frozenset[str] | None = None) -> Detection | None:
    """The answer of the rules (`words`: see `settle`), else, if that may be, the classifier's, else the default."""
    head, candidates = _head(doubt.text), frozenset(doubt.names)
    says_something = bool(head) and not head.isspace()
    if (says_something or doubt.by_rule_only) and (rule := settle(doubt.key, head, candidates, words)):
        return Detection(rule.language, "rule", rule.reason)
    if doubt.by_rule_only:
        return None
    if says_something:
        from starloom.languages.classifier import choose  # reads its numbers; few files come here

        if choice := choose(head, candidates):
            return Detection(choice, "classifier")
    return Detection(doubt.names[0], "default")


def _unnamed(name: str, text: str, may_have_mode: bool, index: _Index) -> Detection | Doubt | None:
    """The language of a file whose name and extension are not known."""
    if text.startswith("<?xml"):
        return Detection("XML", "xml")
    stem, dot, last = name.rpartition(".")
    if dot and stem:
        last = last.lower()
        if last in _TEMPLATES:
            # Each turn shortens the name; .in.in.in at most 85 times, since names have 255 bytes.
            return told(stem[-MAX_NAME:], text, may_have_mode)
        if _SECTION.match(last) and _PAGE.search(head := _head(text)) and _ROFF.search(head):
            return Detection("Roff Manpage", "manpage")
    start = _STEM.match(name)
    named = index.names.get(start[0]) if start else None
    return Detection(named[0], "filename") if named else None


def _head(text: str) -> str:
    """What rules see: the start, with the line ends of Unix."""
    head = text[:MAX_HEAD]
    if "\r" in head:
        head = head.replace("\r\n", "\n").replace("\r", "\n")
    return head


def _extension(name: str, index: _Index) -> _Extension | None:
    stem, dot, last = name.rpartition(".")
    if not dot:
        return None
    entry = index.extensions.get(last) or index.extensions.get(last.lower())
    if entry and entry.longer:
        entry = _longest(stem, last, entry, index)
    return entry if entry and entry.names else None


def _longest(stem: str, last: str, entry: _Extension, index: _Index) -> _Extension:
    """The entry of the longest known extension of `stem`.`last`, of which `entry` is the shortest."""
    parts = [*stem[-MAX_NAME:].split(".")[1:][-_MAX_DOTS:], last]
    for start in range(len(parts) - 1):
        longer = ".".join(parts[start:])
        found = index.extensions.get(longer) or index.extensions.get(longer.lower())
        if found and found.names:
            return found
    return entry


@cache
def _index() -> _Index:
    table = load()
    ends = {part for whole in table.by_extension for part in _proper_ends(whole)}
    extensions = {
        whole: _Extension(
            whole.lower(),
            tuple(language.name for language in languages),
            Detection(languages[0].name, "extension") if len(languages) == 1 else None,
            whole in ends,
        )
        for whole, languages in table.by_extension.items()
    }
    for end in ends - extensions.keys():
        extensions[end] = _Extension(end, (), None, True)
    return _Index(
        {name: tuple(language.name for language in languages) for name, languages in table.by_file_name.items()},
        extensions,
    )


def _proper_ends(whole: str) -> list[str]:
    parts = whole.split(".")
    return [".".join(parts[start:]) for start in range(1, len(parts))]
