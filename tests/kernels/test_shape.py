"""The shape of texts: the kernel against its plain twin, and what each measure means."""

import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import run_twins, shape, text
from starloom.kernels.line_hash import line_hash

unhurried = settings(deadline=None, max_examples=150)

NUMBERS = [
    "0x1F",
    "12",
    "3.5",
    "1e5",
    "1.5e-3f",
    "\\x41",
    "\\101",
    "\\0",
    "1_000",
    "0xFFul",
    ".5",
    "7.",
    "0XaB_c",
    "12L",
]
BETWEEN = [", ", ",\n", "  ", "\t", "], [", "; ", "|", " -", "+", "\n\n", " : ", '"\n"', "\r\n", " " * 40]
BREAKS = ["a", "x12", "_", "1_", "0x", "$", "é", "1e", "1.5x", "\\d", "..", "#", "0xg", "\u00a0", "1__0", "\\9",
          "\\1234", "\\x4g", "1.e", "._5", "=", "\\x", "\\x41u", "\\1L", "\\x4_1"]  # fmt: skip

number_runs = st.tuples(
    st.lists(st.tuples(st.sampled_from(NUMBERS), st.sampled_from(BETWEEN)), min_size=40, max_size=90),
    st.lists(st.tuples(st.integers(0, 90), st.sampled_from(BREAKS)), max_size=3),
).map(
    lambda drawn: "".join(
        number + "".join(broken for at, broken in drawn[1] if at == k) + between
        for k, (number, between) in enumerate(drawn[0])
    )
)
short = st.lists(st.sampled_from([*NUMBERS, *BETWEEN, *BREAKS]), max_size=60).map("".join)
long_lines = st.lists(
    st.tuples(st.sampled_from(["a();", "b", "{} ", " ", "x=1;", "é", "0", "\u3000", "c\x85"]), st.integers(20, 320)),
    max_size=6,
).map(lambda drawn: "\n".join((piece * 320)[:length] for piece, length in drawn))
repeated = st.lists(
    st.sampled_from(["a", "a ", " a", "", " ", "\t\x1c", "b" * 8, "b" * 9, "b" * 17, "é", "\u00a0", "\r"]), max_size=40
).map("\n".join)
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
contents = st.lists(st.one_of(number_runs, short, long_lines, repeated, anything), max_size=3).map("".join)


def of(content):
    """The one value of each column."""
    found = shape.shape(*text.text_buffers(pa.array([content], pa.large_string())))
    return shape.Shape(*(column.tolist()[0] for column in found))


def assert_as_twin(texts, before="", after=""):
    """All at once, with text before the first and after the last, as Arrow slices have."""
    array = pa.array([before, *texts, after], pa.large_string()).slice(1, len(texts))
    found = shape.shape(*text.text_buffers(array))
    expected = [run_twins.shape(one) for one in texts]
    for name in shape.Shape._fields:
        column = getattr(found, name)
        assert column.tolist() == np.array([getattr(one, name) for one in expected], dtype=column.dtype).tolist(), name


@unhurried
@given(st.lists(contents, max_size=3), st.sampled_from(["", "1", "a", "é"]), st.sampled_from(["", "1", "é"]))
def test_as_twin(texts, before, after):
    assert_as_twin(texts, before, after)


def test_the_standard_library(standard_library):
    assert_as_twin(standard_library)


def test_every_character():
    """White space and digits of each character up to U+30FF, and some of the others."""
    points = [*range(0x3100), *range(0x3100, 0xD800, 61), *range(0xE000, 0x110000, 997)]
    assert_as_twin([chr(point) + "ab" for point in points])


def test_whitespace_and_digits():
    found = of("a1 \u3000\n中٣ ")
    assert found.whitespace_fraction == 0.5
    assert found.digit_fraction == 0.125  # 0 to 9 only


MINIFIED = 'function a(b,c){return b.d(function(e){return e.f("g")===c})[0];}var h=a(i,"j");if(h)k(h.l,m);'
PROSE = "It was the best of times (it was the worst of times); it was the age of wisdom; it was the age of folly. "


