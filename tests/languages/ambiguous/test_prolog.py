"""Project files of Qt, shrinkers of Java, IDL and Prolog."""

import pytest

from starloom.languages.ambiguous.rule import all_rules, settle

CASES = [
    ("pro", "QMake", "TEMPLATE = app\nSOURCES += main.cpp\n"),
    ("pro", "QMake", "# only a comment\n"),
    ("pro", "QMake", "include(common.pri)\n"),
    ("pro", "QMake", "win32 {\n    x = 1\n}\n"),
    ("pro", "Proguard", "# rules\n-keep class a.b.C { *; }\n"),
    ("pro", "Proguard", "-dontwarn okio.**\n"),
    ("pro", "IDL", 'pro hello\n  print, "hello"\nend\n'),
    ("pro", "IDL", "; a comment\nx = findgen(10)\nplot, x\n"),
    ("pro", "IDL", "FUNCTION twice, x\n  RETURN, 2 * x\nEND\n"),
    ("pro", "Prolog", "father(tom, bob).\n"),
    ("pro", "Prolog", "% rules\ngrand(X, Z) :- father(X, Y), father(Y, Z).\n"),
    ("pro", "INI", "update=Sat 1 Jan 2011\nlast_client=eeschema\n[general]\nversion=1\n"),
    ("plt", "Gnuplot", 'set xlabel "t"\nplot sin(x)\n'),
    ("plt", "Gnuplot", '# comment\nplot "data" using 1:2\n'),
    ("plt", "Prolog", ":- begin_tests(lists).\ntest(a) :- true.\n:- end_tests(lists).\n"),
]


@pytest.mark.parametrize(
    ("key", "language", "text"), CASES, ids=[f"{n}-{key}-{language}" for n, (key, language, _) in enumerate(CASES)]
)
def test_settles(key: str, language: str, text: str) -> None:
    candidates = frozenset(rule.language for rule in all_rules()[key])
    settled = settle(key, text, candidates)
    assert settled is not None
    assert settled.language == language
