"""A newer language against an older one."""

import pytest

from starloom.languages.ambiguous.rule import all_rules, settle

CASES = [
    ("nl", "NL", "g3 1 1 0\t# problem a\n 3 1 1 0 0\n"),
    ("nl", "NewLisp", '; c\n(println "x")\n'),
    ("nu", "Nushell", "def f [] { 1 }\n"),
    ("nu", "Nushell", "ls | where size > 1kb\n"),
    ("nu", "Nushell", "# c\n"),
    ("nu", "Nu", '; c\n(puts "x")\n'),
    ("nu", "Nu", "(class A is NSObject)\n"),
    ("nu", "Nu", "; only\n"),
    ("pkl", "Pkl", 'module a\nname = "x"\n'),
    ("pkl", "Pkl", "/// doc\nclass C { x: Int }\n"),
    ("pkl", "Pickle", "(dp0\nS'a'\np1\nI1\ns."),
    ("pkl", "Pickle", "ccopy_reg\n_reconstructor\np0\n."),
    ("qs", "Q#", "namespace A {\n  operation B() : Unit { }\n}\n"),
    ("qs", "Qt Script", "function f() { return 1; }\n"),
    ("qs", "Qt Script", "// c\nvar x = 1;\n"),
    ("re", "Reason", "let x = 1;\n"),
    ("re", "Reason", "/* c */\nmodule A = { type t = int; };\n"),
    ("re", "C++", '/*!re2c\n  "a" { return 1; }\n*/\n'),
    ("re", "C++", "#include <cstdio>\n"),
    ("reds", "Red", 'Red/System [Title: "a"]\n'),
    ("reds", "Red", "; c\nx: 1\n"),
    ("reds", "Redscript", "module A\npublic class B extends C {\n  let x: Int32;\n}\n"),
    ("reds", "Redscript", "@wrapMethod(PlayerPuppet)\nfunc f() -> Void {}\n"),
    ("shader", "ShaderLab", 'Shader "A" {\n SubShader { }\n}\n'),
    ("shader", "GLSL", "#version 330\nvoid main() {}\n"),
    ("shader", "GLSL", "void main() {}\n"),
    ("svx", "Survex data", "*begin cave\n1 2 3.0 045 00\n*end cave\n"),
    ("svx", "Survex data", "; c\n"),
    ("svx", "mdsvex", "---\ntitle: a\n---\n# Hi\n*begin* here\n"),
    ("svx", "mdsvex", "* item\n"),
    ("tact", "Tact", "contract A { }\n"),
    ("tact", "JSON", '{"name": "a"}\n'),
    ("tact", "Tact", "// c\n"),
    ("tl", "Teal", "local x: number = 1\n"),
    ("tl", "Teal", "-- c\n"),
    ("tl", "Type Language", "user#1a2b id:int = User;\n"),
    ("tl", "Type Language", "---functions---\n"),
    ("tl", "Type Language", "// c\n"),
    ("tl", "Teal", "global record P\n  x: number\nend\n"),
    ("tsp", "TypeSpec", "model A { x: string }\n"),
    ("tsp", "TypeSpec", 'import "@typespec/http";\n'),
    ("tsp", "TSPLIB data", "NAME : a5\nTYPE : TSP\nDIMENSION : 5\n"),
    ("uc", "UnrealScript", "class A extends B;\nvar int x;\n"),
    ("uc", "UnrealScript", "// c\n"),
    ("uc", "ucode", "'use strict';\nlet x = 1;\n"),
    ("uc", "ucode", "{% for (let x in y): %}\n"),
    ("uc", "UnrealScript", 'class A extends Actor;\nfunction Tick() { Log("x"); }\n'),
    ("php", "PHP", "<?php echo 1;\n"),
    ("php", "PHP", "<p>hi</p>\n"),
    ("php", "Hack", "<?hh // strict\n"),
    ("php", "PHP", "<?php // unlike <?hh\n"),
]


@pytest.mark.parametrize(
    ("key", "language", "text"), CASES, ids=[f"{n}-{key}-{language}" for n, (key, language, _) in enumerate(CASES)]
)
def test_settles(key: str, language: str, text: str) -> None:
    candidates = frozenset(rule.language for rule in all_rules()[key])
    settled = settle(key, text, candidates)
    assert settled is not None
    assert settled.language == language
