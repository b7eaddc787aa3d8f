"""Each tokenisation gives the 5-gram sets of the script it is named for, here written again by `re`."""

import itertools
import re
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import code_points, minhash, pairs, shingles, text

pytestmark = pytest.mark.skipif(
    unicodedata.unidata_version != code_points.UNICODE_VERSION, reason="the references ask this Python's Unicode"
)


def bigcode_v2(content):
    """What The Stack v2's intra_dedup.py hashes: five tokens joined by a space, empties kept."""
    tokens = re.compile(r"\W", re.UNICODE).split(content.lower())
    return {" ".join(tokens[i : i + 5]) for i in range(len(tokens) - 4)}


def text_dedup(content):
    """What text-dedup's minhash hashes with ngram_size = 5: lower-cased twice, empties dropped."""
    tokens = [one for one in re.split(r"\W", content.lower()) if one]
    return {" ".join(tokens[i : i + 5]).lower() for i in range(len(tokens) - 4)}


REFERENCES = {"bigcode-v2": bigcode_v2, "text-dedup": text_dedup}
NAMES = pytest.mark.parametrize("name", REFERENCES)

# Capital sigmas at, near and off the end of words: after and before cased letters, through characters that case ignores
# (apostrophe, full stop, combining marks, soft hyphen), and what lower-cases to more than one character.
GREEK = st.text(st.sampled_from("ΣΣσςAα1 _.,'·\u00ad\u0307\u0345İǅß中\n"), max_size=24)
CODE = st.lists(
    st.sampled_from(["def", "x", "self", "(", ")", ":", "\n", "    ", "\t", "ΟΔΟΣ", "İ", "é", ".", "1_0"]), max_size=50
).map("".join)
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
BATCH = st.lists(st.one_of(GREEK, CODE, ANY), min_size=1, max_size=6)


def assert_same_sets(contents, name):
    """As many 5-grams in each file, and as many in common of each two: so the sets are the same, hashes apart."""
    offsets, data = text.text_buffers(pa.array(contents, pa.string()))
    bounds, sets = shingles.shingle_sets(offsets, data, name)
    expected = [REFERENCES[name](content) for content in contents]
    assert np.diff(bounds).tolist() == [len(one) for one in expected]
    found = [set(sets[a:b].tolist()) for a, b in itertools.pairwise(bounds)]
    for one, two in itertools.combinations(range(len(contents)), 2):
        assert len(found[one] & found[two]) == len(expected[one] & expected[two])
    tokens, _ = shingles.token_counts_and_stream_hash(offsets, data, name)
    assert ((tokens >= 5) == (np.diff(bounds) > 0)).all()


@NAMES
@settings(deadline=None, max_examples=400)
@given(BATCH)
def test_random_text(name, contents):
    doubled = " ".join(contents)
    assert_same_sets([*contents, doubled, doubled.upper(), doubled.title()], name)


@NAMES
def test_real_files(name, standard_library):
    assert_same_sets(standard_library[:60], name)


@NAMES
def test_every_code_point(name):
    """Beside a letter, alone, and before and after a capital sigma."""
    points = [*range(0xD800), *range(0xE000, 0x20000), *range(0x20000, 0x110000, 61), 0x10FFFF]
    characters = [chr(point) for point in points]
    contents = [
        "".join(f"a{one}b {one}" for one in characters),
        *(
            "\n".join(form.format(one) for one in characters)
            for form in ("xΣ{0}", "xΣ{0}x", "x{0}Σ", "{0}Σ 1", "Σ{0}Σ{0}")
        ),
    ]
    assert_same_sets(contents, name)


@pytest.mark.parametrize(
    ("content", "words", "empties"),
    [
        ("", 0, 1),
        ("....", 0, 5),  # four separators part five empties: one shingle
        ("a b c d", 4, 4),
        ("a b c d ", 4, 5),  # what follows the last separator is a token
        ("a b c d e", 5, 5),
        ("aİ", 1, 2),  # its lower-case form ends in a combining dot, which parts
    ],
)
def test_counts(content, words, empties):
    for name, expected in (("words", words), ("text-dedup", words), ("bigcode-v2", empties)):
        tokens, _ = shingles.token_counts_and_stream_hash(*text.text_buffers(pa.array([content])), name)
        assert tokens.tolist() == [expected], name


