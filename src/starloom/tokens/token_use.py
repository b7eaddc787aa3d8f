"""How a sample uses a vocabulary: how often each token, in how many repositories, and how often for what is private.

What is private is told by use. A token is a piece of a word, so the detectors see nothing in most of them: no address
is one token where digits and points stand alone. But the token of a surname is used where names stand. Names stand in
copyright notices, which `write` leaves as they are; besides, whatever the detectors of privacy/ find in the sample.

Cost: that of encoding, and a sixth for the rest. Memory: 50 bytes a token of the vocabulary.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from starloom.privacy.find import find_each, find_in
from starloom.privacy.finding import KINDS, Kind
from starloom.privacy.full_names import full_names_at
from starloom.privacy.gibberish import is_random
from starloom.tokens.sampling import Text
from starloom.tokens.tokenizer import Tokenizer

_HOLDERS: Final = re.compile(r"copyright(?:[\s:,;.©*#/-]|\(c\)|&copy;|\d{1,4}|present|by\b){0,40}", re.I)
_LEAST_USES: Final = 8  # in private places, for a token to be called private by use
_SHARE: Final = 0.5  # of its uses
_LOOKS: Final = 6  # characters: shorter tokens look like nothing
_RANDOM: Final = 15  # characters: shorter ones pass for random by chance

Span = tuple[int, int, Kind]  # of a text: first character, one after the last


class TokenUse:
    """Counts that grow with each batch of texts; texts of one repository must follow one another."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        size = tokenizer.vocabulary
        self._tokenizer = tokenizer
        self._lengths = np.array([len(tokenizer.token_bytes(number)) for number in range(size)], dtype=np.int64)
        self.uses = np.zeros(size, dtype=np.int64)
        self.repositories = np.zeros(size, dtype=np.int64)  # that use it
        self.private = np.zeros((len(KINDS), size), dtype=np.int64)  # uses within what is private, by kind
        self.files = self.bytes = self.tokens = self.all_repositories = 0
        self._repository: str | None = None
        self._here: list[NDArray[np.int64]] = []  # ids of the repository at hand

    def add(self, texts: Sequence[Text]) -> None:
        """Counts a batch."""
        strings = [one for text in texts for one in text.strings]
        ids, bounds = self._tokenizer.encode_arrays(strings)
        encoded = iter(np.split(ids.astype(np.int64), bounds[1:-1]) if strings else ())
        found = iter(_spans(strings))
        for text in texts:
            if text.repo_name != self._repository:
                self._flush()
                self._repository = text.repo_name
                self.all_repositories += 1
            self.files += 1
            for string in text.strings:
                here = next(encoded)
                self._here.append(here)
                self.bytes += len(string.encode())
                self._add_private(string, here, next(found))

    def finish(self) -> None:
        """To be called after the last batch."""
        self._flush()
        self._repository = None

    def _flush(self) -> None:
        if not self._here:
            return
        ids = np.concatenate(self._here)
        if len(ids) < len(self.uses):  # many repositories are small, and a vocabulary is not
            numbers, counts = np.unique(ids, return_counts=True)
            self.uses[numbers] += counts
            self.repositories[numbers] += 1
        else:
            here = np.bincount(ids, minlength=len(self.uses))
            self.uses += here
            self.repositories += here > 0
        self.tokens += len(ids)
        self._here = []

    def _add_private(self, text: str, ids: NDArray[np.int64], spans: Sequence[Span]) -> None:
        if not spans:
            return
        ends = np.cumsum(self._lengths[ids])
        if not len(ends) or ends[-1] != len(text.encode()):  # not byte for byte: where a token stands is not known
            return
        kinds = np.full(len(ids), -1, dtype=np.int64)
        for start, end, kind in spans:
            before = len(text[:start].encode())
            after = before + len(text[start:end].encode())
            first = np.searchsorted(ends, before, "right")
            kinds[first : np.searchsorted(ends, after, "left") + 1] = KINDS.index(kind)
        within = kinds >= 0
        np.add.at(self.private, (kinds[within], ids[within]), 1)

    def private_by_use(self) -> list[tuple[int, Kind, int]]:
        """(token, kind, uses in private places) of the tokens used there for the most part."""
        total = self.private.sum(axis=0)
        rows = np.flatnonzero((total >= _LEAST_USES) & (total >= _SHARE * self.uses))
        return [(int(row), KINDS[int(self.private[:, row].argmax())], int(total[row])) for row in rows]


def private_by_looks(tokenizer: Tokenizer) -> list[tuple[int, Kind]]:
    """(token, kind) of the tokens that are private by themselves, wherever they stand: whole addresses, keys, random
    letters. 4 us a token."""
    found: list[tuple[int, Kind]] = []
    added = tokenizer.added
    for number in range(tokenizer.vocabulary):
        text = tokenizer.token_bytes(number).decode("utf-8", "replace").strip()
        if number in added or len(text) < _LOOKS:
            continue
        kinds = [one.kind for one in find_in(text)]
        if kinds or (len(text) >= _RANDOM and text.isascii() and text.isalnum() and is_random(text)):
            found.append((number, kinds[0] if kinds else "KEY"))
    return found


def _spans(texts: Sequence[str]) -> Iterator[list[Span]]:
    for text, found in zip(texts, find_each(texts), strict=True):
        some = chain(((one.start, one.end, one.kind) for one in found), _holders(text))
        yield sorted(some)


def _holders(text: str) -> Iterator[Span]:
    """The persons that copyright notices name."""
    lower = text.lower()
    if len(lower) != len(text):  # İ: then places in both are not the same
        lower = text.replace("COPYRIGHT", "copyright").replace("Copyright", "copyright")
    at = lower.find("copyright")
    while at >= 0:
        said = _HOLDERS.match(text, at)
        at = said.end() if said else at + 1
        for start, end in full_names_at(text, at):
            yield start, end, "NAME"
        at = lower.find("copyright", at)
