"""Texts with spans, and the kernels that empty them, for tests."""

import itertools

import numpy as np
from hypothesis import strategies as st

from starloom.kernels.lexical_rules import COMMENT, STRING


@st.composite
def with_spans(draw, texts):
    text = draw(texts)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    kinds = draw(st.lists(st.sampled_from([COMMENT, STRING]), min_size=3, max_size=3))
    return text, list(zip(cuts[::2], cuts[1::2], kinds, strict=False))


def emptied(kernel, packed, known, asked):
    """Of each (text, spans, one of `known`), which `packed` are."""
    offsets = np.cumsum([0, *(len(text) for text, _, _ in asked)], dtype=np.int64)
    data = np.frombuffer(b"".join(text for text, _, _ in asked), dtype=np.uint8)
    bounds = np.cumsum([0, *(len(spans) for _, spans, _ in asked)], dtype=np.int64)
    spans = np.array([one for _, spans, _ in asked for one in spans], dtype=np.int64).reshape(-1, 3)
    languages = np.array([known.index(one) for _, _, one in asked], dtype=np.int64)
    ends, out = kernel(offsets, data, languages, bounds, spans, packed)
    return [out[start:end].tobytes() for start, end in itertools.pairwise(ends)]


def is_its_twin(found, twin, asked):
    """And as many lines are left, and no more bytes."""
    assert found == [twin(*one) for one in asked]
    for (text, _, _), left in zip(asked, found, strict=True):
        assert left.count(b"\n") == text.count(b"\n")
        assert len(left) <= len(text)
