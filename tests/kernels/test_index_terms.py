"""The terms that a file is found by: each once, as the twin finds them."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import index_terms, index_terms_twin

LONGEST = 12


def found(texts, folded=None, longest=LONGEST, before=b"", after=b""):
    """By text, the lists of terms that the kernel gives."""
    given = index_terms.index_terms(
        *buffers(texts, before, after), *buffers(texts if folded is None else folded), longest
    )
    columns = []
    for offsets, data in given:
        assert data.dtype == np.uint8
        lists = [bytes(data[a:b]).decode("ascii") for a, b in itertools.pairwise(offsets)]
        assert all(not one or one.endswith(" ") for one in lists)
        columns.append([one.split(" ")[:-1] for one in lists])
    return [index_terms_twin.Lists(*one) for one in zip(*columns, strict=True)]


def buffers(texts, before=b"", after=b""):
    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([len(before), *map(len, encoded)]).astype(np.int64)
    return offsets, np.frombuffer(before + b"".join(encoded) + after, dtype=np.uint8)


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("HTTPServer", ["http", "server"]),
        ("read_json", ["read", "json"]),
        ("utf8Decoder", ["utf8", "decoder"]),
        ("sha256", []),  # digits stay with what is before them
        ("SHA256Sum", ["sha256", "sum"]),
        ("vec3d", []),
        ("IOError", ["io", "error"]),
        ("ABc", ["a", "bc"]),
        ("aB", ["a", "b"]),
        ("_private", ["private"]),  # one part, and not the whole
        ("__init__", ["init"]),
        ("_", []),
        ("X86_64", ["x86", "64"]),
        ("2Fast", ["2", "fast"]),
        ("ALL_CAPS", ["all", "caps"]),
        ("aaaaaaaaaaaB", []),  # as long as LONGEST: no name
    ],
)
def test_parts(word, parts):
    (lists,) = found([f"({word})"])
    assert lists.parts == parts
    assert lists.code == ([word.lower()] if len(word) < LONGEST else [])


def test_every_term_stands_once():
    (lists,) = found(["readJson READJSON readJson json read_json Json"])
    assert lists.code == ["readjson", "json", "read_json"]
    assert lists.parts == ["read"]
    assert lists.cased == ["readJson", "READJSON", "Json"]


def test_files_know_nothing_of_each_other():
    one, empty, other = found(["aB ab", "", "ab aB"])
    assert one.code == other.code == ["ab"]
    assert one.parts == other.parts == ["a", "b"]
    assert one.cased == other.cased == ["aB", "B"]
    assert empty == ([], [], [], [])


def test_trigrams_are_of_the_folded_text():
    (lists,) = found(["ÀB"], ["àb"])
    assert lists.grams == [index_terms_twin._gram(gram) for gram in ("àb".encode(), "àb\n".encode()[1:])]
    assert lists.code == ["b"]


def test_folded_texts_of_other_number_are_refused():
    with pytest.raises(ValueError, match="as many"):
        index_terms.index_terms(*buffers(["a", "b"]), *buffers(["a"]), LONGEST)


words = st.text(st.sampled_from("abXYZ09_"), max_size=14)
texts = st.lists(st.one_of(words, st.sampled_from([" ", "\n", ".", "é", "İ", "\u212a", "😀", "\x00"])), max_size=30)
batches = st.lists(st.one_of(texts.map("".join), texts.map(" ".join)), max_size=5)


@settings(deadline=None, max_examples=400)
@given(batches, st.sampled_from([b"", b"aB", b"\xc3\xa9"]), st.sampled_from([b"", b"aB", b"\xa9"]))
def test_as_the_twin_finds_them(texts, before, after):
    assert found(texts, before=before, after=after) == [
        index_terms_twin.index_terms(text, text, LONGEST) for text in texts
    ]


def test_the_standard_library(standard_library):
    texts = standard_library[:60]
    folded = [text.lower() for text in texts]
    assert found(texts, folded, 100) == [
        index_terms_twin.index_terms(text, low, 100) for text, low in zip(texts, folded, strict=True)
    ]
