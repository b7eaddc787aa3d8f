"""find: the gate calls who must look, in compiled and in plain form alike, and of findings that overlap one stays."""

import subprocess
import sys
import sysconfig
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from starloom.privacy import find as gate
from starloom.privacy.detector import WORD, Detector, Near
from starloom.privacy.find import disjoint, find, find_in
from starloom.privacy.finding import KINDS, Finding
from starloom.privacy.hidden import AROUND
from starloom.privacy.span import Span


def in_kernels(texts):
    encoded = [one.encode("utf-8", "surrogatepass") for one in texts]
    offsets = np.cumsum([0, *map(len, encoded)]).astype(np.int64)
    return find(texts, offsets, np.frombuffer(b"".join(encoded), np.uint8))


def detector(name, *anchors, near=(), length=4, kind="KEY", confidence=0.5):
    """One that finds `length` characters where its anchor begins, and notes where it was asked."""
    asked = []

    def look(text, at):
        asked.append(at)
        if at + length <= len(text):
            yield Finding(at, at + length, kind, name, confidence)

    return Detector(name, anchors, look, near), asked


@pytest.fixture
def detectors(monkeypatch):
    return lambda *some: monkeypatch.setattr(gate, "DETECTORS", some)


MAIL = "ada" + "@" + "analytical-engines.co.uk"
MADE_UP = f"""
# Author: Ada Quillfeather <{MAIL}>
HOST = "server {"93.184." + "216.34"}"; path = /home/quillfeather/.netrc
github_token = "{"ghp_" + "f3Kq9ZtVwLx7" * 3}"
db_password = "{"k7#Vq" + "x!2Lw"}"
url = "postgres://joe:{"w8Kz" + "Vq3x"}@db.internal-host.org/app"
secret_key = "{"q8ZtV2x" + "KfJ0wPd93LmYb7R"}"
"""
PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            [MAIL, "@", "\r\n", " ", "\0", "é", "😀", "\ud800", "password = ", '"', "'", "=", ".", "8.8.4.4", "key"]
        ),
        st.sampled_from(
            ["AKIA" + "Z7QK" * 4, "-----BEGIN ", "PRIVATE KEY-----", "://user:", "/home/ada/", "2a00:1450::"]
        ),
        st.text(max_size=6),
    ),
    max_size=12,
).map("".join)


@given(st.lists(PIECES, max_size=4))
@example(["", MAIL, f"\ud800{MAIL}\0", f"é {MAIL}\r\n"])
def test_short_and_long_texts_alike(texts):
    alone = [find_in(one) for one in texts]
    assert in_kernels(texts) == alone
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "SHORT", -1)
        assert [find_in(one) for one in texts] == alone
    for text, some in zip(texts, alone, strict=True):
        assert all(0 <= one.start < one.end <= len(text) for one in some)
        assert all(a.end <= b.start for a, b in pairwise(some))


def test_real_files_alike():
    paths = sorted(Path(sysconfig.get_path("stdlib")).glob("email/*.py"))
    texts = [path.read_text(encoding="utf-8").replace("\n", "\r\n", number % 2) for number, path in enumerate(paths)]
    found = in_kernels(texts)
    assert found == [find_in(one) for one in texts]
    assert sum(map(len, found)) > 5


@pytest.mark.parametrize(
    "text",
    [MAIL, f"{MAIL}\r\n", f"\0{MAIL}\0", f"é😀 {MAIL}", f"\ud800 {MAIL} \udfff", f"{MAIL} " * 2],
    ids=["all of it", "CRLF", "NULs", "not ASCII", "lone surrogates", "twice"],
)
def test_where_an_address_stands(text):
    spans = [Span(one.start, one.end, one.kind) for one in find_in(text)]
    assert len(spans) == text.count(MAIL)
    assert all(one.label == "EMAIL" and text[one.start : one.end] == MAIL for one in spans)
    assert [Span(one.start, one.end, one.kind) for one in in_kernels([text])[0]] == spans


