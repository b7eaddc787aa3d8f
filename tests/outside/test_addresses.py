"""Which addresses may be connected to, in every way to write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.outside.addresses import name_refusal, refusal


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",  # a metadata service
        "168.63.129.16",  # another one, public in form
        "169.254.169.254",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",  # IPv4-compatible
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:127.0.0.1",  # IPv4-translated
        "64:ff9b::7f00:1",  # NAT64
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",  # 6to4
        "2002:a9fe:a9fe::1",
        "2001:0:7f00:1:0:0:0:0",  # Teredo
        "2001:db8::1",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "100::1",
        "no address",
        "",
    ],
)
def test_addresses_that_are_refused(address):
    assert refusal(address, private=False)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"],
)
def test_addresses_that_are_public(address):
    assert refusal(address, private=False) is None
    assert refusal(address, private=True) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.1.1", "100.64.0.1", "::1", "fd12::1"])
def test_private_addresses_may_be_allowed(address):
    assert refusal(address, private=True) is None


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "100.100.100.200",
        "fd00:ec2::254",
        "fe80::1",
        "0.0.0.0",
        "224.0.0.1",
    ],
)
def test_metadata_services_are_refused_even_then(address):
    assert refusal(address, private=True)


@given(st.ip_addresses(v=4))
def test_every_way_to_wrap_an_ipv4_address_is_judged_as_that_address(address):
    number = int(address)
    wrapped = [
        f"::ffff:{address}",
        f"64:ff9b::{number >> 16:x}:{number & 0xFFFF:x}",
        f"2002:{number >> 16:x}:{number & 0xFFFF:x}::1",
    ]
    for private in (False, True):
        plain = refusal(str(address), private=private) is None
        assert [refusal(text, private=private) is None for text in wrapped] == [plain] * 3


@given(st.ip_addresses(), st.booleans())
def test_every_address_is_judged(address, private):
    reason = refusal(str(address), private=private)
    if not private and reason is None:
        refused = (address.is_private, address.is_loopback, address.is_link_local, address.is_multicast)
        assert not any(refused)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "a.localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "::1", "0"]
)
def test_ways_to_spell_this_machine(host):
    assert name_refusal(host, private=False)
