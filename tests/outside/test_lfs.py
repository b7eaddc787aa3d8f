"""Git LFS pointers, as the specification has them."""

import pytest

from starloom.outside.lfs import pointer

OID = b"4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"
V1 = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + OID + b"\nsize 12345\n"


def test_the_example_of_the_specification():
    assert pointer(V1) == f"sha256:{OID.decode()} 12345"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        V1 + b"not a key",
        V1.replace(b"size 12345\n", b""),
        V1.replace(OID, OID.upper()),
        b" " + V1,
        V1 + b"x " + b"y" * 1024 + b"\n",
        b"version https://git-lfs.github.com/spec/v1\n# how pointers look\n",
    ],
)
def test_what_is_none(data):
    assert pointer(data) is None


def test_extensions_and_the_name_before():
    extended = V1.replace(b"oid", b"ext-0-foo sha256:" + OID + b"\noid")
    assert pointer(extended) == pointer(V1)
    assert pointer(V1.replace(b"git-lfs.github.com", b"hawser.github.com")) == pointer(V1)
