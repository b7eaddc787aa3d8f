"""What must follow an anchor or stand before it, as a regular expression made into a table: one load a byte, and no
way back.

Of `re` as much as tells bytes apart: characters, sets, escapes of both, groups `(?:…)`, `|`, `?`, `*`, `+`, `{n}`,
`{n,}`, `{n,m}`; ASCII, in any case but in `(?-i:…)`. Whether a text matches is all that is asked, so that greed means
nothing and the walk ends at the first byte that settles it. What stands before an anchor is read from the anchor back,
by the pattern mirrored. A text has a line end at its ends, which need not be written. Patterns whose sets of states are
many are refused: see MOST_STATES.
"""

import re
from array import array
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

FAR: Final = 1_000  # bytes after or before an anchor that are looked at
MOST_STATES: Final = 1 << 14
NO, YES = 0, 1  # the states that settle it

_Set: TypeAlias = int  # 256 bits, of each byte whether it is in
_ALL: Final = (1 << 256) - 1
_COUNT = re.compile(r"\{(\d+)(,?)(\d*)\}")
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v"}


class Node(NamedTuple):
    """Of a pattern: a set of bytes, or parts in order, or parts of which one is there, or a part that repeats."""

    kind: str  # "set", "all", "any", "times"
    bytes: _Set = 0
    parts: "tuple[Node, ...]" = ()
    least: int = 1
    most: int | None = 1  # None: without end


def expression(pattern: str) -> re.Pattern[bytes]:
    """The same by `re`: what a pattern means."""
    return re.compile(pattern.encode("ascii"), re.IGNORECASE)


def mirrored(pattern: str) -> re.Pattern[bytes]:
    """What matches a text from its first byte on, if the pattern matches it read from its last byte back."""
    return re.compile(_written(_mirrored(_Parser(pattern).whole())).encode("ascii"))


class Tails:
    """Of patterns, and after them of those that are read `backwards`: `table[state + classes[byte]]` is the next state;
    each has its first in `starts`."""

    def __init__(self, patterns: Sequence[str], backwards: Sequence[str] = ()) -> None:
        parsed = [_Parser(one).whole() for one in patterns] + [_mirrored(_Parser(one).whole()) for one in backwards]
        self.classes, members = _classes({one for node in parsed for one in _sets(node)})
        self.width = len(members)
        rows: list[list[int]] = [[NO] * self.width, [YES] * self.width]
        self.yes = YES * self.width  # this state says that all is there, those before it that it is not
        self.starts = [_rows(node, members, rows) * self.width for node in parsed]
        self.table = array("I", (state * self.width for row in rows for state in row))


