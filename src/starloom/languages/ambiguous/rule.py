"""A rule that tells apart the languages of one extension, and the table of all rules.

A rule says: a file whose head matches `pattern` (and `also`), and does not match `unless`, is in `language`. The first
rule that holds decides, so the most telling ones stand first; where none holds, the classifier is asked, then the
table's default.
"""

import functools
import importlib
import pkgutil
from dataclasses import dataclass

from starloom.languages import ambiguous
from starloom.languages.alternatives import Alternatives

MAX_HEAD = 50_000  # characters of a file that rules look at


@dataclass(frozen=True, slots=True)
class Rule:
    """Patterns are `re` with MULTILINE; they must run in linear time on any text (no nested or adjacent repeats of
    overlapping classes): files come from strangers."""

    language: str  # a name of the table
    reason: str  # one line: what in the language's syntax says so; shown to people
    pattern: str | None = None  # None: always holds, for the last rule of an extension
    also: str | None = None
    unless: str | None = None

    @property
    def patterns(self) -> list[Alternatives]:
        return [_searcher(one) for one in (self.pattern, self.also, self.unless) if one is not None]

    def holds(self, head: str, words: frozenset[str] | None = None) -> bool:
        """Whether the first MAX_HEAD characters of a file are as the rule says; `words`: see `Alternatives.search`."""
        return (
            (self.pattern is None or _searcher(self.pattern).search(head, words))
            and (self.also is None or _searcher(self.also).search(head, words))
            and (self.unless is None or not _searcher(self.unless).search(head, words))
        )


@functools.cache
def _searcher(pattern: str) -> Alternatives:
    return Alternatives(pattern)


@functools.cache
def all_rules() -> dict[str, tuple[Rule, ...]]:
    """By extension in lower case, without the first dot; by whole name for names without one (`HOSTS`).

    Raises ValueError when two modules claim one extension.
    """
    found: dict[str, tuple[Rule, ...]] = {}
    for one in pkgutil.iter_modules(ambiguous.__path__):
        module = importlib.import_module(f"{ambiguous.__name__}.{one.name}")
        for key, rules in getattr(module, "RULES", {}).items():
            if key in found:
                raise ValueError(f"{one.name}: {key} has rules in another module")
            found[key] = tuple(rules)
    return found


def settle(key: str, head: str, candidates: frozenset[str], words: frozenset[str] | None = None) -> Rule | None:
    """The first rule for an extension (or name) that holds and names one of the candidates; `words`: of the head, see
    `Alternatives.search`."""
    for rule in all_rules().get(key, ()):
        if rule.language in candidates and rule.holds(head, words):
            return rule
    return None
