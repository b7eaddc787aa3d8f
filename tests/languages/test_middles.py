"""Pieces of syntax: drawn as likely as they should be, beside a brute force that counts every node and every pair of
places; what hostile files and a missing extra cost."""

import importlib.metadata
import itertools
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.languages import syntax
from starloom.languages.syntax.middles import Middles, mark

SOME = ("C", "Go", "Haskell", "JavaScript", "JSON", "OCaml", "PHP", "Python", "Ruby", "Rust", "YAML")


@pytest.fixture(scope="module")
def middles():
    """The process; a test that needs it is skipped where the extra is not installed."""
    pytest.importorskip("tree_sitter_language_pack")
    with Middles() as found:
        yield found


def drawn(middles, language, text, count):
    """How often each stretch is drawn by `count` numbers."""
    step = (1 << 64) // count
    return Counter(middles([(language, text, number * step + 12345) for number in range(count)]))


def nodes(node):
    yield node
    for child in node.children:
        yield from nodes(child)


def expected(language, text):
    """{stretch: share}: half by the nodes' lengths, half by all pairs of places."""
    parser = pytest.importorskip("tree_sitter_language_pack").get_parser(language)
    data = text.encode()
    root = parser.parse(data).root_node
    whole = (len(data) - len(data.lstrip()), len(data.rstrip()))
    found = Counter()

    def valid(start, stop, some):
        return not any(one.has_error for one in some) and not (start <= whole[0] and stop >= whole[1])

    named = [one for one in nodes(root) if one.is_named and one != root]
    fit = [one for one in named if valid(one.start_byte, one.end_byte, [one])]
    total = sum(one.end_byte - one.start_byte for one in fit)
    for one in fit:
        found[one.start_byte, one.end_byte] += (one.end_byte - one.start_byte) / total / 2
    fits = Counter()
    for start, stop in itertools.product(range(len(data) + 1), repeat=2):
        if start < stop:
            holding = [one for one in (root, *named) if one.start_byte <= start and stop <= one.end_byte]
            if not holding:
                continue
            inner = min(holding, key=lambda one: (one.end_byte - one.start_byte, -depth(one)))
            rows = best(inner.named_children or [inner], start, stop)
            if rows and valid(rows[0].start_byte, rows[-1].end_byte, rows):
                fits[rows[0].start_byte, rows[-1].end_byte] += 1
    for stretch, count in fits.items():
        found[stretch] += count / fits.total() / 2
    return found


def depth(node):
    return 0 if node.parent is None else 1 + depth(node.parent)


def best(children, start, stop):
    """Of all rows of children the one with most in common; of two the longer one."""
    rows = [children[i:j] for i in range(len(children)) for j in range(i + 1, len(children) + 1)]

    def share(row):
        first, last = row[0].start_byte, row[-1].end_byte
        return (min(stop, last) - max(start, first)) / (max(stop, last) - min(start, first))

    row = max(rows, key=lambda one: (share(one), -one[0].start_byte, one[-1].end_byte), default=[])
    return row if row and share(row) > 0 else []


@pytest.mark.parametrize(
    ("language", "grammar", "text"),
    [
        (
            "Python",
            "python",
            "import a\n\ndef f(x):\n    # why\n    return g(x, 1)\n\n\nclass A:\n    b = {'c': [1, 2]}\n",
        ),
        ("C", "c", "int f(int a) {\n  if (a > 1) { return a; }\n  return -a;\n}\nint b = )3;\n"),
        ("JSON", "json", '{"a": [1, 2, {"b": null}], "c": "d e f"}\n'),
    ],
    ids=["python", "c-with-an-error", "json"],
)
def test_as_likely_as_they_should_be(middles, language, grammar, text):
    shares = expected(grammar, text)
    found = drawn(middles, language, text, 6000)
    assert set(found) <= set(shares)
    statistic = sum((found[key] - 6000 * share) ** 2 / (6000 * share) for key, share in shares.items())
    free = len(shares) - 1
    assert statistic < free * (1 - 2 / (9 * free) + 3.09 * (2 / (9 * free)) ** 0.5) ** 3  # one time in a thousand


def test_stretches_are_of_characters(middles):
    text = "é = '🙂🙂'\nb = 'ü'\n"
    found = {text[start:stop] for start, stop in drawn(middles, "Python", text, 300)}
    assert {"é", "'🙂🙂'", "🙂🙂", "é = '🙂🙂'", "b = 'ü'", "'ü'"} <= found


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("Python", ""),
        ("Python", "\n \n"),
        ("Python", "a"),
        ("Text", "a b"),
        ("JSON", "[[[["),
        ("Python", "x = 1\n" * 200),
    ],
    ids=["empty", "blank", "one-node", "no-grammar", "all-error", "large"],
)
def test_nothing_to_be_drawn(middles, language, text):
    with Middles(max_bytes=1000) as small:
        assert small([(language, text, 5)]) == [None]
    assert middles([("JSON", "[1, 2]", 5)]) != [None]


def test_crashes_and_what_is_given_up_cost_only_their_own_files(middles):
    crash, busy, right = ("YAML", "- " * 20_000, 1), ("C++", "a<b<" * 100_000, 1), ("Python", "a = f(1)\nb = 2\n", 1)
    (expected,) = middles([right])
    assert expected is not None
    assert middles([right, crash, right, busy, crash, right]) == [expected, None, expected, None, None, expected]


def test_it_starts_again_after_it_was_closed(middles):
    asked = [("Python", "a = f(1)\nb = 2\n", number) for number in range(20)]
    with Middles() as other:
        found = other(asked)
        other.close()
        other.close()
        assert other(asked) == found == middles(asked)


@given(st.lists(st.tuples(st.sampled_from(SOME), st.text(), st.integers(0, (1 << 64) - 1)), min_size=20, max_size=60))
@settings(deadline=None, max_examples=6)
def test_any_text(middles, asked):
    asked = [(language, text.encode("utf-8", "replace").decode(), number) for language, text, number in asked]
    found = middles(asked)
    assert found == middles(asked)
    for (_, text, _), stretch in zip(asked, found, strict=True):
        assert stretch is None or 0 <= stretch[0] < stretch[1] <= len(text)
        assert stretch is None or text[stretch[0] : stretch[1]].encode().strip() != text.encode().strip()


def test_without_the_extra_an_error_says_what_to_install(monkeypatch):
    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    syntax.version.cache_clear()
    monkeypatch.setattr(importlib.metadata, "version", absent)
    for asked in (Middles, mark):
        with pytest.raises(UserError, match=r"\[pack\] syntax_rate is above 0, but tree-sitter is not") as caught:
            asked()
        assert caught.value.hint == "pip install 'starloom[syntax]', or set syntax_rate = 0 in [pack]"
    syntax.version.cache_clear()
