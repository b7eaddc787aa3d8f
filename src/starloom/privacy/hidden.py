"""`hidden`: what of a piece of a text is private, for those who show the piece to a person."""

from collections.abc import Sequence

from starloom.privacy.span import Span

AROUND = 1 << 14  # characters looked at on both sides where a private key may be: more than one is long
_NEAR = 640  # elsewhere, from the end of the word at its edge: more than any other detector looks
_LINES = 6  # above and below, where they are less than that: what is private stands on one line, or two or three
_WORD = 4_096  # characters of a word; no token is longer

# Detectors whose findings may be longer than _NEAR need one of these, as it is written here: blocks of keys, members of
# a JSON Web Key, PuTTY's lines, the d of an RSA key in XML.
LONG = ("PRIVATE KEY", '"kty"', "Private-Lines", "<D>")


def hidden(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Spans for `excerpt` and its kin of what is private in text[start:end], counted from `start`; found with what
    stands around the piece, so that half a secret is hidden too. Cost: that of the piece, whatever the text.

    >>> hidden("mail ada@nowhere.dev", 0, 10)
    [Span(start=5, end=10, label='EMAIL')]
    """
    return hidden_in([(text, start, len(text) if end is None else end)])[0]


def hidden_in(pieces: Sequence[tuple[str, int, int]]) -> list[list[Span]]:
    """`hidden` of several pieces (text, start, end) at once, which is faster where a process has many to show: see
    `find.prepare`."""
    from starloom.privacy.find import find_each

    windows = [_window(text, start, min(end, len(text))) for text, start, end in pieces]
    told = find_each([text[first:last] for (text, _, _), (first, last) in zip(pieces, windows, strict=True)])
    spans = []
    for (text, start, end), (first, _), found in zip(pieces, windows, told, strict=True):
        stop = min(end, len(text))
        clipped = ((max(one.start + first, start), min(one.end + first, stop), one.kind) for one in found)
        spans.append([Span(a - start, b - start, kind) for a, b, kind in clipped if a < b])
    return spans


def _window(text: str, start: int, end: int) -> tuple[int, int]:
    """From where to where is looked."""
    first, last = max(start - AROUND, 0), min(end + AROUND, len(text))
    if any(text.find(one, first, last) >= 0 for one in LONG):
        return first, last
    left, right = start - _NEAR, end + _NEAR
    if left > 0:
        left = max(text.rfind(blank, max(left - _WORD, 0), left) for blank in " \n\t") - _NEAR // 4
    if right < len(text):
        found = [text.find(blank, right, right + _WORD) for blank in " \n\t"]
        right = min((place for place in found if place >= 0), default=right + _WORD) + _NEAR // 4
    above, below = start, end
    for _ in range(_LINES):
        above = text.rfind("\n", first, above)
        if above < 0:
            break
    for _ in range(_LINES):
        below = text.find("\n", below + 1, last)
        if below < 0:
            break
    return max(left, above, first), min(right, last if below < 0 else below)
