"""What is shown of a hit: its line, the lines around it, the places of the terms; what is private in them is hidden."""

from itertools import pairwise

import pytest

from search.conftest import paths, row
from starloom.search import hits


def test_a_hit_says_what_it_is(indexed):
    content = "import x\n\nclass Tree:\n    def insert(self, key):\n        return key\n"
    made = indexed(row("tree.py", content, licenses=("MIT", "Zlib")))
    (hit,) = made.search("insert").hits
    assert (hit.line, hit.first_line) == (4, 3)
    assert hit.snippet == "class Tree:\n    def insert(self, key):\n        return key"
    assert [hit.snippet[start:end] for start, end in hit.highlights] == ["insert"]
    assert (hit.place, hit.license) == ("here/one:tree.py:4", "MIT, Zlib")
    assert (hit.language, hit.license_type, hit.split) == ("Python", "permissive", "train")
    assert hit.swhid == f"swh:1:cnt:{hit.content_id};path=/tree.py;lines=4"


def test_both_splits_are_told_apart(indexed):
    made = indexed(row("a.py", "needle\n"), held_out=[row("b.py", "needle\n")])
    assert {hit.path: hit.split for hit in made.search("needle").hits} == {"a.py": "train", "b.py": "held_out"}


def test_the_line_with_most_terms_is_shown(indexed):
    (hit,) = indexed(row("a.py", "alpha\nbeta\nno\nbeta and alpha\nalpha\n")).search("alpha beta").hits
    assert hit.line == 4
    assert [hit.snippet[start:end] for start, end in hit.highlights] == ["beta", "alpha", "alpha"]


def test_of_alternatives_what_is_there_is_shown(indexed):
    (hit,) = indexed(row("a.py", "one\n\ntwo\n\nthree\n")).search("(three or four) -five").hits
    assert (hit.line, hit.snippet) == (5, "three")


@pytest.mark.parametrize(
    ("query", "line", "shown"),
    [("/b\\w+ed/", 3, ["braced"]), ("/^c.*$/", 1, ["call(bed)"]), ("/x*/", 1, []), ("/d\\)?$/", 1, ["d)"])],
)
def test_what_a_pattern_matches_is_shown(indexed, query, line, shown):
    (hit,) = indexed(row("a.py", "call(bed)\n\nbraced = bad\n")).search(f"{query} -nothing").hits
    assert hit.line == line
    assert [hit.snippet[start:end] for start, end in hit.highlights] == shown


def test_where_something_is_defined_is_shown(symbols_index):
    (hit,) = symbols_index.search("tree").hits[:1]
    assert (hit.path, hit.line) == ("lower.py", 4)
    (hit,) = symbols_index.search("Tree").hits[:1]
    assert (hit.path, hit.line) == ("defines.py", 5)
    (hit,) = symbols_index.search("sym:Tree -path:lower").hits
    assert (hit.path, hit.line, hit.snippet.splitlines()[0]) == ("defines.py", 5, "class Tree:")
    (hit,) = symbols_index.search("sym:/^gr/").hits
    assert (hit.path, hit.line) == ("defines.py", 6)


def test_without_words_the_first_line_is_shown(indexed):
    made = indexed(row("a.py", "\n\n  x = 1\ny = 2\n"), row("empty.py", ""), row("blank.py", "\n\n"))
    found = {hit.path: (hit.line, hit.snippet) for hit in made.search("lang:python").hits}
    assert found == {"a.py": (3, "  x = 1\ny = 2"), "empty.py": (1, ""), "blank.py": (1, "")}


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


def test_what_is_private_is_hidden(indexed):
    address = "ada.lovelace" + "@" + "analytical.engines.co.uk"
    made = indexed(row("a.py", f'before = "{address}"\nneedle\nafter = 1  # {address}\n'), row("b.py", "needle two\n"))
    (hit,) = made.search("needle -two").hits
    assert hit.snippet == 'before = "<EMAIL>"\nneedle\nafter = 1  # <EMAIL>'
    (hit,) = made.search("needle -two", raw=True).hits
    assert hit.snippet.count(address) == 2
    assert {one.path: "EMAIL" in one.snippet for one in made.search("needle").hits} == {"a.py": True, "b.py": False}


def test_half_a_key_is_hidden(indexed):
    """The line shown is deep inside a private key whose head is far above."""
    lines = ["MIIEpAIBAAKCAQEA" + f"{number:04}qZx7Lk2PwV9RtYbN3mHdJ8sGfT1cXeUaWoQ5iKzBv"[:48] for number in range(40)]
    head, foot = (f"-----{word} RSA PRIVATE " + "KEY-----" for word in ("BEGIN", "END"))
    made = indexed(row("key.py", "\n".join(["x = '''", head, *lines, foot, "'''", ""])))
    (hit,) = made.search(f'"{lines[30][16:40]}"').hits
    assert hit.line == 33
    assert not any(line[16:] in hit.snippet for line in lines)


def test_highlights_are_apart_and_inside(indexed):
    made = indexed(*(row(f"{n}.py", f"self.ab = aab\nab{'a' * n} self x1\n__init__ self\n") for n in range(9)))
    for query in ("self x1", '"a" "ab"', "__init__", "/a+b?/ self", "self or x1"):
        for hit in made.search(query, 50).hits:
            assert hit.highlights
            assert all(0 <= start < end <= len(hit.snippet) for start, end in hit.highlights)
            assert all(one[1] < other[0] for one, other in pairwise(hit.highlights))


def test_the_best_come_first(symbols_index):
    assert paths(symbols_index.search("Tree")) == [
        "defines.py",  # under exactly this name
        "lower.py",  # in another case
        "tree.py",  # a file of this name
        "whole.py",
        "part.py",
    ]
    assert paths(symbols_index.search("case:no tree"))[0] == "lower.py"


@pytest.fixture(scope="module")
def symbols_index(tmp_path_factory):
    from search.conftest import index, write_dataset

    pytest.importorskip("tree_sitter_language_pack")
    root = tmp_path_factory.mktemp("symbols") / "w"
    rows = [
        row("part.py", "x = RedTree()\nTreeHouse\n"),
        row("whole.py", "x = Tree\n"),
        row("tree.py", "# of a Tree\n"),
        row("lower.py", "Tree = 1\n\n\ndef tree():\n    pass\n"),
        row("defines.py", "# Tree, Tree, Tree\nTree\n\n\nclass Tree:\n    def grow(self):\n        pass\n"),
    ]
    write_dataset(root, rows)
    return index(root, symbols=True)
