"""Addresses of machines, IPv4 and IPv6, that somebody can be found by.

Not found: what is nobody's (private, loopback, link-local, multicast, documentation and other special ranges of IANA's
registries, netmasks; 1.2.3.4 and the like, written for want of an address), the public name servers that the paper
skips (bigcode-dataset, pii/ner/pii_redaction/utils.py), and what only looks like one: four numbers are more often a
version, a section or an object identifier. Where at most one of them is large, something must say that they are an
address: a word before them on their line, a port, a prefix length, a URL. (The paper asks the same of four digits, by
the words "dns" and "server".) IPv6: only the ranges given to regional registries; an address in full or with `::`.
Cost: constant for each anchor.
"""

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Network, IPv6Address, IPv6Network

from starloom.privacy.detector import Around, Detector, Near
from starloom.privacy.finding import Finding
from starloom.privacy.word_lists import lines

# IANA's IPv4 special-purpose address registry; multicast; class E, which netmasks are in
_SPECIAL4 = tuple(
    (int(one[0]), int(one[-1]))
    for one in map(
        IPv4Network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
            *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        ),
    )
)
_SPECIAL6 = tuple(IPv6Network(one) for one in ("2001::/23", "2001:db8::/32"))
_NAME_SERVERS4 = frozenset(
    (
        *("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "76.76.19.19", "76.223.122.150", "9.9.9.9", "149.112.112.112"),
        *("208.67.222.222", "208.67.220.220", "8.26.56.26", "8.20.247.20", "94.140.14.14", "94.140.15.15"),
    )
)
_NAME_SERVERS6 = frozenset(  # of the same operators
    IPv6Address(one)
    for one in (
        *("2001:4860:4860::8888", "2001:4860:4860::8844", "2606:4700:4700::1111", "2606:4700:4700::1001"),
        *("2602:fcbc::ad", "2602:fcbc:2::ad", "2620:fe::fe", "2620:fe::9", "2620:119:35::35", "2620:119:53::53"),
        *("2a10:50c0::ad1:ff", "2a10:50c0::ad2:ff"),
    )
)

_DIGITS = "0123456789"
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_QUAD = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}(?![\w+]|\.[0-9])", re.A)
_RANGE = re.compile(rf"(?<![\w.]){_OCTET}(?:\.{_OCTET}){{3}}\s?-\Z")
_BEFORE = re.compile(  # what may not stand before four numbers that are an address
    r"(?:(?<!\\)[^\W\d]|(?<!\\[nrt])\w|[.+~^$]|[=><~!]=\s?|~>\s?|(?:\A|[\s\"'(,])>\s?|[A-Za-z)]/)\Z", re.A
)
_TAG = re.compile(r"<[A-Za-z][^<>]{0,90}[\w\"'/]>\s?\Z")
_ESCAPED = re.compile(r"\\[nrt]\Z")
_ZONES = r"in-addr\.arpa|(?:nip|xip|sslip)\.io"  # in which addresses are names
_AFTER = re.compile(rf"-(?:[A-Za-z]|(?!{_QUAD.pattern})[0-9])|\.(?!{_ZONES})[A-Za-z]")
_PORT = re.compile(rf":[0-9]{{2,5}}(?![0-9.:])|/(?:[0-9]|[12][0-9]|3[0-2])(?![0-9.])|\.(?:{_ZONES})")
_IP = re.compile(r"(?<![A-Za-z])ip(?:v4|s|addr(?:ess)?(?:es)?)?(?![a-z])|I[Pp]s?(?![a-z])")
_ADDRESS_WORDS = lines("before_addresses")
_OTHER_WORDS = lines("before_versions")
_LOCK = re.compile(r"\A\s*[\w.-]+ \(\Z")  # name (1.2.3.4), of lists of packages
_DECIMAL = re.compile(r"(?<![0-9.])[0-9]{0,5}\.[0-9]{1,5}[ ,]\Z")  # 1.147 2.7.96.68, of drawings
_LARGE = 32  # a version has at most one number from it on
_LINE = 100  # characters of the line looked at before the numbers


def _ipv4(text: str, at: int) -> Iterator[Finding]:
    before = text[max(at - 12, 0) : at]
    start = at - len(before) + len(before.rstrip("0123456789."))
    quad = _QUAD.match(text, start)
    if quad and _is_somebodys4(text, quad) and _is_address(text, start, quad.end()):
        yield Finding(start, quad.end(), "IP_ADDRESS", "ipv4", 0.9)


