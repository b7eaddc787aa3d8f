"""Words that withhold what a licence grants: secrets, and use that is limited to some purpose.

They are matched like the phrases (phrases.py); each leaves no doubt even beside a permissive licence.
"""

import re
from collections.abc import Iterator

from starloom.licenses.categories import PROPRIETARY
from starloom.licenses.comments import Comments
from starloom.licenses.sentences import Found
from starloom.licenses.sought import AnyOf

SECRET = re.compile(
    r"\bproprietary (?:and|&|/) confidential|\bconfidential (?:and|&|/) proprietary|\btrade secrets?\b"
    r"|\b(?:proprietary/confidential|company confidential|confidential information of|proprietary information of)\b"
    r"|\bunauthori[sz]ed (?:copying|use|duplication|reproduction|distribution|disclosure)\b"
    r"|\b(?:copying|reproduction|distribution|disclosure|redistribution|modification)\b[^.]{0,120}"
    r"\bstrictly (?:prohibited|forbidden)"
    r"|\bunpublished (?:proprietary|rights)\b|\bno (?:license|permission) (?:is|to)\b[^.]{0,40}\bgranted\b"
    r"|\ball rights (?:are )?reserved\b[^.]{0,4}\bno part of this\b"
)
LIMITED = re.compile(
    r"\b(?:only|solely|exclusively|free(?:ly)?|permi\w+|granted|licensed|allowed|available|restricted)\b[^.]{0,80}"
    r"\bnon-?\s?(?:commercial|profit)\b"
    r"|\bnon-?\s?commercial(?:,| and| or)?[^.]{0,40}\b(?:purposes?|uses?|research)\b[^.]{0,40}"
    r"\b(?:only|permitted|allowed|free)\b"
    r"|\bcommercial (?:use|usage|distribution|exploitation)\b[^.]{0,60}"
    r"\b(?:prohibited|forbidden|not (?:be )?(?:permitted|allowed)|requires?|must|needs?)\b"
    r"|\b(?:may|must|can|shall)(?: ?not) be (?:used|sold|resold|distributed|redistributed|incorporated)\b[^.]{0,80}\b"
    r"(?:commercial|for profit|sold)"
    r"|\bnot (?:for|to be used for|be used in) commercial\b|\bno commercial use\b"
    r"|\bfor (?:academic|research|educational|evaluation|personal|internal)\b[^.]{0,40}\b(?:only|solely)\b"
    r"|\b(?:only|solely) for (?:academic|research|educational|evaluation|personal|internal|testing)\b"
)


# Without one of these, or "profit", nothing is found: words are much cheaper to look for.
WORDS = AnyOf(
    *("proprietary", "confidential", "trade secret", "unauthori", "strictly ", "unpublished "),
    *("no license ", "no permission ", "no part of this", "commercial", "sold", "for testing"),
    *("for academic", "for research", "for educational", "for evaluation", "for personal", "for internal"),
)


def may_restrict(lower: str, standing: int) -> bool:
    """Whether a text of lower case, in which no phrases but these stand, may have one."""
    # "profits" stands in BSD texts; those of "non-profit" and "for profit" are meant
    return WORDS.any_in(lower, standing) or ("profit" in lower and ("non" in lower or "for profit" in lower))


def proprietary(comments: Comments, beside: bool) -> Iterator[Found]:
    """Restrictions; `beside` other terms only those that leave no doubt."""
    lower = comments.lower
    if found := SECRET.search(lower) or LIMITED.search(lower):
        yield Found(found.start(), found.end(), PROPRIETARY, "proprietary")
    elif not beside and ("all rights reserved" in lower or "unauthorized" in lower):
        for word in ("proprietary", "confidential"):
            if (at := lower.find(word)) >= 0:
                yield Found(at, at + len(word), PROPRIETARY, "proprietary")
                return
