"""Languages that share an extension of one letter, or with one common language, or by two."""

import pytest

from starloom.languages.ambiguous import letters, pairs, twosomes
from starloom.languages.ambiguous.rule import MAX_HEAD, settle

RULES = letters.RULES | pairs.RULES | twosomes.RULES

CASES = [
    ("f", "Fortran", "      PROGRAM A\n      END\n"),
    ("f", "Fortran", "C comment\n"),
    ("f", "Forth", ": sq ( n -- n ) dup * ;\n"),
    ("f", "Filebench WML", "set $dir=/tmp\ndefine fileset name=a,path=$dir\n"),
    ("for", "Formatted", " 1.0 2.0 3.0\n 4.0 5.0 6.0\n"),
    ("for", "Fortran", "      INTEGER I\n"),
    ("for", "Forth", "\\ words\n: a 1 ;\n"),
    ("fs", "F#", "module A\nlet x = 1\n"),
    ("fs", "F#", "// comment\nopen System\n"),
    ("fs", "GLSL", "#version 330\nvoid main() {}\n"),
    ("fs", "Forth", ": a 1 ;\n"),
    ("fs", "Filterscript", "#pragma version(1)\n#pragma rs java_package_name(a)\n"),
    ("g", "GAP", "f := function(x) return x; end;\n"),
    ("g", "G-code", "G21\nG1 X1 Y2\n"),
    ("gd", "GAP", '##\nDeclareOperation( "A", [ IsInt ] );\n'),
    ("gd", "GDScript", "extends Node\nfunc _ready():\n\tpass\n"),
    ("gml", "Graph Modeling Language", "graph [\n  node [ id 1 ]\n]\n"),
    ("gml", "XML", '<?xml version="1.0"?>\n<a/>\n'),
    ("gml", "Game Maker Language", "var i = 0;\n"),
    ("gs", "JavaScript", "function onOpen() {\n  var a = 1;\n}\n"),
    ("gs", "Genie", '[indent=4]\ninit\n    print "hi"\n'),
    ("gs", "Gosu", "uses java.util.List\nclass A { }\n"),
    ("html", "HTML", "<p>hi</p>\n"),
    ("html", "Ecmarkup", '<emu-clause id="a"></emu-clause>\n'),
    ("j", "Jasmin", ".class public A\n.super java/lang/Object\n"),
    ("j", "Objective-J", "@import <Foundation/Foundation.j>\n"),
    ("j", "JASS", "function A takes nothing returns nothing\nendfunction\n"),
    ("json", "JSON", '{"a": 1}\n'),
    ("json", "OASv3-json", '{"openapi": "3.0.1"}\n'),
    ("json", "OASv2-json", '{"swagger": "2.0"}\n'),
    ("k", "KCL", "schema A:\n    a: int\n"),
    ("k", "KFramework", "module A\n  syntax Exp ::= Int\nendmodule\n"),
    ("l", "Lex", "%{\n%}\n%%\na return 1;\n%%\n"),
    ("l", "PicoLisp", "# comment\n(de f (X) X)\n"),
    ("l", "Common Lisp", ";; c\n(defun f (x) x)\n"),
    ("l", "Roff", '.\\" c\n.TH A 1\n'),
    ("lean", "Lean 4", "import Mathlib\ntheorem a : 1 = 1 := rfl\n"),
    ("lean", "Lean", "import data.nat.basic\n"),
    ("lp", "Linear Programming", "Maximize\n x + y\nSubject To\n c1: x <= 1\nEnd\n"),
    ("lp", "Answer Set Programming", "a :- not b.\n"),
    ("ls", "LiveScript", "f = (x) -> x\n"),
    ("ls", "LoomScript", "package {\n  public class A { }\n}\n"),
    ("m", "Objective-C", "#import <A.h>\n@implementation A\n@end\n"),
    ("m", "MATLAB", "% c\nx = 1;\n"),
    ("m", "Mercury", ":- module a.\n:- interface.\n"),
    ("m", "Wolfram Language", "(* c *)\nf[x_] := x^2\n"),
    ("m", "M", "A ; routine\n S X=1\n Q\n"),
    ("m", "Limbo", "implement A;\n"),
    ("m4", "M4Sugar", "AC_DEFUN([A], [])\n"),
    ("m4", "M4", "define(`a', `b')dnl\n"),
    ("md", "Markdown", "# Title\n"),
    ("md", "GCC Machine Description", ';; c\n(define_insn "a" [])\n'),
    ("ml", "OCaml", "let f x = x\n"),
    ("ml", "Standard ML", "fun f x = x\nval y = f 1\n"),
    ("mod", "Modula-2", "MODULE A;\nEND A.\n"),
    ("mod", "AMPL", "param n;\nvar x >= 0;\n"),
    ("mod", "NMODL", "NEURON {\n  SUFFIX a\n}\n"),
    ("mod", "XML", "<!ENTITY a 'b'>\n"),
    ("msg", "ROS Interface", "int32 a\n"),
    ("msg", "OMNeT++ MSG", "packet A {\n  int b;\n}\n"),
    ("r", "R", "f <- function(x) x\n"),
    ("r", "R", "# c\nlibrary(a)\n"),
    ("r", "Rebol", 'REBOL [Title: "A"]\n'),
    ("r", "Rez", '#include "Types.r"\nresource \'STR \' (128) { "a" };\n'),
    ("t", "Perl", "use strict;\nuse Test::More;\n"),
    ("t", "Raku", "use v6;\nuse Test;\nplan 1;\n"),
    ("t", "Terra", "local a = 1\nterra f(x : int) return x end\n"),
    ("t", "Turing", 'var x : int\nput "hi"\n'),
    ("v", "Verilog", "module a(input b);\nendmodule\n"),
    ("v", "Rocq Prover", "Require Import Arith.\n"),
    ("v", "V", "module main\n\nfn main() {\n\tprintln('hi')\n}\n"),
]


@pytest.mark.parametrize(
    ("key", "language", "text"), CASES, ids=[f"{n}-{key}-{name}" for n, (key, name, _) in enumerate(CASES)]
)
def test_told_apart(key: str, language: str, text: str) -> None:
    rule = settle(key, text, frozenset(one.language for one in RULES[key]))
    assert rule is not None
    assert rule.language == language


@pytest.mark.parametrize("key", sorted(RULES))
def test_hostile_heads_end(key: str) -> None:
    """Each would take minutes where a pattern repeats overlapping classes."""
    candidates = frozenset(rule.language for rule in RULES[key])
    for unit in ("a", " ", "\n", "(", "a(", "; ", "a b ", ": ", "= "):
        settle(key, (unit * MAX_HEAD)[:MAX_HEAD], candidates)
