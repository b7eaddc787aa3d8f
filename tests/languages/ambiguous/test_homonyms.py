"""Short extensions of different worlds."""

import pytest

from starloom.languages.ambiguous.rule import all_rules, settle

CASES = [
    ("p", "Gnuplot", "plot sin(x)\n"),
    ("p", "Gnuplot", 'set xlabel "x"\n'),
    ("p", "OpenEdge ABL", 'MESSAGE "hi".\n'),
    ("p", "OpenEdge ABL", "/* set title */\nDEFINE VARIABLE x AS INTEGER NO-UNDO.\n"),
    ("w", "CWeb", "@* Intro.\nText.\n@c\nint main(void) { return 0; }\n"),
    ("w", "CWeb", "% limbo\n\\def\\x{y}\n"),
    ("w", "OpenEdge ABL", "&ANALYZE-SUSPEND _VERSION-NUMBER\n"),
    ("w", "OpenEdge ABL", "DEFINE VARIABLE x AS CHARACTER.\n"),
    ("q", "HiveQL", "SELECT * FROM t;\n"),
    ("q", "HiveQL", "set hive.exec.parallel=true;\n"),
    ("q", "HiveQL", "-- c\nCREATE TABLE t (x int);\n"),
    ("q", "q", "x:1 2 3\n"),
    ("q", "q", "/ c\nf:{x+y}\n"),
    ("q", "q", "select sum size by sym from trade\n"),
    ("q", "q", "\\d .util\n"),
    ("rpy", "Ren'Py", 'label start:\n    "Hello"\n    return\n'),
    ("rpy", "Ren'Py", 'define e = Character("E")\n'),
    ("rpy", "Ren'Py", "# c\n"),
    ("rpy", "Python", "from a import b\ndef f():\n    pass\n"),
    ("rpy", "Ren'Py", "init python:\n    import os\n    def f(): pass\nlabel start:\n    jump end\n"),
    ("sc", "Scala", "val x = 1\n"),
    ("sc", "Scala", "import $ivy.`a::b:1`\n"),
    ("sc", "Scala", "object A { def f = 1 }\n"),
    ("sc", "SuperCollider", "Foo : UGen {\n  *ar { ^this.multiNew }\n}\n"),
    ("sc", "SuperCollider", "{ SinOsc.ar(440) }.play;\n"),
    ("sc", "SuperCollider", '"x".postln;\n'),
    ("scd", "SuperCollider", "(\ns.boot;\n)\n"),
    ("scd", "SuperCollider", "// c\n"),
    ("scd", "Markdown", "tool(1)\n\n# NAME\n\ntool - x\n"),
    ("scm", "Scheme", "(define x 1)\n"),
    ("scm", "Scheme", ";; c\n"),
    ("scm", "Scheme", '(define doc "use @code{x} and [a]@b")\n'),
    ("scm", "Tree-sitter Query", "(identifier) @variable\n"),
    ("scm", "Tree-sitter Query", "; inherits: c\n"),
    ("scm", "Tree-sitter Query", '[\n  "if"\n  "else"\n] @keyword\n'),
    ("sip", "SIP", "%Module a\nclass A { };\n"),
    ("sip", "Quartus Simulation IP", 'set_global_assignment -entity "a" -name IP "b"\n'),
    ("st", "Smalltalk", "Transcript show: 'x'; cr.\n"),
    ("st", "Smalltalk", "Object subclass: #A\n"),
    ("st", "Smalltalk", "'x' printNl !\n"),
    ("st", "StringTemplate", "group a;\nx(y) ::= <<\n$y$\n>>\n"),
    ("st", "StringTemplate", "<html><body>$title$</body></html>\n"),
    ("st", "StringTemplate", "Hello, $name$!\n"),
    ("st", "Smalltalk", '"cost in $"\n| a b |\na := 3 > 2.\n'),
    ("tpl", "Smarty", "{foreach $a as $b}{$b}{/foreach}\n"),
    ("tpl", "Smarty", "{* c *}\n<p></p>\n"),
    ("tpl", "Go Template", "{{ .Values.name }}\n"),
    ("tpl", "Go Template", '{{/* c */}}\n{{- define "a" -}}\n{{- end -}}\n'),
    ("tpl", "Smarty", "<p>hi</p>\n"),
    ("tst", "GAP", "gap> 1+1;\n2\n"),
    ("tst", "GAP", "# c\n"),
    ("tst", "Scilab", "// c\nassert_checkequal(1, 1);\n"),
    ("vba", "VBA", "Sub A()\nEnd Sub\n"),
    ("vba", "Vim script", '" Vimball Archiver\nUseVimball\nfinish\n'),
    ("x", "RPC", "program P { version V { void F(void) = 1; } = 1; } = 100;\n"),
    ("x", "RPC", "%#include <a.h>\ntypedef string name<255>;\n"),
    ("x", "RPC", "/* c */\n"),
    ("x", "DirectX 3D File", "xof 0303txt 0032\n"),
    ("x", "Logos", "%hook A\n- (void)b { %orig; }\n%end\n"),
    ("x", "Logos", "#import <UIKit/UIKit.h>\n"),
    ("x", "Linker Script", "ENTRY(start)\nSECTIONS { .text : { *(.text) } }\n"),
    ("x", "Linker Script", "MEMORY\n{\n rom : ORIGIN = 0, LENGTH = 1K\n}\n"),
]


@pytest.mark.parametrize(
    ("key", "language", "text"), CASES, ids=[f"{n}-{key}-{language}" for n, (key, language, _) in enumerate(CASES)]
)
def test_settles(key: str, language: str, text: str) -> None:
    candidates = frozenset(rule.language for rule in all_rules()[key])
    settled = settle(key, text, candidates)
    assert settled is not None
    assert settled.language == language
