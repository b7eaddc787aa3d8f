"""tails: the table says of every text what `re` says of it; what it cannot make a table of it refuses."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from starloom.kernels import tails
from starloom.kernels.tails import Tails, expression, mirrored
from starloom.privacy.find import DETECTORS


def follows(table, number, text):
    state = table.starts[number]
    for byte in text:
        if state <= table.yes:
            break
        state = table.table[state + table.classes[byte]]
    return state == table.yes


SETS = st.sampled_from(
    [
        "a",
        "B",
        "[ab]",
        "(?-i:[aB]|b)",
        "[^a]",
        r"[\s-]",
        r"\d",
        r"\w",
        r"\\",
        "[^b-y\\]]",
        r"\n",
        "[!-~]",
        r"[^\w\n]",
        "-",
        "/",
    ]
)
PATTERNS = st.recursive(
    SETS,
    lambda some: st.one_of(
        st.lists(some, min_size=1, max_size=3).map("".join),
        st.lists(some, min_size=1, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        st.tuples(some, st.sampled_from(["?", "*", "+", "{2}", "{0,3}", "{1,2}", "{2,}"])).map(
            lambda one: f"(?:{one[0]}){one[1]}"
        ),
    ),
    max_leaves=6,
)
BYTES = st.lists(st.sampled_from(list(b"aAbBxz19_-/\\]\n \x00\x80\xff")), max_size=8).map(bytes)


@given(st.lists(PATTERNS, min_size=1, max_size=3), st.lists(st.one_of(BYTES, st.binary(max_size=6)), max_size=6))
@example(["a|", "(?:)"], [b"", b"b"])
@settings(max_examples=100)
def test_as_re(patterns, texts):
    table = Tails(patterns, backwards=patterns)
    for number, pattern in enumerate(patterns):
        meant = expression(pattern)
        for text in texts:
            assert follows(table, number, text) == bool(meant.match(text))
            ends = any(meant.fullmatch(text, at) for at in range(len(text) + 1))
            assert (
                follows(table, len(patterns) + number, text[::-1]) == ends == bool(mirrored(pattern).match(text[::-1]))
            )


@pytest.mark.parametrize("pattern", [r"\s", r"\d", r"\w", r"[^\s\d]", "[Z-b]", "[^k]", "s", "(?-i:[^K])"])
def test_every_byte(pattern):
    table, meant = Tails([pattern]), expression(pattern)
    for byte in map(bytes, zip(range(256), strict=True)):
        assert follows(table, 0, byte) == bool(meant.match(byte))


def test_patterns_in_use_are_small():
    """They are made at every start."""
    around = [one for detector in DETECTORS for one in detector.around]
    table = Tails(list({one.after for one in around}), list({one.before for one in around}))
    assert len(table.starts) > 9
    assert len(table.table) < 400_000


@pytest.mark.parametrize(
    "wrong",
    ["a.b", "(a)", "(?=a)", "a$", "^a", "[a", "a)", "*", "[b-a]", r"[\d-z]", r"\b", "(?:a", "é", "\\"],
)
def test_what_it_is_not(wrong):
    with pytest.raises(ValueError, match="not a pattern"):
        Tails([wrong])


def test_too_many_states(monkeypatch):
    monkeypatch.setattr(tails, "MOST_STATES", 50)
    with pytest.raises(ValueError, match="too many ways"):
        Tails(["[ab]*a[ab]{6}c"])
