"""`excerpt`: the one function through which source text is shown to a person.

It finds nothing itself: whoever knows of something private in a text hands in its spans. Cost: that of the part shown,
whatever the length of the text.
"""

import re
from collections.abc import Iterable

from starloom.outside.paths import printable
from starloom.privacy.span import Span

TAB = 4  # columns
_LINE_END = re.compile(r"\r\n|\r|\n")


def excerpt(text: str, spans: Iterable[Span] = (), *, max_lines: int = 12, max_chars: int = 800) -> str:
    r"""The beginning of `text` for a person: spans as `<LABEL>`, then cut to `max_chars` characters and `max_lines`
    lines; `…` stands where something was cut.

    Characters that hide, steer or reorder text are visible escapes (and may make a line longer); tabs are spaces.

    >>> excerpt("mail ada@example.org\n\u202e", [Span(5, 20, "EMAIL")])
    'mail <EMAIL>\n\\u202e'
    >>> excerpt("one\ntwo\nthree\n", max_lines=2)
    'one\ntwo\n…'
    """
    private = merged(spans, len(text))
    if not private and len(text) <= max_chars and (plain := text.expandtabs(TAB)).isprintable():
        return plain  # most lines of code
    head = _redacted(text, private, max_chars + 1)
    cut = len(head) > max_chars
    lines = _LINE_END.split(head[:max_chars])
    if not cut and not lines[-1]:
        lines.pop()  # a line end at the end of the text begins no line
    shown = [printable(line.expandtabs(TAB)) for line in lines[:max_lines]]
    if len(lines) > max_lines:
        shown.append("…")
    elif cut:
        shown[-1] += "…"
    return "\n".join(shown)


def masked(text: str, spans: Iterable[Span]) -> str:
    r"""The text with `<LABEL>` in the place of each span, on every line that it is on: line ends stay.

    >>> masked("a = ada@example.org\n", [Span(4, 19, "EMAIL")])
    'a = <EMAIL>\n'
    """
    pieces = []
    at = 0
    for span in merged(spans, len(text)):
        lines = re.split(r"(\r\n|\r|\n)", text[span.start : span.end])
        pieces += [
            text[at : span.start],
            *(f"<{span.label}>" if k % 2 == 0 and one else one for k, one in enumerate(lines)),
        ]
        at = span.end
    return "".join([*pieces, text[at:]])


def merged(spans: Iterable[Span], length: int) -> list[Span]:
    """The spans in order, clipped to a text of `length` characters; those that overlap are one, by the first's label.

    >>> merged([Span(5, 9, "KEY"), Span(-2, 6, "EMAIL")], 8)
    [Span(start=0, end=8, label='EMAIL')]
    """
    found: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.start, -one.end, one.label)):
        start, end = max(span.start, 0), min(span.end, length)
        if start >= end:
            continue
        if found and start < found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, end), found[-1].label)
        else:
            found.append(Span(start, end, span.label))
    return found


def _redacted(text: str, spans: list[Span], wanted: int) -> str:
    """At least the first `wanted` characters of the redacted text, where there are so many."""
    pieces: list[str] = []
    size = at = 0
    for span in spans:
        pieces += [text[at : min(span.start, at + wanted)], f"<{span.label}>"]
        size += len(pieces[-2]) + len(pieces[-1])
        at = span.end
        if size >= wanted:
            return "".join(pieces)
    return "".join([*pieces, text[at : at + wanted]])
