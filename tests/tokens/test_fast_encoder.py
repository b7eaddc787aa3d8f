"""The fast encoder: the ids of Hugging Face's, for every text, or it is not used."""

import itertools
import json
import random
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import pretokens
from starloom.tokens import fast_encoder
from starloom.tokens.fast_encoder import Fast, fast
from starloom.tokens.special_tokens import SPECIAL_TOKENS
from tokens.learning import OTHER, SOURCES, opened, ours, table

SPACES = " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\u00a0\u1680\u2003\u2028\u2029\u202f\u205f\u3000\u200b\ufeff\u180e"
LETTERS = [*"aZéßж你09²½٣Ⅷ'\"#._-<>🙂", "\u0301", "'s", "'ll", "'ve", "'S", "  ", "\r\n", "    ", "\u0378", "\x00"]
UNITS = [*SPACES, *LETTERS, *SPECIAL_TOKENS[:4], "def", " return", "self", "import"]
TRICKY = st.lists(st.sampled_from(UNITS), max_size=30).map("".join)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
unhurried = settings(deadline=None)


def slow(texts, tokenizer=None):
    return [one.ids for one in (tokenizer or ours())._own.encode_batch(texts, add_special_tokens=False)]


def quick(texts):
    """By the kernel alone: nothing is checked, nothing left to the library."""
    offsets = np.cumsum([0, *(len(text.encode()) for text in texts)]).astype(np.int64)
    found = ours()._fast._encoder.encode(offsets, np.frombuffer("".join(texts).encode(), dtype=np.uint8))
    assert found.done.all()
    return [found.ids[start:stop].tolist() for start, stop in zip(found.bounds, found.bounds[1:])]


@given(st.lists(TRICKY, max_size=5))
@unhurried
def test_where_pretokens_meet(texts):
    assert ours().encode_batch(texts) == slow(texts)


@given(TEXT)
@unhurried
def test_any_text(text):
    assert ours().encode_batch([text]) == slow([text])


@given(st.text(" \n1a.'s", max_size=24))
@unhurried
def test_spaces_between_everything(text):
    assert quick([text]) == slow([text])


@given(st.text("etaoinshrdlu", min_size=10, max_size=300))
@unhurried
def test_long_stretches_of_letters(text):
    """No cut but by merging: lengths beyond those that are kept."""
    assert quick([text]) == slow([text])


def test_whole_files():
    texts = [Path(path).read_bytes().decode() + OTHER for path in SOURCES]
    assert quick(texts) == slow(texts)
    assert quick(texts) == slow(texts)  # now from what was kept


def test_special_tokens_spelled_in_text():
    texts = [*SPECIAL_TOKENS, " ".join(SPECIAL_TOKENS), "a<fim_prefix>b<|endoftext|>\n"]
    found = ours().encode_batch(texts)
    assert found == slow(texts)
    assert min(min(ids) for ids in found) >= len(SPECIAL_TOKENS)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        " " * 1_000_000,
        "-" * 1_000_000,
        "\r\n" * 300_000,
        "é" * 300_000,
        "7" * 300_000,
        "'" * 300_000,
        "".join(random.Random(0).choices("ACGT", k=300_000)),
        "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz", k=100_000)),
    ],
    ids=["letter", "blank", "sign", "line-end", "two-bytes", "digit", "apostrophe", "bases", "letters"],
)
def test_long_texts(text):
    assert ours().encode_batch([text]) == slow([text])


def in_every_surrounding(points):
    known = pretokens.kinds() != pretokens.NEWER
    characters = [chr(point) for point in points if known[point] and not 0xD800 <= point < 0xE000]
    for start in range(0, len(characters), 2000):
        text = "".join(f"a{one}1 {one}{one} 1.{one} .{one}\n" for one in characters[start : start + 2000])
        assert quick([text]) == slow([text]), f"after {ord(characters[start]):#x}"


def test_characters_in_every_surrounding():
    """What the installed library and the table know of Unicode: all below U+3100, of the others every 23rd."""
    in_every_surrounding([*range(0x3100), *range(0x3100, 0x20000, 23)])


@pytest.mark.slow
def test_every_character_in_every_surrounding():
    in_every_surrounding([*range(0x32400), *range(0xE0000, 0xE0200), *range(0xEFFF0, 0x110000, 1001)])


def test_characters_newer_than_unicode_14_go_to_the_library():
    seen = []

    class Watched:
        def encode_batch(self, texts, **options):
            seen.extend(texts)
            return ours()._own.encode_batch(texts, **options)

    encoder = Fast(Watched(), ours()._fast._encoder)
    texts = ["a", "\u0378", "b" * 40, "\U0001fae8 = 1", "", "c"]  # unassigned for ever, so far; of Unicode 15
    ids, bounds = encoder.encode_arrays(texts)
    assert seen == [texts[1], texts[3]]
    assert [ids[start:stop].tolist() for start, stop in itertools.pairwise(bounds)] == slow(texts)


def test_halves_of_surrogate_pairs():
    texts = ["a\ud800b", "\udc00", "\ud83d\ude42"]
    assert ours().encode_batch(texts) == [ours().encode(text) for text in texts]


def test_arrays():
    texts = ["def f(x):", "", "    return 1\n"]
    ids, bounds = ours().encode_arrays(texts)
    assert (ids.dtype, bounds.dtype) == (np.uint32, np.int64)
    assert [ids[start:stop].tolist() for start, stop in itertools.pairwise(bounds)] == ours().encode_batch(texts)
    ids, bounds = ours().encode_arrays([])
    assert (len(ids), bounds.tolist()) == (0, [0])


