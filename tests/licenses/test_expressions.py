"""The expression parser, with license-expression's as the reference."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.licenses.categories import expression_class, license_class
from starloom.licenses.expressions import MAX_LENGTH, Choice, Every, License, join, parse, rename, symbols


@pytest.mark.parametrize(
    ("expression", "ids"),
    [
        ("MIT", ["MIT"]),
        ("MIT OR Apache-2.0 OR MIT", ["MIT", "Apache-2.0"]),
        ("(GPL-2.0+ WITH Classpath-exception-2.0) and BSD-3-Clause", ["GPL-2.0+", "BSD-3-Clause"]),
        ("DocumentRef-x:LicenseRef-y", ["DocumentRef-x:LicenseRef-y"]),
        ("MIT  OR\n\tISC", ["MIT", "ISC"]),
        ("", []),
        ("MIT Apache-2.0", []),
        ("MIT/Apache-2.0", []),
        ("MIT OR", []),
        ("OR MIT", []),
        ("(MIT", []),
        ("MIT)", []),
        ("()", []),
        ("MIT WITH", []),
        ("MIT WITH (x)", []),
        ("(MIT OR ISC) WITH x", []),  # an exception belongs to one licence
        ("MIT WITH WITH", []),
        ("a\0b", []),
        ("ünter", []),
    ],
)
def test_symbols(expression, ids):
    assert symbols(expression) == ids


def test_precedence():
    assert parse("A OR B AND C WITH d") == Choice((License("A"), Every((License("B"), License("C", "d")))))


def test_hostile_expressions_are_malformed_not_slow():
    assert parse("(" * 5_000 + "MIT" + ")" * 5_000) is None
    assert parse("MIT OR " * MAX_LENGTH + "MIT") is None
    assert parse("(" * 50 + "MIT" + ")" * 50) == License("MIT")
    assert parse("(" * 51 + "MIT" + ")" * 51) is None


def test_rename():
    assert rename("( mit or Gpl-2.0+ with x )and isc", str.upper) == "(MIT OR GPL-2.0+ WITH x) AND ISC"


def test_join():
    assert join(["MIT"], "AND") == "MIT"
    assert join(["MIT", "ISC", "MIT"], "OR") == "MIT OR ISC"
    assert join(["MIT OR ISC", "GPL-2.0 WITH x"], "AND") == "(MIT OR ISC) AND GPL-2.0 WITH x"


_IDS = ["MIT", "Apache-2.0", "GPL-2.0-only", "MPL-2.0", "BSD-3-Clause", "GPL-3.0-or-later"]
_license = st.sampled_from([*_IDS, "GPL-2.0-only WITH Classpath-exception-2.0", "Apache-2.0 WITH LLVM-exception"])
_expression = st.recursive(
    _license,
    lambda inner: st.tuples(inner, st.sampled_from([" OR ", " AND "]), inner, st.booleans()).map(
        lambda parts: f"({''.join(parts[:3])})" if parts[3] else "".join(parts[:3])
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def reference():
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()


@settings(deadline=None, max_examples=150)
@given(expression=_expression)
def test_like_license_expression(reference, expression):
    tree = reference.parse(expression)
    found = [str(getattr(one, "license_symbol", one).key) for one in reference.license_symbols(tree, decompose=False)]
    assert set(symbols(expression)) == set(found)
    assert expression_class(expression) == ("permissive" if _best(tree) else "non_permissive")
    assert rename(expression, str) == expression.strip()


def _best(tree):
    """Whether a choice of permissive licences exists, over license-expression's own tree."""
    if tree.isliteral:
        return license_class(getattr(tree, "license_symbol", tree).key) == "permissive"
    parts = [_best(part) for part in tree.args]
    return any(parts) if type(tree).__name__ == "OR" else all(parts)


@given(st.text(alphabet="MITORANDWH() -.+", max_size=30))
def test_any_text_parses_or_does_not(expression):
    assert (parse(expression) is None) == (symbols(expression) == [])
