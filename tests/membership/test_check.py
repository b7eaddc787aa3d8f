"""Matching code: what is found, where, in which files; what is never found; and how an answer is worded."""

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.identity import content_id
from starloom.kernels import twins
from starloom.kernels.fold import fold_with_map
from starloom.membership import asked, boilerplate, check, spans
from starloom.membership.boilerplate import is_license
from starloom.membership.check import COMMON, GUARANTEE, WIDTH
from starloom.membership.layout import content_ids
from the_stack.building import MIT, code


def folded(text):
    return twins.fold(text.encode()).decode()


def lines(text, first, last):
    return "\n".join(text.split("\n")[first - 1 : last])


def assert_true(found, asked, contents):
    """Everything that an answer says about the text asked and the files (content_id → text) holds."""
    covered = 0
    for match in found.matches:
        assert 0 <= match.start < match.end <= len(asked)
        piece = asked[match.start : match.end]
        assert not piece[0].isspace()
        assert not piece[-1].isspace()
        assert match.characters == len(folded(piece))
        assert folded(piece) in folded(lines(asked, match.first_line, match.last_line))
        assert 1 <= len(match.files) <= match.total
        covered += match.characters
        for file in match.files:
            same = folded(asked[file.start : file.end])
            assert len(same) > match.characters - WIDTH
            assert same in folded(contents[file.content_id])
            assert same in folded(lines(contents[file.content_id], file.first_line, file.last_line))
    assert found.characters == len(folded(asked))
    assert 0 <= found.coverage <= 1
    assert bool(found.matches) == (found.coverage > 0) == found.verdict.startswith("match in")
    assert found.coverage * max(found.characters, 1) <= covered + 1e-6


# --- planted copies ------------------------------------------------------------------------------------------------


def piece_of(text, size, dice):
    """A piece of `text` whose fold is `size` characters of its fold, cut anywhere; None where there is none."""
    data = text.encode()
    query, sources = fold_with_map(np.frombuffer(data, dtype=np.uint8))
    for _ in range(20):
        if len(query) < size:
            return None
        start = dice.randrange(len(query) - size + 1)
        piece = data[sources[start] : sources[start + size - 1] + 1].decode(errors="replace")
        if "\ufffd" not in piece and len(folded(piece)) == size:
            return piece
    return None


def disguised(piece, dice):
    """The same with other white space: indented anew, without indentation, with tabs, blank lines, CRLF."""
    rows = piece.split("\n")
    how = dice.randrange(5)
    if how == 0:
        rows = rows[:1] + [" " * 12 + row for row in rows[1:]]
    elif how == 1:
        rows = [row.strip() for row in rows]
    elif how == 2:
        rows = [row.replace("    ", "\t") for row in rows]
    elif how == 3:
        rows = [row + "  \n" for row in rows]
    return ("\r\n" if dice.random() < 0.5 else "\n").join(rows)


def test_planted_copies(index, rows):
    """200 pieces of 99 and more characters of a real dataset, cut anywhere, disguised, inside other code."""
    dice = random.Random("planted")
    contents = {row["content_id"]: row["content"] for row in rows}
    sizes = Counter()
    while sizes.total() < 200:
        row = dice.choice(rows)
        size = dice.choice([99, 100, 120, 149, 150, 200, 400, 1000])
        piece = piece_of(row["content"], size, dice)
        if piece is None:
            continue
        copy = disguised(piece, dice)
        before, after = code(f"before {sizes.total()}").decode(), code(f"after {sizes.total()}").decode()
        asked = f"{before}\n#@{copy}@#\n{after}"
        found = index.check(asked, files=None)
        assert_true(found, asked, contents)
        start = len(before) + 3
        right = [
            match
            for match in found.matches
            if match.start <= start + WIDTH
            and match.end >= start + len(copy) - WIDTH
            and row["content_id"] in {file.content_id for file in match.files}
        ]
        assert right, (row["path"], piece)
        sizes[size] += 1
    assert len(sizes) == 8


def test_own_code_is_not_found(index):
    for number in range(20):
        asked = code(f"nobody {number}", 40).decode()
        found = index.check(asked)
        assert found.matches == []
        assert found.coverage == 0.0
        assert found.verdict == "no match in the 3 repositories indexed"


def test_a_whole_file(index, rows):
    row = next(row for row in rows if row["path"] in ("json/decoder.py", "vendored.py"))
    found = index.check(row["content"])
    best = found.matches[0]
    assert found.coverage == 1.0
    assert folded(row["content"][best.start : best.end]) == folded(row["content"])
    own, copy = best.files[:2]
    assert (own.repo_name, own.path, own.in_dataset, copy.in_dataset) == (row["repo_name"], row["path"], True, False)
    assert {(one.repo_name, one.path) for one in best.files} == {("one", "json/decoder.py"), ("copies", "vendored.py")}
    assert best.total == 2
    assert not best.common
    assert {one.content_id for one in best.files} == {row["content_id"]}
    assert (own.first_line, own.last_line) == (best.first_line, best.last_line)


