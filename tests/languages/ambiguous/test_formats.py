"""Formats that share an extension, and what holds for every rule of these groups."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from languages.ambiguous.telling import told_apart
from starloom.languages.ambiguous import (
    assembly,
    basics,
    braces,
    c_headers,
    classes,
    formats,
    includes,
    manuals,
    words,
)
from starloom.languages.ambiguous.rule import settle

CASES = [
    ("asy", "Asymptote", "import graph;\nsize(200,150);\ndraw(unitcircle);\n"),
    ("asy", "LTspice Symbol", "Version 4\nSymbolType CELL\nLINE Normal 0 0 16 16\n"),
    ("brd", "KiCad Legacy Layout", "PCBNEW-BOARD Version 1 date 2012\n\n$GENERAL\n"),
    ("brd", "Eagle", '<?xml version="1.0"?>\n<!DOCTYPE eagle SYSTEM "eagle.dtd">\n<eagle version="6.5.0">\n'),
    ("bst", "BibTeX Style", "ENTRY\n  { author title }\n  {}\n  { label }\nFUNCTION {not} { { #0 } { #1 } if$ }\n"),
    ("bst", "BibTeX Style", "%% a style\n"),
    ("bst", "BuildStream", "# an element\nkind: autotools\n\nsources:\n- kind: git\n"),
    ("bst", "BuildStream", "variables:\n  x: 1\n"),
    ("cfg", "HAProxy", "global\n    daemon\ndefaults\n    mode http\n    timeout client 5s\n"),
    ("cfg", "HAProxy", "frontend www\n  bind *:80\n  default_backend app\n"),
    ("cfg", "HAProxy", "# proxy\nlisten stats :1936\n    stats enable\n    mode http\n"),
    ("cfg", "INI", "[global]\nmode = fast\nlog = x\n"),
    ("cfg", "INI", "[defaults]\ntimeout = 1\n"),
    ("cfg", "INI", "define host {\n  host_name a\n}\n"),
    ("cfg", "INI", "key=value\n"),
    ("csl", "XML", '<?xml version="1.0"?>\n<style xmlns="http://purl.org/net/xbiblio/csl"/>\n'),
    ("csl", "XML", "<style/>\n"),
    ("csl", "Kusto", "// errors\nTraces\n| where Level < 3\n| summarize count() by Name\n"),
    ("cue", "Cue Sheet", 'PERFORMER "A"\nFILE "a.wav" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n'),
    ("cue", "CUE", 'package foo\n\n#Port: {\n\ttitle: "x"\n\tport: int & >0\n}\n'),
    ("cue", "CUE", "x: 1\n"),
    ("ddl", "PLSQL", "CREATE TABLE t (name VARCHAR2(30), n NUMBER(10));\n/\n"),
    ("ddl", "PLSQL", "create or replace trigger t before insert on x\nbegin\n  null;\nend;\n/\n"),
    ("ddl", "SQL", "CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR(30));\n"),
    ("ddl", "SQL", "-- comment\n"),
    ("dsc", "Debian Package Control File", "Format: 3.0 (quilt)\nSource: foo\nBinary: foo\n"),
    ("dsc", "Debian Package Control File", "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nFormat: 1.0\n"),
    ("dsc", "DenizenScript", "# doors\nmy_task:\n  type: task\n  script:\n  - narrate hi\n"),
]
_ALL = {
    key: rules
    for module in (assembly, basics, braces, c_headers, classes, formats, includes, manuals, words)
    for key, rules in module.RULES.items()
}
_HOSTILE = [
    " ",
    "\n",
    "\t",
    "a",
    "0",
    "(",
    "<",
    "a ",
    "a,",
    "a::",
    "//\n",
    "; ",
    ";\n",
    "[-",
    "{ ",
    "a b ",
    "\r",
    "\0",
    "\ufeff",
    "#",
    ". ",
    "'",
    '"',
    "a(",
    "(a",
    "&",
    "* ",
    "\n ",
    "a\\\n",
    "a/",
]


test_a_format_is_known_by_its_fields = told_apart(CASES)


@pytest.mark.parametrize("key", sorted(_ALL))
def test_hostile_text_is_settled_or_left_in_bearable_time(key):
    # A quadratic or worse pattern would take minutes here: there is no clock, the suite's patience is the limit.
    candidates = frozenset(rule.language for rule in _ALL[key])
    for unit in _HOSTILE:
        rule = settle(key, (unit * 50_000)[:50_000], candidates)
        assert rule is None or rule.language in candidates


@given(key=st.sampled_from(sorted(_ALL)), text=st.text(), kept=st.randoms())
def test_only_candidates_are_ever_named(key, text, kept):
    languages = sorted({rule.language for rule in _ALL[key]})
    candidates = frozenset(kept.sample(languages, kept.randint(0, len(languages))))
    rule = settle(key, text, candidates)
    assert rule is None or rule.language in candidates


def test_every_rule_gives_a_reason_of_one_line():
    for rules in _ALL.values():
        for rule in rules:
            assert rule.reason
            assert "\n" not in rule.reason
