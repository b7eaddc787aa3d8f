"""A shard behind a wire: the calls of `shard.Shard` as frames, asked here and answered there.

What comes over the wire is checked on both sides before a kernel sees it: offsets lie in the query, indices in their
lists, lists are as long as they should be. How frames travel is the caller's: `Send`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, Final, TypeAlias

import numpy as np

from starloom.kernels.text import Int64s, UInt8s
from starloom.membership.check import MOST_BYTES
from starloom.membership.shard import ALL, Covered, Described, Found, Places, Renamed, Shard, Split, Tiles, Wanted
from starloom.outside.frames import Frame, from_bytes, to_bytes
from starloom.outside.peers import PeerError
from starloom.the_stack.origins import Origin

Send: TypeAlias = Callable[
    [str, bytes], bytes
]  # the name of a call, a frame; the frame that answers. May raise UserError

_SPLITS: Final = (None, "train", "held_out")
_MOST_WANTED: Final = 1 << 20
_COUNTS: Final = ("width", "shards", "files", "repositories")
_ORIGIN: Final = tuple(one.name for one in fields(Origin))


class Remote:
    """A Shard that is asked through `send`."""

    def __init__(self, send: Send, name: str) -> None:
        """Asks what is covered there. Raises what `send` raises, and PeerError for an answer that is none."""
        self._send = send
        self._name = name
        self.covered = self._covered()

    def _covered(self) -> Covered:
        answer = self._ask("covered", {}, {})
        with _Blaming(self):
            told = answer.values["covered"]
            numbers = frozenset(map(int, told["numbers"]))
            found = Covered(**{**told, "numbers": numbers, "problems": tuple(map(str, told["problems"]))})
            _check(type(found.made) is str and all(type(getattr(found, one)) is int for one in _COUNTS))
            _check(found.width > 0 and all(0 <= one < found.shards for one in numbers))
            return found

    def tiles(self, query: UInt8s, split: Split, most: int) -> Tiles:
        answer = self._ask("tiles", {"split": split, "most": most}, {"query": query})
        with _Blaming(self):
            offsets, counts = answer.int64s("offsets"), answer.int64s("counts")
            _check(len(offsets) == len(counts) and _ascending(offsets, len(query) - self.covered.width + 1))
            _check(_within(counts, 1, most + 2))
            return Tiles(offsets, counts)

    def grown(self, query: UInt8s, offsets: Int64s, split: Split) -> Found:
        answer = self._ask("grown", {"split": split}, {"query": query, "offsets": offsets})
        return self._found(answer, query)

    def some(self, query: UInt8s, offsets: Int64s, split: Split, most: int) -> Places:
        answer = self._ask("some", {"split": split, "most": most}, {"query": query, "offsets": offsets})
        with _Blaming(self):
            return _places(answer, len(offsets))

    def confirmed(self, query: UInt8s, offsets: Int64s, places: Places) -> Found:
        arrays = {name: getattr(places, name) for name in Places._fields if name != "contents"}
        arrays |= {"query": query, "offsets": offsets}
        return self._found(self._ask("confirmed", {"contents": places.contents}, arrays), query)

    def shapes(self, query: UInt8s, split: Split, most: int) -> Places:
        answer = self._ask("shapes", {"split": split, "most": most}, {"query": query})
        with _Blaming(self):
            return _shapes(answer, query)

    def renamed(self, query: UInt8s, places: Places) -> Renamed:
        arrays = {name: getattr(places, name) for name in Places._fields if name != "contents"}
        answer = self._ask("renamed", {"contents": places.contents}, arrays | {"query": query})
        with _Blaming(self):
            contents = _contents(answer.values)
            content, start, end, first, last, tokens = map(answer.int64s, Renamed._fields[1:])
            _check(len({len(one) for one in (content, start, end, first, last, tokens)}) == 1)
            _check(_within(content, 0, len(contents)) and _stretches(start, end, len(query)))
            _check(_stretches(first, last, 2**62) and _within(tokens, 0, len(query) + 1))
            return Renamed(contents, content, start, end, first, last, tokens)

    def described(self, wanted: Sequence[Wanted]) -> list[Described | None]:
        answer = self._ask("described", {"wanted": list(wanted)}, {}).values
        with _Blaming(self):
            told = [one and _described(one) for one in answer["described"]]
            _check(len(told) == len(wanted))
            return told

    def _found(self, answer: Frame, query: UInt8s) -> Found:
        with _Blaming(self):
            contents = _contents(answer.values)
            content, start, end, position = map(answer.int64s, ("content", "start", "end", "position"))
            _check(len(content) == len(start) == len(end) == len(position))
            _check(_within(content, 0, len(contents)) and _within(position, 0, 2**62))
            _check(_stretches(start, end, len(query)))
            return Found(contents, content, start, end, position)

    def _ask(self, call: str, values: Mapping[str, Any], arrays: Mapping[str, Any]) -> Frame:
        answer = self._send(call, to_bytes(values, arrays))
        try:
            frame = from_bytes(answer)
        except ValueError:
            raise self._nonsense(call) from None
        made = frame.values.get("made")
        if call != "covered" and made != self.covered.made:
            raise PeerError(self._name, "its index was made anew meanwhile")
        return frame

    def _nonsense(self, call: str) -> PeerError:
        return PeerError(self._name, f"its answer to `{call}` cannot be read")


class _Blaming:
    """What is wrong with the answer of a peer, as PeerError."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, problem: BaseException | None, _trace: object) -> None:
        if isinstance(problem, ValueError | KeyError | TypeError | AttributeError):
            raise self._remote._nonsense("a question") from None


