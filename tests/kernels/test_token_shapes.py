"""Shapes of tokens: tiles, windows and growth, against plain Python and against renaming itself."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import token_shapes, token_shapes_twin
from starloom.kernels.code_tokens import KEYWORDS, tokens
from starloom.kernels.token_shapes import GUARANTEE, STRIDE, WIDTH

unhurried = settings(deadline=None, max_examples=150)
# Few names and marks, so that shapes repeat, break and are dull
codes = st.lists(
    st.sampled_from(["a", "b", "c", "d", "if", "1", "'s'", "(", ")", "+", "=", ";", "a = b;", "f(a, b)", "x += 1\n"]),
    max_size=160,
).map(" ".join)

CODE = """
def walk(tree, seen, limit=100):
    if tree is None or tree.name in seen:
        return seen
    seen.add(tree.name)
    for child in tree.children:
        if len(seen) < limit:
            walk(child, seen, limit)
        else:
            raise ValueError("too many: %d" % len(seen))
    return seen
"""


def buffer(text):
    return np.frombuffer(text.encode(), dtype=np.uint8)


def buffers(contents):
    sizes = [len(one.encode()) for one in contents]
    return np.cumsum([0, *sizes]).astype(np.int64), buffer("".join(contents))


def grown(asked, contents, token, row, tile):
    offsets, data = buffers(contents)
    where = (np.array(one, dtype=np.int64) for one in (token, row, tile))
    sizes = np.diff(offsets).astype(np.uint32)
    return token_shapes.grown(tokens(buffer(asked)), offsets[:-1], sizes, data, *where)


def renamed(text, names):
    return re.sub(r"[A-Za-z_]\w*", lambda one: names.get(one[0], one[0]), text)


def hashes(text):
    return token_shapes.windows(tokens(buffer(text))).hashes.tolist()


@unhurried
@given(st.lists(codes, max_size=4))
def test_windows_are_equal_just_when_their_shapes_are(contents):
    known = {}
    for text in contents:
        found = token_shapes.windows(tokens(buffer(text)))
        expected = token_shapes_twin.windows(text.encode())
        assert found.tokens.tolist() == [at for at, _ in expected]
        for one, (_, shape) in zip(found.hashes.tolist(), expected, strict=True):
            assert known.setdefault(shape, one) == one
    assert len(set(known.values())) == len(known)


@unhurried
@given(st.lists(codes, max_size=5))
def test_tiles_are_every_so_manieth_window(contents):
    bounds, found = token_shapes.tiles(*buffers(contents))
    assert bounds.tolist()[0] == 0
    for text, (low, high) in zip(contents, itertools.pairwise(bounds.tolist()), strict=True):
        windows = token_shapes.windows(tokens(buffer(text)))
        assert found[low:high].tolist() == windows.hashes[windows.tokens % STRIDE == 0].tolist()
        assert high - low == len(token_shapes_twin.tiles(text.encode()))


@unhurried
@given(codes, codes, codes, st.data())
def test_growth(before, after, text, data):
    asked = f"{before}\n{text}\n{after}"
    found = token_shapes.windows(tokens(buffer(asked)))
    tiles = token_shapes_twin.tiles(text.encode())
    if not len(found.tokens) or not tiles:
        return
    token = data.draw(st.sampled_from(found.tokens.tolist()))
    tile = data.draw(st.integers(0, len(tiles)))
    expected = token_shapes_twin.grown(asked.encode(), text.encode(), token, tile)
    stretches = grown(asked, ["x", text], [token], [1], [tile])
    if expected is None:
        assert len(stretches.row) == 0
        return
    one, other = tokens(buffer(asked)), tokens(buffer(text))
    last, other_last = expected.a + expected.size - 1, expected.b + expected.size - 1
    assert [column.tolist() for column in stretches] == [
        [1],
        [one.start[expected.a]],
        [one.end[last]],
        [other.start[expected.b]],
        [other.end[other_last]],
        [expected.size],
    ]


@unhurried
@given(codes, codes, codes)
def test_what_runs_on_long_enough_holds_a_tile(before, after, text):
    """Whatever stands before it in either text: a stretch of GUARANTEE tokens holds a tile that is not dull, if any."""
    names = {one: f"{one}_new" for one in "abcdfx"}
    asked, there = f"{before}\n{renamed(text, names)}", f"{text}\n{after}"
    known = set(hashes(asked))
    for at, shape in token_shapes_twin.windows(there.encode(), STRIDE):
        if at + WIDTH <= len(tokens(buffer(text)).form):
            assert shape in [one for _, one in token_shapes_twin.windows(asked.encode())]
    bounds, tiles = token_shapes.tiles(*buffers([there]))
    inside = [at for at, _ in token_shapes_twin.windows(there.encode(), STRIDE)]
    whole = [
        one for one, at in zip(tiles.tolist(), inside, strict=True) if at + WIDTH <= len(tokens(buffer(text)).form)
    ]
    assert set(whole) <= known
    assert bounds[1] == len(tiles)


def test_a_renaming_leaves_shapes_as_they_are():
    assert hashes(CODE)
    other = renamed(
        CODE, {"walk": "besuche", "tree": "baum", "seen": "da", "child": "kind", "limit": "max", "len": "size"}
    )
    other = (
        other.replace("100", "7").replace('"too many: %d"', "'zu viele'").replace("return seen", "return seen  # done")
    )
    assert hashes(other) == hashes(CODE)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param({"seen": "tree"}, id="two-become-one"),
        pytest.param({"in": "not"}, id="keyword"),
        pytest.param({"add": "add + 1"}, id="more-tokens"),
    ],
)
def test_other_changes_do_not(names):
    assert not set(hashes(renamed(CODE, names))) >= set(hashes(CODE))


def test_dull_code_has_no_tiles():
    table = "{" + ", ".join(f"0x{one:02x}" for one in range(400)) + "};"
    names = "import " + ", ".join(f"name{one}" for one in range(300))
    bounds, found = token_shapes.tiles(*buffers([table, names, CODE]))
    assert bounds.tolist()[:3] == [0, 0, 0]
    assert len(found) == 2


def test_names_may_change_otherwise_further_on():
    """A window knows no scope: i is x in the one function and y in the next."""
    one = "def f(i): return [i + 1, g(i), h(i)] if i else {i: i * 2 for k in range(i)}\n"
    two = "def g(i): return (i, i % 2, k(i)) if i > 7 else {'a': i, 'b': [i, i]}\n"
    filler = "x.y(z)[0] = w - {v: u}\n" * 3
    asked = renamed(one, {"i": "x1"}) + filler + renamed(two, {"i": "y1"})
    text = one + filler + two
    stretches = grown(asked, [text], [0], [0], [0])
    assert stretches.tokens.tolist() == [len(tokens(buffer(text)).form)]


def test_candidates_of_one_stretch_give_it_once():
    text = CODE * 3
    windows = token_shapes.windows(tokens(buffer(text)))
    at = [one for one in windows.tokens.tolist() if one % STRIDE == 0]
    found = grown(text, ["", text], at, [1] * len(at), list(range(len(at))))
    assert found.tokens.tolist() == [len(tokens(buffer(text)).form)]


@pytest.mark.parametrize(
    ("token", "row", "tile"),
    [([-1], [0], [0]), ([0], [1], [0]), ([0], [-1], [0]), ([0], [0], [-1]), ([10**6], [0], [0])],
    ids=["before", "no-text", "negative-text", "negative-tile", "behind"],
)
def test_candidates_outside_are_refused(token, row, tile):
    with pytest.raises(ValueError, match="candidate"):
        grown(CODE, [CODE], token, row, tile)


def test_texts_outside_are_refused():
    zero = np.zeros(1, dtype=np.int64)
    with pytest.raises(ValueError, match="outside the data"):
        token_shapes.grown(tokens(buffer(CODE)), zero, np.array([10**6], np.uint32), buffer(CODE), zero, zero, zero)


def test_what_is_promised():
    assert GUARANTEE == WIDTH + STRIDE - 1 == 51
    assert "if" in KEYWORDS.split()
