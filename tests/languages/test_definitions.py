"""What files define, by language; what is no definition; and files that are not what a parser expects."""

import importlib.metadata
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.languages import syntax
from starloom.languages.syntax import Worker, questions
from starloom.languages.syntax import definitions as module
from starloom.languages.syntax.definitions import Definition, Definitions, available, languages, mark, queries


def definitions(texts, **limits):
    with Definitions(**limits) as found:
        return found(texts)


SOME = ("C", "C++", "Clojure", "Elixir", "Go", "Haskell", "JavaScript", "Julia", "Python", "Ruby", "Rust", "Scheme")

# (language, source, what it defines: names in their order, `NAME:LINE` where the line is not the one before's)
SOURCES = [
    (
        "C",
        "#define A 1\n#define B(x) x\nstruct s { int a; };\nenum e { X, Y = 1 };\ntypedef struct s s_t;\n"
        "typedef int (*cb)(int);\nint arr[3] = {1};\nchar **f(void) { int local; }\nint p(void);\nextern int ext;\n",
        "A:1 B:2 s:3 e:4 X:4 Y:4 s_t:5 cb:6 arr:7 f:8",
    ),
    (
        "C++",
        "namespace n { template <class T> class A : B<T> {\n  int m(int x) { return x; }\n}; }\nvoid n::A::h() {}\n"
        "int &r() {}\nusing T = int;\nenum class E { X };\n",
        "n:1 A:1 m:2 h:4 r:5 T:6 E:7 X:7",
    ),
    ("Cuda", "__global__ void k(int *a) { }\n", "k:1"),
    ("Objective-C", "@implementation A\n- (void)f:(int)x with:(int)y { }\n@end\n@protocol P\n@end\n", "A:1 f:2 P:4"),
    (
        "C#",
        "namespace A.B { class C<T> {\n  public C() {}\n  int F(int x) => x;\n  int P { get; set; }\n"
        "  const int K = 1;\n  int field;\n} enum E { X } }\n",
        "A.B:1 C:1 F:3 P:4 K:5 E:7 X:7",
    ),
    (
        "Java",
        "class A<T> { A() {}\n int f(int x) { int local = 1; return 1; }\n static final int C = 1, D = 2;\n int x;\n"
        " enum E { X }\n interface I { void q(); } }\n",
        "A:1 f:2 C:3 D:3 E:5 X:5 I:6 q:6",
    ),
    (
        "JavaScript",
        "function f() { const local = 1; }\nclass A { m() {} static #p() {} }\nconst c = 1, g = () => 2;\n"
        "exports.h = function () {};\nmodule.exports = { k: function () {}, l() {}, n: 1 };\n",
        "f:1 A:2 m:2 p:2 c:3 g:3 h:4 k:5 l:5",
    ),
    (
        "TypeScript",
        "interface I { m(): void; p: number }\ntype T = number;\nenum E { A, B = 1 }\n"
        "namespace N { export function f() {} }\nabstract class C { abstract q(): void; }\nexport const c = 1;\n",
        "I:1 m:1 T:2 E:3 A:3 B:3 N:4 f:4 C:5 q:5 c:6",
    ),
    ("TSX", "const A = () => <p/>;\nfunction B() { return <A/> }\n", "A:1 B:2"),
    (
        "Python",
        "def f(a):\n    local = 1\nclass A:\n    X = 1\n    y: int = 2\n    async def m(self):\n        self.z = 1\n"
        "C: int = 1\nD, E = 1, 2\n@a\ndef g(): pass\n",
        "f:1 A:3 X:4 y:5 m:6 C:8 D:9 E:9 g:11",
    ),
    (
        "Ruby",
        "module A::B\n class C < D\n  X = 1\n  def f?; end\n  def self.g; end\n end\nend\n",
        "A::B:1 C:2 X:3 f?:4 g:5",
    ),
    (
        "Go",
        "package a\nfunc f() { const local = 1 }\nfunc (s *S) m() {}\ntype (\n I interface{ q() }\n T = int\n)\n"
        "const (\n D = iota\n E\n)\nvar v, w = 1, 2\n",
        "f:2 m:3 I:5 q:5 T:6 D:9 E:10 v:12 w:12",
    ),
    (
        "Rust",
        "mod m { pub fn f<T>(x: T) {} }\npub struct S { a: i32 }\nenum E { A }\ntrait T { fn q(&self); }\n"
        "impl S { fn n() {} }\nconst C: i32 = 1;\nmacro_rules! mm { () => {} }\n",
        "m:1 f:1 S:2 E:3 A:3 T:4 q:4 n:5 C:6 mm:7",
    ),
    (
        "PHP",
        "<?php\nfunction f() {}\nclass A { const C = 1; public function g() {} public $p; }\ninterface I {}\n",
        "f:2 A:3 C:3 g:3 I:4",
    ),
    ("Shell", "f() { local x=1; }\nfunction g { echo; }\nX=1\nreadonly Y=2\n", "f:1 g:2 X:3 Y:4"),
    ("PowerShell", "function Get-Foo($a) { 1 }\nclass A { [int] g() { return 1 } }\n", "Get-Foo:1 A:2 g:2"),
    ("Perl", "package A::B;\nuse constant C => 1;\nuse parent D => 1;\nsub f { my $x = 1; }\n", "A::B:1 C:2 f:4"),
    (
        "Lua",
        "function M.h() end\nfunction M:i() end\nlocal j = function() end\nlocal k = 1\nfunction g() end\n",
        "h:1 i:2 j:3 g:5",
    ),
    (
        "Kotlin",
        "class A { fun f(x: Int) = x }\nobject O\nfun String.g() {}\nconst val C = 1\ntypealias T = Int\n",
        "A:1 f:1 O:2 g:3 C:4 T:5",
    ),
    ("Scala", "class A(x: Int) { def f(y: Int) = y; val z = 1 }\nobject O\ntrait R\n", "A:1 f:1 z:1 O:2 R:3"),
    (
        "Swift",
        "struct S { func f() {} }\nenum E { case a }\nprotocol P { func g() }\nlet c = 1\n",
        "S:1 f:1 E:2 a:2 P:3 g:3 c:4",
    ),
    ("Dart", "class A extends B { void f() {} int get x => 1; }\nint g(int a) { return a; }\n", "A:1 f:1 x:1 g:2"),
    ("Zig", "fn f(x: i32) i32 { return x; }\npub const S = struct { fn g() void {} };\n", "f:1 S:2 g:2"),
    (
        "Pascal",
        "unit U;\ninterface\nconst C = 1;\nprocedure Q;\nimplementation\nprocedure T.P;\nbegin end;\nend.\n",
        "C:3 Q:4 P:6",
    ),
    ("Fortran Free Form", "module m\ncontains\nsubroutine s(a)\ninteger a\nend subroutine s\nend module\n", "m:1 s:3"),
    ("MATLAB", "function y = f(x)\ny = x;\nend\n", "f:1"),
    (
        "Julia",
        "module A\nfunction f(x)\n x\nend\ng(x) = x\nstruct S{X} <: Y\n a\nend\nconst C = 1\nend\n",
        "A:1 f:2 g:5 S:6 C:9",
    ),
    ("R", "f <- function(x) { y <- 1 }\nC = 1\nprint(z <- 2)\n", "f:1 C:2"),
    (
        "Haskell",
        "module A where\ndata T = B | C { x :: Int }\nf :: Int -> Int\nf 0 = 1\nf x = x\ng = 1\n",
        "T:2 B:2 C:2 f:4 g:6",
    ),
    (
        "OCaml",
        "let f x = let y = x in y\ntype t = A | B\nmodule M = struct let g y = y end\n",
        "f:1 t:2 A:2 B:2 M:3 g:3",
    ),
    ("F#", "module A.B\nlet f x = x\ntype U = C | D\n", "A.B:1 f:2 U:3 C:3 D:3"),
    (
        "Elixir",
        "defmodule Foo.Bar do\n  def f(x), do: x\n  defp g(x) when x > 1 do\n    x\n  end\n  other h(x)\nend\n",
        "Foo.Bar:1 f:2 g:3",
    ),
    ("Erlang", "-module(foo).\n-define(X, 1).\n-record(r, {a}).\nf(X) -> X;\nf(Y) -> Y.\n", "X:2 r:3 f:4"),
    ("Clojure", "(ns a.b)\n(defn foo [x] (let [y x] y))\n(def bar 1)\n(println bar)\n", "a.b:1 foo:2 bar:3"),
    ("Common Lisp", "(defun foo (x) x)\n(defvar *bar* 1)\n(print foo)\n", "foo:1 *bar*:2"),
    ("Emacs Lisp", '(defun foo-bar (x) x)\n(defcustom a 1 "d")\n(setq b 1)\n', "foo-bar:1 a:2"),
    ("Scheme", "(define (f x) x)\n(define c 1)\n(display c)\n", "f:1 c:2"),
    ("Solidity", "contract A { function f() public {} event E(); uint constant C = 1; }\n", "A:1 f:1 E:1 C:1"),
    ("SystemVerilog", "module m(input a);\nparameter P = 1;\nendmodule\n", "m:1 P:2"),
    ("VHDL", "entity e is end e;\narchitecture a of e is\nconstant c : integer := 1;\nbegin end a;\n", "e:1 a:2 c:3"),
    (
        "Protocol Buffer",
        "message A { int32 b = 1; }\nenum E { X = 0; }\nservice S { rpc F (A) returns (A); }\n",
        "A:1 E:2 X:2 S:3 F:3",
    ),
    ("GraphQL", "type A { b: Int }\nenum E { X }\nquery q { a }\n", "A:1 E:2 q:3"),
    ("HCL", 'resource "aws_x" "name" { a = 1 }\nvariable "v" {}\n', "name:1 v:2"),
    ("CMake", "function(foo a)\nendfunction()\nset(X 1)\n", "foo:1"),
    ("fish", "function f --argument a\n  set -l b $a\nend\n", "f:1"),
    ("Groovy", "def h(x) {\n  other(y) { }\n}\n", "h:1"),
]

