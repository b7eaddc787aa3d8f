"""Shards behind a wire: the question of `ask.Shards` as a frame, asked here and answered there.

The query crosses as text and is parsed where it is answered. How frames travel is the caller's: `Send`.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any, Final, TypeAlias

from starloom.outside.frames import Frame, from_bytes, to_bytes
from starloom.outside.peers import PeerError
from starloom.search.ask import MOST_HITS, SECONDS, Covered, Found, Key, Question, Shards
from starloom.search.facets import FACETS
from starloom.search.hits import Hit

Send: TypeAlias = Callable[[str, bytes], bytes]  # the name of a call and its frame → the frame that answers

_MOST_SECONDS: Final = 60 * SECONDS
_MOST_RANK: Final = 2**64
_TEXTS: Final = tuple(one.name for one in fields(Hit) if one.type in (str, "str"))
_NUMBERS: Final = tuple(one.name for one in fields(Hit) if one.type in (int, "int"))


class Remote:
    """Shards that are asked through `send`."""

    def __init__(self, send: Send, name: str) -> None:
        """Asks what is covered there. Raises what `send` raises, and PeerError for an answer that is none."""
        self._send = send
        self._name = name
        try:
            self.covered = _covered(self._answer("covered", {}).values["covered"])
        except (ValueError, KeyError, TypeError):
            raise self._nonsense() from None

    def ask(self, question: Question) -> Found:
        frame = self._answer("ask", asdict(question) | {"after": question.after})
        if frame.values.get("made") != self.covered.made:
            raise PeerError(self._name, "its index was made anew meanwhile")
        try:
            return _found(frame.values["found"])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise self._nonsense() from None

    def _answer(self, call: str, values: Mapping[str, Any]) -> Frame:
        answer = self._send(call, to_bytes(values))
        try:
            return from_bytes(answer)
        except ValueError:
            raise self._nonsense() from None

    def _nonsense(self) -> PeerError:
        return PeerError(self._name, "its answer cannot be read")


def answered(shards: Shards, call: str, question: bytes) -> bytes:
    """What `shards` answer to a frame. Raises ValueError for a question that is none, UserError as they do."""
    frame = from_bytes(question)
    covered = shards.covered
    if call == "covered":
        return to_bytes({"covered": vars(covered) | {"numbers": sorted(covered.numbers)}})
    try:
        _check(call == "ask")
        asked = _question(frame.values)
    except (KeyError, TypeError) as problem:
        raise ValueError(f"a question without {problem}") from None
    found = shards.ask(asked)
    told = vars(found) | {"hits": [[key, asdict(hit)] for key, hit in found.hits]}
    return to_bytes({"made": covered.made, "found": told})


def _question(told: Mapping[str, Any]) -> Question:
    after = told["after"]
    asked = Question(**{**told, "after": None if after is None else _key(after)})
    _check(type(asked.query) is str and type(asked.facets) is bool and type(asked.raw) is bool)
    _check(type(asked.limit) is int and 0 <= asked.limit <= MOST_HITS)
    for seconds in (asked.seconds, asked.count_seconds):
        _check(type(seconds) in (int, float) and 0 <= seconds <= _MOST_SECONDS)
    return asked


def _covered(told: Mapping[str, Any]) -> Covered:
    numbers = frozenset(map(int, told["numbers"]))
    found = Covered(**{**told, "numbers": numbers, "problems": tuple(map(str, told["problems"]))})
    _check(type(found.made) is str and type(found.shards) is int and type(found.files) is int)
    _check(all(0 <= one < found.shards for one in numbers))
    return found


def _found(told: Mapping[str, Any]) -> Found:
    reached, facets = told["reached"], told["facets"]
    if facets is not None:
        facets = {name: {str(value): int(many) for value, many in facets[name].items()} for name in FACETS}
    _check(type(told["complete"]) is bool)
    return Found(
        tuple((_key(key), _hit(hit)) for key, hit in told["hits"]),
        int(told["total"]),
        told["complete"],
        None if reached is None else _key(reached),
        facets,
    )


def _key(told: Any) -> Key:
    tier, rank = told
    _check(type(tier) is int and type(rank) is int and 0 <= tier < 2**16 and 0 <= rank < _MOST_RANK)
    return Key(tier, rank)


def _hit(told: Mapping[str, Any]) -> Hit:
    _check(all(type(told[name]) is str for name in _TEXTS) and all(type(told[name]) is int for name in _NUMBERS))
    return Hit(**{name: _tuples(value) for name, value in told.items()})


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _check(sound: bool) -> None:
    if not sound:
        raise ValueError("values that do not fit together")
