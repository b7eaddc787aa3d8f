"""Whole licence texts: what counts as the same, and what does not."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.licenses import categories, texts
from starloom.licenses.texts import normalise, recognise

_COMMON = Path("/usr/share/common-licenses")
_IDS = {  # Debian's name of the file, and whose text it is
    "Apache-2.0": "Apache-2.0",
    "Artistic": "Artistic-1.0-Perl",
    "BSD": "BSD-3-Clause",
    "CC0-1.0": "CC0-1.0",
    "GFDL-1.2": "GFDL-1.2-only",
    "GFDL-1.3": "GFDL-1.3-only",
    "GPL-1": "GPL-1.0-only",
    "GPL-2": "GPL-2.0-only",
    "GPL-3": "GPL-3.0-only",
    "LGPL-2": "LGPL-2.0-only",
    "LGPL-2.1": "LGPL-2.1-only",
    "LGPL-3": "LGPL-3.0-only",
    "MPL-1.1": "MPL-1.1",
    "MPL-2.0": "MPL-2.0",
}

MIT = """MIT License

Copyright (c) 2020 Somebody

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""
_MIT_BODY = MIT.split("Somebody\n\n")[1]

ISC = """Copyright (c) 2020 Somebody

Permission to use, copy, modify, and/or distribute this software for any
purpose with or without fee is hereby granted, provided that the above
copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR
IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
"""

BSD = """Copyright (c) 2020, The Regents
All rights reserved.

Redistribution and use in source and binary forms, with or without
modification, are permitted provided that the following conditions are met:

1. Redistributions of source code must retain the above copyright notice, this
   list of conditions and the following disclaimer.

2. Redistributions in binary form must reproduce the above copyright notice,
   this list of conditions and the following disclaimer in the documentation
   and/or other materials provided with the distribution.

3. Neither the name of the copyright holder nor the names of its
   contributors may be used to endorse or promote products derived from
   this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS"
AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE
IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE
FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER
CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY,
OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
"""


def _comment(text, mark):
    return "\n".join(f"{mark} {line}".rstrip() for line in text.splitlines())


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        (MIT, "MIT"),
        (_MIT_BODY, "MIT"),  # without title and holder
        ("The MIT License (MIT)\n\n" + _MIT_BODY, "MIT"),
        ("# The MIT License\n\n> Copyright © 2020 Ünal Ö. <u@example.org>\n\n" + _MIT_BODY, "MIT"),
        (MIT.replace("Somebody", "Somebody,\n  Somebody Else and\n  Others <x@example.org>"), "MIT"),
        (MIT.replace("(c) 2020 Somebody", "npm, Inc. and contributors"), "MIT"),
        ("Foo - Copyright (c) 1996-2014 Bar, Inc.\n\n" + _MIT_BODY, "MIT"),
        ("This software is released under the MIT license:\n\n" + _MIT_BODY, "MIT"),
        (MIT.replace('"', "``").replace("sublicense", "sub-license"), "MIT"),
        (MIT.replace("NONINFRINGEMENT", "NON-\nINFRINGEMENT"), "MIT"),
        (MIT.replace("\n", "\r\n"), "MIT"),
        (" ".join(_MIT_BODY.split()), "MIT"),
        (_comment(MIT, "//"), "MIT"),
        (_comment(MIT, " *"), "MIT"),
        (_comment(MIT, "dnl"), "MIT"),
        (ISC, "ISC"),
        ("ISC License\n===========\n\n" + ISC, "ISC"),
        (ISC.replace("THE AUTHOR", "ACME"), "ISC"),
        (BSD, "BSD-3-Clause"),
        (BSD.replace("1.", "*").replace("2.", "-").replace("3.", "(c)"), "BSD-3-Clause"),
        (BSD.replace("the copyright holder nor", "Acme GmbH & Co. KG nor"), "BSD-3-Clause"),
        (BSD.replace("THE COPYRIGHT HOLDERS AND CONTRIBUTORS", "ACME"), "BSD-3-Clause"),
        (BSD.replace("Neither the name of the copyright holder nor the names of its\n   contributors may be",
                     "The name of the author may not be"), "BSD-3-Clause"),
        (BSD[: BSD.index("3.")] + BSD[BSD.index("THIS") :], "BSD-2-Clause"),
        # Two texts and a line between: both apply.
        (MIT + "\n--------\n\n" + ISC, "MIT AND ISC"),
        (MIT + "\n/*********/\n" + MIT, "MIT"),
        # Texts among harmless words: a port, an introduction, no line between, a choice read as both.
        ("MIT License\n\nCopyright Jane Doe <j@x.org>\n\nTypeScript port Copyright I. Z. S.\n\n" + _MIT_BODY, "MIT"),
        ("All contributions towards x are MIT licensed.\n\n----\n" + MIT, "MIT"),
        ("x was created by Jane. It is a derivative work of y.\n\n" + MIT + "\nThis is its license:\n" + MIT, "MIT"),
        (MIT + "\n" + ISC, "ISC AND MIT"),
        ("Dual licensed, take your pick.\n--------\n" + MIT + "\n--------\n" + ISC, "ISC AND MIT"),
    ],
)  # fmt: skip
def test_recognised(text, expression):
    found = recognise(text)
    assert found is not None
    assert found.expression == expression


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "MIT License\n",  # a title is no licence
        "Copyright (c) 2020 Somebody. All rights reserved.\n",
        "See LICENSE.\n",
        MIT + "\nNot for commercial use.\n",
        "Everything but src/x is under:\n\n" + MIT,
        "Parts are licensed under the MIT license:\n\n" + _MIT_BODY,
        "GNU General Public License\n\n" + _MIT_BODY,  # a contradiction
        MIT.replace("Somebody", "Somebody. Non-commercial use only."),
        MIT.replace("Somebody", "Somebody\nCommercial Use Prohibited"),
        MIT.replace("without restriction", "with some restrictions"),
        MIT.replace("sublicense, and/or sell", "and/or sublicense"),
        MIT + "\n--------\n\nAnd some more words of my own.\n",
        "Our files are under the MIT license, Acme's under the Apache license:\n\n" + _MIT_BODY,
        "All contributions are MIT licensed. It was taken from x, which is under the Apache license.\n\n" + MIT,
        (MIT + "\n--------\n") * 11,
        "a" * (texts.MAX_LENGTH + 1),
    ],
)
def test_not_recognised(text):
    assert recognise(text) is None