NEEDED = {language: [word.decode() for word in words] for language, words in module._needed().items()}


@pytest.fixture
def pack():
    """The grammars; a test that needs them is skipped where the extra is not installed."""
    return pytest.importorskip("tree_sitter_language_pack")


def of(language, source):
    """Of one file, as NAME:LINE."""
    (found,) = definitions([(language, source.encode())])
    return None if found is None else " ".join(f"{one.name}:{one.line}" for one in found)


@pytest.fixture(scope="module")
def found():
    """Of all SOURCES at once, by language: a process for each would take as many times 0.2 s."""
    pytest.importorskip("tree_sitter_language_pack")
    answers = definitions([(language, source.encode()) for language, source, _ in SOURCES])
    return {language: answer for (language, _, _), answer in zip(SOURCES, answers)}


@pytest.mark.parametrize(("language", "names"), [(one[0], one[2]) for one in SOURCES], ids=[one[0] for one in SOURCES])
def test_what_a_file_defines(found, language, names):
    assert [f"{one.name}:{one.line}" for one in found[language]] == names.split()


def test_every_query_fits_its_grammar(pack):
    from tree_sitter import Query

    for grammar, query in queries().items():
        patterns = sum(not line.startswith(" ") for line in query.splitlines())
        assert Query(pack.get_language(grammar), query).pattern_count == patterns, grammar


