"""How much of a middle is left: rows written by hand, and against a reading of each row token by token."""

import pytest
import torch
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from starloom.tokens.special_tokens import SPECIAL_IDS, find_markers
from starloom.training.horizon import HorizonHead, Horizons

MARKERS = find_markers(SPECIAL_IDS, 0, frozenset())
HORIZONS = Horizons(MARKERS)
# As rows are written here: end of text, prefix, suffix, middle, file; digits are words; `_` has no target.
TOKENS = {"E": 0, "P": MARKERS.prefix, "S": MARKERS.suffix, "M": MARKERS.middle, "F": MARKERS.file_sep}
TOKENS |= {str(digit): 40 + digit for digit in range(10)}


def row(text, after="E"):
    """(ids, targets) [1, T] of `text`, which `after` follows. A `_` after a token: its target does not count."""
    ids = [TOKENS[one] for one in text if one != "_"]
    targets = [*ids[1:], TOKENS[after] if after else -1]
    for place, one in enumerate(text):
        if one == "_":
            targets[place - 1 - text[:place].count("_")] = -1
    return torch.tensor([ids]), torch.tensor([targets])


def left(text, after="E", documents=None):
    """What is to be learnt, in words: the share left at each token, `.` where there is none."""
    numbers = None if documents is None else torch.tensor([[int(one) for one in documents]])
    found = HORIZONS.of(*row(text, after), numbers)
    assert found.dtype == torch.float32
    return " ".join("." if one < 0 else f"{one:g}" for one in found[0].tolist())


@pytest.mark.parametrize(
    ("text", "after", "documents", "expected"),
    [
        ("P1S2M3456E", "1", None, ". . . . 1 0.75 0.5 0.25 0 ."),
        ("P1S2M3456", "E", None, ". . . . 1 0.75 0.5 0.25 0"),  # the end follows the row's last token
        ("P1S2M34F12", "1", None, ". . . . 1 0.5 0 . . ."),  # another file ends it as well
        ("P1S2M3456", "7", None, ". . . . . . . . ."),  # cut by the row's end: how long it is, is not known
        ("P1S2M3456", None, None, ". . . . . . . . ."),  # cut by its document's end
        ("P1S2ME12", "1", None, ". . . . . . . ."),  # empty
        ("P1S2M3E1", "1", None, ". . . . 1 0 . ."),
        ("34E5P1S2M34E", "1", None, ". . . . . . . . 1 0.5 0 ."),
        ("PS12M3456E", "1", None, ". . . . . . . . . ."),  # suffix first: prefix and middle are one text
        ("PS2M3EP1S2M34E", "1", None, ". . . . . . . . . . 1 0.5 0 ."),
        ("12M3456E", "1", None, ". . . . . . . ."),  # which of the two it is, was before the row
        ("P1S2M34_56E", "1", None, ". . . . . . . . . ."),  # a document ends within, and another one goes on
        ("P1_S_2_M34E", "1", None, ". . . . 1 0.5 0 ."),  # fine-tuning: only the completion is learnt
        ("P1S2_M34E", "1", None, ". . . . 1 0.5 0 ."),
        ("P1_12M34E", "1", "00111111", ". . . . . . . ."),  # the prefix is another document's
        ("P1SM34E9", "1", "00000001", ". . . 1 0.5 0 . ."),
    ],
)
def test_rows(text, after, documents, expected):
    assert left(text, after, documents) == expected


def read(ids, targets):
    """The same, token by token."""
    ends = MARKERS.stops
    found = [-1.0] * len(ids)
    for begin, one in enumerate(ids):
        if one != MARKERS.middle:
            continue
        prefixes = [place for place in range(begin) if ids[place] == MARKERS.prefix]
        if not prefixes or ids[prefixes[-1] + 1] == MARKERS.suffix:
            continue
        stop = begin
        while stop < len(ids) and targets[stop] >= 0 and targets[stop] not in ends:
            stop += 1
        if stop < len(ids) and targets[stop] in ends and stop > begin:
            for place in range(begin, stop + 1):
                found[place] = (stop - place) / (stop - begin)
    return found


@profile(max_examples=200)
@given(st.lists(st.text("EPSMF123_", min_size=12, max_size=12), min_size=1, max_size=3), st.sampled_from("E1M"))
def test_read_token_by_token(texts, after):
    rows = [row(text.lstrip("_").replace("__", "1").ljust(13, "1").replace("_", "1_"), after) for text in texts]
    width = min(ids.shape[1] for ids, _ in rows)
    ids, targets = (torch.cat([one[:, :width] for one in many]) for many in zip(*rows, strict=True))
    found = HORIZONS.of(ids, targets, None)
    expected = torch.tensor([read(*pair) for pair in zip(ids.tolist(), targets.tolist(), strict=True)])
    torch.testing.assert_close(found, expected)


def test_the_head():
    head = HorizonHead(4)
    hidden = torch.randn(1, 3, 4, requires_grad=True)
    left = torch.tensor([[1.0, -1.0, 0.25]])
    loss = head(hidden, left)
    assert loss.item() == pytest.approx(0.5 + 0.25)  # it says a half at first
    loss.backward()
    assert not hidden.grad.any()
    # d |sigmoid(w h) - y| / d w at w = 0: sign / 4 * h
    expected = (-hidden.detach()[0, 0] + hidden.detach()[0, 2]) / 4
    torch.testing.assert_close(head.weight.grad[0], expected)


def test_a_head_without_middles_has_gradients_all_the_same():
    """Else processes that share a model would add up different tensors."""
    head = HorizonHead(4)
    head(torch.randn(2, 3, 4), torch.full((2, 3), -1.0)).backward()
    assert not head.weight.grad.any()
    assert not head.bias.grad.any()
