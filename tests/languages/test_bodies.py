"""Files without bodies: just what the whole file defines is found, on its line, whatever stands in a body."""

import pytest

from starloom.languages.syntax import Worker, questions
from starloom.languages.syntax.bodies import BODIES, LAYOUTS, without_bodies
from starloom.languages.syntax.definitions import languages

# (language, source). In each a body that goes, and definitions in bodies, in classes, between braces of other kinds.
SOURCES = [
    (
        "C",
        "static int a[] = { 1, 2 };\n#ifdef X\nint f(void) {\n#else\nint f(int x) {\n#endif\n if (x) {\n  return 1;\n"
        " }\n}\nstruct s *g(int x) { struct s { int y; } z; enum { A, B }; }\nint h(a) int a; { for (;;) { }\n}\n"
        "extern \"C\" {\nint i(void) { char c = '{'; /* } */ }\n}\nvoid j(void) {\n#define K {\n}\n",
    ),
    (
        "C#",
        "namespace N { class C : B { const int X = 1; int P { get { return 1; } set; } public C(int x) { f(() => { });"
        " int g(int y) { return y; } } void M() { foreach (var a in b) { h(a); } } enum E { A } } }",
    ),
    (
        "C++",
        "namespace n {\ntemplate <class T> class A : B<T> {\n int f() { return 1; };\n int g() const { struct L {"
        " void m() { } }; auto l = [](int x) { return x; }; }\n A() : a{1} { }\n};\n}\n"
        "int n::A::h() { try { } catch (...) { } }\n",
    ),
    ("GLSL", "struct L { vec3 a; };\nvoid main() { for (;;) { int x = 1; } }\n"),
    (
        "Go",
        'package p\nvar m = map[string]int{\n "a": 1,\n}\nfunc f() (error) {\n switch x := y.(type) {\n case int:\n }\n'
        "}\nfunc (t *T) g() {\n type L struct { a int }\n}\ntype I interface {\n h()\n}\n",
    ),
    (
        "Haskell",
        "module M (f) where\nimport A (b)\n\n-- | f = 1\nf, g :: Int ->\n  Int\nf 0 = 1\nf x\n  | x > 1 = '='\n"
        '  | otherwise = y where\n  y = "\\\n   \\"\ng x = do\n  a <- b\n  c\n#ifdef X\nh = 1\n#else\nh =\n'
        "#endif\n  2\ninstance C D where\n  i = 1\n  j x = x\nclass E a where\n  k :: a\n  k = l\n"
        "data T = P { p :: Int } | Q\nx `op` y = z\n(<+>) a b = c\n{- a -} m = 1\nn = 2\n",
    ),
    (
        "Java",
        "class A<T> { static final int X = f(() -> { g(); }); <T> void m(T x) throws E { new B(x) { void n() { } };"
        " class L { } if (x) { } }\n enum E { P(1) { void q() { } }, Q }\n record R(int a) { R { } void s() { } } }",
    ),
    (
        "JavaScript",
        "function a() { var b = function () { return 1; }; const c = { d() { }, e: () => { } }; f({ g: x => 1 });\n"
        " if (x) { y(); } }\n"
        "class F { g() { return `${ { } }`; } }\nconst h = { i: 1 };\n",
    ),
    (
        "Kotlin",
        "class A(val x: Int) : B(x) {\n companion object { const val C = 1 }\n fun f(): Int { fun g() { }\n return when"
        ' (x) { 1 -> 2 else -> 3 } }\n}\nenum class E { P, Q }\nval s = "${ { 1 } }"\nfun h() = run { 1 }\n',
    ),
    ("Objective-C", "@implementation A\n- (void)f { if (x) { y(); } }\n@end\nstatic int g(void) { return 1; }\n"),
    (
        "OCaml",
        "open A\nlet f x = match x with\n  | B -> let y = 1 in y\n(* let z = *)\n  | _ -> ')'\n"
        'and g = function\n| C -> 1\ntype t = D of int\nand u = E\nlet h = "\nlet i = 1";;\nprint h;;\n'
        "let j (k : int) ?(l = 1) () : int = begin\nlet a = 1 in a\nend\nmodule M = struct\nlet m = 1\n"
        "let n = object method o = 1 end\nend\nlet ( = ) p q = [\n1\n]\n let r = 1\nlet s = 1 in s;;\n"
        "let rec v = w and x = y\n",
    ),
    (
        "Perl",
        "package A;\nsub f { my %x = (a => { b => 1 }); $x{a}{b}; }\nuse constant B => 1;\n"
        "if (1) { sub g { } } else { h(); }\n{ i(); }\nsub j { my $k = <<E; }\n}\nE\nsub l { $m // '/'; } 1;\n",
    ),
    (
        "PHP",
        "<?php\nclass A extends B { const C = 1; public function f(): int { return new class { function g() { } }; }\n"
        " function h() { if ($x) { echo \"{$y['z']}\"; } } }\ninterface I { function i(); }\nenum E { case P; }\n",
    ),
    (
        "Python",
        'import a\n\nX = 1\nclass A:\n    """def"""\n    y: int = 1\n    @b\n'
        '    async def f(self, c=lambda: 1, *,\n          d=2) -> int:\n        """A.\ndef g():\n"""\n\n'
        "        if c:  # class\n            return (\n1)\n# no\n        return self.type\n\n"
        "    def h(self): return 1\n    def i(self):\n        def j():\n            k\n        class L:\n"
        "            m = 1\n        return L\nif X:\n\tdef n():\n\t\tpass\nelse:\n    def o(): \\\n  pass\n"
        "type P = int\nQ, R = 1, 2\ndef s():\n    T = 1",
    ),
    (
        "Racket",
        "#lang racket\n(define (f x)\n  (define (g y) (h #\\( [y]))\n  (let ([a 1]) (g a)))\n(struct s (a b))\n",
    ),
    (
        "Ruby",
        "module A\n  class B < C\n    D = 1\n    def f(a,\n          b)\n      if a\n        b\n      end\n"
        "    end\n\n    private def g\n      1\n    end\n    def h = 1\n    def self.i; end\n    def j=(x)\n"
        "      x.each do |y|\n        y.class\n      end\n    rescue E\n      <<F\nend\nF\n    end\n    def l\n"
        "      def m\n        1\n      end\n    end\n    alias n f\n  end\nend\n",
    ),
    (
        "Rust",
        "mod m { pub fn f() -> i32 { let x = S { a: 1 }; if true { 1 } else { fn g() { } 2 } } }\n"
        "enum E { A, B { c: u8 } }\nimpl T for S { const X: u8 = 1; fn h(&self) { } }\n",
    ),
    (
        "Scala",
        "class A(x: Int) extends B { val y = { 1 }\n def f(z: Int): Int = { def g = 1; z match { case 1 => 2 } }\n"
        " val h = for { i <- 1 to 2 } yield i }\nobject O extends { val e = 1 } with B { type T = Int }\n",
    ),
    ("Scheme", "(define (f x) (let loop ((i 0)) (define y 1) (loop i)))\n(define z '(1 2))\n"),
]


def found(texts):
    """The parser's own answers."""
    with Worker("definitions") as worker:
        return worker.answers(questions(texts, languages(), 1_000_000), lambda line, _: line)


def test_each_language_has_a_source():
    assert [language for language, _ in SOURCES] == sorted([*BODIES, *LAYOUTS], key=str.lower)


def test_the_same_is_found_without_bodies():
    pytest.importorskip("tree_sitter_language_pack")
    whole = [(language, source.encode()) for language, source in SOURCES]
    bodiless = without_bodies(whole)
    answers = found([*whole, *bodiless])
    for number, (language, text) in enumerate(whole):
        assert len(bodiless[number][1]) < len(text), language
        assert answers[number] == answers[len(whole) + number] != b"[]", language


def test_other_languages_and_views_stay():
    texts = [("Python", b"def f(): {1: 2}"), ("C", memoryview(b"f() { a }")), ("", b"{ }")]
    assert without_bodies(texts) == [texts[0], ("C", b"f() {}"), texts[2]]
    assert without_bodies([]) == []