def test_threads_wait_for_each_other():
    texts = [Path(path).read_bytes().decode() for path in SOURCES]
    expected, found = slow(texts), {}
    encoder = fast(ours()._own, json.loads(ours()._own.to_str()))

    def run(number):
        found[number] = [encoder.encode_arrays([text])[0].tolist() for text in texts]

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == dict.fromkeys(range(4), expected)


def test_the_first_difference_is_told_and_ends_it(capsys, monkeypatch):
    class Wrong:
        def encode(self, offsets, data):
            found = ours()._fast._encoder.encode(offsets, data)
            found.ids[-1] += 1
            return found

    monkeypatch.setattr(fast_encoder, "CHECKED", 1.0)
    encoder = Fast(ours()._own, Wrong())
    texts = ["def f(x):", "return 1"]
    for _ in range(2):
        ids, bounds = encoder.encode_arrays(texts)
        assert [ids[start:stop].tolist() for start, stop in itertools.pairwise(bounds)] == slow(texts)
        assert not encoder.trusted
    told = capsys.readouterr().err
    assert told.count("warning: Starloom's encoder and tokenizers give different ids") == 1


def test_a_share_is_checked():
    seen = []

    class Counting:
        def encode_batch(self, texts, **options):
            seen.extend(texts)
            return ours()._own.encode_batch(texts, **options)

    texts = [f"text {number}" for number in range(3000)]
    encoder = Fast(Counting(), ours()._fast._encoder)
    ids, _ = encoder.encode_arrays(texts)
    assert ids.tolist() == list(itertools.chain(*slow(texts)))
    assert 10 <= len(seen) <= 60  # one in a hundred
    drawn = list(seen)
    encoder.encode_arrays(texts)
    assert seen == drawn * 2  # the same texts are drawn again


def published(changed):
    """As StarCoder2's is written: merges as strings, empty parts instead of none."""
    changed["model"]["merges"] = [" ".join(pair) for pair in changed["model"]["merges"]]
    changed["model"] |= {"continuing_subword_prefix": "", "end_of_word_suffix": "", "unk_token": "<|endoftext|>"}
    changed["post_processor"] = {
        "type": "ByteLevel",
        "add_prefix_space": True,
        "trim_offsets": False,
        "use_regex": True,
    }


def unreachable_token(changed):
    changed["model"]["vocab"]["zzzzzzzz"] = 1000


def other_order(changed):
    """Two merges that have nothing to do with each other change places: the ids no longer ascend."""
    merges = changed["model"]["merges"]
    at = next(at for at, ((a, b), (c, d)) in enumerate(itertools.pairwise(merges)) if a + b not in (c, d))
    merges[at : at + 2] = merges[at + 1], merges[at]


@pytest.mark.parametrize("change", [published, unreachable_token, other_order])
def test_other_forms_that_are_served(change):
    changed = table()
    change(changed)
    tokenizer = opened(changed)
    assert tokenizer._fast
    texts = [Path(path).read_bytes().decode() + OTHER + "zzzzzzzz 12" for path in SOURCES]
    assert tokenizer.encode_batch(texts) == slow(texts, tokenizer)


def test_random_merges_of_other_vocabularies():
    """A tokenizer.json with random merges, some tokens made in two ways: served with the same ids, or not served."""
    served = 0
    for seed in range(30):
        dice, changed = random.Random(seed), table()
        letters = [one for one in changed["model"]["vocab"] if len(one) == 1 and one.isalpha() and one.isascii()]
        vocabulary = {
            one: at for one, at in changed["model"]["vocab"].items() if len(one) == 1 or one in SPECIAL_TOKENS
        }
        known, merges = letters[:3], []
        for _ in range(40):
            pair = [dice.choice(known), dice.choice(known)]
            if pair in merges or len(pair[0] + pair[1]) > 12:
                continue
            merges.append(pair)
            known.append(pair[0] + pair[1])
            vocabulary.setdefault(pair[0] + pair[1], 2000 + len(merges))
        changed["model"] |= {"vocab": vocabulary, "merges": merges}
        tokenizer = opened(changed)
        texts = ["".join(dice.choices([*letters[:3], " "], [9, 9, 9, 1], k=400)) for _ in range(20)]
        served += tokenizer._fast is not None
        assert tokenizer.encode_batch(texts) == slow(texts, tokenizer), seed
    assert 5 < served < 30


def merged_too_early(changed):
    """The last merge, whose token's parts are made by others, comes first."""
    merges = changed["model"]["merges"]
    merges.insert(0, merges.pop(next(at for at, pair in enumerate(merges) if len(pair[0]) > 2)))


def other_pattern(changed):
    changed["pre_tokenizer"]["pretokenizers"][0]["individual_digits"] = False


def normalizer(changed):
    changed["normalizer"] = {"type": "NFC"}


def text_that_is_added(changed):
    changed["added_tokens"].append(
        {
            "id": 1000,
            "content": "return",
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": False,
        }
    )


def no_merge(changed):
    changed["model"]["ignore_merges"] = True


def no_byte(changed):
    changed["model"]["vocab"]["ɐ"] = changed["model"]["vocab"].pop("ÿ")


@pytest.mark.parametrize("change", [merged_too_early, other_pattern, normalizer, text_that_is_added, no_merge, no_byte])
def test_what_is_not_proven_is_left_to_the_library(change):
    changed = table()
    change(changed)
    tokenizer = opened(changed)
    assert tokenizer._fast is None
    text = "def f(): return 1234"
    assert tokenizer.encode_batch([text]) == [tokenizer.encode(text)]
