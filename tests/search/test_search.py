"""Search equals a plain scan; what is shown of a hit; pages, budgets, threads."""

import random
import re
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from search.conftest import index, paths, row, write_dataset
from starloom.search import hits

# A plain scan: what a query means, written a second time


def low(text):
    return "".join(c.lower() if len(c.lower()) == 1 and c.lower().isascii() == c.isascii() else c for c in text)


def stands(needle, text, whole=False):
    if needle == low(needle):
        text = low(text)
    return re.search(rf"(?<![0-9A-Za-z_]){re.escape(needle)}(?![0-9A-Za-z_])" if whole else re.escape(needle), text)


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def scan(corpus, tests):
    return sorted((one["repo_name"], one["path"]) for one in corpus if all(test(one) for test in tests))


def ask(open_index, query):
    """(total, the places of all hits, each proved to be complete)."""
    answer = open_index.search(query, limit=1000, seconds=60)
    assert answer.complete
    assert answer.total == len(answer.hits)
    return sorted((hit.repo_name, hit.path) for hit in answer.hits)


WORDS = ["a", "ab", "abc", "self", "Self", "SELF", "x1", "_", "__init__", "naïve", "Σας", "ΣΑΣ", "İx", "\u212ab",
         "über", "ÜBER", "排序", "q" * 99, "q" * 100, "Q" * 101, "1", "😀"]  # fmt: skip
GLUE = [" ", "  ", ".", "->", "(", ")", "\n", "\r\n", "\t", "", '"', "\\", ":", "\0", "/", "\u2028"]


def a_text(dice, pieces):
    return "".join(dice.choice(WORDS) + dice.choice(GLUE) for _ in range(pieces))


def a_corpus(seed, files):
    dice = random.Random(seed)
    return [
        row(
            f"{dice.choice(['src', 'Tests', 'té st', 'a'])}/{number}{dice.choice(['.py', '_test.c', 'X.PY'])}",
            a_text(dice, dice.randint(0, 40)),
            repo_name=f"{dice.choice(['pypi', 'own'])}/{dice.choice(['one', 'Two'])}",
            language=dice.choice(["Python", "C", "C++", "Jupyter Notebook"]),
            license_type=dice.choice(["permissive", "no_license"]),
            licenses=dice.choice([(), ("MIT",), ("MIT OR Apache-2.0",), ("BSD-3-Clause", "MIT AND Zlib")]),
        )
        for number in range(files)
    ]


CORPUS = a_corpus("search", 120)


@pytest.fixture(scope="module")
def corpus_index(tmp_path_factory):
    root = tmp_path_factory.mktemp("corpus") / "w"
    write_dataset(root, CORPUS[:80], CORPUS[80:])
    return index(root)


@st.composite
def terms(draw, corpus=CORPUS):
    """(text of a term, whether a row is what it asks for)."""
    kind = draw(st.sampled_from(["word", "quoted", "quoted", "bare", "lang", "repo", "path", "license"]))
    if kind == "word":
        word = draw(
            st.sampled_from([one for one in WORDS if re.fullmatch("[0-9A-Za-z_]+", one)])
            | st.text("abq_1Q", min_size=1)
        )
        term, test = word, lambda one: stands(word, one["content"], whole=True)
    elif kind == "quoted":
        text = draw(st.sampled_from(corpus))["content"] or "a"
        start = draw(st.integers(0, len(text) - 1))
        piece = text[start : start + draw(st.sampled_from([1, 2, 3, 4, 9, 30, 150]))]
        piece = draw(
            st.sampled_from([piece, piece, piece.lower(), piece.upper(), piece + draw(st.sampled_from("ab ."))])
        )
        term, test = quoted(piece), lambda one: stands(piece, one["content"])
    elif kind == "bare":
        piece = draw(
            st.sampled_from(["->", "naïve", "ab.a", "über", "Über", "排序", "😀", ".", "排", "İx", "a->", "İ", "Σας"])
        )
        term, test = piece, lambda one: stands(piece, one["content"])
    elif kind == "lang":
        name = draw(st.sampled_from(["Python", "C", "C++", "Jupyter Notebook", "Rust"]))
        term, test = f"lang:{quoted(draw(st.sampled_from([name, name.lower()])))}", lambda one: one["language"] == name
    elif kind == "license":
        asked, found = draw(
            st.sampled_from([
                ("permissive", None), ("MIT", {"MIT", "MIT OR Apache-2.0", "MIT AND Zlib"}), ("zlib", {"MIT AND Zlib"}),
                ('"mit or Apache-2.0"', {"MIT OR Apache-2.0"}), ("GPL-3.0-only", set()), ('"Zlib AND MIT"', set()),
            ])
        )  # fmt: skip
        term = f"license:{asked}"
        if found is None:
            test = lambda one: one["license_type"] == asked  # noqa: E731
        else:
            test = lambda one: bool(found & set(one["detected_licenses"]))  # noqa: E731
    else:
        name = "repo_name" if kind == "repo" else "path"
        whole = draw(st.sampled_from(corpus))[name]
        start = draw(st.integers(0, len(whole) - 1))
        piece = whole[start : start + draw(st.sampled_from([1, 2, 3, 5]))]
        if not piece.strip():
            piece = "y"
        term, test = f"{kind}:{quoted(piece)}", lambda one: stands(piece, one[name])
    if draw(st.booleans()) and draw(st.booleans()) and kind != "bare":
        return f"-{term}", lambda one: not test(one)
    return term, test