class _Parser:
    def __init__(self, pattern: str) -> None:
        self.pattern, self.at = pattern, 0
        self.any_case = True

    def whole(self) -> Node:
        node = self._either()
        if self.at < len(self.pattern):
            raise self._wrong()
        return node

    def _wrong(self) -> ValueError:
        return ValueError(f"{self.pattern!r}, character {self.at}: not a pattern for what follows an anchor")

    def _next(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def _take(self, text: str) -> bool:
        taken = self.pattern.startswith(text, self.at)
        self.at += len(text) * taken
        return taken

    def _either(self) -> Node:
        parts = [self._sequence()]
        while self._take("|"):
            parts.append(self._sequence())
        return Node("any", parts=tuple(parts))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._next() not in ("", "|", ")"):
            parts.append(self._repeated(self._one()))
        return Node("all", parts=tuple(parts))

    def _one(self) -> Node:
        for opened, any_case in (("(?:", self.any_case), ("(?-i:", False)):
            if self._take(opened):
                outside, self.any_case = self.any_case, any_case
                node = self._either()
                self.any_case = outside
                if not self._take(")"):
                    raise self._wrong()
                return node
        if self._take("["):
            return Node("set", self._set())
        if self._next() in ("(", "*", "+", "?", "{", "^", "$", "."):
            raise self._wrong()
        return Node("set", self._in_case(self._escaped_or_plain()))

    def _in_case(self, found: _Set) -> _Set:
        return _folded(found) if self.any_case else found

    def _repeated(self, node: Node) -> Node:
        for sign, least, most in (("?", 0, 1), ("*", 0, None), ("+", 1, None)):
            if self._take(sign):
                return Node("times", parts=(node,), least=least, most=most)
        if count := _COUNT.match(self.pattern, self.at):
            self.at = count.end()
            least = int(count[1])
            return Node("times", 0, (node,), least, int(count[3]) if count[3] else None if count[2] else least)
        return node

    def _set(self) -> _Set:
        inverse = self._take("^")
        found = self._members()
        while not self._take("]"):
            found |= self._members()
        found = self._in_case(found)
        return _ALL ^ found if inverse else found

    def _members(self) -> _Set:
        low = self._escaped_or_plain()
        if self._next() != "-" or self.pattern.startswith("-]", self.at):
            return low
        self.at += 1
        high = self._escaped_or_plain()
        if low.bit_count() != 1 or high.bit_count() != 1 or low > high:
            raise self._wrong()
        return (high << 1) - low  # from one bit to the other

    def _escaped_or_plain(self) -> _Set:
        character = self._next()
        if not character or not character.isascii():
            raise self._wrong()
        self.at += 1
        if character != "\\":
            return 1 << ord(character)
        name = self._next()
        self.at += 1
        if name in ("s", "d", "w"):
            return _of(byte for byte in range(128) if re.match(rb"\%s" % name.encode(), bytes([byte])))
        if not name or (name.isalnum() and name not in _CONTROLS):
            self.at -= 1
            raise self._wrong()
        return 1 << ord(_CONTROLS.get(name, name))


def _of(members: Iterator[int]) -> _Set:
    return sum(1 << byte for byte in members)


def _folded(found: _Set) -> _Set:
    """With each letter in both cases."""
    upper, lower = ((1 << 26) - 1) << ord("A"), ((1 << 26) - 1) << ord("a")
    return found | (found & upper) << 32 | (found & lower) >> 32


def _mirrored(node: Node) -> Node:
    parts = tuple(map(_mirrored, node.parts))
    return node._replace(parts=parts[::-1] if node.kind == "all" else parts)


def _written(node: Node) -> str:
    """A pattern of it for `re`."""
    if node.kind == "set":
        members = "".join(rf"\x{byte:02x}" for byte in range(256) if node.bytes >> byte & 1)
        return f"[{members}]"
    parts = list(map(_written, node.parts))
    if node.kind == "times":
        most = "" if node.most is None else node.most
        return f"(?:{parts[0]}){{{node.least},{most}}}"
    return "".join(parts) if node.kind == "all" else f"(?:{'|'.join(parts)})"


def _sets(node: Node) -> Iterator[_Set]:
    if node.kind == "set":
        yield node.bytes
    for part in node.parts:
        yield from _sets(part)


def _classes(sets: set[_Set]) -> tuple[bytes, list[int]]:
    """(the class of each byte, a byte of each class): bytes that no set tells apart are one."""
    ordered = sorted(sets)
    numbers: dict[tuple[int, ...], int] = {}
    classes = bytearray(256)
    members: list[int] = []
    for byte in range(256):
        key = tuple(one >> byte & 1 for one in ordered)
        if key not in numbers:
            numbers[key] = len(numbers)
            members.append(byte)
        classes[byte] = numbers[key]
    return bytes(classes), members


class _Places:
    """A pattern as places, each with the bytes it takes and the place after it; or, of no bytes, those it leads to."""

    def __init__(self) -> None:
        self.takes: list[_Set] = [0]
        self.leads: list[list[int]] = [[]]  # place 0 is the end

    def add(self, takes: _Set, leads: list[int]) -> int:
        self.takes.append(takes)
        self.leads.append(leads)
        return len(self.takes) - 1

    def made(self, node: Node, after: int) -> int:
        """Where `node` begins, if `after` comes behind it."""
        if node.kind == "set":
            return self.add(node.bytes, [after])
        if node.kind == "all":
            for part in reversed(node.parts):
                after = self.made(part, after)
            return after
        if node.kind == "any":
            return self.add(0, [self.made(part, after) for part in node.parts])
        (part,) = node.parts
        if node.most is None:
            again = self.add(0, [])
            self.leads[again] = [self.made(part, again), after]
            first = again
        else:
            first = after
            for _ in range(node.most - node.least):
                first = self.add(0, [self.made(part, first), after])
        for _ in range(node.least):
            first = self.made(part, first)
        return first

    def reached(self, place: int) -> frozenset[int]:
        """The places that it leads to without a byte, and itself; only such as take one, and the end."""
        found: set[int] = set()
        left = [place]
        while left:
            place = left.pop()
            if place not in found:
                found.add(place)
                if not self.takes[place]:
                    left += self.leads[place]
        return frozenset(one for one in found if self.takes[one] or one == 0)

    def steps(self, members: Sequence[int]) -> list[list[frozenset[int]]]:
        """Of each place and class, the places that a byte of the class leads to."""
        found = []
        for takes, leads in zip(self.takes, self.leads, strict=True):
            after = self.reached(leads[0]) if takes else frozenset[int]()
            found.append([after if takes >> byte & 1 else frozenset[int]() for byte in members])
        return found


def _rows(node: Node, members: Sequence[int], rows: list[list[int]]) -> int:
    """Appends the states of a pattern to `rows`; the first of them."""
    places = _Places()
    first = places.reached(places.made(node, 0))
    if 0 in first:
        return YES
    classes, own = _classes(set(_sets(node)))  # fewer than all patterns together have
    wide = [classes[byte] for byte in members]
    steps = places.steps(own)
    begin = len(rows)
    states = {frozenset[int](): NO, first: begin}
    order = [first]
    for state in order:  # grows as new states are met
        row = list(map(frozenset[int]().union, *(steps[place] for place in state)))
        for following in row:
            if following in states:
                continue
            if 0 in following:
                states[following] = YES
                continue
            states[following] = begin + len(order)
            order.append(following)
            if begin + len(order) > MOST_STATES:
                raise ValueError(f"more than {MOST_STATES:,} states: too many ways to go on")
        rows.append([states[row[one]] for one in wide])
    return begin
