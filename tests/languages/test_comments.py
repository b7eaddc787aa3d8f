"""The table of comments and strings."""

import importlib.util
from pathlib import Path

import pytest

from starloom.kernels.lexical_rules import COMMENT, FLAGS, STRING
from starloom.languages import comments, table

SCRIPT = Path(__file__).parents[2] / "scripts" / "comment_table.py"


def test_its_languages_are_those_of_the_table():
    assert comments.syntaxes().keys() <= table.load().languages.keys()


def test_the_usual_languages_are_known():
    """Those of the paper's small set, its documentation and its configuration files, in any case."""
    wanted = (
        "C|C++|C#|CSS|Go|HTML|Java|JavaScript|Kotlin|Lua|Markdown|PHP|Perl|Python|R|Ruby|Rust|SQL|Scala|Shell|Swift|"
        "TypeScript|TSX|YAML|JSON|TOML|Dockerfile|Makefile|CMake|TeX|AsciiDoc|Org|XML|Haskell|Julia"
    )
    missing = [one for one in wanted.split("|") if one not in comments.syntaxes()]
    assert not missing


@pytest.mark.parametrize("column", ["¦e", "→b", "a→", "a→¦e", "'¦c"])
def test_what_opens_or_closes_with_nothing_is_refused(column):
    with pytest.raises(ValueError, match="nothing"):
        comments.rules(column, STRING)


def test_the_notation():
    rules = comments.rules('/*→*/¦n  "→"¦em --␠|¦D', COMMENT)
    assert [(rule.open, rule.close, rule.flags) for rule in rules] == [
        (b"/*", b"*/", "n"),
        (b'"', b'"', "em"),
        (b"-- |", b"", "D"),
    ]


def test_every_flag_is_used():
    """A flag without a language would be code without a test."""
    used = {flag for syntax in comments.syntaxes().values() for rule in syntax.rules for flag in rule.flags}
    assert used == FLAGS.keys()


def test_what_a_row_may_tell():
    read = dict(comments._rows("# head\nA\ttext above\t-$\t#\t\t\n"))
    assert read["A"].text
    assert read["A"].above
    assert not read["A"].lisp
    assert read["A"].inner == b"-$"
    with pytest.raises(ValueError, match="unknown traits color"):
        dict(comments._rows("A\tcolor\t\t#\t\t\n"))


def test_unknown_languages_have_no_place():
    assert comments.place(None) == comments.place("No such language") == -1
    with_comments, with_strings, code = comments.known()
    for one in (with_comments, with_strings, code):
        assert len(one) == len(comments.syntaxes()) + 1
        assert not one[comments.place(None)]
    python, html, json = (comments.place(one) for one in ("Python", "HTML", "JSON"))
    assert [one[python] for one in (with_comments, with_strings, code)] == [True, True, True]
    assert [one[html] for one in (with_comments, with_strings, code)] == [True, False, False]
    assert [one[json] for one in (with_comments, with_strings, code)] == [False, True, True]


def test_the_script_reads_other_tables():
    spec = importlib.util.spec_from_file_location("comment_table", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    fields = {
        "line_comment": ["//", "REM "],
        "multi_line_comments": [["/*", "*/"]],
        "nested": True,
        "quotes": [['\\"', '\\"'], ["'''", "'''"], {"start": 'r\\"', "end": '\\"', "ignoreEscape": True}],
    }
    text, inner, marks, strings, skipped = script.imported(fields, "")
    assert (text, inner, skipped) == ("", "", "")
    assert marks == "// REM␠ /*→*/¦n /**→*/¦nDa ///¦Da"
    assert strings == "\"→\"¦e '''→'''¦em r\"→\""
    assert script.imported(fields, "text")[3] == ""
