"""The whole of near-deduplication against a comparison of all files with all."""

import numpy as np
import pyarrow as pa
import pytest

from starloom.dedup import MinHashSettings, near_duplicates
from starloom.dedup.bands import candidate_pairs
from starloom.dedup.signature import measure
from starloom.dedup.stars import star_clusters
from starloom.dedup.verify import verify
from starloom.errors import UserError
from starloom.kernels.text import text_buffers


@pytest.fixture(scope="module")
def candidates(corpus):
    offsets, data = text_buffers(pa.array(corpus))
    measured = measure(offsets, data, MinHashSettings())
    return candidate_pairs(measured.bands, np.flatnonzero(measured.tokens >= 5))


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


@pytest.mark.parametrize("arguments", [{"threshold": 0.0}, {"threshold": 1.5}, {"rank": [1, 2]}])
def test_refused(arguments):
    with pytest.raises(UserError):
        near_duplicates(pa.array(["a"]), **arguments)
