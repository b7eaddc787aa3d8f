"""The whole of near-deduplication against a comparison of all files with all."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from starloom.dedup import MinHashSettings, near_duplicates, tuned
from starloom.dedup.bands import candidate_pairs
from starloom.dedup.signature import measure
from starloom.dedup.stars import star_clusters
from starloom.dedup.verify import verify
from starloom.errors import UserError
from starloom.kernels import twins
from starloom.kernels.text import text_buffers


@pytest.fixture(scope="module")
def candidates(corpus):
    offsets, data = text_buffers(pa.array(corpus))
    measured = measure(offsets, data, tuned(0.7))
    return candidate_pairs(measured.bands, np.flatnonzero(measured.tokens >= 5))


@pytest.fixture(scope="module")
def small_corpus(corpus):
    """100 files, those with another's first lines behind, those without their own, in turn."""
    found = []
    for one, other in itertools.pairwise(corpus[:101]):
        lines = one.splitlines(keepends=True)
        found += [one, one + other[: len(one) // 6], "".join(lines[len(lines) // 12 :])]
    return found


def test_the_corpus_spans_the_scale(exact_pairs):
    counts, _ = np.histogram(list(exact_pairs.values()), np.linspace(0.5, 1, 6))
    assert (counts >= 100).all(), counts


def test_recall(exact_pairs, candidates):
    wanted = {pair for pair, jaccard in exact_pairs.items() if jaccard >= 0.7}
    found = set(zip(candidates.left.tolist(), candidates.right.tolist()))
    assert len(wanted & found) >= 0.99 * len(wanted)


@pytest.mark.parametrize("floor", [0.5, 0.7, 0.85])
def test_verified_pairs_are_the_true_ones_among_the_candidates(corpus, exact_pairs, candidates, floor):
    offsets, data = text_buffers(pa.array(corpus))
    jaccard = verify(offsets, data, candidates.left, candidates.right, floor)
    pairs = list(zip(candidates.left.tolist(), candidates.right.tolist()))
    found = {pair: value for pair, value in zip(pairs, jaccard.tolist()) if value >= floor}
    assert found == {pair: exact_pairs[pair] for pair in pairs if exact_pairs.get(pair, 0) >= floor}
    assert set(jaccard[jaccard < floor].tolist()) <= {-1.0}


def test_clusters_are_those_of_the_true_pairs(corpus, exact_pairs, candidates):
    rank = np.array([len(text) for text in corpus])  # with ties
    found = near_duplicates(pa.array(corpus), threshold=0.7, rank=rank)
    seen = set(zip(candidates.left.tolist(), candidates.right.tolist()))
    pairs = [(*pair, jaccard) for pair, jaccard in exact_pairs.items() if jaccard >= 0.7 and pair in seen]
    keeper, similarity = star_clusters(len(corpus), *zip(*pairs), rank, 0.7)
    assert found.keeper.tolist() == keeper.tolist()
    assert found.similarity.tolist() == similarity.tolist()
    assert found.capped_buckets == 0
    removed = np.flatnonzero(found.keeper != np.arange(len(corpus)))
    assert len(removed) > 300
    for file in removed.tolist():
        pair = tuple(sorted((file, int(found.keeper[file]))))
        assert exact_pairs[pair] == found.similarity[file] >= 0.7


def test_the_forms_of_the_input_do_not_matter(corpus):
    some = corpus[:200]
    found = near_duplicates(pa.array(some))
    chunked = near_duplicates(pa.chunked_array([some[:70], some[70:]], pa.large_string()))
    sliced = near_duplicates(pa.array(["x", *some])[1:])
    for other in (chunked, sliced):
        assert all(np.array_equal(one, two) for one, two in zip(found, other))


BODY = "def area(width, height): return width * height  # square metres"


def test_equal_token_streams():
    texts = [
        BODY,
        BODY.upper(),
        "import os",
        BODY.replace(" ", "  "),
        "import os",
        BODY + " inside",
    ]
    found = near_duplicates(pa.array(texts), threshold=0.5, rank=[3, 2, 0, 1, 0, 0])
    assert found.keeper.tolist() == [5, 5, 2, 5, 4, 5]  # files of two tokens have no twin
    assert found.similarity[0] == found.similarity[1] == found.similarity[3] < 1.0
    assert found.left.tolist() == [5]
    assert found.right.tolist() == [3]  # the best of the three

    apart = near_duplicates(pa.array(texts), threshold=1.0, rank=[3, 2, 0, 1, 0, 0])
    assert apart.keeper.tolist() == [3, 3, 2, 3, 4, 5]
    assert apart.similarity.tolist() == [1.0] * 6


def test_a_hot_bucket_is_counted():
    """100 files that differ in one token of many: all in one bucket of some band, larger than 64."""
    words = " ".join(f"word{i}" for i in range(400))
    found = near_duplicates(pa.array([f"{words} {i} end of file here" for i in range(100)]))
    assert found.capped_buckets > 0
    assert found.keeper.tolist() == [0] * 100


def test_nothing():
    found = near_duplicates(pa.array([], pa.string()))
    assert len(found.keeper) == found.candidates == 0
    assert near_duplicates(pa.array(["", None, "a"])).keeper.tolist() == [0, 1, 2]


# Texts of few words, so that many are alike: short ones, equal but for case, in and out of order.
texts = st.lists(st.sampled_from(["a", "B", "b", "c", "d", "ΟΔΟΣ", "οδος", " ", "x1"]), max_size=14).map(" ".join)
CERTAIN = {"permutations": 256, "bands": 256, "rows": 1}  # a pair at .3 is missed once in 10^40


@st.composite
def corpora(draw):
    """(texts, ranks with ties, a group for each or None)."""
    contents = draw(st.lists(texts, min_size=1, max_size=12))
    n = len(contents)
    ranks = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    groups = draw(st.none() | st.lists(st.sampled_from(["x", "y", None]), min_size=n, max_size=n))
    return contents, ranks, groups


def by_brute_force(contents, ranks, groups, threshold, tokenisation):
    """Star clusters of all pairs of one group, by the twins."""
    sets = [set(twins.shingles(one, tokenisation)) for one in contents]
    pairs = [
        (i, j, twins.jaccard(sets[i], sets[j], threshold))
        for i, j in itertools.combinations(range(len(contents)), 2)
        if groups is None or groups[i] == groups[j]
    ]
    return twins.star_clusters(len(contents), pairs, ranks, threshold)


@hypothesis_settings(deadline=None, max_examples=150)
@given(corpora(), st.sampled_from([0.3, 0.5, 0.7, 1.0]), st.sampled_from(["words", "bigcode-v2", "text-dedup"]))
def test_brute_force(corpus, threshold, tokenisation):
    contents, ranks, groups = corpus
    settings = MinHashSettings(tokenisation, **CERTAIN)
    found = near_duplicates(pa.array(contents, pa.string()), threshold, ranks, settings, within=groups)
    keeper, similarity = by_brute_force(contents, ranks, groups, threshold, tokenisation)
    assert found.keeper.tolist() == keeper
    assert found.similarity.tolist() == similarity


@hypothesis_settings(deadline=None, max_examples=60)
@given(corpora(), st.randoms(use_true_random=False))
def test_the_order_of_the_files_does_not_matter(corpus, random):
    """With ranks that have no ties."""
    contents, _, groups = corpus
    n = len(contents)
    ranks = np.array(random.sample(range(n), n))
    moved = np.array(random.sample(range(n), n))
    found = near_duplicates(pa.array(contents, pa.string()), 0.5, ranks, within=groups)
    shuffled = near_duplicates(
        pa.array([contents[i] for i in moved], pa.string()),
        0.5,
        ranks[moved],
        within=groups and [groups[i] for i in moved],
    )
    assert moved[shuffled.keeper].tolist() == found.keeper[moved].tolist()
    assert shuffled.similarity.tolist() == found.similarity[moved].tolist()
    assert shuffled.candidates == found.candidates
    assert set(zip(moved[shuffled.left], moved[shuffled.right])) == set(zip(found.left, found.right))


def test_real_files_in_another_order(small_corpus):
    moved = np.random.default_rng(3).permutation(len(small_corpus))
    found = near_duplicates(pa.array(small_corpus), rank=np.arange(len(moved)))
    shuffled = near_duplicates(pa.array([small_corpus[i] for i in moved]), rank=moved)
    assert (found.keeper != np.arange(len(moved))).sum() > 30
    assert moved[shuffled.keeper].tolist() == found.keeper[moved].tolist()
    assert shuffled.similarity.tolist() == found.similarity[moved].tolist()


def test_within_is_each_group_alone(small_corpus):
    groups = np.array(["Python", "C", "C", "Rust", "Rust"])[np.arange(len(small_corpus)) % 5]
    found = near_duplicates(pa.array(small_corpus), within=groups)
    for group in ("Python", "C", "Rust"):
        files = np.flatnonzero(groups == group)
        alone = near_duplicates(pa.array([small_corpus[i] for i in files]))
        assert found.keeper[files].tolist() == files[alone.keeper].tolist()
        assert found.similarity[files].tolist() == alone.similarity.tolist()
    whole = near_duplicates(pa.array(small_corpus))
    assert 0 < (found.keeper != np.arange(len(groups))).sum() < (whole.keeper != np.arange(len(groups))).sum()


@pytest.mark.parametrize(
    "within",
    [
        pa.array(["x", "y", None, "x", None]),
        pa.chunked_array([["x", "y"], [None, "x", None]]),
        pa.array(["x", "y", None, "x", None]).dictionary_encode(),
        pa.DictionaryArray.from_arrays(pa.array([0, 2, None, 1, None]), pa.array(["x", "x", "y"])),
        np.array([1, 2, 3, 1, 3]),
        [1.5, 2.5, None, 1.5, None],
        pa.array([True, False, None, True, None]),
    ],
    ids=["strings", "chunks", "dictionary", "dictionary with a value twice", "numpy", "list", "booleans"],
)
def test_forms_of_within(within):
    assert near_duplicates(pa.array([BODY] * 5), within=within).keeper.tolist() == [0, 1, 2, 0, 2]


def test_a_table():
    table = pa.table({"content": [BODY, BODY], "text": ["one two three four five six", BODY]})
    assert near_duplicates(table).keeper.tolist() == [0, 0]
    assert near_duplicates(table, column="text").keeper.tolist() == [0, 1]
    assert near_duplicates(table.to_batches()[0]).keeper.tolist() == [0, 0]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_kinds_of_strings(kind):
    assert near_duplicates(pa.array([BODY, None, BODY], kind)).keeper.tolist() == [0, 1, 0]
    encoded = pa.array([BODY, None, BODY]).dictionary_encode()
    assert near_duplicates(encoded).keeper.tolist() == [0, 1, 0]


def test_a_low_threshold_finds_what_the_usual_bands_would_miss(small_corpus):
    """settings = None: bands that suit the threshold."""
    assert tuned(0.3).rows == 2
    low = near_duplicates(pa.array(small_corpus), 0.3)
    usual = near_duplicates(pa.array(small_corpus), 0.3, settings=MinHashSettings())
    assert len(low.left) > len(usual.left)


def test_many_near_identical_files_stay_linear():
    """Each of 3,000 files differs in one word of 60: all pairs would be 4.5 million."""
    words = [f"word{i}" for i in range(60)]
    files = [" ".join([*words[: i % 60], f"own{i}", *words[i % 60 + 1 :]]) for i in range(3000)]
    found = near_duplicates(pa.array(files))
    assert found.capped_buckets > 0
    assert found.candidates < 3000 * 64 * 51 // 4
    removed = found.keeper != np.arange(3000)
    assert removed.sum() > 2800
    assert (found.similarity[removed] >= 0.7).all()


def test_empty_files_and_one_long_line():
    long = " ".join(f"w{i}" for i in range(200_000))
    found = near_duplicates(pa.array(["", long, *[""] * 500, "\n" * 5000, long + " end", "()" * 9000]))
    assert found.keeper.tolist() == [*range(503), 1, 504]
    empties = near_duplicates(
        pa.array(["\n" * 50, "\n" * 51, "", "\n"]), settings=tuned(0.7, tokenisation="bigcode-v2")
    )
    assert empties.keeper.tolist() == [0, 0, 2, 3]  # there, five separators make a shingle


@pytest.mark.parametrize(
    ("contents", "arguments", "problem"),
    [
        (["a"], {"threshold": 0.0}, "threshold = 0.0 is out of range"),
        (["a"], {"threshold": 1.5}, "threshold = 1.5 is out of range"),
        (["a"], {"threshold": float("nan")}, "threshold = nan is out of range"),
        (["a"], {"rank": [1, 2]}, "2 ranks for 1 texts"),
        (["a"], {"rank": [[1], [2]]}, "2 ranks for 1 texts"),
        (["a"], {"within": [1, 2]}, "2 values of within for 1 texts"),
        (["a"], {"within": [[1]]}, "within: "),
        (["a"], {"within": [object()]}, "within: "),
        ([1], {}, "an Arrow array of int64"),
        ([b"a"], {}, "an Arrow array of binary"),
    ],
    ids=lambda one: None if isinstance(one, str) else repr(one)[:40].split(" at ")[0],
)
def test_refused(contents, arguments, problem):
    with pytest.raises(UserError) as raised:
        near_duplicates(pa.array(contents), **arguments)
    assert problem in raised.value.problem
    assert raised.value.hint


def test_what_is_no_arrow_array_is_refused():
    with pytest.raises(UserError, match="contents is a list"):
        near_duplicates(["a"])
    with pytest.raises(UserError, match="no column 'content'") as raised:
        near_duplicates(pa.table({"code": ["a"], "path": ["b"]}))
    assert "code, path" in raised.value.hint
