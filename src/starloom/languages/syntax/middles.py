"""Pieces of the syntax of texts, drawn, to be the middles that a model learns to fill in.

After AST-FIM (arXiv 2506.00204): a whole node of the tree, or neighbours under one node that fit a random stretch best;
drawing.py says how they are drawn. Files are parsed in a process of their own (see languages/syntax), which is kept.

Cost: 5-6 MB/s of the text that is parsed, on another core if there is one; 0.2 s to start the process.
"""

from collections.abc import Sequence

from starloom.languages.syntax import Question, SyntaxSettings, Wish, Worker, grammars, version

_WISH = Wish("[pack] syntax_rate is above 0", "set syntax_rate = 0 in [pack]")


class Middles(Worker):
    """The process that parses; see Worker."""

    def __init__(self, max_bytes: int = SyntaxSettings.max_bytes) -> None:
        """`max_bytes`: larger texts are not parsed. Raises UserError where the extra is not installed."""
        super().__init__("middles", _WISH)
        self._max_bytes = max_bytes

    def __call__(self, asked: Sequence[tuple[str, str, int]]) -> list[tuple[int, int] | None]:
        """Of each (language, text, number from [0, 2**64)) the stretch of characters that the number draws, the same
        every time. None: there is no grammar, the text is larger than `max_bytes`, parsing it was given up, or there is
        nothing without errors in it. Raises UserError where the process does not start."""
        texts = [text.encode() if language in grammars() else b"" for language, text, _ in asked]
        drawn = [
            Question(f"{number} {' '.join(grammars()[language])}", data) if 0 < len(data) <= self._max_bytes else None
            for (language, _, number), data in zip(asked, texts, strict=True)
        ]
        return self.answers(drawn, lambda line, number: _read(line, texts[number], asked[number][1]))


def mark() -> str:
    """What parses and draws, for fingerprints. Raises UserError where the extra is not installed."""
    return f"{version(_WISH)}, middles {VERSION}"


VERSION = 1  # of how pieces are drawn


def _read(line: bytes, data: bytes, text: str) -> tuple[int, int] | None:
    """The line `START STOP`, of bytes, as characters of the text; an empty one where there is no such stretch."""
    if not line:
        return None
    start, stop = map(int, line.split())
    if len(data) == len(text):  # ASCII
        return start, stop
    before = len(data[:start].decode("utf-8", "replace"))
    return before, before + len(data[start:stop].decode("utf-8", "replace"))
