"""Names of people: found where a text says that one stands there; never what a licence wants left standing."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.privacy import names, usernames
from starloom.privacy.finding import Finding
from starloom.privacy.full_names import full_name_at, full_name_before

NAMES = tuple(one for one in names.DETECTORS if one not in usernames.DETECTORS)


@pytest.fixture
def people(detected: Callable[..., list[Finding]]) -> Callable[[str], list[str]]:
    def people(text: str) -> list[str]:
        found = detected(text, NAMES)
        assert {one.kind for one in found} <= {"NAME"}
        return [text[one.start : one.end] for one in found]

    return people


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (" * @author Ada Weaver", "Ada Weaver"),
        (" * @author  Ada Weaver <ada@weaver.dev>", "Ada Weaver"),
        (' * @author <a href="mailto:ada@weaver.dev">Ada Weaver</a>', "Ada Weaver"),
        (" * @authors Ada Weaver, Bo Loom and Cy van der Spin", "Ada Weaver|Bo Loom|Cy van der Spin"),
        ("*> \\author Ada Weaver", "Ada Weaver"),
        ("\\author{Ada Weaver}", "Ada Weaver"),
        ("# Author: Ada Weaver", "Ada Weaver"),
        ("# Author     : Ada Weaver", "Ada Weaver"),
        ("Author(s): Ada Weaver & Bo Loom", "Ada Weaver|Bo Loom"),
        (":author: Ada Weaver", "Ada Weaver"),
        ("AUTHOR: Ada Weaver", "Ada Weaver"),
        ("__author__ = 'Ada Weaver'", "Ada Weaver"),
        ('"author": "Ada Weaver <ada@weaver.dev>",', "Ada Weaver"),
        ('authors = ["Ada Weaver <ada@weaver.dev>", "Bo Loom <bo@weaver.dev>"]', "Ada Weaver|Bo Loom"),
        ("<author>Ada Weaver</author>", "Ada Weaver"),
        ("//  Created by Ada Weaver on 12/03/14.", "Ada Weaver"),
        ("Written by Ada Weaver.", "Ada Weaver"),
        ("Written by:  Ada Weaver\nDate: 1998", "Ada Weaver"),
        ("Rewritten by Ada Weaver", "Ada Weaver"),
        ("Patch by Ada Weaver. [Bug #12]", "Ada Weaver"),
        ("reported by\n\tAda Weaver (ada@weaver.dev)", "Ada Weaver"),
        ("Signed-off-by: Ada Weaver <ada@weaver.dev>", "Ada Weaver"),
        ("Co-authored-by: Ada Weaver", "Ada Weaver"),
        ("Maintainer: Ada Weaver <ada@weaver.dev>", "Ada Weaver"),
        ('"Last-Translator: Ada Weaver, 2024\\n"', "Ada Weaver"),
        ('    maintainers: ["Ada Weaver"],', "Ada Weaver"),
        ("2011-12-19  Ada Weaver  <ada@weaver.dev>", "Ada Weaver"),
        (" -- Ada Weaver <ada@weaver.dev>  Mon, 30 Jan 2012", "Ada Weaver"),
        ('From: "Ada Weaver" <ada@weaver.dev>', "Ada Weaver"),
        ("Wed Jul 18 2012 EST Ada Weaver <ada@weaver.dev>", "Ada Weaver"),
        ("thanks to Ada Weaver (ada@weaver.dev) for", "Ada Weaver"),
        ("ada@weaver.dev (Ada Weaver)", "Ada Weaver"),
        ("@author J. R. Weaver", "J. R. Weaver"),
        ("@author Ada B. Weaver Jr.", "Ada B. Weaver Jr."),
        ("@author Ádám Krizsány-Ó'Brien", "Ádám Krizsány-Ó'Brien"),
        ("@author Алексей Борискин", "Алексей Борискин"),
        ("@author WEAVER Ada", "WEAVER Ada"),
        ("@author Ada McWeaver", "Ada McWeaver"),
        ("@author Ada de la Loom", "Ada de la Loom"),
        ("@author Ada Weaver - first version", "Ada Weaver"),
        ("@author Ada Weaver\r\n", "Ada Weaver"),
    ],
)
def test_where_a_name_is_said_to_be(people, text, found):
    assert people(text) == found.split("|")
    assert people(f"a\n\n{text}") == found.split("|")


@pytest.mark.parametrize(
    "text",
    [
        "@author ada",  # one word: the paper's rule
        "Author: Ada",
        "Ada <ada@weaver.dev>",
        "Author: The Weaver Team",
        "Maintainer: Debian OCaml Maintainers <list@weaver.dev>",
        "@author Univ. of Somewhere",
        "Author: Weaver Software Inc",
        "Author: Ada Weaver Group, LLC",
        "Ada Weaver Group <ada@weaver.dev>",
        "Author: John Doe",
        "Author: Your Name",
        "Written by Foo Bar",
        "author = Author.objects.create(name=name)",
        "author: Option<User>",
        'author: { type: "Text" }',
        "Authors.find_by Name",
        "created by the New Compiler",
        "is overwritten by Pdf Latex",
        "X HAS BEEN OVERWRITTEN BY CTRANS",
        "author = {Ada Weaver and Bo Loom},",  # of a bibliography: an attribution
        "See Also <foo@weaver.dev>",
        "Mon Dec <ada@weaver.dev>",
        "AUTHOR: THE END OF ALL THINGS",
        "the author is Unknown Person",
    ],
)
def test_what_is_no_name(people, text):
    assert people(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Copyright (c) 2010 Ada Weaver <ada@weaver.dev>",
        "© 2010 Ada Weaver <ada@weaver.dev>",
        "(c) Ada Weaver <ada@weaver.dev>",
        "Copyright (c) 2010\n *     Ada Weaver <ada@weaver.dev>\n *     Bo Loom <bo@weaver.dev>",
        "SPDX-FileCopyrightText: 2014 Ada Weaver <ada@weaver.dev>",
        "# Copyright 2001 Weaver Inc.\n# Written by Ada Weaver",
        "This product includes software written by Ada Weaver (ada@weaver.dev)",
        "the following acknowledgement:\n  This is software developed by Ada Weaver.",
        "Licensed under the MIT license, author: Ada Weaver",
        "Redistribution is allowed if you say that it was\n * written by Ada Weaver.",
    ],
)
def test_an_attribution_stands(people, text):
    assert people(text) == []


@pytest.mark.parametrize(
    "text",
    [
        " * @license MIT\n * @author Ada Weaver <ada@weaver.dev>",  # a tag is a paragraph of its own
        " * Copyright 2001 Weaver Inc.\n * @author Ada Weaver",
        '"license": "MIT",\n"author": "Ada Weaver"',
        "s.license = 'MIT'\ns.authors = ['Ada Weaver']",
    ],
)
def test_what_says_who_beside_a_licence_is_no_notice(people, text):
    assert people(text) == ["Ada Weaver"]


def test_a_notice_ends_with_its_paragraph(people):
    text = "# Copyright 2001 Weaver Inc.\n#\n# Written by Ada Weaver\n"
    assert people(text) == ["Ada Weaver"]
    assert people("# license: MIT\r\n#\r\n# Written by Ada Weaver\r\n") == ["Ada Weaver"]
    assert people("# Written by Ada Weaver\n# Copyright 2001 Weaver Inc.\n") == ["Ada Weaver"]  # the holder stays


WORD = st.from_regex(r"[A-ZÁŁ][a-zé]{3,9}", fullmatch=True)


@given(st.lists(WORD, min_size=2, max_size=5), st.sampled_from(["", " ", "\n", ", ", " <", " - ", ")"]))
def test_a_name_reads_the_same_from_both_ends(words, after):
    name = " ".join(words)
    end = full_name_at(f"{name}{after}", 0)
    start = full_name_before(f"({name}", len(name) + 1)
    assert (end is None) == (start is None)
    if end is not None:
        assert (start, end) == (1, len(name))


@given(
    st.text(alphabet="Ab é.'-,<>(@):\n*&", max_size=150),
    st.sampled_from(["@author ", "Author: ", "written by ", "-by: "]),
)
def test_any_text_is_survived_and_names_are_within_it(detected, text, label):
    text = f"x {label}{text}@x.dev ({text}"
    for one in detected(text, NAMES):
        name = text[one.start : one.end]
        assert name == name.strip()
        assert "\n" not in name
        assert 2 <= len(name.split()) <= 5
