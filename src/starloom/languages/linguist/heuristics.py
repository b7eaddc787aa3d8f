"""Linguist's heuristics.yml: for groups of extensions, patterns that tell languages apart; run, not copied.

The first group that lists an ending of the name decides, and in it the first rule that holds; where none holds, the
classifier is asked. A rule may name several languages, which the classifier then chooses from.
"""

from typing import Any, NamedTuple

from starloom.errors import UserError
from starloom.languages.linguist.ruby_patterns import Matcher, compile_ruby, union

MAX_HEAD = 50 * 1024  # bytes of a file that are looked at, as in Linguist


class _All(NamedTuple):
    matchers: tuple[Matcher, ...]

    def holds(self, data: bytes, seconds: float) -> bool:
        return all(one.holds(data, seconds) for one in self.matchers)


class _Not(NamedTuple):
    matcher: Matcher

    def holds(self, data: bytes, seconds: float) -> bool:
        return not self.matcher.holds(data, seconds)


class LinguistRule(NamedTuple):
    """If `matcher` holds, the file is in one of `languages`."""

    languages: tuple[str, ...]
    matcher: Matcher


class Group(NamedTuple):
    """Rules for names with one of these endings (in lower case)."""

    endings: tuple[str, ...]
    rules: tuple[LinguistRule, ...]


def parse(document: dict[str, Any]) -> tuple[Group, ...]:
    """The groups of heuristics.yml. Raises UserError where it is not as Linguist's is."""
    try:
        named: dict[str, Matcher] = {
            name: compile_ruby(_source(value)) for name, value in document.get("named_patterns", {}).items()
        }
        return tuple(
            Group(
                tuple(str(ending) for ending in group["extensions"]),
                tuple(LinguistRule(_names(rule.get("language")), _matcher(rule, named)) for rule in group["rules"]),
            )
            for group in document["disambiguations"]
        )
    except (KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise UserError(f"heuristics.yml is not shaped as Linguist's: {problem!r}", "is it Linguist's own?") from None


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(str(one) for one in value)
    return () if value is None else (str(value),)


def _matcher(rule: dict[str, Any], named: dict[str, Matcher]) -> Matcher:
    if rule.get("and") is not None:
        return _All(tuple(_matcher(one, named) for one in rule["and"]))
    if rule.get("pattern") is not None:
        return compile_ruby(_source(rule["pattern"]))
    if rule.get("negative_pattern") is not None:
        return _Not(compile_ruby(_source(rule["negative_pattern"])))
    if rule.get("named_pattern") is not None:
        return named[rule["named_pattern"]]
    return _All(())


def _source(value: Any) -> str:
    return union([str(one) for one in value]) if isinstance(value, list) else str(value)
