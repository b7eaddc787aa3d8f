"""What the index is asked for: the candidates are few, exact where they can be, and the best come first."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.conftest import index, paths, row, write_dataset
from starloom.kernels.index_terms import index_terms
from starloom.search import shard as shards
from starloom.search import tiers
from starloom.search.fields import LONGEST_WORD
from starloom.search.nodes import fold
from starloom.search.query import parse

ROWS = [
    row("part.py", "make_quicksort_now = 1\n"),
    row("whole.py", "quicksort(x)\n"),
    row("quicksort.py", "from a import QuickSort\nprint(quicksort, QuickSort)\n"),
    row("any_case.py", "class QUICKSORT:\n    pass\n\nprint(quicksort)\n"),
    row("exact.py", "def quicksort(x):\n    return x\n"),
    row("quick_sorted.py", "the quicksorts\n"),  # neither a word nor a part of one
    *(row(f"other/{number}.py", f"def other{number}(quick, sort):\n    return {number}\n") for number in range(30)),
]


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    root = tmp_path_factory.mktemp("ranked") / "w"
    write_dataset(root, ROWS)
    return index(root, symbols=True)


def test_the_better_named_come_first(opened):
    # Defined under exactly this name, in any case; the file's name has it; a whole identifier; a part of one.
    assert paths(opened.search("quicksort")) == ["exact.py", "any_case.py", "quicksort.py", "whole.py", "part.py"]


def test_a_word_with_capitals_ranks_alike(opened):
    assert paths(opened.search("QuickSort")) == ["quicksort.py"]
    assert paths(opened.search("QUICKSORT or QuickSort")) == ["any_case.py", "quicksort.py"]


def test_names_in_a_text_rank_too(opened):
    assert paths(opened.search('"quicksort"'))[0] == "exact.py"
    assert paths(opened.search('"def quicksort(" or "quicksort = "'))[0] == "exact.py"


@pytest.mark.parametrize(
    "query", ['"quicksort("', '"quicksort" or "quick_sort"', '"QuickSort" path:quick', "/quick.*/", '"(qui"']
)
def test_few_are_ranked_as_many_are(opened, query, monkeypatch):
    (shard,) = opened.shards._shards
    assert shard._few(shard.plan(parse(query).node), None) is not None
    page = opened.search(query, 2)
    both = page.hits + (opened.search(query, cursor=page.cursor).hits if page.cursor else [])
    monkeypatch.setattr(shards, "_FIRST", 1)
    assert shard._few(shard.plan(parse(query).node), None) is None
    assert opened.search(query, 12).hits == both
    assert opened.search(query, 2).cursor == page.cursor


@settings(deadline=None, max_examples=100)
@given(st.text(st.sampled_from("aBc_9.é-"), max_size=12) | st.just("a" * 100) | st.just("A" * 99))
def test_a_names_words_are_those_of_the_index(name):
    data = np.frombuffer(name.encode(), np.uint8)
    offsets = np.array([0, len(data)])
    folded = np.frombuffer(fold(name).encode(), np.uint8)
    whole, parts, *_ = index_terms(offsets, data, np.array([0, len(folded)]), folded, LONGEST_WORD)
    expected = {*whole.data.tobytes().decode().split(), *parts.data.tobytes().decode().split()}
    assert set(tiers._words_of(name)) == expected


def test_exclusions_and_filters_do_not_rank(opened):
    (shard,) = opened.shards._shards
    assert shard.plan(parse("lang:python -quicksort /quick/").node).better == ()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (r"/foo\s*=\s*bar/", 2),
        (r"/foo = bar/", 2),  # so few that trigrams are not asked
        (r"/foo[ \t]*\w/", 5),  # no border
        (r"/foo\s*=\s*(bar|nothing(a|b)c)/", 2),
        (r"foo or /foo\s*=\s*bar/", 5),
        (r"zoo or /foo\s*=\s*bar/", 3),  # a rare word beside it changes nothing
        (r"/foo\s*=\s*bar|[a-z]{9}/", 6),
    ],
)
def test_a_pattern_with_blanks_is_looked_up_by_borders(tmp_path, query, expected):
    texts = ["foo = bar", "foo\t=\n  bar", "foo(bar)", "bar = foo", "foo, bar", "zoo"]
    write_dataset(tmp_path / "w", [row(f"{number}.py", f"{text}\n") for number, text in enumerate(texts)])
    assert planned(index(tmp_path / "w"), query)[0] == expected


def planned(opened, query):
    """(how many candidates, whether they are exactly the hits)."""
    (shard,) = opened.shards._shards
    plan = shard.plan(parse(query).node)
    return shard.count(plan, None), plan.unproved is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("quicksort", (5, True)),
        ("QuickSort", (1, True)),
        ("quicksort case:yes", (5, False)),  # whether a small one is there is not in the index
        ('"quicksorts"', (1, False)),
        ('"ick"', (36, True)),  # one trigram: the index knows
        ('"ick" case:yes', (36, False)),
        ('"ic"', (36, True)),
        ('"q"', (36, False)),
        ('"x)\n"', (1, False)),  # a line's end stands behind each text, in the index
        ('"no_such_text"', (0, False)),
        ("/quick_?sorts/", (1, False)),
        ("/other1\\d\\(/", (10, False)),
        ("/(part|whole)/", (0, False)),  # of the text, not of the name
        ("/.*/", (36, False)),
        ("/\\w\\d/ or other29", (36, False)),
        ("lang:python", (36, True)),
        ("lang:c or license:mit", (36, True)),
        ("-lang:python", (0, True)),
        ("-quicksort other3", (1, True)),
        ("quicksort -(QuickSort or file:part)", (4, False)),
        ("path:quicksort.py", (1, False)),
        ("path:/^quicksort/", (1, False)),
        ("path:ort", (2, True)),
        ("file:ort", (2, False)),
        ("sym:quicksort", (2, True)),
        ("sym:QUICKSORT", (1, True)),
        ("sym:/sort/", (36, False)),
        ("-(sym:quicksort or quicksort)", (31, True)),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
def test_candidates(opened, query, expected):
    assert planned(opened, query) == expected


HOSTILE = [
    "/" + "|".join(f"abc{number}" for number in range(1_200)) + "/",
    "/" + "[ab]cd" * 1_500 + "/",
    "/(a*)*b/ /(.*){20}x/ /(a|aa)+$/ /[ab]*a[ab]{900}c/",
    '"' + "ab" * 4_900 + '"',
    '"' + "".join(map(chr, range(0x4E00, 0x4E00 + 9_000))) + '"',
    " or ".join(f"w{number}" for number in range(100)),
    " ".join(f'"{number}"' for number in range(10, 110)),
    "-" + "(" * 50 + "a or b" + ")" * 50,
    " ".join(["-a"] * 100),
    " or ".join(["-(a b)"] * 33),
    "/" + "." * 5_000 + "/",
    "sym:" + "x" * 9_000,
    "x" * 9_980,
    '"\0" or /\0/ or "\\\\"',
    "path:/.*/ repo:/^/ file:/$/ sym:/()/",
]


@pytest.mark.parametrize("query", HOSTILE, ids=[query[:16] for query in HOSTILE])
def test_hostile_queries_are_answered(opened, query):
    answer = opened.search(f"{query} count:all", seconds=10)
    assert answer.complete
    assert answer.total == len(list(opened.stream(query)))
