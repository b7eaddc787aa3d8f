"""Bodies told by columns: the kernel does what its twin does, on any bytes; what stays, by each of the forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import hollowing
from starloom.kernels import hollow_layout_twin
from starloom.kernels.hollow_layout import hollow_layout
from starloom.kernels.hollow_layout_rules import BOUND, ENDED, EQUATIONS, INDENTED, WIDTH, Layout, pack
from starloom.kernels.hollow_levels import MOST_LEVELS
from starloom.kernels.lexical_rules import COMMENT, STRING

DEF = Layout(INDENTED, starts="def", stays="class", before="async")
END = Layout(ENDED, starts="def", stays="class", ends="end", begins="if do")
LET = Layout(
    BOUND,
    starts="let",
    stays="struct and",
    goes_on="and",
    next="let and type",
    incomplete="in then let",
    where="in",
)
EQUATION = Layout(
    EQUATIONS,
    stays="class",
    no_equation="module class where",
    dropped="import",
    holds="instance",
    where="where",
)
ALL = (DEF, END, LET, EQUATION)
PACKED = pack(ALL)

WORDS = ("def ", "async ", "class", "end", "if", "do", "let ", "and ", "struct", "type", "in", "then", "import", "f ")
MARKS = (
    " ",
    "  ",
    "\t",
    "\n",
    "\n",
    "\n  ",
    "\n    ",
    "\r\n",
    ":",
    "::",
    "=",
    "|",
    "->",
    "(",
    ")",
    "]",
    ";",
    ";;",
    "\\",
)
OTHERS = ("instance ", "where", "module", "#", ".", ",", "x", "1", "é", "'", "\f", "\n\n", " = 1", ":\n")
TEXTS = st.lists(st.sampled_from(WORDS + 2 * MARKS + OTHERS)).map(lambda some: "".join(some).encode()) | st.binary()


def emptied(asked):
    return hollowing.emptied(hollow_layout, PACKED, ALL, asked)


def of(text, layout):
    return emptied([(text.encode(), [], layout)])[0].decode()


@given(st.lists(st.tuples(hollowing.with_spans(TEXTS), st.sampled_from(ALL)), max_size=4))
def test_the_kernel_is_its_twin_and_keeps_lines(given):
    asked = [(text, spans, layout) for (text, spans), layout in given]
    hollowing.is_its_twin(emptied(asked), hollow_layout_twin.hollow_layout, asked)


@pytest.mark.parametrize(
    ("layout", "text", "left"),
    [
        (DEF, "def f(a,\n  b):\n  x\n\n  y\nz\n", "def f(a,\n  b):\n  0\n\n\nz\n"),
        (DEF, "def f():\n  x\n", "def f():\n  0\n"),
        (DEF, "async def f():\n\tx\ny", "async def f():\n\t0\ny"),
        (
            DEF,
            "class A:\n  x\n  def f():\n    y\n\n  def g(): z\n",
            "class A:\n  x\n  def f():\n    0\n\n  def g(): z\n",
        ),
        (DEF, "def f():\n  def g():\n    x\n  y\n", "def f():\n  def g():\n    0\n  y\n"),
        (DEF, "def f():\n  x\n class A: y\n", "def f():\n  x\n class A: y\n"),
        (DEF, "def f():\n  (\nx)\n  \\\ny\nz", "def f():\n  0\n\n\n\nz"),
        (DEF, "def f():\n  )\nz", "def f():\n  )\nz"),
        (DEF, "def f():\n    x\n  y\nz", "def f():\n    x\n  y\nz"),
        (DEF, "def f(): x\n  y\n", "def f(): x\n  y\n"),
        (DEF, "def f():\n  self.def_\n  a.class\n", "def f():\n  0\n\n"),
        (DEF, "x = def f():\n  y\n", "x = def f():\n  y\n"),
        (END, "def f a,\n  b\n  x\n\n  y do\n  end\nend\n", "def f a,\n  b\n  \n\n\n\nend\n"),
        (END, "def f\n  if x\n  y\nend\nend\n", "def f\n  if x\n  y\nend\nend\n"),
        (END, "def f(a) = x\n  .y\nend\n", "def f(a) = x\n  .y\nend\n"),
        (END, "def x=(a)\n  self.class\nend\n", "def x=(a)\n  \nend\n"),
        (END, "  def f\n    x\nend\n", "  def f\n    x\nend\n"),
        (LET, "let f x =\n  y\nlet g = 1\n", "let f x =0\n\nlet g =0\n"),
        (LET, "let f =\n  y\n)\nlet g\n", "let f =\n  y\n)\nlet g\n"),
        (LET, "let f = [\n  1\n]\ntype a", "let f =0\n\n\ntype a"),
        (LET, "let f = x;;\nlet g = y\n;;\nz", "let f =0;;\nlet g =0\n;;\nz"),
        (LET, "let f = 1\nand g = 2\ntype a = b\nand c = d\n", "let f =0\nand g =0\ntype a = b\nand c = d\n"),
        (LET, "let f = struct\n  1\nlet g\n", "let f = struct\n  1\nlet g\n"),
        (LET, "let f = let x = 1 in x\nlet g\n", "let f =0\nlet g\n"),
        (LET, "let f = 1 in x\nlet g\n", "let f = 1 in x\nlet g\n"),
        (LET, "let f = 1\n let g = 2\nlet h\n", "let f = 1\n let g = 2\nlet h\n"),
        (LET, "let f = a in\nlet g = 1\n", "let f = a in\nlet g =0\n"),
        (LET, "let f = x\nz\nlet g >= 1\n", "let f = x\nz\nlet g >= 1\n"),
        (LET, "let f = (\nlet g = 1\nlet h = 1\n", "let f = (\nlet g =0\nlet h =0\n"),
        (EQUATION, "f x = y\n  where y = x\ng y = 1", "f x =0\n\ng y =0"),
        (EQUATION, "f x | y = 1\n    | z = 2\ng", "f x =0\n\ng"),
        (EQUATION, "f :: A\n  -> B\nf = 1\n", "\n\nf =0\n"),
        (EQUATION, "import A\n  (b)\nmodule where\n", "\n\nmodule where\n"),
        (EQUATION, "instance A where\n  f = 1\nx\n", "instance A where\n\nx\n"),
        (EQUATION, "instance A where\n  class f = 1\nx\n", "instance A where\n  class f = 1\nx\n"),
        (EQUATION, "class A where\n  f = 1\n", "class A where\n  f = 1\n"),
        (EQUATION, "f = 1\n#if\n  2\ng = 1; h = 2\n", "f = 1\n#if\n  2\ng = 1; h = 2\n"),
        (EQUATION, "f = [d|\n  x = 1\n  |]\n", "f = [d|\n  x = 1\n  |]\n"),
        (EQUATION, "f <- 1\n", "f <- 1\n"),
    ],
)
def test_what_stays(layout, text, left):
    assert of(text, layout) == left
    assert hollow_layout_twin.hollow_layout(text.encode(), [], layout).decode() == left


def test_comments_and_strings_are_no_code():
    text = b'def f():\n  x "\n" # class\n#y\n  z\n'
    spans = [(13, 16, STRING), (17, 24, COMMENT), (25, 27, COMMENT)]
    assert emptied([(text, spans, DEF)]) == [b"def f():\n  0\n\n\n\n"]
    text = b"let f = 1\n(*\n*) let g = 2\nlet h = 3"
    assert emptied([(text, [(10, 15, COMMENT)], LET)]) == [b"let f = 1\n(*\n*) let g = 2\nlet h =0"]


def test_what_nests_too_deep_stays_as_it_is():
    text = "".join(" " * depth + "def f():\n" for depth in range(MOST_LEVELS)) + " " * MOST_LEVELS + "x\n"
    assert of(text, DEF) == text
    assert of("def f():\n x\n", DEF) == "def f():\n 0\n"


def test_what_does_not_fit_is_refused():
    none = np.zeros(1, np.int64)
    text = np.zeros(2, np.uint8), np.zeros((0, 3), np.int64)
    with pytest.raises(ValueError, match="do not fit"):
        hollow_layout(np.array([0, 2]), text[0], none[:0], np.zeros(2, np.int64), text[1], PACKED)
    with pytest.raises(ValueError, match="out of bounds"):
        hollow_layout(np.array([0, 2]), text[0], none + len(ALL), np.zeros(2, np.int64), text[1], PACKED)
    with pytest.raises(ValueError, match="no room"):
        pack([Layout(INDENTED, starts="x" * (WIDTH + 1))])
