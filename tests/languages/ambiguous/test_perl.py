"""Perl, Raku, Prolog and their documentation."""

from languages.ambiguous.telling import told_apart

CASES = [
    ("pl", "Perl", 'print "Hello\\n";\n'),
    ("pl", "Perl", "#!/usr/bin/perl\n# nothing yet\n"),
    ("pl", "Perl", "use strict;\nmy %h = (a => 1);\n%h = ();\nforeach my $k (keys %h) { print $k }\n"),
    ("pl", "Perl", 'my $smile = ":-)";\nprint <<EOT;\n:- not a clause\nEOT\n'),
    ("pl", "Perl", 'use 5.010;\nsay "hi";\nif ($x) {\n}\n'),
    ("pl", "Perl", '$s = join(", ", "a".join("-", @list));\n'),
    ("pl", "Perl", "# labels\n$key = q/intro/;\n1;\n"),
    ("pl", "Prolog", "likes(mary, wine).\n"),
    ("pl", "Prolog", "% family\nparent(X, Y) :- child(Y, X).\n"),
    ("pl", "Prolog", ":- module(lists, []).\n"),
    ("pl", "Prolog", "/* grammar */\ngreeting --> [hello], name.\n"),
    ("pl", "Prolog", "%% only a comment so far\n"),
    ("pl", "Raku", 'use v6;\nsay "hi";\n'),
    ("pl", "Raku", 'say "hi";\n'),
    ("pl", "Raku", "for 1..3 -> $n {\n    say $n;\n}\n"),
    ("pl", "Raku", "my Int $x = 3;\nif $x > 2 {\n    say $x;\n}\n"),
    ("pm", "Perl", "package Foo;\nsub new { my $class = shift; bless {}, $class }\n1;\n"),
    ("pm", "Perl", "package Foo;\nuse Moose;\nhas name => (is => 'ro');\nmethod hi { 1 }\n1;\n"),
    ("pm", "Raku", "unit module Foo;\nsub f($x) is export { $x }\n"),
    ("pm", "Raku", "class Point {\n    has $.x;\n    method len() { sqrt $!x ** 2 }\n}\n"),
    ("pm", "Raku", "role Walks does Moves {\n}\n"),
    ("pm", "X PixMap", '/* XPM */\nstatic char *dot[] = {\n"1 1 1 1",\n". c #000000",\n"."};\n'),
    ("pod", "Pod", "=pod\n\n=head1 NAME\n\nfoo - does things\n\n=cut\n"),
    ("pod", "Pod", "=head1 Only a heading\n"),
    ("pod", "Pod 6", "=begin pod\n\n=head1 Hello\n\n=end pod\n"),
    ("pod", "Pod 6", "=TITLE Operators\n\n=SUBTITLE All of them\n"),
]


test_settles = told_apart(CASES)
