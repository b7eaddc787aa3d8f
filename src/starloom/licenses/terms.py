"""Whether comments speak of terms at all: what may be a notice (notices.py), and what is one that nobody could read."""

import re

from starloom.licenses.sought import EVERY, AnyOf, Phrases, bits_of

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

# Words of terms: one that must be there, cheap to look for, and the pattern: the literal, then what must not stand
# before it, for `re` looks for what a pattern begins with much faster than for a word's beginning.
TERMS = Phrases(
    [
        (word, re.compile(pattern))
        for word, pattern in (
            ("licen", r"licen(?<!\wlicen)[cs](?!e\.(?:dat|key))"),
            ("permi", r"permi(?<!\wpermi)(?:ssion|tted) "),
            ("redistribut", r"redistribut(?<!\wredistribut)"),
            ("gpl", r"gpl(?:(?<!\wgpl)|(?<=[al]gpl)(?<!\w[al]gpl))"),
            ("public domain", r"public domain(?<!\wpublic domain)\b"),
            ("proprietary", r"proprietary(?<!\wproprietary)\b"),
            ("confidential", r"confidential(?<!\wconfidential)\b"),
            ("copyleft", r"copyleft(?<!\wcopyleft)\b"),
            ("freely", r"freely(?<!\wfreely)\b.{0,40}\b(?:use|copi|distribut|modif)"),
            ("free ", r"free (?<!\wfree )(?:software|to use)\b"),
            ("may be ", r"may be (?<!\wmay be )(?:freely |used |copied|distributed|modified)"),
            ("can be ", r"can be (?<!\wcan be )(?:freely |used |copied|distributed|modified)"),
            ("commercial", r"non(?<!\wnon)-?commercial\b"),
            ("may not", r"may not(?<!\wmay not)\b"),
            ("without restriction", r"without restriction(?<!\wwithout restriction)"),
            (
                " under",
                r" under\b(?:(?<=released under)(?<!\wreleased under)|(?<=available under)(?<!\wavailable under)"
                r"|(?<=distributed under)(?<!\wdistributed under)|(?<=published under)(?<!\wpublished under))",
            ),
            ("purposes only", r"purposes only(?<!\wpurposes only)\b"),
        )
    ],
    lambda one: one[0],
)
# Of several words: where pointers are taken out, words that stood apart may become one.
_OF_WORDS = sum(bits_of(word) for word, _ in TERMS.where(EVERY) if " " in word.strip())
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
    return _has_terms(lower, standing) and _has_terms(_without_pointers(lower), standing | _OF_WORDS)


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
