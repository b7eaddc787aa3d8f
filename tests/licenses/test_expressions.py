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
    deep = "".join(f"MIT {'AND' if level % 2 else 'OR'} (" for level in range(50)) + "ISC OR X" + ")" * 50
    assert rename(deep, str) == deep
    assert join([deep, "Zlib"], "AND") == f"({deep}) AND Zlib"
    wide = "MIT OR ISC AND Zlib OR " * 400 + "MIT"
    assert rename(wide, str) == "MIT OR (ISC AND Zlib)"


def test_rename():
    assert rename("( mit or Gpl-2.0+ with x )and isc", str.upper) == "(MIT OR GPL-2.0+ WITH x) AND ISC"


def test_join():
    assert join(["MIT"], "AND") == "MIT"
    assert join(["MIT", "ISC", "MIT"], "OR") == "MIT OR ISC"
    assert join(["MIT OR ISC", "GPL-2.0 WITH x"], "AND") == "(MIT OR ISC) AND GPL-2.0 WITH x"
    assert join(["MIT OR GPL-2.0 WITH x", "GPL-3.0"], "AND") == "(MIT OR GPL-2.0 WITH x) AND GPL-3.0"
    assert join(["MIT", "ISC OR MIT", "MIT OR (ISC OR (Zlib OR MIT))"], "OR") == "MIT OR ISC OR Zlib"
    assert join(["MIT AND ISC", "ISC AND MIT"], "AND") == "MIT AND ISC"
    assert join(["MIT", "MIT OR ISC"], "AND") == "MIT AND (MIT OR ISC)"
    assert join(["MIT OR ISC AND MIT", "ISC"], "OR") == "MIT OR (ISC AND MIT) OR ISC"
    assert join(["(MIT OR ISC)", "Zlib", "MIT OR ISC"], "AND") == "(MIT OR ISC) AND Zlib"
    assert join(["(MIT)", "MIT"], "AND") == "MIT"
    assert join(["(MIT OR ISC)"], "AND") == "(MIT OR ISC)"  # as it was written
    assert join(["MIT OR", "MIT"], "OR") == "(MIT OR) OR MIT"  # malformed text is left as it is


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("MIT OR mit", "MIT"),
        ("MIT OR (MIT OR Apache-2.0)", "MIT OR Apache-2.0"),
        ("(MIT OR ISC) AND (mit or isc)", "MIT OR ISC"),
        ("MIT AND (ISC OR ISC)", "MIT AND ISC"),
        ("MIT AND (MIT OR ISC)", "MIT AND (MIT OR ISC)"),  # other things
        ("GPL-2.0 WITH x OR GPL-2.0 WITH y", "GPL-2.0 WITH x OR GPL-2.0 WITH y"),
        ("MIT OR (ISC OR Zlib)", "MIT OR (ISC OR Zlib)"),  # said once each: as it was written
    ],
)
def test_what_stands_twice_is_said_once(written, said):
    assert rename(written, lambda spdx_id: spdx_id.replace("mit", "MIT").replace("isc", "ISC")) == said


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
    renamed = rename(expression, str)
    assert len(renamed) <= len(expression)
    assert reference.parse(renamed).simplify() == tree.simplify()
    for operator in ("AND", "OR"):
        parts = [expression, "Zlib", expression]
        joined = reference.parse(join(parts, operator))
        assert joined.simplify() == reference.parse(f"({expression}) {operator} Zlib").simplify()


def _best(tree):
    """Whether a choice of permissive licences exists, over license-expression's own tree."""
    if tree.isliteral:
        return license_class(getattr(tree, "license_symbol", tree).key) == "permissive"
    parts = [_best(part) for part in tree.args]
    return any(parts) if type(tree).__name__ == "OR" else all(parts)


@given(st.text(alphabet="MITORANDWH() -.+", max_size=30))
def test_any_text_parses_or_does_not(expression):
    assert (parse(expression) is None) == (symbols(expression) == [])
