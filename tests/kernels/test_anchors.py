"""The anchors' automaton, compiled and plain, against a search for each anchor at each place."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from starloom.kernels import anchors as compiled
from starloom.kernels import anchors_twin
from starloom.kernels.automaton import MOST_CLASSES, Anchor, Around, Automaton, Near

NEAR = st.builds(
    Near,
    side=st.sampled_from(["before", "after"]),
    characters=st.sampled_from(["a", "aA", "1#", "\x80", "b\x80", "\n]^-\\"]),
    least=st.integers(1, 3),
    within=st.integers(1, 6),
    wanted=st.booleans(),
)
PATTERNS = ["", "a", "a*b", "(?-i:[Ab])", "[^ab1]{2}", r"[\d@]{1,3}\]|\^+\\", "(?:a|1b?)*@", "[b-]?", "[#-9]", r"\n"]
AROUND = st.builds(Around, st.sampled_from(PATTERNS), st.sampled_from(PATTERNS))
ANCHORS = st.lists(
    st.builds(
        Anchor,
        st.text("ab1@#", min_size=1, max_size=4),
        st.lists(NEAR, max_size=2).map(tuple),
        st.lists(AROUND, max_size=2).map(tuple),
    ),
    max_size=8,
)
TEXTS = st.lists(st.text("aAbB19@#é😀\0\n]^-\\\ud800", max_size=30), max_size=4)


def buffers(texts):
    encoded = [one.encode("utf-8", "surrogatepass") for one in texts]
    offsets = np.cumsum([0, *map(len, encoded)]).astype(np.int64)
    return offsets, np.frombuffer(b"".join(encoded), np.uint8)


def places(anchors, texts):
    """[(file, start in characters, anchor)] of the kernel."""
    pieces = list(compiled.Compiled(Automaton(anchors)).places(*buffers(texts)))
    return [one for piece in pieces for one in zip(*(column.tolist() for column in piece), strict=True)]


def in_plain_python(anchors, texts):
    automaton = Automaton(anchors)
    return [(number, *one) for number, text in enumerate(texts) for one in automaton.walk(text)]


def expected(anchors, texts):
    found = []
    for number, text in enumerate(texts):
        encoded = text.encode("utf-8", "surrogatepass")
        for start, anchor in anchors_twin.places(anchors, encoded):
            found.append((number, len(encoded[:start].decode("utf-8", "surrogatepass")), anchor))
    return found


@given(ANCHORS, TEXTS)
@example([Anchor("a"), Anchor("aa"), Anchor("a#"), Anchor("a1"), Anchor("#1")], ["aa1", "", "é11A", "#a#"])
@example([Anchor("a", (Near("before", "\x80", 2, 2),))], ["éa", "a", "\ud800a", "xa"])
@settings(max_examples=300)
def test_both_walks_are_the_search(anchors, texts):
    assert places(anchors, texts) == in_plain_python(anchors, texts) == expected(anchors, texts)


@given(ANCHORS, TEXTS, st.integers(1, 20))
@settings(max_examples=100)
def test_wherever_texts_are_cut(anchors, texts, size):
    """Anchors across the edges of chunks, of the stretches gone through side by side, and of texts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "CHUNK", size)
        assert places(anchors, texts) == expected(anchors, texts)


REAL = [
    Anchor("password"),
    Anchor("pass"),
    Anchor("word"),
    Anchor("key", (Near("after", "=:", within=8),)),
    Anchor(".#.#"),
    Anchor("ghp_", (Near("before", "abcdefghijklmnopqrstuvwxyz_", wanted=False),)),
    Anchor("self.", (Near("after", "abcdefghijklmnopqrstuvwxyz_", 12, 16),)),
    Anchor("@", (Near("before", "abcdefghijklmnopqrstuvwxyz"), Near("after", "abcdefghijklmnopqrstuvwxyz"))),
]


def test_real_files(standard_library):
    texts = standard_library[:20]
    found = places(REAL, texts)
    assert found == expected(REAL, texts)
    assert {anchor for _, _, anchor in found} >= {1, 2, 3, 4, 6, 7}


