"""replaced: what is private is gone, where it stood is known, and nothing else has changed."""

import doctest
import json
import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.privacy import replace
from starloom.privacy.finding import KINDS, Finding
from starloom.privacy.markers import MARKERS, SPELLINGS
from starloom.privacy.replace import Redaction, RedactSettings, SourceRedaction, apart, replaced
from starloom.settings import load
from starloom.tokens.special_tokens import REDACTED

KEY = "a key of no importance"
MARKED = RedactSettings()
SYNTHETIC = RedactSettings(KEY, SourceRedaction(KINDS, "synthetic"))
EVERY = RedactSettings(source=SourceRedaction(KINDS))
NONE = RedactSettings(source=SourceRedaction(KINDS, "none"))
MAIL = "ada@" + "analytical.dev"


def found(text, *values, kind="EMAIL", confidence=0.9):
    """Findings of each place of each of `values`."""
    return [
        Finding(one.start(), one.end(), kind, "test", confidence)
        for value in values
        for one in re.finditer(re.escape(value), text)
    ]


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("", [], ""),
        ("nothing here", [], "nothing here"),
        (MAIL, [MAIL], "<EMAIL>"),  # all of the text; no space is put in, as the published code does
        (f"{MAIL}{MAIL}", [MAIL], "<EMAIL><EMAIL>"),  # touching
        (f"{MAIL}\r\n{MAIL}\r", [MAIL], "<EMAIL>\r\n<EMAIL>\r"),
        (f"\ufeff🙂{MAIL}🙂\0\ud800", [MAIL], "\ufeff🙂<EMAIL>🙂\0\ud800"),
        (f"<EMAIL> {MAIL}", [MAIL], "<EMAIL> <EMAIL>"),
    ],
    ids=["empty", "nothing", "all", "touching", "line-ends", "astral-nul-surrogate", "one-is-there"],
)
def test_markers(text, values, expected):
    new, redactions = replaced(text, found(text, *values), MARKED)
    assert new == expected
    assert [new[one.start : one.end] for one in redactions] == ["<EMAIL>"] * len(found(text, *values))


def test_each_kind_has_its_marker():
    assert [replaced("x", [Finding(0, 1, kind, "", 1.0)], EVERY)[0] for kind in KINDS if kind != "IP_ADDRESS"] == [
        "<EMAIL>",
        "<KEY>",
        "<PASSWORD>",
        "<NAME>",
        "<NAME>",
    ]
    assert set(MARKERS.values()) == set(REDACTED)  # those that tokenizers have tokens for


def test_only_the_kinds_that_are_asked_for():
    findings = [Finding(0, 1, "EMAIL", "", 1.0), Finding(1, 2, "USERNAME", "", 1.0), Finding(2, 3, "KEY", "", 1.0)]
    assert replaced("abc", findings, MARKED)[0] == "<EMAIL>b<KEY>"  # the paper leaves user names
    assert replaced("abc", findings, RedactSettings(source=SourceRedaction(("KEY",))))[0] == "ab<KEY>"
    assert replaced("abc", findings, RedactSettings(source=SourceRedaction(())))[0] == "abc"
    assert replaced("abc", findings, NONE) == ("abc", [])


def test_what_overlaps_is_one():
    """No part of either stays, and the surest says what it was."""
    findings = [Finding(0, 4, "NAME", "", 0.5), Finding(3, 9, "EMAIL", "", 0.9), Finding(8, 11, "KEY", "", 0.8)]
    assert replaced("0123456789abcdef", findings, MARKED) == ("<EMAIL>bcdef", [Redaction(0, 7, "EMAIL")])
    assert replaced("0123456789", [*findings[:1], Finding(4, 6, "KEY", "", 1.0)], MARKED)[0] == "<NAME><KEY>6789"


def test_what_is_left_out_hides_nothing():
    """A user name, which is left, that overlaps a key."""
    findings = [Finding(0, 6, "USERNAME", "", 1.0), Finding(4, 8, "KEY", "", 0.5)]
    assert replaced("0123456789", findings, MARKED)[0] == "0123<KEY>89"


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(-5, 2, "<KEY>cd"), (2, 99, "ab<KEY>"), (3, 3, "abcd"), (3, 1, "abcd"), (9, 12, "abcd"), (-9, -2, "abcd")],
)
def test_clipped(start, end, expected):
    assert replaced("abcd", [Finding(start, end, "KEY", "", 1.0)], MARKED)[0] == expected


