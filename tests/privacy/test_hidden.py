"""What is hidden in a piece of a text is what is hidden there in the whole text, however little of it is looked at."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels.surroundings import Piece
from starloom.privacy.find import find_each, find_in, prepare
from starloom.privacy.hidden import AROUND, LONG, _window, hidden, seen_around
from starloom.privacy.keys import private_keys
from starloom.privacy.span import Span

ADDRESS = "ada.lovelace" + "@" + "analytical.engines.co.uk"
TOKEN = "gh" + "p_" + "x7Kq2mWv9RtYbN3hJd8sGfT1cLeUaWoQ5iKz"
BLOCK = "\n".join(
    [
        "-----BEGIN RSA PRIVATE " + "KEY-----",
        *("MIIEpAIBAAKCAQEA" + f"{number:04}qZx7Lk2PwV9RtYbN3mHdJ8sGfT1cXeUaWoQ5iKzBv"[:48] for number in range(60)),
        "-----END RSA PRIVATE " + "KEY-----",
    ]
)
PIECES = [
    f"# Author: Ada Lovelace <{ADDRESS}>\n",
    f'token = "{TOKEN}"\n',
    'password = "' + "hunter" + 'Tr0ub4dor"\n',
    "def f(x):\n    return x + 1  # and so on\n",
    "\n",
    "value = 12345  " * 30 + "\n",
    "x" * 900 + "\n",
]


def in_the_whole(text, start, end):
    found = [(max(one.start, start) - start, min(one.end, end) - start, one.kind) for one in find_in(text)]
    return [Span(*one) for one in found if one[0] < one[1]]


@given(st.integers(0, 2**30))
def test_a_piece_hides_what_the_whole_text_does(seed):
    dice = random.Random(seed)
    pieces = [dice.choice(PIECES) for _ in range(dice.randrange(1, 40))]
    if dice.random() < 0.3:
        pieces.insert(dice.randrange(len(pieces)), BLOCK)
    text = "".join(pieces)
    asked = []
    for _ in range(4):
        start = dice.randrange(len(text))
        asked.append((text, start, min(start + dice.choice([5, 80, 300]), len(text))))
    expected = [in_the_whole(*one) for one in asked]
    assert [hidden(*one) for one in asked] == expected
    data, characters = text.encode(), lambda place: len(data[:place].decode())
    places = [tuple(len(text[:place].encode()) for place in one[1:]) for one in asked]
    for (_, start, end), seen, spans in zip(
        asked, seen_around(data, [Piece(0, len(data), *one) for one in places]), expected, strict=True
    ):
        first = characters(seen.first) - start
        clipped = [(max(one.start + first, 0), min(one.end + first, end - start), one.label) for one in seen.spans]
        assert [Span(*one) for one in clipped if one[0] < one[1]] == spans


around = st.lists(
    st.sampled_from(
        ["x" * 700, "é" * 5000, "ab ", "\n", "\n\n\n", "\t", "𝄞", "y" * 17_000, "<D", "<D>", "PRIVATE KEY"]
    ),
    max_size=12,
).map("".join)


@settings(deadline=None, max_examples=60)
@given(around, st.data())
def test_as_much_is_looked_at_by_the_kernel(text, drawn):
    start, end = sorted(drawn.draw(st.integers(0, len(text))) for _ in range(2))
    data = text.encode()
    begin = len(b"before\n")
    piece = Piece(begin, begin + len(data), *(begin + len(text[:place].encode()) for place in (start, end)))
    (seen,) = seen_around(b"before\n" + data + b"behind", [piece])
    first, last = _window(text, start, end)
    assert (seen.text, seen.first) == (text[first:last], begin + len(text[:first].encode()))


def test_a_piece_is_in_its_text():
    for piece in (Piece(0, 4, 0, 1), Piece(0, 3, 2, 1), Piece(1, 3, 0, 1), Piece(0, 2, 1, 3)):
        with pytest.raises(ValueError, match="not in its text"):
            seen_around(b"abc", [piece])


def test_the_middle_of_a_long_block_is_hidden():
    text = "a = 1\n" * 50 + BLOCK + "\nb = 2\n" * 50
    start = text.index("0040qZ")
    assert hidden(text, start, start + 20) == [Span(0, 20, "KEY")]
    assert len(BLOCK) < AROUND


def test_long_findings_have_a_sign_that_is_looked_for():
    """Every detector of findings that may be longer than what is looked at elsewhere."""
    anchors = [anchor for one in private_keys.DETECTORS for anchor in one.anchors]
    assert all(any(sign.lower() in anchor for sign in LONG) for anchor in anchors)


def test_many_at_once_are_found_alike():
    texts = [piece * 3 for piece in PIECES] + ["", "é" + PIECES[0], BLOCK]
    plain = [find_in(text) for text in texts]
    assert find_each(texts) == plain
    prepare()
    assert find_each(texts) == plain
    assert find_each([]) == []