@pytest.mark.parametrize(
    ("content", "minified"),
    [
        (MINIFIED * 20, True),
        ("/* (c) the authors, all of them */\n" + MINIFIED * 20 + "\n//# sourceMappingURL=a.map\n", True),
        (".a{color:#fff;margin:0 auto}.b:not(.c){display:none;width:calc(1px + 2em)}" * 20, True),
        ("é" * 10 + MINIFIED * 20, True),
        (MINIFIED, False),  # one line of fewer than 300 characters
        ("\n".join([MINIFIED] * 20), False),
        (PROSE * 20, False),  # a paragraph a line
        ("static const int table[] = {" + "1, 22, 333, " * 90 + "};", False),
        ('{"name":"value","list":["one","two"],"more":{"key":true}}' * 20, False),
        ("<p>one</p><p>two<b>three</b></p>" * 20, False),
        ("A1b2C3d4+/" * 90, False),
        ("(" * 10 + " " * 400, False),
        ("一二三四五" * 80, False),
        (MINIFIED * 20 + "\n" + "x = 1\n" * 400, False),  # less than half of the file
        ((MINIFIED * 9)[:300], False),
        ((MINIFIED * 9)[:301], True),
        (("é" + MINIFIED * 9)[:300], False),  # characters, not bytes
        ("", False),
    ],
    ids=lambda value: str(value) if isinstance(value, bool) else "",
)
def test_is_minified(content, minified):
    assert of(content).is_minified is minified
    assert run_twins.is_minified(content) is minified


@pytest.mark.parametrize(
    ("content", "longest"),
    [
        ("1," * 128 + "a", 0),  # ends with the last number: 255 characters
        ("1," * 128 + "1a,", 0),  # "1a" is none
        ("x" + " 1" * 128, 0),
        ("x = [" + "1," * 128 + "11]", 258),  # begins and ends with a number
        ("return " + "0x1f, " * 60 + ";", 358),
        ("\\x41" * 64, 256),
        ("v1," * 200, 0),  # parts of names
        ("1.5e-3f, " * 40, 358),
        ("{\n    {1, 2},\n    {3, 4},\n}\n" * 20, 548),
        ("1" + " " * 300 + "2", 0),  # hardly a number in it
        ("12" * 150, 300),
        ("de ad be ef " * 50, 0),  # letters with no 0x: the hex pattern of `runs` finds them
        ("2026-01-02 03:04:05.678 | " * 20, 517),
        ("1\u00a02" * 200, 0),
    ],
)
def test_number_runs(content, longest):
    found = of(content)
    assert found.number_run_longest == longest
    assert [end - start for start, end in run_twins.number_spans(content)] == [longest] * bool(longest)
    assert found.number_run_fraction == np.float32(longest / len(content))


def test_number_spans_say_where():
    content = "table = [" + "1, " * 100 + "0]\nmore = [" + "2, " * 100 + "9]\n"
    spans = run_twins.number_spans(content)
    assert [(content[start], content[end - 1], end - start) for start, end in spans] == [
        ("1", "0", 301),
        ("2", "9", 301),
    ]
    assert of(content).number_run_fraction == np.float32(602 / len(content))


@pytest.mark.parametrize(
    ("content", "fraction"),
    [
        ("a\nb\nc\n", 0.0),
        ("a\na\nb\nb\n", 0.5),
        ("a\na \r\n a\n", np.float32(1 / 3)),  # white space at the end is none of it, at the beginning it is
        ("\n\n \n\t\na\n", 0.0),  # blank lines do not count
        ("\n\n", 0.0),
        ("a\na", 0.5),
        ("\x00\n\x00", 0.5),
        ("é\né\nè\ne", 0.25),
    ],
)
def test_duplicate_lines(content, fraction):
    assert of(content).duplicate_line_fraction == fraction


@pytest.mark.parametrize("size", [1, 62, 63, 64, 65, 200])
def test_duplicate_lines_of_any_length(size):
    """As long as what is compared at once, or longer; with white space at their ends, or of it alone."""
    lines = ["a" * size, "a" * size + " \t\r", " " * size, "\x1f" * size + "a", "\x1f" * size + "a" + "\x1c" * size]
    assert of("\n".join(lines)).duplicate_line_fraction == 0.5


