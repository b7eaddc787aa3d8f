"""Where github-linguist is installed, its answers are ours: tokens, first and last lines, names, rules, classifier."""

import functools
import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("yaml")
pytest.importorskip("regex")

from starloom.languages.linguist import open_linguist
from starloom.languages.linguist.tokens import tokenize

GEM = 'require "linguist"; puts Gem::Specification.find_by_name("github-linguist").gem_dir'


@functools.cache
def gem_folder():
    ruby = shutil.which("ruby")
    if not ruby:
        return None
    done = subprocess.run([ruby, "-W0", "-e", GEM], capture_output=True, text=True)
    return Path(done.stdout.strip()) if done.returncode == 0 else None


@pytest.fixture(scope="module")
def gem():
    return gem_folder() or pytest.skip("github-linguist is not installed")


@pytest.fixture(scope="module")
def linguist(gem):
    return open_linguist(gem)


def ask(script, values):
    """The answers of ruby, one a value."""
    whole = f"require 'json'; require 'linguist'\nSTDIN.each_line {{ |line| one = JSON.parse(line); {script} }}"
    lines = "".join(json.dumps(value) + "\n" for value in values)
    done = subprocess.run(["ruby", "-W0", "-e", whole], input=lines, capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(values)
    return answers


DETECT = """
blob = Linguist::Blob.new(one[0], one[1].b)
puts JSON.generate([blob.binary?, blob.language&.name])
"""


def differing(linguist, files):
    """(name, text, their answer, ours) of the files where they differ; binary ones have no language for Linguist."""
    found = []
    languages = set()
    for (name, text), (binary, their) in zip(files, ask(DETECT, files), strict=True):
        ours = linguist.detect(name, text)
        languages.add(their)
        if not binary and their != (ours and ours.language):
            found.append((name, text, their, ours))
    assert len(languages) > 3  # else the inputs say nothing
    return found


SIGNS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
OPENINGS = "/*|*/|//|# |-- |\"\"\"|'''|<!--|-->|{-|-}|(*|*)|#!|#!/usr/bin/env|env|0x|1e|word|#!/usr/bin/env "
PIECES = [list(SIGNS), list("01xeEafluLU.-+_g "), [*SIGNS, *"aZ09 \n\n\té", "\r\n", *OPENINGS.split("|")]]


@pytest.mark.parametrize("pieces", range(len(PIECES)))
def test_tokens(gem, pieces):
    source = random.Random(pieces)
    texts = ["".join(source.choices(PIECES[pieces], k=source.randint(1, 10))) for _ in range(5_000)]
    theirs = ask("puts JSON.generate(Linguist::Tokenizer.tokenize(one))", texts)
    ours = [[token.decode() for token in tokenize(text.encode())] for text in texts]
    assert [one for one in zip(texts, ours, theirs, strict=True) if one[1] != one[2]] == []


MODES = "-*-|-*- | -*-|mode|:| |;|ruby|C++|vim|vi|Vim|ex|set |se |ft=|filetype=|syntax=|perl|#|//|=|<700|ts=4|\t|x|\\"
PROGRAMS = (
    "#!|#!|/usr/bin/|/bin/|env |env|-S |-i |A=b |--x |python|2.6|3|sh|bash|exec perl $0 $@|osascript| -l JavaScript|"
    'node|/| |\t|exec ruby -x "$0" "$@"'
)
ENDS = ["\n", "\r\n", "\n\n\n"]


@pytest.mark.parametrize(
    ("begin", "pieces"),
    [(["-*-", "vim:", "# vim: ", "\n", "\r\n"], MODES), (["#!"], PROGRAMS)],
    ids=["mode lines", "programs"],
)
def test_first_and_last_lines(linguist, begin, pieces):
    source = random.Random(len(pieces))
    choices = [*pieces.split("|"), *ENDS]
    texts = [source.choice(begin) + "".join(source.choices(choices, k=source.randint(1, 12))) for _ in range(4_000)]
    # And what has many lines, so that some are neither first nor last.
    texts += [source.choice(ENDS) * source.randint(0, 9) + text + "\nx" * source.randint(0, 9) for text in texts]
    assert differing(linguist, [("name", text) for text in texts]) == []


def test_names(linguist):
    source = random.Random(3)
    parts = ".|.|.|in|1|3pm|html|erb|Makefile|d|ts|h|C|xml|n|man|rs|é|~"
    names = ["".join(source.choices(parts.split("|"), k=source.randint(1, 6))) for _ in range(3_000)]
    assert differing(linguist, [(name, "text\n") for name in names if name.strip(".")]) == []


WORDS = (
    "class |def |#include <x.h>\n|@end\n|use strict;\n|%%\n|function |{|}\n|;\n|(|)|# comment\n|"
    "// comment\n|/* c */|'s'|\"t\"|1.5|:- |.SH x\n|.TH x 1\n|SELECT a FROM b;\n|let |end\n|"
    "<?xml version='1.0'?>\n|module |begin\n|=|->|  |\n|x|\n"
)
SHARED = (
    "h|m|pl|t|v|r|cls|inc|sql|ts|cs|fs|d|l|p|pp|md|rs|s|asm|x|1|3pm|yml|html|gs|e|es|mod|ml|st|tex|php|as|bf|f|for|n"
)


def test_shared_extensions(linguist):
    """Rules and classifier, on nonsense made of what rules look for."""
    source = random.Random(4)
    files = [
        (f"x.{source.choice(SHARED.split('|'))}", "".join(source.choices(WORDS.split("|"), k=source.randint(1, 30))))
        for _ in range(4_000)
    ]
    assert differing(linguist, files) == []


def test_paths(linguist):
    source = random.Random(5)
    parts = (
        "/|/|/|docs|Docs|vendor|node_modules|a|.min|.js|.css|README|.md|jquery|-1.2|dist|test|fixtures|"
        "examples|LICENSE|gradlew|configure|extern|al|third_party|é"
    )
    paths = ["".join(source.choices(parts.split("|"), k=source.randint(1, 7))).strip("/") or "a" for _ in range(4_000)]
    theirs = ask("b = Linguist::Blob.new(one, ''); puts JSON.generate([b.vendored?, b.documentation?])", paths)
    ours = [[linguist.is_vendor(path), linguist.is_documentation(path)] for path in paths]
    assert [one for one in zip(paths, ours, theirs, strict=True) if one[1] != one[2]] == []
    assert len({tuple(one) for one in theirs}) == 4
