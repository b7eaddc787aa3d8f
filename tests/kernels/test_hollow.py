"""Brackets emptied: the kernel does what its twin does, on any bytes; what stays, by each of the rules."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import hollowing
from starloom.kernels import hollow_twin
from starloom.kernels.hollow import MOST_CONDITIONS, MOST_LEVELS, hollow
from starloom.kernels.hollow_rules import WIDTH, Brackets, pack
from starloom.kernels.lexical_rules import COMMENT, STRING

PLAIN = Brackets(stays="type", holds="class type")
CALLS = Brackets(holds="class", controls="if for", arrows=True)
C = Brackets(stays="typedef", holds="struct", controls="if", c=True)
LISP = Brackets(b"([", stays="define", holds="define", lisp=True)
PERL = Brackets(stays="sub", perl=True)
ALL = (PLAIN, CALLS, C, LISP, PERL)
PACKED = pack(ALL)

WORDS = ("type", "class", "struct", "if", "typedef", "define", "f", "x->y")
MARKS = ("{", "}", "(", ")", "[", "]", " ", "\n", "\r\n", ";", "=", ">", "<<", "\\", "'", '"', "é", "$")
LINES = ("#if\n", "#else\n", "\n#endif\n", "\n # define a {\\\n", "#")
TEXTS = st.lists(st.sampled_from(WORDS + 3 * MARKS + LINES)).map(lambda some: "".join(some).encode()) | st.binary()


def emptied(asked):
    return hollowing.emptied(hollow, PACKED, ALL, asked)


def of(text, brackets):
    return emptied([(text.encode(), [], brackets)])[0].decode()


@given(st.lists(st.tuples(hollowing.with_spans(TEXTS), st.sampled_from(ALL)), max_size=4))
def test_the_kernel_is_its_twin_and_keeps_lines(given):
    asked = [(text, spans, brackets) for (text, spans), brackets in given]
    hollowing.is_its_twin(emptied(asked), hollow_twin.hollow, asked)


@pytest.mark.parametrize(
    ("brackets", "text", "left"),
    [
        (PLAIN, "f() { a\n{ b }\n }", "f() {\n\n}"),
        (PLAIN, "f() { type a; { b } }", "f() { type a; {} }"),
        (PLAIN, "f() { x.(type) }", "f() {}"),
        (PLAIN, "class A(x) { f() { a } }", "class A(x) { f() {} }"),
        (PLAIN, "f() { A.class; { b } }", "f() {}"),
        (PLAIN, "$x{a} f(){ a } g({ b })", "$x{a} f(){} g({})"),
        (PLAIN, "{ ( } ) { a }", "{ ( } ) {}"),
        (PLAIN, "{ a } } { b", "{} } { b"),
        (CALLS, "f() { if (a) { b } }", "f() {}"),
        (CALLS, "f() { g() { b } }", "f() { g() {} }"),
        (CALLS, "f() { g<T>() { b } }", "f() { g<T>() {} }"),
        (CALLS, "f() { g(); { b } }", "f() {}"),
        (CALLS, "f() { (a) -> { b } }", "f() {}"),
        (CALLS, "f() { a(x => { b }) }", "f() { a(x => {}) }"),
        (CALLS, "f() { a >= b; a = b > c }", "f() {}"),
        (C, "struct s *f(int x) { a }", "struct s *f(int x) {}"),
        (C, "struct s { int a; };", "struct s { int a; };"),
        (C, "f() { return 1; };", "f() { return 1; };"),
        (C, "int a[] = { 1, 2 };", "int a[] = {};"),
        (C, "f() {\n#define a {\n{ b }\n}", "f() {\n#define a {\n{}\n}"),
        (C, "f() {\n#if a\n b {\n#else\n c {\n#endif\n }\n}", "f() {\n#if a\n b {\n#else\n c {\n#endif\n }\n}"),
        (C, "#if a\nf() {\n#else\ng() {\n#endif\n a }\n{ b }", "#if a\nf() {\n#else\ng() {\n#endif\n a }\n{}"),
        (C, "f() {\n#if a\n b\n#endif\n }", "f() {\n\n\n\n}"),
        (PERL, "sub f { a } { b } { c } if (d) { e; { f } } else { g }", "sub f {} { b } { c } if (d) {} else {}"),
        (PERL, "f() { a << 1 } f() { a < 1 }", "f() { a << 1 } f() {}"),
        (LISP, "(define (f x) (g [a (b)]))", "(define (f x) ())"),
        (LISP, "(define x (f)) (a (define b 1))", "(define x ()) (a (define b 1))"),
        (LISP, "(f #\\( a) (define-x a)", "() ()"),
    ],
)
def test_what_stays(brackets, text, left):
    assert of(text, brackets) == left
    assert hollow_twin.hollow(text.encode(), [], brackets).decode() == left


def test_comments_and_strings_are_no_brackets():
    text = b'{ "}" a } { /* } */ b } /* { */ "{"'
    spans = [(2, 5, STRING), (12, 19, COMMENT), (24, 31, COMMENT), (32, 35, STRING)]
    assert emptied([(text, spans, PLAIN)]) == [b'{} {} /* { */ "{"']


def test_strings_of_more_lines_stay_where_they_are_in_doubt():
    text = b'f() { "a" } f() { "\n" } f() { a }'
    assert emptied([(text, [(6, 9, STRING), (18, 21, STRING)], PERL)]) == [b'f() {} f() { "\n" } f() {}']


@pytest.mark.parametrize(
    "text", ["{ a }" + "(" * MOST_LEVELS + ")" * MOST_LEVELS, "{ a }\n" + "#if x\n" * (MOST_CONDITIONS + 1)]
)
def test_what_nests_too_deep_stays_as_it_is(text):
    assert of(text, C) == text
    assert of("{ a }", C) == "{}"


def test_what_does_not_fit_is_refused():
    none = np.zeros(1, np.int64)
    text = np.frombuffer(b"ab", dtype=np.uint8), np.zeros((0, 3), np.int64)
    with pytest.raises(ValueError, match="do not fit"):
        hollow(np.array([0, 2]), text[0], none[:0], np.zeros(2, np.int64), text[1], PACKED)
    with pytest.raises(ValueError, match="do not fit"):
        hollow(np.array([0, 2]), text[0], none, np.array([0, 1]), text[1], PACKED)
    with pytest.raises(ValueError, match="out of bounds"):
        hollow(np.array([0, 2]), text[0], none + len(ALL), np.zeros(2, np.int64), text[1], PACKED)
    with pytest.raises(ValueError, match="no room"):
        pack([Brackets(stays="x" * (WIDTH + 1))])
