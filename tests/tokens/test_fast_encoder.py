"""The fast encoder: the ids of Hugging Face's, for every text, or it is not used."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.tokens import fast_encoder
from starloom.tokens.fast_encoder import Fast, fast
from starloom.tokens.special_tokens import SPECIAL_TOKENS
from tokens.learning import OTHER, SOURCES, opened, ours, table

tiktoken = pytest.importorskip("tiktoken")

SPACES = " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\u00a0\u1680\u2003\u2028\u2029\u202f\u205f\u3000\u200b\ufeff\u180e"
PIECES = [*SPACES, *"aZéßж你09²½٣Ⅷ'\"#._-<>🙂", "\u0301", "'s", "'ll", "'S", "  ", "\r\n", "    ", *SPECIAL_TOKENS[:4]]
TRICKY = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)


def both(text):
    """(fast, slow) ids."""
    encoder = ours()._fast
    return encoder._one(text), ours()._own.encode(text, add_special_tokens=False).ids


@given(TRICKY)
def test_where_pieces_meet(text):
    found, expected = both(text)
    assert found == expected


@given(TEXT)
def test_any_text(text):
    found, expected = both(text)
    assert found == expected


@given(st.text(" \n1a.", max_size=24))
def test_spaces_between_everything(text):
    found, expected = both(text)
    assert found == expected


def test_whole_files():
    for path in SOURCES:
        found, expected = both(Path(path).read_bytes().decode() + OTHER)
        assert found == expected


def in_every_surrounding(points):
    core, own = ours()._fast._core, ours()._own
    characters = [chr(point) for point in points if not 0xD800 <= point < 0xE000]
    for start in range(0, len(characters), 2000):
        text = "".join(f"a{one}1 {one}{one} 1." for one in characters[start : start + 2000])
        expected = own.encode(text, add_special_tokens=False).ids
        assert core.encode_ordinary(text) == expected, f"after {ord(characters[start]):#x}"


def test_characters_in_every_surrounding():
    """tiktoken alone, without `_unknown`: what the installed versions of both libraries know of Unicode."""
    in_every_surrounding([*range(0x3100), *range(0x3100, 0x20000, 23), *range(0x11DE0, 0x11DEA), 0x16FF4, 0x16FF6])


@pytest.mark.slow
def test_every_character_in_every_surrounding():
    in_every_surrounding([*range(0x32400), *range(0xE0000, 0xE0200), *range(0xEFFF0, 0x110000, 1001)])


def test_characters_that_python_does_not_know_go_to_the_library():
    assert fast_encoder._unknown("a\u0378b")  # unassigned for ever, so far
    assert not fast_encoder._unknown(OTHER)
    assert not fast_encoder._unknown("")

    class Never:
        def encode_ordinary(self, text):
            raise AssertionError

    assert Fast(ours()._own, Never())._one("\u0378") == ours().encode("\u0378")


def test_the_first_difference_is_told_and_ends_it(capsys, monkeypatch):
    class Wrong:
        def encode_ordinary(self, text):
            return [38]

    monkeypatch.setattr(fast_encoder, "CHECKED", 1.0)
    encoder = Fast(ours()._own, Wrong())
    texts = ["def f(x):", "return 1"]
    assert encoder.encode_batch(texts) == [ours().encode(text) for text in texts]
    assert not encoder.trusted
    assert "warning: tiktoken and tokenizers give different ids" in capsys.readouterr().err
    assert encoder.encode_batch(texts) == [ours().encode(text) for text in texts]
    assert capsys.readouterr().err == ""


def test_a_share_is_checked(monkeypatch):
    seen = []

    class Counting:
        def __getattr__(self, name):
            return getattr(ours()._own, name)

        def encode_batch(self, texts, **options):
            seen.extend(texts)
            return ours()._own.encode_batch(texts, **options)

    texts = [f"text {number}" for number in range(3000)]
    encoder = Fast(Counting(), ours()._fast._core)
    assert encoder.encode_batch(texts) == [ours().encode(text) for text in texts]
    assert 10 <= len(seen) <= 60  # one in a hundred
    drawn = list(seen)
    encoder.encode_batch(texts)
    assert seen == drawn * 2  # the same texts are drawn again


def swapped_merges(changed):
    merges = changed["model"]["merges"]
    merges[0], merges[1] = merges[1], merges[0]


def other_pattern(changed):
    changed["pre_tokenizer"]["pretokenizers"][0]["individual_digits"] = False


def normalizer(changed):
    changed["normalizer"] = {"type": "NFC"}


def unreachable_token(changed):
    changed["model"]["vocab"]["zzzzzzzz"] = 1000


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


@pytest.mark.parametrize(
    "change", [swapped_merges, other_pattern, normalizer, unreachable_token, text_that_is_added, no_merge]
)
def test_what_is_not_proven_is_left_to_the_library(change):
    changed = table()
    change(changed)
    tokenizer = opened(changed)
    assert tokenizer._fast is None
    text = "def f(): return 1234"
    assert tokenizer.encode_batch([text]) == [tokenizer.encode(text)]


def test_without_tiktoken(monkeypatch):
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    assert fast(ours()._own, table()) is None
