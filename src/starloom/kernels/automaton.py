"""The automaton of anchors: short ASCII strings, all looked for at once (Aho and Corasick 1975, as one table).

Bytes fall into classes (a letter in both cases is one), a state is the set of beginnings of anchors that end here. An
anchor may ask for what must stand near it and around it, so that most places where it stands are passed over without a
look. Here is what needs no Numba: the table, and `walk`, which goes through one text in plain Python (20 MB/s);
`anchors` is the same walk compiled. Cost: 30 ms for 400 anchors, some 250 bytes for each character.
"""

import re
import string
from array import array
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from starloom.kernels.tails import FAR, expression, mirrored

ANY_DIGIT: Final = "#"  # in an anchor: any ASCII digit
NOT_ASCII: Final = "\x80"  # among characters: each byte of those beyond ASCII
MOST_CLASSES: Final = 64  # of characters asked for, in all anchors together
MOST_STATES: Final = 1 << 16


class Near(NamedTuple):
    """What must stand near an anchor: among the `within` bytes before or after it (fewer at the ends of the text), a
    run of at least `least` bytes that are all of `characters` (ASCII, case counts; NOT_ASCII for the others). Not
    `wanted`: no such run may stand there."""

    side: str  # "before" or "after"
    characters: str
    least: int = 1
    within: int = 1
    wanted: bool = True


class Around(NamedTuple):
    """What must stand right before an anchor and what right after it: patterns, see `tails`."""

    before: str = ""
    after: str = ""


class Anchor(NamedTuple):
    """`text`: ASCII, in lower case, found in any case. `near`: all of it must be there; `around`: one of them, if there
    are any."""

    text: str
    near: tuple[Near, ...] = ()
    around: tuple[Around, ...] = ()


class Condition(NamedTuple):
    """A `Near` as the walks take it."""

    after: int  # 0: before
    bit: int  # in Automaton.bits
    least: int
    within: int
    wanted: int


