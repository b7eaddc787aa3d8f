"""Languages that share an extension with one common language."""

import pytest

from starloom.languages.ambiguous.pairs import RULES
from starloom.languages.ambiguous.rule import settle

CASES = [
    ("for", "Formatted", " 1.0 2.0 3.0\n 4.0 5.0 6.0\n"),
    ("for", "Fortran", "      INTEGER I\n"),
    ("for", "Forth", "\\ words\n: a 1 ;\n"),
    ("fs", "F#", "module A\nlet x = 1\n"),
    ("fs", "F#", "// comment\nopen System\n"),
    ("fs", "GLSL", "#version 330\nvoid main() {}\n"),
    ("fs", "Forth", ": a 1 ;\n"),
    ("fs", "Filterscript", "#pragma version(1)\n#pragma rs java_package_name(a)\n"),
    ("gs", "JavaScript", "function onOpen() {\n  var a = 1;\n}\n"),
    ("gs", "Genie", '[indent=4]\ninit\n    print "hi"\n'),
    ("gs", "Gosu", "uses java.util.List\nclass A { }\n"),
    ("html", "HTML", "<p>hi</p>\n"),
    ("html", "Ecmarkup", '<emu-clause id="a"></emu-clause>\n'),
    ("json", "JSON", '{"a": 1}\n'),
    ("json", "OASv3-json", '{"openapi": "3.0.1"}\n'),
    ("json", "OASv2-json", '{"swagger": "2.0"}\n'),
    ("ls", "LiveScript", "f = (x) -> x\n"),
    ("ls", "LoomScript", "package {\n  public class A { }\n}\n"),
    ("md", "Markdown", "# Title\n"),
    ("md", "GCC Machine Description", ';; c\n(define_insn "a" [])\n'),
    ("ml", "OCaml", "let f x = x\n"),
    ("ml", "Standard ML", "fun f x = x\nval y = f 1\n"),
    ("mod", "Modula-2", "MODULE A;\nEND A.\n"),
    ("mod", "AMPL", "param n;\nvar x >= 0;\n"),
    ("mod", "NMODL", "NEURON {\n  SUFFIX a\n}\n"),
    ("mod", "XML", "<!ENTITY a 'b'>\n"),
    ("for", "Fortran", "C a comment\n      CALL X\n      END\n"),
    ("for", "Fortran", "program a\nprint *, 1\nend program\n"),
    ("for", "Forth", ": sq dup * ;\n"),
    ("for", "Formatted", "  0.1000E+01  0.2000E+01\n  0.3000E+01  0.4000E+01\n"),
    ("fs", "F#", '#if INTERACTIVE\n#r "a.dll"\n#endif\nlet x = 1\n'),
    ("fs", "F#", "#if DEBUG\n#endif\nmodule A\n\ntype B = { X: int }\n"),
    ("fs", "F#", "(* comment *)\nnamespace A.B\n\nopen System\n"),
    ("fs", "F#", 'let f x =\n    x + 1\n\nprintfn "%d" (f 1)\n'),
    ("fs", "F#", "[<EntryPoint>]\nlet main argv = 0\n"),
    ("fs", "F#", "#light\n\nlet a = 1\n"),
    ("fs", "GLSL", "precision mediump float;\nvarying vec2 v;\nvoid main() { gl_FragColor = vec4(v, 0.0, 1.0); }\n"),
    ("fs", "GLSL", "#ifdef GL_ES\nprecision highp float;\n#endif\nvoid main(void) {}\n"),
    ("fs", "GLSL", "in vec2 uv;\nout vec4 color;\nvoid main() { color = vec4(1); }\n"),
    ("fs", "GLSL", "#if defined(A)\nuniform sampler2D t;\n#endif\nvoid main() {}\n"),
    ("fs", "Forth", "\\ words\nvariable x\n: get x @ ;\n"),
    ("fs", "Forth", "require lib.fs\n[IFUNDEF] a\n: a ( -- n ) 1 ;\n[THEN]\n"),
    (
        "fs",
        "Filterscript",
        "#pragma version(1)\n#pragma rs_fp_relaxed\nuchar4 __attribute__((kernel)) invert(uchar4 in) { return in; }\n",
    ),
    ("gs", "GLSL", "#version 150\nlayout(triangles) in;\nvoid main() { EmitVertex(); EndPrimitive(); }\n"),
    ("gs", "GLSL", "layout(points) in;\nvoid main() { gl_Position = vec4(0); EmitVertex(); }\n"),
    ("gs", "Gosu", 'package a.b\n\nclass C {\n  construct() {}\n  function f(x : int) : String { return "" }\n}\n'),
    ("gs", "Gosu", "enhancement StringExt : String {\n  property get Twice() : String { return this + this }\n}\n"),
    ("gs", "Genie", "uses\n    Gtk\n\nclass A : Window\n    construct()\n        pass\n"),
    ("gs", "Genie", '// hello\ninit\n    print "hi"\n'),
    ("gs", "JavaScript", "/**\n * @OnlyCurrentDoc\n */\nfunction a() {}\n"),
    ("gs", "JavaScript", "const x = [1].map(y => y);\nSpreadsheetApp.getActive();\n"),
    ("html", "HTML", "<p>Write <code>&lt;emu-clause&gt;</code></p>\n"),
    ("html", "HTML", "<p>See `<emu-clause>` for more.</p>\n"),
    ("html", "Ecmarkup", '<!doctype html>\n<pre class=metadata>\ntitle: A\n</pre>\n<emu-intro id="i">\n</emu-intro>\n'),
    ("html", "Ecmarkup", '<!doctype html>\n<script src="./ecmarkup.js"></script>\n<emu-clause id=a>\n'),
    ("html", "HTML", "<pre class=metadata>\nTitle: A module of Bikeshed\nShortname: a\n</pre>\n"),
    ("json", "JSON", '{"dependencies": {"swagger": "2.0.1"}}\n'),
    ("json", "JSON", '{\n  "name": "a",\n  "dependencies": {\n    "openapi": "3.0.0"\n  }\n}\n'),
    ("json", "JSON", '[{"openapi": "3.0.0"}]\n'),
    ("json", "OASv3-json", '{\n  "openapi": "3.1.0",\n  "info": {"title": "a"}\n}\n'),
    (
        "json",
        "OASv3-json",
        '{\n    "info": {\n        "title": "a"\n    },\n    "openapi": "3.0.0",\n    "paths": {}\n}\n',
    ),
    ("json", "OASv2-json", '{\n  "swagger": "2.0",\n  "info": {}\n}\n'),
    ("json", "OASv2-json", '{"swagger":"2.0","info":{}}'),
    ("ls", "LiveScript", "require! <[ fs path ]>\nexport f = (x) -> x + 1\n"),
    ("ls", "LiveScript", "# import a\nimport: -> 1\n"),
    (
        "ls",
        "LoomScript",
        "package\n{\n    import loom.Application;\n    public class A extends Application\n    {\n    }\n}\n",
    ),
    ("md", "Markdown", "Title\n=====\n\n(define_insn is a pattern of GCC)\n"),
    ("md", "Markdown", "```lisp\n(print 1)\n```\n"),
    (
        "md",
        "GCC Machine Description",
        ';; Machine description for X.\n;;\n;; This file is part of GCC.\n\n(define_attr "type" "a,b" (const_int 1))\n',
    ),
    ("ml", "OCaml", 'open Printf\n\nlet () = printf "hi\\n"\n'),
    ("ml", "OCaml", "(* comment *)\ntype t = A | B of int\n"),
    ("ml", "OCaml", "module M = struct\n  let x = 1\nend\n"),
    ("ml", "OCaml", "let rec f = function\n  | [] -> 0\n  | x :: r -> x + f r\n"),
    ("ml", "OCaml", 'exception E of string\nexternal f : int -> int = "f"\n'),
    ("ml", "OCaml", "(* fun f x = x *)\nlet f = fun x -> x\n"),
    ("ml", "OCaml", "class a = object\n  val x = 1\n  method y = x >= 0\nend\n"),
    ("ml", "OCaml", 'let test = 1 => 2\nlet () = run [ "a" >:: f ]\n'),
    ("ml", "Standard ML", "structure A = struct\n  val x = 1\n  fun f 0 = 1 | f n = n * f (n - 1)\nend\n"),
    ("ml", "Standard ML", 'val _ = print "hi\\n"\n'),
    ("ml", "Standard ML", "fun len xs = case xs of nil => 0 | _ :: t => 1 + len t\n"),
    ("ml", "Standard ML", 'open HolKernel boolLib;\nval _ = new_theory "a";\nval x = Define `f x = x`;\n'),
    ("ml", "Standard ML", "datatype t = A | B of int\n"),
    ("ml", "Standard ML", "fun f x =\n  let\n    val y = x\n  in\n    y\n  end\n"),
    ("mod", "Modula-2", "(* hello *)\nMODULE Hello;\nFROM InOut IMPORT WriteString;\nBEGIN\nEND Hello.\n"),
    ("mod", "Modula-2", "IMPLEMENTATION MODULE A;\nEND A.\n"),
    ("mod", "NMODL", "TITLE passive\n\nNEURON {\n  SUFFIX pas\n}\n"),
    ("mod", "NMODL", ": a comment of NMODL\nNEURON {\n  POINT_PROCESS A\n}\n"),
    ("mod", "AMPL", "set I;\nparam c {I};\nminimize cost: sum {i in I} c[i];\n"),
    ("mod", "AMPL", "# diet\n\nset FOOD;\n"),
    ("mod", "AMPL", "/* GLPK */\nvar x, >= 0;\nmaximize z: x;\ns.t. c1: x <= 1;\nend;\n"),
    ("mod", "Linux Kernel Module", "kernel/drivers/net/foo.ko\n/build/drivers/net/foo.o\n"),
    ("mod", "Linux Kernel Module", "/build/foo/foo.ko\n/build/foo/a.o /build/foo/b.o\n\n"),
    ("mod", "Linux Kernel Module", "drivers/net/a.o\ndrivers/net/b.o\n"),
    ("mod", "XML", '<!-- modules -->\n<!ENTITY % a "b">\n'),
]


@pytest.mark.parametrize(
    ("key", "language", "text"), CASES, ids=[f"{n}-{key}-{name}" for n, (key, name, _) in enumerate(CASES)]
)
def test_told_apart(key: str, language: str, text: str) -> None:
    rule = settle(key, text, frozenset(one.language for one in RULES[key]))
    assert rule is not None
    assert rule.language == language, rule.reason


@pytest.mark.parametrize("key", sorted(RULES))
def test_every_language_has_a_case(key: str) -> None:
    assert {rule.language for rule in RULES[key]} == {name for case, name, _ in CASES if case == key}
