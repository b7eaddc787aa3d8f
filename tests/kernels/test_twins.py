"""Every kernel gives what its plain Python twin gives: random text, awkward text, the standard library."""

import itertools
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import code_points, lines, minhash, pairs, shingles, twins

pytestmark = pytest.mark.skipif(
    unicodedata.unidata_version != code_points.UNICODE_VERSION, reason="the twins ask this Python's Unicode"
)

# What breaks tokenisers: characters of two, three and four bytes, odd lower-case forms, combining marks,
# separators.
AWKWARD = "aaZ_9    .'\t\n\n\r-.éÉßÀĀſΣςσİıіЖ中가ａ½²٣\u0307\u200d\u2028\u00a0\x00\x7f\x85😀𝒜𞤀\U0010ffff"

awkward = st.text(st.sampled_from(AWKWARD), max_size=80)
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
source = st.lists(st.sampled_from(["def", "x", "İi", "Σ", "(", "é", "\n", "\r\n", "中", "_", "1"]), max_size=60).map(
    " ".join
)
batches = st.lists(st.one_of(awkward, anything, source), max_size=6)

unhurried = settings(deadline=None, max_examples=300)


def buffers(contents, before=b"", after=b""):
    """(offsets, data), with bytes before the first file and after the last, as Arrow slices have."""
    encoded = [content.encode() for content in contents]
    offsets = np.cumsum([len(before), *map(len, encoded)]).astype(np.int64)
    return offsets, np.frombuffer(before + b"".join(encoded) + after, dtype=np.uint8)


def assert_lines(contents, before=b"", after=b""):
    found = lines.line_statistics(*buffers(contents, before, after))
    expected = [twins.lines(content) for content in contents]
    for name in lines.LineStatistics._fields:
        column = getattr(found, name)
        assert column.tolist() == np.array([getattr(one, name) for one in expected], dtype=column.dtype).tolist(), name


def assert_shingles(contents, before=b"", after=b"", tokenisations=shingles.TOKENISATIONS):
    offsets, data = buffers(contents, before, after)
    for name in tokenisations:
        tokens, stream = shingles.token_counts_and_stream_hash(offsets, data, name)
        assert tokens.tolist() == [len(twins.tokens(content, name)) for content in contents]
        assert [tuple(one) for one in stream.tolist()] == [twins.stream(content, name) for content in contents]
        bounds, sets = shingles.shingle_sets(offsets, data, name)
        assert [sets[a:b].tolist() for a, b in itertools.pairwise(bounds)] == [
            sorted(set(twins.shingles(content, name))) for content in contents
        ]


@unhurried
@given(batches, st.sampled_from([b"", b"a", b"x \xc3\xa9"]), st.sampled_from([b"", b"b", b"\xa9"]))
def test_lines(contents, before, after):
    assert_lines(contents, before, after)


@unhurried
@given(batches, st.sampled_from([b"", b"a", b"x \xc3\xa9"]), st.sampled_from([b"", b"b", b"\xa9"]))
def test_shingles(contents, before, after):
    assert_shingles(contents, before, after)


def test_every_code_point():
    """Each up to U+1FFFF; of the others, which stand in long runs (ideographs, unassigned), every 61st."""
    points = [*range(0xD800), *range(0xE000, 0x20000), *range(0x20000, 0x110000, 61), 0x10FFFF]
    characters = [chr(point) for point in points]
    contents = ["".join(characters), "".join(f"a{one}b " for one in characters)]
    assert_lines(contents)
    assert_shingles(contents)


def test_the_standard_library(standard_library):
    assert_lines(standard_library[:60])
    assert_shingles(standard_library[:60])


@unhurried
@given(batches, st.integers(0, 2**63 - 1), st.integers(1, 20), st.sampled_from(shingles.TOKENISATIONS))
def test_signatures(contents, seed, permutations, name):
    offsets, data = buffers(contents, before=b"x ")
    found, tokens, stream = minhash.signatures(offsets, data, seed, permutations, name)
    a, b = (one.tolist() for one in minhash.multipliers(seed, permutations))
    assert found.tolist() == [twins.signature(twins.shingles(content, name), a, b) for content in contents]
    counts, streams = shingles.token_counts_and_stream_hash(offsets, data, name)
    assert tokens.tolist() == counts.tolist()
    assert stream.tolist() == streams.tolist()


@unhurried
@given(st.lists(st.lists(st.integers(0, 2**32 - 1), min_size=12, max_size=12), max_size=4), st.data())
def test_band_hashes(values, data):
    bands = data.draw(st.integers(1, 12))
    rows = data.draw(st.integers(1, 12 // bands))
    found = minhash.band_hashes(np.array(values, dtype=np.uint32).reshape(-1, 12), bands, rows)
    assert found.tolist() == [twins.band_hashes(one, bands, rows) for one in values]


# Few values, so that sets meet; some at the far end of 64 bits, where a float would lose them.
members = st.frozensets(st.one_of(st.integers(0, 12), st.integers(2**64 - 12, 2**64 - 1)), max_size=24)


@unhurried
@given(
    st.lists(members, min_size=1, max_size=8),
    st.one_of(st.floats(-0.5, 1.5), st.sampled_from([0.0, 0.5, 0.7, 1.0, 1 / 3, 2 / 3, 0.6])),
)
def test_jaccard(sets, floor):
    bounds = np.cumsum([0, *map(len, sets)])
    values = np.array([value for one in sets for value in sorted(one)], dtype=np.uint64)
    left, right = (one.ravel() for one in np.meshgrid(np.arange(len(sets)), np.arange(len(sets))))
    found = pairs.jaccard(bounds, values, left, right, floor)
    assert found.tolist() == [twins.jaccard(set(sets[i]), set(sets[j]), floor) for i, j in zip(left, right)]


@unhurried
@given(st.data())
def test_agreement(data):
    rows, places = data.draw(st.integers(1, 6)), data.draw(st.sampled_from([1, 3, 31, 256, 300]))
    dice = np.random.default_rng(data.draw(st.integers(0, 99)))
    sketches = dice.integers(0, 3, (rows, places), dtype=np.uint8)
    left, right = dice.integers(0, rows, (2, 20))
    found = pairs.agreement(sketches, left, right)
    assert found.tolist() == [int((sketches[a] == sketches[b]).sum()) for a, b in zip(left, right)]


@pytest.mark.parametrize(("left", "right"), [([0], [2]), ([-1], [0]), ([0, 1], [0])], ids=["beyond", "below", "uneven"])
def test_agreement_of_what_is_not_there(left, right):
    with pytest.raises(ValueError, match=r"not there|differ in length"):
        pairs.agreement(np.zeros((2, 8), np.uint8), np.array(left), np.array(right))