def _is_somebodys4(text: str, quad: re.Match[str]) -> bool:
    shown = quad[0]
    if text.startswith(".in-addr", quad.end()):
        shown = ".".join(reversed(shown.split(".")))
    if shown in _NAME_SERVERS4 or shown.startswith(("1.3.6.1", "2.5.4.", "2.5.29.")) or shown.endswith(".0.0.0"):
        return False
    a, b, c, d = (int(one) for one in shown.split("."))
    if b - a == c - b == d - c:  # 7.7.7.7, 1.2.3.4, 11.22.33.44
        return False
    digits = shown.replace(".", "")
    if digits in "1234567890123" or digits in "9876543210":  # 12.34.56.78
        return False
    address = ((a * 256 + b) * 256 + c) * 256 + d
    return not any(first <= address <= last for first, last in _SPECIAL4)


def _is_address(text: str, start: int, end: int) -> bool:
    line = text[max(start - _LINE, text.rfind("\n", max(start - _LINE, 0), start) + 1) : start]
    if (_BEFORE.search(line[-4:]) and not (_ESCAPED.search(line[-2:]) or _TAG.search(line))) or _AFTER.match(text, end):
        return False
    if line.endswith("-") and not _RANGE.search(line[-16:]):
        return False
    if _PORT.match(text, end) or line.endswith(("//", "::ffff:", "::FFFF:")):
        return True
    if _LOCK.search(line) or _DECIMAL.search(line[-12:]):
        return False
    says = _says(line)
    if text.endswith(".0", start, end):
        return bool(says) and _is_large(text[start:end])  # a network; more often a version
    return bool(says) or (says is None and _is_large(text[start:end]))


def _is_large(quad: str) -> bool:
    return sum(int(one) >= _LARGE for one in quad.split(".")) >= 2


def _says(line: str) -> bool | None:
    """Whether the nearest word before the numbers that speaks of them says that they are an address; None: no word."""
    small = f" {line.lower()}"
    address = max(small.rfind(word) for word in _ADDRESS_WORDS)
    other = max(small.rfind(word) for word in _OTHER_WORDS)
    if "ip" in small:
        address = max(address, *(one.start() + 1 for one in _IP.finditer(line)), -1)
    return None if address == other else address > other


_GROUPS = re.compile(r"[0-9A-Fa-f]{4}(?::{1,2}[0-9A-Fa-f]{1,4}){1,7}(?:::)?")
_MORE = re.compile(r"\w|\.[0-9]|:[0-9A-Fa-f:]", re.A)
_NAMED = re.compile(r"(?:[g-zG-Z_]\w{0,12}|\w{5,18}):\Z", re.A)  # name:2a00:…, the name being no group
_INSIDE = re.compile(r"[\w:.]", re.A)


def _ipv6(text: str, at: int) -> Iterator[Finding]:
    if at and _INSIDE.match(text, at - 1) and not _NAMED.search(text, max(at - 20, 0), at):
        return
    groups = _GROUPS.match(text, at)
    if groups is None or groups[0].endswith("::") or _MORE.match(text, groups.end()):
        return  # a range, or no address
    try:
        address = IPv6Address(groups[0])
    except AddressValueError:
        return
    if len(groups[0].replace("::", ":").strip(":").split(":")) < 3:
        return  # a range, or C++
    if address not in _NAME_SERVERS6 and not any(address in network for network in _SPECIAL6):
        yield Finding(at, groups.end(), "IP_ADDRESS", "ipv6", 0.95)


# 2001:: to 2003:: and the ranges that registries were given: 2400::, 2600::, 2610:: to 2630::, 2800::, 2a00::, 2c00::
_FIRST_GROUPS = (
    *("2001:", "2002:", "2003:", "261#:", "262#:", "263#:", "2a1#:"),
    *(f"2{one}0{last}:" for one in "468ac" for last in "#abcdef"),
)

# The second number is the anchor.
_AROUND = Around(r"[^0-9.][0-9]{1,3}", r"[0-9]{1,3}\.[0-9]{1,3}(?:[^\w+.]|\.[^0-9])")

DETECTORS = (
    Detector("ipv4", (".#.", ".##.", ".###."), _ipv4, near=(Near("before", _DIGITS),), around=(_AROUND,)),
    Detector("ipv6", _FIRST_GROUPS, _ipv6),
)
