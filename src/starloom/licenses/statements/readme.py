"""The licence section of a README: under a heading such as "License" or "Copyright and licensing".

The section is read as a licence text, as a notice in sentences ("This project is released under the MIT License"), or
as a bare name ("MIT © Somebody"), up to the next heading. A pointer to a licence file says nothing; what speaks of
restrictive terms that the licence found does not name makes the whole unknown, and so not permissive.

Cost: a pass over the lines; about 0.2 ms for a section.
"""

import re
from typing import NamedTuple

from starloom.licenses.categories import UNKNOWN, expression_class
from starloom.licenses.comments import comments_of
from starloom.licenses.expressions import join, parse
from starloom.licenses.metadata import name_expression
from starloom.licenses.notices import notice_of
from starloom.licenses.statements.statement import Statement
from starloom.licenses.texts import recognise
from starloom.licenses.verdict import NO_ASSERTION

_MAX_LINES, _MAX_CHARACTERS = 800, 60_000  # of a section
_MAX_SECTIONS = 5
_NOTICE_LINES = 60
_PLAIN = 1_000  # the level of a heading without any mark

_TITLE = re.compile(
    r"(?:\d+(?:\.\d+)*[.)]?\s+)?(?:the\s+)?(?:(?:copyrights?|legal|credits|authors?|contributing)\s*(?:and|&|/|,)\s*)?"
    r"(?:(?:source |project |software )?licen[cs](?:e|es|ing)|copying|unlicense)"
    r"(?:\s*(?:and|&|/|,)\s*(?:copyrights?|legal|credits|authors?|warranty|disclaimer|acknowledge?ments))?"
    r"(?:\s+(?:information|info|notice|terms|details|agreement|summary))?\s*[:.]?",
    re.IGNORECASE,
)
_ATX = re.compile(r"(#{1,6}|={1,6}|\*{1,6})\s+(\S.{0,200}?)\s*[#=]*\s*")
_INLINE = re.compile(r"(?:[*_]{2})?\s*licen[cs]e\s*(?:[*_]{2})?\s*:\s*(?:[*_]{2})?\s*(\S.{0,120})", re.IGNORECASE)
_RULER = re.compile(r"([=\-~^\"*+#`'.])\1{2,}\s*")
_DECORATION = re.compile(r"[^\w\s()&/,.:;'\"©-]+")
_POINTER = re.compile(
    r"\b(?:see|refer|read|found|included|described|consult|check|in|at)\b.{0,60}\b(?:un)?(?:li[cs]en[cs]es?|copying|copyright|file)\b"
)


class _Section(NamedTuple):
    line: int  # of the heading
    lines: list[str]


def readme(text: str) -> tuple[Statement, ...]:
    """What the licence sections say; each has its own statement."""
    found = []
    for section in _sections(text):
        if expression := _expression(section):
            found.append(Statement("folder", None, expression, section.line, "README section"))
    return tuple(found)


