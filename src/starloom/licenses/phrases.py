"""Phrases by which a licence's text or its customary header is known, wherever lines break.

They are matched in lower case, in comments without marks and with single spaces (`comments.py`).
"""

import re
from typing import Literal, NamedTuple

from starloom.licenses.categories import PROPRIETARY, PUBLIC_DOMAIN
from starloom.licenses.sought import Phrases


class Phrase(NamedTuple):
    """One licence's words."""

    word: str  # must be there for the pattern to match; cheap to look for
    pattern: re.Pattern[str]
    expression: str  # `{}`: the version that the pattern found; `BSD`: two, three or four clauses, to be told
    kind: Literal["header", "text"]  # a header names the licence, a text is (part of) the licence itself
    needs_subject: bool = False  # the phrase may be said of other works too: its sentence must be about this one


_ISC = (
    r"permission to use, copy, modify,? and(?:/or)? distribute this software for any purpose with or without fee"
    r" is hereby granted"
)

_UNDER = (
    r"\b(?:under|subject to|governed by|according to|(?:accordance|compliance) with) "
    r"(?:the )?(?:terms (?:and conditions )?(?:of|in) )?(?:the )?"
)
_V = r"(?:v\.? ?|version )?"


def _header(word: str, pattern: str, expression: str, needs_subject: bool = False) -> Phrase:
    """A licence that is named after "under", "subject to" or the like."""
    return Phrase(word, re.compile(_UNDER + pattern), expression, "header", needs_subject)


_CC = "(?:a )?creative commons attribution[- ]"

