"""Proofs that a token is one: checksums and structures that its provider put into it."""

import base64
import binascii
import json
import zlib
from typing import Any

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def crc32_base62(token: str) -> bool:
    """Whether the last six characters are the CRC-32 of the 30 before them, in base 62: GitHub (2021) and npm."""
    left = zlib.crc32(token[-36:-6].encode("ascii"))
    digits = ""
    for _ in range(6):
        left, digit = divmod(left, 62)
        digits = _BASE62[digit] + digits
    return digits == token[-6:]


def crc32_grafana(token: str) -> bool:
    """Whether what follows the last `_` is the CRC-32 of what stands before, its least byte first, in hex (Grafana's
    pkg/components/satokengen)."""
    head, _, check = token.rpartition("_")
    return zlib.crc32(head.encode("ascii")).to_bytes(4, "little").hex() == check


def bech32(token: str) -> bool:
    """Whether the checksum of BIP 173 holds: age's identities."""
    prefix, _, data = token.lower().rpartition("1")
    values = [ord(one) >> 5 for one in prefix] + [0] + [ord(one) & 31 for one in prefix]
    if any(one not in _BECH32 for one in data):
        return False
    values += [_BECH32.index(one) for one in data]
    sum_ = 1
    for value in values:
        top = sum_ >> 25
        sum_ = (sum_ & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            if top >> bit & 1:
                sum_ ^= generator
    return sum_ == 1


def decoded(value: str) -> bytes | None:
    """Bytes of base64 of either alphabet, padded or not; None where it is none."""
    value = value.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def json_in(value: str) -> Any:
    """What a base64 of JSON says; None where it is none."""
    try:
        return json.loads(decoded(value) or b"")
    except (ValueError, RecursionError):
        return None


def json_web_token(token: str) -> bool:
    """Whether the header and the claims are JSON, and the header names an algorithm (RFC 7519)."""
    header, claims = (json_in(part) for part in token.split(".")[:2])
    return isinstance(header, dict) and "alg" in header and (isinstance(claims, dict) or "enc" in header)


def macaroon(token: str) -> bool:
    """Whether a PyPI token holds a macaroon of version 2 with a location (warehouse's documentation)."""
    return (decoded(token.removeprefix("pypi-")) or b"").startswith(
        (b"\x02\x01\x08pypi.org", b"\x02\x01\x0dtest.pypi.org")
    )


def grafana_json(token: str) -> bool:
    """Whether it is Grafana's older key: base64 of {"k", "n", "id"}."""
    content = json_in(token)
    return isinstance(content, dict) and {"k", "n", "id"} <= content.keys()


def grafana_cloud_json(token: str) -> bool:
    """Whether it is Grafana Cloud's: glc_ and base64 of {"o", "n", "k", …}."""
    content = json_in(token.removeprefix("glc_"))
    return isinstance(content, dict) and "k" in content


def mapbox(token: str) -> bool:
    """Whether the part between the dots is JSON with a user: `sk.eyJ….…`."""
    content = json_in(token.split(".")[1])
    return isinstance(content, dict) and "u" in content


def snowflake(token: str) -> bool:
    """Whether what stands before the first dot is base64 of a number: the account of a Discord bot."""
    return (decoded(token.split(".")[0]) or b"").isdigit()
