"""Hand-checked cases (cases/*.toml): what is not permissive never comes out as permissive, and what is does."""

import tomllib
from pathlib import Path

import pytest

from starloom.licenses.categories import expression_class
from starloom.licenses.notices import own_notice, unrecognised
from starloom.licenses.statements import statements

_CASES = Path(__file__).with_name("cases")


def _load(name, key):
    cases = tomllib.loads((_CASES / name).read_text(encoding="utf-8"))[key]
    return [pytest.param(case, id=f"{name}-{key}-{i}") for i, case in enumerate(cases)]


def test_there_are_enough():
    assert len(_load("notices.toml", "case")) + len(_load("metadata.toml", "case")) >= 200


@pytest.mark.parametrize("case", _load("notices.toml", "case"))
def test_restrictive_notice(case):
    found = own_notice(case["text"])
    if "is" in case:
        assert found is not None
        assert found.expression == case["is"]
    if found is None:
        assert unrecognised(case["text"]) is not None  # the scanner's
    else:
        assert expression_class(found.expression) != "permissive"
        assert 1 <= found.line <= found.end <= case["text"].count("\n") + 1


@pytest.mark.parametrize("case", _load("notices.toml", "permissive"))
def test_permissive_notice(case):
    found = own_notice(case["text"])
    assert found is not None
    assert expression_class(found.expression) == "permissive"
    assert found.expression == case.get("is", found.expression)
    assert found.end == case.get("end", found.end)


@pytest.mark.parametrize("case", _load("metadata.toml", "case"))
def test_restrictive_metadata(case):
    found = statements(case["file"], case["text"])
    assert found
    if "is" in case:
        assert found[0].expression == case["is"]
    assert all(expression_class(one.expression) != "permissive" for one in found)


@pytest.mark.parametrize("case", _load("metadata.toml", "permissive"))
def test_permissive_metadata(case):
    found = statements(case["file"], case["text"])
    assert [one.expression for one in found] == [case["is"]]