@pytest.mark.parametrize(
    ("one", "two", "words", "whole"),
    [
        ("x ΟΔΟΣ", "x οδος", False, True),  # lower-cased whole, a capital sigma at the end is a final one
        ("x ΟΔΟΣ", "x οδοσ", True, False),
        ("x ΣΟ", "x σο", True, True),
        ("x ΟΣ'Α", "x οσ'α", True, True),  # the apostrophe is looked through: not the end of a word
        ("x ΟΣ", "x ος", False, True),
    ],
)
def test_a_capital_sigma(one, two, words, whole):
    for name, same in (("words", words), ("text-dedup", whole), ("bigcode-v2", whole)):
        _, stream = shingles.token_counts_and_stream_hash(*text.text_buffers(pa.array([one, two])), name)
        assert (stream[0] == stream[1]).all() == same, name


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("a b c d e", "A.b-C d\te", True),
        ("a b c d e", "a  b c d e", False),  # an empty token more
        ("a      b", "a       b", False),  # six empties or seven: one set of shingles, two streams
        ("a b", "a b ", False),
        (" a b", "a b ", False),
    ],
)
def test_streams_with_empties(one, two, same):
    _, stream = shingles.token_counts_and_stream_hash(*text.text_buffers(pa.array([one, two])), "bigcode-v2")
    assert (stream[0] == stream[1]).tolist() == [same, same]


def test_a_slice_of_a_longer_text():
    """What stands before the first file and after the last is neither read nor changed."""
    data = np.frombuffer("ΟΣ a b c d ΟΣ e x".encode(), dtype=np.uint8)
    before = data.copy()
    offsets = np.array([5, 18])  # "a b c d ΟΣ e" without its end
    alone = text.text_buffers(pa.array([data[5:18].tobytes().decode()]))
    for name in shingles.TOKENISATIONS:
        found = shingles.shingle_sets(offsets, data, name)
        assert [one.tolist() for one in found] == [one.tolist() for one in shingles.shingle_sets(*alone, name)]
    assert (data == before).all()


@settings(deadline=None, max_examples=200)
@given(st.lists(st.binary(max_size=30) | GREEK.map(str.encode), max_size=4), st.sampled_from(shingles.TOKENISATIONS))
def test_bytes_that_are_no_text_do_no_harm(contents, name):
    """Some answer, the same each time, and nothing outside the files is written."""
    data = np.frombuffer(b"\xce" + b"".join(contents) + b"\xa3x", dtype=np.uint8)
    before = data.copy()
    offsets = np.cumsum([1, *map(len, contents)])
    found = [shingles.shingle_sets(offsets, data, name) for _ in range(2)]
    assert [one.tolist() for one in found[0]] == [one.tolist() for one in found[1]]
    tokens, _ = shingles.token_counts_and_stream_hash(offsets, data, name)
    assert ((tokens >= 5) == (np.diff(found[0][0]) > 0)).all()
    assert (data == before).all()


@NAMES
def test_the_signature_estimates_the_jaccard_of_these_sets(name, standard_library):
    """Over 24 seeds, on 300 pairs of a file and a copy with lines of the next one."""
    contents = []
    for i, content in enumerate(standard_library):
        other = standard_library[(i + 1) % len(standard_library)].splitlines(keepends=True)
        mine = content.splitlines(keepends=True)
        keep = len(mine) * (5 + 93 * i // len(standard_library)) // 100
        contents += [content, "".join(mine[:keep] + other[: len(mine) - keep])]
    offsets, data = text.text_buffers(pa.array(contents))
    left = np.arange(0, len(contents), 2)
    exact = pairs.jaccard(*shingles.shingle_sets(offsets, data, name), left, left + 1, 0.0)
    errors = []
    for seed in range(2001, 2025):
        found, _, _ = minhash.signatures(offsets, data, seed, 128, name)
        errors.append((found[left] == found[left + 1]).mean(axis=1) - exact)
    means = np.array(errors).mean(axis=1)
    rmse = np.sqrt((np.array(errors) ** 2).mean(axis=1))
    theory = np.sqrt(np.mean(exact * (1 - exact) / 128))
    assert abs(means.mean()) < 3 * means.std(ddof=1) / np.sqrt(len(means))
    assert abs(means.mean()) < 0.01
    assert 0.85 * theory < rmse.mean() < 1.15 * theory


def test_an_unknown_name():
    offsets, data = text.text_buffers(pa.array(["a"]))
    for one in (shingles.shingle_sets, shingles.token_counts_and_stream_hash):
        with pytest.raises(ValueError, match="none of words, bigcode-v2, text-dedup"):
            one(offsets, data, "characters")