@settings(max_examples=500)
@given(st.lists(terms(), min_size=1, max_size=4))
def test_search_equals_a_scan(corpus_index, asked):
    query = " ".join(term for term, _ in asked)
    assert ask(corpus_index, query) == scan(CORPUS, [test for _, test in asked])


@settings(max_examples=12)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=8), st.data())
@example(["", "a", "ab", "\n", "ab\n", "\0"], None)
def test_any_content_is_found_by_its_pieces(tmp_path_factory, texts, data):
    root = tmp_path_factory.mktemp("any") / "w"
    rows = [row(f"{number}.py", text) for number, text in enumerate(texts)]
    write_dataset(root, rows)
    made = index(root)
    for text in texts:
        for size in (1, 2, 3, 7):
            start = data.draw(st.integers(0, max(len(text) - size, 0))) if data else 0
            if piece := text[start : start + size]:
                assert ask(made, quoted(piece)) == scan(rows, [lambda one, p=piece: stands(p, one["content"])])


def test_every_thread_count_answers_alike(tmp_path, corpus_index):
    root = tmp_path / "w"
    write_dataset(root, CORPUS[:80], CORPUS[80:])
    other = index(root, workers=3)
    for query in ("self", "-self", '"a."', "lang:c", "SELF -x1", "."):
        assert paths(other.search(query, 200)) == paths(corpus_index.search(query, 200))  # and in the same order


def test_both_splits_are_told_apart(corpus_index):
    held_out = {(one["repo_name"], one["path"]) for one in CORPUS[80:]}
    for hit in corpus_index.search("lang:c", 1000).hits:
        assert (hit.split == "held_out") == ((hit.repo_name, hit.path) in held_out)


# Pages, budgets, threads


@pytest.mark.parametrize("query", ["self", '"self"', "lang:c", "-self", "SELF", "."])
def test_pages_make_the_whole(corpus_index, query):
    whole = corpus_index.search(query, 1000)
    assert whole.total > 7
    pages = [corpus_index.search(query, 7, offset) for offset in range(0, whole.total + 7, 7)]
    assert {page.total for page in pages} == {whole.total}
    assert [path for page in pages for path in paths(page)] == paths(whole)
    assert not pages[-1].hits


def test_odd_pages(corpus_index):
    total = corpus_index.search("self", 1000).total
    for limit, offset in ((0, 0), (-1, 0), (5, total), (5, 2**70)):
        answer = corpus_index.search("self", limit, offset)
        assert (answer.total, answer.hits) == (total, [])
    assert len(corpus_index.search("self", 2**70, -3).hits) == total


def test_more_hits_than_are_sorted(tmp_path, monkeypatch):
    monkeypatch.setattr("starloom.search.index._SORTED", 5)
    write_dataset(tmp_path / "w", CORPUS)
    made = index(tmp_path / "w")
    whole = made.search("self", 1000)
    assert [path for offset in range(0, whole.total, 3) for path in paths(made.search("self", 3, offset))] == paths(
        whole
    )


def test_time_up_is_a_lower_bound(corpus_index):
    answer = corpus_index.search('"self"', seconds=0)
    assert not answer.complete
    assert answer.total < corpus_index.search('"self"').total
    assert answer.summary().startswith("at least ")
    assert corpus_index.search("self", seconds=0).complete  # the index alone knows


def test_threads_share_an_index(corpus_index):
    queries = ["self", '"a."', "SELF", "lang:c -x1"] * 20
    alone = {query: corpus_index.search(query).hits for query in queries}
    with ThreadPoolExecutor(8) as pool:
        for query, answer in zip(queries, pool.map(corpus_index.search, queries)):
            assert answer.hits == alone[query]