def test_every_grammar_of_the_table_is_one_of_a_language():
    assert set(queries()) == {name for names in languages().values() for name in names}


def test_an_interface_is_read_by_the_grammar_that_fits(pack):
    """OCaml has two: `val` is an error in the first."""
    assert of("OCaml", "val f : int -> int\nmodule M : S\n") == "f:1 M:2"


def test_clauses_of_one_function_are_one_definition(pack):
    assert of("Haskell", "f 0 = 1\nf 1 = 2\ng = 3\nf 2 = 3\n") == "f:1 g:3 f:4"


def test_names_stand_without_the_marks_around_them(pack):
    assert of("R", "`f` <- function() 1\n`two words` <- function() 1\n") == "f:1"
    assert of("LLVM", "define i32 @f(i32 %x) {\n ret i32 %x\n}\n") == "f:1"


def test_names_of_other_scripts_are_whole_and_lines_count_line_feeds(pack):
    assert of("Python", '"""é\u2028\x0c"""\r\ndef größe(): pass\n\r\ndef 名前(): pass\n') == "größe:2 名前:4"


def test_a_file_with_errors_gives_what_is_right_in_it(pack):
    assert of("Python", "def f(): pass\n)))\ndef g(): pass\n") == "f:1 g:3"


@given(st.data())
@settings(deadline=None, max_examples=4)
def test_where_no_word_of_a_definition_stands_the_parser_finds_none(data):
    """So that what is not asked of it loses nothing, whatever a grammar makes of a text with errors."""
    pytest.importorskip("tree_sitter_language_pack")
    whole = [source for language, source, _ in SOURCES if language in NEEDED]
    pieces = [one for source in whole for one in re.findall(r"\w+|\s+|.", source)]
    texts = []
    for language, words in NEEDED.items():
        some = [one for one in pieces if not any(word in one.lower() for word in words)]
        for joined in data.draw(st.lists(st.lists(st.sampled_from(some)).map("".join), max_size=20)):
            if not any(word in joined.lower() for word in words):
                texts.append((language, f"<?php {joined}".encode()))
    with Worker("definitions") as parser:
        assert not any(parser.answers(questions(texts, languages(), 1_000_000), lambda line, _: line != b"[]"))


