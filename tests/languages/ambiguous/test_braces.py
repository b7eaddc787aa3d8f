"""Languages with braces that share an extension with another."""

import pytest

from starloom.languages.ambiguous.braces import RULES
from starloom.languages.ambiguous.rule import settle

CASES = [
    ("as", "ActionScript", "package com.foo {\n  public class A {\n    public var x:int = 1;\n  }\n}\n"),
    ("as", "ActionScript", "on (release) {\n  gotoAndPlay(2);\n}\n"),
    ("as", "ActionScript", "stop();\n"),
    ("as", "ActionScript", "// frame 1\nvar i = 0;\ntrace(i);\n"),
    ("as", "ActionScript", "class com.A extends MovieClip {\n  function A() {}\n}\n"),
    ("as", "AngelScript", 'void main()\n{\n  print("hi\\n");\n}\n'),
    ("as", "AngelScript", "class Player : IController\n{\n  Player(Obj @obj) { @self = obj; }\n  Obj @self;\n}\n"),
    ("as", "AngelScript", '#include "shared.as"\narray<int> a;\nint add(const int &in x) { return x; }\n'),
    ("asc", "AsciiDoc", "= Title\n:toc:\n\nText.\n"),
    ("asc", "AsciiDoc", "Title\n=====\n\nSome text; and more.\n"),
    ("asc", "AsciiDoc", "=== Signing\n\n[source,c]\n----\nint main() { return 0; }\n----\n"),
    ("asc", "AsciiDoc", "Only prose here.\n"),
    ("asc", "Public Key", "-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: GnuPG v1\n"),
    ("asc", "Public Key", "Signed below\n-----BEGIN PGP SIGNATURE-----\n"),
    ("asc", "AGS Script", '// room script file\n\nfunction room_Load()\n{\n  player.Say("Hi");\n}\n'),
    ("asc", "AGS Script", "int counter = 0;\nexport counter;\n"),
    ("ash", "KoLmafia ASH", 'script "foo.ash";\nvoid main() {\n  if (my_level() > 3) print("hi");\n}\n'),
    ("ash", "KoLmafia ASH", "import <zlib.ash>\n"),
    ("ash", "KoLmafia ASH", "int [item] prices;\nprices[$item[seal tooth]] = 1;\n"),
    ("ash", "AGS Script", "// header\nimport function Foo(int x);\n#define MAX 3\n"),
    ("ash", "AGS Script", "struct Timer {\n  int left;\n  import void Tick();\n};\n"),
    ("cairo", "Cairo Zero", "%lang starknet\n\n@view\nfunc get() -> (res: felt):\n    return (1)\nend\n"),
    ("cairo", "Cairo Zero", "func main{output_ptr: felt*}() {\n    return ();\n}\n"),
    ("cairo", "Cairo Zero", "from starkware.cairo.common.math import assert_le\n"),
    ("cairo", "Cairo", "fn main() -> felt252 {\n    1\n}\n"),
    ("cairo", "Cairo", "use core::array::ArrayTrait;\nmod a;\n"),
    (
        "cake",
        "C#",
        '#addin nuget:?package=Cake.Foo\nvar target = Argument("target", "Default");\n'
        'Task("Default").Does(() => { });\n',
    ),
    ("cake", "CoffeeScript", "{exec} = require 'child_process'\ntask 'build', 'Build it', ->\n  exec 'coffee -c .'\n"),
    ("ch", "xBase", "#define K_ESC 27\n#command CLS => Cls()\n"),
    ("ch", "xBase", "/* header */\n"),
    ("ch", "Charity", "data nat -> C = zero : 1 -> C\n             | succ : C -> C.\n"),
    ("ch", "Charity", "% addition\ndef add(x, y) = {| zero : () => y | succ : n => succ n |} x.\n"),
    ("cl", "Cool", 'class Main inherits IO {\n  main() : Object { out_string("hi") };\n};\n'),
    ("cl", "Cool", "(* a list *)\nclass List {\n  isNil() : Bool { true };\n};\n"),
    ("cl", "Common Lisp", ";;; utilities\n(in-package :foo)\n(defun f (x) x)\n"),
    ("cl", "Common Lisp", "(print 1)\n"),
    ("cl", "Common Lisp", "#| block\n   comment |#\n(defclass kernel () ())\n"),
    ("cl", "OpenCL", "__kernel void add(__global float *a) {\n  a[get_global_id(0)] += 1;\n}\n"),
    ("cl", "OpenCL", "// shared\n#define N 3\nfloat f(float x) { return x; }\n"),
    ("cl", "OpenCL", "kernel void f() {}\n"),
    ("cp", "C++", "#include <iostream>\nint main() { return 0; }\n"),
    ("cp", "Component Pascal", "MODULE Hello;\nIMPORT StdLog;\nPROCEDURE Do*;\nBEGIN\nEND Do;\nEND Hello.\n"),
    ("cs", "C#", "using System;\n\nclass A { static void Main() { } }\n"),
    ("cs", "C#", "// !not Smalltalk!\nnamespace A { }\n"),
    ("cs", "C#", ""),
    ("cs", "Smalltalk", "'From Squeak3.9 of 7 November 2006'!\nObject subclass: #Foo\n\tinstanceVariableNames: ''!\n"),
    ("cs", "Smalltalk", "!Foo methodsFor: 'accessing'!\nbar\n\t^ bar! !\n"),
    ("d", "D", 'module a.b;\nimport std.stdio;\nvoid main() { writeln("hi"); }\n'),
    ("d", "D", "#!/usr/bin/env rdmd\nvoid main() {}\n"),
    ("d", "D", '/+ dub.sdl:\n  name "x"\n+/\nvoid main() {}\n'),
    ("d", "D", "@safe:\nint x;\n"),
    ("d", "DTrace", "#!/usr/sbin/dtrace -s\nsyscall::open:entry\n{\n  @[execname] = count();\n}\n"),
    ("d", "DTrace", "provider tcl {\n  probe proc__entry(char *name);\n};\n"),
    ("d", "DTrace", '/* io */\nio:::start\n/execname == "x"/\n{\n}\n'),
    ("d", "DTrace", 'BEGIN\n{\n  printf("hi");\n}\n'),
    ("d", "Makefile", "src/foo.o: src/foo.c \\\n  include/foo.h\n"),
    ("d", "Makefile", "/target/debug/foo: /src/main.rs /src/lib.rs\n"),
    ("d", "Makefile", "foo.o foo.d: foo.c\n"),
    ("dsp", "Faust", 'import("stdfaust.lib");\nprocess = os.osc(440);\n'),
    ("dsp", "Faust", "process = _;\n"),
    (
        "dsp",
        "Microsoft Developer Studio Project",
        '# Microsoft Developer Studio Project File - Name="a"\r\n# TARGTYPE "Win32" 0x0103\r\n',
    ),
]


@pytest.mark.parametrize(
    ("key", "language", "text"), CASES, ids=[f"{case[0]}-{case[1]}-{number}" for number, case in enumerate(CASES)]
)
def test_a_file_is_in_the_language_of_its_declarations(key, language, text):
    rule = settle(key, text, frozenset(rule.language for rule in RULES[key]))
    assert rule is not None
    assert rule.language == language, rule.reason
