"""Asking an index: pages and cursors, what is counted, time that is up, threads."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from search.conftest import index, paths, row, write_dataset
from starloom.errors import UserError
from starloom.search import cursor as cursors
from starloom.search.ask import Key
from starloom.search.cursor import Cursor

WORDS = [
    "a",
    "ab",
    "abc",
    "self",
    "Self",
    "SELF",
    "x1",
    "_",
    "__init__",
    "readJson",
    "naïve",
    "Σας",
    "über",
    "排序",
    "😀",
]
GLUE = [" ", ".", "->", "(", ")", "\n", "\r\n", "\t", ""]


def a_corpus(seed, files):
    dice = random.Random(seed)
    return [
        row(
            f"{dice.choice(['src', 'tests', 'té st'])}/{number}{dice.choice(['.py', '_test.c', 'X.PY'])}",
            "".join(dice.choice(WORDS) + dice.choice(GLUE) for _ in range(dice.randint(0, 40))) + str(number),
            repo_name=f"{dice.choice(['pypi', 'own'])}/{dice.choice(['one', 'Two'])}",
            language=dice.choice(["Python", "C", "C++", "Jupyter Notebook"]),
            license_type=dice.choice(["permissive", "no_license"]),
            licenses=dice.choice([(), ("MIT",), ("MIT OR Apache-2.0",), ("BSD-3-Clause", "MIT AND Zlib")]),
        )
        for number in range(files)
    ]


CORPUS = a_corpus("search", 120)
QUERIES = [
    "self",
    '"self"',
    "lang:c",
    "-self",
    "SELF",
    ".",
    "/s.l?f/",
    "json",
    "(x1 or ab) -lang:c",
    "license:mit path:s",
]


@pytest.fixture(scope="module")
def corpus_index(tmp_path_factory):
    root = tmp_path_factory.mktemp("corpus") / "w"
    write_dataset(root, CORPUS[:80], CORPUS[80:])
    return index(root)


def all_of(opened, query):
    """Every hit, and that they were all counted."""
    answer = opened.search(query, 1000, seconds=60)
    assert answer.complete
    assert not answer.partial
    assert answer.cursor is None
    assert answer.total == len(answer.hits)
    return answer.hits


# Pages


@pytest.mark.parametrize("query", QUERIES)
def test_pages_make_the_whole(corpus_index, query):
    whole = all_of(corpus_index, query)
    assert len(whole) > 7
    found, cursor = [], None
    while True:
        page = corpus_index.search(query, 7, cursor=cursor, count_seconds=60)
        assert (page.total, page.complete) == (len(whole), True)
        assert len(page.hits) == 7 or page.cursor is None
        found += page.hits
        cursor = page.cursor
        if cursor is None:
            break
    assert found == whole
    assert list(corpus_index.stream(query)) == whole
    assert corpus_index.search(query, 5, 3).hits == whole[3:8]


def test_a_page_that_ends_with_the_last_hit_is_the_last(corpus_index):
    for query in QUERIES:
        total = len(all_of(corpus_index, query))
        assert corpus_index.search(query, total, count_seconds=60).cursor is None


def test_odd_pages(corpus_index):
    total = len(all_of(corpus_index, "self"))
    for limit, offset in ((0, 0), (-1, 0), (5, total), (5, 2**70)):
        answer = corpus_index.search("self", limit, offset)
        assert (answer.total, answer.hits) == (total, [])
    assert len(corpus_index.search("self", 2**70, -3).hits) == total


def test_a_cursor_outlives_the_index(tmp_path, corpus_index):
    """The same place in an index cut otherwise, of other files: behind it stands what stands there now."""
    write_dataset(tmp_path / "w", CORPUS[1:])
    other = index(tmp_path / "w", shards=3)
    page = corpus_index.search("self", 10)
    following = corpus_index.search("self", 10, cursor=page.cursor)
    gone = {(CORPUS[0]["repo_name"], CORPUS[0]["path"])}
    expected = [hit.path for hit in following.hits if (hit.repo_name, hit.path) not in gone]
    assert paths(other.search("self", 10, cursor=page.cursor))[: len(expected)] == expected


@given(st.integers(0, 2**16 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.text(max_size=40))
def test_a_cursor_is_a_text(tier, rank, seen, query):
    cursor = Cursor(Key(tier, rank), seen)
    text = cursor.text(query)
    assert text.isascii()
    assert len(text) < 40
    assert cursors.read(text, f" {query}\n") == cursor
    with pytest.raises(UserError, match="another query"):
        cursors.read(text, query + "x")


@pytest.mark.parametrize("text", ["", "x", "AAAA", "é" * 28, "A" * 28, "A" * 100_000, "!" * 28, "\0"])
def test_what_is_no_cursor_is_refused(text):
    with pytest.raises(UserError, match="cursor") as refusal:
        cursors.read(text, "self")
    assert "as the page before gave it" in refusal.value.hint


def test_any_altered_cursor_is_refused(corpus_index):
    cursor = corpus_index.search("self", 1).cursor
    for place in range(len(cursor)):
        with pytest.raises(UserError, match="cursor"):
            corpus_index.search("self", cursor=cursor[:place] + chr(ord(cursor[place]) ^ 1) + cursor[place + 1 :])


# Order


def test_the_order_tells_own_code_from_other(indexed):
    made = indexed(
        row("tests/test_a.py", "needle 1\n"),
        row("a.py", "needle 2\n"),
        row("b.py", "needle 3\n") | {"is_vendor": True},
        row("c.py", "needle 4\n") | {"star_events_count": 5_000},
        row("d.py", "needle 5\n") | {"star_events_count": 9_000_000, "is_generated": True},
        row("e.py", "needle 6\n") | {"star_events_count": 2},
    )
    assert paths(made.search("needle")) == ["c.py", "e.py", "a.py", "tests/test_a.py", "b.py", "d.py"]


def test_every_thread_count_answers_alike(tmp_path, corpus_index):
    write_dataset(tmp_path / "w", CORPUS[:80], CORPUS[80:])
    other = index(tmp_path / "w", workers=3)
    for query in QUERIES:
        assert all_of(other, query) == all_of(corpus_index, query)


@settings(max_examples=12)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=8), st.data())
@example(["", "a", "ab", "\n", "ab\n", "\0"], None)
def test_any_content_is_found_by_its_pieces(tmp_path_factory, texts, data):
    root = tmp_path_factory.mktemp("any") / "w"
    write_dataset(root, [row(f"{number}.py", text) for number, text in enumerate(texts)])
    made = index(root)
    for text in texts:
        for size in (1, 2, 3, 7):
            start = data.draw(st.integers(0, max(len(text) - size, 0))) if data else 0
            if piece := text[start : start + size]:
                quoted = piece.replace("\\", "\\\\").replace('"', '\\"')
                found = all_of(made, f'case:yes "{quoted}"')
                assert sorted(paths_of(found)) == [f"{n}.py" for n, one in enumerate(texts) if piece in one]


def paths_of(found):
    return [hit.path for hit in found]


# Counting, time


def test_hits_are_counted_as_the_query_says(corpus_index):
    """One page of one hit: what lies behind it is counted for no time, up to a number, or all of it."""
    query = '"self"'
    total = len(all_of(corpus_index, query))

    def counted(more="", **options):
        answer = corpus_index.search(query + more, 1, **options)
        assert len(answer.hits) == 1
        assert answer.complete == (answer.total == total)
        assert not answer.partial
        return answer.total

    assert counted(count_seconds=0) == 1
    assert counted(" count:5", count_seconds=0) == 5
    assert counted(" count:all", count_seconds=0) == total
    assert counted(" count:1000", count_seconds=0) == total
    assert counted(count_seconds=60) == total
    assert corpus_index.search(query, 1, count_seconds=0).summary() == "at least 1 file"
    assert corpus_index.search("self", 1).total == len(all_of(corpus_index, "self"))  # the index knows


def test_when_the_time_is_up_the_first_hits_are_there(corpus_index):
    """A little further each time: nothing is passed over, nothing is shown twice."""
    query = "/s[e]lf/ -lang:c"
    whole = all_of(corpus_index, query)
    first = corpus_index.search(query, seconds=0)
    assert first.partial
    assert not first.complete
    assert first.total < len(whole)
    assert first.cursor
    found, answer = list(first.hits), first
    while answer.cursor:
        answer = corpus_index.search(query, seconds=0, cursor=answer.cursor)
        found += answer.hits
        assert len(found) == answer.total
    assert found == whole
    assert [hit for page in corpus_index.pages(query, seconds=0) for hit in page.hits] == list(first.hits)
    assert corpus_index.search("self", seconds=0).complete  # the index alone knows


def test_threads_share_an_index(corpus_index):
    queries = QUERIES * 10
    alone = {query: all_of(corpus_index, query) for query in QUERIES}
    with ThreadPoolExecutor(8) as pool:
        for query, found in zip(queries, pool.map(lambda query: all_of(corpus_index, query), queries)):
            assert found == alone[query]


def test_few_texts_are_kept(corpus_index, tmp_path, monkeypatch):
    monkeypatch.setattr("starloom.search.index._KEPT", 300)  # bytes: one or two files
    write_dataset(tmp_path / "w", CORPUS[:80], CORPUS[80:])
    other = index(tmp_path / "w")
    for query in QUERIES:
        assert all_of(other, query) == all_of(corpus_index, query)


# Bounds


HOSTILE = [".", "/.*/", "/(a|a)*$/", '"\0"', "-a", "/\\pL/", "case:yes /./", "😀 or a", '"' + "x y " * 2000 + '"']


@pytest.mark.parametrize("query", HOSTILE, ids=range(len(HOSTILE)))
def test_any_query_is_answered(corpus_index, query):
    answer = corpus_index.search(query)
    assert answer.total >= len(answer.hits)


def test_symbols_that_nobody_looked_for_are_not_asked_for(corpus_index):
    for query in ("sym:self", "a or -sym:/x/"):
        with pytest.raises(UserError, match="does not know what files define") as refusal:
            corpus_index.search(query)
        assert "syntax" in refusal.value.hint


def test_an_empty_dataset(indexed):
    made = indexed()
    assert made.files == 0
    for query in ("a", '"a b"', "-a", "lang:c", ".", "/x/"):
        answer = made.search(query, facets=True)
        assert (answer.total, answer.hits, answer.complete, answer.cursor) == (0, [], True, None)


def test_the_words_of_json(corpus_index):
    found = corpus_index.search("self", 1, facets=True).to_json()
    assert found.keys() >= {"total", "complete", "partial", "seconds", "hits", "cursor", "facets", "problems"}
    hit = found["hits"][0]
    assert hit.keys() >= {"repo_name", "path", "line", "snippet", "language", "license_type", "content_id", "split"}
