"""How many hits have which language, licence and repository."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from starloom.licenses.categories import canonical
from starloom.search import fields
from starloom.search.matching import license_terms
from starloom.search.values import LICENSE_TYPES

FACETS: Final = ("language", "license_type", "license", "repository")
SHOWN: Final = 10  # values of each, the most frequent

Facets = Mapping[str, Mapping[str, int]]


class Tally:
    """Counts one by one."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {name: Counter() for name in FACETS}

    def add(self, value: Callable[[str], Any]) -> None:
        """A file, by the columns of its row."""
        if language := value("language"):
            self._counts["language"][language] += 1
        if repository := value("repo_name"):
            self._counts["repository"][repository] += 1
        for term in license_terms(value("license_type"), value("detected_licenses")):
            if name := _license(term):
                self._counts["license_type" if term in LICENSE_TYPES else "license"][name] += 1

    def facets(self) -> Facets:
        return {name: dict(counts) for name, counts in self._counts.items()}


def of_terms(told: Mapping[str, Mapping[str, int]]) -> Facets:
    """The same of the index's terms, by field (see `fields`), with their counts."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
    counts["language"] += Counter(told[fields.LANGUAGE])
    counts["repository"] += Counter(told[fields.REPO])
    for term, many in told[fields.LICENSE].items():
        if name := _license(term):
            counts["license_type" if term in LICENSE_TYPES else "license"][name] += many
    return {name: {value: many for value, many in some.items() if value} for name, some in counts.items()}


def added(all_of_them: Iterable[Facets]) -> Facets:
    """Those of parts of an index, together."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
    for facets in all_of_them:
        for name in FACETS:
            counts[name].update(facets[name])
    return {name: dict(some) for name, some in counts.items()}


def most(facets: Facets) -> Facets:
    """The SHOWN most frequent values of each, equal ones by name."""
    return {name: dict(sorted(facets[name].items(), key=lambda one: (-one[1], one[0]))[:SHOWN]) for name in FACETS}


def _license(term: str) -> str | None:
    """How a term of `license:` is shown; None for an expression: what it is made of is counted."""
    if term in LICENSE_TYPES:
        return term
    known = canonical(term)
    if known and known.lower() == term:
        return known
    return None if known or " " in term or "(" in term else term