def test_licences_and_splits_are_told(index, rows):
    contents = {row["content_id"]: row for row in rows}
    for row in rows[::25]:
        for match in index.check(row["content"]).matches:
            for file in match.files:
                if file.in_dataset:
                    told = contents[file.content_id]
                    assert file.split == told["split"]
                    assert file.license_type == told["license_type"]
                    assert list(file.detected_licenses) == told["detected_licenses"]


# --- against brute force --------------------------------------------------------------------------------------------

_LINES = [f"    value_{k} = compute({k}, other[{k * 7}])  # é中 {k * k}" for k in range(12)]
_ROWS = st.lists(
    st.one_of(st.sampled_from(_LINES), st.sampled_from(["", "  ", "x", "}", "\t" + _LINES[0], "中" * 40])), max_size=14
)
_FILES = st.lists(_ROWS.map("\n".join), min_size=1, max_size=4, unique=True)

brute = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@brute
@given(files=_FILES, asked=_ROWS.map("\r\n".join), indent=st.sampled_from(["", "      "]))
def test_every_common_stretch_is_found(index_of, files, asked, indent):
    asked = "\n".join(indent + row for row in asked.split("\n"))
    index = index_of(files)
    contents = {content_id(text.encode()): text for text in files}
    found = index.check(asked)
    assert_true(found, asked, contents)
    query = twins.fold(asked.encode())
    # Below the choice of what to show: exactly the stretches that cannot grow and hold a tile.
    found_spans = spans.find(index.shard, np.frombuffer(query, dtype=np.uint8))
    got, ids = found_spans.stretches, content_ids(found_spans.contents)
    by_file = Counter()
    for file, start, end, position in zip(*(column.tolist() for column in got)):
        text = twins.fold(contents[ids[file]].encode())
        assert query[start:end] == text[position : position + end - start]
        by_file[file] += 1
    for content in sorted(contents):
        text = twins.fold(contents[content].encode())
        for start, end, position in twins.stretches(query, text, GUARANTEE):
            rows = [
                (a, b, p)
                for f, a, b, p in zip(*(column.tolist() for column in got))
                if ids[f] == content and p - a == position - start and start <= a and b <= end
            ]
            assert rows, (start, end)
            assert max(b - a for a, b, p in rows) >= end - start - 8  # but for blanks and parts of characters
            # And shown: but for less than a tile at either side, with what is shown of longer ones.
            shown = np.zeros(len(asked), dtype=bool)
            for match in found.matches:
                shown[match.start : match.end] = True
            _, sources = fold_with_map(np.frombuffer(asked.encode(), dtype=np.uint8))
            characters = [len(asked.encode()[:source].decode(errors="ignore")) for source in sources[start:end]]
            assert sum(not shown[one] for one in characters) < WIDTH


_REPEATED = st.sampled_from(["a", "ab", "abc ", "0, 0,\n", "é"])


@brute
@given(
    files=st.lists(st.tuples(_REPEATED, st.integers(1, 150)), max_size=3),
    asked=st.lists(st.tuples(st.one_of(_REPEATED, st.just("x")), st.integers(1, 100)), max_size=3),
)
def test_text_that_repeats_itself(index_of, files, asked):
    files = sorted({one * count for one, count in files} | {code("x").decode()})
    asked = "".join(one * count for one, count in asked)
    found = index_of(files).check(asked)
    assert_true(found, asked, {content_id(text.encode()): text for text in files})
    query = twins.fold(asked.encode())
    for text in files:
        for start, end, _ in twins.stretches(query, twins.fold(text.encode()), GUARANTEE):
            assert found.coverage * found.characters > 0, (start, end)


# --- boilerplate ----------------------------------------------------------------------------------------------------

HEADER = (
    "".join(f"# This file belongs to the great tool of ours, chapter {k}, and has a long banner.\n" for k in range(6))
    + "\n"
)


def test_what_many_files_begin_with_and_few_have_later_is_counted_for_all(index_of):
    """Where tiles begin differs: the few are rare by theirs, which says nothing of the many."""
    header = code(1).decode()
    many = [f"{header}\n{code(one, 3).decode()}" for one in range(100, 160)]
    few = [f"xyz = {one}\n{header}\n{code(one, 3).decode()}" for one in (200, 201)]
    found = index_of([*many, *few]).check(f"other = 1\n{header}\nother = 2\n")
    match = max(found.matches, key=lambda one: one.characters)
    assert match.characters >= len(folded(header)) - 1
    assert match.total == 62
    assert match.common
    (whole,) = {one.total for one in index_of([*many, *few]).check(header, files=None).matches}
    assert whole == 62


