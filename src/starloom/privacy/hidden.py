"""`hidden`: what of a piece of a text is private, for those who show the piece to a person."""

from starloom.privacy.span import Span

AROUND = 1 << 14  # characters looked at on both sides: more than a detector looks, and than a private key is long


def hidden(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Spans for `excerpt` and its kin of what is private in text[start:end], counted from `start`; found with what
    stands around the piece, so that half a secret is hidden too. Cost: that of the piece, whatever the text.

    >>> hidden("mail ada@nowhere.dev", 0, 10)
    [Span(start=5, end=10, label='EMAIL')]
    """
    from starloom.privacy.find import find_in

    end = len(text) if end is None else min(end, len(text))
    first = max(start - AROUND, 0)
    found = []
    for one in find_in(text[first : end + AROUND]):
        a, b = max(one.start + first, start) - start, min(one.end + first, end) - start
        if a < b:
            found.append(Span(a, b, one.kind))
    return found
