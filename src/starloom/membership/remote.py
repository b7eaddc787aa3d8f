"""A shard behind a wire: the calls of `shard.Shard` as frames, asked here and answered there.

What comes over the wire is checked on both sides before a kernel sees it: offsets lie in the query, indices in their
lists, lists are as long as they should be.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any, Final

import numpy as np

from starloom.kernels.text import Int64s, UInt8s
from starloom.membership.check import MOST_BYTES
from starloom.membership.described import Content, Described, in_columns
from starloom.membership.layout import content_ids, keys, packed_ids
from starloom.membership.matches import Place
from starloom.membership.shard import (
    ALL,
    Covered,
    Found,
    Places,
    Renamed,
    Shard,
    Split,
    Tiles,
    Wanted,
    used,
)
from starloom.outside.frames import Frame, check, from_bytes, to_bytes
from starloom.outside.peers import Caller, Send
from starloom.the_stack.origins import Origin

_SPLITS: Final = (None, "train", "held_out")
_MOST_WANTED: Final = 1 << 20
_COUNTS: Final = ("width", "shards", "files", "repositories")
_ORIGIN: Final = tuple(one.name for one in fields(Origin))


class Remote(Caller):
    """A Shard that is asked through `send`."""

    def __init__(self, send: Send, name: str) -> None:
        """Asks what is covered there. Raises what `send` raises, and PeerError for an answer that is none."""
        super().__init__(send, name)
        self.covered = self._covered()

    def _covered(self) -> Covered:
        answer = self.call("covered", {})
        with self.reading("covered"):
            told = answer.values["covered"]
            numbers = frozenset(map(int, told["numbers"]))
            found = Covered(**{**told, "numbers": numbers, "problems": tuple(map(str, told["problems"]))})
            check(type(found.made) is str and all(type(getattr(found, one)) is int for one in _COUNTS))
            check(found.width > 0 and all(0 <= one < found.shards for one in numbers))
            return found

    def tiles(self, query: UInt8s, split: Split, most: int) -> Tiles:
        answer = self._ask("tiles", {"split": split, "most": most}, {"query": query})
        with self.reading("tiles"):
            offsets, counts = answer.int64s("offsets"), answer.int64s("counts")
            check(len(offsets) == len(counts) and _ascending(offsets, len(query) - self.covered.width + 1))
            check(_within(counts, 1, most + 2))
            return Tiles(offsets, counts)

    def grown(self, query: UInt8s, offsets: Int64s, split: Split) -> Found:
        return self._found("grown", {"split": split}, {"query": query, "offsets": offsets})

    def some(self, query: UInt8s, offsets: Int64s, split: Split, most: int) -> Places:
        answer = self._ask("some", {"split": split, "most": most}, {"query": query, "offsets": offsets})
        with self.reading("some"):
            return _places(answer, len(offsets))

    def confirmed(self, query: UInt8s, offsets: Int64s, places: Places) -> Found:
        contents, arrays = _sent(places)
        return self._found("confirmed", contents, arrays | {"query": query, "offsets": offsets})

    def shapes(self, query: UInt8s, split: Split, most: int) -> Places:
        answer = self._ask("shapes", {"split": split, "most": most}, {"query": query})
        with self.reading("shapes"):
            return _shapes(answer, query)

    def renamed(self, query: UInt8s, places: Places) -> Renamed:
        contents, arrays = _sent(places)
        answer = self._ask("renamed", contents, arrays | {"query": query})
        with self.reading("renamed"):
            names = _contents(answer.values)
            content, start, end, first, last, tokens = map(answer.int64s, Renamed._fields[1:])
            check(len({len(one) for one in (content, start, end, first, last, tokens)}) == 1)
            check(_within(content, 0, len(names)) and _stretches(start, end, len(query)))
            check(_stretches(first, last, 2**62) and _within(tokens, 0, len(query) + 1))
            return Renamed(names, content, start, end, first, last, tokens)

    def described(self, wanted: Wanted) -> Described:
        values = {"contents": content_ids(wanted.contents[wanted.content])}
        arrays = {name: getattr(wanted, name) for name in ("most", "of", "first", "last")}
        answer = self._ask("described", values, arrays)
        with self.reading("described"):
            told = answer.values["described"]
            lines = answer.int64s("lines")
            check(isinstance(told, list) and len(told) == len(wanted.content))
            check(len(lines) == 2 * len(wanted.of) and _within(lines, 0, 2**62))
            return in_columns(map(_content, told), lines.reshape(2, -1))

    def _found(self, call: str, values: Mapping[str, Any], arrays: Mapping[str, Any]) -> Found:
        answer = self._ask(call, values, arrays)
        with self.reading(call):
            contents = _contents(answer.values)
            content, start, end, position = map(answer.int64s, ("content", "start", "end", "position"))
            check(len(content) == len(start) == len(end) == len(position))
            check(_within(content, 0, len(contents)) and _within(position, 0, 2**62))
            check(_stretches(start, end, len(arrays["query"])))
            return Found(contents, content, start, end, position)

    def _ask(self, call: str, values: Mapping[str, Any], arrays: Mapping[str, Any]) -> Frame:
        return self.call(call, values, arrays, self.covered.made)


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
        wanted = _wanted(frame)
        return lambda head: _told(head, shard.described(wanted))
    query = frame.uint8s("query")
    check(len(query) <= MOST_BYTES)
    split: Split = frame.values.get("split")
    check(split in _SPLITS)
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
    check(_ascending(offsets, len(query) - shard.covered.width + 1))
    if call == "grown":
        return lambda head: _of_contents(head, shard.grown(query, offsets, split))
    if call == "some":
        most = _most(frame)
        return lambda head: _of_contents(head, shard.some(query, offsets, split, most))
    check(call == "confirmed")
    places = _places(frame, len(offsets))
    return lambda head: _of_contents(head, shard.confirmed(query, offsets, places))


def _of_contents(head: dict[str, Any], found: Found | Places | Renamed) -> bytes:
    contents, arrays = _sent(found)
    return to_bytes(head | contents, arrays)


def _sent(found: Found | Places | Renamed) -> tuple[dict[str, Any], dict[str, Any]]:
    """(values, arrays) of a frame; contents that are not used stay here."""
    contents, content = used(found.contents, found.content)
    arrays = found._asdict() | {"content": content}
    del arrays["contents"]
    return {"contents": content_ids(contents)}, arrays


def _places(frame: Frame, tiles: int) -> Places:
    contents = _contents(frame.values)
    tile, again, content, position, sharing = map(frame.int64s, Places._fields[1:])
    check(len(tile) == len(again) == len(content) == len(position) and len(sharing) == tiles)
    check(_within(tile, 0, tiles) and _within(content, 0, len(contents)) and _within(position, 0, 2**62))
    check(_within(again, 0, 2) and _within(sharing, 0, ALL + 1))
    return Places(contents, tile, again, content, position, sharing)


def _contents(values: Mapping[str, Any]) -> UInt8s:
    told = values["contents"]
    check(isinstance(told, list) and all(type(one) is str for one in told))
    return packed_ids(told)


def _wanted(frame: Frame) -> Wanted:
    contents = _contents(frame.values)
    most, of, first, last = map(frame.int64s, ("most", "of", "first", "last"))
    check(len(np.unique(keys(contents))) == len(contents))  # a content's places are gone through
    check(len(contents) == len(most) <= _MOST_WANTED and _within(most, 0, 2**62))
    check(len(of) == len(first) == len(last) and _within(of, 0, len(contents)))
    check(_within(first, 0, 2**62) and _within(last, 0, 2**62))
    return Wanted(contents, np.arange(len(contents)), most, of, first, last)


def _told(head: dict[str, Any], described: Described) -> bytes:
    every = [
        [
            total,
            [asdict(one.origin) for one in places],
            [[kind, names, number] for (kind, names), number in licenses.items()],
        ]
        for total, places, licenses in described.each()
    ]
    return to_bytes(head | {"described": every}, {"lines": described.lines.reshape(-1)})


def _content(told: Any) -> Content:
    total, places, licenses = told
    counted = {(kind, tuple(map(str, names))): int(number) for kind, names, number in licenses}
    check(-1 <= int(total) < 2**32 and all(0 <= number < 2**32 for number in counted.values()))
    check(int(total) >= 0 or not (places or counted))
    return int(total), [Place.of(_origin(one)) for one in places], counted


def _origin(told: Mapping[str, Any]) -> Origin:
    values = {name: told[name] for name in _ORIGIN}
    return Origin(**values | {"detected_licenses": tuple(map(str, told["detected_licenses"]))})


def _most(frame: Frame) -> int:
    most = frame.values.get("most")
    check(type(most) is int and 0 < most <= ALL)
    return most  # type: ignore[return-value]


def _shapes(frame: Frame, query: UInt8s) -> Places:
    """Places of tiles of token shapes: of tokens of the query, which has no more of them than bytes."""
    tokens = len(frame.int64s("sharing"))
    check(tokens <= len(query) + 1)
    return _places(frame, tokens)


def _stretches(start: Int64s, end: Int64s, size: int) -> bool:
    return _within(start, 0, size) and _within(end, 1, size + 1) and bool((start < end).all())


def _ascending(values: Int64s, stop: int) -> bool:
    return _within(values, 0, stop) and bool((np.diff(values) > 0).all())


def _within(values: Int64s, start: int, stop: int) -> bool:
    return not len(values) or bool(values.min() >= start and values.max() < stop)
