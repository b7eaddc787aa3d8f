"""Whether a licence text that is not recognised at least says what permissive licences say, and nothing against it.

It names no licence and decides nothing alone: where a package's own metadata names its licence, such a text does not
contradict it. All others do.
"""

import re

from starloom.licenses.restrictions import LIMITED, SECRET, may_restrict
from starloom.licenses.sought import EVERY

_GRANTS = re.compile(
    r"permission is hereby granted|redistribution and use in source and binary forms|permission to use,? copy|"
    r"grants to you a perpetual|licensed under the apache license|released into the public domain|"
    r"permission is granted to anyone|under the terms of \W?either\W? of the licenses found in|"
    r"under the (?:terms of the )?(?:mit|bsd|isc|apache|zlib|psf|python) "
)
_OTHERS = re.compile(
    r"\bgnu\b|\b[al]?gpl|general public|copyleft|\bmozilla\b|\bmpl\b|\beclipse\b|\bcddl\b|common development|\bsspl\b"
    r"|server side public|\bbusl\b|business source|elastic licen|commons clause|creative commons|\bcc[- ]by|\bcecill\b"
    r"|\beupl\b|\bosl\b|open software license|proprietary|confidential|evaluation|non-?\s?commercial|\bacademic"
    r"|educational|royalt(?!y[- ]free)|\bmust not\b|\bshall not be sold|\bnot be sold|prohibited|forbidden"
    r"|ethical|\bdo no harm"
)
# It has one of these: words are much cheaper to look for.
_WORDS_OF_OTHERS = (
    *("gnu", "gpl", "general public", "copyleft", "mozilla", "mpl", "eclipse", "cddl", "common development", "sspl"),
    *("server side public", "busl", "business source", "elastic licen", "commons clause", "creative commons", "cc-by"),
    *("cc by", "cecill", "eupl", "osl", "open software license", "proprietary", "confidential", "evaluation"),
    *("commercial", "academic", "educational", "royalt", "must not", "not be sold", "prohibited", "forbidden"),
    *("ethical", "do no harm"),
)


# Python's licence begins with its history, which compares itself with the GPL, and names the GPL once more below.
_TERMS_OF_PYTHON = "terms and conditions for accessing or otherwise using python"
_ASIDE = re.compile(r"\bgpl[- ]compatible\b|\bpreviously distributed under the gnu general public license \(gpl\)")


def is_plainly_permissive(text: str) -> bool:
    """Whether `text` has words of a permissive grant and none of restriction or of a licence that is not.

    >>> is_plainly_permissive("Redistribution and use in source and binary forms, by friends too, are permitted.")
    True
    >>> is_plainly_permissive("Permission is hereby granted for evaluation only.")
    False
    """
    words = " ".join(text.lower().split())
    words = _ASIDE.sub(" ", words[max(words.find(_TERMS_OF_PYTHON), 0) :])
    return bool(_GRANTS.search(words)) and not (
        (any(map(words.__contains__, _WORDS_OF_OTHERS)) and _OTHERS.search(words))
        or (may_restrict(words, EVERY) and (LIMITED.search(words) or SECRET.search(words)))
    )
