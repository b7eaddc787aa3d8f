"""Markers stand where they do not break what they stand in; each is known again, however it is spelled."""

import doctest
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.languages.table import load
from starloom.privacy import markers
from starloom.privacy.finding import Finding
from starloom.privacy.markers import LANGUAGES, MARKERS, SPELLINGS, spelled
from starloom.privacy.replace import RedactSettings, replaced

MAIL, KEY, WORD, NAME = (
    "ada@" + "analytical.dev",
    "ghp" + "_" + "iK2ZWeqhFWCEPyYngFb51yBMWXaS",
    "hunter2x",
    "Ada Lovelace",
)
KINDS = {MAIL: "EMAIL", KEY: "KEY", WORD: "PASSWORD", NAME: "NAME"}
VALUES = re.compile("|".join(map(re.escape, KINDS)))

# A file of a language, and what becomes of it; @: an address, K: a key, W: a password, N: a name.
CASES = [
    ("Python", "# by @\na = '@'\n", "# by <EMAIL>\na = '<EMAIL>'\n"),
    ("", "by @", "by <EMAIL>"),
    ("XML", "<a b='@'>N &lt;@&gt;</a>", "<a b='&lt;EMAIL&gt;'>&lt;NAME&gt; &lt;&lt;EMAIL&gt;&gt;</a>"),
    ("XML", "<a><!-- @ --><![CDATA[@]]></a>", "<a><!-- &lt;EMAIL&gt; --><![CDATA[&lt;EMAIL&gt;]]></a>"),
    ("HTML", '<a href="mailto:@">@</a>', '<a href="mailto:&lt;EMAIL&gt;">&lt;EMAIL&gt;</a>'),
    (
        "TSX",
        'const a = <a href="mailto:@">Mail @!</a>;\n',
        'const a = <a href="mailto:<EMAIL>">Mail &lt;EMAIL&gt;!</a>;\n',
    ),
    ("JavaScript", "const a = () => '@'; // @\n", "const a = () => '<EMAIL>'; // <EMAIL>\n"),
    ("JavaScript", "const a = <p>@</p>;\nconst b = `@`;\n", "const a = <p>&lt;EMAIL&gt;</p>;\nconst b = `<EMAIL>`;\n"),
    ("SPARQL", "SELECT ?a WHERE { ?a <mailto:@> ?b }\n", "SELECT ?a WHERE { ?a <mailto:&lt;EMAIL&gt;> ?b }\n"),
    ("Shell", "export A=K\n", "export A=__KEY__\n"),
    ("Shell", "A=K ./run\n", "A=__KEY__ ./run\n"),
    ("Shell", "A='x' B=K C=\"K\" D='K'\n", "A='x' B=__KEY__ C=\"<KEY>\" D='<KEY>'\n"),
    ("Shell", "git config user.email @ # @\n", "git config user.email __EMAIL__ # <EMAIL>\n"),
    ("Shell", "for m in @ b; do echo; done\n", "for m in __EMAIL__ b; do echo; done\n"),
    ("Shell", "A=(@ K)\n", "A=(__EMAIL__ __KEY__)\n"),
    ("Shell", "if [ $X = @ ]; then echo; fi\n", "if [ $X = __EMAIL__ ]; then echo; fi\n"),
    ("Shell", "curl -u a:W https://a:W@x.dev\n", "curl -u a:__PASSWORD__ https://a:__PASSWORD__@x.dev\n"),
    ("Shell", '# by @\necho "it\'s @"\n', '# by <EMAIL>\necho "it\'s <EMAIL>"\n'),
    ("fish", "set -x KEY K\n", "set -x KEY __KEY__\n"),
    ("Dockerfile", "FROM x\nMAINTAINER N <@>\nENV A=K\n", "FROM x\nMAINTAINER __NAME__ <__EMAIL__>\nENV A=__KEY__\n"),
    ("YAML", "a: @\nb: [N, K]\nc: {d: K}\n", "a: <EMAIL>\nb: [<NAME>, <KEY>]\nc: {d: <KEY>}\n"),
    ("JSON", '{"a": "N <@>"}', '{"a": "<NAME> <<EMAIL>>"}'),
    ("CMake", "set(A K)\n", "set(A <KEY>)\n"),
    ("PHP", "<p>@</p>\n<?php $a = <<<E\n@\nE;\n", "<p><EMAIL></p>\n<?php $a = <<<E\n<EMAIL>\nE;\n"),
    ("Java Properties", "a.b=K\n", "a.b=<KEY>\n"),
    ("Perl", "=head1 A\n\nN E<lt>@E<gt>\n\n=cut\n\nmy @a = 1;\n", None),
    ("C", '#define A "@"\n#error mail @\nint a;\n', '#define A "<EMAIL>"\n#error mail <EMAIL>\nint a;\n'),
    ("Racket", "#lang racket\n'(a @)\n", "#lang racket\n'(a <EMAIL>)\n"),
]


def written(pattern):
    """The pattern with values in it."""
    for sign, value in zip("@KWN", (MAIL, KEY, WORD, NAME), strict=True):
        pattern = re.sub(rf"(?<![A-Za-z]){sign}(?![A-Za-z=])", lambda _, value=value: value, pattern)
    return pattern


def marked(language, text):
    found = [Finding(one.start(), one.end(), KINDS[one[0]], "test", 1.0) for one in VALUES.finditer(text)]
    assert found
    return replaced(text, found, RedactSettings(), language)


@pytest.mark.parametrize(
    ("language", "pattern", "expected"), CASES, ids=[f"{a}-{n}" for n, (a, _, _) in enumerate(CASES)]
)
def test_places(language, pattern, expected):
    new, redactions = marked(language, written(pattern))
    if expected is not None:
        assert new == expected
    for one in redactions:
        assert SPELLINGS[new[one.start : one.end]] == MARKERS[one.kind]


def test_what_parsed_still_parses():
    pytest.importorskip("tree_sitter_language_pack")
    from starloom.languages.syntax import parse_errors

    texts = [(language, written(pattern)) for language, pattern, _ in CASES]
    before = parse_errors([(language, text.encode()) for language, text in texts])
    after = parse_errors([(language, marked(language, text)[0].encode()) for language, text in texts])
    parsed = [one for one, found in zip(zip(texts, after), before, strict=True) if found and not found.number]
    assert len(parsed) > 20
    assert [one for one in parsed if one[1] is None or one[1].number] == []


def test_languages_are_linguists():
    known = load().languages
    assert set(LANGUAGES) <= set(known)


@given(
    st.text("<>=-\"'`{}();# \\\na\U0001f642\ud800", max_size=60),
    st.integers(0, 60),
    st.sampled_from(["XML", "Shell", "TSX", ""]),
)
def test_every_place_has_one(text, start, language):
    assert SPELLINGS[spelled("KEY", text, min(start, len(text)), language)] == "<KEY>"


def test_examples():
    assert doctest.testmod(markers).failed == 0
