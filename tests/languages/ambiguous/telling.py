"""Tests that every module of rules has: of a list of (extension or name, language, text)."""

from collections.abc import Callable, Iterable, Sequence

import pytest

from starloom.languages.ambiguous.rule import Rule, all_rules, settle

Case = tuple[str, str, str]


def told_apart(cases: Sequence[Case]) -> Callable[[str, str, str], None]:
    """A test that each text is told to be in its language, among all that share the extension."""
    ids = [f"{number}-{key}-{language}" for number, (key, language, _) in enumerate(cases)]

    @pytest.mark.parametrize(("key", "language", "text"), cases, ids=ids)
    def test(key: str, language: str, text: str) -> None:
        rule = settle(key, text, frozenset(one.language for one in all_rules()[key]))
        assert rule is not None
        assert rule.language == language, rule.reason

    return test


def every_language_has_a_case(rules: dict[str, tuple[Rule, ...]], cases: Iterable[Case]) -> Callable[[str], None]:
    """A test that no language of a module's rules goes without a text."""
    told = {(key, language) for key, language, _ in cases}

    @pytest.mark.parametrize("key", sorted(rules))
    def test(key: str) -> None:
        assert {rule.language for rule in rules[key]} == {language for one, language in told if one == key}

    return test
