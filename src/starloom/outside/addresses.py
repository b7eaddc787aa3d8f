"""Which network addresses may be connected to: public ones, and private ones only where the user allows them.

A registry, a redirect or a name server is a stranger: each could point a program inside a company at its own network.
So a name is resolved once, each address is judged here, and `transport` connects to the very address that was judged.
Cost: none beside the resolver's, which has its own timeouts (Linux: 5 s a try, per name server). Not covered: a network
that translates IPv4 under a prefix of its own (NAT64 other than 64:ff9b::/96), and what a proxy resolves.
"""

import ipaddress
import os
import socket
from typing import Final

ALLOW_PRIVATE: Final = "STARLOOM_ALLOW_PRIVATE"  # environment: 1 where registries lie on the company's own network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PUBLIC_V6: Final = ipaddress.IPv6Network("2000::/3")  # all that is assigned for global unicast
_NEVER_PUBLIC: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            "192.0.0.0/24",  # protocol assignments; one cloud's metadata service
            "192.88.99.0/24",  # relays of 6to4
            "168.63.129.16/32",  # public in form, but one cloud's host agent to every machine in it
            "3fff::/20",  # documentation
        ),
    )
)
# No registry is at any of these, so allowing private addresses does not allow them.
_NEVER: Final = tuple(
    map(ipaddress.ip_network, ("0.0.0.0/8", "169.254.0.0/16", "168.63.129.16/32", "192.0.0.192/32", "fe80::/10"))
)
_NEVER_NAMED: Final = tuple(map(ipaddress.ip_address, ("100.100.100.200", "fd00:ec2::254")))  # metadata services
_TRANSLATED: Final = (  # IPv6 in whose last 32 bits an IPv4 address stands
    ipaddress.IPv6Network("::/96"),
    ipaddress.IPv6Network("::ffff:0:0/96"),
    ipaddress.IPv6Network("::ffff:0:0:0/96"),
    ipaddress.IPv6Network("64:ff9b::/96"),
)


def allows_private() -> bool:
    """Whether the environment allows private addresses."""
    return os.environ.get(ALLOW_PRIVATE, "") == "1"


def resolve(host: str, port: int) -> list[str]:
    """The addresses of `host`, best first, as text. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def refusal(address: str, *, private: bool) -> str | None:
    """Why `address` is not connected to, in two or three words; None where it may be.

    `private` allows loopback and private networks. Link-local addresses (clouds keep credentials at 169.254.169.254),
    metadata services, multicast, unspecified and reserved ones are refused even then. An IPv4 address inside an IPv6
    one (mapped, compatible, NAT64, 6to4, Teredo) is judged as what it is.

    >>> refusal("10.0.0.1", private=False), refusal("10.0.0.1", private=True), refusal("1.1.1.1", private=False)
    ('a private address', None, None)
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "no address"
    for inner in _embedded(parsed):
        if reason := _refusal(inner, private):
            return reason
    return None


def literal(host: str) -> str | None:
    """The address that `host` spells, as text: dotted, IPv6, or the old forms (`127.1`, `0x7f000001`); else None."""
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeEncodeError):
        return None


def name_refusal(host: str, *, private: bool) -> str | None:
    """Why the name `host` is refused before anybody resolves it: an address that is refused, or this machine."""
    spelled = literal(host)
    if spelled is not None:
        return refusal(spelled, private=private)
    name = host.rstrip(".").lower()
    if not private and (name == "localhost" or name.endswith(".localhost")):
        return "this machine"
    return None


def _embedded(address: Address) -> list[Address]:
    """The address itself, unless it only wraps IPv4 ones: then those."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.sixtofour is not None:
        return [address.sixtofour]
    if address.teredo is not None:
        return list(address.teredo)
    if int(address) > 1 and any(address in network for network in _TRANSLATED):  # :: and ::1 are IPv6's own
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return [address]


def _refusal(address: Address, private: bool) -> str | None:
    if address.is_unspecified:
        return "the unspecified address"
    if address.is_multicast:
        return "a multicast address"
    if address in _NEVER_NAMED or any(address in network for network in _NEVER if network.version == address.version):
        return "a link-local or metadata address"
    if address.is_loopback:
        return None if private else "a loopback address"
    if isinstance(address, ipaddress.IPv4Address) and address.is_reserved:
        return "a reserved address"
    if isinstance(address, ipaddress.IPv6Address):
        # fc00::/7: a company's own IPv6. Everything else outside 2000::/3 is reserved or translated.
        public = address in _PUBLIC_V6
        if not public and not address.is_private:
            return "a reserved address"
    else:
        public = True
    special = any(address in network for network in _NEVER_PUBLIC if network.version == address.version)
    if public and address.is_global and not special:
        return None
    return None if private else "a private address"