class Automaton:
    """Of anchors, numbered as they came. A state is the offset of its row in `table`."""

    def __init__(self, anchors: Sequence[Anchor]) -> None:
        for one in anchors:
            if not one.text or not one.text.isascii() or one.text != one.text.lower():
                raise ValueError(f"{one.text!r} is no anchor: lower case ASCII")
        self.lengths = [len(one.text) for one in anchors]
        classes, width = _classes(anchors)
        self.classes = bytes(classes[byte] for byte in range(256))
        self.width = width
        self.table: array[int]  # [states * width], the next state
        self.endings: list[tuple[int, ...]]  # of each state from `first` on, the anchors that end there
        self.table, self.first, self.endings = table(_steps(anchors, classes), width)
        self.bits = array("Q", bytes(8 * 256))  # of each byte, a bit for each set of characters that it is in
        self.conditions: list[list[Condition]] = []
        self.around = [one.around for one in anchors]
        every = [around for one in anchors for around in one.around]
        self._before = {one: mirrored(one) for one in dict.fromkeys(around.before for around in every)}
        self._after = {one: expression(one) for one in dict.fromkeys(around.after for around in every)}
        self._runs: dict[tuple[int, int], re.Pattern[bytes]] = {}  # by bit and length
        self._table: list[int] = []  # what `walk` reads, from its first call on: faster than an array
        numbers: dict[str, int] = {}
        for anchor in anchors:
            self.conditions.append([])
            for near in anchor.near:
                bit = numbers.setdefault(near.characters, len(numbers))
                if bit == MOST_CLASSES:
                    raise ValueError(f"more than {MOST_CLASSES} sets of characters near anchors")
                wanted = b"".join(_bytes(one) for one in near.characters)
                for byte in wanted:
                    self.bits[byte] |= 1 << bit
                self._runs[bit, near.least] = re.compile(b"[%s]{%d}" % (re.escape(wanted), near.least))
                condition = Condition(near.side == "after", bit, near.least, near.within, near.wanted)
                self.conditions[-1].append(condition)

    def walk(self, text: str) -> Iterator[tuple[int, int]]:
        """(start in characters, anchor) of each anchor that counts, as it ends; those that end together by number."""
        data = text.encode("utf-8", "surrogatepass")
        framed = b"\n%b\n" % data  # a line ends at both ends of a text
        beyond_ascii = len(data) != len(text)
        if not self._table:
            self._table = self.table.tolist()
        table, width, first = self._table, self.width, self.first
        state = counted = characters = 0
        for at, kind in enumerate(data.translate(self.classes), 1):
            state = table[state + kind]
            if state < first:
                continue
            for anchor in self.endings[(state - first) // width]:
                start = at - self.lengths[anchor]
                if not all(self._holds(one, data, start, at) for one in self.conditions[anchor]):
                    continue
                if self.around[anchor] and not self._stands(self.around[anchor], framed, start, at):
                    continue
                if beyond_ascii:
                    characters += len(data[counted:at].decode("utf-8", "surrogatepass"))
                    counted = at
                    start = characters - self.lengths[anchor]
                yield start, anchor

    def _holds(self, near: Condition, text: bytes, start: int, stop: int) -> bool:
        low, high = (stop, stop + near.within) if near.after else (max(start - near.within, 0), start)
        return bool(self._runs[near.bit, near.least].search(text, low, high)) == bool(near.wanted)

    def _stands(self, around: Sequence[Around], framed: bytes, start: int, stop: int) -> bool:
        before, after = framed[max(start + 1 - FAR, 0) : start + 1][::-1], framed[stop + 1 : stop + 1 + FAR]
        return any(self._before[one.before].match(before) and self._after[one.after].match(after) for one in around)


def _bytes(character: str) -> bytes:
    return bytes(range(128, 256)) if character == NOT_ASCII else character.encode("ascii")


def _classes(anchors: Sequence[Anchor]) -> tuple[dict[int, int], int]:
    """(the class of each byte, how many there are); class 0: bytes that stand in no anchor."""
    symbols = sorted({character for one in anchors for character in one.text} - {ANY_DIGIT})
    numbers = {symbol: number for number, symbol in enumerate(symbols, 1)}
    if any(ANY_DIGIT in one.text for one in anchors):
        numbers = {digit: len(symbols) + 1 for digit in string.digits} | numbers
    classes = {byte: numbers.get(chr(byte).lower(), 0) if byte < 128 else 0 for byte in range(256)}
    return classes, max(classes.values()) + 1


def _steps(anchors: Sequence[Anchor], classes: dict[int, int]) -> list[list[tuple[int, ...]]]:
    """Of each anchor, the classes that each of its characters stands for."""
    of_class: dict[str, tuple[int, ...]] = {chr(byte): (number,) for byte, number in classes.items() if byte < 128}
    of_class[ANY_DIGIT] = tuple({classes[ord(digit)] for digit in string.digits})
    return [[of_class[character] for character in one.text] for one in anchors]


def table(words: Sequence[Sequence[tuple[int, ...]]], width: int) -> tuple["array[int]", int, list[tuple[int, ...]]]:
    """(table, first state at which a word ends, which end at each from there on). A word is, for each of its bytes, the
    classes that it may have, of 0 to width - 1; states are the offsets of their rows."""
    children: list[dict[int, list[int]]] = [{}]  # the tree of all words: by class; "any digit" and a digit meet
    named: list[dict[tuple[int, ...], int]] = [{}]
    ends: list[list[int]] = [[]]
    for number, word in enumerate(words):
        node = 0
        for step in word:
            if step not in named[node]:
                named[node][step] = len(named)
                for one in step:
                    children[node].setdefault(one, []).append(len(named))
                named.append({})
                children.append({})
                ends.append([])
            node = named[node][step]
        ends[node].append(number)

    states: dict[frozenset[int], int] = {frozenset(): 0}
    order = [frozenset[int]()]
    rows: list[list[int]] = []
    for state in order:  # grows as new states are met
        row = list(rows[0]) if rows else [0] * width  # what the tree's root does, unless a longer beginning goes on
        for kind in {one for node in state or (0,) for one in children[node]}:
            following = frozenset(child for node in (*state, 0) for child in children[node].get(kind, ()))
            if following not in states:
                states[following] = len(order)
                order.append(following)
                if len(order) > MOST_STATES:
                    raise ValueError(f"more than {MOST_STATES:,} states: too many words, or too many with digits")
            row[kind] = states[following]
        rows.append(row)

    ending = [tuple(sorted({one for node in state for one in ends[node]})) for state in order]
    ranked = sorted(range(len(order)), key=lambda one: bool(ending[one]))  # stable: the root stays the first
    offsets = {state: place * width for place, state in enumerate(ranked)}
    cells = array("I", (offsets[one] for state in ranked for one in rows[state]))
    endings = [ending[one] for one in ranked if ending[one]]
    return cells, (len(ranked) - len(endings)) * width, endings
