"""Shards asked as one: whatever the cut, and whoever answers, the answer is that of one big index."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.conftest import index, write_dataset
from search.test_search import CORPUS, QUERIES
from starloom.search.ask import Covered, Found, Key, Merged, Question, merged
from starloom.search.facets import FACETS, SHOWN
from starloom.search.hits import Hit
from starloom.search.index import SearchIndex

ALL = " count:all"


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    """Workspaces of the same files, by the number of shards."""
    made = {}
    for shards in (1, 2, 7):
        made[shards] = tmp_path_factory.mktemp(f"shards-{shards}") / "w"
        write_dataset(made[shards], CORPUS[:80], CORPUS[80:])
        index(made[shards], shards=shards)
    return made


@pytest.fixture(scope="module")
def one_index(roots):
    return SearchIndex.open(roots[1])


def parts(root, *groups):
    return [SearchIndex.open(root, numbers).shards for numbers in groups]


def everything(opened, query):
    """All that an index says of a query, the time left out."""
    first = opened.search(query + ALL, 9, facets=True, seconds=60)
    second = opened.search(query + ALL, 9, cursor=first.cursor, seconds=60) if first.cursor else first
    return [replace(answer, seconds=0.0) for answer in (first, second)], list(opened.stream(query))


@pytest.mark.parametrize("query", QUERIES)
def test_the_cut_changes_nothing(roots, one_index, query):
    expected = everything(one_index, query)
    with ThreadPoolExecutor(3) as pool:
        for opened in (
            SearchIndex.open(roots[2]),
            SearchIndex.open(roots[7]),
            SearchIndex(Merged(parts(roots[7], [0, 6], [1], range(2, 6)))),
            SearchIndex(Merged(parts(roots[7], [3, 4, 5, 6], [0, 1, 2])[::-1], each=pool.map)),
            SearchIndex(Merged([Merged(parts(roots[7], [0], [5])), *parts(roots[7], [1, 2, 3, 4, 6])])),
        ):
            assert opened.shards.covered.whole
            assert everything(opened, query) == expected


def test_a_part_that_is_not_here_is_told(roots, one_index):
    some = SearchIndex(Merged(parts(roots[7], [0, 1], [2, 3]), ["the peer x does not answer"]))
    answer = some.search("self" + ALL, 1000)
    assert answer.partial
    assert answer.problems == ("the peer x does not answer",)
    whole = one_index.search("self", 1000)
    assert 0 < answer.total < whole.total
    assert [hit for hit in whole.hits if hit in answer.hits] == answer.hits


def test_what_does_not_belong_together_is_refused(roots):
    (mine,) = parts(roots[2], [0])
    with pytest.raises(ValueError, match="different indexes"):
        Merged([mine, *parts(roots[7], [1])])
    with pytest.raises(ValueError, match="twice"):
        Merged([mine, mine])
    with pytest.raises(ValueError, match="no shards"):
        Merged([])


class Cut:
    """An answerer that is cut short after a number of candidates, however little each question asks for."""

    def __init__(self, keys, most, number, shards):
        self.covered = Covered("x", shards, len(keys), False, frozenset([number]))
        self._keys = sorted(keys)
        self._most = most

    def ask(self, question):
        left = [key for key in self._keys if question.after is None or key > question.after]
        seen = left[: self._most]
        hits = [key for key in seen if key.rank % 3]
        whole = len(seen) == len(left)
        reached = None if whole or len(hits) >= question.limit else seen[-1]
        shown = tuple((key, a_hit(key)) for key in hits[: question.limit])
        return Found(shown, len(hits), whole, reached)


def a_hit(key):
    return Hit("r", f"{key.tier}/{key.rank}", 1, "", 1, (), None, None, (), "", "train", "")


@given(st.integers(0, 2**30))
def test_pages_of_answers_that_are_cut_short_miss_nothing(seed):
    dice = random.Random(seed)
    keys = sorted({Key(dice.randrange(3), dice.randrange(100)) for _ in range(dice.randrange(60))})
    shards = dice.choice([1, 2, 5])
    cut = {number: [key for key in keys if hash(key) % shards == number] for number in range(shards)}
    opened = SearchIndex(Merged([Cut(cut[n], dice.choice([1, 2, 7, 100]), n, shards) for n in cut]))
    limit = dice.choice([1, 3, 10, 100])
    found, cursor = [], None
    while True:
        page = opened.search("x", limit, cursor=cursor)
        found += page.hits
        assert len(page.hits) == limit or page.partial or page.cursor is None
        assert page.total >= len(found)
        cursor = page.cursor
        if cursor is None:
            break
    assert found == [a_hit(key) for key in keys if key.rank % 3]
    assert page.total == len(found)


def test_merged_takes_the_first_of_all():
    low, mid, high = (Key(0, 1), Key(0, 5), Key(1, 0))
    one = Found(((low, a_hit(low)), (high, a_hit(high))), 9, True)
    two = Found(((mid, a_hit(mid)),), 1, False, Key(0, 7))
    found = merged([one, two], 10)
    assert [key for key, _ in found.hits] == [low, mid]  # high is behind where two was cut
    assert (found.total, found.complete, found.reached, found.facets) == (10, False, Key(0, 7), None)
    assert [key for key, _ in merged([one, two], 1).hits] == [low]
    assert merged([one, two], 1).reached is None


# Facets


def counted(query_rows):
    told = {name: Counter() for name in FACETS}
    for one in query_rows:
        told["language"][one["language"]] += 1
        told["license_type"][one["license_type"]] += 1
        told["repository"][one["repo_name"]] += 1
        names = {name for each in one["detected_licenses"] for name in each.replace(" AND ", " OR ").split(" OR ")}
        told["license"].update(names)
    return told


@pytest.mark.parametrize("query", ["lang:c or lang:python", '"self"', "-/self/", "license:permissive"])
def test_facets_are_counts(one_index, query):
    answer = one_index.search(query + ALL, 1000, facets=True)
    places = {(hit.repo_name, hit.path) for hit in answer.hits}
    expected = counted(one for one in CORPUS if (one["repo_name"], one["path"]) in places)
    assert answer.facets == {name: dict(some) for name, some in expected.items()}


def test_the_most_frequent_values_are_given(indexed):
    from search.conftest import row

    rows = [row(f"{n}.py", f"x {n}\n", repo_name=f"own/r{n % 13:02}") for n in range(27)]
    answer = indexed(*rows).search("x", facets=True)
    told = list(answer.facets["repository"].items())
    assert told == [("own/r00", 3), *((f"own/r{n:02}", 2) for n in range(1, SHOWN))]
    assert indexed(*rows).search("x").facets is None


def test_a_question_is_plain_data():
    """It crosses to other processes."""
    question = Question("self", Key(1, 2**63), 3, 0.5, 0.1, True, False)
    assert Question(**vars(question)) == question
