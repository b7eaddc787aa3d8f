"""Shards behind a wire: the question of `ask.Shards` as a frame, asked here and answered there.

The query crosses as text and is parsed where it is answered.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Final

from starloom.outside.frames import check, from_bytes, to_bytes
from starloom.outside.peers import Caller, Send
from starloom.search.ask import MOST_HITS, SECONDS, Covered, Found, Key, Question, Shards
from starloom.search.facets import FACETS
from starloom.search.hits import Hit

_MOST_SECONDS: Final = 60 * SECONDS
_MOST_RANK: Final = 2**64
_TEXTS: Final = tuple(one.name for one in fields(Hit) if one.type in (str, "str"))
_NUMBERS: Final = tuple(one.name for one in fields(Hit) if one.type in (int, "int"))


class Remote(Caller):
    """Shards that are asked through `send`."""

    def __init__(self, send: Send, name: str) -> None:
        """Asks what is covered there. Raises what `send` raises, and PeerError for an answer that is none."""
        super().__init__(send, name)
        answer = self.call("covered", {})
        with self.reading():
            self.covered = _covered(answer.values["covered"])

    def ask(self, question: Question) -> Found:
        answer = self.call("ask", asdict(question) | {"after": question.after}, made=self.covered.made)
        with self.reading():
            return _found(answer.values["found"])


def answered(shards: Shards, call: str, question: bytes) -> bytes:
    """What `shards` answer to a frame. Raises ValueError for a question that is none, UserError as they do."""
    frame = from_bytes(question)
    covered = shards.covered
    if call == "covered":
        return to_bytes({"covered": vars(covered) | {"numbers": sorted(covered.numbers)}})
    try:
        check(call == "ask")
        asked = _question(frame.values)
    except (KeyError, TypeError) as problem:
        raise ValueError(f"a question without {problem}") from None
    found = shards.ask(asked)
    told = vars(found) | {"hits": [[key, asdict(hit)] for key, hit in found.hits]}
    return to_bytes({"made": covered.made, "found": told})


def _question(told: Mapping[str, Any]) -> Question:
    after = told["after"]
    asked = Question(**{**told, "after": None if after is None else _key(after)})
    check(type(asked.query) is str and type(asked.facets) is bool and type(asked.raw) is bool)
    check(type(asked.limit) is int and 0 <= asked.limit <= MOST_HITS)
    for seconds in (asked.seconds, asked.count_seconds):
        check(type(seconds) in (int, float) and 0 <= seconds <= _MOST_SECONDS)
    return asked


def _covered(told: Mapping[str, Any]) -> Covered:
    numbers = frozenset(map(int, told["numbers"]))
    found = Covered(**{**told, "numbers": numbers, "problems": tuple(map(str, told["problems"]))})
    check(type(found.made) is str and type(found.shards) is int and type(found.files) is int)
    check(all(0 <= one < found.shards for one in numbers))
    return found


def _found(told: Mapping[str, Any]) -> Found:
    reached, facets = told["reached"], told["facets"]
    if facets is not None:
        facets = {name: {str(value): int(many) for value, many in facets[name].items()} for name in FACETS}
    check(type(told["complete"]) is bool)
    return Found(
        tuple((_key(key), _hit(hit)) for key, hit in told["hits"]),
        int(told["total"]),
        told["complete"],
        None if reached is None else _key(reached),
        facets,
    )


def _key(told: Any) -> Key:
    tier, rank = told
    check(type(tier) is int and type(rank) is int and 0 <= tier < 2**16 and 0 <= rank < _MOST_RANK)
    return Key(tier, rank)


def _hit(told: Mapping[str, Any]) -> Hit:
    check(all(type(told[name]) is str for name in _TEXTS) and all(type(told[name]) is int for name in _NUMBERS))
    return Hit(**{name: _tuples(value) for name, value in told.items()})


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
