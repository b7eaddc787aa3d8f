"""The notices of many files at once: what is read of each alone; and phrases, looked for where they may stand."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from starloom.licenses import at_once, notices, phrases, restrictions, terms
from starloom.licenses.sought import EVERY, AnyOf, bits_of, every_phrase

WORDS = {
    "grants": terms.GRANTS,
    "terms": terms.TERMS_TOO,
    "others": notices.OF_OTHERS_WORDS,
    "choice": notices.CHOICE_WORDS,
    "restrictions": restrictions.WORDS,
}
SENTENCES = (
    *("SPDX-License-Identifier: MIT", "Licensed under the Apache License, Version 2.0", "License: see LICENSE"),
    *("under the terms of the GNU General Public License", "either version 2 or (at your option) any later version"),
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated",
    *("Proprietary and confidential.", "All rights reserved", "dual licensed", "This file is in the public domain"),
)
BETWEEN = (
    *(" ", "\n", "\n# ", "\n * ", "\r\n// ", "\n\n", "*/", '"""', "\nx = 1\n", "\nimport a\n"),
    *("\u212a", "\u0130", "é", "\u00a0", "\u2028"),
)
BEGINNINGS = ("# ", "/*\n * ", '"""', "", "\ufeff// ")
pieces = st.one_of(st.sampled_from(SENTENCES), st.sampled_from(every_phrase()))
pieces = st.one_of(pieces, pieces.map(str.upper), st.sampled_from(BETWEEN))
texts = st.builds(str.__add__, st.sampled_from(BEGINNINGS), st.lists(pieces).map("".join))


@settings(deadline=None, max_examples=40)
@given(st.lists(texts, max_size=4))
@example(["# Licensed\n#\tunder\n#  the MIT\u2028 \x1clicense.\n"])
@example(["\n" * n + "# SPDX-License-Identifier: MIT" for n in (58, 59, 60)])
@example(["# " + "é" * n + " SPDX-License-Identifier: MIT" for n in (7_969, 7_970, 7_998)])
@example(["# may\u0130 copy, UNAUTHOR\u0130", "# UNAUTHOR\u0130ZED, CONF\u0130DENTIAL; l\u0130cense"])
@example(["# Not free [see the license file. ]software", "# freely, may\n# not", "# a\n#  in the public\n\n# domain"])
@example(["# SPDX-L\u0130cense-Identifier: MIT", "# SPDX-License-Identifier: MIT\n# SPDX-L\u0130cense-Identifier: ISC"])
def test_as_one_by_one(texts):
    contents = [text.encode() for text in texts]
    offsets, data = np.cumsum([0, *map(len, contents)]), np.frombuffer(b"".join(contents), np.uint8)
    together = at_once.read_notices(texts, offsets, data)
    notices._known.clear()
    nothing = (None, None)
    assert [together.get(row, nothing) for row in range(len(texts))] == list(map(notices.read_notice, texts))


def test_a_phrase_is_not_known_too_late():
    assert AnyOf(every_phrase()[0]).any_in(every_phrase()[0], EVERY)
    with pytest.raises(RuntimeError, match="known too late"):
        AnyOf("a phrase that nobody looks for")
    assert "a phrase that nobody looks for" not in every_phrase()


def test_every_phrase_is_known():
    """What is looked for in many files at once are all phrases that anything else asks for."""
    asked = {one.word for one in phrases.PHRASES.where(EVERY)}.union(
        (word for word, _ in terms.TERMS.where(EVERY)), *(one.where(EVERY) for one in WORDS.values())
    )
    assert asked == set(every_phrase())
    assert len(at_once._PHRASES.standing(*np.zeros((2, 1), np.int64), np.zeros(0, np.uint8))[0]) == len(asked) + 2
    assert all(phrase.isascii() and phrase == phrase.lower() for phrase in asked)


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_words_are_looked_for_where_they_may_stand(words):
    for word in words.where(EVERY):
        text = f"so {word} it is"
        assert words.any_in(text, EVERY)
        assert words.any_in(text, bits_of(text))
        assert not words.any_in(text, 0)
