"""`leading`, text by text in plain Python: for all characters."""

import re
from collections.abc import Mapping, Sequence

from starloom.kernels.marks import Marks, Stands

_FIRST = re.compile(r"\ufeff?\s*(\S)")
_BEHIND = {Stands.WORD: r"\b", Stands.SPACED: r"\s"}


class Leading:
    """The leading lines of texts, by some marks."""

    def __init__(self, marks: Marks) -> None:
        self._blocks, self._signs, self._edges = marks.blocks, frozenset(marks.signs), marks.edges
        self._openers = tuple(sorted(marks.blocks, key=len, reverse=True))  # the longest comes first
        self._opening = frozenset(opener[0] for opener in self._openers) | {"{"}
        signs = "".join(f"{re.escape(sign)}|" for sign in marks.signs)
        self._marked = re.compile(signs + _pattern(marks.words), re.IGNORECASE)
        self._passed = re.compile(_pattern(marks.passed), re.IGNORECASE)
        taken = {mark: stands for mark, stands in marks.words.items() if stands != Stands.KEPT}
        self._taken = re.compile(
            "|".join(re.escape(mark) + r"\s+" * (stands != Stands.TAKEN) for mark, stands in taken.items()) or r"\Z.",
            re.IGNORECASE,
        )
        self._first_taken = frozenset(mark[0] for mark in taken)

    def begins_with_code(self, text: str) -> bool:
        """Whether the first line is neither marked nor passed over: then there are none."""
        first = _FIRST.match(text)
        return first is not None and not (
            first[1] in self._opening
            or self._marked.match(text, first.start(1))
            or self._passed.match(text, first.start(1))
        )

    def lines(self, text: str) -> tuple[list[str], list[int]]:
        """The lines without marks, and their numbers, from 1."""
        lines: list[str] = []
        numbers: list[int] = []
        all_lines = text.removeprefix("\ufeff").split("\n")
        closer = ""  # what ends the block that is open
        for number, raw in enumerate(all_lines, 1):
            line = raw.strip()
            if not line:
                continue
            ends = False
            first = line[0]
            if not closer:
                if first in self._opening and line.startswith(self._openers):
                    opener = next(filter(line.startswith, self._openers))
                    closer, line = self._blocks[opener], line[len(opener) :]
                elif first == "{" and _brace_opens(line, all_lines[number : number + 1]):
                    closer, line = "}", line[1:]
                elif first not in self._signs and not self._marked.match(line):
                    if self._passed.match(line):
                        continue
                    break
            if closer:
                if closer in line:
                    line, _, after = line.partition(closer)
                    closer, ends = "", self._is_code(after.strip())
            elif first.lower() in self._first_taken and (mark := self._taken.match(line)):
                line = line[mark.end() :]
            line = line.strip(self._edges)
            if line:
                if "  " in line or "\t" in line:
                    line = " ".join(line.split())
                lines.append(line)
                numbers.append(number)
            if ends:
                break
        return lines, numbers

    def _is_code(self, after: str) -> bool:
        """What follows the end of a block."""
        is_comment = after in ("", ";", ",") or after.startswith(self._openers)
        return not is_comment and self._marked.match(after) is None


def _pattern(marks: Mapping[str, Stands]) -> str:
    """Any of them; nothing, if there are none."""
    return "|".join(re.escape(mark) + _BEHIND.get(stands, "") for mark, stands in marks.items()) or r"\Z."


def _brace_opens(line: str, following: Sequence[str]) -> bool:
    """Whether `{` opens a comment: JSON and blocks of code go on with a quote or another bracket."""
    rest = line[1:].strip() or "".join(following).strip()
    return bool(rest) and (rest[0].isalnum() or rest[0] in "*=-")
