"""Linguist's classifier, with its data where the user has it: what is left to decide goes to the likeliest language.

Two kinds of data are known: counts of tokens (`tokens`, up to version 7: naive Bayes with the frequency of languages
among the samples) and centroids (`vocabulary`, `icf`, `centroids`, later versions: cosine of tf-icf vectors).
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from starloom.errors import UserError
from starloom.languages.linguist.tokens import tokenize

MAX_HEAD = 50 * 1024  # bytes of a file that are looked at, as in Linguist

Classify = Callable[[bytes, Sequence[str]], list[str]]  # best first; languages without data are left out


def classifier(samples: dict[str, Any]) -> Classify | None:
    """What chooses by `samples` (samples.json); None where there is no data."""
    try:
        if "centroids" in samples:
            return _Centroids(samples)
        if "language_tokens" in samples:
            return _Bayes(samples)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as problem:
        raise UserError(f"samples.json is not shaped as Linguist's: {problem!r}", "is it Linguist's own?") from None
    return None


class _Bayes:
    """The sums run in Linguist's order, so that they round as there."""

    def __init__(self, samples: dict[str, Any]) -> None:
        self.tokens: dict[str, dict[str, int]] = samples["tokens"]
        self.totals = {name: float(total) for name, total in samples["language_tokens"].items()}
        self.unknown = math.log(1 / float(samples["tokens_total"]))
        total = float(samples["languages_total"])
        self.prior = {name: math.log(count / total) for name, count in samples["languages"].items()}

    def __call__(self, head: bytes, languages: Sequence[str]) -> list[str]:
        counts: dict[str, int] = {}
        for token in tokenize(head):
            text = token.decode("ascii")
            counts[text] = counts.get(text, 0) + 1
        known = [name for name in languages if name in self.prior and name in self.tokens]
        scores = {name: self._likelihood(counts, name) + self.prior[name] for name in known}
        return sorted(known, key=lambda name: -scores[name])

    def _likelihood(self, counts: dict[str, int], name: str) -> float:
        found, total, unknown = self.tokens[name], self.totals[name], self.unknown
        score = 0.0
        for token, count in counts.items():
            seen = found.get(token)
            score += count * (math.log(seen / total) if seen else unknown)
        return score


class _Centroids:
    def __init__(self, samples: dict[str, Any]) -> None:
        self.vocabulary: dict[str, int] = samples["vocabulary"]
        self.icf = [float(one) for one in samples["icf"]]
        # JSON has no numbers as keys.
        self.centroids = {
            name: {int(index): float(value) for index, value in centroid.items()}
            for name, centroid in samples["centroids"].items()
        }
        if any(not 0 <= index < len(self.icf) for index in self.vocabulary.values()):
            raise ValueError("a token without weight")

    def __call__(self, head: bytes, languages: Sequence[str]) -> list[str]:
        counts: dict[int, int] = {}
        for token in tokenize(head):
            index = self.vocabulary.get(token.decode("ascii"))
            if index is not None:
                counts[index] = counts.get(index, 0) + 1
        vector = {index: (1.0 + math.log(count)) * self.icf[index] for index, count in counts.items()}
        length = math.sqrt(sum(value * value for value in vector.values()))
        if not length:
            return []
        scores = {}
        for name in languages:
            centroid = self.centroids.get(name, {})
            score = sum(value / length * centroid.get(index, 0.0) for index, value in vector.items())
            if score > 0:
                scores[name] = score
        return sorted(scores, key=lambda name: -scores[name])
