"""Byte-pair encoding: against its plain twin for merges of all shapes, and what it leaves to others."""

import itertools
import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import byte_pairs
from starloom.kernels import byte_pairs_twin as twin
from starloom.kernels.byte_pairs import Encoder, Merges

unhurried = settings(deadline=None, max_examples=200)
FIRST = 3  # id of byte 0
texts = st.lists(st.text("aab cd'1\n é你", max_size=40), max_size=6)


def ids(numbers):
    return np.array(numbers, dtype=np.uint32)


def tables(pairs):
    """(what Merges takes, what the twin takes) of (left, right, made) in order."""
    of_byte = ids(range(FIRST, FIRST + 256))
    left, right, made = (ids([row[part] for row in pairs]) for part in range(3))
    by_pair = {(a, b): (number, token) for number, (a, b, token) in enumerate(pairs)}
    return (of_byte, left, right, made), (of_byte.tolist(), by_pair)


def byte(character):
    return FIRST + ord(character)


@st.composite
def merges(draw):
    """Each joins two of the tokens so far: bytes of a few letters, and what was made."""
    known = [FIRST + one for one in "aabbcd \n'é你".encode()]
    pairs = {}
    for number in range(draw(st.integers(0, 25))):
        pair = draw(st.sampled_from(known)), draw(st.sampled_from(known))
        if pair not in pairs:
            pairs[pair] = FIRST + 300 + 2 * number
            known.append(pairs[pair])
    return [(*pair, made) for pair, made in pairs.items()]


def encoded(encoder, some, before=b"", after=b""):
    """The ids of each text, None where it was not done."""
    parts = [one.encode() for one in some]
    offsets = np.cumsum([len(before), *map(len, parts)]).astype(np.int64)
    found = encoder.encode(offsets, np.frombuffer(before + b"".join(parts) + after, dtype=np.uint8))
    assert found.ids.dtype == np.uint32
    assert (found.bounds[0], found.bounds[-1]) == (0, len(found.ids))
    bounds = zip(found.bounds, found.bounds[1:], found.done)
    return [found.ids[start:stop].tolist() if done else None for start, stop, done in bounds]


@given(merges(), texts)
@unhurried
def test_the_ids_are_the_twins(pairs, some):
    given, plain = tables(pairs)
    encoder = Encoder(Merges.of(*given))
    expected = [twin.encode(text, *plain) for text in some]
    assert encoded(encoder, some) == expected
    assert encoded(encoder, some, b"1 a", b"b ") == expected  # and now from what was kept


