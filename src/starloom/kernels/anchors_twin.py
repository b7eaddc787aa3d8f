"""`anchors` again in plain Python, without an automaton: what it means, and what the tests hold it to."""

import re
import string
from collections.abc import Iterator, Sequence

from starloom.kernels.automaton import ANY_DIGIT, NOT_ASCII, Anchor, Around, Near
from starloom.kernels.tails import FAR, expression


def places(anchors: Sequence[Anchor], text: bytes) -> list[tuple[int, int]]:
    """(start in bytes, anchor) of each anchor that counts, by end, then by number."""
    found = [
        (start + len(anchor.text), start, number)
        for number, anchor in enumerate(anchors)
        for start in _starts(anchor.text, text)
        if all(_stands(one, text, start, start + len(anchor.text)) for one in anchor.near)
        and (not anchor.around or any(_is_in(one, text, start, start + len(anchor.text)) for one in anchor.around))
    ]
    return [(start, number) for _, start, number in sorted(found, key=lambda one: (one[0], one[2]))]


def _starts(anchor: str, text: bytes) -> Iterator[int]:
    for start in range(len(text) - len(anchor) + 1):
        there = text[start : start + len(anchor)].lower().decode("latin-1")
        if all(b in string.digits if a == ANY_DIGIT else a == b for a, b in zip(anchor, there, strict=True)):
            yield start


def _stands(near: Near, text: bytes, start: int, stop: int) -> bool:
    around = text[stop : stop + near.within] if near.side == "after" else text[max(start - near.within, 0) : start]
    wanted = "".join(re.escape(one) for one in near.characters if one != NOT_ASCII).encode()
    wanted += rb"\x80-\xff" if NOT_ASCII in near.characters else b""
    return bool(re.search(rb"[%s]{%d}" % (wanted, near.least), around)) == near.wanted


def _is_in(around: Around, text: bytes, start: int, stop: int) -> bool:
    """A line ends where the text begins and where it ends."""
    before = (b"\n" + text)[: start + 1][-FAR:]
    after = (text + b"\n")[stop : stop + FAR]
    ends = any(expression(around.before).fullmatch(before, at) for at in range(len(before) + 1))
    return ends and expression(around.after).match(after) is not None
