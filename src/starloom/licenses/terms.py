"""Whether comments speak of terms at all: what may be a notice (notices.py), and what is one that nobody could read."""

import re

from starloom.licenses.sought import EVERY, AnyOf, Phrases

# Every notice that is recognised has one of these; most files have none.
GRANTS = AnyOf(
    "licen",
    "permission",
    "permitted",
    "redistribut",
    "public domain",
    "proprietary",
    "confidential",
    "same terms as",
    "commercial",
    "unauthori",
    "gpl",
    "purposes only",
    "released under",
    "available under",
    "distributed under",
)

# Words of terms: one that must be there, cheap to look for, and the pattern.
TERMS = Phrases(
    [
        (word, re.compile(pattern))
        for word, pattern in (
            ("licen", r"licen(?<!\wlicen)[cs](?!e\.(?:dat|key))"),  # the literal first: `re` looks for it much faster
            ("permi", r"permi(?<!\wpermi)(?:ssion|tted) "),
            ("redistribut", r"redistribut(?<!\wredistribut)"),
            ("gpl", r"\b[al]?gpl"),
            ("public domain", r"\bpublic domain\b"),
            ("proprietary", r"\bproprietary\b"),
            ("confidential", r"\bconfidential\b"),
            ("copyleft", r"\bcopyleft\b"),
            ("freely", r"\bfreely\b.{0,40}\b(?:use|copi|distribut|modif)"),
            ("free ", r"\bfree (?:software|to use)\b"),
            ("may be ", r"\bmay be (?:freely |used |copied|distributed|modified)"),
            ("can be ", r"\bcan be (?:freely |used |copied|distributed|modified)"),
            ("commercial", r"\bnon-?commercial\b"),
            ("may not", r"\bmay not\b"),
            ("without restriction", r"\bwithout restriction"),
            (" under", r"\b(?:released|available|distributed|published) under\b"),
            ("purposes only", r"\bpurposes only\b"),
        )
    ],
    lambda one: one[0],
)
# What they do not match without, beside GRANTS.
TERMS_TOO = AnyOf(
    *("copyleft", "freely", "free software", "free to use", "may be ", "can be ", "may not", "without restriction"),
    "published under",
)
# The first letter alone, and what stands before it, so that it is what `re` looks for.
_POINTER = re.compile(
    r"[sirvcu](?<!\w.)(?:(?:(?<=s)ee|(?<=i)n|(?<=r)ead|(?<=v)iew|(?<=r)efer to|(?<=c)onsult)\b[^.]{0,60}"
    r"\b(?:(?:licen[cs]e|copying|copyright|notice|readme|about)(?:\.(?:txt|md|rst|html|terms))?|[\w/-]{1,40}\.(?:h|c|txt|md))\b"
    r"(?:[^.]{0,20}\bfile\b)?[^.]{0,120}\.?"
    # of translations: as the program's own
    r"|(?P<same>(?<=u)nder the same (?:[\w-]{1,20} )?licen[cs]e as (?:the )?[\w .+-]{1,60}))"
)


def may_grant(lower: str, standing: int = EVERY) -> bool:
    """Whether a text of lower case, in which no phrases but these stand, has one of the words of notices."""
    return GRANTS.any_in(lower, standing)


def may_speak(lower: str, standing: int = EVERY) -> bool:
    """Whether there are words of terms beside those that `may_grant` looks for: without either, none are spoken of."""
    return TERMS_TOO.any_in(lower, standing)


def may_have_terms(standing: int) -> bool:
    """Whether a text in which no phrases but these stand may have either."""
    return bool(GRANTS.where(standing) or TERMS_TOO.where(standing))


def speaks_of_terms(lower: str, standing: int = EVERY) -> bool:
    """Whether there are words of a licence beside those that point to a file."""
    # What remains without pointers is put together anew: words that stood apart may become a phrase.
    return _has_terms(lower, standing) and _has_terms(_without_pointers(lower), EVERY)


def _has_terms(lower: str, standing: int) -> bool:
    return any(word in lower and pattern.search(lower) for word, pattern in TERMS.where(standing))


def _without_pointers(lower: str) -> str:
    """Without what points to a file, and up to 200 characters of the sentence before it."""
    pieces, at = [], 0
    for found in _POINTER.finditer(lower):
        begin = found.start()
        if found["same"] is None:
            begin = max(at, lower.rfind(".", at, begin) + 1, begin - 200)
        pieces.append(lower[at:begin])
        at = found.end()
    return " ".join([*pieces, lower[at:]])