TEXT = st.text(st.one_of(st.sampled_from("\r\n<>&a é🙂\ud800\0"), st.characters()), max_size=60)
FINDINGS = st.lists(
    st.builds(
        Finding,
        st.integers(-3, 60),
        st.integers(-3, 63),
        st.sampled_from(KINDS),
        st.just("test"),
        st.sampled_from([0.5, 0.9, 1.0]),
    ),
    max_size=12,
)


@given(
    TEXT, FINDINGS, st.sampled_from([MARKED, EVERY, SYNTHETIC, NONE]), st.sampled_from(["", "Python", "XML", "Shell"])
)
@example("ab", [Finding(0, 1, "KEY", "", 1.0), Finding(1, 2, "KEY", "", 1.0)], MARKED, "")
def test_what_holds_of_every_text(text, findings, settings, language):
    new, redactions = replaced(text, findings, settings, language)
    spans = apart((one for one in findings if one.kind in settings.source.replaces), len(text))
    inside = {place for one in findings if one.kind in settings.source.replaces for place in range(one.start, one.end)}
    assert inside & set(range(len(text))) == {place for one in spans for place in range(one.start, one.end)}
    assert [one.kind for one in redactions] == [one.kind for one in spans]
    outside = [(0, 0), *((one.start, one.end) for one in spans), (len(text), len(text))]
    outside_new = [(0, 0), *((one.start, one.end) for one in redactions), (len(new), len(new))]
    kept = [text[a[1] : b[0]] for a, b in pairwise(outside)]
    assert [new[a[1] : b[0]] for a, b in pairwise(outside_new)] == kept
    for one in redactions:
        if settings.source.replace == "markers" and one.kind != "IP_ADDRESS":
            assert SPELLINGS[new[one.start : one.end]] == MARKERS[one.kind]
        assert new[one.start : one.end] not in SPELLINGS or settings.source.replace == "markers"
    assert replaced(text, findings[::-1], settings, language) == (new, redactions)


def test_thousands_in_one_file():
    """Each with another inside it; what is quadratic would not end here."""
    text = f"{MAIL} " * 50_000
    findings = found(text, MAIL, MAIL[:9])
    new, redactions = replaced(text, findings, MARKED)
    assert new == "<EMAIL> " * 50_000
    assert len(redactions) == 50_000


# IP addresses


def test_addresses_are_private_ones():
    """The same for the same, however it is written, and others for others while there are five."""
    some = ["93.184.216." + str(number) for number in range(7)]
    six = ["2a00:1450:4001::" + str(number) for number in range(6)] + ["2A00:1450:4001:0:0:0:0:1"]
    text = " ".join([*some, some[0], *six])
    new, redactions = replaced(text, found(text, *some, *six, kind="IP_ADDRESS"), MARKED)
    written = new.split(" ")
    assert len({*written[:5]}) == 5
    assert {*written[:8]} <= {"172.16.31.10", "172.16.58.3", "172.16.17.32", "192.168.127.12", "192.168.3.11"}
    assert written[7] == written[0]
    assert len({*written[8:13]}) == 5
    assert all(one.startswith(("fd", "fc")) for one in written[8:])
    assert written[14] == written[9]
    assert [new[one.start : one.end] for one in redactions] == written


def test_what_is_no_address_after_all():
    assert replaced("999.1.1.1", [Finding(0, 9, "IP_ADDRESS", "ner", 0.5)], MARKED)[0].startswith(("172.", "192."))
    assert replaced("zz::1", [Finding(0, 5, "IP_ADDRESS", "ner", 0.5)], SYNTHETIC)[0].startswith("fd")


# Settings


def test_settings_from_toml():
    table = {"source": {"kinds": ["EMAIL", "KEY"], "replace": "synthetic"}, "key": KEY}
    assert load(table, RedactSettings, "here") == RedactSettings(KEY, SourceRedaction(("EMAIL", "KEY"), "synthetic"))
    with pytest.raises(UserError, match="'PHONE' is not accepted"):
        load({"source": {"kinds": ["PHONE"]}}, RedactSettings, "here")


@pytest.mark.parametrize("key", ["", "fifteen letters"])
def test_invented_values_need_a_key(key):
    with pytest.raises(UserError, match="needs a key") as raised:
        RedactSettings(key, SourceRedaction(replace="synthetic"))
    assert "secrets.token_hex()" in raised.value.hint
    assert not key or key not in raised.value.problem + raised.value.hint


def test_the_key_is_not_shown():
    assert KEY not in repr(SYNTHETIC)
    assert json.dumps(KEY) not in repr(SYNTHETIC)


def test_examples():
    assert doctest.testmod(replace).failed == 0
