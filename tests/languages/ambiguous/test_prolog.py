"""Project files of Qt, shrinkers of Java, IDL and Prolog."""

from languages.ambiguous.telling import told_apart

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


test_settles = told_apart(CASES)
