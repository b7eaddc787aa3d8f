"""Fill-in-the-middle: three parts that are the text again; positions as they are drawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.tokens.fill_in_the_middle import Cut, FimSettings, arrange, chosen, cut, cut_at

UNIT = st.floats(0, 1, exclude_max=True)
TEXT = st.text(st.one_of(st.sampled_from("\r\na é🙂"), st.characters(exclude_categories=["Cs"])))


@given(TEXT, UNIT, UNIT)
def test_the_parts_are_the_text(text, first, second):
    parts = cut(text, first, second)
    assert parts.prefix + parts.middle + parts.suffix == text
    assert cut(text, second, first) == parts
    for part in (parts.prefix, parts.middle, parts.suffix):
        part.encode()  # whole characters
    for left, right in ((parts.prefix, parts.middle + parts.suffix), (parts.prefix + parts.middle, parts.suffix)):
        assert not (left.endswith("\r") and right.startswith("\n"))


@given(TEXT, UNIT, UNIT)
def test_the_arrangements_hold_the_text(text, first, second):
    parts = cut(text, first, second)
    prefix, suffix, middle = arrange(parts, "psm", "a/b\n")
    assert prefix + middle + suffix == "a/b\n" + text
    prefix, suffix, middle = arrange(parts, "spm", "a/b\n")
    assert (prefix, middle + suffix) == ("", "a/b\n" + text)


@pytest.mark.parametrize(
    ("text", "first", "second", "expected"),
    [
        ("", 0.0, 0.999, Cut("", "", "")),
        ("abc", 0.0, 0.0, Cut("", "", "abc")),
        ("abc", 0.9999, 0.9999, Cut("abc", "", "")),
        ("abc", 0.0, 0.9999, Cut("", "abc", "")),
        ("abc", 0.75, 0.25, Cut("a", "bc", "")),
        ("é🙂", 0.34, 0.67, Cut("é", "🙂", "")),
        ("a\r\nb", 0.4, 0.99, Cut("a", "\r\nb", "")),  # the place between CR and LF
        ("\r\n", 0.5, 0.5, Cut("", "", "\r\n")),
        ("\n\r", 0.5, 0.5, Cut("\n", "", "\r")),
    ],
)
def test_places(text, first, second, expected):
    assert cut(text, first, second) == expected


@given(TEXT, st.integers(0, 30), st.integers(0, 30), st.integers(0, 20), st.integers(1, 9))
def test_places_that_are_given(text, one, other, begin, length):
    """No cut stands in a line end or in what is whole, nor farther from its place than that needs."""
    one, other = min(one, len(text)), min(other, len(text))
    whole = [(begin, begin + length)] if begin + length <= len(text) and "\r" not in text and length else []
    parts = cut_at(text, one, other, whole)
    assert parts.prefix + parts.middle + parts.suffix == text
    start, stop = len(parts.prefix), len(text) - len(parts.suffix)
    for place, asked in zip((start, stop), sorted((one, other)), strict=True):
        assert text[place - 1 : place + 1] != "\r\n" or place == 0
        if whole:
            assert not begin < place < begin + length
            assert place == (begin if begin < asked < begin + length else asked)
        else:
            assert asked - place in (0, 1)


def test_every_place_is_as_likely():
    drawn = [len(cut("abcd", (n + 0.5) / 1000, 0.0).middle) for n in range(1000)]
    assert [drawn.count(place) for place in range(5)] == [200] * 5


def test_rates():
    assert not any(chosen(unit, 0.0) for unit in (0.0, 0.5, 0.999))
    assert all(chosen(unit, 1.0) for unit in (0.0, 0.5, 0.999))
    assert chosen(0.49, 0.5)
    assert not chosen(0.5, 0.5)


@pytest.mark.parametrize(
    "wrong", [{"repository_rate": -0.1}, {"file_rate": 1.5}, {"spm_rate": 2.0}, {"syntax_rate": -1.0}]
)
def test_no_share(wrong):
    with pytest.raises(UserError, match="is no share"):
        FimSettings(**wrong)
