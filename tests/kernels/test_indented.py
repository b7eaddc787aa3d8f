"""JSON cut into lines, against Python's own."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import indented

texts = st.text(st.sampled_from('ab"\\{}[],: \n\té😀\u2028\x00'), max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=30,
)


def through(value):
    line = json.dumps(value, ensure_ascii=False, separators=(",", ": "))
    return bytes(indented.indented(np.frombuffer(line.encode(), np.uint8))).decode()


@settings(deadline=None, max_examples=300)
@given(values)
def test_as_python_has_it(value):
    assert through(value) == json.dumps(value, ensure_ascii=False, indent=1)


@pytest.mark.parametrize("text", [b"]", b"]" * 3_000, b"[]}", b'"["]'])
def test_a_bracket_that_was_not_opened(text):
    with pytest.raises(ValueError, match="bracket"):
        indented.indented(np.frombuffer(text, np.uint8))


@given(st.binary(max_size=40) | st.text('[]{},:"\\', max_size=40).map(str.encode))
def test_whatever_it_is_given(text):
    try:
        lines = bytes(indented.indented(np.frombuffer(text, np.uint8)))
    except ValueError:
        return
    assert lines.replace(b"\n", b"").replace(b" ", b"") == text.replace(b"\n", b"").replace(b" ", b"")


@pytest.mark.parametrize("deep", [1, 100, 900])
def test_more_room_than_was_thought(deep):
    value = [1, 2]
    for _ in range(deep):
        value = [value, []]
    assert through(value) == json.dumps(value, indent=1)
