"""A file's own licence notice: what the comments at its top say it is under.

Only the leading comments count: line comments, block comments and a docstring, up to the first line of code, of
the first 60 lines and 8,000 characters. Shebangs, `<?php`, `package`, `import`, `#include` and the like do not
end them. So a licence named in a string, a table of licences or the middle of a file is no notice of the file.

A notice is a recognised phrase, not a mention: "not under the GPL", "see LICENSE" or "a BSD-style license that can
be found in the LICENSE file" (a pointer: the licence files of its folders speak) give none. Where several are
found, an SPDX tag decides; otherwise all apply (AND), unless the words offer a choice ("alternatively"). Permissive
terms are not the file's own where the comments say that parts derive from elsewhere: they may be those parts' alone.

Cost: 1 µs for a file that begins with code, about 15 µs for one whose top has none of the words, 40 µs for one
that has words but no notice, 150 µs for one with a notice.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from starloom.licenses.categories import PROPRIETARY, canonical, expression_class
from starloom.licenses.comments import MAX_CHARACTERS, Comments, begins_with_code, leading_comments
from starloom.licenses.expressions import join, parse, rename
from starloom.licenses.metadata import name_expression
from starloom.licenses.phrases import PHRASES

Kind = Literal["spdx", "gnu", "header", "text", "statement", "proprietary"]


@dataclass(frozen=True, slots=True)
class Notice:
    """An SPDX expression, the line it begins on (1-based), and what kind of words said so."""

    expression: str
    line: int
    kind: Kind


def own_notice(text: str) -> Notice | None:
    """The notice of the file with this text, or None.

    >>> own_notice("#!/bin/sh\\n# SPDX-License-Identifier: MIT\\necho\\n")
    Notice(expression='MIT', line=2, kind='spdx')
    """
    if begins_with_code(text):
        return None
    head = text[:MAX_CHARACTERS]
    lower = head.lower()
    if not any(word in lower for word in _GATE):
        return None
    comments = leading_comments(head)
    return _notice(comments) if comments.lines else None


# Every notice that is recognised has one of these; most files have none.
_GATE = ("licen", "permission", "redistribution", "public domain", "proprietary", "confidential", "same terms as perl")


@dataclass(frozen=True, slots=True)
class _Found:
    at: int  # offset in the comments' text
    expression: str
    kind: Kind


def _notice(comments: Comments) -> Notice | None:
    found = list(_spdx(comments))
    if not found:
        found = sorted((*_gnu(comments), *_headers(comments), *_statements(comments)), key=lambda one: one.at)
        found = found or list(_proprietary(comments))
    if not found:
        return None
    if found[0].kind != "spdx" and _OF_OTHERS.search(comments.lower):
        found = [one for one in found if expression_class(one.expression) != "permissive"]
        if not found:
            return None
    operator = "OR" if found[0].kind != "spdx" and _CHOICE.search(comments.lower) else "AND"
    return Notice(join([one.expression for one in found], operator), comments.line_at(found[0].at), found[0].kind)


# The terms of a part taken from elsewhere free the file of nothing: a permissive notice is then not the file's own.
_OF_OTHERS = re.compile(
    r"\b(?:portions|parts|sections) (?:of|are|copyright)\b"
    r"|\bderive[sd]? from\b"
    r"|\bunder the following licen[cs]e terms\b"
    r"|\b(?:adapted|borrowed|copied|taken) from\b|\bincludes code (?:from|of)\b"
)
_CHOICE = re.compile(
    r"\balternatively\b.{0,120}\b(?:licen[cs]e|terms)\b|\bdual(?:ly)?[- ]licen"
    r"|\beither (?:of the (?:two |following )?)?licen[cs]e|\blicen[cs]e of your choice\b"
)


# --- SPDX tags ---------------------------------------------------------------------------------------------------

_SPDX = re.compile(r"spdx-licen[cs]e-identifier\s*:\s*([\w.+:() -]+)", re.IGNORECASE)


def _spdx(comments: Comments) -> Iterator[_Found]:
    if "spdx-licen" not in comments.lower:
        return
    for start, line in zip(comments.starts, comments.lines):
        tag = _SPDX.search(line)
        # A sentence about tags is none; copyright lines and "@license" do stand before them.
        if tag and (not (before := line[: tag.start()].strip().lower()) or "copyright" in before or before[0] == "@"):
            expression = _tagged(tag[1].strip())
            if expression:
                yield _Found(start, expression, "spdx")


def _tagged(value: str) -> str | None:
    if value.upper() in ("NONE", "NOASSERTION"):
        return None
    if parse(value) is None:
        value = value.split()[0]  # words after it: "MIT License"
        if canonical(value) is None:
            return None
    # Ids that are not known stay: the file says that it has terms of its own.
    return rename(value, lambda spdx_id: canonical(spdx_id) or spdx_id)


# --- GNU ---------------------------------------------------------------------------------------------------------

# What stands before the name, to its end, and the name.
_GRANT = re.compile(
    r"\b(?:under|by|subject to|(?:accordance|compliance) with) (?:the )?(?:same )?"
    r"(?:terms (?:and conditions )?of )?(?:either:? )?(?:the )?"
    r"(?:version (?P<version>\d(?:\.\d)?)"
    r"(?P<later>,? or (?:\(?at your option\)? )?(?:any )?later(?: version)?)?,? of )?(?:the )?$"
)
_NAME = re.compile(r"gnu (?P<family>(?:affero|lesser|library|library or lesser) )?(?:general )?public licen[cs]e")
_VERSION = re.compile(r".{0,120}?\b(?:version |v\.? ?)(\d(?:\.\d)?)\b(.{0,80})")
_LATER = re.compile(r"\bor (?:\(?at your option\)?,? )?(?:\(?any )?(?:later|newer)|^\s?\+|\bor above\b")
_FAMILIES = {"affero": "AGPL", "lesser": "LGPL", "library": "LGPL", "": "GPL"}
_FIRST = {"GPL": "1.0", "LGPL": "2.0", "AGPL": "1.0"}  # without a version: any, from the first one on


def _gnu(comments: Comments) -> Iterator[_Found]:
    lower = comments.lower
    for at in _occurrences("gnu ", lower):
        name = _NAME.match(lower, at)
        grant = _GRANT.search(lower, max(0, at - 160), at) if name else None
        if name and grant and not _denied(lower, grant.start()):
            family = _FAMILIES[(name["family"] or "").split(" ")[0]]
            version, later = grant["version"], grant["later"] is not None
            if version is None and (after := _VERSION.match(lower, name.end())):
                version, later = after[1], _LATER.search(after[2]) is not None
            if version is None:
                version, later = _FIRST[family], True
            version = version if "." in version else f"{version}.0"
            yield _Found(grant.start(), f"{family}-{version}-{'or-later' if later else 'only'}", "gnu")


# --- headers and texts that are known by a phrase ----------------------------------------------------------------


def _headers(comments: Comments) -> Iterator[_Found]:
    lower = comments.lower
    for phrase in PHRASES:
        if phrase.word not in lower or not (found := phrase.pattern.search(lower)):
            continue
        at = found.start()
        if _denied(lower, at) or (phrase.needs_subject and not _is_about_this(comments, at)):
            continue
        expression = phrase.expression
        if expression == "BSD":
            expression = _bsd(lower, at)
        elif expression.endswith("{}"):
            expression = expression.format(found[1] if "." in found[1] else f"{found[1]}.0")
        yield _Found(at, expression, phrase.kind)


def _bsd(lower: str, at: int) -> str:
    if lower.find("all advertising materials", at) > 0:
        return "BSD-4-Clause"
    return "BSD-3-Clause" if lower.find("endorse or promote", at) > 0 else "BSD-2-Clause"


# --- statements that name a licence ------------------------------------------------------------------------------

_VERBS = ("licensed", "released", "distributed", "available", "published", "covered", "provided", "is", "are")
_UNDER = re.compile(
    r" (?:under|governed by) (?:the )?(?:terms (?:and conditions )?of )?(?:the )?"
    r"(?P<name>(?:[^.;:(]|\.(?=\d)){2,60}?)"
    r"(?: licen[cs]es?\b(?P<version>,? (?:version |v\.? ?)?\d(?:\.\d)?)?|[.;:(,]|$)"
)
_TAG = re.compile(
    r"[@:\\]licen[cs]e\b[:=]?\s*(.{2,80})|licen[cs]e\s*:\s*(.{2,80})|([\w -]{2,30}) licensed\.?$", re.IGNORECASE
)
_REST = re.compile(r"<?https?://.*|,? \(?see .*|[.,;]$", re.IGNORECASE)


def _statements(comments: Comments) -> Iterator[_Found]:
    lower = comments.lower
    for under in (*_occurrences(" under ", lower), *_occurrences(" governed by ", lower)):
        verb = lower[lower.rfind(" ", 0, under) + 1 : under]
        found = _UNDER.match(lower, under) if verb in _VERBS else None
        if found is None or "public licen" in found[0]:
            continue  # GNU's are read above, with their versions
        at = under if verb in ("is", "are") else under - len(verb)
        expression = name_expression(found["name"] + (found["version"] or "").replace(",", ""))
        if expression is None or _denied(lower, at):
            continue
        if expression_class(expression) == "permissive" and not _is_about_this(comments, at):
            continue
        if lower[max(0, at - 5) : at] in ("dual ", "dual-"):
            expression = expression.replace(" AND ", " OR ")
        yield _Found(at, expression, "statement")
    for start, line in zip(comments.starts, comments.lines):
        if tag := _TAG.match(line):
            expression = name_expression(_REST.sub("", tag[1] or tag[2] or tag[3]).strip(" .,;()"))
            if expression:
                yield _Found(start, expression, "statement")


# --- proprietary -------------------------------------------------------------------------------------------------


def _proprietary(comments: Comments) -> Iterator[_Found]:
    lower = comments.lower
    if "all rights reserved" in lower or "unauthorized" in lower:
        for word in ("proprietary", "confidential"):
            if (at := lower.find(word)) >= 0:
                yield _Found(at, PROPRIETARY, "proprietary")
                return


def _occurrences(word: str, text: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


# --- whose licence, and whether it is denied ---------------------------------------------------------------------

_DENIED = re.compile(r"\b(?:not|never|neither|nor|isn't|aren't|cannot|than)\b(?: [\w',-]+){0,4} ?$")
_OTHERS = re.compile(r"\b(?:derived|based|portions?|parts?|some|from|which|that|check\w*|whether|if|example|e\.g)\b")
_THIS = re.compile(r"\b(?:this|these|it|all|the)\b[^.]*\b(?:is|are|be|asf)\b[^.]{0,20}$")
_ENDS = (".", ":", ";", ",", ")", ">")


def _denied(lower: str, at: int) -> bool:
    before = lower[max(0, at - 60) : at].rpartition(". ")[2]
    return _DENIED.search(before) is not None and "except" not in before


def _is_about_this(comments: Comments, at: int) -> bool:
    """Whether the sentence around an offset speaks of the file: it begins there, or with "this file is"."""
    if comments.begins_paragraph(at):
        return True
    before = comments.lower[max(0, at - 160) : at]
    sentence = re.split(r"[.:;] ", before)[-1].strip()
    if not sentence or "copyright" in sentence or sentence.endswith(("reserved", "(c)")):
        return True
    return _THIS.search(sentence) is not None and _OTHERS.search(sentence) is None