def test_a_detector_looks_at_what_is_near():
    """Of a place in the middle of a long text, what is found there is found in its neighbourhood: so no text is slow,
    and a piece of a text can be shown without a look at all of it (privacy/hidden)."""
    paths = sorted(Path(sysconfig.get_path("stdlib")).glob("[a-g]*.py"))
    text = "".join(path.read_text(encoding="utf-8") + MADE_UP for path in paths)
    automaton, looks = gate._gate(gate.DETECTORS)
    found = 0
    for at, anchor in automaton.walk(text):
        first = max(at - AROUND, 0)
        near = text[first : at + AROUND]
        for look in looks[anchor]:
            here = [one._replace(start=one.start - first, end=one.end - first) for one in look(text, at)]
            assert here == list(look(near, at - first))
            found += len(here)
    assert found > 3 * len(paths)


def test_each_detector_has_a_name_of_its_own_and_finds_its_kinds():
    names = [one.name for one in gate.DETECTORS]
    assert len(set(names)) == len(names) > 10
    assert {one.kind for one in find_in(MADE_UP)} == set(KINDS)


def test_a_short_text_needs_no_numba():
    code = (
        f"import sys; from starloom.privacy.find import find_in; print(len(find_in({MAIL!r})), 'numba' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["1", "False"]


def test_who_is_asked_where(detectors):
    one, asked_one = detector("one", "key", "#-#")
    two, asked_two = detector("two", "key", near=(Near("after", "=", within=2), Near("before", WORD, wanted=False)))
    detectors(one, two)
    text = "KEY 1-2 key = é keys=9-9 monkey="
    found = find_in(text)
    assert asked_one == [0, 4, 8, 16, 21, 28]
    assert asked_two == [8, 16]
    assert [(found.start, found.detector) for found in found] == [
        (0, "one"),
        (4, "one"),
        (8, "one"),
        (16, "one"),
        (21, "one"),
        (28, "one"),
    ]
    assert in_kernels([text]) == [found]


def test_not_asked_again_inside_what_it_found(detectors):
    one, asked = detector("one", "aa", length=5)
    detectors(one)
    assert [(found.start, found.end) for found in find_in("a" * 11)] == [(0, 5), (5, 10)]
    assert asked == [0, 5]  # at 9 too few are left, but that is inside the second


def test_each_file_begins_anew(detectors):
    """What was found in one file keeps nobody from looking in the next."""
    one, _ = detector("one", "key", length=100)
    detectors(one)
    texts = ["key" + "." * 200, "x" * 50 + "key" + "." * 200, "", "ke", "y" + "." * 200]
    assert [[found.start for found in some] for some in in_kernels(texts)] == [[0], [50], [], [], []]


def test_ten_thousand_secrets_in_one_file(detectors):
    one, _ = detector("one", "key-", length=8)
    two, _ = detector("two", "ey-#", length=9, confidence=0.4)
    detectors(one, two)
    text = "".join(f"key-{number % 10}xyz é\n" for number in range(10_000))
    found = find_in(text)
    assert [text[one.start : one.end] for one in found] == [f"key-{number % 10}xyz" for number in range(10_000)]
    assert in_kernels(["", text]) == [[], found]


FINDINGS = st.lists(
    st.builds(
        Finding,
        st.integers(0, 30),
        st.integers(0, 30),
        st.sampled_from(["EMAIL", "KEY", "NAME", "PASSWORD"]),
        st.sampled_from(["a", "b"]),
        st.sampled_from([0.5, 0.9, 1.0]),
    ),
    max_size=14,
)


@given(FINDINGS)
def test_disjoint_is_the_best_first(found):
    kept = []
    for one in sorted(
        found, key=lambda one: (one.kind not in ("KEY", "PASSWORD"), -one.confidence, one.start - one.end, one)
    ):
        if one.start < one.end and all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    assert disjoint(found) == sorted(kept)
    assert disjoint(list(reversed(found))) == sorted(kept)


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        pytest.param([(0, 5, "EMAIL", 0.9), (5, 9, "EMAIL", 0.1)], [0, 1], id="side by side"),
        pytest.param([(0, 5, "EMAIL", 0.9), (4, 9, "EMAIL", 1.0)], [1], id="the surest"),
        pytest.param([(0, 5, "EMAIL", 0.9), (3, 9, "EMAIL", 0.9)], [1], id="the longest"),
        pytest.param([(0, 5, "EMAIL", 0.9), (3, 8, "EMAIL", 0.9)], [0], id="the first"),
        pytest.param([(0, 9, "EMAIL", 1.0), (0, 5, "PASSWORD", 0.5)], [1], id="the secret"),
        pytest.param([(0, 4, "NAME", 0.9), (2, 8, "NAME", 0.5), (6, 9, "NAME", 0.9)], [0, 2], id="both neighbours"),
        pytest.param([(3, 3, "KEY", 1.0), (5, 4, "KEY", 1.0), (2, 6, "NAME", 0.1)], [2], id="empty ones are none"),
        pytest.param([(1, 2, "KEY", 1.0), (1, 2, "KEY", 1.0)], [0], id="the same twice"),
    ],
)
def test_disjoint(found, kept):
    found = [Finding(start, end, kind, "d", confidence) for start, end, kind, confidence in found]
    assert disjoint(found) == [found[one] for one in kept]