def answered(shard: Shard, call: str, question: bytes) -> bytes:
    """What `shard` answers to a frame. Raises ValueError for a question that is none, UserError as the shard does."""
    frame = from_bytes(question)
    try:
        ask = _question(shard, call, frame)
    except (KeyError, TypeError, ValueError) as problem:
        raise ValueError(f"a frame that asks nothing: {problem}") from None
    return ask({"made": shard.covered.made})


def _question(shard: Shard, call: str, frame: Frame) -> Callable[[dict[str, Any]], bytes]:
    """What is asked, read and checked; called with what every answer says, it answers."""
    if call == "covered":
        told = vars(shard.covered) | {"numbers": sorted(shard.covered.numbers)}
        return lambda head: to_bytes(head | {"covered": told})
    if call == "described":
        wanted = [_wanted(one) for one in _listed(frame, "wanted")]
        return lambda head: to_bytes(head | {"described": [one and _told(one) for one in shard.described(wanted)]})
    query = frame.uint8s("query")
    _check(len(query) <= MOST_BYTES)
    split: Split = frame.values.get("split")
    _check(split in _SPLITS)
    if call == "tiles":
        most = _most(frame)
        return lambda head: to_bytes(head, shard.tiles(query, split, most)._asdict())
    if call == "shapes":
        most = _most(frame)
        return lambda head: _of_contents(head, shard.shapes(query, split, most))
    if call == "renamed":
        places = _shapes(frame, query)
        return lambda head: _of_contents(head, shard.renamed(query, places))
    offsets = frame.int64s("offsets")
    _check(_ascending(offsets, len(query) - shard.covered.width + 1))
    if call == "grown":
        return lambda head: _of_contents(head, shard.grown(query, offsets, split))
    if call == "some":
        most = _most(frame)
        return lambda head: _of_contents(head, shard.some(query, offsets, split, most))
    _check(call == "confirmed")
    places = _places(frame, len(offsets))
    return lambda head: _of_contents(head, shard.confirmed(query, offsets, places))


def _of_contents(head: dict[str, Any], found: Found | Places | Renamed) -> bytes:
    arrays = found._asdict()
    return to_bytes(head | {"contents": arrays.pop("contents")}, arrays)


def _places(frame: Frame, tiles: int) -> Places:
    contents = _contents(frame.values)
    tile, again, content, position, sharing = map(frame.int64s, Places._fields[1:])
    _check(len(tile) == len(again) == len(content) == len(position) and len(sharing) == tiles)
    _check(_within(tile, 0, tiles) and _within(content, 0, len(contents)) and _within(position, 0, 2**62))
    _check(_within(again, 0, 2) and _within(sharing, 0, ALL + 1))
    return Places(contents, tile, again, content, position, sharing)


def _contents(values: Mapping[str, Any]) -> tuple[str, ...]:
    told = values["contents"]
    _check(isinstance(told, list) and all(type(one) is str for one in told))
    return tuple(told)


def _wanted(told: Any) -> Wanted:
    content, lines, most = told
    _check(type(content) is str and (most is None or (type(most) is int and most >= 0)))
    pairs = tuple((first, last) for first, last in lines)
    _check(all(type(one) is int and 0 <= one < 2**62 for pair in pairs for one in pair))
    return Wanted(content, pairs, most)


def _told(described: Described) -> dict[str, Any]:
    return {
        "lines": described.lines,
        "places": [asdict(one) for one in described.places],
        "total": described.total,
        "licenses": [[kind, names, number] for (kind, names), number in described.licenses.items()],
    }


def _described(told: Mapping[str, Any]) -> Described:
    return Described(
        tuple((int(first), int(last)) for first, last in told["lines"]),
        tuple(_origin(one) for one in told["places"]),
        int(told["total"]),
        {(kind, tuple(map(str, names))): int(number) for kind, names, number in told["licenses"]},
    )


def _origin(told: Mapping[str, Any]) -> Origin:
    values = {name: told[name] for name in _ORIGIN}
    return Origin(**values | {"detected_licenses": tuple(map(str, told["detected_licenses"]))})


def _listed(frame: Frame, name: str) -> list[Any]:
    found = frame.values.get(name)
    _check(isinstance(found, list) and len(found) <= _MOST_WANTED)
    return found  # type: ignore[return-value]


def _most(frame: Frame) -> int:
    most = frame.values.get("most")
    _check(type(most) is int and 0 < most <= ALL)
    return most  # type: ignore[return-value]


def _shapes(frame: Frame, query: UInt8s) -> Places:
    """Places of tiles of token shapes: of tokens of the query, which has no more of them than bytes."""
    tokens = len(frame.int64s("sharing"))
    _check(tokens <= len(query) + 1)
    return _places(frame, tokens)


def _stretches(start: Int64s, end: Int64s, size: int) -> bool:
    return _within(start, 0, size) and _within(end, 1, size + 1) and bool((start < end).all())


def _ascending(values: Int64s, stop: int) -> bool:
    return _within(values, 0, stop) and bool((np.diff(values) > 0).all())


def _within(values: Int64s, start: int, stop: int) -> bool:
    return not len(values) or bool(values.min() >= start and values.max() < stop)


def _check(sound: bool) -> None:
    if not sound:
        raise ValueError("a frame whose values do not fit together")