@pytest.mark.parametrize("count", [3, COMMON + 1, 100])
def test_what_many_files_share_comes_last_and_is_marked(index_of, count):
    bodies = [code(f"body {k}", 12).decode() for k in range(count)]
    index = index_of([HEADER + body for body in bodies[: count // 2]], [HEADER + body for body in bodies[count // 2 :]])
    asked = "\n".join(["print('own')", bodies[1], "print('again')", HEADER * 2, "print('end')"])
    found = index.check(asked)
    first, *others = found.matches
    assert [file.path for file in first.files] == ["1.py"]
    assert first.total == 1
    assert not first.common
    assert others
    for match in others:
        assert match.common == (count > COMMON)
        assert match.total >= count
        assert len(match.files) == min(count, check.FILES)
    everything = index.check(asked, files=None)
    assert {len(match.files) for match in everything.matches[1:]} == {count}


def test_a_header_and_a_body_copied_together_name_the_file(index_of):
    bodies = [code(f"body {k}", 12).decode() for k in range(60)]
    index = index_of([HEADER + body for body in bodies])
    (match,) = index.check(HEADER + bodies[17]).matches
    assert [(file.path, match.common) for file in match.files] == [("17.py", False)]


# --- every text has an answer ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", " \n\t", "x", "x" * 49, "  x\n" * 12, " " * 5_000_000])
def test_too_short(index, text):
    found = index.check(text)
    assert found.verdict == "not covered: shorter than 50 characters"
    assert (found.matches, found.coverage) == ([], 0.0)


@pytest.mark.parametrize(
    "text",
    [
        "x = '" + "word " * 200_000 + "'",
        "\0" * 100_000,
        "a" * 1_000_000,
        "ab" * 50_000 + "\n" * 50_000 + "é" * 50_000,
        "\ufeff\u202e" * 1000,
    ],
    ids=["long line", "NUL", "one letter", "runs", "marks"],
)
def test_hostile_text(index, text):
    found = index.check(text)
    assert found.verdict == "no match in the 3 repositories indexed"
    assert found.characters == len(folded(text))


def test_one_letter_in_both(index_of):
    """Each of 100,000 offsets of the text stands at hundreds of places."""
    index = index_of(["a" * 30_000, "a" * 40_000 + "b", code("x").decode()])
    asked = "a" * 100_000
    found = index.check(asked)
    assert found.coverage == 1.0
    assert [match.characters for match in found.matches] == [40_000, 40_000, 40_000]
    assert_true(found, asked, {content_id(one.encode()): one for one in ("a" * 30_000, "a" * 40_000 + "b")})


def test_lone_surrogates(index):
    with pytest.raises(UserError, match="lone surrogate at character 3"):
        index.check("abc\udc80def")


def test_too_long(index):
    with pytest.raises(UserError, match="more than 8,388,608"):
        index.check("x" * (check.MOST_BYTES + 1))


def test_asking_twice_and_at_once_gives_the_same(index, rows):
    from concurrent.futures import ThreadPoolExecutor

    texts = [row["content"] for row in rows[::12]]
    alone = [index.check(text).matches for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert [found.matches for found in pool.map(index.check, texts)] == alone


def test_json(index, rows):
    told = index.check(rows[0]["content"]).to_json()
    assert set(told) >= {"coverage", "seconds", "matches", "verdict", "repositories", "guarantee"}
    assert set(told["matches"][0]) >= {"start", "end", "files", "total"}
    assert set(told["matches"][0]["files"][0]) >= {"repo_name", "path", "content_id", "detected_licenses", "split"}


# --- what a match says of itself ------------------------------------------------------------------------------------


def test_the_short_profile_finds_every_63_characters(index_of):
    texts = [code(f"short {k}", 30).decode() for k in range(30)]
    contents = {content_id(text.encode()): text for text in texts}
    index = index_of(texts, profile=32)
    assert (index.width, index.guarantee) == (32, 63)
    dice = random.Random("short")
    for number in range(120):
        text = dice.choice(texts)
        piece = piece_of(text, dice.choice([63, 64, 80, 99]), dice)
        asked = f"{code(f'before {number}', 3).decode()}\n#@{disguised(piece, dice)}@#\n"
        found = index.check(asked)
        assert found.guarantee == 63
        assert content_id(text.encode()) in {file.content_id for match in found.matches for file in match.files}
    for text in texts:
        assert_true(index.check(text), text, contents)
    assert index.check("x" * 31).verdict == "not covered: shorter than 32 characters"


def test_permalinks_name_the_lines(index_of):
    (text,) = texts = [code("linked", 20).decode()]
    (match,) = index_of(texts).check("\n".join(text.split("\n")[6:15])).matches
    (file,) = match.files
    assert (file.first_line, file.last_line) == (7, 14)
    assert file.permalink == f"https://github.com/some/repo/blob/{'1' * 40}/0.py#L7-L14"
    assert file.swhid == (
        f"swh:1:cnt:{content_id(text.encode())};origin=https://github.com/some/repo;"
        f"anchor=swh:1:rev:{'1' * 40};path=/0.py;lines=7-14"
    )


def test_licences_of_all_files_are_counted_listed_or_not(index_of, index, rows):
    body = code("shared by many", 12).decode()
    (match,) = [
        one for one in index_of([body + f"# {k}" for k in range(14)]).check(body, files=2).matches if not one.common
    ]
    assert (len(match.files), match.total) == (2, 14)
    assert [(one.name, one.license_type, one.files) for one in match.licenses] == [("unknown", None, 14)]
    row = next(row for row in rows if row["repo_name"] == "two" and row["path"].endswith("events.py"))
    found = index.check(row["content"])
    assert found.licenses[0].name == ", ".join(sorted(row["detected_licenses"]))
    assert found.licenses[0].license_type == row["license_type"]
    assert found.licenses[0].characters <= found.characters


NOTICE = """\
# Copyright 2026 Nobody in Particular
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
"""


def test_a_notice_is_demoted_and_says_why(index_of):
    bodies = [code(f"noticed {k}", 6).decode() for k in range(3)]
    index = index_of([NOTICE + body for body in bodies])
    found = index.check("print('mine')\n" + NOTICE + "\nprint('again')\n" + bodies[1])
    assert [(match.common, match.reason) for match in found.matches] == [(False, ""), (True, "the words of a licence")]
    assert [one.files for one in found.licenses] == [1]  # of what tells something
    (match,) = index.check(NOTICE + bodies[2]).matches
    assert not match.common


@pytest.mark.parametrize("text", [NOTICE, MIT.decode(), NOTICE.replace("#", " *"), NOTICE.replace("#", "//")])
def test_the_words_of_a_licence(text):
    assert is_license(text)


@pytest.mark.parametrize(
    "text",
    [
        code("plain", 30).decode(),
        "LICENSES = {'MIT': 'permissive', 'GPL': 'copyleft', 'Apache': 'permissive'}  # license, copyright, warranty",
        "def permission(self, license): return self.licenses[license].permitted(redistribution=True)",
        "A long explanation of how the program works, in plain English words, without a word on terms of any kind.",
        "",
    ],
    ids=["code", "table", "names", "prose", "empty"],
)
def test_not_the_words_of_a_licence(text):
    assert not is_license(text)


pieces = [
    "licence ",
    "LİCENSE ",
    "permiſſion ",
    "Permission ",
    "free ",
    "software\n",
    "  ",
    "é",
    "GPL ",
    "\u212a",
    "x = f(y)\n",
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(pieces), st.integers(1, 3)), max_size=9))
def test_what_has_no_word_of_licences_is_none(some):
    text = "".join(piece * times for piece, times in some)
    query = asked.Asking([text]).query
    (worded,) = boilerplate.worded(query, np.array([0]), np.array([len(query)])).tolist()
    assert worded or not is_license(text)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.from_regex(boilerplate._WORDS) | st.text(max_size=5)))
