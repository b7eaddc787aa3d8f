"""`invented`: a value that can stand for a private one, the same for the same value in all texts made with one key.

It is drawn by SHAKE-256 from key, kind and value: who lacks the key cannot tell from it what it stands for, not even by
trying likely values. A made-up key has no valid checksum, opens nothing, and looks like the one it stands for: its
length, its alphabet, its punctuation, and the prefix that its provider publishes. Of a password nothing stays, its
length neither.
"""

import hashlib
import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from starloom.privacy.finding import Kind

_DIGITS: Final = "0123456789"
_LOWER: Final = "abcdefghijklmnopqrstuvwxyz"
_ANY: Final = _DIGITS + _LOWER.upper() + _LOWER
_PASSWORD_LENGTH: Final = 12
_LOCAL_LENGTH: Final = 8  # characters that tell one invented address from another: 41 bits

# The first that a key fits into is what its replacement is written in.
_ALPHABETS: Final = (
    _DIGITS,
    _DIGITS + "abcdef",
    _DIGITS + "ABCDEF",
    _LOWER.upper() + "234567",
    _DIGITS + _LOWER,
    _DIGITS + _LOWER.upper(),
)

# What providers say that their keys begin with.
_PUBLISHED: Final = """
AKIA ASIA ABIA ACCA AIza ya29. GOCSPX- ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- glptt- gldt- glrt- xoxb- xoxp- xoxa-
xoxr- xoxs- xoxe. xapp- sk_live_ sk_test_ rk_live_ rk_test_ pk_live_ pk_test_ whsec_ SG. key- npm_ pypi- dckr_pat_
dckr_oat_ hf_ sk-ant- sk-proj- sk-svcacct- sk-or- sk- shpat_ shpca_ shppa_ shpss_ sq0atp- sq0csp- dop_v1_ doo_v1_
dor_v1_ dp.pt. dp.st. lin_api_ lin_oauth_ secret_ ntn_ dapi glc_ glsa_ hvs. hvb. hvr. sntrys_ sntryu_ NRAK- NRJS- PMAK-
pul- AGE-SECRET-KEY-1 eyJ pscale_pw_ pscale_tkn_ pscale_oauth_
"""
_PREFIXES: Final = tuple(sorted(_PUBLISHED.split(), key=lambda one: (-len(one), one)))  # `sk-ant-` before `sk-`
_LEAST_BODY: Final = 8  # characters after a prefix: shorter ones are none

# Of a key, what is no secret but how it is written: lines around it, escapes, entities, white space.
_WRITING: Final = re.compile(
    r"(-----[A-Z0-9 ]{1,64}-----|\\u[0-9a-fA-F]{4}|\\.|%[0-9A-Fa-f]{2}|&(?:[a-z]{1,8}|#[0-9]{1,7});|\s+)", re.S
)

_FIRST_NAMES: Final = """
Alma Anton Bela Carla Clara David Elena Emil Erik Fatima Felix Frida Greta Hana Hugo Ida Ines Ivan Jana Jonas Julia
Karim Lea Leo Lina Lucas Maja Marco Maria Milan Mina Nadia Nils Noah Nora Olga Omar Oscar Paula Pedro Petra Rosa Samir
Sara Silas Sofia Tara Theo Vera Yuki
"""
_LAST_NAMES: Final = """
Abel Adler Bauer Berg Blom Brandt Carter Castro Cole Costa Dahl Diaz Dumont Ellis Fischer Fontana Garcia Gruber Haas
Hall Hansen Ito Jansen Keller Kim Klein Koch Larsen Lopez Marsh Martin Meyer Mori Nagy Novak Olsen Park Pereira Reed
Rossi Santos Schmidt Silva Stone Tanaka Torres Vogel Walker Weber Wong
"""


def invented(value: str, kind: Kind, key: str) -> str:
    """What stands for `value`. E-mail addresses of one spelling but for case, and IP addresses and names that are
    written in several ways, count as the same."""
    if kind == "EMAIL":
        drawn = _numbers(key, kind, value.lower())
        return f"{_of(_FIRST_NAMES, drawn).lower()}.{_text(_DIGITS + _LOWER, _LOCAL_LENGTH, drawn)}@example.com"
    if kind == "IP_ADDRESS":
        return _address(value, key)
    if kind == "PASSWORD":
        return _text(_ANY, _PASSWORD_LENGTH, _numbers(key, kind, value))
    if kind == "NAME":
        plain = " ".join(value.casefold().split())
        drawn = _numbers(key, kind, plain)
        first, last = _of(_FIRST_NAMES, drawn), _of(_LAST_NAMES, drawn)
        return f"{first} {last}" if " " in plain else first
    if kind == "USERNAME":
        drawn = _numbers(key, kind, value.lower())
        return _of(_FIRST_NAMES, drawn).lower() + _text(_DIGITS, 4, drawn)
    return _key(value, key)


def _address(value: str, key: str) -> str:
    """One of the private 10.0.0.0/8 (RFC 1918), or of fd00::/8 (RFC 4193)."""
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        address = ipaddress.IPv6Address(0) if ":" in value else ipaddress.IPv4Address(0)
        plain = value
    else:
        plain = str(address)
    drawn = _numbers(key, "IP_ADDRESS", plain)
    if address.version == 4:
        return f"10.{next(drawn) % 256}.{next(drawn) % 256}.{1 + next(drawn) % 254}"
    return "fd" + ":".join(f"{next(drawn) % 0xEFFF + 0x1000:04x}" for _ in range(8))[2:]


def _key(value: str, key: str) -> str:
    prefix = next((one for one in _PREFIXES if value.startswith(one) and len(value) >= len(one) + _LEAST_BODY), "")
    pieces = _WRITING.split(value[len(prefix) :])  # every other one is writing
    used = {one for piece in pieces[::2] for one in piece if one.isalnum()}
    alphabet = next((one for one in _ALPHABETS if used <= set(one)), _ANY)
    drawn = _numbers(key, "KEY", value)
    for number in range(0, len(pieces), 2):
        pieces[number] = "".join(_text(alphabet, 1, drawn) if one.isalnum() else one for one in pieces[number])
    return prefix + "".join(pieces)


def _of(names: str, drawn: Iterator[int]) -> str:
    every = names.split()
    return every[next(drawn) % len(every)]


def _text(alphabet: str, length: int, drawn: Iterator[int]) -> str:
    return "".join(alphabet[next(drawn) % len(alphabet)] for _ in range(length))


def _numbers(key: str, kind: str, value: str) -> Iterator[int]:
    """Numbers of 32 bits without end, drawn by key, kind and value."""
    parts = [one.encode("utf-8", "surrogatepass") for one in (key, kind, value)]
    seed = hashlib.sha3_256(b"".join(len(one).to_bytes(8, "big") + one for one in parts)).digest()
    block = 0
    while True:
        drawn = hashlib.shake_256(seed + block.to_bytes(8, "big")).digest(256)
        yield from (int.from_bytes(drawn[at : at + 4], "big") for at in range(0, 256, 4))
        block += 1
