"""What a "#!" line says."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from starloom.languages.shebang import shebang
from starloom.languages.table import load


def first(text):
    found = shebang(text)
    return found[0].name if found else None


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
        ("#!/usr/bin/env npx ts-node", "TypeScript"),
        ("#!/bin/busybox sh", "Shell"),
        ("#!/usr/bin/osascript", "AppleScript"),
        ("#!/usr/bin/env osascript -l JavaScript", "JavaScript"),
        ("#!/usr/bin/osascript -l Unheard", None),
        ("#!/bin/sh\r\necho", "Shell"),
        ("#!/bin/sh\recho", "Shell"),
        ("#!/usr/bin/unknown", None),
        ("#!/bin/busybox", None),
        ("#!/usr/bin/env", None),
        ("#!/usr/bin/env -S", None),
        ("#!", None),
        ("#!   ", None),
        ("# /bin/sh", None),
        (" #!/bin/sh", None),  # the kernel would not see it
        ("", None),
    ],
)
def test_the_first_line(line, language):
    assert first(line) == language


@pytest.mark.parametrize(
    ("following", "language"),
    [
        ('# the next line is no comment to Tcl \\\nexec tclsh "$0" ${1+"$@"}', "Tcl"),
        ('exec /usr/local/bin/guile -s "$0" "$@"', "Scheme"),
        ("exec perl -x $0", "Perl"),
        ("''':'\nexec python3 -u \"$0\" \"$@\"\n'''", "Python"),
        ('"exec" "python" "$0" "$@"', "Python"),
        ('":" //# comment; exec /usr/bin/env node --noharmony "$0" "$@"', "JavaScript"),
        ('#=\nexec julia --color=yes "${BASH_SOURCE[0]}" "$@"\n=#', "Julia"),
        ('exec python3 -m package "$@"', "Shell"),  # a wrapper that starts something else
        ('exec python3 "$0.py" "$@"', "Shell"),
        ('exec java -jar "$(dirname "$0")/x.jar"', "Shell"),
        ("exec 5>log", "Shell"),
        ('exec unheard-of "$0"', "Shell"),
        ("\n" * 20 + 'exec tclsh "$0"', "Shell"),  # too late to be the trick
    ],
)
def test_a_shell_that_starts_another_interpreter(following, language):
    assert first(f"#!/bin/sh\n{following}\n") == language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("#!/usr/bin/env nix-shell\n#!nix-shell -i python3 -p python3\n", "Python"),
        ("#! /usr/bin/env nix-shell\n#! nix-shell -p ghc --interpreter runghc\n", "Haskell"),
        ("#!/usr/bin/env nix-shell\n#!nix-shell -p hello\n", "Shell"),
    ],
)
def test_nix_shell(text, language):
    assert first(text) == language


def test_an_interpreter_of_several_languages():
    assert [one.name for one in shebang("#!/usr/bin/env node")] == ["JavaScript", "TypeScript"]


_pieces = st.sampled_from(
    ["#!", "/usr/bin/", "env", " ", "-S", "-u", "A=1", "python3", "sh", "exec", '"$0"', "\n", "\r", "nix-shell", "-i"]
)


@given(st.one_of(st.text(), st.lists(_pieces, max_size=60).map("".join)).map("#!".__add__))
@example("#!/bin/sh\n" + "exec a " * 100_000)
@example("#!/bin/sh\n" + "exec " * 100_000)
@example("#!" + " " * 1_000_000)
def test_any_text(text):
    assert all(one is load().languages[one.name] for one in shebang(text))