def test_plain_words_never_count_less_than_the_pattern(pieces):
    text = " ".join(pieces).lower()
    assert sum(map(text.count, boilerplate._IN_WORDS)) >= len(boilerplate._WORDS.findall(text))


def test_many_texts(index, rows, monkeypatch):
    """Asked about together, whatever stands beside what: as each by itself."""
    texts = [row["content"] for row in rows[:5]] + [
        "x",
        "y" * 60,
        "",
        "é" + rows[6]["content"] + "😀",
        rows[0]["content"],
    ]
    alone = [index.check(text, split="train", renamed=True) for text in texts]
    assert [one.status for one in alone] == ["match"] * 5 + ["not_covered", "no_match", "not_covered"] + ["match"] * 2
    for together in (1, 5_000, 1 << 20):
        monkeypatch.setattr(asked, "_TOGETHER", together)
        found = index.check_many(texts, split="train", renamed=True)
        assert [replace(one, seconds=0) for one in found] == [replace(one, seconds=0) for one in alone]
    assert [*index.check_many([])] == []
    assert [one.matches for one in index.check_many(texts, None)] == [index.check(text, None).matches for text in texts]


def test_one_that_is_refused_among_many(index, rows):
    found = index.check_many([rows[0]["content"], "\ud800", rows[1]["content"]])
    assert next(found).status == "match"
    with pytest.raises(UserError, match="no Unicode"):
        next(found)
