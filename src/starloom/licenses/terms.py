"""Whether comments speak of terms at all: what may be a notice (notices.py), and what is one that nobody could read."""

import re

from starloom.licenses.stems import EVERY, Words

# Every notice that is recognised has one of these; most files have none.
GRANTS = Words(
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

_TERMS = re.compile(
    r"\blicen[cs](?!e\.(?:dat|key))|\bpermi(?:ssion|tted) |\bredistribut|\b[al]?gpl|\bpublic domain\b|\bproprietary\b"
    r"|\bconfidential\b|\bcopyleft\b|\bfreely\b.{0,40}\b(?:use|copi|distribut|modif)|\bfree (?:software|to use)\b"
    r"|\b(?:may|can) be (?:freely |used |copied|distributed|modified)|\bnon-?commercial\b|\bmay not\b"
    r"|\bwithout restriction|\b(?:released|available|distributed|published) under\b|\bpurposes only\b"
)
# What it does not match without, beside GRANTS: words are much cheaper to look for.
TERMS_TOO = Words(
    *("copyleft", "freely", "free software", "free to use", "may be ", "can be ", "may not", "without restriction"),
    "published under",
)
_POINTER = re.compile(
    r"\b(?:see|in|read|view|refer to|consult)\b[^.]{0,60}"
    r"\b(?:(?:licen[cs]e|copying|copyright|notice|readme|about)(?:\.(?:txt|md|rst|html|terms))?|[\w/-]{1,40}\.(?:h|c|txt|md))\b"
    r"(?:[^.]{0,20}\bfile\b)?[^.]{0,120}\.?"
    # of translations: as the program's own
    r"|(?P<same>\bunder the same (?:[\w-]{1,20} )?licen[cs]e as (?:the )?[\w .+-]{1,60})"
)


def may_grant(lower: str, stems: int = EVERY) -> bool:
    """Whether a text of lower case, in which no stems but these stand, has one of the words of notices."""
    return GRANTS.any_in(lower, stems)


def may_speak(lower: str, stems: int = EVERY) -> bool:
    """Whether there are words of terms beside those that `may_grant` looks for: without either, none are spoken of."""
    return TERMS_TOO.any_in(lower, stems)


def may_have_terms(stems: int) -> bool:
    """Whether a text with these stems alone may have either."""
    return bool(GRANTS.where(stems) or TERMS_TOO.where(stems))


def speaks_of_terms(lower: str) -> bool:
    """Whether there are words of a licence beside those that point to a file."""
    return _TERMS.search(lower) is not None and _TERMS.search(_without_pointers(lower)) is not None


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