@pytest.mark.parametrize(
    ("text", "near", "found"),
    [
        pytest.param("key", Near("after", "="), False, id="end of the text"),
        pytest.param("key=", Near("after", "="), True, id="last byte"),
        pytest.param("key", Near("after", "=", wanted=False), True, id="nothing at the end is not there"),
        pytest.param("key =", Near("after", "="), False, id="one too far"),
        pytest.param("key =", Near("after", "=", within=2), True, id="as far as asked"),
        pytest.param("key=1=2", Near("after", "=", 2, 9), False, id="two, not in a run"),
        pytest.param("key==", Near("after", "=", 2, 9), True, id="a run"),
        pytest.param("key", Near("before", "x"), False, id="begin of the text"),
        pytest.param("xkey", Near("before", "x"), True, id="first byte"),
        pytest.param("Xkey", Near("before", "x"), False, id="case counts"),
        pytest.param("xxx key", Near("before", "x", 3, 3), False, id="before, one too far"),
        pytest.param("xxx key", Near("before", "x", 3, 4), True, id="before, a run"),
        pytest.param("ékey", Near("before", "\x80"), True, id="not ASCII"),
        pytest.param("ekey", Near("before", "\x80"), False, id="ASCII"),
        pytest.param("KEY=", Near("after", "="), True, id="upper case"),
    ],
)
def test_near(text, near, found):
    anchors = [Anchor("key", (near,))]
    assert bool(places(anchors, [text])) is found
    assert bool(in_plain_python(anchors, [text])) is found


@pytest.mark.parametrize(
    ("text", "around", "found"),
    [
        pytest.param("a key=", [Around("a ", "=")], True, id="on both sides"),
        pytest.param("a key:", [Around("a ", "=")], False, id="on one side only"),
        pytest.param("b key:", [Around("a ", "="), Around("b ", ":")], True, id="the second of two"),
        pytest.param("a key:", [Around("a ", "="), Around("b ", ":")], False, id="half of each"),
        pytest.param("key", [Around(r"\n", r"\n")], True, id="a text's ends are lines'"),
        pytest.param("key", [Around("", r"\n\n")], False, id="one line end only"),
        pytest.param("x-y-key", [Around("(?:x|y-?)*-y-", "")], True, id="read back, meant forwards"),
        pytest.param("Xkey", [Around("(?-i:[A-Z])", "")], True, id="a capital"),
        pytest.param("xkey", [Around("(?-i:[A-Z])", "")], False, id="no capital"),
    ],
)
def test_around(text, around, found):
    anchors = [Anchor("key", around=tuple(around))]
    assert bool(places(anchors, [text])) is found
    assert bool(in_plain_python(anchors, [text])) is found
    assert bool(expected(anchors, [text])) is found


def test_more_places_than_a_piece_holds(monkeypatch):
    """Files are cut between pieces wherever it comes: nothing is lost, nothing told twice."""
    monkeypatch.setattr(compiled, "PIECE", 3)
    anchors = [Anchor("a"), Anchor("aa"), Anchor("aaa")]
    texts = ["aaaaé" * 5, "", "aa", "b" * 9, "aaa"]
    pieces = list(compiled.Compiled(Automaton(anchors)).places(*buffers(texts)))
    assert len(pieces) > 10
    assert max(len(piece.files) for piece in pieces) <= 3 + 3
    assert places(anchors, texts) == expected(anchors, texts)


def test_a_slice_of_the_buffers():
    offsets, data = buffers(["aéa", "a", "ba"])
    (piece,) = compiled.Compiled(Automaton([Anchor("a")])).places(offsets[1:], data)
    assert (piece.files.tolist(), piece.starts.tolist()) == ([0, 1], [0, 1])


@pytest.mark.parametrize("texts", [[], [""], ["no"], ["\0" * 9]], ids=["no file", "empty", "none", "NULs"])
def test_nothing(texts):
    assert places([Anchor("key")], texts) == []
    assert places([], texts) == []


@pytest.mark.parametrize("text", ["", "Key", "clé"], ids=["empty", "upper case", "not ASCII"])
def test_what_is_no_anchor(text):
    with pytest.raises(ValueError, match="is no anchor"):
        Automaton([Anchor(text)])


def test_as_many_sets_of_characters_as_there_are_bits():
    sets = [Anchor("a", (Near("after", chr(33 + number)),)) for number in range(MOST_CLASSES)]
    text = "a" + chr(33 + MOST_CLASSES - 1)
    assert places(sets, [text]) == [(0, 0, MOST_CLASSES - 1)]
    with pytest.raises(ValueError, match="64 sets"):
        Automaton([*sets, Anchor("a", (Near("after", "~"),))])


def test_digits_of_many_anchors_stay_few_states():
    """Any digit and a digit by name, in anchors that begin alike."""
    anchors = [Anchor("#.#.#.#"), Anchor("1.1.1"), Anchor("##.##"), Anchor("10."), Anchor("#")]
    automaton = Automaton(anchors)
    assert len(automaton.table) // automaton.width < 40
    texts = ["1.1.1.1", "10.10.10", "99.99.9.9"]
    assert places(anchors, texts) == expected(anchors, texts)
