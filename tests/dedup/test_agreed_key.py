"""What is drawn from an agreed key: the same for everybody who has it, and of no use without."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.dedup.algebra.agreed_key import Key, hidden_values, siphash
from starloom.errors import UserError
from starloom.kernels.minhash import signatures
from starloom.kernels.text import text_buffers

SECRET = b"correct horse battery staple"


def halves(key):
    return tuple(np.uint64(int.from_bytes(key[at : at + 8], "little")) for at in (0, 8))


def test_siphash_of_its_authors():
    """github.com/veorq/SipHash, vectors.h: the message 00 01 … 07 under the key 00 01 … 0f."""
    word = np.frombuffer(bytes(range(8)), dtype="<u8")
    assert siphash(word, *halves(bytes(range(16)))).astype("<u8").tobytes().hex() == "6224939a79f5f593"


def plain_siphash(word, key):
    """SipHash-2-4 of 8 bytes, from the paper."""
    mask = (1 << 64) - 1
    k0, k1 = (int.from_bytes(key[at : at + 8], "little") for at in (0, 8))
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def turn(x, bits):
        return (x << bits | x >> (64 - bits)) & mask

    def rounds(count):
        for _ in range(count):
            v[0] = (v[0] + v[1]) & mask
            v[2] = (v[2] + v[3]) & mask
            v[1] = turn(v[1], 13) ^ v[0]
            v[3] = turn(v[3], 16) ^ v[2]
            v[0] = turn(v[0], 32)
            v[2] = (v[2] + v[1]) & mask
            v[0] = (v[0] + v[3]) & mask
            v[1] = turn(v[1], 17) ^ v[2]
            v[3] = turn(v[3], 21) ^ v[0]
            v[2] = turn(v[2], 32)

    for block in (word, 8 << 56):
        v[3] ^= block
        rounds(2)
        v[0] ^= block
    v[2] ^= 0xFF
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


WORDS = st.lists(st.integers(0, (1 << 64) - 1), min_size=1, max_size=20)


@given(WORDS, st.binary(min_size=16, max_size=16))
def test_siphash_is_the_plain_one(words, key):
    found = siphash(np.array(words, dtype=np.uint64), *halves(key))
    assert found.tolist() == [plain_siphash(word, key) for word in words]


VALUES = st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=2, max_size=9)


@given(VALUES, st.binary(min_size=16, max_size=16))
def test_equal_values_of_a_place_stay_equal(rows, key):
    values = np.array(rows, dtype=np.uint32)
    hidden = hidden_values(values, key)
    for one in range(len(rows)):
        assert ((hidden == hidden[one]) == (values == values[one])).all()
    assert len({int(one) for one in hidden_values(np.zeros((1, 64), np.uint32), key)[0]}) == 64  # other places, others


def test_many_values_are_hidden_as_one_at_a_time():
    values = np.random.default_rng(1).integers(0, 1 << 32, (300, 256), dtype=np.uint32)
    hidden = hidden_values(values, bytes(16))
    assert (
        hidden[[0, 63, 64, 299]] == [hidden_values(values[k : k + 1], bytes(16))[0] for k in (0, 63, 64, 299)]
    ).all()


def test_a_signature_gives_its_permutations_away_and_a_hidden_one_does_not():
    """Of two texts of one shingle, the last bits of `(x ^ b) * a` differ at every place or at none: known texts betray
    the secret bit by bit. Behind SipHash they differ as a coin falls."""
    key = Key.of(SECRET)
    texts = [" ".join(f"w{k}{j}" for j in range(5)) for k in range(8)]
    values, _, _ = signatures(*text_buffers(pa.array(texts)), key.seed, 256)
    shares = ((values[1:] ^ values[:1]) & np.uint32(1)).mean(axis=1)
    assert set(shares.tolist()) == {0.0, 1.0}
    hidden = hidden_values(values, key.values)
    shares = ((hidden[1:] ^ hidden[:1]) & np.uint32(1)).mean(axis=1)
    assert (np.abs(shares - 0.5) < 0.15).all()


def test_a_key_is_the_same_everywhere():
    """These values are part of the file format: another derivation would need another number of the format."""
    key = Key.of(SECRET)
    assert (key.seed, key.check) == (SEED, CHECK)
    parts = [key.content, key.stream, key.ids, key.values, bytes.fromhex(key.check)]
    assert len(set(parts)) == 5
    assert Key.of(SECRET) == key
    other = Key.of(SECRET + b"!")
    assert other.seed != key.seed
    assert other.check != key.check
    assert SECRET.decode() not in repr(key)
    assert key.content.hex() not in repr(key)


SEED, CHECK = 2759350357902127920, "caeff6448410a8a3"


def test_white_space_around_a_key_does_not_count(tmp_path):
    (tmp_path / "one").write_bytes(SECRET)
    (tmp_path / "two").write_bytes(b"\n" + SECRET + b" \r\n")
    assert Key.read(tmp_path / "one") == Key.read(tmp_path / "two") == Key.of(SECRET)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("short", b"password", "has 8 bytes; at least 16"),
        ("blank", b" " * 40, "has 0 bytes"),
        ("large", b"x" * (1 << 17), "that is no key file"),
        ("absent", None, "cannot read the key file"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_no_key(tmp_path, name, data, words):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError) as raised:
        Key.read(tmp_path / name)
    assert words in raised.value.problem
    assert str(tmp_path / name) in raised.value.problem
    assert "secrets.token_hex" in raised.value.hint


def test_a_folder_is_no_key(tmp_path):
    with pytest.raises(UserError, match="cannot read the key file"):
        Key.read(tmp_path)