@pytest.mark.parametrize("language", NEEDED)
def test_words_of_definitions_are_found_in_any_case(language):
    assert not module._may_define(language, b"<?php $a = 1; # de f")
    assert all(module._may_define(language, f"x{word.upper()}".encode()) for word in NEEDED[language])
    assert module._may_define("Python", b"")  # of which no words are known


def test_a_question_broken_off_leaves_no_answer_to_the_next(pack, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    with Definitions() as found:
        found([("Python", b"a = 1")])
        monkeypatch.setattr(found._stream, "read_until", interrupted)
        with pytest.raises(KeyboardInterrupt):
            found([("Python", b"b = 1")])
        assert found([("Python", b"c = 1")]) == [[Definition("c", 1)]]


def test_nothing_is_known_of_other_languages_and_large_files(pack):
    assert definitions([("Markdown", b"# a"), ("Python", b"a = 1")]) == [None, [Definition("a", 1)]]
    assert definitions([("Python", b"a = 1" + b" " * 100)], max_bytes=100) == [None]
    assert definitions([]) == []


@pytest.mark.parametrize("language", SOME)
def test_empty_files_and_bytes_that_are_no_text(pack, language):
    odd = (b"", b"\n", b"\0", "\ufeff".encode(), b"\xff\xfe\x80", bytes(range(256)) * 4)
    answers = definitions([(language, data) for data in odd])
    assert answers[:2] == [[], []]
    assert None not in answers


@pytest.mark.parametrize(
    ("language", "data"),
    [
        ("Python", b"(" * 300_000),
        ("JavaScript", b"x=" + b"[" * 300_000),
        ("C", b"int a[]={1};" * 20_000),
        ("C", b"{" * 100_000 + b"}" * 100_000),
        ("C++", b"a<b<" * 100_000),
        ("C++", b"namespace a{" * 20_000),
        ("Go", b"package a\n" + b"const b = 2\n" * 20_000),
        ("Scheme", b"(define " * 50_000),
    ],
    ids=["parentheses", "brackets", "arrays", "blocks", "templates", "namespaces", "constants", "nested"],
)
def test_hostile_files_end_and_the_next_is_read(pack, language, data):
    answers = definitions([(language, data), ("Python", b"a = 1")])
    assert answers[1] == [Definition("a", 1)]


@given(
    st.lists(st.tuples(st.sampled_from(SOME), st.text().map(lambda text: text.encode("utf-8", "replace"))), max_size=40)
)
@settings(deadline=None, max_examples=4)
def test_any_text(texts):
    pytest.importorskip("tree_sitter_language_pack")
    answers = definitions(texts)
    assert answers == definitions(texts)  # no parser remembers the file before
    for (_, data), answer in zip(texts, answers):
        for name, line in answer or ():
            assert name.encode() in data
            assert 1 <= line <= data.count(b"\n") + 1


def test_whether_the_extra_is_there_is_said_and_marked(monkeypatch):
    syntax.version.cache_clear()
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.13.0")
    one = mark()
    assert available()
    monkeypatch.setattr(module, "VERSION", module.VERSION + 1)
    assert mark() != one
    syntax.version.cache_clear()

    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    assert not available()
    with pytest.raises(UserError, match="tree-sitter is not installed"):
        definitions([("Python", b"")])
    syntax.version.cache_clear()
