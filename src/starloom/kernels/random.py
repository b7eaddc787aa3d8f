"""Random numbers that depend on nothing but a seed, a purpose and a text: the same on every machine, in any
order.

BLAKE2b, keyed by seed and purpose. Cost: about 1 us a text. Not for secrets.
"""

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def keyed_uint64(seed: int, purpose: str, text: str) -> int:
    """A number in [0, 2**64) drawn by (seed, purpose, text).

    >>> keyed_uint64(0, "order", "a") == keyed_uint64(0, "order", "a")
    True
    """
    digest = _keyed(seed, purpose)
    digest.update(text.encode("utf-8", "surrogatepass"))
    return int.from_bytes(digest.digest(), "little")


def keyed_uint64s(seed: int, purpose: str, texts: Iterable[str]) -> NDArray[np.uint64]:
    """`keyed_uint64` of each text."""
    keyed = _keyed(seed, purpose)
    found = bytearray()
    for text in texts:
        digest = keyed.copy()
        digest.update(text.encode("utf-8", "surrogatepass"))
        found += digest.digest()
    return np.frombuffer(bytes(found), dtype="<u8").astype(np.uint64)


def keyed_unit(seed: int, purpose: str, text: str) -> float:
    """A number in [0, 1) drawn by (seed, purpose, text); 53 bits of it are random."""
    return (keyed_uint64(seed, purpose, text) >> 11) * 2.0**-53


def keyed_units(seed: int, purpose: str, texts: Iterable[str]) -> NDArray[np.float64]:
    """`keyed_unit` of each text."""
    return (keyed_uint64s(seed, purpose, texts) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _keyed(seed: int, purpose: str) -> "hashlib.blake2b":
    # The key is itself a hash: BLAKE2b's key is limited to 64 bytes, a purpose is not.
    key = hashlib.blake2b(f"{seed}\0{purpose}".encode(), digest_size=32).digest()
    return hashlib.blake2b(key=key, digest_size=8)
