"""What followed before is what may follow: against a search of the whole text, token after token."""

from hypothesis import given
from hypothesis import strategies as st

from starloom.starcoder2.lookup import Lookup

TEXTS = st.lists(st.integers(0, 3), max_size=60)


def searched(ids, most):
    """The tokens after the last place where the last three, or else two, stood before."""
    for length in (3, 2):
        end = tuple(ids[-length:])
        places = [at for at in range(length, len(ids)) if tuple(ids[at - length : at]) == end]
        if len(ids) >= length and places:
            return ids[places[-1] : places[-1] + most]
    return []


@given(TEXTS, TEXTS)
def test_it_finds_what_a_search_finds(prompt, more):
    lookup = Lookup(prompt)
    for at, token in enumerate(more):
        assert lookup.guess(4) == searched(prompt + more[:at], 4)
        lookup.append(token)
    assert lookup.guess(2) == searched(prompt + more, 2)


def test_no_more_than_is_wanted():
    lookup = Lookup([1, 2, 3, 4, 5, 6, 7, 1, 2, 3])
    assert lookup.guess(0) == []
    assert lookup.guess(-1) == []
    assert lookup.guess(3) == [4, 5, 6]


def test_guesses_grow_while_they_are_right():
    lookup = Lookup([*range(40), 0, 1, 2])
    sizes = []
    for right in (4, 8, 16, 16, 0, 0, 0, 5, 8, 7):
        guessed = len(lookup.guess(100))
        sizes.append(guessed)
        lookup.judge(guessed, min(right, guessed))
    assert sizes == [4, 8, 16, 16, 16, 8, 4, 4, 8, 16]
    lookup.judge(0, 0)  # nothing guessed, nothing learnt
    assert len(lookup.guess(100)) == 8
