"""The three patterns of encoded data: the kernel finds what `re` finds, and the guard tells data from words."""

import base64
import hashlib
import random
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import run_twins, runs, text

unhurried = settings(deadline=None, max_examples=400)

ODD = ["é", "中", "²", "ⅷ", "\u0307", "_", "g", "'", " ", ",", "\u2028", "\u00a0", "\u200b", "\x00", "😀", "\\", "0x"]
SPACES = ["", "", " ", "  ", "\n", "\r\n", "\t", "\x1c", "\x85", "\u00a0", "\u1680", "\u2003", "\u202f", "\u3000 "]
digits = st.sampled_from(["00", "1f", "aF", "9A"])


@st.composite
def hexadecimal(draw):
    """A chain that matches, now and then with something in it that breaks it, or makes it begin or end elsewhere."""
    escapes = draw(st.booleans())
    units = []
    for _ in range(draw(st.integers(5, 20))):
        if escapes:
            units.append("\\x" + draw(digits))
        else:
            units.append(draw(st.sampled_from(["", "0x"])) + draw(digits) + draw(st.sampled_from([",", *SPACES[2:]])))
    for _ in range(draw(st.integers(0, 2))):
        units.insert(draw(st.integers(0, len(units))), draw(st.sampled_from(ODD)))
    return "".join(units)


