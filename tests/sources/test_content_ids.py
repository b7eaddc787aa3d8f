"""ContentIds against a sorted list of distinct strings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.sources.content_ids import ContentIds

# Few distinct bytes at both ends: hashes that agree in their first eight bytes, or end in NULs, come up all the time.
HASHES = st.one_of(
    st.binary(min_size=20, max_size=20).map(bytes.hex),
    st.tuples(st.sampled_from([b"\0" * 8, b"\xff" * 8, b"\x80" + b"\0" * 7]), st.binary(min_size=12, max_size=12)).map(
        lambda pair: (pair[0] + pair[1]).hex()
    ),
    st.tuples(st.binary(min_size=1, max_size=2), st.integers(0, 2)).map(
        lambda pair: (pair[0] * 20)[: 20 - pair[1]].ljust(20, b"\0").hex()
    ),
)


@given(st.lists(HASHES), st.lists(HASHES))
def test_places(members, others):
    ids = ContentIds(iter(members))
    expected = sorted(set(members))
    assert len(ids) == len(expected)
    asked = [*others, *members]
    places = ids.places(asked)
    assert places.dtype == np.int64
    assert places.tolist() == [expected.index(one) if one in expected else -1 for one in asked]


def test_many():
    members = [f"{number * 7919:040x}" for number in range(150_000)]  # all agree in their first bytes
    ids = ContentIds(members + members[:1000])
    assert len(ids) == 150_000
    assert ids.places(members[:1000]).tolist() == list(range(1000))
    assert ids.places(["f" * 40]).tolist() == [-1]


def test_none():
    assert len(ContentIds([])) == 0
    assert ContentIds([]).places(["0" * 40]).tolist() == [-1]
    assert ContentIds(["0" * 40]).places([]).tolist() == []


@pytest.mark.parametrize(
    "wrong", [["0" * 39], ["0" * 39, "0" * 41], ["g" * 40], [" " * 2 + "0" * 38], [""], ["0" * 80]]
)
def test_what_is_no_hash(wrong):
    with pytest.raises(ValueError, match=r"hex|digits"):
        ContentIds(wrong)
    with pytest.raises(ValueError, match=r"hex|digits"):
        ContentIds([]).places(wrong)
