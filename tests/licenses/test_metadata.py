"""What a distribution's metadata declares."""

import pytest

from starloom.licenses import categories, names
from starloom.licenses.categories import canonical
from starloom.licenses.metadata import declared_expression, name_expression

_MIT = "License :: OSI Approved :: MIT License"
_APACHE = "License :: OSI Approved :: Apache Software License"
_BSD = "License :: OSI Approved :: BSD License"
_GPL = "License :: OSI Approved :: GNU General Public License (GPL)"
_TEXT = """Copyright (c) 2020 Somebody

    Permission to use, copy, modify, and/or distribute this software for any
    purpose with or without fee is hereby granted.

    THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH
    REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY
    AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT,
    INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM
    LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR
    OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR
    PERFORMANCE OF THIS SOFTWARE.
"""


@pytest.mark.parametrize(
    ("expression", "field", "classifiers", "expected"),
    [
        # License-Expression decides alone.
        ("MIT", "GPL", [_GPL], "MIT"),
        ("mit or apache-2.0", None, [], "MIT OR Apache-2.0"),
        ("LicenseRef-Mine", None, [_MIT], "LicenseRef-Mine"),
        ("MIT License", None, [], "MIT"),  # no expression, but plain
        ("whatever I like", None, [_MIT], "NOASSERTION"),
        # Classifiers: several permissive ones are a choice, since it changes nothing; others all apply.
        (None, None, [_MIT], "MIT"),
        (None, None, [_MIT, _APACHE], "MIT OR Apache-2.0"),
        (None, None, [_MIT, _GPL], "MIT AND GPL-1.0-or-later"),
        (None, None, ["License :: OSI Approved", _MIT], "MIT"),
        (None, None, ["License :: OSI Approved"], "NOASSERTION"),
        (None, None, ["License :: Other/Proprietary License"], "LicenseRef-scancode-proprietary-license"),
        (None, None, ["License :: Brand New"], "NOASSERTION"),
        (None, None, ["Topic :: Software Development"], None),
        # The field says more than a classifier, or else both apply.
        (None, "BSD-2-Clause", [_BSD], "BSD-2-Clause"),
        (None, "MIT OR Apache-2.0", [_MIT, _APACHE], "MIT OR Apache-2.0"),
        (None, "GPLv3+", [_GPL], "GPL-3.0-or-later"),
        (None, "GPLv3+", [_MIT], "MIT AND GPL-3.0-or-later"),
        (None, "MIT", [_MIT, _GPL], "MIT AND GPL-1.0-or-later"),
        (None, "Dual License", [_BSD, _APACHE], "BSD-3-Clause OR Apache-2.0"),
        (None, "UNKNOWN", [_MIT], "MIT"),
        # The field alone.
        (None, "UNKNOWN", [], None),
        (None, "", [], None),
        (None, None, [], None),
        (None, _TEXT, [], "0BSD"),
        (None, "see LICENSE", [], "NOASSERTION"),
        (None, "do as you please but tell me", [], "NOASSERTION"),
        (None, "My own licence. " * 50, [], "NOASSERTION"),
    ],
)
def test_declared_expression(expression, field, classifiers, expected):
    assert declared_expression(expression, field, classifiers) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MIT", "MIT"),
        ("mit license", "MIT"),
        ("The MIT License (MIT)", "MIT"),
        ("MIT licence", "MIT"),
        ("Expat", "MIT"),
        ("MIT-0", "MIT-0"),
        ("BSD", "BSD-3-Clause"),
        ("BSD-3-Clause", "BSD-3-Clause"),
        ("BSD 3-Clause License", "BSD-3-Clause"),
        ("3-clause BSD", "BSD-3-Clause"),
        ("New BSD", "BSD-3-Clause"),
        ('BSD 3-Clause "New" or "Revised" License', "BSD-3-Clause"),
        ("Simplified BSD", "BSD-2-Clause"),
        ("BSD-like", None),
        ("Apache 2.0", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("Apache Software License 2.0", "Apache-2.0"),
        ("apache2", "Apache-2.0"),
        ("ASL 2", "Apache-2.0"),
        ("Apache 1.1", "Apache-1.1"),
        ("GPL", "GPL-1.0-or-later"),
        ("GPLv2", "GPL-2.0-only"),
        ("GPLv2+", "GPL-2.0-or-later"),
        ("GPL v3", "GPL-3.0-only"),
        ("GPL-3.0", "GPL-3.0-only"),  # deprecated ids in the form that replaces them
        ("GPL-2.0+ OR MIT", "GPL-2.0+ OR MIT"),
        ("GNU GPL version 3 or later", "GPL-3.0-or-later"),
        ("GNU General Public License v3 (GPLv3)", "GPL-3.0-only"),
        ("GNU General Public License, version 2 or (at your option) any later version", "GPL-2.0-or-later"),
        ("LGPL", "LGPL-2.0-or-later"),
        ("LGPLv2.1+", "LGPL-2.1-or-later"),
        ("GNU Lesser General Public License v3 or later (LGPLv3+)", "LGPL-3.0-or-later"),
        ("AGPL-3.0-or-later", "AGPL-3.0-or-later"),
        ("GNU Affero General Public License v3", "AGPL-3.0-only"),
        ("GPLv7", None),
        ("PSF", "PSF-2.0"),
        ("Python Software Foundation License", "PSF-2.0"),
        ("MPL 2.0", "MPL-2.0"),
        ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
        ("ISC License (ISCL)", "ISC"),
        ("ZPL 2.1", "ZPL-2.1"),
        ("zlib/libpng", "Zlib"),
        ("Public Domain", "LicenseRef-scancode-public-domain"),
        ("Unlicense", "Unlicense"),
        ("UNLICENSED", "LicenseRef-scancode-proprietary-license"),  # npm's word for "no licence"
        ("Proprietary", "LicenseRef-scancode-proprietary-license"),
        ("All rights reserved.", "LicenseRef-scancode-proprietary-license"),
        ("Apache-2.0 OR BSD-3-Clause", "Apache-2.0 OR BSD-3-Clause"),
        ("Apache 2.0 or BSD", "Apache-2.0 OR BSD-3-Clause"),
        ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
        ("MIT, BSD", "MIT AND BSD-3-Clause"),
        ("MIT & GPLv2", "MIT AND GPL-2.0-only"),
        ("MIT or GPLv2 or later", "MIT OR GPL-2.0-or-later"),
        ("MIT or mine", None),
        ("License", None),
        ("GNU", None),
        ("", None),
        ("free", None),
        ("MIT " * 100, None),
    ],
)
def test_name_expression(text, expected):
    assert name_expression(text) == expected


def test_names_are_known_ids():
    assert len(names.CLASSIFIERS) == 84 + 5  # of trove-classifiers 2026.9.21.13: current and deprecated
    assert all(canonical(one) == one for one in names.CLASSIFIERS.values() if one)
    assert all(canonical(one) == one for one in names._ALIASES)
    assert frozenset() not in names._aliases()


def test_no_name_takes_another_licences_id():
    for row in categories._table().values():
        found = names.named(row.id)
        assert found is None or found == row.id or "GPL-" in found or row.id == "BSD-2", (row.id, found)
