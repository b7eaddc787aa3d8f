"""Addresses of machines: found where they are one, and somebody's."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from starloom.privacy import ip_addresses
from starloom.privacy.find import find_in
from starloom.privacy.finding import Finding

BIG = "84.201.33.7"  # no version has such numbers
SMALL = "23.4.17.6"
SIX = "2a01:4f8:c17:b0f::2"


@pytest.fixture
def addresses(detected: Callable[..., list[Finding]]) -> Callable[[str], list[str]]:
    def addresses(text: str) -> list[str]:
        found = detected(text, ip_addresses.DETECTORS)
        assert {one.kind for one in found} <= {"IP_ADDRESS"}
        return [text[one.start : one.end] for one in found]

    return addresses


@pytest.mark.parametrize(
    "text",
    [
        BIG,
        f"'{BIG}'",
        f'HOST = "{BIG}"',
        f"HOST={BIG}",
        f"http://{BIG}/index",
        f"http://{BIG}:8080/",
        f"{BIG}:443",
        f"{BIG}/24",
        f"root@{BIG}",
        f"<host>{BIG}</host>",
        f"ssh joe@{BIG}",
        f"[{BIG}]",
        f"<{BIG}>",
        f"from {BIG}.",
        f"from {BIG}, and",
        f"邮{BIG}邮"[1:],
        f"::ffff:{BIG}",
        f"\\n{BIG}\\n",
        f"{BIG}\r\n",
        f"{BIG}.in-addr.arpa",
        f"{BIG}.nip.io",
        f"- {BIG}",
        f"12:30:01 {BIG} GET /",
        f"200 {BIG}",
    ],
)
def test_ipv4(addresses, text):
    assert addresses(text) == [BIG]
    assert addresses(f"x\n  {text}\ny") == [BIG]


@pytest.mark.parametrize(
    "text",
    [
        f"ip = '{SMALL}'",
        f"server_ip: {SMALL}",
        f"serverIp={SMALL}",
        f"HOST={SMALL}",
        f"dns {SMALL}",
        f"ping {SMALL}",
        f"http://{SMALL}",
        f"{SMALL}:8080",
        f"{SMALL}/16",
        f"version 3 of the server at {SMALL}",  # the nearest word counts
    ],
)
def test_small_numbers_are_an_address_where_something_says_so(addresses, text):
    assert addresses(text) == [SMALL]


@pytest.mark.parametrize(
    "text",
    [
        SMALL,  # four small numbers are more often a version
        f'x = "{SMALL}"',
        f'version = "{BIG}"',
        f"Version {BIG}",
        f'AssemblyVersion("{BIG}")',
        f"v{BIG}",
        f"release {BIG}",
        f"firmware {BIG}",
        f"name-{BIG}.tar.gz",
        f"name_{BIG}",
        f"{BIG}.tar.gz",
        f"{BIG}-beta",
        f"{BIG}-1",
        f"{BIG}+",
        f"{BIG}+build",
        f">={BIG}",
        f"=={BIG}",
        f"~> {BIG}",
        f"^{BIG}",
        f"> {BIG}",
        f"'>{BIG}'",
        f"Chrome/{BIG}",
        f"    libx ({BIG})",
        f"{BIG}.5",
        f"5.{BIG}",
        f"{BIG}5x",
        f"x{BIG}",
        f"OID 1.3.6.1, {SMALL}",
        "1.3.6.1.4.1.311.21",
        "the ip module, section 8.1.2.3",
        f"(RFC7540 {SMALL})",
        f"/* $Id: lua.c,v {BIG} 2007/12/28 $ */",
        "it hangs on 1.8.6.114",
        "using libv8 8.4.255.0",
        "c1.28.273 2.48.82 3.6.547 1.12 1.3 2.7.96.68 2.053",  # a drawing
        "ip 256.1.1.1",
        "ip 184.201.33.256",
        "ip 084.201.33.7",
        "ip 84.201.33",
        "ip 84..201.33.7",
        "ip 23.4.17.0",  # small, and a network at most
    ],
)
def test_what_only_looks_like_one_is_left(addresses, text):
    assert addresses(text) == []


SKIPPED = (  # by the paper's script: POPULAR_DNS_SERVERS
    *("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "76.76.19.19", "76.223.122.150", "9.9.9.9", "149.112.112.112"),
    *("208.67.222.222", "208.67.220.220", "8.26.56.26", "8.20.247.20", "94.140.14.14", "94.140.15.15"),
)


@pytest.mark.parametrize(
    "address",
    [
        *SKIPPED,
        # by the paper's script: is_private
        *("10.1.2.3", "172.16.0.9", "172.31.255.255", "192.168.1.77", "127.0.0.1", "0.0.0.0", "169.254.169.254"),
        *("192.0.2.17", "198.51.100.3", "203.0.113.200", "198.18.0.1", "100.64.3.2", "240.0.0.1"),
        # netmasks, broadcast, multicast, networks of a class
        *("255.255.255.0", "255.255.255.255", "224.0.0.251", "239.255.255.250", "20.0.0.0"),
        # written for want of one
        *("1.2.3.4", "5.6.7.8", "4.3.2.1", "11.22.33.44", "123.123.123.123", "12.34.56.78", "123.45.67.89"),
    ],
)
def test_what_is_nobodys_is_left(addresses, address):
    assert addresses(f"server ip: {address}") == []
    assert addresses(f"http://{address}:80/") == []


def test_a_name_for_the_reverse_look_up_is_read_backwards(addresses):
    assert addresses("host 1.0.0.127.in-addr.arpa") == []
    assert addresses("host 7.33.201.10.in-addr.arpa") == []
    assert addresses("host 10.33.201.84.in-addr.arpa") == ["10.33.201.84"]


def test_a_range_has_two(addresses):
    assert addresses("ban 84.201.33.7-84.201.33.19") == ["84.201.33.7", "84.201.33.19"]
    assert addresses("// 5.0.4.232-8.0.7.78+") == []


@pytest.mark.parametrize(
    "text",
    [
        SIX,
        f"[{SIX}]:443",
        f"http://[{SIX}]/",
        f"'{SIX}'",
        f"addr={SIX}",
        f"{SIX}/64",
        f"{SIX},",
        f"{SIX}.",
        f"inet6 {SIX} scopeid",
        f"邮 {SIX}邮"[2:-1],
    ],
)
def test_ipv6(addresses, text):
    assert addresses(text) == [SIX]


@pytest.mark.parametrize(
    "address",
    [
        "2001:19f0:feee::dead:beef:cafe",
        "2607:F3F0:2:0:216:3CFF:FEF0:174A",
        "2400:cb00:2048:1::681f:5a1",
        "240e:3b7::8",
        "2804:14d:1::5",
        "2c0f:fb50:4003::2",
        "2003:de:2016:125::1",
    ],
)
def test_ranges_of_ipv6(addresses, address):
    assert addresses(f"host {address}") == [address]


@pytest.mark.parametrize(
    "text",
    [
        *("::1", "::", "fe80::1ff:fe23:4567:890a", "fd00:c2b6:b24b:be67::6a3b", "fc00:e968:6179::de52:7100", "ff02::1"),
        *("2001:db8::8a2e:370:7334", "2001:db8:0:1::5", "2001:0:53aa:64c::1"),  # documentation, Teredo
        *("2001:4860:4860::8888", "2606:4700:4700::1111", "2620:fe::fe"),  # the skipped operators' IPv6
        *("2001:200:300::/48", "2001::foo", "x2001:4f8:c17::2", "2001:4f8:c17::2x", "2001:12:30 12:00", "2019:05:03"),
        *(
            "std::vector<int>",
            "a::b::c",
            "00:1a:2b:3c:4d:5e",
            "2600:",
            "2001:4f8",
            "2001:4f8:c17:b0f:1",
            "1:2:3:4:5:6:7:8",
        ),
        *("2a01:4f8:c17:b0f:1:2:3:4:5", "2a01:4f8::1::2", "2a01:12345::1:2"),
    ],
)
def test_what_is_no_address_of_ipv6(addresses, text):
    assert addresses(f"ip {text} ") == []


@given(st.ip_addresses(v=4))
@example(IPv4Address("223.255.255.254"))
@example(IPv4Address("1.0.0.2"))
def test_every_global_ipv4_address_is_found(detected, address):
    a, b, c, d = address.packed
    assume(address.is_global and not address.is_multicast)
    assume(str(address) not in SKIPPED)
    assume(
        not b - a == c - b == d - c
        and d != 0
        and not str(address).startswith(("1.3.6.1", "2.5.4.", "2.5.29.", "192.88.99.", "192.0.0."))
    )
    assume("".join(str(address).split(".")) not in "12345678909876543210123")
    text = f"connect({address})"
    assert [text[one.start : one.end] for one in detected(text, ip_addresses.DETECTORS)] == [str(address)]


@given(st.sampled_from([0x2A02, 0x2600, 0x2001, 0x240E, 0x2C0F]), st.integers(1 << 107, (1 << 112) - 1))
def test_every_ipv6_address_of_a_registry_is_found(detected, first, rest):
    address = IPv6Address(first << 112 | rest | 1)
    assume(not str(address).startswith("2001:db8:"))
    for shown in (str(address), address.exploded, str(address).upper()):
        text = f"[{shown}]"
        assert [text[one.start : one.end] for one in detected(text, ip_addresses.DETECTORS)] == [shown]


@given(st.text(alphabet="0123456789.:af/-v= ip\n", max_size=120))
def test_any_text_is_survived_and_what_is_found_is_an_address(detected, text):
    for one in detected(text, ip_addresses.DETECTORS):
        shown = text[one.start : one.end]
        assert (IPv6Address if ":" in shown else IPv4Address)(shown).is_global
        assert not text[one.end : one.end + 1].isalnum()
        assert not text[max(one.start - 1, 0) : one.start].isdigit()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('<property name="server">118.27.4.213</property>', ["118.27.4.213"]),
        ("<host>118.27.4.213</host>", ["118.27.4.213"]),
        ('"some-package>118.27.4.213"', []),
        ('@Value("${listen_v2:2a01:4f8:1a4d:0:0:0:0:3565}")', ["2a01:4f8:1a4d:0:0:0:0:3565"]),
        ("beef:2a01:4f8:1a4d:0:0:0:0:3565", []),
    ],
    ids=["attribute", "element", "greater", "default", "nine groups"],
)
def test_between_tags_and_after_a_name_it_is_an_address(text, found):
    assert [text[one.start : one.end] for one in find_in(text)] == found