pieces = st.one_of(
    hexadecimal(),
    hexadecimal(),
    st.lists(st.sampled_from(["\\u00e9", "\\uABcd", "\\u1234", "\\u0000", "\\u12", "\\", "u"]), max_size=40).map(
        "".join
    ),
    st.text(st.sampled_from("abcdefghijkZ09+/=\n"), min_size=40, max_size=140),
    st.sampled_from(ODD),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
contents = st.lists(pieces, max_size=6).map("".join)


def assert_as_twin(texts, before="", after=""):
    """All at once, with text before the first and after the last, as Arrow slices have."""
    array = pa.array([before, *texts, after], pa.large_string()).slice(1, len(texts))
    found = runs.encoded_runs(*text.text_buffers(array))
    expected = [run_twins.encoded(one) for one in texts]
    for name in runs.EncodedRuns._fields:
        column = getattr(found, name)
        assert column.tolist() == np.array([getattr(one, name) for one in expected], dtype=column.dtype).tolist(), name


@unhurried
@given(st.lists(contents, max_size=3), st.sampled_from(["", "a", "é", "\\x00", "0"]), st.sampled_from(["", "1", "é"]))
def test_as_re(texts, before, after):
    assert_as_twin(texts, before, after)


def test_as_re_on_many():
    """20,000 of one seed, of which a third match: what Hypothesis does not come to."""
    chance = random.Random(6)

    def unit(escapes):
        pair = chance.choice(["00", "1f", "aF"])
        return "\\x" + pair if escapes else chance.choice(["", "0x"]) + pair + chance.choice([",", *SPACES[2:]])

    texts = []
    for _ in range(20_000):
        escapes = chance.random() < 0.3
        parts = [unit(escapes) for _ in range(chance.randint(6, 24))]
        for _ in range(chance.choice([0, 0, 1, 2])):
            parts.insert(chance.randint(0, len(parts)), chance.choice(ODD))
        texts.append(chance.choice(["", "a", "é", "²", "\\x12", " "]) + "".join(parts))
    assert sum(run_twins.PATTERNS["hex"].search(one) is not None for one in texts) > 5_000
    assert_as_twin(texts)


def test_the_standard_library(standard_library):
    assert_as_twin(standard_library[::2])


def test_every_character_beside_the_hex_pattern():
    """Whether it begins, ends or is part of a word, and whether it is white space: every character up to U+30FF, each
    between two pairs, and behind eight."""
    characters = [chr(point) for point in range(0x3100) if not 0xD800 <= point < 0xE000]
    eight = "ab," * 8
    assert_as_twin([f"{one}{eight[:-1]}{one}{eight}" for one in characters])
    assert_as_twin([f"0x12 0x34{one}" * 5 for one in characters])


ALPHABET = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3ODk="


@pytest.mark.parametrize(
    ("content", "base64_longest", "hex_longest", "unicode_longest"),
    [
        ("", 0, 0, 0),
        ("x" * 63, 0, 0, 0),
        ("x" * 64, 64, 0, 0),  # 64 characters of the class are a match, whatever they say
        ("-" + "x" * 64 + "\n-", 65, 0, 0),  # "\n" is of the class
        ("0x12," * 7 + "0x1", 0, 0, 0),
        ("0x12," * 7 + "0x12", 0, 39, 0),  # the last comma is not needed
        ("ab " * 8, 0, 24, 0),  # white space belongs to the match
        ("ab, " * 20, 0, 0, 0),  # a comma or white space, not both
        ("\\x1b" * 9, 0, 32, 0),  # the first has no word before it: "\b" does not hold there
        ("é\\x1b" + "\\x1b" * 8, 0, 36, 0),  # after a letter it does
        ("ab\u3000" * 8, 0, 24, 0),  # characters, not bytes
        ("ab" * 40, 80, 0, 0),  # an unbroken run of digits is no match of the hex pattern
        ("\\u12ab" * 7, 0, 0, 0),
        ("\\u12ab" * 8 + "\\u12a", 0, 0, 48),
        ("\\\\u12ab" * 9, 0, 0, 0),
    ],
)
def test_limits(content, base64_longest, hex_longest, unicode_longest):
    found = runs.encoded_runs(*text.text_buffers(pa.array([content])))
    assert [column.tolist()[0] for column in found[:3]] == [base64_longest, hex_longest, unicode_longest]
    assert found.longest.tolist() == [max(base64_longest, hex_longest, unicode_longest)]


def test_what_two_patterns_match_counts_once():
    content = "ab\n" * 30 + "--"  # a base64 and a hex match of the same 90 characters
    found = runs.encoded_runs(*text.text_buffers(pa.array([content])))
    assert (found.base64_longest.tolist(), found.hex_longest.tolist()) == ([90], [90])
    assert found.fraction.tolist() == [np.float32(90 / 92)]
    overlapping = "zz\n" * 40 + "ab\n" * 20 + "ab," * 20
    found = runs.encoded_runs(*text.text_buffers(pa.array([overlapping])))
    assert found.fraction.tolist() == [1.0]


def pem():
    body = base64.b64encode(random.Random(1).randbytes(900)).decode()
    lines = "\n".join(re.findall(".{1,64}", body))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


SENTENCE = "the quick brown fox jumps over the lazy dog while seven wizards make toxic brew for the evil queen "

DATA = {
    "PEM, lines of 64": pem(),
    "MIME, lines of 76": base64.encodebytes(random.Random(2).randbytes(900)).decode(),
    "data URI": f"url(data:image/png;base64,{base64.b64encode(random.Random(3).randbytes(300)).decode()})",
    "base64 of prose": base64.b64encode(SENTENCE.encode()).decode(),
    "YAML, indented": "key: |\n" + "".join(
        f"  {base64.b64encode(random.Random(k).randbytes(57)).decode()}\n" for k in range(9)
    ),
    "hexadecimal on one line": hashlib.sha512(b"").hexdigest(),
    "MD5 sums, one a line": "\n".join(hashlib.md5(bytes([k])).hexdigest() for k in range(40)),
    "a long number": str(3**400),
    "bases, lower case": "\n".join("".join(random.Random(k).choices("acgt", k=60)) for k in range(9)),
    "bases, upper case": "\n".join("".join(random.Random(k).choices("ACGT", k=60)) for k in range(9)),
    "base32, lower case": base64.b32encode(random.Random(4).randbytes(200)).decode().lower(),
}  # fmt: skip

WORDS = {
    "a word a line": "\n".join((SENTENCE * 9).split()),
    "names in capitals": "\n".join((SENTENCE * 9).upper().split()),
    "numbers, one a line": "\n".join(map(str, range(100, 500))),
    "rule of equal signs": "=" * 100,
    "rule of slashes": "/" * 100 + "\n" + "/" * 100,
    "blank lines": "\n" * 200,
    "path": "src/main/resources/templates/administration/organisation/members/invitations",
    "long name": "shouldThrowAnExceptionWhenTheArgumentOfTheConstructorIsNotAValidIdentifier",
    "paths, one a line": "\n".join(f"include/asio/detail/implementation/socket{k}" for k in range(50)),
}


@pytest.mark.parametrize("name", DATA)
def test_data(name):
    found = runs.encoded_runs(*text.text_buffers(pa.array([DATA[name]])))
    assert found.base64_longest[0] >= 64
    assert found.data_longest.tolist() == found.longest.tolist()
    assert found.data_fraction.tolist() == found.fraction.tolist()
    assert run_twins.encoded_spans(DATA[name]) == run_twins.encoded_spans(DATA[name], data_only=True)


@pytest.mark.parametrize("name", WORDS)
def test_words(name):
    found = runs.encoded_runs(*text.text_buffers(pa.array([WORDS[name]])))
    assert found.base64_longest[0] >= 64
    assert found.data_longest.tolist() == [0]
    assert found.data_fraction.tolist() == [0.0]
    assert run_twins.encoded_spans(WORDS[name], data_only=True) == []


def test_data_beside_words():
    words, data = WORDS["a word a line"] * 2, pem()
    found = runs.encoded_runs(*text.text_buffers(pa.array([words + "\n-\n" + data])))
    alone = runs.encoded_runs(*text.text_buffers(pa.array([data])))
    assert found.base64_longest[0] > found.data_longest[0] == alone.longest[0]
    # The hex pattern is no matter of the guard.
    found = runs.encoded_runs(*text.text_buffers(pa.array([words + "\n-" + "0x12," * 9])))
    assert found.data_longest.tolist() == [45]


def test_spans():
    content = "é " + "0x12," * 8 + "-" + "x" * 64 + "-" + "\\u0041" * 8
    spans = run_twins.encoded_spans(content)
    assert [(content[start : start + 2], end - start, name) for start, end, name in spans] == [
        ("0x", 40, "hex"),
        ("xx", 64, "base64"),
        ("\\u", 48, "unicode"),
    ]


@pytest.mark.parametrize(
    "piece", ["0x12,", "ab ", "a", "\\u0041", "\n", " ", "\\x", "0x12,0x12,0x12,0x12,0x12,0x12,0x12,!"]
)
def test_a_long_line(piece):
    """20 MB, more than one match in the last: a second look at each byte would take minutes."""
    content = piece * (20_000_000 // len(piece))
    found = runs.encoded_runs(*text.text_buffers(pa.array([content], pa.large_string())))
    longest = {
        "0x12,": len(content),
        "ab ": len(content),
        "a": len(content),
        "\\u0041": len(content),
        "\n": len(content),
    }
    assert found.longest.tolist() == [longest.get(piece, 0)]


def test_many_matches():
    content = ("x" * 64 + "-") * 1_000 + ("0x12," * 8 + "-") * 500 + ("\\u0041" * 8 + "-") * 300
    assert_as_twin([content, "", content])


def test_no_text():
    found = runs.encoded_runs(*text.text_buffers(pa.array([], pa.string())))
    assert [str(column.dtype) for column in found] == ["int32"] * 4 + ["float32", "int32", "float32"]
    assert {len(column) for column in found} == {0}


@pytest.mark.parametrize("offsets", [[0, 3], [-1, 1], [2, 1], []])
def test_offsets_outside(offsets):
    with pytest.raises(ValueError, match="offsets"):
        runs.encoded_runs(np.array(offsets, dtype=np.int64), np.zeros(2, dtype=np.uint8))


@unhurried
@given(st.binary(max_size=200))
def test_bytes_that_are_no_text(data):
    """Not promised to mean anything, but nothing fails and nothing outside is read."""
    found = runs.encoded_runs(np.array([0, len(data)], dtype=np.int64), np.frombuffer(data, dtype=np.uint8))
    assert 0 <= found.fraction[0] <= 1
