"""invented: the same for the same value and key, and nothing of the value in it but what is public."""

import ipaddress
import random
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.privacy.finding import KINDS
from starloom.privacy.invented import invented

KEY = "a key of no importance"
VALUE = st.text(st.characters(exclude_categories=[]), min_size=1, max_size=60)


@given(VALUE, st.sampled_from(KINDS))
def test_the_same_for_the_same(value, kind):
    assert invented(value, kind, KEY) == invented(value, kind, KEY)
    new = invented(value, kind, KEY)
    if kind != "KEY":
        assert re.fullmatch(r"[A-Za-z0-9@.: ]+", new)  # stands in any language's strings and comments


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("ada@" + "analytical.dev", "EMAIL"),
        ("93.184.216.34", "IP_ADDRESS"),
        ("2a00:1450:4001::1", "IP_ADDRESS"),
        ("ghp" + "_" + "Ab3" * 12, "KEY"),
        ("correct horse", "PASSWORD"),
        ("Ada Lovelace", "NAME"),
        ("alovelace", "USERNAME"),
    ],
    ids=["email", "ipv4", "ipv6", "key", "password", "name", "username"],
)
def test_another_key_gives_another(value, kind):
    drawn = {invented(value, kind, f"{KEY} {number}") for number in range(20)}
    assert len(drawn) > 15
    assert value not in drawn


@pytest.mark.parametrize(
    ("one", "same", "kind"),
    [
        ("Ada@Analytical.dev", "ada@analytical.dev", "EMAIL"),
        ("2A00:1450:4001:0:0:0:0:1", "2a00:1450:4001::1", "IP_ADDRESS"),
        ("Ada  Lovelace", "ada\tlovelace", "NAME"),
    ],
    ids=["email", "ip", "name"],
)
def test_what_counts_as_the_same(one, same, kind):
    assert invented(one, kind, KEY) == invented(same, kind, KEY)


def test_forms():
    assert re.fullmatch(r"[a-z]+\.[a-z0-9]{8}@example\.com", invented("ada@" + "analytical.dev", "EMAIL", KEY))
    assert re.fullmatch(r"[A-Z][a-z]+ [A-Z][a-z]+", invented("Ada Lovelace", "NAME", KEY))
    assert re.fullmatch(r"[A-Z][a-z]+", invented("Ada", "NAME", KEY))
    assert re.fullmatch(r"[a-z]+[0-9]{4}", invented("ada", "USERNAME", KEY))
    assert re.fullmatch(r"[A-Za-z0-9]{12}", invented("hunter2", "PASSWORD", KEY))


def test_addresses():
    for number in range(200):
        four = ipaddress.ip_address(invented(f"93.184.216.{number}", "IP_ADDRESS", KEY))
        six = invented(f"2a00:1450:4001::{number:x}", "IP_ADDRESS", KEY)
        assert four in ipaddress.ip_network("10.0.0.0/8")
        assert ipaddress.ip_address(six) in ipaddress.ip_network("fd00::/8")
        assert str(ipaddress.ip_address(six)) == six


HEX, BASE32 = "0123456789abcdef", string.ascii_uppercase + "234567"
ANY = string.ascii_letters + string.digits


@pytest.mark.parametrize(
    ("prefix", "alphabet", "length"),
    [
        ("ghp" + "_", ANY, 36),
        ("AK" + "IA", BASE32, 16),
        ("sk_" + "live_", ANY, 24),
        ("hf" + "_", ANY, 34),
        ("", HEX, 32),
        ("", HEX.upper(), 40),
        ("", string.digits, 12),
        ("", string.ascii_lowercase + string.digits, 25),
        ("", string.ascii_uppercase + string.digits, 25),
    ],
)
def test_keys_keep_prefix_length_and_alphabet(prefix, alphabet, length):
    drawn = set()
    dice = random.Random(length)
    for _ in range(30):
        body = "".join(dice.choices(alphabet, k=length))
        new = invented(prefix + body, "KEY", KEY)
        assert new.startswith(prefix)
        assert len(new) == len(prefix) + length
        assert set(new[len(prefix) :]) <= set(alphabet)
        same = sum(a == b for a, b in zip(new[len(prefix) :], body, strict=True))
        assert same < length * 0.75  # by chance one of ten digits is the same
        drawn.add(new)
    assert len(drawn) == 30


def test_a_key_keeps_how_it_is_written():
    """Lines, escapes, padding, separators."""
    head, tail = "-----BEGIN RSA PRIVATE " + "KEY-----", "-----END RSA PRIVATE " + "KEY-----"
    for end in ("\n", "\r\n", "\\n"):
        value = f"{head}{end}MIIEow/+AbC{end}ab\\u0041Cd=={end}{tail}{end}"
        new = invented(value, "KEY", KEY)
        assert new.startswith(head + end)
        assert new.endswith("==" + end + tail + end)
        assert [len(line) for line in new.split(end)] == [len(line) for line in value.split(end)]
        assert "\\u0041" in new
        assert "MIIEow" not in new
    assert [one.isalnum() for one in invented("1234-abcd:EFGH", "KEY", KEY)] == [
        one.isalnum() for one in "1234-abcd:EFGH"
    ]
    assert re.fullmatch(
        r"[A-Za-z0-9]{4}%2F[A-Za-z0-9]{4}&amp;[A-Za-z0-9]{2}", invented("aB3d%2FeF7h&amp;Zz", "KEY", KEY)
    )


@given(st.text(st.characters(exclude_categories=[]), min_size=1, max_size=200))
def test_a_key_is_of_the_same_length(value):
    new = invented(value, "KEY", KEY)
    assert len(new) == len(value)
    assert new.count("\n") == value.count("\n")
