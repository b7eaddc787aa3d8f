"""No rule fails on any text, nor answers with a language that is no candidate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.languages.ambiguous import administration, homonyms, newcomers, notations, perl, prolog, sql, xml_twins
from starloom.languages.ambiguous.rule import MAX_HEAD, settle

MODULES = (administration, homonyms, newcomers, notations, perl, prolog, sql, xml_twins)
RULES = {key: rules for module in MODULES for key, rules in module.RULES.items()}


@given(
    st.sampled_from(sorted(RULES)),
    st.text(alphabet=st.sampled_from(list(" \t\n\r\0\ufeff#%:-=@{}()[]<>\"'$&aZ_0.;/*é")), max_size=200),
)
def test_always_one_of_the_candidates(key: str, text: str) -> None:
    candidates = frozenset(rule.language for rule in RULES[key])
    settled = settle(key, text, candidates)
    assert settled is not None
    assert settled.language in candidates


@pytest.mark.parametrize("key", sorted(RULES))
def test_hostile_heads_end(key: str) -> None:
    """Each would take minutes where a pattern repeats overlapping classes."""
    candidates = frozenset(rule.language for rule in RULES[key])
    for unit in ("a", " ", "\n", "(", "$", "a(", "/*", "; ", "a b ", "create function f ", "use "):
        assert settle(key, (unit * MAX_HEAD)[:MAX_HEAD], candidates) is not None


@pytest.mark.parametrize("key", sorted(RULES))
def test_never_a_language_that_is_no_candidate(key: str) -> None:
    assert settle(key, "anything", frozenset()) is None