def _sections(text: str) -> list[_Section]:
    """The sections under a licence heading, and lines such as "License: MIT" outside of any."""
    lines = text.split("\n")
    sections: list[_Section] = []
    i = 0
    while i < len(lines) and len(sections) < _MAX_SECTIONS:
        heading = _heading(lines, i)
        if heading is None or not _TITLE.fullmatch(_DECORATION.sub("", heading[1]).strip()):
            i += 1
            continue
        level, _, length = heading
        start = end = i + length
        size = 0
        while end < len(lines) and end - start < _MAX_LINES and size < _MAX_CHARACTERS:
            following = _heading(lines, end)
            if following is not None and following[0] == _PLAIN != level:
                following = None  # a line in capitals: in Markdown no heading
            if following is not None and (following[0] <= level or following[0] // 10 != level // 10):
                break
            size += len(lines[end])
            end += 1
        sections.append(_Section(i + 1, [line[:_MAX_CHARACTERS] for line in lines[start:end]]))
        i = end
    return sections


def _heading(lines: list[str], i: int) -> tuple[int, str, int] | None:
    """Level (tens: the kind of mark), title, and how many lines it takes."""
    line = lines[i]
    if not line or len(line) > 300 or line[0] in " \t":
        return None
    if line[0] in "#=*" and (atx := _ATX.fullmatch(line.rstrip())):
        return "#=*".index(line[0]) * 10 + len(atx[1]), atx[2], 1
    below = lines[i + 1] if i + 1 < len(lines) else ""
    ruler = _RULER.fullmatch(below) if 3 <= len(below) <= 300 else None
    if ruler and len(below.strip()) >= min(len(line.strip()), 3) and not _RULER.fullmatch(line):
        # "=" is above "-" in Markdown, other signs have no order.
        return {"=": 1, "-": 2}.get(ruler[1], 30 + ord(ruler[1])), line.strip(), 2
    blank_around = (i == 0 or not lines[i - 1].strip()) and len(line) < 60
    if blank_around and (_TITLE.fullmatch(line.strip()) or _is_capitals(line)):
        return _PLAIN, line.strip(), 1  # plain text
    return None


def _is_capitals(line: str) -> bool:
    return line.isupper() and len(line.split()) < 6 and name_expression(line) is None


# --- what a section says -----------------------------------------------------------------------------------------

_IMAGE = re.compile(r"!\[[^\]\n]{0,200}\]\([^)\n]{0,500}\)")
_LINK = re.compile(r"\[([^\]\n]{0,200})\](?:\([^)\n]{0,500}\)|\[[^\]\n]{0,100}\])")
_RST_LINK = re.compile(r"`([^`<\n]{0,200}?)\s*(?:<[^>\n]{0,300}>)?`_{0,2}")
_TAG = re.compile(r"</?[a-zA-Z][^>\n]{0,300}>")
_AFTER_NAME = re.compile(
    r"\s*(?:©|\(c\)|copyright\b|[–—]|\s-\s|\bsee\b|\bby\b|\. |\.$|, see|\(see|\(https?:|https?:).*", re.I | re.S
)

_STRONG = {  # words, and what of an expression accounts for them
    re.compile(r"\bagpl|affero"): "agpl",
    re.compile(r"\blgpl|lesser general public|library general public"): "lgpl",
    re.compile(r"\bgpl|general public"): "gpl",
    re.compile(r"\bmozilla|\bmpl"): "mpl",
    re.compile(r"\beclipse public|\bepl\b"): "epl",
    re.compile(r"\bcddl\b"): "cddl",
    re.compile(r"\bcc[- ]by|creative commons"): "cc",
    re.compile(r"non-?\s?commercial|\bcommercial (?:licen[cs]e|use|purposes)|\bcommercially\b"): "nc",
    re.compile(
        r"propriet|confidential|academic use|research (?:use|purposes) only|evaluation|all other use"
    ): "propriet",
    re.compile(r"\bexcept(?:ion|ions)?\b|\bprohibited\b|\bnot (?:permitted|allowed|open[- ]source|free)\b"): "with",
    re.compile(r"\b(?:sspl|busl|business source|commons clause|polyform|elastic licen)"): "sspl",
}


def _expression(section: _Section) -> str | None:
    plain = [_plain(line) for line in section.lines]
    whole = "\n".join(plain)
    words = " ".join(whole.split())
    if not words:
        return None
    if (known := recognise("\n".join(section.lines))) or (known := recognise(whole)):
        return known.expression
    first = [line for line in plain if line.strip()][:_NOTICE_LINES]
    notice = notice_of(comments_of("\n".join(" ".join(line.split()) for line in first), list(range(1, len(first) + 1))))
    found = notice.expression if notice else _bare_name(words)
    lower = words.lower()
    if found is None:
        if any(pattern.search(lower) for pattern in _STRONG):
            return UNKNOWN
        return None if _POINTER.search(lower) or "licen" not in lower else NO_ASSERTION
    if expression_class(found) == "permissive" and _says_more(lower, found):
        return join([found, UNKNOWN], "AND")
    return found if parse(found) else NO_ASSERTION


def _says_more(lower: str, found: str) -> bool:
    """Whether restrictive terms are spoken of that the expression does not name."""
    named = found.lower()
    return any(pattern.search(lower) and word not in named for pattern, word in _STRONG.items())


def _bare_name(words: str) -> str | None:
    for text in (words[:120], words[:400]):
        name = _AFTER_NAME.sub("", text).strip(" .,;:*_`()[]")
        if 0 < len(name) <= 60 and (found := name_expression(name)):
            return found
    return None


def _plain(line: str) -> str:
    """A line without Markdown's and reStructuredText's marks."""
    if not line.strip():
        return ""
    line = _LINK.sub(r"\1", _IMAGE.sub("", line))
    line = _TAG.sub("", _RST_LINK.sub(r"\1", line))
    return line.replace("**", "").replace("__", "").replace("`", "").strip(" >*-+|\t")
