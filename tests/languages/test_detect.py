"""Detection: which step decides, and what it says."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from starloom.languages.ambiguous import doubtful
from starloom.languages.detect import detect, extension
from starloom.languages.table import load


def found(file_name, text=""):
    return tuple(detect(file_name, text) or (None, None, ""))[:2]


@pytest.mark.parametrize(
    ("file_name", "language", "by"),
    [
        ("a.py", "Python", "extension"),
        ("src/pkg/a.py", "Python", "extension"),  # a path is fine
        ("a.PY", "Python", "extension"),  # any case
        ("a.Rmd", "RMarkdown", "extension"),
        ("a.c", "C", "extension"),
        ("a.C", "C++", "extension"),  # Unix's old spelling
        ("a.H", "C++", "extension"),
        ("a.R", "R", "default"),
        ("a.ml", "OCaml", "default"),
        ("a.ML", "OCaml", "default"),
        ("a.s", "Unix Assembly", "default"),
        ("a.S", "Unix Assembly", "default"),
        ("a.ipynb", "Jupyter Notebook", "extension"),
        ("git.1", None, None),
        ("Makefile", "Makefile", "filename"),
        ("sub/CMakeLists.txt", "CMake", "filename"),  # before .txt
        ("requirements.txt", "Pip Requirements", "filename"),
        ("notes.txt", "Text", "default"),
        ("pom.xml", "Maven POM", "filename"),
        ("go.mod", "Go Module", "filename"),
        ("go.sum", "Go Checksums", "filename"),
        ("Gemfile", "Ruby", "filename"),
        ("Gemfile.lock", "Gemfile.lock", "filename"),
        ("Cargo.lock", "TOML", "filename"),
        ("package-lock.json", "JSON", "default"),
        ("tsconfig.json", "JSON with Comments", "filename"),
        ("LICENSE", "Text", "filename"),
        ("README", "Text", "filename"),
        (".gitignore", "Ignore List", "filename"),
        ("Python.gitignore", "Ignore List", "extension"),
        (".bashrc", "Shell", "filename"),
        (".env.example", "Dotenv", "filename"),
        ("a.d.ts", "TypeScript", "default"),
        ("a.tsx", "TSX", "default"),
        ("page.blade.php", "Blade", "extension"),  # before .php
        ("page.BLADE.PHP", "Blade", "extension"),
        ("blade.php", "PHP", "default"),  # no stem is left for the longer one
        (".blade.php", "Blade", "extension"),
        ("a.b.c.blade.php", "Blade", "extension"),
        ("index.rst.txt", "reStructuredText", "extension"),  # Sphinx's copies of sources
        ("a.html.erb", "HTML+ERB", "extension"),
        ("a.js.erb", "JavaScript+ERB", "extension"),
        ("jquery.min.js", "JavaScript", "extension"),
        ("config.h.in", "C", "extension"),  # a template of a C header
        ("Makefile.in", "Makefile", "filename"),
        ("Makefile.am", "Makefile", "filename"),
        ("settings.py.example", "Python", "extension"),
        ("a.in.in.in.py.in", "Python", "extension"),
        ("Dockerfile.dev", "Dockerfile", "filename"),
        ("LICENSE-MIT", "Text", "filename"),
        ("LICENSE.md", "Markdown", "default"),  # a known extension first
        ("README.debian", "Text", "filename"),
        ("a.unknown", None, None),
        ("unknown", None, None),
        ("", None, None),
        (".", None, None),
        ("..", None, None),
        ("a.", None, None),
        ("folder.py/", None, None),
        ("in", None, None),
        (".in", None, None),
        ("ſh.ſh", None, None),  # long s: lower-casing is not folding
    ],
)
def test_names(file_name, language, by):
    assert found(file_name) == (language, by)


@pytest.mark.parametrize(
    ("file_name", "text", "language", "by"),
    [
        ("a.pl", "#!/usr/bin/env swipl", "Prolog", "shebang"),  # one of the languages that share .pl
        ("a.pl", "#!/usr/bin/perl", "Perl", "shebang"),
        ("a.cgi", "#!/usr/bin/python3", "Python", "shebang"),
        ("a.t", "#!/usr/bin/env raku", "Raku", "shebang"),
        ("a.pl", "#!/bin/sh", "Shell", "shebang"),
        ("a.py", '#!/bin/sh\n"exec" "python3" "$0"\n', "Python", "extension"),  # a polyglot
        ("a.sh", "#!/usr/bin/env python3", "Python", "shebang"),
        ("a.ts", "#!/usr/bin/env node", "TypeScript", "shebang"),  # node runs two languages, .ts is two others
        ("a.js", "#!/usr/bin/env node", "JavaScript", "extension"),
        ("a", "#!/usr/bin/env node", "JavaScript", "shebang"),
        ("a.pod", "#!/usr/bin/perl", "Pod", "shebang"),
        ("Setup.lhs", "#!/usr/bin/env runhaskell", "Literate Haskell", "extension"),
        ("b.pl", "\ufeff#!/usr/bin/env swipl", "Prolog", "shebang"),
        ("Makefile", "#!/bin/sh", "Makefile", "filename"),
        ("a.unknown", "#!/bin/sh", "Shell", "shebang"),
        ("configure.in.in", "#!/bin/sh", "Shell", "shebang"),
        ("LICENSE.sample", "#!/bin/sh", "Shell", "shebang"),
    ],
)
def test_shebang_against_names(file_name, text, language, by):
    assert found(file_name, text) == (language, by)


@pytest.mark.parametrize(
    ("file_name", "text", "language", "by"),
    [
        ("a.h", "/* -*- C++ -*- */", "C++", "modeline"),
        ("a", "# vim: ft=ruby", "Ruby", "modeline"),
        ("Makefile", "# vim: ft=lua", "Lua", "modeline"),  # before names
        ("a", "#!/bin/sh\n# vim: ft=tcl", "Tcl", "modeline"),  # before "#!"
        ("a.md", "# -*- smalltalk -*-", "Smalltalk", "modeline"),
        ("a.markdown", "> -*- tcl -*-", "Markdown", "extension"),  # a document's own quotation
        ("NEWS", "-*- org -*-", "Org", "modeline"),
        ("a.c", "// -*- C++ -*-", "C++", "modeline"),
        ("a.inc", "// -*- C++ -*-", "C++", "modeline"),  # a piece of any language
        ("a.cpp", "/* -*- Mode: C; tab-width: 4 -*- */", "C++", "extension"),  # a mode close to the language
        ("a.java", "// -*- C++ -*-", "Java", "extension"),
        ("a.ebuild", "# vim: ft=sh", "Gentoo Ebuild", "extension"),
        ("BUILD", "# -*- python -*-", "Starlark", "filename"),
        ("a.cl", "/* vim: ft=c */\n__kernel void f(__global float *x) {}", "OpenCL", "rule"),
        ("a.1", '.\\" -*- nroff -*-\n.TH A 1\n', "Roff Manpage", "manpage"),
        ("a.bas", '\' vim: ft=basic\n#lang "fb"\nDim As Integer x', "FreeBASIC", "rule"),
    ],
)
def test_mode_lines_against_names(file_name, text, language, by):
    assert found(file_name, text) == (language, by)


@pytest.mark.parametrize(
    ("file_name", "text", "language", "by"),
    [
        ("a.xyz", '<?xml version="1.0"?>', "XML", "xml"),
        ("a", '\ufeff<?xml version="1.0"?>', "XML", "xml"),
        ("a.rs", '<?xml version="1.0"?>', "XML", "rule"),
        ("a.xyz", "x <?xml", None, None),
        ("git.1", '.\\" comment\n.TH GIT 1\n.SH NAME\n', "Roff Manpage", "manpage"),
        ("ls.1", ".Dd June 1\n.Dt LS 1\n", "Roff Manpage", "manpage"),
        ("alias.3", ".so man3/real.3\n", "Roff Manpage", "manpage"),
        ("x509.3ssl", ".TH X509 3ssl\n", "Roff Manpage", "manpage"),  # no extension of the table
        ("libx.so.1", "\x7fELF\x02\x01\x00", None, None),  # versions, not sections
        ("messages.1", "Jan  1 00:00:00 host kernel: x\n", None, None),
        ("messages.3ssl", "Jan  1 00:00:00 host kernel: x\n", None, None),
        ("macros.1", ".de XX\n.ft B\n..\n", "Roff", "rule"),
    ],
)
def test_without_a_name(file_name, text, language, by):
    assert found(file_name, text) == (language, by)


@pytest.mark.parametrize(
    ("file_name", "text", "language", "by"),
    [
        ("a.h", "#include <vector>\nnamespace a {}\n", "C++", "rule"),
        ("a.H", "int x;\n", "C++", "extension"),
        ("config.h.in", "#include <vector>\nnamespace a {}\n", "C", "extension"),  # Linguist's table has .h.in
        ("a.pl.example", ":- module(a, []).\n", "Prolog", "rule"),  # the text counts under templates' endings
        (".eslintrc", "rules:\n  semi: 0\n", "YAML", "rule"),
        (".eslintrc", '{"rules": {}}\n', "JSON with Comments", "rule"),
        ("a.pl", "\r:- module(a, []).\r", "Prolog", "rule"),  # old Mac's line ends
        ("a.pl", "\n" * 100, "Perl", "default"),  # nothing but white space
    ],
    ids=range(8),
)
def test_rules(file_name, text, language, by):
    assert found(file_name, text) == (language, by)


def test_a_rule_gives_its_reason():
    assert detect("a.pl", ":- module(a, []).\n").reason
    assert detect("a.py", "").reason == ""


@pytest.mark.parametrize(
    ("path", "published"),
    [
        ("a/b.py", "py"),
        ("a/B.Rmd", "rmd"),  # lower case, as The Stack v2 has it
        ("a.blade.php", "php"),
        (".gitignore", "gitignore"),
        ("a.b/Makefile", ""),
        ("Makefile", ""),
        ("a.", ""),
        ("", ""),
        ("git.1", "1"),
    ],
)
def test_extension(path, published):
    assert extension(path) == published


_endings = st.sampled_from(sorted(load().by_extension)) | st.sampled_from(["in", "IN", "Py", "TS", "", "dist"])
_names = st.one_of(
    st.text(),
    st.lists(_endings | st.text(max_size=4), max_size=8).map(".".join),
    st.sampled_from(sorted(load().by_file_name)).flatmap(lambda name: st.just(name) | st.text().map(name.__add__)),
)
_words = st.sampled_from(
    [
        "#!",
        "/usr/bin/",
        "env",
        " ",
        "-S",
        "-u",
        "A=1",
        "python3",
        "-*-",
        ":",
        ";",
        "mode",
        "vim",
        "ft=",
        "set",
        "sh",
        "\\",
    ]
)
_lines = st.one_of(st.text(), st.lists(_words).map("".join))


@given(_names, _lines)
@example(".in" * 5_000, "")
@example("." * 100_000, "")
@example("a" + ".ts" * 10_000, "vim:" * 10_000)
@example("a.h", "x" * 10_000_000)
@example("a.1", ".TH" * 1_000_000)
def test_any_name_and_text(file_name, text):
    answer = detect(file_name, text)
    assert answer is None or (answer.language in load().languages and answer.by)
    assert detect(f"folder.py/{file_name}", text) == answer or "/" in file_name


@given(st.sampled_from(sorted(load().by_extension)), st.text("abcXYZ_09", min_size=1))
def test_an_extension_is_enough(ending, stem):
    answer = detect(f"{stem}.{ending}", "")
    # Manual pages want their text, and so do extensions that many other files have.
    assume(answer is not None or (ending[0] not in "123456789" and ending not in doubtful.RULES))
    assert answer is not None
    # Longer than the extension, a whole name may be known (nim.cfg); else a language that lists the extension.
    assert answer.by == "filename" or ending in load().languages[answer.language].extensions
