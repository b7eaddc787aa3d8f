"""Languages of words, brain-twisters, and scripts of a web server."""

import pytest

from starloom.languages.ambiguous.rule import settle
from starloom.languages.ambiguous.words import RULES

CASES = [
    ("al", "AL", 'table 50100 "My Table"\n{\n  fields { field(1; "No."; Code[20]) { } }\n}\n'),
    ("al", "AL", '// comment\npageextension 50100 CustomerExt extends "Customer List"\n{\n}\n'),
    ("al", "AL", "codeunit 50 Foo\n{\n  procedure Bar() begin end;\n}\n"),
    ("al", "Perl", "# NOTE: Derived from blib/lib/Foo.pm.\npackage Foo;\nsub bar { my ($x) = @_; }\n1;\n"),
    ("b", "Limbo", 'implement Hello;\ninclude "sys.m";\n\tsys: Sys;\n'),
    ("b", "Limbo", "Point: adt {\n\tx: int;\n};\n"),
    ("b", "B", "main() {\n  extrn a, b;\n  putchar('hi!*n');\n}\n"),
    ("b", "B", "/* ------ */\nf(x) return(x+++1);\n"),
    ("b", "Brainfuck", "++++++++[>++++++++<-]>+.\n"),
    ("b", "Brainfuck", "read a character and print it\n,.\n"),
    (
        "bf",
        "Beef",
        "using System;\n\nnamespace Hello\n{\n  class Program\n  {\n"
        '    static void Main() { Console.WriteLine("hi"); }\n  }\n}\n',
    ),
    ("bf", "HyPhy", 'RequireVersion ("2.5");\nLoadFunctionLibrary ("libv3/all-terms.bf");\n'),
    ("bf", "HyPhy", "/* model */\nfunction PopulateModel (m) {\n  ModelMatrixDimension = 64;\n  return 0;\n}\n"),
    ("bf", "HyPhy", 'fprintf (stdout, "done");\n'),
    ("bf", "Brainfuck", "++++++++[>++++[>++>+++>+++>+<<<<-]>+>+>->>+[<]<-]>>.>---.\n"),
    ("bf", "Brainfuck", "Prints a letter by me@example.org\n++++++[>+++++++++++<-]>.\n"),
    ("bf", "Brainfuck", "+.\n"),
    ("bf", "Befunge", '>25*"!dlrow ,olleH":v\n                 v:,_@\n                 >  ^\n'),
    ("bf", "Befunge", '64+"!dlroW">:#,_@\n'),
    ("bf", "Befunge", "v   v\n>v9<?>7v6\n"),
    ("bs", "Bikeshed", "<pre class='metadata'>\nTitle: Foo\nStatus: CG-DRAFT\n</pre>\n"),
    ("bs", "Bikeshed", "<!-- spec -->\n<h1>Foo</h1>\n"),
    ("bs", "Bluespec BH", "package Foo where\n\nimport Vector\n\nmkFoo :: Module Empty\n"),
    ("bs", "Bluespec BH", "-- a counter\nx <- mkReg 0\n"),
    (
        "bs",
        "BrighterScript",
        'import "pkg:/source/a.bs"\nclass A\n  function f() as string\n  end function\nend class\n',
    ),
    ("bs", "BrighterScript", 'sub main()\n  print "hi"\nend sub\n'),
    ("bs", "BrighterScript", "' a comment\nx = 1\n"),
    ("cgi", "Perl", 'use strict;\nmy $q = CGI->new;\nprint "Content-type: text/html\\n\\n";\n'),
    ("cgi", "Perl", "\n"),
    ("cgi", "Python", 'import cgi\nform = cgi.FieldStorage()\nprint("Content-type: text/html")\n'),
    ("cgi", "Shell", 'echo "Content-type: text/plain"\necho\ncat <<EOF\nhi\nEOF\n'),
    ("fcgi", "Lua", 'local wsapi = require "wsapi.fastcgi"\nwsapi.run(app)\n'),
    ("fcgi", "PHP", "<?php\necho 1;\n"),
    ("fcgi", "Perl", 'use FCGI;\nwhile (FCGI::accept() >= 0) { print "hi"; }\n'),
    (
        "fcgi",
        "Python",
        "from flup.server.fcgi import WSGIServer\nif __name__ == '__main__':\n    WSGIServer(app).run()\n",
    ),
    ("fcgi", "Ruby", "require 'rubygems'\nrequire 'fcgi'\nFCGI.each do |request|\n  request.out.print \"hi\"\nend\n"),
    ("fcgi", "Shell", "exec /usr/bin/php-cgi\n"),
    ("e", "Eiffel", 'class HELLO\ncreate make\nfeature\n  make do print ("hi") end\nend\n'),
    ("e", "Eiffel", 'note\n\tdescription: "x"\ndeferred class\n\tFOO\n'),
    ("e", "Eiffel", "-- only a comment\n"),
    ("e", "Euphoria", 'include std/io.e\n\nprocedure main()\n  puts(1, "hi")\nend procedure\n'),
    ("e", "Euphoria", "-- constants\nglobal constant A = 1\n"),
    ("e", "Euphoria", "sequence s = {}\nif length(s) then\n  ? s\nend if\n"),
    ("e", "E", "def x := 3\nprintln(`x is $x`)\n"),
    ("e", "E", "# a vat\ndef makeCell(var value) {\n  def cell {\n    to get() { return value }\n  }\n}\n"),
    ("ecl", "ECL", "IMPORT Std;\nrec := RECORD\n  STRING name;\nEND;\nOUTPUT('hi');\n"),
    ("ecl", "ECL", "EXPORT x := 3;\n"),
    ("ecl", "ECLiPSe", ":- lib(ic).\nqueens(N, B) :- length(B, N).\n"),
    ("ecl", "ECLiPSe", "% facts\nparent(a, b).\n"),
    ("es", "JavaScript", "import foo from 'foo';\nexport default () => foo();\n"),
    ("es", "JavaScript", "// nothing\n"),
    ("es", "Erlang", '#!/usr/bin/env escript\nmain(_) ->\n    io:format("hi~n").\n'),
    ("es", "Erlang", "%% script\n-module(foo).\n-export([f/1]).\n"),
    ("ex", "Elixir", "defmodule A do\n  def f(x), do: x\nend\n"),
    ("ex", "Elixir", 'IO.puts "hi"\n'),
    ("ex", "Elixir", "# comment\n"),
    ("ex", "Euphoria", "include get.e\nfor i = 1 to 3 do\n  ? i\nend for\n"),
    ("ex", "Euphoria", 'puts(1, "hi")\n'),
    ("ex", "Euphoria", "-- comment\n"),
]


@pytest.mark.parametrize(
    ("key", "language", "text"), CASES, ids=[f"{case[0]}-{case[1]}-{number}" for number, case in enumerate(CASES)]
)
def test_a_file_is_in_the_language_of_its_words(key, language, text):
    rule = settle(key, text, frozenset(rule.language for rule in RULES[key]))
    assert rule is not None
    assert rule.language == language, rule.reason
