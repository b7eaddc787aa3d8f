"""The leading lines of texts, against plain Python."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from starloom.kernels import leading
from starloom.kernels.leading_twin import Leading
from starloom.kernels.marks import Marks, Stands

MARKS = Marks(
    {"/*": "*/", "/**": "*/", '"""': '"""', "=pod": "=cut", "{{": "}}"},
    "#;",
    {"//": Stands.KEPT, "::": Stands.KEPT, '.\\"': Stands.TAKEN, "rem": Stands.WORD, "c": Stands.SPACED},
    {"<?": Stands.KEPT, "using": Stands.WORD, "package": Stands.WORD},
    " \t#*/-",
)
LEADING, COMPILED = Leading(MARKS), leading.Compiled(MARKS)

PIECES = (
    *(*MARKS.blocks, *MARKS.blocks.values(), *MARKS.signs, *MARKS.words, *MARKS.passed, "{", "}", "{ a", "{\n a", "{1"),
    *("\n", "\n", "\n", "\n", "\n# ", " ", "  ", "\t", "\r\n", "\x0c", "\x1c", "a", "B_1", ",", "-", "/", "*/ ;", "="),
    *("é", "한", "🙂", "\ufeff", "\u00a0", "\u0085", "\u2003", "\u2028", "\u3000", "\u1680"),
    *("ſ", "\u212a", "\u0130", "ı"),
)
pieces = st.one_of(st.sampled_from(PIECES), st.sampled_from(PIECES).map(str.upper), st.characters(codec="utf-8"))
texts = st.lists(pieces, max_size=30).map("".join)


@settings(deadline=None, max_examples=200)
@given(st.lists(texts, max_size=5))
@example(["# \x0c  \x0c\n# a", "/*\n a */ rem b\nc", "/* a */ remé", "uſing a\n# b", 'Rem  \x0b a\n.\\" b\nC\x1fd\nc'])
@example(["\ufeff# a  b\tc\u2003d", "\ufeff\ufeff# a", "{\n\n# a", "{\n  * a }\n# b", "{_\n# a", '/***/ */"""a'])
def test_leading_lines(texts):
    contents = [text.encode() for text in texts]
    offsets, data = np.cumsum([0, *map(len, contents)]), np.frombuffer(b"".join(contents), np.uint8)
    told = leading.leading_lines(offsets[:-1], offsets[1:], data, COMPILED)
    for i, text in enumerate(texts):
        lines, numbers = LEADING.lines(text)
        if LEADING.begins_with_code(text):
            assert lines == []
        if told.odd[i]:
            assert not text.isascii()
            lines, numbers = [], []
        assert told.data[told.bounds[i] : told.bounds[i + 1]].tobytes().decode() == "\n".join(lines)
        assert told.numbers[told.first[i] : told.first[i + 1]].tolist() == numbers


def test_what_is_refused():
    with pytest.raises(ValueError, match="ASCII"):
        leading.Compiled(MARKS._replace(passed={"é": Stands.KEPT}))
    with pytest.raises(ValueError, match="16 bytes"):
        leading.Compiled(MARKS._replace(words={"a" * 17: Stands.WORD}))