@given(merges(), st.lists(st.text("abcd'\n", max_size=80), max_size=8))
@unhurried
def test_a_full_table_changes_nothing(pairs, some):
    given, plain = tables(pairs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(byte_pairs, "_KEPT_BITS", 2)
        encoder = Encoder(Merges.of(*given))
    expected = [twin.encode(text, *plain) for text in some]
    assert [encoded(encoder, some) for _ in range(2)] == [expected] * 2


@pytest.mark.parametrize("length", [1, 2, 14, 15, 16, 17, 100, 4097])
def test_long_runs(length):
    doubling = [(byte("a"), byte("a"), 400), (400, 400, 401), (401, 401, 402), (402, byte("a"), 403)]
    given, plain = tables(doubling)
    text = "a" * length
    expected = [402] * (length // 8 - 1) + [403] if length == 4097 else twin.encode(text, *plain)
    assert encoded(Encoder(Merges.of(*given)), [text, text]) == [expected] * 2


def test_a_megabyte_of_one_letter():
    doubling = [(byte("a"), byte("a"), 400), *((400 + k, 400 + k, 401 + k) for k in range(9))]
    given, _ = tables(doubling)
    assert encoded(Encoder(Merges.of(*given)), ["a" * (1 << 20)]) == [[409] * (1 << 10)]


def test_what_takes_too_long_is_not_done():
    """Two thousand merges, each possible once, in a stretch of which little is ever joined."""
    chain = [(byte("x") if k == 0 else 399 + k, byte("y"), 400 + k) for k in range(2000)]
    given, _ = tables(chain)
    text = "x" + "y" * 2000 + "z" * 60_000
    short = text[:1001]
    assert encoded(Encoder(Merges.of(*given)), ["yx", text, short]) == [
        [byte("y"), byte("x")],
        None,
        [1399],
    ]


def test_newer_characters_are_not_done_and_the_others_are():
    given, _ = tables([(byte("a"), byte("b"), 400)])
    some = ["ab", "ab\u0378", "", "abab"]
    assert encoded(Encoder(Merges.of(*given)), some) == [[400], None, [], [400, 400]]


def test_no_text():
    given, _ = tables([])
    assert encoded(Encoder(Merges.of(*given)), []) == []


def test_every_byte():
    given, _ = tables([])
    text = "".join(map(chr, range(0x800))) + "\U0001f642你"
    known = "".join(one for one in text if byte_pairs.kinds()[ord(one)] != 128)
    assert encoded(Encoder(Merges.of(*given)), [known]) == [[FIRST + one for one in known.encode()]]


def test_many_texts_of_real_code(standard_library):
    """A vocabulary of frequent pairs, learnt on the fly from the first file."""
    pairs, words = [], [list(part.encode()) for part in twin.pretokens(standard_library[0])]
    words = [[FIRST + one for one in word] for word in words]
    for number in range(150):
        counts = {}
        for word in words:
            for pair in itertools.pairwise(word):
                counts[pair] = counts.get(pair, 0) + 1
        best = max(counts, key=lambda pair: (counts[pair], pair))
        pairs.append((*best, 400 + number))
        words = [joined(word, best, 400 + number) for word in words]
    given, plain = tables(pairs)
    some = standard_library[1:12]
    assert encoded(Encoder(Merges.of(*given)), some) == [twin.encode(text, *plain) for text in some]


def joined(word, pair, token):
    found = []
    for one in word:
        if found and (found[-1], one) == pair:
            found[-1] = token
        else:
            found.append(one)
    return found


@pytest.mark.parametrize(
    "pairs",
    [
        [(400, byte("b"), 401), (byte("a"), byte("a"), 400)],  # takes part before it is made
        [(byte("a"), byte("b"), 400), (400, byte("c"), 401), (byte("b"), byte("a"), 400)],  # made again, too late
        [(byte("a"), byte("b"), byte("c"))],  # makes a byte
        [(byte("a"), byte("b"), 400), (byte("a"), byte("b"), 401)],  # two ways for one pair
        [(byte("a"), byte("b"), 1 << 21)],  # an id too large
    ],
    ids=["before-it-is-made", "made-again", "makes-a-byte", "twice", "large-id"],
)
def test_merges_of_doubtful_order_are_refused(pairs):
    given, _ = tables(pairs)
    assert Merges.of(*given) is None


def test_bytes_must_have_ids():
    of_byte, *rest = tables([])[0]
    of_byte[7] = of_byte[8]
    assert Merges.of(of_byte, *rest) is None


def test_a_token_may_be_made_in_two_ways():
    """(ab)c and a(bc): neither is used before both are made."""
    letters = {one: byte(one) for one in string.ascii_lowercase}
    pairs = [
        (letters["a"], letters["b"], 400),
        (letters["b"], letters["c"], 401),
        (400, letters["c"], 402),
        (letters["a"], 401, 402),
        (402, letters["a"], 403),
    ]
    given, plain = tables(pairs)
    some = ["abcabca", "bcabc", "aabcab"]
    assert encoded(Encoder(Merges.of(*given)), some) == [twin.encode(text, *plain) for text in some]


@pytest.mark.parametrize("offsets", [[0, 9], [2, 1], [-1, 1], []])
def test_offsets_outside_the_data(offsets):
    encoder = Encoder(Merges.of(*tables([])[0]))
    with pytest.raises(ValueError, match="offsets"):
        encoder.encode(np.array(offsets, dtype=np.int64), np.zeros(3, dtype=np.uint8))
