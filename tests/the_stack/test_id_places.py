"""Ids are found where texts would be, whatever they are."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.the_stack import id_places
from starloom.the_stack.id_places import places

IDS = st.lists(st.one_of(st.none(), st.sampled_from("0123456789abcdef").map(lambda digit: digit * 40)), max_size=9)
TEXTS = st.lists(st.one_of(st.none(), st.text("0é", max_size=41)), max_size=9)


def by_text(ids, among):
    return pc.index_in(ids, among, skip_nulls=True)


@given(st.one_of(IDS, TEXTS), st.one_of(IDS, TEXTS), st.integers(0, 3))
def test_as_texts(ids, among, start):
    asked, known = pa.array(ids, pa.string())[start:], pa.array(among, pa.string())[start:]
    expected = by_text(asked, known).to_pylist()
    assert places(asked, known).to_pylist() == expected
    assert places(pa.chunked_array([asked]), pa.chunked_array([known[:2], known[2:]])).to_pylist() == expected


@pytest.mark.parametrize("factor", [0, 1 << 63])
def test_two_ids_of_one_number(monkeypatch, factor):
    monkeypatch.setattr(id_places, "_FACTORS", id_places._FACTORS * id_places.np.uint64(factor))
    known = pa.array([f"{number:040x}" for number in range(9)])
    asked = pa.array([f"{number:040x}" for number in range(12, -1, -1)])
    assert places(asked, known).to_pylist() == by_text(asked, known).to_pylist()
