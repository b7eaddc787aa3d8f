"""Phrases by which a licence's text or its customary header is known, wherever lines break.

They are matched in lower case, in comments without marks and with single spaces (`comments.py`).
"""

import re
from typing import Literal, NamedTuple

from starloom.licenses.categories import PUBLIC_DOMAIN


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

PHRASES = [
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
        re.compile(r"under the terms of the eclipse public license,?[ -]*(?:v\.? ?|version )(\d(?:\.\d)?)"),
        "EPL-{}",
        "header",
    ),
    Phrase(
        "common development",
        re.compile(r"subject to the terms of the common development and distribution license"),
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
            r"\bthis (?:file|code|software|program|work|module|is|source)\b(?! and unencumbered)[^.]{0,60}"
            r"\b(?:in|into|to) the public domain"
        ),
        PUBLIC_DOMAIN,
        "header",
    ),
]
