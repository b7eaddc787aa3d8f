"""What mode lines of Emacs and Vim say."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from starloom.languages.modeline import by_mode, modeline
from starloom.languages.table import load


def name(text):
    found = modeline(text)
    return found.name if found else None


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
        ("-*- vim: ft=sh", "Shell"),
        ("// vim: set ts=4 sw=4 et ft = idris :", "Idris"),
        ("/* vim700: set ft=verilog: */", "Verilog"),
        ("# Vim: filetype=sh", "Shell"),
        ("<!-- vim: ft=mako -->", "Mako"),
        ("# -*- mode: conf; mode: sh -*-", None),  # the first, as Emacs has it for major modes
        ("# -*- coding: utf-8 -*- vim: ft=lua", "Lua"),
        ("% -*- mode: Prolog; Package: -*-", "Prolog"),  # half of one editor's and all of the other's
    ],
)
def test_modeline(line, language):
    assert name(line) == language
    assert name(f"\n\n\n\n{line}\nx") == language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("x\n" * 5 + "# vim: ft=sh\n" + "x\n" * 5, None),  # neither in the first nor in the last five
        ("x\n" * 4 + "# vim: ft=sh\n" + "x\n" * 5, "Shell"),
        ("x\n" * 5 + "# vim: ft=sh\n" + "x\n" * 4, "Shell"),
        ("x\n" * 100_000 + "# vim: ft=sh\n", "Shell"),
        ("x\r\n" * 9 + "# vim: ft=sh\r\n", "Shell"),
        ("x" * 2_000 + "-*- C++ -*-" + "x" * 4_000, None),  # only the start of a long line is read
        ("-*- python -*-\n" + "x\n" * 9 + "vim: ft=sh", "Python"),  # the first
    ],
    ids=["middle", "fifth", "fifth-last", "long", "windows", "long-line", "both"],
)
def test_where(text, language):
    assert name(text) == language


@pytest.mark.parametrize(
    ("block", "language"),
    [
        ("# Local Variables:\n# mode: perl\n# End:\n", "Perl"),
        ("/* Local Variables: */\n/* tab-width: 4 */\n/* mode: c++ */\n/* End: */\n", "C++"),
        (";; Local variables:\n;; mode: outline-minor\n;; End:\n", None),  # a minor mode
        ("# Local Variables:\n# coding: utf-8\n# End:\n# mode: perl\n", None),  # after its end
        ("# mode: perl\n", None),
    ],
)
def test_local_variables(block, language):
    assert name("code\n" * 1_000 + block) == language


@pytest.mark.parametrize(
    ("mode", "language"),
    [
        ("C++", "C++"),
        ("c++-mode", "C++"),
        ("python-ts-mode", "Python"),
        ("js2", "JavaScript"),
        ("cperl", "Perl"),
        ("nroff", "Roff"),
        ("dosbatch", "Batchfile"),
        ("debcontrol", "Debian Package Control File"),
        ("conf", None),  # of no language
        ("", None),
    ],
)
def test_modes(mode, language):
    found = by_mode(mode)
    assert (found.name if found else None) == language


_pieces = st.sampled_from(
    [
        "-*-",
        ":",
        ";",
        "mode",
        "Mode:",
        "vim:",
        "vi:",
        "ex:",
        "ft=",
        "set",
        "sh",
        " ",
        "\n",
        "\r",
        "Local Variables:",
        "End:",
    ]
)


@given(st.one_of(st.text(), st.lists(_pieces, max_size=60).map("".join)))
@example("vim:" * 100_000)
@example("-*-" * 100_000)
@example("-*- mode:" * 100_000)
@example("Local Variables:\n" * 100_000)
@example("Local Variables: mode: " * 100_000)
def test_any_text(text):
    found = modeline(text)
    assert found is None or found is load().languages[found.name]
