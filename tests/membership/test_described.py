"""What is known of contents in columns, and matches whose files are made when they are looked at."""

import copy
import pickle
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from membership.told import check, file, match
from starloom.membership.described import Made, in_columns, ranged
from starloom.membership.matches import Match, Place
from starloom.membership.shard import NOT_HERE, Wanted, merged_described
from starloom.the_stack.origins import Origin

PLACES = [Place.of(Origin("r", path, "e" * 40, None, None, None, (), None, "train", True)) for path in ("a", "b", "c")]
LICENSES = [(None, ()), ("permissive", ("MIT",)), ("permissive", ("MIT", "ISC"))]
contents = st.just(NOT_HERE) | st.tuples(
    st.integers(1, 9),
    st.lists(st.sampled_from(PLACES), max_size=3),
    st.dictionaries(st.sampled_from(LICENSES), st.integers(1, 9), min_size=1),
)


def rows(described):
    return [(total, [*places], dict(licenses)) for total, places, licenses in described.each()]


def plain(told):
    return [(total, [*places], dict(licenses)) for total, places, licenses in told]


@given(st.lists(contents, max_size=6))
def test_columns(told):
    assert rows(in_columns(told, np.zeros((2, 0), np.int64))) == plain(told)


@given(st.lists(st.tuples(contents, contents), max_size=6))
def test_the_first_shard_that_has_a_content_says_what_it_is(told):
    every = np.arange(len(told))
    wanted = Wanted(np.zeros((len(told), 20), np.uint8), every, every, every, every, every)
    shards = [in_columns(some, np.full((2, len(told)), number + 1)) for number, some in enumerate(zip(*told))]
    first = [one if one[0] >= 0 else two for one, two in told]
    merged = merged_described(shards or [in_columns([], np.zeros((2, 0), np.int64))], wanted)
    assert rows(merged) == plain(first)
    lines = [1 if one[0] >= 0 else 2 if two[0] >= 0 else 0 for one, two in told]
    assert merged.lines.tolist() == [lines, lines]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4))))
def test_ranged(told):
    firsts, counts = (np.array(column, dtype=np.int64) for column in (list(zip(*told)) or [[], []]))
    assert ranged(firsts, counts).tolist() == [first + k for first, count in told for k in range(count)]


def test_things_made_when_they_are_looked_at():
    asked = []
    made = Made(range(4), lambda number: asked.append(number) or number * 10)
    assert (len(made), asked) == (4, [])
    assert (made[1], made[-1], made[1:3], [*made]) == (10, 30, [10, 20], [0, 10, 20, 30])
    assert asked == [1, 3, 1, 2, 0, 1, 2, 3]
    with pytest.raises(IndexError):
        made[4]


def lazy(given):
    """`given`, its files made when they are looked at; and how often they were made."""
    made = []
    others = {name: value for name, value in vars(given).items() if name != "files"}
    return Match.listing(lambda: made.append(0) or [*given.files], **others), made


@pytest.mark.parametrize("through", [copy.copy, copy.deepcopy, replace, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_match_is_the_same_however_its_files_are_made(through):
    given = match(file(), file(path="b.py", license=""), start=3, reason="why", common=True)
    one, made = lazy(given)
    assert one.characters == given.characters
    assert made == []
    assert through(one) == one == given == through(given)
    assert (made, repr(one), asdict(one)) == ([0], repr(given), asdict(given))
    with pytest.raises(AttributeError, match="lines"):
        one.lines  # noqa: B018 - asked for in vain


def test_json():
    found = check(match(file(), file(path="b.py", license="")), match(), problems=["a shard is damaged"])
    assert found.to_json() == asdict(found)
    assert list(found.to_json()) == list(asdict(found))
    assert list(found.to_json()["matches"][0]) == list(asdict(found)["matches"][0])
    one, _ = lazy(found.matches[0])
    assert list(one.to_json()) == list(asdict(found)["matches"][0])