def test_disjoint_of_very_many():
    """A chain of 200,000 that all hang together, and as many side by side."""
    chain = [Finding(one, one + 40, "KEY", "d", one % 7 / 7) for one in range(0, 2_000_000, 10)]
    kept = disjoint(chain)
    assert all(a.end <= b.start for a, b in pairwise(kept))
    assert sum(one.confidence > 0.8 for one in kept) > 25_000
    apart = [Finding(one, one + 10, "KEY", "d", 0.5) for one in range(0, 2_000_000, 10)]
    assert disjoint(apart) == apart


GIVEN = st.lists(
    st.one_of(
        st.sampled_from(
            ["key", "api_token", "db_password", "secret", "auth", "PWD", "pass", '"pw"', "twitter_key", "user:"]
        ),
        st.sampled_from(
            [" = ", ": ", "=", ":", " is ", " to ", " => ", "](", ", ", " ", ">", "</", "\n", "[]", ") == "]
        ),
        st.sampled_from(
            ['"', "'", "`", '\\"', "b'", '"""', "String(", 'os["x"] || ', "value=", ": str = ", "://", "@"]
        ),
        st.sampled_from(["--", "#define ", "SET ", "<", "|", "${", "}", "-", ";"]),
        st.sampled_from(["q8ZtV2x" + "KfJ0wPd93LmYb7R", "k7#Vq" + "x!2Lw", "QzXvKjWqPbGmZrT" + "yHf", "host.org", "é"]),
        st.sampled_from(["1.2", "93.184." + "216.34", "ada@analytical-engines.co.uk (Ada Quillfeather)"]),
    ),
    max_size=9,
).map("".join)
SAID = st.lists(
    st.one_of(
        st.sampled_from(["author", "@author", "Authors:", "__author__ = ", "\\author{", "<author>", "Written by "]),
        st.sampled_from(["Maintainer: ", "translators => ", "Signed-off-by: ", "provided by: ", "contributor", "(s)"]),
        st.sampled_from(["thanks to ", "cc: ", "reviewed by ", "hat tip ", "@ada-q", "[@ada](https://github.com/ada)"]),
        st.sampled_from(["Ada Quillfeather", "Zo\u00eb", "\u00c9mile", "J.", "O'Neil", "van", "quill", "KING", "Q.-"]),
        st.sampled_from(
            [" ", " ", "\u00a0", ", ", " and ", "; ", ". ", "\n", "\t", " <", " (", '"', "'", "[", "{", ">", ")"]
        ),
        st.sampled_from(
            ["<a href=x>", "<ada@analytical-engines.co.uk>", "(mail)", "ada@", "@", "%40", "host.org", "-"]
        ),
        st.sampled_from(["93.184." + "216.34", "1.", ".2", ":80", "server ", "/24"]),
    ),
    max_size=9,
).map("".join)


EVERYWHERE = tuple(replace(one, around=()) for one in gate.DETECTORS)


@given(st.one_of(GIVEN, SAID))
@example("thanks to @ada-q.")
@example('{"db_password": "' + "k7#Vq" + 'x!2Lw"}')
@example("<password>" + "k7#Vq" + "x!2Lw</password>")
@example("export PW=" + "k7Vq" + "x2Lw")
@example('key = os.environ["x"] || "' + "q8ZtV2x" + 'KfJ0wPd93LmYb7R"')
def test_what_must_stand_around_an_anchor_costs_no_finding(text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "DETECTORS", EVERYWHERE)
        found = find_in(text)
    assert find_in(text) == found