def test_many_lines():
    """A table for all of them; and of more than a million lines the first count."""
    assert of("\n".join(map(str, range(300_000)))).duplicate_line_fraction == 0
    assert of("\n".join(map(str, [*range(100_000), *range(100_000)]))).duplicate_line_fraction == 0.5
    million = "\n".join(map(str, range(shape.MOST_LINES)))
    assert of(million + "\nx" * 100_000).duplicate_line_fraction == 0
    assert of("\n" * 100_000 + "x\n" + million).duplicate_line_fraction == 0


def colliding(count):
    """Lines of eight ASCII characters whose hashes end in the same 24 bits: `line_hash`, undone."""
    chance = np.random.default_rng(0)
    shifts = np.uint64(33), np.uint64(32)
    inverse = {factor: np.uint64(pow(factor, -1, 1 << 64)) for factor in
               (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53, 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9)}  # fmt: skip
    found = []
    while len(found) < count:
        h = chance.integers(0, 1 << 40, 1 << 21, dtype=np.uint64) << np.uint64(24) | np.uint64(0xABCDEF)
        h = (h ^ (h >> shifts[0])) * inverse[0xC4CEB9FE1A85EC53]
        h = (h ^ (h >> shifts[0])) * inverse[0xFF51AFD7ED558CCD]
        h = h ^ (h >> shifts[0])
        mixed = (h * inverse[0xBF58476D1CE4E5B9]) ^ np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(8)
        word = mixed * inverse[0xBF58476D1CE4E5B9]
        word = (word ^ (word >> shifts[1])) * inverse[0x9E3779B97F4A7C15]
        bytes_ = word.view(np.uint8).reshape(-1, 8)
        plain = (bytes_ < 0x80).all(axis=1) & (bytes_ != 0x0A).all(axis=1) & (bytes_[:, 7] > 0x20)
        found += [one.tobytes().decode() for one in bytes_[plain]]
    return found[:count]


def test_lines_chosen_to_collide(monkeypatch):
    """Hashes that all meet in one place of the table: plain probing would take hours for a million."""
    lines = colliding(2_000)
    assert {int(line_hash(np.frombuffer(one.encode(), np.uint8))) & 0xFFFFFF for one in lines} == {0xABCDEF}
    lines += random.Random(0).choices(lines, k=500)
    asked = []
    by_set = shape._repeated_by_set
    monkeypatch.setattr(shape, "_repeated_by_set", lambda data: asked.append(data) or by_set(data))
    assert_as_twin(["a\na", "\n".join(lines), "a\nb\nb\n\n"])
    assert asked == ["\n".join(lines).encode()]


@pytest.mark.parametrize(
    "piece", ["1, ", "1", "\\", "0x", "1_", "1.", "1e+", "\n", " ", "a", "}\n    ", "a();", "\u3000", "\\x1"]
)
def test_a_long_text(piece):
    """20 MB: a second look at each byte would take minutes."""
    found = of(piece * (20_000_000 // len(piece.encode())))
    expected = run_twins.shape(piece * 2_000)
    assert found.is_minified == expected.is_minified
    assert (found.number_run_longest > 0) == (expected.number_run_longest > 0)
    assert found.whitespace_fraction == pytest.approx(expected.whitespace_fraction, abs=1e-3)


def test_no_text():
    found = shape.shape(*text.text_buffers(pa.array([], pa.string())))
    assert [str(column.dtype) for column in found] == ["float32", "float32", "bool", "int32", "float32", "float32"]
    assert of("") == shape.Shape(0.0, 0.0, False, 0, 0.0, 0.0)


@pytest.mark.parametrize("offsets", [[0, 3], [-1, 1], [2, 1], []])
def test_offsets_outside(offsets):
    with pytest.raises(ValueError, match="offsets"):
        shape.shape(np.array(offsets, dtype=np.int64), np.zeros(2, dtype=np.uint8))


@unhurried
@given(st.binary(max_size=700))
def test_bytes_that_are_no_text(data):
    """Not promised to mean anything, but nothing fails and nothing outside is read."""
    found = shape.shape(np.array([0, len(data)], dtype=np.int64), np.frombuffer(data, dtype=np.uint8))
    assert 0 <= found.duplicate_line_fraction[0] <= 1
