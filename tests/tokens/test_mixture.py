"""Which source of the mixture a repository is of, and mixtures that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.tokens.mixture import MixtureSource, belongs, check_mixture, main_languages

PYTHON = MixtureSource("python", languages=("Python", "Cython"))
OURS = MixtureSource("ours", repositories=("debian/*", "pypi/num?y"))
BOTH = MixtureSource("both", languages=("C",), repositories=("debian/*",))
ELSEWHERE = MixtureSource("elsewhere", tokens="../other/tokens")
REST_OF_IT = MixtureSource("any")


@pytest.mark.parametrize(
    ("mixture", "repo_name", "language", "expected"),
    [
        ((PYTHON, OURS), "debian/zlib", "C", 1),
        ((PYTHON, OURS), "debian/zlib", "Python", 0),  # the first that holds
        ((OURS, PYTHON), "debian/zlib", "Python", 0),
        ((PYTHON, OURS), "npm/left-pad", "JavaScript", -1),
        ((PYTHON, OURS), "pypi/numpy", "C", 1),
        ((PYTHON, OURS), "pypi/numpyy", "C", -1),  # the whole name
        ((PYTHON, OURS), "Debian/zlib", "C", -1),  # as it is spelled
        ((BOTH,), "debian/zlib", "C", 0),
        ((BOTH,), "debian/zlib", "Perl", -1),  # all its conditions
        ((ELSEWHERE, REST_OF_IT), "debian/zlib", "", 1),  # what is packed already takes nothing; no condition, anything
        ((), "debian/zlib", "C", -1),
    ],
)
def test_belongs(mixture, repo_name, language, expected):
    assert belongs(mixture, repo_name, language) == expected


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from(["C", "Go", "Perl", "", None]), st.integers(0, 3)), max_size=12
    )
)
def test_main_languages(files):
    found = main_languages(*([one[k] for one in files] for k in range(3)))
    assert set(found) == {name for name, _, _ in files}
    for repo_name, language in found.items():
        sizes = {}
        for name, each, length in files:
            if name == repo_name:
                sizes[each or ""] = sizes.get(each or "", 0) + length
        assert language == sorted(each for each in sizes if sizes[each] == max(sizes.values()))[0]


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"name": "rest"}, "no name for a source"),
        ({"name": "../x"}, "no name for a source"),
        ({"name": "a" * 33}, "no name for a source"),
        ({"name": "Python"}, "no name for a source"),
        ({"name": ""}, "no name for a source"),
        ({"name": "a", "weight": -0.5}, "weight = -0.5 is no share"),
        ({"name": "a", "weight": float("nan")}, "weight = nan is no share"),
        ({"name": "a", "weight": float("inf")}, "weight = inf is no share"),
        ({"name": "a", "tokens": "x", "languages": ("C",)}, "packed already"),
        ({"name": "a", "tokens": "x", "repositories": ("*",)}, "packed already"),
    ],
    ids=lambda one: "-".join(map(str, one.values()))[:20] if isinstance(one, dict) else "",
)
def test_no_source(wrong, problem):
    with pytest.raises(UserError, match=problem):
        MixtureSource(**wrong)


def test_no_mixture():
    with pytest.raises(UserError, match="name = 'python' stands twice"):
        check_mixture([PYTHON, OURS, PYTHON])
    heavy = MixtureSource("heavy", weight=2.0)
    with pytest.raises(UserError, match="ours has no weight, heavy has one"):
        check_mixture([heavy, OURS])
    check_mixture([heavy, MixtureSource("light", weight=0.1)])
    check_mixture([PYTHON, OURS])
    check_mixture([])
