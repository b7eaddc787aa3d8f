"""A secret key that two holders of private code agree on, and what is drawn from it for their signature files.

Without a key a signature is public arithmetic: whoever has a candidate file can sign it and look for it. With one,
content hashes are keyed BLAKE2b, the permutations come from a secret seed, and each value of a signature goes through
SipHash-2-4 (a pseudo-random function): a secret seed alone would not do, for `(x ^ b) * a` gives a and b away to
somebody who knows a few short files. Equal values stay equal, so estimates are what they were.

What a file still shows without the key: how many rows it has, and how much they resemble each other; who has a large
family of files whose similarities are its own could recognise it by those. A weak key can be guessed: it is stretched
by scrypt (some 50 ms and 16 MB a guess), and must have 16 bytes. Who has the key can test for any text.

Cost: about 60 ns a value, 15 us a file of 256 (NumPy; the MinHash of a file of 4 KB takes as long).
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from starloom.errors import UserError

LEAST, MOST = 16, 1 << 16  # bytes of a key file
_SALT = b"starloom signatures 1"
_CHUNK = 1 << 14  # values that go through SipHash at a time: they and their state stay in the cache


@dataclass(frozen=True, repr=False)  # a key is not for logs
class Key:
    """What is drawn from the agreed secret; each part is good for one thing."""

    seed: int  # of the permutations, below 2^63
    content: bytes  # 32, for keyed hashes of texts
    stream: bytes  # 32, of token streams
    ids: bytes  # 32, of names
    values: bytes  # 16, for SipHash over the values of signatures
    check: str  # tells a wrong key from the right one, and no more

    @classmethod
    def of(cls, secret: bytes) -> "Key":
        """The key that `secret` (at least 16 bytes) stands for. Raises ValueError when it is shorter."""
        if len(secret) < LEAST:
            raise ValueError(f"a key of {len(secret)} bytes is too short")
        master = hashlib.scrypt(secret, salt=_SALT, n=1 << 14, r=8, p=1, dklen=64)

        def part(label: bytes, size: int) -> bytes:
            return hashlib.blake2b(label, digest_size=size, key=master).digest()

        seed = int.from_bytes(part(b"seed", 8), "little") >> 1
        return cls(
            seed,
            part(b"content", 32),
            part(b"stream", 32),
            part(b"ids", 32),
            part(b"values", 16),
            part(b"check", 8).hex(),
        )

    @classmethod
    def read(cls, path: Path) -> "Key":
        """The key in the file `path`; white space around it does not count. Raises UserError."""
        make = 'make one: python -c "import secrets; print(secrets.token_hex(32))" > key.txt'
        try:
            with path.open("rb") as file:
                secret = file.read(MOST + 1)
        except OSError as problem:
            raise UserError(f"cannot read the key file {path}: {os.strerror(problem.errno or 0)}", make) from None
        if len(secret) > MOST:
            raise UserError(f"{path} has more than {MOST:,} bytes: that is no key file", make)
        secret = secret.strip()
        if len(secret) < LEAST:
            raise UserError(f"the key in {path} has {len(secret)} bytes; at least {LEAST} are needed", make)
        return cls.of(secret)


def hidden_values(values: NDArray[np.uint32], key: bytes) -> NDArray[np.uint32]:
    """uint32[n, places]: SipHash-2-4 of (place, value) under the 16 bytes `key`, its low half.

    Two values of a place are equal there where they were equal before, but for one pair in 2^32.
    """
    k0, k1 = (np.uint64(int.from_bytes(half, "little")) for half in (key[:8], key[8:]))
    places = (np.arange(values.shape[1], dtype=np.uint64) << np.uint64(32))[None, :]
    hidden = np.empty(values.shape, dtype=np.uint32)
    step = max(_CHUNK // max(values.shape[1], 1), 1)
    for start in range(0, len(values), step):
        some = slice(start, start + step)
        hidden[some] = siphash(values[some].astype(np.uint64) | places, k0, k1).astype(np.uint32)
    return hidden


def siphash(words: NDArray[np.uint64], k0: np.uint64, k1: np.uint64) -> NDArray[np.uint64]:
    """SipHash-2-4 of each word, a message of 8 bytes, little-endian. Aumasson and Bernstein 2012."""
    shape = words.shape
    v0 = np.full(shape, k0 ^ np.uint64(0x736F6D6570736575))
    v1 = np.full(shape, k1 ^ np.uint64(0x646F72616E646F6D))
    v2 = np.full(shape, k0 ^ np.uint64(0x6C7967656E657261))
    v3 = np.full(shape, k1 ^ np.uint64(0x7465646279746573))
    spare = np.empty(shape, dtype=np.uint64)
    last = np.uint64(8 << 56)  # the message's length, in the last byte of the last block
    v3 ^= words
    _rounds(v0, v1, v2, v3, spare, 2)
    v0 ^= words
    v3 ^= last
    _rounds(v0, v1, v2, v3, spare, 2)
    v0 ^= last
    v2 ^= np.uint64(0xFF)
    _rounds(v0, v1, v2, v3, spare, 4)
    v0 ^= v1
    v0 ^= v2
    v0 ^= v3
    return v0


def _rounds(
    v0: NDArray[np.uint64],
    v1: NDArray[np.uint64],
    v2: NDArray[np.uint64],
    v3: NDArray[np.uint64],
    spare: NDArray[np.uint64],
    count: int,
) -> None:
    for _ in range(count):
        v0 += v1
        _rotate(v1, 13, spare)
        v1 ^= v0
        _rotate(v0, 32, spare)
        v2 += v3
        _rotate(v3, 16, spare)
        v3 ^= v2
        v0 += v3
        _rotate(v3, 21, spare)
        v3 ^= v0
        v2 += v1
        _rotate(v1, 17, spare)
        v1 ^= v2
        _rotate(v2, 32, spare)


def _rotate(values: NDArray[np.uint64], bits: int, spare: NDArray[np.uint64]) -> None:
    np.right_shift(values, np.uint64(64 - bits), out=spare)
    np.left_shift(values, np.uint64(bits), out=values)
    values |= spare
