"""The comments at the top of a file, without their marks, whatever the language.

Line comments, block comments and a docstring, up to the first line of code. Lines that stand above a notice in
many languages (shebang, `<?php`, `package`, `import`, `#include`, `@echo off`, …) are passed over. Of many files at
once a kernel tells the lines, by MARKS (kernels/leading).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from starloom.kernels.leading_twin import Leading
from starloom.kernels.marks import Marks, Stands

MAX_LINES, MAX_CHARACTERS = 60, 8_000

_BLOCKS = {
    "/*": "*/",
    "<!--": "-->",
    '"""': '"""',
    "'''": "'''",
    'r"""': '"""',
    "(*": "*)",
    "{-": "-}",
    "{#": "#}",
    "{{/*": "*/}}",
    "<%--": "--%>",
    "--[[": "]]",
    "#|": "|#",
    "<#": "#>",
    "%{": "%}",
    "=begin": "=end",
    "=pod": "=cut",
}
_SIGNS = "#;%!'\"*"  # which mark a line whatever follows
_LINE_MARKS = {
    **dict.fromkeys(("//", "--", "::", ".. "), Stands.KEPT),
    '.\\"': Stands.TAKEN,
    **dict.fromkeys(("rem", "@rem", "dnl"), Stands.WORD),
    "c": Stands.SPACED,
}
_PASSED = {
    **dict.fromkeys(("<?", "<!doctype", "<html", "<head", "@echo", "@charset", "---", "{%"), Stands.KEPT),
    "\\documentclass": Stands.KEPT,
    **dict.fromkeys(("package", "import", "from", "namespace", "module", "using", "unit", "program"), Stands.WORD),
    **dict.fromkeys(("syntax", "require", "pragma", "library"), Stands.WORD),
}
_EDGES = " \t#*/;%!|'\"-=<>{}~_\\"  # taken off both ends of a line
MARKS = Marks(_BLOCKS, _SIGNS, _LINE_MARKS, _PASSED, _EDGES)
_LEADING = Leading(MARKS)


@dataclass(frozen=True, slots=True)
class Comments:
    """Lines without marks and empty ones, as one text."""

    text: str  # with line ends between them
    numbers: list[int]  # their line numbers in the file, 1-based
    lower: str  # with spaces between them, in lower case
    _lower: str  # with line ends between them, in lower case

    def line_at(self, offset: int) -> int:
        """The number of the line that holds an offset of `lower`."""
        return self.numbers[self._lower.count("\n", 0, offset)]

    def lines_with(self, word: str) -> Iterator[tuple[int, str]]:
        """(offset in `lower`, line) of each line that has it; `word` in lower case and without white space."""
        lower = self._lower
        at = lower.find(word)
        while at >= 0:
            begin, end = lower.rfind("\n", 0, at) + 1, lower.find("\n", at)
            if end < 0:
                end = len(lower)
            if len(self.text) == len(lower):
                yield begin, self.text[begin:end]
            else:  # letters may grow in lower case
                yield begin, self.text.split("\n")[lower.count("\n", 0, at)]
            at = lower.find(word, end)

    def begins_paragraph(self, offset: int) -> bool:
        """Whether a line begins there that does not go on with the sentence of the line before it."""
        if offset == 0:
            return True
        if self._lower[offset - 1] != "\n":
            return False
        i = self._lower.count("\n", 0, offset)
        if self.numbers[i] - self.numbers[i - 1] > 1:
            return True
        before = self._lower[self._lower.rfind("\n", 0, offset - 1) + 1 : offset - 1]
        return before.endswith((".", ":", ";", ")")) or "copyright" in before or "(c)" in before or "@" in before


def begins_with_code(text: str) -> bool:
    """Whether the first line is neither a comment nor one that is passed over: there are no leading comments."""
    return _LEADING.begins_with_code(text)


def leading_lines(text: str) -> tuple[list[str], list[int]]:
    """The comments above the first line of code, of the first MAX_LINES lines and MAX_CHARACTERS: lines without marks
    and their numbers, as `comments_of` takes them."""
    return _LEADING.lines("\n".join(text[:MAX_CHARACTERS].split("\n", MAX_LINES)[:MAX_LINES]))


def comments_of(text: str, numbers: list[int]) -> Comments:
    """Lines without marks and white space beyond single spaces, with line ends between them, and their numbers."""
    lower = text.lower()
    return Comments(text, numbers, lower.replace("\n", " "), lower)
