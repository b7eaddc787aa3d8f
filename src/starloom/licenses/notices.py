"""A file's own licence notice: what the comments at its top say it is under.

Only the leading comments count: line comments, block comments and a docstring, up to the first line of code, of
the first 60 lines and 8,000 characters. Shebangs, `<?php`, `package`, `import`, `#include` and the like do not
end them. So a licence named in a string, a table of licences or the middle of a file is no notice of the file.

A notice is a recognised phrase, not a mention: "not under the GPL", "see LICENSE" or "a BSD-style license that can
be found in the LICENSE file" (a pointer: the licence files of its folders speak) give none. Where several are
found, an SPDX tag decides, unless the words beside it are of another, restrictive licence; otherwise all apply (AND),
unless the words offer a choice ("alternatively"). Permissive terms are not the file's own where the comments say that
parts derive from elsewhere: they may be those parts' alone. Words of restriction beside a licence ("non-commercial use
only", "proprietary and confidential") apply too. What speaks of a licence but cannot be read, `unrecognised` hands
out for a scanner.

Cost: 2 µs for a file that begins with code, about 35 µs for one whose top has none of the words, 120 µs for one
that has words but no notice, 230 µs for one with a notice; `unrecognised` 35 µs for a file without a notice.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from starloom.licenses.categories import UNKNOWN, canonical, expression_class
from starloom.licenses.comments import Comments, begins_with_code, comments_of, leading_lines
from starloom.licenses.expressions import join, parse, rename, symbols
from starloom.licenses.metadata import name_expression
from starloom.licenses.phrases import PHRASES
from starloom.licenses.restrictions import may_restrict, proprietary
from starloom.licenses.sentences import Found, Kind, denied, is_about_this, occurrences
from starloom.licenses.sought import EVERY, AnyOf
from starloom.licenses.terms import may_grant, may_speak, speaks_of_terms


@dataclass(frozen=True, slots=True)
class Notice:
    """An SPDX expression, the lines it begins and ends on (1-based), and what kind of words said so."""

    expression: str
    line: int
    kind: Kind
    end: int


def own_notice(text: str) -> Notice | None:
    """The notice of the file with this text, or None.

    >>> own_notice("#!/bin/sh\\n# SPDX-License-Identifier: MIT\\necho\\n")
    Notice(expression='MIT', line=2, kind='spdx', end=2)
    """
    return read_notice(text)[0]


def unrecognised(text: str) -> Comments | None:
    """The comments at the top, if they speak of terms that `own_notice` could not read; or None.

    A pointer to a licence file is left out: that file speaks.

    >>> unrecognised("# You may copy this with the permission of the king.\\nx = 1\\n").text
    'You may copy this with the permission of the king.'
    """
    return read_notice(text)[1]


def read_notice(text: str) -> tuple[Notice | None, Comments | None]:
    """`own_notice` and `unrecognised` of a text at once. At most one of them is there."""
    if begins_with_code(text):
        return None, None
    lines, numbers = leading_lines(text)
    return read_comments("\n".join(lines), numbers)


def read_comments(text: str, numbers: list[int], standing: int = EVERY) -> tuple[Notice | None, Comments | None]:
    """`read_notice` of a file with these leading lines, in which no phrases but those `standing` are."""
    if not numbers:
        return None, None
    # The files of a project have one header: what was read of it holds for the next, some lines further down or up.
    first = numbers[0]
    key = (text, tuple([number - first for number in numbers]))
    known = _known.get(key)
    if known is None:
        if len(_known) >= _MAX_KNOWN:
            _known.clear()
        known = _known[key] = _read(comments_of(text, numbers), standing)
    notice, is_unread = known
    if notice is not None:
        notice = replace(notice, line=notice.line + first, end=notice.end + first)
    return notice, comments_of(text, numbers) if is_unread else None


_MAX_KNOWN = 512  # of 8 kB at most
_known: dict[tuple[str, tuple[int, ...]], tuple[Notice | None, bool]] = {}


def _read(comments: Comments, standing: int) -> tuple[Notice | None, bool]:
    """The notice, its lines counted from the first one, and whether the comments speak of what could not be read."""
    lower, first = comments.lower, comments.numbers[0]
    grants = may_grant(lower, standing)
    if grants and (notice := notice_of(comments, standing)):
        return replace(notice, line=notice.line - first, end=notice.end - first), False
    return None, (grants or may_speak(lower, standing)) and speaks_of_terms(lower, standing)


# Without one of these a pattern of the same name does not match: words are much cheaper to look for.
OF_OTHERS_WORDS = AnyOf(
    *("portions ", "parts ", "sections ", "under the following licen", "includes code "),
    *("adapted from", "borrowed from", "copied from", "taken from"),
)
CHOICE_WORDS = AnyOf(
    *("alternatively", "dual licen", "dual-licen", "dually licen", "dually-licen", "either licen", "either of the "),
    "of your choice",
)


def notice_of(comments: Comments, standing: int = EVERY) -> Notice | None:
    """The notice in lines that are known to speak of the licence: leading comments, a section of a README. No phrases
    but those `standing` are there."""
    if not comments.text:
        return None
    lower = comments.lower
    tags = list(_spdx(comments))
    words = sorted((*_gnu(comments), *_headers(comments, standing), *_statements(comments)), key=lambda one: one.at)
    beside = bool(tags or words)
    limits = list(proprietary(comments, beside)) if may_restrict(lower, standing) else []
    if tags:
        known = {_family(id) for tag in tags for id in symbols(tag.expression)}
        # Contradictions only: the words of the tag's own licence, or of permissive ones for parts, add nothing.
        other = [one for one in (*words, *limits) if not known & {_family(id) for id in symbols(one.expression)}]
        found = tags + [one for one in other if expression_class(one.expression) != "permissive"]
    else:
        found = words + limits
        if any("-NC" in one.expression for one in words):  # that is what is limited
            found = [one for one in found if one.kind != "proprietary"]
        found += [more for one in words if (more := _more(lower, one, words))]
        if (OF_OTHERS_WORDS.any_in(lower, standing) and _OF_OTHERS.search(lower)) or _DERIVED.search(lower):
            found = [one for one in found if expression_class(one.expression) != "permissive"]
    if not found:
        return None
    limits_too = [one.expression for one in found if one.kind == "proprietary"]
    grants = [one.expression for one in found if one.kind != "proprietary"]
    if grants and not tags and CHOICE_WORDS.any_in(lower, standing) and _CHOICE.search(lower):
        grants = [join(grants, "OR")]
    first, last = min(found, key=lambda one: one.at), max(one.end for one in found)
    expression = join(grants + limits_too, "AND")
    return Notice(expression, comments.line_at(first.at), first.kind, comments.line_at(max(last - 1, 0)))


# "… the MIT license and the GPL": the second name may be in no form that is read.
_AND_MORE = re.compile(
    r"[\"')]*,? ?(?:and|plus|with|as well as|&|\+)\b[^.]{0,40}?\b(?:[al]?gpl\w*|general public|mozilla|mpl|eclipse|epl"
    r"|cddl|commons clause|commercial|proprietary|cc[ -]by[ -]n[cd])\b"
)


def _more(lower: str, one: Found, words: list[Found]) -> Found | None:
    """An unknown licence where restrictive terms follow a permissive notice by "and" and nothing else names them."""
    if one.kind == "text" or expression_class(one.expression) != "permissive":
        return None
    if any(expression_class(other.expression) != "permissive" for other in words):
        return None
    more = _AND_MORE.match(lower, one.end)
    return Found(one.end, more.end(), UNKNOWN, one.kind) if more else None


def _family(spdx_id: str) -> str:
    return spdx_id.lower().split("-")[0]


# The terms of a part taken from elsewhere free the file of nothing: a permissive notice is then not the file's own.
_OF_OTHERS = re.compile(
    r"\b(?<!substantial )(?:portions|parts|sections) (?:of|are|copyright)\b"
    r"|\bunder the following licen[cs]e terms\b"
    r"|\b(?:adapted|borrowed|copied|taken) from\b|\bincludes code (?:from|of)\b"
)
# The same of what is derived; the literal first, so that it is what is looked for.
_DERIVED = re.compile(r"derive(?<!\wderive)(?<!products derive)[sd]? from\b")
_CHOICE = re.compile(
    r"\balternatively\b.{0,120}\b(?:licen[cs]e|terms)\b|\bdual(?:ly)?[- ]licen"
    r"|\beither (?:of the (?:two |following )?)?licen[cs]e|\blicen[cs]e of your choice\b"
)


# --- SPDX tags ---------------------------------------------------------------------------------------------------

_SPDX = re.compile(r"spdx-licen[cs]e-identifier\s*:\s*([\w.+:() -]+)", re.IGNORECASE)


def _spdx(comments: Comments) -> Iterator[Found]:
    if "spdx-licen" not in comments.lower:
        return
    for start, line in comments.lines_with("pdx-l"):  # in every tag, whatever stands for `s` or `i` in any case
        tag = _SPDX.search(line)
        # A sentence about tags is none; copyright lines and "@license" do stand before them.
        if tag and (not (before := line[: tag.start()].strip().lower()) or "copyright" in before or before[0] == "@"):
            expression = _tagged(tag[1].strip())
            if expression:
                yield Found(start, start + len(line), expression, "spdx")


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

# What stands before the name, to its end, and the name. The first letter alone, then what it begins: `re` looks for it.
_GRANT = re.compile(
    r"[ubsac](?<!\w.)(?:(?<=u)nder|(?<=b)y|(?<=s)ubject to|(?<=a)ccording to|(?:(?<=a)ccordance|(?<=c)ompliance) with)"
    r" (?:the )?(?:same )?"
    r"(?:terms (?:and conditions )?of )?(?:either:? )?(?:the )?"
    r"(?:version (?P<version>\d(?:\.\d)?)"
    r"(?P<later>,? or (?:\(?at your option\)? )?(?:any )?later(?: version)?)?,? of )?(?:the )?$"
)
_NAME = re.compile(r"gnu (?P<family>(?:affero|lesser|library|library or lesser) )?(?:general )?public licen[cs]e")
_VERSION = re.compile(r".{0,120}?\b(?:version |v\.? ?)(\d(?:\.\d)?)\b(.{0,80})")
_LATER = re.compile(r"\bor,? (?:\(?at your option\)?,? )?(?:\(?any )?(?:later|newer)|^\s?\+|\bor above\b")
_FAMILIES = {"affero": "AGPL", "lesser": "LGPL", "library": "LGPL", "": "GPL"}
_FIRST = {"GPL": "1.0", "LGPL": "2.0", "AGPL": "1.0"}  # without a version: any, from the first one on


def _gnu(comments: Comments) -> Iterator[Found]:
    lower = comments.lower
    for at in occurrences("gnu ", lower):
        name = _NAME.match(lower, at)
        grant = _GRANT.search(lower, max(0, at - 160), at) if name else None
        if name and grant and not denied(lower, grant.start()):
            family = _FAMILIES[(name["family"] or "").split(" ")[0]]
            version, later = grant["version"], grant["later"] is not None
            if version is None and (after := _VERSION.match(lower, name.end())):
                version, later = after[1], _LATER.search(after[2]) is not None
            if version is None:
                version, later = _FIRST[family], True
            version = version if "." in version else f"{version}.0"
            end = name.end()
            if after := _VERSION.match(lower, end):
                end = after.end(1) + (late.end() if (late := _LATER.search(after[2])) else 0)
            yield Found(grant.start(), end, f"{family}-{version}-{'or-later' if later else 'only'}", "gnu")


# --- headers and texts that are known by a phrase ----------------------------------------------------------------


def _headers(comments: Comments, standing: int) -> Iterator[Found]:
    lower = comments.lower
    for phrase in PHRASES.where(standing):
        if phrase.word not in lower or not (found := phrase.pattern.search(lower)):
            continue
        at = found.start()
        if denied(lower, at) or (phrase.needs_subject and not is_about_this(comments, at)):
            continue
        expression = phrase.expression
        if expression == "BSD":
            expression = _bsd(lower, at)
        elif expression.endswith("{}"):
            expression = expression.format(found[1] if "." in found[1] else f"{found[1]}.0")
        end = found.end()
        if phrase.kind == "text":
            closers = (lower.find(closer, end) + len(closer) for closer in _CLOSERS if closer in lower[end:])
            end = min(closers, default=end)
        yield Found(at, end, expression, phrase.kind)


# With what the texts of the table end.
_CLOSERS = (
    "other dealings in the software",
    "possibility of such damage",
    "performance of this software",
    "from any source distribution",
    "arising from, out of or in connection with the software",
)


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


# Only GNU's, which restrict: "under the terms of the GPL v2, see there".
_ABBREVIATED = re.compile(
    r" (?:under|by|to) (?:the )?(?:terms (?:and conditions )?of )?(?:the )?(?:gnu )?(?P<family>[al]?gpl)"
    r"(?: licen[cs]e)?(?:[ ,-]*v(?:ersion)?\.? ?|[ -]?)(?P<version>\d(?:\.\d)?)?(?P<rest>[^.]{0,60})"
)


def _statements(comments: Comments) -> Iterator[Found]:
    lower = comments.lower
    for under in (*occurrences(" under ", lower), *occurrences(" governed by ", lower)):
        if (found := _statement(comments, under)) or (found := _abbreviated(lower, under)):
            yield found
    for start, line in comments.lines_with("cen"):  # of "license", in any case and spelling that a tag may have
        if tag := _TAG.match(line):
            expression = name_expression(_REST.sub("", tag[1] or tag[2] or tag[3]).strip(" .,;()"))
            if expression and parse(expression):
                yield Found(start, start + len(line), expression, "statement")


def _statement(comments: Comments, under: int) -> Found | None:
    """A verb, "under", and a name that is known to the end of its clause."""
    lower = comments.lower
    verb = lower[lower.rfind(" ", 0, under) + 1 : under]
    found = _UNDER.match(lower, under) if verb in _VERBS else None
    if found is None or "public licen" in found[0]:
        return None  # GNU's are read above, with their versions
    at = under if verb in ("is", "are") else under - len(verb)
    expression = name_expression(found["name"] + (found["version"] or "").replace(",", ""))
    if expression is None or not parse(expression) or denied(lower, at):
        return None
    if expression_class(expression) == "permissive" and not is_about_this(comments, at):
        return None
    end = found.end()
    if (second := _SECOND.match(lower, end)) and (other := name_expression(second[2])) and parse(other):
        expression, end = join([expression, other], second[1].upper()), second.end()
    if lower[max(0, at - 5) : at] in ("dual ", "dual-"):
        expression = expression.replace(" AND ", " OR ")
    return Found(at, end, expression, "statement")


_SECOND = re.compile(r",? (and|or) (?:the )?((?:[^.;:(]|\.(?=\d)){2,40}?)(?: licen[cs]es?\b|[.;:(,]|$)")


def _abbreviated(lower: str, under: int) -> Found | None:
    found = _ABBREVIATED.match(lower, under)
    if found is None or denied(lower, under):
        return None
    name = f"{found['family']} {found['version'] or ''}"
    expression = name_expression(f"{name}+" if _LATER.search(found["rest"]) else name)
    return Found(under + 1, found.start("rest"), expression, "gnu") if expression else None
