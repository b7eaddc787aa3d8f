"""Detection by name and first line."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from starloom.languages.detect import detect, extension, first_line, modeline, shebang
from starloom.languages.table import load


def found(file_name, line=""):
    return tuple(detect(file_name, line) or (None, None))


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
        ("a.R", "R", "extension"),
        ("a.ml", "OCaml", "extension"),
        ("a.ML", "Standard ML", "extension"),
        ("a.s", "Unix Assembly", "extension"),
        ("a.S", "Unix Assembly", "extension"),
        ("a.ipynb", "Jupyter Notebook", "extension"),
        ("git.1", "Roff Manpage", "extension"),
        ("Makefile", "Makefile", "filename"),
        ("sub/CMakeLists.txt", "CMake", "filename"),  # before .txt
        ("requirements.txt", "Text", "extension"),  # the paper's rule for Text asks for the name
        ("pom.xml", "Maven POM", "filename"),
        ("go.mod", "Go Module", "filename"),
        ("go.sum", "Go Checksums", "filename"),
        ("Gemfile", "Ruby", "filename"),
        ("Gemfile.lock", "Gemfile.lock", "filename"),
        ("Cargo.lock", "TOML", "filename"),
        ("package-lock.json", "JSON", "extension"),
        ("tsconfig.json", "JSON with Comments", "filename"),
        ("LICENSE", "Text", "filename"),
        ("README", "Text", "filename"),
        (".gitignore", "Ignore List", "filename"),
        ("Python.gitignore", "Ignore List", "extension"),
        (".bashrc", "Shell", "filename"),
        (".env.example", "Dotenv", "filename"),
        ("a.d.ts", "TypeScript", "extension"),
        ("a.tsx", "TSX", "extension"),
        ("page.blade.php", "Blade", "extension"),  # before .php
        ("page.BLADE.PHP", "Blade", "extension"),
        ("blade.php", "PHP", "extension"),  # no stem is left for the longer one
        (".blade.php", "Blade", "extension"),
        ("a.b.c.blade.php", "Blade", "extension"),
        ("index.rst.txt", "reStructuredText", "extension"),  # Sphinx's copies of sources
        ("a.html.erb", "HTML+ERB", "extension"),
        ("a.js.erb", "JavaScript+ERB", "extension"),
        ("jquery.min.js", "JavaScript", "extension"),
        ("config.h.in", "C", "extension"),  # a template of a C header
        ("Makefile.in", "Makefile", "filename"),
        ("Makefile.am", "Makefile", "extension"),
        ("settings.py.example", "Python", "extension"),
        ("a.in.in.in.py.in", "Python", "extension"),
        ("Dockerfile.dev", "Dockerfile", "filename"),
        ("LICENSE-MIT", "Text", "filename"),
        ("LICENSE.md", "Markdown", "extension"),  # a known extension first
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
    ("extension", "language"),
    [
        ("al", "AL"),  # and Perl
        ("as", "ActionScript"),  # and AngelScript
        ("asc", "Public Key"),  # and AsciiDoc
        ("asm", "Assembly"),  # and Motorola 68K Assembly
        ("b", "Brainfuck"),  # and Limbo
        ("bas", "VBA"),  # and BASIC, FreeBasic
        ("bb", "BitBake"),  # and Clojure
        ("cgi", "Perl"),  # and Python, Shell
        ("cl", "OpenCL"),  # and Common Lisp
        ("cls", "Apex"),  # and ObjectScript, OpenEdge ABL, VBA, TeX
        ("cs", "C#"),  # and Smalltalk
        ("cue", "Cue Sheet"),  # and CUE
        ("d", "D"),  # and DTrace, Makefile
        ("ddl", "SQL"),  # and PLSQL
        ("f", "Fortran"),  # and Forth
        ("fcgi", "Perl"),  # and Lua, PHP, Python, Ruby, Shell
        ("for", "Fortran"),  # and Forth
        ("fs", "F#"),  # and Forth
        ("ftl", "Fluent"),  # and FreeMarker
        ("g", "GAP"),  # and G-code
        ("gd", "GDScript"),  # and GAP
        ("gml", "Game Maker Language"),  # and Graph Modeling Language
        ("gs", "JavaScript"),  # and Genie, Gosu
        ("h", "C"),  # and C++, Objective-C
        ("hh", "C++"),  # and Hack
        ("i", "SWIG"),  # and Assembly, Motorola 68K Assembly
        ("inc", "PHP"),  # and Assembly, Motorola 68K Assembly, NASL, Pascal, Pawn, POV-Ray SDL, SourcePawn
        ("j", "Objective-J"),  # and Jasmin
        ("l", "Lex"),  # and Common Lisp, Roff
        ("lisp", "Common Lisp"),  # and NewLisp
        ("lsp", "Common Lisp"),  # and NewLisp
        ("m", "Objective-C"),  # and Limbo, M, Mathematica, MATLAB, Mercury
        ("m4", "M4Sugar"),  # and M4
        ("mc", "Monkey C"),  # and M4
        ("mo", "Modelica"),  # and Motoko
        ("mod", "AMPL"),  # and Modula-2, Linux Kernel Module
        ("mqh", "MQL5"),  # and MQL4
        ("p", "OpenEdge ABL"),  # and Gnuplot
        ("pbt", "Protocol Buffer Text Format"),  # and PowerBuilder
        ("php", "PHP"),  # and Hack
        ("pl", "Perl"),  # and Prolog, Raku
        ("plist", "XML Property List"),  # and OpenStep Property List
        ("plt", "Gnuplot"),  # and Prolog
        ("pm", "Perl"),  # and Raku, X PixMap
        ("pp", "Puppet"),  # and Pascal
        ("pro", "QMake"),  # and IDL, Prolog, Proguard
        ("q", "HiveQL"),  # and q
        ("r", "R"),  # and Rebol
        ("rpy", "Ren'Py"),  # and Python
        ("rsc", "RouterOS Script"),  # and Rascal
        ("s", "Unix Assembly"),  # and Motorola 68K Assembly
        ("sc", "Scala"),  # and SuperCollider
        ("sls", "SaltStack"),  # and Scheme
        ("sol", "Solidity"),  # and Gerber Image
        ("spec", "RPM Spec"),  # and Python
        ("sql", "SQL"),  # and PLpgSQL, PLSQL, TSQL
        ("st", "Smalltalk"),  # and StringTemplate
        ("t", "Perl"),  # and Raku, Terra, Turing
        ("trigger", "Apex"),  # and Shell
        ("ts", "TypeScript"),  # and XML
        ("tst", "GAP"),  # and Scilab
        ("v", "Verilog"),  # and Coq, V
        ("vhost", "Nginx"),  # and ApacheConf
        ("vsh", "GLSL"),  # and V
        ("w", "OpenEdge ABL"),  # and CWeb
        ("x", "Logos"),  # and Linker Script, RPC
    ],
)
def test_shared_extensions(extension, language):
    assert len(load().by_extension[extension]) > 1
    assert found(f"a.{extension}") == (language, "extension")


def test_every_shared_extension_is_tested():
    shared = {extension for extension, languages in load().by_extension.items() if len(languages) > 1}
    rows = next(mark for mark in test_shared_extensions.pytestmark if mark.name == "parametrize").args[1]
    assert {extension for extension, _ in rows} == shared


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("#!/bin/sh", "Shell"),
        ("#! /bin/bash -e", "Shell"),
        ("#!/usr/bin/python3.11", "Python"),
        ("#!/usr/bin/env python3", "Python"),
        ("#!/usr/bin/env -S uv run --script", "Python"),
        ("#!/usr/bin/env -S node --harmony", "JavaScript"),
        ("#!/usr/bin/env -Snode --harmony", "JavaScript"),
        ("#!/usr/bin/env -vS node", "JavaScript"),
        ("#!/usr/bin/env --split-string=node -r x", "JavaScript"),
        ("#!/usr/bin/env -S -i A=1 perl -w", "Perl"),
        ("#!/usr/bin/env -u LANG LC_ALL=C ruby", "Ruby"),
        ("#!/usr/bin/env FOO=bar Rscript", "R"),
        ("#!/usr/local/bin/lua5.3", "Lua"),
        ("#!/usr/bin/perl -w", "Perl"),
        ("#!/usr/bin/env perl6", "Raku"),  # a digit that is no version
        ("#!perl", "Perl"),
        (r"#!C:\Python\python.exe", "Python"),
        ("#!/usr/bin/make -f", "Makefile"),
        ("#!/usr/bin/env deno run", "TypeScript"),
        ("#!/usr/bin/fish", "fish"),
        ("#!/bin/tcsh", "Tcsh"),
        ("#!/usr/bin/unknown", None),
        ("#!/usr/bin/env", None),
        ("#!/usr/bin/env -S", None),
        ("#!", None),
        ("#!   ", None),
        ("# /bin/sh", None),
        (" #!/bin/sh", None),  # the kernel would not see it
        ("", None),
    ],
)
def test_shebang(line, language):
    named = shebang(line)
    assert (named.name if named else None) == language
    assert found("script", line) == ((language, "shebang") if language else (None, None))


@pytest.mark.parametrize(
    ("file_name", "line", "language", "by"),
    [
        ("a.pl", "#!/usr/bin/env swipl", "Prolog", "shebang"),  # one of the languages that share .pl
        ("a.pl", "#!/usr/bin/perl", "Perl", "shebang"),
        ("a.cgi", "#!/usr/bin/python3", "Python", "shebang"),
        ("a.t", "#!/usr/bin/env raku", "Raku", "shebang"),
        ("a.pl", "#!/bin/sh", "Perl", "extension"),  # not one of them: sh starts perl
        ("a.py", "#!/bin/sh", "Python", "extension"),  # a polyglot
        ("Makefile", "#!/bin/sh", "Makefile", "filename"),
        ("a.unknown", "#!/bin/sh", "Shell", "shebang"),
        ("configure.in.in", "#!/bin/sh", "Shell", "shebang"),
        ("LICENSE.sample", "#!/bin/sh", "Shell", "shebang"),
    ],
)
def test_shebang_against_names(file_name, line, language, by):
    assert found(file_name, line) == (language, by)


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("// -*- C++ -*- forwarding header.", "C++"),
        ("/* -*-c++-*- */", "C++"),
        ("# -*- mode: python; coding: utf-8 -*-", "Python"),
        ("# -*- coding: utf-8; Mode: Perl -*-", "Perl"),
        ("# -*- coding: utf-8 -*-", None),  # names no mode
        (";; -*- emacs-lisp -*-", "Emacs Lisp"),
        (";; -*- Mode: Lisp; Syntax: Common-Lisp -*-", "Common Lisp"),
        ("# completion   -*- shell-script -*-", "Shell"),
        ('.\\" -*- nroff -*-', "Roff"),
        ("# -*- python-mode -*-", "Python"),
        ("# -*- conf -*-", None),
        ("# -*- unheard-of -*-", None),
        ("# -*- python", None),  # not closed
        ("# -*--*-", None),
        ("# vim: ft=perl", "Perl"),
        ("# vim: set ts=4 sw=4 filetype=ruby :", "Ruby"),
        ("/* vi: set syntax=cpp: */", "C++"),
        ("# vim:ft=sh:ts=2", "Shell"),
        ("# ex: ft=sh", "Shell"),
        ("# vim: ts=4", None),
        ("# vim: left=sh", None),  # ft inside a word
        ("neovim: ft=sh", None),
        ("# index: ft=sh", None),
        ("-*- vim: ft=sh", "Shell"),  # half of one editor's and all of the other's
    ],
)
def test_modeline(line, language):
    named = modeline(line)
    assert (named.name if named else None) == language
    assert found("a.h", line) == ((language, "modeline") if language else ("C", "extension"))


def test_only_the_start_of_a_long_line_is_read():
    assert found("a.h", "x" * 300 + "-*- C++ -*-") == ("C", "extension")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        ("a", "a"),
        ("a\nb", "a"),
        ("a\r\nb", "a"),
        ("a\rb", "a"),  # old Mac
        ("\na", ""),
        ("\ufeff#!/bin/sh\n", "#!/bin/sh"),
        ("x" * 200 + "\n", "x" * 200),
        ("x" * 201, "x" * 200),
        ("\ufeff" + "x" * 201, "x" * 200),
    ],
)
def test_first_line(text, line):
    assert first_line(text) == line


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
def test_any_name_and_line(file_name, line):
    answer = detect(file_name, line)
    assert answer is None or (answer.language in load().languages and answer.by)
    assert detect(f"folder.py/{file_name}", line) == answer or "/" in file_name


@given(st.sampled_from(sorted(load().by_extension)), st.text("abcXYZ_09", min_size=1))
def test_an_extension_is_enough(ending, stem):
    answer = detect(f"{stem}.{ending}", "")
    assert answer is not None
    # Longer than the extension, a whole name may be known (nim.cfg); else a language that lists the extension.
    assert answer.by == "filename" or ending in load().languages[answer.language].extensions


@given(st.text())
def test_first_line_is_a_prefix(text):
    line = first_line(text)
    assert text.removeprefix("\ufeff").startswith(line)
    assert len(line) <= 200
    assert "\n" not in line
    assert "\r" not in line