def test_the_best_come_first(indexed):
    made = indexed(
        row("z.py", "needle " * 20),
        row("b.py", "other things and one needle among so many other words\n" * 2),
        row("a.py", "other things and one needle among so many other words\n" * 2),
        row("c.py", "nothing\n"),
    )
    assert paths(made.search("needle")) == ["z.py", "b.py", "a.py"]  # equal ones as the dataset has them


# What is shown


def test_a_hit_says_what_it_is(indexed):
    content = "import x\n\nclass Tree:\n    def insert(self, key):\n        return key\n"
    (hit,) = indexed(row("tree.py", content, licenses=("MIT", "Zlib"))).search("insert").hits
    assert (hit.line, hit.first_line) == (4, 3)
    assert hit.snippet == "class Tree:\n    def insert(self, key):\n        return key"
    assert [hit.snippet[start:end] for start, end in hit.highlights] == ["insert"]
    assert (hit.place, hit.license) == ("here/one:tree.py:4", "MIT, Zlib")
    assert (hit.language, hit.license_type, hit.split) == ("Python", "permissive", "train")


def test_the_line_with_most_terms_is_shown(indexed):
    (hit,) = indexed(row("a.py", "alpha\nbeta\nno\nbeta and alpha\nalpha\n")).search("alpha beta").hits
    assert hit.line == 4
    assert [hit.snippet[start:end] for start, end in hit.highlights] == ["beta", "alpha", "alpha"]


def test_without_words_the_first_line_is_shown(indexed):
    made = indexed(row("a.py", "\n\n  x = 1\ny = 2\n"), row("empty.py", ""), row("blank.py", "\n\n"))
    assert [(hit.line, hit.snippet) for hit in made.search("lang:python").hits] == [
        (3, "  x = 1\ny = 2"),
        (1, ""),
        (1, ""),
    ]


def test_line_ends(indexed):
    made = indexed(row("a.py", "one\r\ntwo\r\nthree\rfour\r\nfive"), row("b.py", "one\ntwo"))
    assert [(hit.line, hit.snippet) for hit in made.search("four").hits] == [(3, "two\nthree\\x0dfour\nfive")]
    assert made.search('"one\r\ntwo"').total == 1
    assert made.search('"one\ntwo"').hits[0].line == 1


def test_long_lines_are_cut_around_the_match(indexed):
    made = indexed(row("a.py", "x" * 5000 + " needle " + "y" * 5000), row("b.py", "z" * 5000 + " short"))
    (hit,) = made.search("needle").hits
    assert len(hit.snippet) <= hits.WIDTH + 2
    assert hit.snippet[0] == hit.snippet[-1] == "…"
    assert [hit.snippet[start:end] for start, end in hit.highlights] == ["needle"]
    (hit,) = made.search("short").hits
    assert hit.snippet.endswith(" short")


def test_hostile_text_and_names_are_shown_as_they_are(indexed):
    evil = "\x1b[2J\u202e"
    made = indexed(row(f"a{evil}.py", f"{evil} needle \x07\n"), row("b.py", "<script>needle</script>"))
    for hit in made.search("needle").hits:
        assert hit.snippet.replace("\n", "").isprintable()
    assert made.search(f'path:"{evil}"').hits[0].path == f"a{evil}.py"
    assert made.search(f'"{evil}"').total == 1


def test_highlights_are_apart_and_inside(corpus_index):
    for query in ("self x1", '"a" "ab"', "__init__"):
        for hit in corpus_index.search(query, 50).hits:
            assert all(0 <= start < end <= len(hit.snippet) for start, end in hit.highlights)
            assert all(one[1] < other[0] for one, other in pairwise(hit.highlights))


def test_a_line_is_where_the_term_stands(corpus_index):
    contents = {(one["repo_name"], one["path"]): one["content"] for one in CORPUS}
    for query, needle in (("self", "self"), ('"x1."', "x1.")):
        for hit in corpus_index.search(query, 1000).hits:
            lines = contents[hit.repo_name, hit.path].split("\n")
            assert needle in low(lines[hit.line - 1])


def test_an_empty_dataset(indexed):
    made = indexed()
    assert made.files == 0
    for query in ("a", '"a b"', "-a", "lang:c", "."):
        assert made.search(query).total == 0


def test_the_words_of_json(corpus_index):
    found = corpus_index.search("self", 1).to_json()
    assert found.keys() >= {"total", "complete", "seconds", "hits"}
    assert found["hits"][0].keys() >= {"repo_name", "path", "line", "snippet", "language", "license_type"}
