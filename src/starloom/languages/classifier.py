"""The language of a file among a few, by its words: centroids weighted by tf-icf (term frequency, inverse class
frequency), for the files that no rule settles.

Each language has one centroid: the words, signs and first words of lines that tell it from other languages, with
weights; scripts/language_classifier.py makes them from labelled files, into centroids.zip. A file's score for a
language is the cosine of its own vector with the centroid. Only the head is looked at. Cost: about 0.5 ms a file; once
a process, 10 ms for the words and 1 ms for each language asked for; nothing at import. It knows only languages that
share an extension or file name with another, and not all of these: the rarest have too few files to learn from.
"""

import re
from collections import Counter
from collections.abc import Collection
from functools import cache
from math import log, sqrt

MAX_HEAD = 12_000  # characters of a file that are looked at
MIN_FEATURES = 4  # distinct ones of a file known to a centroid: below, its words say nothing
MIN_LEAD = 0.04  # of the best score over the second, as a share of the best: below, too close to call

# Words, with the sign that begins variables and directives in many languages; runs of signs; no numbers.
_FEATURE = re.compile(r"[@$%#&:.\\-]?[^\W\d]\w{0,23}|[^\w\s]{1,3}")
# How a line begins tells more than its middle: comments, labels, statements.
_LINE_START = re.compile(r"^[ \t]*([^\w\s]{1,3}|[^\W\d]\w{0,23})", re.MULTILINE)


def choose(text: str, candidates: Collection[str]) -> str | None:
    """The candidate whose centroid is nearest. None: none of them has a centroid, or the two best are too close.

    A candidate without a centroid is never chosen, so the answer can be wrong where the right one is not known.
    """
    known = [name for name in sorted(candidates) if name in _languages()]
    if not known:
        return None
    scores = sorted(((score, name) for name, score in _scores(text, known).items()), reverse=True)
    best, name = scores[0]
    second = scores[1][0] if len(scores) > 1 else 0.0
    return name if best > 0 and best - second >= MIN_LEAD * best else None


def known_languages() -> frozenset[str]:
    """The languages that have a centroid."""
    return frozenset(_languages())


def vector(text: str) -> dict[str, float]:
    """The features of a text's head with their damped frequencies, of length 1; empty where it has none."""
    head = text[:MAX_HEAD]
    counts = Counter(_FEATURE.findall(head))
    counts.update("\n" + start for start in _LINE_START.findall(head))
    weights = {feature: 1 + log(count) for feature, count in counts.items()}
    length = sqrt(sum(weight * weight for weight in weights.values()))
    return {feature: weight / length for feature, weight in weights.items()}


def _scores(text: str, languages: Collection[str]) -> dict[str, float]:
    features = vector(text)
    scores = {}
    for name in languages:
        centroid = _centroid(name)
        shared = features.keys() & centroid.keys()
        scores[name] = sum(features[one] * centroid[one] for one in shared) if len(shared) >= MIN_FEATURES else 0.0
    return scores


# centroids.zip: `words`, the features with a vertical tab between them (a newline in one written as a tab);
# `languages`, one name a line; and for the language of line N, from 0, the member N: little-endian 16-bit numbers of
# words, then 8-bit weights, as many.


@cache
def _member(name: str) -> bytes:
    from importlib.resources import files
    from zipfile import ZipFile

    with files(__package__).joinpath("centroids.zip").open("rb") as file, ZipFile(file) as archive:
        return archive.read(name)


@cache
def _languages() -> dict[str, str]:
    """The archive's member for each language."""
    return {name: str(line) for line, name in enumerate(_member("languages").decode().splitlines())}


@cache
def _words() -> list[str]:
    return _member("words").decode().replace("\t", "\n").split("\v")


@cache
def _centroid(language: str) -> dict[str, float]:
    """Its features with their weights, of length 1."""
    import sys
    from array import array

    data = _member(_languages()[language])
    count = len(data) // 3
    numbers = array("H", data[: 2 * count])
    if sys.byteorder == "big":
        numbers.byteswap()
    weights = data[2 * count :]
    length = sqrt(sum(weight * weight for weight in weights))
    words = _words()
    return {words[number]: weight / length for number, weight in zip(numbers, weights, strict=True)}
