"""Known licence texts inside a file that says a little more: an introduction, a title, whose port it is.

A text is found by the words it begins and ends with and must be, from the one to the other, a text of the table. What
is left over must be short and harmless: no word that could narrow or widen what is granted or to what, no name of a
licence whose text is not there. So the file is as permissive as the texts in it, and what cannot be told stays
unrecognised.

Works on normalised words (texts.normalise). Cost: about 0.1 ms a file.
"""

import re
from collections.abc import Callable

MAX_REST = 60  # words beside the texts
MAX_TEXTS = 10

# First and last words of the texts that are met most with something around them.
_TEXTS = re.compile(
    r"\b(?:permission is hereby granted free of charge to any person obtaining .*? dealings in the software"
    r"|permission to use copy modify and(?: or)? distribute this software .*? performance of this software"
    r"|redistribution and use in source and binary forms .*? possibility of such damage"
    r"|terms and conditions for use reproduction and distribution definitions .*? any such warranty or additional"
    r" liability)\b"
)

_BEGINNINGS = (
    "permission is hereby granted free of charge",
    "permission to use copy modify and",
    "redistribution and use in source and binary forms",
    "terms and conditions for use reproduction and distribution definitions",
)

# What may limit, add to or replace the texts.
_GRAVE = re.compile(
    r"\b(?:but|besides|apart|aside|excluding|other|parts?|portions?|some|most|more|files?|examples?|remain\w*|respective"
    r"|except\w*|not|no|non|only|must|shall|may|restrict\w*|prohibit\w*|commercial\w*|fees?|royalt\w*|unless"
    r"|conditions?|provided|subject|requir\w*|permi\w*|patents?|trademarks?|warrant\w*|liab\w*|rights?|redistribut\w*"
    r"|proprietary|confidential|copyleft|ethical|gnu|[al]?gpl\w*|mozilla|mpl|eclipse|epl|creative|commons|cc|eupl|cddl)\b"
)
_NAMES = (
    "apache",
    "mit",
    "bsd",
    "isc",
    "psf",
    "python",
    "zlib",
    "artistic",
    "boost",
    "unlicense",
    "cc0",
    "ncsa",
    "w3c",
)


def contained(normalised: str, look_up: Callable[[str], str | None]) -> list[str]:
    """The licences (each once, sorted) whose texts make up the file but for a harmless rest; [] where that is not so.

    `look_up`: the SPDX id of a normalised text, or None.
    """
    if not any(map(normalised.__contains__, _BEGINNINGS)):
        return []
    found: set[str] = set()
    rest, end = [], 0
    for number, text in enumerate(_TEXTS.finditer(normalised)):
        known = look_up(text[0])
        if known is None or number == MAX_TEXTS:
            return []
        found.add(known)
        rest.append(normalised[end : text.start()])
        end = text.end()
    rest.append(normalised[end:])
    words = " ".join(rest)
    if not found or len(words.split()) > MAX_REST or _GRAVE.search(words):
        return []
    named = {name for name in _NAMES if re.search(rf"\b{name}\b", words)}
    if any(not any(name in one.lower() for one in found) for name in named):
        return []
    return sorted(found)
