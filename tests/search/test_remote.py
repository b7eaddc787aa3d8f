"""Search shards behind a wire: a question and its answer arrive as they were; nonsense is refused on both sides."""

from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.outside.frames import to_bytes
from starloom.outside.peers import PeerError
from starloom.search.ask import MOST_HITS, Covered, Found, Key, Question
from starloom.search.hits import Hit
from starloom.search.remote import Remote, answered

HIT = Hit(
    repo_name="one",
    path="a\u202e.py",
    line=3,
    snippet="def walrus(é):\n    pass",
    first_line=3,
    highlights=((4, 10), (12, 13)),
    language=None,
    license_type="permissive",
    detected_licenses=("MIT", "Apache-2.0"),
    content_id="ab" * 20,
    split="train",
    swhid="swh:1:cnt:" + "ab" * 20,
)
FACETS = {name: {"x": 2, "y": 1} for name in ("language", "license_type", "license", "repository")}
FOUND = Found(((Key(0, 2**64 - 1), HIT), (Key(3, 0), replace(HIT, language="C"))), 17, False, Key(3, 9), FACETS)


class Told:
    """Shards that say what they were made with, and keep what they were asked."""

    covered = Covered("mark", 4, 100, True, frozenset({1, 3}), ("shard 2 is damaged",))
    found = FOUND

    def __init__(self):
        self.asked = []

    def ask(self, question):
        self.asked.append(question)
        return self.found


def wired(shards):
    return Remote(lambda call, question: answered(shards, call, question), "there")


QUESTIONS = [
    Question('lang:c "é" or /x+/'),
    Question("x", Key(5, 2**64 - 1), 0, 0.0, 0.0, True, True),
    Question("x" * 9_000, None, MOST_HITS, 60, 1),
]


@pytest.mark.parametrize("question", QUESTIONS, ids=range(3))
@pytest.mark.parametrize("found", [FOUND, Found((), 0, True), replace(FOUND, facets=None, reached=None)], ids=range(3))
def test_there_and_back(question, found):
    shards = Told()
    shards.found = found
    remote = wired(shards)
    assert remote.covered == Told.covered
    assert remote.ask(question) == found
    assert shards.asked == [question]


WRONG = [
    ("query", 5),
    ("query", None),
    ("limit", -1),
    ("limit", MOST_HITS + 1),
    ("limit", True),
    ("seconds", -1),
    ("seconds", 10**9),
    ("seconds", "2"),
    ("count_seconds", None),
    ("facets", 1),
    ("raw", "yes"),
    ("after", 5),
    ("after", [1]),
    ("after", [1, -1]),
    ("after", [1, 2**64]),
    ("after", ["1", 2]),
    ("unknown", 1),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=range(len(WRONG)))
def test_a_question_that_is_none(name, value):
    shards = Told()
    with pytest.raises(ValueError):  # noqa: PT011 - one of many
        answered(shards, "ask", to_bytes(asdict(QUESTIONS[0]) | {name: value}))
    assert shards.asked == []


def test_no_such_call():
    for call in ("nothing", ""):
        with pytest.raises(ValueError, match="do not fit"):
            answered(Told(), call, to_bytes(asdict(QUESTIONS[0])))


def test_what_the_shards_refuse_is_told():
    class Refusing(Told):
        def ask(self, question):
            raise UserError("no such word", "write another")

    with pytest.raises(UserError, match="no such word"):
        wired(Refusing()).ask(QUESTIONS[0])


LIES = [
    {"total": "many"},
    {"complete": 1},
    {"reached": [1]},
    {"facets": {}},
    {"facets": {"language": 5}},
    {"hits": 5},
    {"hits": [[[0, 1], {}]]},
    {"hits": [[[0, 1], asdict(HIT) | {"line": "3"}]]},
    {"hits": [[[0, 1], asdict(HIT) | {"path": None}]]},
    {"hits": [[[0, 1], asdict(HIT) | {"more": 1}]]},
    {"hits": [[[-1, 1], asdict(HIT)]]},
]


@pytest.mark.parametrize("lie", LIES, ids=range(len(LIES)))
def test_an_answer_that_does_not_fit_together(lie):
    remote = wired(Told())
    told = vars(FOUND) | {"hits": [[key, asdict(hit)] for key, hit in FOUND.hits]} | lie
    remote._send = lambda _call, _question: to_bytes({"made": "mark", "found": told})
    with pytest.raises(PeerError, match="there: its answer cannot be read"):
        remote.ask(QUESTIONS[0])


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda tail: to_bytes({"made": "mark"}) + tail))
def test_an_answer_that_is_none(data):
    remote = wired(Told())
    remote._send = lambda _call, _question: data
    with pytest.raises(PeerError):
        remote.ask(QUESTIONS[0])
    with pytest.raises(PeerError):
        Remote(lambda _call, _question: data, "there")


def test_an_index_made_anew_meanwhile():
    shards = Told()
    remote = wired(shards)
    shards.covered = replace(shards.covered, made="another")
    with pytest.raises(PeerError, match="made anew meanwhile"):
        remote.ask(QUESTIONS[0])
