"""Search equals a brute-force scan: on one file, and through whole indexes, for queries of all kinds."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.brute import a_corpus, a_query, defined
from search.conftest import index, write_dataset
from starloom.languages.syntax.definitions import Definitions
from starloom.search.matching import File, judge
from starloom.search.query import parse

KINDS = {"word", "quoted", "bare", "pattern", "lang", "license", "sym", "repo", "path", "file", "-", "or", "and", "()",
         "case:yes", "case:no", "case:auto"}  # fmt: skip
BLOCKS, QUERIES = 12, 200  # 2,400 in all

CORPUS = a_corpus("search", 60)
PROGRAMS = [one | {"symbols": defined(one["content"])} for one in CORPUS]


def place(one):
    return one["repo_name"], one["path"]


def file(one):
    return File(one.get, lambda: one["content"].encode())


@settings(max_examples=400)
@given(st.integers(0, 2**60))
def test_one_file_is_judged_alike(seed):
    dice = random.Random(seed)
    query, holds, _ = a_query(dice, PROGRAMS)
    found = judge(parse(query).node)
    for one in dice.sample(PROGRAMS, 30):
        assert found(file(one)) == holds(one), (query, one["path"], one["content"])


@pytest.fixture(scope="module")
def rows():
    """The corpus, with the symbols that the parsers find."""
    with Definitions() as definitions:
        told = definitions([(one["language"], one["content"].encode()) for one in CORPUS])
    assert sum(map(bool, told)) > 10
    return [one | {"symbols": [name for name, _ in names or ()]} for one, names in zip(CORPUS, told)]


@pytest.fixture(scope="module", params=[1, 3], ids=["one shard", "three shards"])
def opened(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("corpus") / "w"
    write_dataset(root, CORPUS[:40], CORPUS[40:])
    return index(root, shards=request.param, symbols=True)


@pytest.mark.parametrize("block", range(BLOCKS // 2))
def test_the_index_is_asked_alike(opened, rows, block):
    seen = Counter()
    for number in range(QUERIES):
        dice = random.Random(f"{block} {number} {opened.shards.covered.shards}")
        query, holds, kinds = a_query(dice, rows)
        wanted = sorted(place(one) for one in rows if holds(one))
        answer = opened.search(f"{query} count:all", limit=len(rows), seconds=60, raw=True)
        assert sorted(place(vars(hit)) for hit in answer.hits) == wanted, query
        assert (answer.total, answer.complete) == (len(wanted), True), query
        seen.update(kinds)
        seen["told apart"] += 0 < len(wanted) < len(rows)
    assert seen.keys() >= KINDS
    assert seen["told apart"] > QUERIES / 2


def test_hits_come_in_one_order_whatever_the_shards(tmp_path):
    write_dataset(tmp_path / "w", CORPUS)
    answers = {}
    for shards in (1, 2, 5):
        opened = index(tmp_path / "w", shards=shards)
        for query in ("json", "server or read", "a", '"ab"', "/x\\d/", "lang:c", "-self", "case:yes json"):
            found = [place(vars(hit)) for hit in opened.stream(query)]
            assert answers.setdefault(query, found) == found
