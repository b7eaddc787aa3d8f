"""Pieces of the syntax of texts, drawn, to be the middles that a model learns to fill in.

After AST-FIM (arXiv 2506.00204): a whole node of the tree, or neighbours under one node that fit a random stretch best;
drawing.py says how they are drawn. Files are parsed in a process of their own (see languages/syntax), which is kept.

Cost: 5-6 MB/s of the text that is parsed, on another core if there is one; 0.2 s to start the process.
"""

import queue
from collections.abc import Iterator, Sequence
from types import TracebackType

from starloom.errors import UserError
from starloom.languages.syntax import SyntaxSettings, Wish, grammars, started, version
from starloom.outside.processes import ProcessError, Stream

_WISH = Wish("[pack] syntax_rate is above 0", "set syntax_rate = 0 in [pack]")


class Middles:
    """The process that parses; it starts with the first question. To be closed, or used as a context manager; it ends
    with ours in any case. Not for several threads at once."""

    def __init__(self, max_bytes: int = SyntaxSettings.max_bytes) -> None:
        """`max_bytes`: larger texts are not parsed. Raises UserError where the extra is not installed."""
        mark()
        self._max_bytes = max_bytes
        self._questions: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._stream: Stream | None = None

    def __enter__(self) -> "Middles":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __call__(self, asked: Sequence[tuple[str, str, int]]) -> list[tuple[int, int] | None]:
        """Of each (language, text, number from [0, 2**64)) the stretch of characters that the number draws, the same
        every time. None: there is no grammar, the text is larger than `max_bytes`, parsing it was given up, or there is
        nothing without errors in it. Raises UserError where the process does not start."""
        found: list[tuple[int, int] | None] = [None] * len(asked)
        texts = [text.encode() if language in grammars() else b"" for language, text, _ in asked]
        left = [i for i, data in enumerate(texts) if 0 < len(data) <= self._max_bytes]
        while left:
            answers = self._answers([(texts[i], asked[i]) for i in left])
            for i, answer in zip(left, answers, strict=False):
                if answer is not None:
                    found[i] = answer
            left = left[len(answers) + 1 :]  # it died of the one after these, if of any
        return found

    def _answers(self, some: Sequence[tuple[bytes, tuple[str, str, int]]]) -> list[tuple[int, int] | None]:
        """Of the first of `some`, up to one on which the process died."""
        if self._stream is None:
            self._questions = queue.SimpleQueue()
            try:
                self._stream = started("middles", _until_none(self._questions), _WISH)
            except UserError:
                self._questions.put(None)
                raise
        for data, (language, _, number) in some:
            self._questions.put(f"{len(data)} {number} {' '.join(grammars()[language])}\n".encode("ascii"))
            self._questions.put(data)
        found: list[tuple[int, int] | None] = []
        try:
            for data, (_, text, _) in some:
                line = self._stream.read_until(b"\n")
                if line is None:
                    break
                found.append(_read(line, data, text))
        except ProcessError:
            pass  # it took too long, or ended within a line
        if len(found) < len(some):
            self.close()
        return found

    def close(self) -> None:
        """Ends the process; another question starts another."""
        if self._stream is not None:
            self._questions.put(None)
            self._stream.close()
            self._stream = None


def mark() -> str:
    """What parses and draws, for fingerprints. Raises UserError where the extra is not installed."""
    return f"{version(_WISH)}, middles {VERSION}"


VERSION = 1  # of how pieces are drawn


def _until_none(questions: "queue.SimpleQueue[bytes | None]") -> Iterator[bytes]:
    while (question := questions.get()) is not None:
        yield question


def _read(line: bytes, data: bytes, text: str) -> tuple[int, int] | None:
    """The line `START STOP`, of bytes, as characters of the text; an empty one where there is no such stretch."""
    if not line:
        return None
    start, stop = map(int, line.split())
    if len(data) == len(text):  # ASCII
        return start, stop
    before = len(data[:start].decode("utf-8", "replace"))
    return before, before + len(data[start:stop].decode("utf-8", "replace"))