_PHRASES = [
    # Not permissive: wherever they are said to apply, they do.
    _header("common public license", r"(?:ibm )?common public license", "CPL-1.0"),
    _header("ibm public license", r"ibm public license", "IPL-1.0"),
    _header("netscape public license", rf"netscape public license,? {_V}(1\.[01])", "NPL-{}"),
    _header("apple public source", rf"apple public source license,? {_V}([12]\.[0-2])", "APSL-{}"),
    _header("open software license", rf"open software license,? \(?(?:osl)?\)?,? ?{_V}([123]\.[01])", "OSL-{}"),
    _header("european union public", r"european union public licen[cs]e.{0,20}?(1\.[012])", "EUPL-{}"),
    _header("eupl", rf"eupl,? {_V}(1\.[012])", "EUPL-{}"),
    _header("cecill-c", r"cecill-c\b", "CECILL-C"),
    _header("cecill-b", r"cecill-b\b", "CECILL-B", needs_subject=True),
    _header("cecill", r"cecill(?: free software)? licen[cs]e", "CECILL-2.1"),
    _header("q public license", r"q public license", "QPL-1.0"),
    _header("sun public license", r"sun public license", "SPL-1.0"),
    _header("microsoft reciprocal", r"microsoft reciprocal license", "MS-RL"),
    _header("microsoft public", r"microsoft public license", "MS-PL", needs_subject=True),
    _header("server side public", r"(?:mongodb )?server side public license", "SSPL-1.0"),
    _header("business source license", r"business source license", "BUSL-1.1"),
    _header("elastic license", r"elastic license (?:2\.0|v2)", "Elastic-2.0"),
    _header("polyform noncommercial", r"polyform noncommercial license", "PolyForm-Noncommercial-1.0.0"),
    _header("latex project public", r"latex project public license", "LPPL-1.3c"),
    _header("same terms as ruby", r"same terms as ruby", "Ruby"),
    _header(
        "creative commons",
        _CC + r"non-?commercial[- ]share-?alike (?:licen[cs]e )?(?:v|version )?([1234]\.\d)",
        "CC-BY-NC-SA-{}",
    ),
    _header(
        "creative commons",
        _CC + r"non-?commercial[- ]no-?deriv\w+ (?:works )?(?:licen[cs]e )?(?:v|version )?([1234]\.\d)",
        "CC-BY-NC-ND-{}",
    ),
    _header(
        "creative commons",
        _CC + r"non-?commercial (?:licen[cs]e )?(?:v|version )?([1234]\.\d)",
        "CC-BY-NC-{}",
    ),
    _header(
        "creative commons",
        _CC + r"share-?alike (?:licen[cs]e )?(?:v|version )?([1234]\.\d)",
        "CC-BY-SA-{}",
    ),
    _header("cc-by-nc", r"cc-by-nc(?:-[ns][da])?\b", "CC-BY-NC-4.0"),
    _header("cc by-nc", r"cc by-nc(?:-[ns][da])?\b", "CC-BY-NC-4.0"),
    Phrase(
        "commercial license",
        re.compile(r"valid commercial licen[cs]e|commercial licen[cs]e agreement"),
        PROPRIETARY,
        "header",
    ),
    Phrase(
        "license agreement",
        re.compile(
            r"without an? (?:express |prior |written |separate )*license agreement"
            r"|terms of (?:the|a|your) license agreement"
        ),
        PROPRIETARY,
        "header",
    ),
    # Permissive: the sentence must be about this file.
    Phrase(
        "either of",
        re.compile(
            r"licensed under either of(?: the)?(?: following)?:? ?apache license,? version 2\.0.{0,250}?"
            r"\bmit licen[cs]e"
        ),
        "Apache-2.0 OR MIT",
        "header",
        needs_subject=True,
    ),
    Phrase(
        "mit license",
        re.compile(r"under the apache license,? version 2\.0.{0,160}? or the mit license.{0,160}?at your option"),
        "Apache-2.0 OR MIT",
        "header",
    ),
    _header("php license", r"version (3\.01|3\.0) of the php license", "PHP-{}", needs_subject=True),
    _header(
        "zope public license",
        rf"(?:provisions of the )?zope public license,? {_V}(2\.[01])",
        "ZPL-{}",
        needs_subject=True,
    ),
    _header("open font license", r"sil open font license,? (?:v|version )?1\.1", "OFL-1.1", needs_subject=True),
    _header("academic free license", rf"academic free license,? {_V}(\d\.\d)", "AFL-{}", needs_subject=True),
    _header("universal permissive", r"universal permissive license", "UPL-1.0", needs_subject=True),
    _header("mulan psl", r"mulan psl v2", "MulanPSL-2.0", needs_subject=True),
    _header("artistic license", rf"artistic license,? {_V}2", "Artistic-2.0"),
    Phrase(
        "apache licen",
        re.compile(
            r"(?:licensed|licenses this file to you|released|distributed|available) under (?:the terms of )?"
            r"the apache license,? (?:version |v\.? ?)?(2|1\.1)\b"
        ),
        "Apache-{}",
        "header",
        needs_subject=True,
    ),
    Phrase(
        "mozilla",
        re.compile(r"subject to the (?:terms of the )?mozilla public license,? (?:v\.? ?|version )(\d(?:\.\d)?)"),
        "MPL-{}",
        "header",
    ),
    Phrase(
        "eclipse",
        re.compile(rf"{_UNDER}eclipse public license,?[ -]*{_V}(\d(?:\.\d)?)"),
        "EPL-{}",
        "header",
    ),
    Phrase(
        "common development",
        re.compile(
            rf"{_UNDER}(?:either )?(?:the )?common development and distribution license"
            rf",? ?\(?(?:cddl)?\)?,? ?{_V}(1\.1)"
        ),
        "CDDL-{}",
        "header",
    ),
    Phrase(
        "common development",
        re.compile(r"common development and distribution license(?! ?(?:,|\(|\"|cddl)* ?(?:v\.? ?|version )1\.1)"),
        "CDDL-1.0",
        "header",
    ),
    Phrase(
        "boost",
        re.compile(r"distributed under the boost software license,? version 1\.0"),
        "BSL-1.0",
        "header",
        needs_subject=True,
    ),
    Phrase(
        "under the same terms as perl",
        re.compile(r"under the same terms as perl"),
        "Artistic-1.0-Perl OR GPL-1.0-or-later",
        "header",
    ),
    Phrase(
        "permission is hereby granted",
        re.compile(
            r"permission is hereby granted, free of charge, to any person obtaining a copy of this software and assoc"
        ),
        "MIT",
        "text",
    ),
    Phrase("not evil", re.compile(r"the software shall be used for good, not evil"), "JSON", "text"),
    Phrase("commons clause", re.compile(r"commons clause"), "LicenseRef-scancode-commons-clause", "text"),
    Phrase(
        "redistribution",
        re.compile(r"redistribution and use in source and binary forms, with or without modification, are permitted"),
        "BSD",
        "text",
    ),
    Phrase("permission to use", re.compile(_ISC + r", provided that"), "ISC", "text"),
    Phrase("permission to use", re.compile(_ISC + r"\."), "0BSD", "text"),
    Phrase(
        "permission to use",
        re.compile(
            r"permission to use, copy, modify,? (?:and )?(?:sell|distribute)\b.{0,40} its documentation for any"
        ),
        "HPND",
        "text",
    ),
    Phrase(
        "granted to anyone",
        re.compile(r"permission is granted to anyone to use this software for any purpose, including commercial app"),
        "Zlib",
        "text",
    ),
    Phrase(
        "unlimited permission to copy",
        re.compile(
            r"unlimited permission to copy and/or distribute it, with or without modifications, as long as this"
        ),
        "FSFULLR",
        "text",
    ),
    Phrase(
        "copying and distribution of this file",
        re.compile(r"copying and distribution of this file, with or without modification, are permitted in any medium"),
        "FSFAP",
        "text",
    ),
    Phrase(
        "unencumbered",
        re.compile(r"this is free and unencumbered software released into the public domain"),
        "Unlicense",
        "text",
    ),
    Phrase(
        "extent possible under law",
        re.compile(r"to the extent possible under law.{0,160}(?:waived|cc0)"),
        "CC0-1.0",
        "header",
    ),
    Phrase(
        "public domain",
        re.compile(
            r"\bthis (?:file|code|software|program|work|module|is|source)\b(?! free and unencumbered)[^.]{0,60}"
            r"\b(?:in|into|to) the public domain"
        ),
        PUBLIC_DOMAIN,
        "header",
    ),
]

PHRASES = Phrases(_PHRASES, lambda one: one.word)
