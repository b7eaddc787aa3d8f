"""What metadata says, for which files; and that no input breaks a reader."""

import re
import tomllib

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.licenses.expressions import parse
from starloom.licenses.statements import base, is_metadata, statements

_DEP5 = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
License: ISC

Files: *
Copyright: A
License: GPL-2+

Files: lib/*.c
 doc/a?.txt debian/*
Copyright: B
 C
License: Expat
 Permission is hereby granted

Files: lib/x\\*.c
Copyright: D
License: Odd

License: Odd
 This is free and unencumbered software.

License: GPL-2+
 See /usr/share/common-licenses.
"""
_NAMES = [
    "PKG-INFO",
    "x.dist-info/METADATA",
    "pyproject.toml",
    "setup.cfg",
    "package.json",
    "composer.json",
    "Cargo.toml",
    "pom.xml",
    "DESCRIPTION",
    "REUSE.toml",
    "debian/copyright",
    ".reuse/dep5",
    "x.cabal",
    "x.gemspec",
    "x.pom",
    "a.c.license",
    "README.md",
    "README.rst",
    "README",
]


def _says(found, path):
    """As the callers do: of the statements that match, those of the highest priority."""
    matching = [one for one in found if re.fullmatch(one.pattern, path)]
    best = max((one.priority for one in matching), default=0)
    return [one.expression for one in matching if one.priority == best]


@pytest.mark.parametrize(
    ("path", "expression"),
    [
        ("a.c", "GPL-2.0-or-later"),
        ("a/b/c.c", "GPL-2.0-or-later"),
        ("lib/a.c", "MIT"),
        ("lib/deep/a.c", "MIT"),  # stars cross folders
        ("lib/a.h", "GPL-2.0-or-later"),
        ("doc/a1.txt", "MIT"),
        ("doc/a12.txt", "GPL-2.0-or-later"),
        ("debian/rules", "MIT"),
        ("lib/x*.c", "NOASSERTION"),  # an escaped star; a licence no table knows
        ("with\nbreak", "GPL-2.0-or-later"),
    ],
)
def test_dep5_files(path, expression):
    assert _says(statements("debian/copyright", _DEP5), path) == [expression]


def test_dep5_lines_and_folder():
    found = statements("debian/copyright", _DEP5)
    assert [(one.line, one.scope) for one in found] == [(2, "files"), (6, "files"), (12, "files"), (17, "files")]
    assert base("x/debian/copyright") == "x"


@pytest.mark.parametrize(
    ("synopsis", "expression"),
    [
        ("Expat", "MIT"),
        ("GPL-2", "GPL-2.0-only"),
        ("LGPL-2.1+", "LGPL-2.1-or-later"),
        ("Apache-2.0 with LLVM exception", "Apache-2.0 WITH LLVM-exception"),
        ("GPL-3+ or Artistic-2.0 and BSD-3-clause", "GPL-3.0-or-later OR Artistic-2.0 AND BSD-3-Clause"),
        ("GPL-2+ or Expat, and BSD-2-clause", "(GPL-2.0-or-later OR MIT) AND BSD-2-Clause"),
        ("public-domain", "LicenseRef-scancode-public-domain"),
        ("GPL-2+ and Odd", "LicenseRef-scancode-unknown"),
        ("LGPL-2.1-OCaml", "LGPL-2.1-only"),
        ("Odd", "NOASSERTION"),
    ],
)
def test_dep5_names(synopsis, expression):
    text = f"Format: http://dep.debian.net/deps/dep5\n\nFiles: *\nLicense: {synopsis}\n"
    assert [one.expression for one in statements("debian/copyright", text)] == [expression]


def test_a_copyright_file_of_prose_is_none_of_dep5():
    assert statements("debian/copyright", "This package is under the GPL.\nFiles: *\nLicense: MIT\n") == ()


def test_many_patterns_are_cut_and_stay_one_rank():
    files = "\n ".join(f"src/file{i}.c" for i in range(3_000))
    found = statements(
        "debian/copyright", f"Format: https://dep.debian.net/deps/dep5\n\nFiles: {files}\nLicense: Expat\n"
    )
    assert len(found) > 1
    assert {one.priority for one in found} == {1}
    assert _says(found, "src/file2999.c") == ["MIT"]
    assert _says(found, "src/file3000.c") == []


def test_reuse():
    text = """version = 1
[[annotations]]
path = ["src/**", "*.md"]
SPDX-License-Identifier = "MIT"
[[annotations]]
path = "src/gpl/*"
precedence = "override"
SPDX-License-Identifier = "GPL-3.0-or-later"
"""
    found = statements("REUSE.toml", text)
    assert [(one.line, one.rule) for one in found] == [(2, "REUSE.toml closest"), (5, "REUSE.toml override")]
    assert _says(found, "src/a/b.c") == ["MIT"]
    assert _says(found, "src/gpl/b.c") == ["GPL-3.0-or-later"]
    assert _says(found, "src/gpl/deeper/b.c") == ["MIT"]  # one star stays within its folder
    assert _says(found, "docs/a.md") == []


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("package.json", ""),
        ("a/b/Cargo.toml", "a/b"),
        ("debian/copyright", ""),
        ("a/.reuse/dep5", "a"),
        ("a/x.egg-info/PKG-INFO", "a"),
        ("x-1.dist-info/METADATA", ""),
        ("a/pic.png.license", "a"),
        ("src/README.fr.md", "src"),
    ],
)
def test_base(path, folder):
    assert is_metadata(path)
    assert base(path) == folder


@pytest.mark.parametrize("path", ["copyright", "dep5", "a/METADATA", "readme.py", "package.json5", ".license", "x"])
def test_no_metadata(path):
    assert not is_metadata(path)


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("package.json", '{\n "name": "x",\n "license": "MIT"\n}', 3),
        ("Cargo.toml", '[package]\nname = "x"\nlicense = "MIT"\n', 3),
        ("PKG-INFO", "Metadata-Version: 2.1\nName: x\nLicense: MIT\n", 3),
        ("pom.xml", "<project>\n\n<licenses><license><name>MIT</name></license></licenses></project>", 3),
        ("README.md", "# X\n\n## License\n\nMIT\n", 3),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_line(name, text, line, ending):
    (found,) = statements(name, text.replace("\n", ending))
    assert (found.expression, found.line) == ("MIT", line)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("README.md", "# X\n\n## License\n\nSee [LICENSE](LICENSE).\n"),  # that file speaks
        ("README.md", "# X\n\nMIT is a school. GPL is a licence.\n"),
        ("README.md", "# X\n\n## Licenses of fish\n\nGPL\n"),
        ("package.json", '{"name": "license"}'),
        ("package.json", '{"dependencies": {"license": "MIT"}}'),
        ("Cargo.toml", "[package]\nlicense.workspace = true\n"),
        ("pom.xml", "<project><plugin><licenses><license><name>MIT</name></license></licenses></plugin></project>"),
        ("DESCRIPTION", "A description. License: MIT\n"),
        ("METADATA", "License: MIT\n"),  # of something else
        ("x.py", "license = 'MIT'"),
    ],
)
def test_nothing_is_said(name, text):
    assert statements(name, text) == ()


@pytest.mark.parametrize("name", ["package.json", "pyproject.toml", "pom.xml", "PKG-INFO"])
def test_too_large(name):
    (found,) = statements(name, 'license = "MIT"\n' + "x" * 4_000_000)
    assert found.expression == "NOASSERTION"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("package.json", '{"license": ' + "[" * 100_000),
        ("package.json", '{"license": "MIT", "x": ' + "9" * 10_000 + "}"),
        ("pyproject.toml", 'license = "MIT"\n' + "a." * 1_000_000 + "a = 1"),
        ("pyproject.toml", 'license = "MIT"\nx = ' + "[" * 100_000),
        ("pom.xml", "<project>" + "<licenses>" * 200_000),
        ("REUSE.toml", "[[annotations]]\n" * 100_000),
        ("debian/copyright", "Format: https://dep.debian.net/deps/dep5\n" + "\nFiles: *\nLicense: Odd\n" * 50_000),
        ("README.md", "## License\n" * 200_000),
        ("README.md", "#" * 3_000_000),
        ("x.gemspec", "s.license = " * 200_000),
        ("PKG-INFO", "Metadata-Version: 1\nLicense: " + "(" * 3_000_000),
    ],
    ids=lambda value: value[:12].strip() if len(value) < 20 else "",
)
def test_hostile(name, text):
    assert all(parse(one.expression) or one.expression == "NOASSERTION" for one in statements(name, text))


_PIECES = st.sampled_from(
    [
        *("license", "License: ", '"license": ', "licenses", "MIT", "GPL-2+", " or ", ", and ", "with", "{", "}", "["),
        *("]", '"', "'", "\n", "\n\n", " ", "Files: *\n", "Format: copyright-format\n", "Metadata-Version: 2\n", "\0"),
        *("<project>", "<licenses>", "<license>", "<name>", "</", ">", "## License\n", "====\n", "[package]\n", "= "),
        *("Package: x\n", "s.license = ", "%w[", "SPDX-License-Identifier: ", "**", "\\", "\ufeff", "é", "©", "\r"),
    ]
)


@settings(max_examples=300)
@given(st.sampled_from(_NAMES), st.lists(st.one_of(_PIECES, st.text(max_size=5)), max_size=40))
def test_no_text_breaks_a_reader(name, pieces):
    for one in statements(name, "".join(pieces)):
        assert one.expression == "NOASSERTION" or parse(one.expression)
        assert one.line >= 1
        assert (one.pattern is None) == (one.scope == "folder")
        if one.pattern:
            re.compile(one.pattern)


@settings(max_examples=100)
@given(st.text(alphabet="ab*?/.\\[(|+ é\n", min_size=1, max_size=12), st.text(alphabet="ab*?/.\\[(|+ é\n", max_size=12))
def test_both_engines_match_alike(glob, path):
    text = f'[[annotations]]\npath = """{tomllib_string(glob)}"""\nSPDX-License-Identifier = "MIT"\n'
    assert tomllib.loads(text)["annotations"][0]["path"] == glob
    for one in statements("REUSE.toml", text):
        row = duckdb.execute("SELECT regexp_full_match(?, ?)", [path, one.pattern]).fetchone()
        assert row == (re.fullmatch(one.pattern, path) is not None,)


def tomllib_string(text):
    return "".join(f"\\u{ord(character):04x}" for character in text)
