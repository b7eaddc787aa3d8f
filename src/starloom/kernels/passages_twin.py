"""`squeeze`, `passages` and `passage_ngrams` again in plain Python: what they mean, and what the tests hold them to.

Nothing else calls these.
"""

import re
from collections.abc import Sequence

_UNSEEN = "\u200b\ufeff"
_WORDS = re.compile(r"[\w\u0080-\U0010ffff]+", re.ASCII)


def _lower(text: str) -> str:
    return "".join(one.lower() if one.isascii() else one for one in text)


def squeeze(text: str) -> str:
    """Twin of `squeeze.squeeze`, of one text."""
    whole = re.sub(r'\\+n(?:\\*",(?:[ \t\r\n]|\\+[ntr])*\\*")?|\\+[ntrfv]?', " ", text)
    return _lower("".join(one for one in whole if not one.isspace() and one not in _UNSEEN))


def find(texts: Sequence[str], passages: Sequence[str]) -> set[tuple[int, int, int]]:
    """Twin of `passages.find`, of squeezed ASCII texts: (text, passage, start)."""
    return {
        (i, k, text.find(passage))
        for i, text in enumerate(texts)
        for k, passage in enumerate(passages)
        if passage in text
    }


def words(text: str) -> list[tuple[str, int, int]]:
    """(word, start, end) in bytes of the text's UTF-8."""
    spaced = re.sub(r"\\+[ntrfv]?", lambda one: " " * len(one[0]), text)
    spaced = "".join(" " * len(one.encode()) if one.isspace() or one in _UNSEEN else one for one in spaced)
    found = []
    for one in _WORDS.finditer(spaced):
        start = len(spaced[: one.start()].encode())
        found.append((_lower(one[0]), start, start + len(one[0].encode())))
    return found


def runs(text: str, n: int) -> list[tuple[tuple[str, ...], int, int]]:
    """(words, start, end) of every run of n words."""
    some = words(text)
    return [
        (tuple(word for word, _, _ in some[at : at + n]), some[at][1], some[at + n - 1][2])
        for at in range(len(some) - n + 1)
    ]


def find_nearly(
    texts: Sequence[str], passages: Sequence[str], n: int, share: float
) -> set[tuple[int, int, int, int, int]]:
    """Twin of `passage_ngrams.find_nearly`: (text, passage, start, end, runs)."""
    found = set()
    for k, passage in enumerate(passages):
        wanted = {run for run, _, _ in runs(passage, n)}
        for i, text in enumerate(texts):
            first: dict[tuple[str, ...], tuple[int, int]] = {}
            for run, start, end in runs(text, n):
                if run in wanted:
                    first.setdefault(run, (start, end))
            if wanted and len(first) >= max(len(wanted) * share - 1e-9, 1):
                places = first.values()
                found.add((i, k, min(a for a, _ in places), max(b for _, b in places), len(first)))
    return found
