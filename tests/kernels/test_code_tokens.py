"""Source text as tokens, against a table of what languages write and a twin in plain Python."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import code_tokens, code_tokens_twin
from starloom.kernels.code_tokens import KEYWORDS, MOST_BLOCK, NAME, NUMBER, STRING

unhurried = settings(deadline=None, max_examples=400)
PIECES = [
    *("a", "b1", "_x", "é", "r", "f", "u8", "Lx", "if", "define", "include", "0", "12.5", "1e-3", ".", "0x1F"),
    *('"', "'", "`", '"""', "'''", "\\", "\\\n", "\n", "\n\n", " ", "\t", "/", "//", "/*", "*/", "*", "* ", "(*", "*)"),
    *(
        "#",
        "#if ",
        "#[",
        "#!",
        "#![",
        "--",
        "---",
        "-",
        ";",
        "%",
        "<!--",
        "-->",
        "<",
        ":",
        "=",
        "(",
        ",",
        "\x01",
        "\x7f",
    ),
]
texts = st.one_of(st.lists(st.sampled_from(PIECES), max_size=60).map("".join), st.text(max_size=80))


def tokens(text):
    """[(what it is, its text)]"""
    data = text if isinstance(text, bytes) else text.encode()
    found = code_tokens.tokens(np.frombuffer(data, dtype=np.uint8))
    return [
        (what(form), data[start:end].decode())
        for form, start, end in zip(found.form.tolist(), found.start.tolist(), found.end.tolist(), strict=True)
    ]


def what(form):
    if form >= int(NAME):
        return "name"
    return {NUMBER: "number", STRING: "string"}.get(form) or ("mark" if form < 256 else "keyword")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("x = f(1.5e3, 'a')", "x = f ( 1.5e3 , 'a' )", id="python"),
        pytest.param('r"\\d" + b\'x\' + f"{a}" + u8"y"', 'r"\\d" + b\'x\' + f"{a}" + u8"y"', id="prefixes"),
        pytest.param("x1 = 1..10", "x1 = 1 . . 10", id="range"),
        pytest.param("a // b\nc", "a c", id="line-comment"),
        pytest.param("http://b\nc", "http : / / b c", id="address"),
        pytest.param("a /* b\n * c */ d", "a d", id="block"),
        pytest.param("ls /tmp/*\ncat x", "ls / tmp / * cat x", id="path"),
        pytest.param("* more of it\n*/ d", "d", id="cut-block"),
        pytest.param("a\n*p = 1;", "a * p = 1 ;", id="pointer"),
        pytest.param("a # b\n#c\nd", "a d", id="hash"),
        pytest.param("#include <a.h>\n#define X 1", "# include < a . h > # define X 1", id="directives"),
        pytest.param("#[derive(A)]\n#![b]", "# [ derive ( A ) ] # ! [ b ]", id="attributes"),
        pytest.param('"a#{b}" x#y', '"a#{b}" x # y', id="hash-inside"),
        pytest.param("a -- b\n--c\n---\nd--", "a - - c d - -", id="dashes"),
        pytest.param("; lisp\n(a)\nfor (;;)", "( a ) for ( ; ; )", id="semicolons"),
        pytest.param("% tex\na % b", "a % b", id="percent"),
        pytest.param("let (* a\nb *) x = (*p)(y)", "let x = ( * p ) ( y )", id="ocaml-and-pointers"),
        pytest.param("<a><!-- b --></a>", "< a > < / a >", id="html"),
        pytest.param('def f():\n"""Say.\n\nMore."""\nreturn 1', "def f ( ) : return 1", id="docstring"),
        pytest.param('def f():\n"""\nSay.\n"""\nreturn 1', "def f ( ) : return 1", id="docstring-alone"),
        pytest.param('x = """a\nb"""', 'x = """a\nb"""', id="triple"),
        pytest.param('of it."""\nreturn 1', "of it . return 1", id="cut-docstring"),
        pytest.param('of it.\n"""\nreturn 1\ny = """z"""', 'of it . return 1 y = """z"""', id="cut-docstring-alone"),
        pytest.param("don't\nx = 'a'", "don ' t x = 'a'", id="apostrophe"),
        pytest.param("g' x = 'a b\ny = 'c'", "g ' x = ' a b y = 'c'", id="open-quote"),
        pytest.param('"a\\"b" "c\nd"', '"a\\"b" " c d "', id="escapes"),
        pytest.param("`a b` `c\n", "`a b` ` c", id="grave"),
        pytest.param("größe = 変数", "größe = 変数", id="beyond-ascii"),
        pytest.param("", "", id="empty"),
    ],
)
def test_what_languages_write(text, expected):
    assert " ".join(one for _, one in tokens(text)) == expected


def test_kinds():
    assert tokens("if x1 == 0x1F: 's'") == [
        *(("keyword", "if"), ("name", "x1"), ("mark", "="), ("mark", "=")),
        *(("number", "0x1F"), ("mark", ":"), ("string", "'s'")),
    ]
    assert {what(code_tokens.word_form(word.encode())) for word in KEYWORDS.split()} == {"keyword"}
    assert code_tokens.word_form(b"iff") == code_tokens.tokens(np.frombuffer(b"iff", dtype=np.uint8)).form[0]


def test_equal_names_have_equal_forms():
    form = code_tokens.tokens(np.frombuffer(b"a b a ab", dtype=np.uint8)).form
    assert form[0] == form[2]
    assert len(set(form.tolist())) == 3


@unhurried
@given(texts)
def test_twin(text):
    data = text.encode()
    found = [(one.what, data[one.start : one.end].decode()) for one in code_tokens_twin.tokens(data)]
    assert tokens(text) == found


@unhurried
@given(texts)
def test_tokens_are_in_order_and_hold_no_white_space_outside_of_strings(text):
    found = code_tokens.tokens(np.frombuffer(text.encode(), dtype=np.uint8))
    assert (found.start < found.end).all()
    assert (found.end[:-1] <= found.start[1:]).all()
    assert all(not set(one) & set(" \t\n\v\f\r") for kind, one in tokens(text) if kind != "string")


def test_a_block_without_end_is_none():
    assert len(tokens("a /* b " + "x " * MOST_BLOCK + "*/ c")) == MOST_BLOCK + 7
    assert len(tokens("/* " + "x " * (MOST_BLOCK // 2 - 2) + "*/ c")) == 1


@pytest.mark.parametrize("line", ["a.b(c)\n", "x = 'it' + \"y\"  # z\n", "f(a, /* b */ c);\n"])
def test_a_cut_is_over_with_its_line(line):
    whole = "def f(a, b):\nreturn a + b  # it's\n" + 3 * line + "end = 'x'\n"
    everything = tokens(whole)
    for at in range(len(whole) - 12):
        rest = whole[at:].split("\n", 1)[1]
        cut = tokens(whole[at:])
        assert cut[len(cut) - len(tokens(rest)) :] == everything[len(everything) - len(tokens(rest)) :]


@pytest.mark.parametrize(
    "piece", ["'\\", '"\\\n', "/*", "(* ", "<!--", '"""a', "'''", '\\"\\\n', "r'", "#if", "`", "- --"]
)
def test_hostile_texts_take_linear_time(piece):
    tokens(piece)  # compiled
    started = time.process_time()
    code_tokens.tokens(np.frombuffer(piece.encode() * (3_000_000 // len(piece)), dtype=np.uint8))
    assert time.process_time() - started < 20  # of a quadratic one: hours