def test_normalise():
    assert normalise("// 1. Sub-licences:   “Fair”\n//    use.\n") == "sub licenses fair use"
    assert normalise("already normal") == "already normal"


_marks = st.sampled_from(["", "#", "//", " *", ";;", "--", "%", "dnl", "REM"])
_words = st.lists(st.sampled_from([*MIT.split(), *BSD.split(), "©", "(a)", "2020", "\n", "\n\n", "licence"])).map(
    " ".join
)


@given(st.one_of(_words, st.text()))
def test_normalising_twice_is_normalising_once(text):
    once = normalise(text)
    assert normalise(once) == once


@given(st.sampled_from([MIT, ISC, BSD]), _marks, st.sampled_from(["\n", "\r\n"]), st.integers(0, 8), st.booleans())
def test_white_space_comments_and_case_do_not_matter(text, mark, end, indent, upper):
    changed = _comment(text, mark).replace("\n", end + " " * indent)
    if upper:
        # Lower-case copyright lines look like sentences, upper-case ones do not.
        changed = changed.upper()
    assert normalise(changed) == normalise(text)


@pytest.mark.parametrize(
    "line", ["#" * 100_000 + "x", "*" * 100_000, "copyright " * 10_000, "- " * 50_000 + "x", "(" * 100_000]
)
def test_hostile_lines_are_no_trouble(line):
    recognise(f"{line}\n{line[:50_000]}")


@pytest.mark.skipif(not _COMMON.is_dir(), reason="no /usr/share/common-licenses: not a Debian system")
@pytest.mark.parametrize("name", _IDS)
def test_common_licenses(name):
    path = _COMMON / name
    if not path.is_file():
        pytest.skip(f"this Debian has no {path}")
    text = path.read_text(encoding="utf-8")
    assert recognise(text) == texts.Recognised(_IDS[name])


@pytest.mark.skipif(not (_COMMON / "GPL-2").is_file(), reason="no /usr/share/common-licenses/GPL-2")
def test_appendices_are_no_part_of_the_terms():
    text = (_COMMON / "GPL-2").read_text(encoding="utf-8")
    terms = text[: text.index("How to Apply These Terms")]
    assert "END OF TERMS" in terms
    filled = text.replace("<one line to give", "Foo\n\n one line to give").replace(
        "51 Franklin Street, Fifth Floor", "59 Temple Place"
    )
    for variant in (terms, terms.replace("END OF TERMS AND CONDITIONS", ""), filled):
        assert recognise(variant) == texts.Recognised("GPL-2.0-only")
    assert recognise(text + "\nAs a special exception, you may link.\n") is None


def test_table_is_well_formed():
    table = texts._table()
    assert len(table) > 1_100
    assert len(set(table.values())) > 600
    assert all(len(key) == 16 for key in table)
    unknown = {spdx_id for spdx_id in table.values() if categories.license_class(spdx_id) is None}
    assert len(unknown) < 40  # newer on SPDX's list than in ScanCode's index: not permissive


@pytest.mark.parametrize(
    ("name", "file", "expression"),
    [
        ("click", "LICENSE.txt", "BSD-3-Clause"),
        ("jinja2", "LICENSE.txt", "BSD-3-Clause"),
        ("rich", "LICENSE", "MIT"),
        ("pytest", "LICENSE", "MIT"),
        ("pluggy", "LICENSE", "MIT"),
        ("attrs", "LICENSE", "MIT"),
        ("six", "LICENSE", "MIT"),
        ("pygments", "LICENSE", "BSD-2-Clause"),
        ("setuptools", "LICENSE", "MIT"),
        ("duckdb", "LICENSE", "MIT"),
        ("sqlglot", "LICENSE", "MIT"),
        ("numpy", "LICENSE.txt", None),  # and the licences of what it bundles
        ("pyarrow", "LICENSE.txt", None),
        ("packaging", "LICENSE", None),  # names two other files
    ],
)
def test_installed_distributions(name, file, expression):
    try:
        files = distribution(name).files or []
    except PackageNotFoundError:
        pytest.skip(f"{name} is not installed here")
    paths = [
        one
        for one in files
        if one.name == file and ".dist-info" in str(one) and one.parent.name in ("licenses", one.parts[0])
    ]
    if not paths:
        pytest.skip(f"{name} has no {file} here")
    found = recognise(Path(str(paths[0].locate())).read_text(encoding="utf-8"))
    assert (found.expression if found else None) == expression


def test_the_gpl_2_as_it_was_before_1999():
    path = Path("/usr/share/common-licenses/GPL-2")
    if not path.exists():
        pytest.skip(f"{path} is missing")
    old = path.read_text().replace("the GNU Lesser General", "the GNU Library General")
    for new, former in (
        ("51 Franklin Street, Fifth Floor", "59 Temple Place, Suite 330"),
        ("02110-1301", "02111-1307"),
    ):
        old = old.replace(new, former)
    assert "Library" in old
    assert recognise(old).expression == "GPL-2.0-only"
