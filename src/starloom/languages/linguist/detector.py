"""Detection with a Linguist's own tables, in its order: mode line, file name, "#!" line, extension, XML, manual page,
heuristics, classifier.

Each step narrows the candidates; the first that leaves one decides. A step that finds none leaves them as they were.
Where several are left to the end, the first is taken, as in Linguist. Not done: `generated?`, which is code and no
table; judging whether a file is binary (callers hand in text). Linguist looks at bytes as they are in the file, this at
the text in UTF-8 without a byte order mark, so a file in another encoding can differ.

Patterns get SECONDS a file together; when those are spent, patterns count as not matching. Cost: see
bench/results/linguist_agreement.md.
"""

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from starloom.languages.detect import By, Detection
from starloom.languages.linguist.classifier import Classify, classifier
from starloom.languages.linguist.first_lines import MAX_BYTES, interpreter, is_xml, mode
from starloom.languages.linguist.heuristics import MAX_HEAD, parse
from starloom.languages.linguist.ruby_patterns import RubyPattern, compile_ruby
from starloom.languages.linguist.tables import LinguistLanguage, Tables

SECONDS = 5.0
MAX_NAME = 4096  # characters of a path that are looked at: its end

_MANUAL_LANGUAGES = ("Roff Manpage", "Roff")

_SECTION_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz_0123456789")

Names = tuple[str, ...]
Index = dict[str, Names]


class _File(NamedTuple):
    name: str
    low: str  # the name in lower case
    data: bytes  # in UTF-8; of a large file its beginning
    deadline: float  # time.monotonic

    @property
    def lines(self) -> bytes:
        """What is looked through for lines: nothing of a large file, as in Linguist."""
        return b"" if len(self.data) > MAX_BYTES else self.data

    @property
    def head(self) -> bytes:
        return self.data[:MAX_HEAD]

    def seconds(self) -> float:
        """What is left for patterns."""
        return max(self.deadline - time.monotonic(), 0.001)


class Linguist:
    """One Linguist's tables, ready to detect with."""

    def __init__(self, tables: Tables) -> None:
        self.fingerprint = tables.fingerprint
        languages = tables.languages
        self._by_alias = {alias.lower(): (one.name,) for one in languages for alias in one.aliases}
        self._by_file_name = _index((value, one) for one in languages for value in one.filenames)
        self._by_interpreter = _index((value, one) for one in languages for value in one.interpreters)
        self._by_extension = _index((value.lower(), one) for one in languages for value in one.extensions)
        self._generic = tuple(tables.generic)
        self._groups = parse(tables.heuristics)
        self._classify: Classify | None = classifier(tables.samples)
        self._steps: tuple[tuple[By, Callable[[_File, Names], Names]], ...] = (
            ("modeline", self._mode),
            ("filename", self._file_name),
            ("shebang", self._shebang),
            ("extension", self._extension),
            ("xml", lambda file, before: ("XML",) if not before and is_xml(file.lines) else ()),
            ("manpage", lambda file, before: _MANUAL_LANGUAGES if not before and _is_manual(file.low) else ()),
            ("rule", self._rule),
            ("classifier", self._classified),
        )
        self.is_vendor = _path_rule(tables.vendor)
        self.is_documentation = _path_rule(tables.documentation)

    def detect(self, file_name: str, text: str) -> Detection | None:
        """The language of the file of this name (or path) with this content; None where Linguist has none."""
        if not text:
            return None
        name = file_name[-MAX_NAME:].rstrip("/").rpartition("/")[2]
        data = text[: MAX_BYTES + 1].encode("utf-8", "surrogatepass")
        file = _File(name, name.lower(), data, time.monotonic() + SECONDS)
        candidates: tuple[str, ...] = ()
        decided: By = "extension"
        for by, step in self._steps:
            found = step(file, candidates)
            if found:
                candidates, decided = found, by
            if len(found) == 1:
                break
        return Detection(candidates[0], decided) if candidates else None

    def _mode(self, file: _File, _before: Names) -> Names:
        try:
            name = (mode(file.lines, file.seconds()) or "").lower()
        except TimeoutError:
            return ()
        return self._by_alias.get(name) or self._by_alias.get(name.partition(",")[0]) or ()

    def _file_name(self, file: _File, before: Names) -> Names:
        return _among(before, self._by_file_name.get(file.name, ()))

    def _shebang(self, file: _File, before: Names) -> Names:
        return _among(before, self._by_interpreter.get(interpreter(file.data) or "", ()))

    def _extension(self, file: _File, before: Names) -> Names:
        """The languages of the longest extension that is known."""
        if file.low.endswith(self._generic):
            return ()
        at = file.low.find(".")
        while at >= 0:
            if found := self._by_extension.get(file.low[at:]):
                return _among(before, found)
            at = file.low.find(".", at + 1)
        return ()

    def _rule(self, file: _File, _before: Names) -> Names:
        group = next((one for one in self._groups if file.low.endswith(one.endings)), None)
        for rule in group.rules if group else ():
            try:
                if rule.matcher.holds(file.head, file.seconds()):
                    return rule.languages
            except TimeoutError:
                continue
        return ()

    def _classified(self, file: _File, before: Names) -> Names:
        return tuple(self._classify(file.head, before)) if self._classify and before else ()


def _is_manual(low: str) -> bool:
    """Whether a name, in lower case, ends in a section of the manual (`.1`, `.3pm`) or the like, also before `.in`."""
    _, dot, ending = low.removesuffix("\n").removesuffix(".in").rpartition(".")
    if not dot or ending in ("0p", "n", "man", "mdoc"):
        return bool(dot)
    section, more = ending[:1], ending[1:]
    plain = all(one in _SECTION_LETTERS for one in more)
    return section in tuple("123456789") and plain and not more[:1].isdigit()


def _index(pairs: Iterator[tuple[str, LinguistLanguage]]) -> Index:
    found: dict[str, list[str]] = {}
    for value, language in pairs:
        of_value = found.setdefault(value, [])
        if language.name not in of_value:
            of_value.append(language.name)
    return {value: tuple(names) for value, names in found.items()}


def _among(before: Names, found: Names) -> Names:
    """What of the candidates so far was found; all that was found where there are none."""
    return tuple(one for one in before if one in found) if before else found


def _path_rule(patterns: Sequence[str]) -> Callable[[str], bool]:
    compiled: RubyPattern | None = compile_ruby("|".join(patterns)) if patterns else None

    @functools.lru_cache(maxsize=1 << 16)
    def holds(path: str) -> bool:
        try:
            data = path[:MAX_NAME].encode("utf-8", "surrogatepass")
            return compiled is not None and compiled.holds(data, SECONDS)
        except TimeoutError:
            return False

    return holds
