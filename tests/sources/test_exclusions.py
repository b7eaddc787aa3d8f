"""`.starloom.toml`: it may only exclude, whatever it says, and its patterns cost what they are long."""

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.sources.exclusions import MAX_BYTES, MAX_PATTERNS, parse


@pytest.mark.parametrize(
    ("pattern", "out", "stays"),
    [
        ("vendor/", ["vendor/a.c", "src/vendor/deep/b.c"], ["vendor", "vendors/a.c"]),
        ("*.min.js", ["a.min.js", "x/y/b.min.js"], ["a.js", "min.js"]),
        ("secret.txt", ["secret.txt", "x/secret.txt", "secret.txt/inside"], ["secret.txt2", "asecret.txt"]),
        ("/top.txt", ["top.txt"], ["x/top.txt"]),
        ("docs/api", ["docs/api", "docs/api/a.md"], ["x/docs/api", "docs/apis"]),
        ("docs/**/figures", ["docs/figures/a", "docs/x/y/figures/b"], ["figures/a", "docs/figure"]),
        ("**/x", ["x", "a/x/b"], ["ax"]),
        ("a?c", ["abc"], ["ac", "a/c", "abbc"]),
        ("src/*.py", ["src/a.py"], ["src/x/a.py", "a.py"]),
        ("café*", ["café.py"], ["cafe.py"]),
    ],
)
def test_patterns(pattern, out, stays):
    rules = parse(f'exclude = ["{pattern}"]'.encode())
    assert [rules.excluded(path) for path in out] == [pattern] * len(out)
    assert [rules.excluded(path) for path in stays] == [None] * len(stays)


def test_it_may_only_exclude():
    rules = parse(
        b'include = ["*"]\nrecipe = "stack-v2"\n[engine]\nworkers = 9\n[[rules]]\nname = "x"\ndrop = "true"\n'
    )
    assert rules.excluded("a.py") is None


@pytest.mark.parametrize(
    "text",
    [
        b"exclude = [",
        b"\xff\xfe",
        b"exclude = 3",
        b'exclude = ["a", 1]',
        b'exclude = ["!keep"]',
        b'exclude = ["[ab]"]',
        b'exclude = [""]',
        b'exclude = ["/"]',
        b"exclude = " + b"[" * 5000,
        b"#" * (MAX_BYTES + 1),
        b"exclude = [" + b'"a",' * (MAX_PATTERNS + 1) + b"]",
    ],
    ids=range(11),
)
def test_what_is_not_understood_excludes_everything_and_says_so(text):
    reason = parse(text).excluded("any/path.py")
    assert reason is not None
    assert reason.startswith("the whole repository: .starloom.toml is not understood: ")


def test_the_whole_repository():
    assert parse(b"exclude = true").excluded("a") == "the whole repository"
    assert parse(b"exclude = false").excluded("a") is None
    assert parse(b"").excluded("a") is None
    assert parse(b'exclude = "*.c"').excluded("x/a.c") == "*.c"


_NAMES = st.text("ab*?.", min_size=1, max_size=8)


@given(_NAMES, st.text("ab.", min_size=1, max_size=10))
def test_a_name_matches_as_fnmatch_says(pattern, name):
    rules = parse(f'exclude = ["/{pattern}"]'.encode())
    assert (rules.excluded(name) is not None) == (fnmatch.fnmatchcase(name, pattern) or set(pattern) == {"*"})


def test_a_pattern_that_would_choke_a_regular_expression():
    rules = parse(f'exclude = ["{"*a" * 100}*b"]'.encode())
    assert rules.excluded("a" * 4000) is None


@given(st.binary(max_size=300))
def test_any_bytes_give_an_answer(data):
    parse(data).excluded("a/b.py")
