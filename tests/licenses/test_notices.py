"""A file's own licence notice, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.licenses.notices import own_notice, unrecognised

_GPL2 = """
This program is free software; you can redistribute it and/or modify
it under the terms of the GNU General Public License as published by
the Free Software Foundation; either version 2 of the License, or
(at your option) any later version.

This program is distributed in the hope that it will be useful, but
WITHOUT ANY WARRANTY; see the GNU General Public License for details.
"""
_APACHE = """
Copyright 2020 The Authors

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
"""
_MIT = """
Permission is hereby granted, free of charge, to any person obtaining a copy of
this software and associated documentation files (the "Software"), to deal in
the Software without restriction.
"""
_BSD = """
Redistribution and use in source and binary forms, with or without
modification, are permitted provided that the following conditions
are met:
1. Redistributions of source code must retain the above copyright notice.
"""
_ISC = """
Permission to use, copy, modify, and/or distribute this software for any
purpose with or without fee is hereby granted, provided that the above
"""
_PROPRIETARY = "LicenseRef-scancode-proprietary-license"


def _comment(text, mark="#", before="", after="\n"):
    return before + "\n".join(f"{mark} {line}".rstrip() for line in text.strip().split("\n")) + after


@pytest.mark.parametrize(
    ("text", "expression", "line", "kind"),
    [
        # SPDX tags
        ("// SPDX-License-Identifier: MIT\n", "MIT", 1, "spdx"),
        ("/* SPDX-License-Identifier: GPL-2.0+ */\nint x;", "GPL-2.0+", 1, "spdx"),
        ("#!/bin/sh\n\n# spdx-license-identifier: apache-2.0 or mit\n", "Apache-2.0 OR MIT", 3, "spdx"),
        ("<!-- SPDX-License-Identifier: CC0-1.0 -->\n<p>", "CC0-1.0", 1, "spdx"),
        ("# Copyright 2020 Me. SPDX-License-Identifier: ISC\n", "ISC", 1, "spdx"),
        ("# SPDX-License-Identifier: LicenseRef-Mine\n", "LicenseRef-Mine", 1, "spdx"),  # terms of its own
        ("# SPDX-License-Identifier: MIT License\n", "MIT", 1, "spdx"),
        ("// SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT\n",
         "(GPL-2.0 WITH Linux-syscall-note) OR MIT", 1, "spdx"),
        ("# SPDX-License-Identifier: MIT\n# SPDX-License-Identifier: ISC\n", "MIT AND ISC", 1, "spdx"),
        (_comment("SPDX-License-Identifier: GPL-2.0-only OR MIT\n" + _GPL2), "GPL-2.0-only OR MIT", 1, "spdx"),
        (_comment("SPDX-License-Identifier: MIT\n" + _GPL2), "MIT AND GPL-2.0-or-later", 1, "spdx"),  # contradiction
        (_comment("SPDX-License-Identifier: GPL-2.0-only\n" + _MIT), "GPL-2.0-only", 1, "spdx"),  # the tag decides
        # GNU, whatever the comment
        (_comment(_GPL2), "GPL-2.0-or-later", 2, "gnu"),
        (_comment(_GPL2, " *", "/*\n", "\n */\n"), "GPL-2.0-or-later", 3, "gnu"),
        (_comment(_GPL2, "dnl"), "GPL-2.0-or-later", 2, "gnu"),
        (_comment(_GPL2, "REM", "@echo off\n"), "GPL-2.0-or-later", 3, "gnu"),
        (_comment(_GPL2, ';;;', "\ufeff"), "GPL-2.0-or-later", 2, "gnu"),
        (_comment(_GPL2, "", '"""', '"""\nx = 1'), "GPL-2.0-or-later", 2, "gnu"),
        (_comment(_GPL2, "", "{\n", "\n}\nunit x;"), "GPL-2.0-or-later", 3, "gnu"),  # Pascal
        (_comment(_GPL2, "", "{-\n", "\n-}\nmodule Main where"), "GPL-2.0-or-later", 3, "gnu"),
        (_comment(_GPL2, "//", "package main\n\nimport x\n"), "GPL-2.0-or-later", 5, "gnu"),
        ("<?php\n" + _comment(_GPL2, " *", "/**\n", "\n */\n"), "GPL-2.0-or-later", 4, "gnu"),
        (_comment(_GPL2.replace(", or\n(at your option) any later version", "")), "GPL-2.0-only", 2, "gnu"),
        (_comment(_GPL2.replace("General", "Lesser General").replace("version 2", "version 2.1")),
         "LGPL-2.1-or-later", 2, "gnu"),
        (_comment(_GPL2.replace("General", "Affero General").replace("version 2", "version 3")),
         "AGPL-3.0-or-later", 2, "gnu"),
        (_comment(_GPL2.replace("General", "Library General")), "LGPL-2.0-or-later", 2, "gnu"),
        ("# Distributed under the terms of the GNU General Public License v2\n", "GPL-2.0-only", 1, "gnu"),
        ("# under the terms of version 3 or later of the GNU General Public License.\n", "GPL-3.0-or-later", 1, "gnu"),
        ("# Distributed under the GNU General Public License.\n", "GPL-1.0-or-later", 1, "gnu"),
        ("# May not be distributed except under the GNU General Public License version 2.\n", "GPL-2.0-only", 1, "gnu"),
        # Headers and texts
        (_comment(_APACHE), "Apache-2.0", 3, "header"),
        ("// Licensed to the ASF under contributor agreements. The ASF licenses this file to\n"
         "// You under the Apache License, Version 2.0\n", "Apache-2.0", 1, "header"),
        ("/* This Source Code Form is subject to the terms of the Mozilla Public\n"
         " * License, v. 2.0. */", "MPL-2.0", 1, "header"),
        ("// The contents of this file are subject to the Mozilla Public License Version 1.1\n",
         "MPL-1.1", 1, "header"),
        ("/* made available under the terms of the Eclipse Public License v1.0\n */", "EPL-1.0", 1, "header"),
        ("// Distributed under the Boost Software License, Version 1.0.\n", "BSL-1.0", 1, "header"),
        (_comment(_MIT), "MIT", 1, "text"),
        (_comment(_BSD), "BSD-2-Clause", 1, "text"),
        (_comment(_BSD + "not be used to endorse or promote products"), "BSD-3-Clause", 1, "text"),
        (_comment(_BSD + "All advertising materials mentioning"), "BSD-4-Clause", 1, "text"),
        (_comment(_ISC), "ISC", 1, "text"),
        (_comment(_MIT + "The Software shall be used for Good, not Evil."), "MIT AND JSON", 1, "text"),
        # Statements
        ("// Released under the MIT license.\n", "MIT", 1, "statement"),
        ("# This file is licensed under the BSD 3-Clause License, see LICENSE\n", "BSD-3-Clause", 1, "statement"),
        ("# License: BSD 3 clause\n", "BSD-3-Clause", 1, "statement"),
        ("/**\n * @license MIT\n */", "MIT", 2, "statement"),
        ("/*!\n * x\n * Copyright(c) 2014 Me\n * MIT Licensed\n */", "MIT", 4, "statement"),
        ("/* License: GPLv2 or later */", "GPL-2.0-or-later", 1, "statement"),
        ("# Copyright 2020 Me\n# Licensed under the GPLv3\n", "GPL-3.0-only", 2, "statement"),
        # Several
        ("// Dual licensed under the MIT and GPLv2 licenses.\n", "MIT OR GPL-2.0-only", 1, "statement"),
        (_comment(_BSD + "Alternatively, distributed under the terms of the GNU General Public License version 2."),
         "BSD-2-Clause OR GPL-2.0-only", 1, "text"),
        (_comment(_GPL2 + "Parts:" + _MIT), "GPL-2.0-or-later AND MIT", 2, "gnu"),
        # Proprietary
        ("// Copyright Big Corp. All rights reserved.\n// Proprietary and confidential.\n",
         _PROPRIETARY, 2, "proprietary"),
        ("/* Unauthorized copying of this file is prohibited. Confidential. */", _PROPRIETARY, 1, "proprietary"),
    ],
)  # fmt: skip
def test_notice(text, expression, line, kind):
    found = own_notice(text)
    assert found is not None
    assert (found.expression, found.line, found.kind) == (expression, line, kind)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x = 1\n",
        "# A plain comment about licensing.\n",
        # Not at the top, or no comment.
        "x = 1\n" + _comment(_GPL2),
        "import os\nx = 1\n" + _comment("SPDX-License-Identifier: MIT"),
        'HEADER = """\nSPDX-License-Identifier: GPL-3.0-only\n"""\n',
        'LICENSES = ["GNU General Public License", "MIT"]\n',
        '{"license": "MIT", "x": "SPDX-License-Identifier: MIT"}',
        '{\n  "license": "Licensed under the MIT license."\n}',
        "This project is licensed under the MIT license.\n",  # prose is no comment
        _comment("a\n" * 60 + _GPL2),
        _comment("a" * 8_000 + "\n" + _GPL2),
        # Mentions
        "# This is not licensed under the GNU General Public License.\n",
        "# This file is not under the terms of the GNU General Public License.\n",
        "# It is never distributed under the GPLv3.\n",
        "# Compatible with the GNU General Public License.\n# See the GNU General Public License.\n",
        "# Finds files that are licensed under the MIT license.\n",
        "# Checks whether a file is licensed under the Apache License, Version 2.0\n",
        "# Talks to antlr4, which is released under the MIT license.\n",
        "# Portions of this are licensed under the Apache License, Version 2.0.\n",  # not the whole
        "# Put SPDX-License-Identifier: MIT into every file.\n",
        "# SPDX-License-Identifier: NOASSERTION\n",
        "# SPDX-License-Identifier:\n",
        "# SPDX-License-Identifier: see below\n",
        # Pointers: the licence files speak.
        "// Use of this source code is governed by a BSD-style\n// license that can be found in the LICENSE file.\n",
        "# License: see LICENSE\n",
        "/* license & terms of use: http://www.unicode.org/copyright.html */",
        # No claim of secrecy.
        "# Copyright Me. All rights reserved.\n",
        "# Handles confidential data.\n",
    ],
)
def test_no_notice(text):
    assert own_notice(text) is None


def test_governed_by_a_named_license():
    found = own_notice("# Use of this file is governed by the BSD 3-clause license that can be found in LICENSE.\n")
    assert found is not None
    assert found.expression == "BSD-3-Clause"


_MARKS = ["#", "//", ";;", "--", "%", "!", "dnl", "REM"]


@given(st.sampled_from(_MARKS), st.sampled_from([_GPL2, _APACHE, _MIT, _BSD, _ISC]), st.integers(12, 100))
def test_marks_and_line_breaks_do_not_matter(mark, notice, width):
    words = notice.split()
    lines, line = [], ""
    for word in words:
        if line and len(line) + len(word) > width:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    wrapped = _comment("\n".join([*lines, line])[:7_000], mark)
    expected, found = own_notice(_comment(notice)), own_notice(wrapped)
    assert expected is not None
    if len(lines) < 50:
        assert found is not None
        assert found.expression == expected.expression


_soup = st.lists(
    st.sampled_from(
        ["/*", "*/", '"""', "#", "\n", " ", "{", "}", "license", "under the", "GNU", "Public", "MIT", "gnu "]
    )
    | st.sampled_from(["SPDX-License-Identifier:", "İ", "all rights reserved", "proprietary", "\r", "\ufeff", "not"])
).map("".join)


@given(st.one_of(_soup, st.text()))
def test_any_text_is_safe(text):
    found = own_notice(text)
    if found:
        assert 1 <= found.line <= 60


def _hashed(text):
    return "".join(f"# {line}\n" for line in text.strip().splitlines())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Terms of a part only: the rest of the file is under what its package says.
        ("# The ValidationError code derives from Django, under the following license terms:\n" + _hashed(_MIT), None),
        ("# Portions of this file are from elsewhere.\n" + _hashed(_MIT), None),
        (_hashed(_MIT), "MIT"),
        # Copyleft stays whoever it came from.
        (
            "# Parts of this were taken from x.\n"
            "# This program is free software; you can redistribute it and/or modify\n"
            "# it under the terms of the GNU General Public License as published by\n"
            "# the Free Software Foundation; version 2 of the License.\n",
            "GPL-2.0-only",
        ),
    ],
)
def test_terms_of_parts(text, expected):
    found = own_notice(text)
    assert (found.expression if found else None) == expected


def test_the_same_licence_as_the_program_is_a_pointer():
    assert unrecognised("# This file is distributed under the same license as the Django package.\n") is None
    assert unrecognised("# Under the same license as Django, and only with the permission of the king.\n")
