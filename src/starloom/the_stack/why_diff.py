"""How a file differs from its twin: a unified diff of the two texts, cut to some lines.

Lines are those that a person sees: line ends count alike, and what is private is shown as `<EMAIL>` and the like.
Limits: of each text the first 100,000 lines are compared, of a line some 160 characters are shown, those around the
difference. Cost: that of line_diff, and of finding what is private.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from starloom.dedup.signature import Tokenisation
from starloom.dedup.verify import verify
from starloom.privacy.hidden import hidden
from starloom.privacy.redact import excerpt, masked
from starloom.the_stack.line_diff import common_blocks

MOST_LINES = 100_000  # of a text
WIDTH = 160  # characters of a line
_BEFORE = 32  # of them before the difference, in a line that is cut
_AROUND = 2  # lines shown around a change
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Difference:
    """From the twin to the file. `lines` are those of a unified diff: `@@ -3,2 +3,3 @@`, then each with ` `, `-` (the
    twin's only) or `+` (the file's only) before it."""

    alike: int  # lines that both have
    removed: int  # lines that only the twin has
    added: int  # lines that only the file has
    lines: tuple[str, ...]
    left_out: int  # lines of the diff that are not among `lines`
    is_part: bool  # whether a text is longer than what was compared
    is_blank: bool  # whether the texts differ in white space and line ends only


def difference(twin: str, file: str, most: int = 20, raw: bool = False) -> Difference:
    """Of two texts. `raw`: what is private is shown too.

    >>> difference("a\\nb\\nc\\n", "a\\nB\\nc\\n").lines
    ('@@ -1,3 +1,3 @@', ' a', '-b', '+B', ' c')
    """
    old, new = _lines(twin), _lines(file)
    is_part = max(len(old), len(new)) > MOST_LINES
    del old[MOST_LINES:], new[MOST_LINES:]
    changes = _changes(old, new)
    lines, total = [], 0
    old, new = (one if raw else _lines(masked(text, hidden(text))) for one, text in ((old, twin), (new, file)))
    del old[MOST_LINES:], new[MOST_LINES:]
    for write in _written(old, new, changes):
        if total < most:
            lines.append(write())
        total += 1
    removed, added = sum(one.old_size for one in changes), sum(one.new_size for one in changes)
    return Difference(
        alike=len(old) - removed,
        removed=removed,
        added=added,
        lines=tuple(lines),
        left_out=total - len(lines),
        is_part=is_part,
        is_blank=twin != file and "".join(twin.split()) == "".join(file.split()),
    )


def _lines(text: str) -> list[str]:
    """As a person sees them: whatever ends them, and nothing after the last line end."""
    lines = _LINE_END.split(text)
    if not lines[-1]:
        lines.pop()
    return lines


@dataclass(frozen=True)
class _Change:
    """old[old_start:][:old_size] became new[new_start:][:new_size]."""

    old_start: int
    old_size: int
    new_start: int
    new_size: int


def _changes(old: Sequence[str], new: Sequence[str]) -> list[_Change]:
    found = []
    a = b = 0
    ends = [(len(old), len(new), 0)]
    for old_start, new_start, size in [*common_blocks(old, new), *ends]:
        if old_start > a or new_start > b:
            found.append(_Change(a, old_start - a, b, new_start - b))
        a, b = old_start + size, new_start + size
    return found


def _written(old: Sequence[str], new: Sequence[str], changes: Sequence[_Change]) -> Iterator[Callable[[], str]]:
    """The lines of the unified diff, each made when it is asked for: most are only counted."""
    for hunk in _hunks(changes):
        first, last = hunk[0], hunk[-1]
        before = min(_AROUND, first.old_start)
        after = min(_AROUND, len(old) - last.old_start - last.old_size)
        old_start, new_start = first.old_start - before, first.new_start - before
        old_size = last.old_start + last.old_size + after - old_start
        new_size = last.new_start + last.new_size + after - new_start
        yield _header(_range(old_start, old_size), _range(new_start, new_size))
        at = old_start
        for one in hunk:
            for line in old[at : one.old_start]:
                yield _shown(" ", line)
            twins = min(one.old_size, one.new_size)  # a line that became another
            for k in range(one.old_size):
                yield _shown("-", old[one.old_start + k], new[one.new_start + k] if k < twins else None)
            for k in range(one.new_size):
                yield _shown("+", new[one.new_start + k], old[one.old_start + k] if k < twins else None)
            at = one.old_start + one.old_size
        for line in old[at : at + after]:
            yield _shown(" ", line)


def _hunks(changes: Sequence[_Change]) -> Iterator[list[_Change]]:
    """Changes whose surroundings meet are shown together."""
    hunk: list[_Change] = []
    for one in changes:
        if hunk and one.old_start - hunk[-1].old_start - hunk[-1].old_size > 2 * _AROUND:
            yield hunk
            hunk = []
        hunk.append(one)
    if hunk:
        yield hunk


def _range(start: int, size: int) -> str:
    """As in every unified diff: from 1, and the line before where there is none."""
    return f"{start + 1 if size else start}" + ("" if size == 1 else f",{size}")


def _header(old: str, new: str) -> Callable[[], str]:
    return lambda: f"@@ -{old} +{new} @@"


def _shown(sign: str, line: str, other: str | None = None) -> Callable[[], str]:
    """`line` for a person; of a long one the part in which it differs from `other`."""

    def write() -> str:
        same = _same_start(line, other) if other is not None else 0
        start = same - _BEFORE if len(line) > WIDTH and same > WIDTH // 2 else 0
        head = "…" if start else ""
        return sign + head + (excerpt(line[start:], max_lines=1, max_chars=WIDTH) if line else "")

    return write


def _same_start(one: str, other: str) -> int:
    """How many characters both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def jaccard(one: str, other: str, tokenisation: Tokenisation) -> float:
    """The exact similarity of two texts, 0.0 to 1.0, as the build counts it where it verifies pairs."""
    from starloom.kernels.text import text_buffers

    offsets, data = text_buffers(pa.array([one, other]))
    (found,) = verify(offsets, data, np.array([0]), np.array([1]), 0.0, tokenisation)
    return float(found)
