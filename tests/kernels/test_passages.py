"""Passages found whole, and by their runs of words, against plain Python."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import passage_ngrams, passages, squeeze
from starloom.kernels import passages_twin as twin

unhurried = settings(deadline=None, max_examples=100)
LEAST = 9
letters = st.text(st.sampled_from("ab"), max_size=60)  # few letters: much is found, and often overlapping
some_passages = st.lists(st.text(st.sampled_from("ab"), min_size=LEAST, max_size=40), max_size=6)


def buffers(contents):
    encoded = [one.encode() for one in contents]
    offsets = np.cumsum([0, *map(len, encoded)]).astype(np.int64)
    return offsets, np.frombuffer(b"".join(encoded), dtype=np.uint8)


def found(contents, wanted, least=LEAST):
    rows = passages.find(*buffers(contents), passages.passages([one.encode() for one in wanted], least))
    return list(zip(*(row.tolist() for row in rows)))


@unhurried
@given(st.lists(letters, max_size=4), some_passages)
def test_twin(contents, wanted):
    rows = found(contents, wanted)
    assert set(rows) == twin.find(contents, wanted)
    assert len(rows) == len(set(rows))
    assert [text for text, _, _ in rows] == sorted(text for text, _, _ in rows)


@unhurried
@given(st.text(max_size=40), st.text(min_size=40, max_size=90), st.text(max_size=40), st.integers(9, 40))
def test_whatever_is_planted_is_found(before, passage, after, least):
    passage = twin.squeeze(passage).ljust(40, "x")
    before, after = twin.squeeze(before), twin.squeeze(after)
    text = before + passage + after
    place = len(before.encode())
    assert found([text], [passage], least) == [(0, 0, min(place, text.encode().find(passage.encode())))]


def test_many_that_begin_alike(standard_library):
    """The windows taken are those that tell them apart; the same text twice is found twice."""
    head = "importjava.util.*;importjava.lang.reflect.*;"
    wanted = [f"{head}publicclassproblem{number}extendsanother{{}}" for number in range(300)]
    wanted.append(wanted[7])
    table = passages.passages([one.encode() for one in wanted], 30)
    shared = np.unique(table.lookup.hashes, return_counts=True)[1]
    assert shared.max() <= 22  # those whose numbers begin alike
    texts = [twin.squeeze(one) for one in standard_library[:20]] + ["abc" + wanted[7] + "abc", wanted[299], head * 50]
    assert set(found(texts, wanted, 30)) == {(20, 7, 3), (20, 300, 3), (21, 299, 0)}


@pytest.mark.parametrize("least", [8, 9, 10, 29, 30, 31, 98, 99, 100, 101, 500])
def test_every_place_of_the_shortest(least):
    rng = np.random.default_rng(least)
    passage = "".join(rng.choice(list("abcdefgh"), least))
    texts = ["-" * shift + passage for shift in range(2 * least)]
    assert found(texts, [passage], least) == [(shift, 0, shift) for shift in range(2 * least)]
    assert found([one[:-1] for one in texts] + [one[:-1] + "-" for one in texts], [passage], least) == []


def test_one_text_does_not_reach_into_the_next():
    passage = "abcdefghijklmnop" * 2
    assert found([passage[:16], passage[16:], passage], [passage], 30) == [(2, 0, 0)]


def test_no_passages_and_no_texts():
    assert found(["abc" * 100], []) == []
    assert found([], ["abc" * 100]) == []
    assert found([""], ["abc" * 100]) == []


@pytest.mark.parametrize(("wanted", "least"), [(["abcdefg"], 7), (["abcdefghi"], 10)])
def test_too_short(wanted, least):
    with pytest.raises(ValueError, match="shorter than"):
        found(["abc"], wanted, least)


def test_much_of_one_letter_ends():
    text = "a" * 2_000_000
    wanted = ["a" * 1000 + "b", "b" + "a" * 1000, "a" * 500]
    assert found([text], wanted, 30) == [(0, 2, 0)]


# Runs of words

sentences = st.lists(st.sampled_from(["a", "B", "éa", ",", "\n", "\\n", " ", "_1", "\u3000", "("]), max_size=40).map(
    "".join
)


def nearly(contents, wanted, n, share):
    table = passage_ngrams.passage_ngrams([one.encode() for one in wanted], n, share)
    rows = passage_ngrams.find_nearly(*buffers(contents), table)
    return list(zip(*(row.tolist() for row in rows)))


@unhurried
@given(
    st.lists(sentences, max_size=4), st.lists(sentences, max_size=4), st.integers(1, 4), st.sampled_from([0.1, 0.5, 1])
)
def test_runs_twin(contents, wanted, n, share):
    rows = nearly(contents, wanted, n, share)
    assert set(rows) == twin.find_nearly(contents, wanted, n, share)
    assert len(rows) == len(set(rows))


@unhurried
@given(st.lists(sentences, max_size=4), st.integers(1, 4))
def test_run_hashes(contents, n):
    bounds, hashes = passage_ngrams.run_hashes(*buffers(contents), n)
    by_run = {}
    for text, (a, b) in zip(contents, itertools.pairwise(bounds)):
        runs = [run for run, _, _ in twin.runs(text, n)]
        assert len(runs) == b - a
        for run, one in zip(runs, hashes[a:b].tolist()):
            assert by_run.setdefault(run, one) == one
    assert len(set(by_run.values())) == len(by_run)


def test_runs_of_the_standard_library(standard_library):
    texts = standard_library[:12]
    wanted = [one[200:900] for one in texts]
    assert set(nearly(texts, wanted, 5, 0.6)) == twin.find_nearly(texts, wanted, 5, 0.6)


def test_a_share_is_enough():
    wanted = "one two three four five six seven eight nine ten"
    other = wanted.replace("nine", "9")
    assert nearly([other, wanted], [wanted], 3, 0.8) == [(1, 0, 0, len(wanted), 8)]
    assert [row[:2] for row in nearly([other, wanted], [wanted], 3, 0.6)] == [(0, 0), (1, 0)]
    commented = "".join(f"// {one}\n" for one in wanted.upper().split())
    assert nearly([commented], [wanted], 3, 1.0) == [(0, 0, 3, len(commented) - 1, 8)]


@pytest.mark.parametrize(("n", "share"), [(0, 0.5), (101, 0.5), (3, 0.0), (3, 1.1)])
def test_runs_out_of_range(n, share):
    with pytest.raises(ValueError, match="runs of"):
        nearly([""], [""], n, share)


def test_squeezed_texts_are_what_find_takes():
    text = 'x = "def add(x, y):\\n    return x + y + 12345678"\n'
    wanted = twin.squeeze("def add(x, y):\n\n\treturn x + y + 12345678\n")
    assert len(passages.find(*squeeze.squeeze(*buffers([text])), passages.passages([wanted.encode()], 30)).text) == 1
