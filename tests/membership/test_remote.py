"""A shard behind a wire: what it says arrives as it was said; what does not fit together reaches no kernel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.membership.described import Made, in_columns
from starloom.membership.layout import content_ids, packed_ids
from starloom.membership.matches import Place
from starloom.membership.remote import Remote, answered
from starloom.membership.shard import ALL, NOT_HERE, Covered, Found, Places, Renamed, Tiles, Wanted
from starloom.outside.frames import from_bytes, to_bytes
from starloom.outside.peers import PeerError
from starloom.the_stack.origins import Origin

QUERY = np.arange(120, dtype=np.uint8)
WIDTH = 50
IDS = packed_ids(["aa" * 20, "bb" * 20])
ORIGIN = Origin(
    repo_name="one",
    path="a.py",
    content_id="ab" * 20,
    revision_id=None,
    url="https://github.com/x/one",
    license_type="permissive",
    detected_licenses=("MIT", "Apache-2.0"),
    language="Python",
    split="train",
    in_dataset=True,
)


def ints(*values):
    return np.array(values, dtype=np.int64)


class Told:
    """A shard that says what it was made with, and keeps what it was asked."""

    covered = Covered("mark", WIDTH, 3, 10, 2, True, frozenset({0, 2}), ("shard 1 is damaged",))

    def __init__(self):
        self.asked = []

    def tiles(self, query, split, most):
        self.asked.append((query.tolist(), split, most))
        return Tiles(ints(0, 7, 70), ints(1, most + 1, 2))

    def grown(self, query, offsets, split):
        self.asked.append((query.tolist(), offsets.tolist(), split))
        return Found(IDS, ints(0, 1, 1), ints(0, 3, 5), ints(60, 120, 99), ints(0, 10**12, 3))

    def some(self, query, offsets, split, most):
        self.asked.append((query.tolist(), offsets.tolist(), split, most))
        return Places(IDS, ints(0, 1), ints(0, 1), ints(1, 0), ints(50, 0), ints(*[ALL] * len(offsets)))

    def confirmed(self, query, offsets, places):
        self.asked.append((query.tolist(), offsets.tolist(), [np.asarray(one).tolist() for one in places]))
        return Found(IDS[:0], *[ints()] * 4)

    def shapes(self, query, split, most):
        self.asked.append((query.tolist(), split, most))
        return Places(IDS[:1], ints(1), ints(0), ints(0), ints(4), ints(0, 1, 0))

    def renamed(self, query, places):
        self.asked.append((query.tolist(), [np.asarray(one).tolist() for one in places]))
        return Renamed(IDS[:1], ints(0), ints(3), ints(99), ints(5), ints(400), ints(31))

    def described(self, wanted):
        self.asked.append([np.asarray(one).tolist() for one in wanted[2:]])
        self.asked.append(content_ids(wanted.contents[wanted.content]))
        licenses = {("permissive", ("MIT", "Apache-2.0")): 3, (None, ()): 1}
        told = [(4, [Place.of(ORIGIN)] * 2, licenses), NOT_HERE]
        return in_columns(told[: len(wanted.content)], np.array([[1, 7], [2, 7]])[:, : len(wanted.of)])


def plain(column):
    if hasattr(column, "_fields"):
        return [plain(one) for one in column]
    return list(column) if isinstance(column, list | Made) else np.asarray(column).tolist()


def same(one, two):
    if isinstance(one, tuple) and hasattr(one, "_fields"):
        assert type(one) is type(two)
        assert [plain(column) for column in one] == [plain(column) for column in two]
    else:
        assert one == two


@pytest.fixture
def shard():
    return Told()


@pytest.fixture
def remote(shard):
    return Remote(lambda call, question: answered(shard, call, question), "there")


def places():
    return Told().some(QUERY, ints(0, 7), None, 5)


CALLS = {
    "tiles": (QUERY, "train", 32),
    "grown": (QUERY, ints(0, 7, 70), None),
    "some": (QUERY, ints(0, 7), "held_out", 4096),
    "confirmed": (QUERY, ints(0, 7), places()),
    "shapes": (QUERY, None, 1),
    "renamed": (QUERY, Told().shapes(QUERY, None, 1)),
    "described": (Wanted(IDS, ints(1, 0), ints(1 << 40, 20), ints(0, 0), ints(0, 4), ints(9, 4)),),
}


def test_what_it_covers(remote):
    assert remote.covered == Told.covered


@pytest.mark.parametrize("call", CALLS)
def test_each_call_arrives_as_it_was_asked_and_comes_back_as_it_was_said(shard, remote, call):
    here = Told()
    same(getattr(remote, call)(*CALLS[call]), getattr(here, call)(*CALLS[call]))
    assert shard.asked == here.asked


def test_nothing_found(shard, remote):
    shard.tiles = lambda *_: Tiles(ints(), ints())
    shard.some = lambda *_: Places(IDS[:0], ints(), ints(), ints(), ints(), ints())
    assert len(remote.tiles(QUERY, None, 1).offsets) == 0
    assert remote.some(QUERY, ints(), None, 1).contents.tolist() == []
    same(remote.described(Wanted(IDS, *[ints()] * 5)), in_columns([], np.zeros((2, 0), dtype=np.int64)))


def frame(call):
    """What is sent for a call."""
    sent = []

    def send(name, question):
        sent.append((name, question))
        return answered(Told(), name, question)

    getattr(Remote(send, "there"), call)(*CALLS[call])
    return from_bytes(sent[-1][1])


WRONG = [
    ("tiles", "most", 0),
    ("tiles", "most", ALL + 1),
    ("tiles", "most", True),
    ("tiles", "most", "5"),
    ("tiles", "split", "test"),
    ("tiles", "split", ["train"]),
    ("tiles", "query", ints(1)),
    ("grown", "offsets", ints(-1)),
    ("grown", "offsets", ints(71)),
    ("grown", "offsets", ints(7, 7)),
    ("grown", "offsets", ints(9, 3)),
    ("grown", "offsets", np.zeros(1, dtype=np.uint8)),
    ("some", "most", 10**9),
    ("confirmed", "tile", ints(0, 2)),
    ("confirmed", "tile", ints(0, -1)),
    ("confirmed", "content", ints(0, 2)),
    ("confirmed", "content", ints(0)),
    ("confirmed", "position", ints(-1, 0)),
    ("confirmed", "position", ints(2**62, 0)),
    ("confirmed", "again", ints(0, 2)),
    ("confirmed", "sharing", ints(1)),
    ("confirmed", "sharing", ints(1, ALL + 1)),
    ("confirmed", "contents", ["aa" * 20, 5]),
    ("confirmed", "contents", ["aa" * 20, "bb"]),
    ("confirmed", "contents", "aa" * 40),
    ("confirmed", "contents", None),
    ("renamed", "tile", ints(3)),
    ("renamed", "sharing", ints(*[0] * 200)),
    ("described", "contents", None),
    ("described", "contents", ["aa" * 20, 5]),
    ("described", "contents", ["aa" * 20, "bb"]),
    ("described", "contents", ["aa" * 20]),
    ("described", "contents", ["aa" * 20] * 2),
    ("described", "most", ints(1)),
    ("described", "most", ints(1, -1)),
    ("described", "most", np.zeros(2, dtype=np.uint8)),
    ("described", "of", ints(0, 2)),
    ("described", "of", ints(-1, 0)),
    ("described", "of", ints(0)),
    ("described", "first", ints(-1, 2)),
    ("described", "last", ints(0, 2**62)),
]


@pytest.mark.parametrize(("call", "name", "value"), WRONG, ids=range(len(WRONG)))
def test_a_question_that_does_not_fit_together(shard, call, name, value):
    sound = frame(call)
    values, arrays = dict(sound.values), dict(sound.arrays)
    if isinstance(value, np.ndarray):
        arrays[name] = value
    else:
        values[name] = value
    with pytest.raises(ValueError, match="frame"):
        answered(shard, call, to_bytes(values, arrays))
    assert shard.asked == []


@pytest.mark.parametrize("call", CALLS)
def test_a_question_without_something(shard, call):
    sound = frame(call)
    for missing in (*sound.values, *sound.arrays):
        values = {name: value for name, value in sound.values.items() if name != missing}
        arrays = {name: value for name, value in sound.arrays.items() if name != missing}
        if missing == "split":
            continue  # none is both
        with pytest.raises(ValueError, match="frame"):
            answered(shard, call, to_bytes(values, arrays))
    assert shard.asked == []


def test_no_such_call(shard):
    with pytest.raises(ValueError, match="frame"):
        answered(shard, "nothing", to_bytes({}, {"query": QUERY, "offsets": ints()}))


def test_a_query_too_large(shard):
    with pytest.raises(ValueError, match="frame"):
        answered(shard, "tiles", to_bytes({"most": 1}, {"query": np.zeros((8 << 20) + 1, dtype=np.uint8)}))


LIES = {
    "tiles": [
        Tiles(ints(0, 0), ints(1, 1)),
        Tiles(ints(71), ints(1)),
        Tiles(ints(0), ints(34)),
        Tiles(ints(0), ints()),
    ],
    "grown": [
        Found(IDS[:1], ints(0), ints(50), ints(50), ints(0)),
        Found(IDS[:1], ints(0), ints(0), ints(121), ints(0)),
        Found(IDS[:1], ints(0), ints(0), ints(50), ints(-1)),
        Found(IDS[:1], ints(0), ints(0), ints(50), ints()),
    ],
    "some": [Places(IDS[:1], ints(2), ints(0), ints(0), ints(0), ints(1, 1))],
    "renamed": [Renamed(IDS[:1], ints(0), ints(3), ints(99), ints(5), ints(5), ints(31))],
    "described": [
        in_columns([], np.zeros((2, 2), dtype=np.int64)),
        in_columns([NOT_HERE], np.zeros((2, 2), dtype=np.int64)),
        in_columns([NOT_HERE] * 2, np.zeros((2, 1), dtype=np.int64)),
        in_columns([NOT_HERE] * 2, np.full((2, 2), -1)),
        in_columns([(-2, [], {}), NOT_HERE], np.zeros((2, 2), dtype=np.int64)),
        in_columns([(1, [], {(None, ()): -1}), NOT_HERE], np.zeros((2, 2), dtype=np.int64)),
        in_columns([(2**61, [], {}), NOT_HERE], np.zeros((2, 2), dtype=np.int64)),
        in_columns([(1, [], {(None, ()): 2**53}), NOT_HERE], np.zeros((2, 2), dtype=np.int64)),
        in_columns([(-1, [], {(None, ()): 1}), NOT_HERE], np.zeros((2, 2), dtype=np.int64)),
    ],
}


@pytest.mark.parametrize(
    ("call", "lie"),
    [(call, lie) for call, lies in LIES.items() for lie in lies],
    ids=[f"{call}-{number}" for call, lies in LIES.items() for number in range(len(lies))],
)
def test_an_answer_that_does_not_fit_together(shard, remote, call, lie):
    setattr(shard, call, lambda *_: lie)
    with pytest.raises(PeerError, match="there: its answer to"):
        getattr(remote, call)(*CALLS[call])


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda tail: to_bytes({"made": "mark"}) + tail))
def test_an_answer_that_is_none(data):
    remote = Remote(lambda call, question: answered(Told(), call, question), "there")
    remote._send = lambda _call, _question: data
    for call, arguments in CALLS.items():
        with pytest.raises(PeerError):
            getattr(remote, call)(*arguments)
    with pytest.raises(PeerError):
        Remote(lambda _call, _question: data, "there")


def test_an_index_made_anew_meanwhile(shard, remote):
    shard.covered = Covered("another", WIDTH, 3, 10, 2, True, frozenset({0, 2}))
    with pytest.raises(PeerError, match="made anew meanwhile"):
        remote.tiles(QUERY, None, 1)


def test_a_number_of_no_content():
    """Of contents that are not used none is sent, so that the number has to be forged behind the shard."""

    def forged(call, question):
        told = from_bytes(answered(Told(), call, question))
        return (
            to_bytes(told.values, {**told.arrays, "content": ints(0, 1, 2)}) if call == "grown" else question_of(told)
        )

    def question_of(told):
        return to_bytes(told.values, told.arrays)

    with pytest.raises(PeerError, match="there: its answer to"):
        Remote(forged, "there").grown(QUERY, ints(0, 7, 70), None)
