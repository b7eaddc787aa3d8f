"""Several pieces in several stretches, against each sought for itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels.seek import Seeker
from starloom.kernels.where import Stretch, Where

letters = st.lists(st.sampled_from(b"aAb_ \n"), max_size=90).map(bytes)
pieces = st.lists(st.sampled_from([b"a", b"ab", b"b a", b"\n"]), max_size=3)


@settings(deadline=None, max_examples=100)
@given(letters, pieces, st.sampled_from([0, 100]), st.data())
def test_each_stands_where_it_is_found_alone(data, some, longest, drawn):
    seekers = [Seeker(one, True, longest if one.isalpha() else 0) for one in some]
    bounds = [sorted(drawn.draw(st.integers(0, len(data))) for _ in range(2)) for _ in range(3)]
    most = [drawn.draw(st.integers(0, 4)) for _ in bounds]
    stretches = [Stretch(*pair, many) for pair, many in zip(bounds, most, strict=True)]
    found = Where([None, *seekers]).standing(stretches, np.frombuffer(data, np.uint8))
    assert not found.counts[0].any()
    for number, seeker in enumerate(seekers, 1):
        for s, (start, stop) in enumerate(bounds):
            many = found.counts[number, s]
            places = zip(found.starts[number, s, :many].tolist(), found.ends[number, s, :many].tolist(), strict=True)
            assert list(places) == seeker.places(data[start:stop], most[s])


@pytest.mark.parametrize("stretch", [Stretch(0, 4, 1), Stretch(-1, 2, 1), Stretch(2, 1, 1), Stretch(0, 3, -1)])
def test_stretches_are_in_the_text(stretch):
    with pytest.raises(ValueError, match="stretch"):
        Where([Seeker(b"a", True)]).standing([stretch], np.frombuffer(b"abc", np.uint8))
