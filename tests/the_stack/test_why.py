"""`why` in words and as rows: the twin of a near-duplicate, its similarity, how it differs; what a file stands for."""

import shutil

import pytest

from starloom.errors import UserError
from starloom.stages import load_settings
from starloom.the_stack import tables
from starloom.the_stack.why import explain, words
from starloom.workspace.run import engine
from the_stack import building

EDITS = 5


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A file, five that are like it, a copy of it, and an other one."""
    base = tmp_path_factory.mktemp("why")
    code = building.code("a", 40)
    files = {"b.py": building.code("b"), "copy/a.py": code}
    for number in range(1, EDITS + 1):
        files[f"near/{number}.py"] = code.replace(b"return", b"yield", number)
    files["near/blank.py"] = code.replace(b"    return", b"\treturn")
    one = building.git_repository(base / "one", {"a.py": code})
    return building.Workspace(base / "w", one, building.git_repository(base / "two", files, hours=9)).build()


@pytest.fixture
def ask(made):
    def why(what, limit=20, diff=None):
        with engine(made.root, load_settings(made.root).engine) as local:
            return explain(made.root, local, what, limit, diff)

    return why


def test_a_near_duplicate_is_shown_with_twin_similarity_and_diff(ask, made):
    row = made.row("two", "near/2.py")
    text = words(ask("near/2.py"))
    lines = text.splitlines()
    assert lines[0] == "two:near/2.py"
    assert lines[1] == f"  DROPPED by rule near-duplicate: {row['jaccard']:.4f}  (limit: jaccard >= 0.7)"
    assert lines[2] == f"  twin      one:a.py  (Jaccard {row['jaccard']:.2f})"
    assert lines[3] == "  differs   2 lines only here (+), 2 only in the twin (-), 117 in both"
    diff = [line[12:] for line in lines[4 : lines.index("  language  Python")]]
    assert diff[0] == "@@ -1,7 +1,7 @@"
    assert [line[:11] for line in diff if line[0] in "-+"] == [
        "-    return",
        "+    yield ",
        "-    return",
        "+    yield ",
    ]


def test_what_goes_to_programs(ask):
    (row,) = ask("near/2.py").to_json()["files"]
    assert row["twin"]["path"] == "a.py"
    assert row["stands_for"] == {}
    assert row["jaccard_now"] is None
    diff = row["diff"]
    assert (diff["alike"], diff["removed"], diff["added"], diff["left_out"]) == (117, 2, 2, 0)
    assert (diff["is_part"], diff["is_blank"]) == (False, False)
    assert diff["lines"][0] == "@@ -1,7 +1,7 @@"
    (kept,) = ask("one:a.py").to_json()["files"]
    assert kept["stands_for"] == {"exact-duplicate": 1, "near-duplicate": EDITS + 1}
    assert kept["diff"] is None


def test_in_words_what_a_file_stands_for(ask):
    assert "  others    1 exact-duplicate and 6 near-duplicates went for it\n" in words(ask("one:a.py"))
    assert "others" not in words(ask("b.py"))


def test_a_copy_needs_no_diff(ask):
    (row,) = ask("copy/a.py").files
    assert row["diff"] is None
    text = words(ask("copy/a.py"))
    assert "twin      one:a.py  (the same bytes)" in text
    assert "differs" not in text


def test_white_space_is_told_apart(ask):
    text = words(ask("near/blank.py", diff=4))
    assert "differs   in white space only: 40 lines only here (+)" in text
    assert "  …" in text


@pytest.mark.parametrize(
    ("what", "diff", "shown"),
    [
        ("near/1.py", None, 1),
        ("near/1.py", 0, 0),
        ("near", None, 0),  # too many to show them unasked
        ("near", 3, EDITS + 1),
    ],
    ids=["one", "none-wanted", "many", "many-wanted"],
)
def test_diffs_are_shown_for_few_files_and_whenever_they_are_asked_for(ask, what, diff, shown):
    found = ask(what, diff=diff)
    assert sum(row["diff"] is not None for row in found.files) == shown
    text = words(found)
    assert text.count("  differs   ") == shown
    assert ("--diff 20 shows how each near-duplicate differs" in text) == (what == "near" and diff is None)
    if diff:
        assert all(len(row["diff"].lines) <= diff for row in found.files)
        assert all(row["diff"].left_out for row in found.files)


def test_without_the_texts_it_says_so(made, tmp_path):
    shutil.copytree(made.root, tmp_path / "w")
    shutil.rmtree(tmp_path / "w" / tables.FILES)
    with engine(tmp_path / "w", load_settings(tmp_path / "w").engine) as local:
        found = explain(tmp_path / "w", local, "near/1.py", 20)
    assert found.files[0]["diff"] is None
    assert "differs   not shown: its text or its twin's is not in the cache" in words(found)


def test_of_a_pair_that_was_not_verified_the_similarity_is_counted_now(tmp_path):
    code = building.code("a", 40)
    source = building.folder(tmp_path / "one", {"a.py": code, "b.py": code.replace(b"return", b"yield", 2)})
    extra = building.ENGINE + '[pair]\nverify = false\n[decide]\nclusters = "components"\n'
    workspace = building.Workspace(tmp_path / "w", source, extra=extra).build()
    found = workspace.why("b.py")
    (row,) = found.files
    assert (row["rule"], row["jaccard"]) == ("near-duplicate", None)
    assert 0.8 < row["jaccard_now"] < 1.0
    assert f"(Jaccard not verified; counted now: {row['jaccard_now']:.2f})" in words(found)
    with engine(workspace.root, load_settings(workspace.root).engine) as local:
        silent = explain(workspace.root, local, "b.py", 20, 0)
    assert "a.py  (Jaccard not verified)\n" in words(silent)


def test_of_a_repository_it_says_what_it_is_a_copy_of_and_who_of_it(tmp_path):
    files = {f"src/{number}.py": building.code(f"kin {number}") for number in range(9)}
    sources = [
        building.git_repository(tmp_path / name, files, hours=hours) for hours, name in enumerate(("origin", "mirror"))
    ]
    workspace = building.Workspace(tmp_path / "w", *sources).build("decide")
    found = workspace.why("mirror", limit=2)
    assert words(found).startswith("mirror\n  mirror of origin  (the same contents, 9 files)\n\nmirror:src/0.py\n")
    (copy,) = found.to_json()["repositories"]["mirror"]["copy_of"]
    assert (copy["kind"], copy["origin_repo_name"]) == ("mirror", "origin")
    assert words(workspace.why("origin", limit=1)).startswith("origin\n  mirrored by mirror\n\norigin:src/0.py\n")
    assert workspace.why("mirror:src/0.py").repositories == {}  # a file, not a repository, was asked for


def test_names_may_have_colons(tmp_path):
    """REPOSITORY:PATH is read in every way; asked as two names it is that file alone."""
    one = building.git_repository(tmp_path / "my:proj", {"a.py": building.code("a"), "b:c.py": building.code("b")})
    other = building.git_repository(tmp_path / "my", {"proj:a.py": building.code("c"), "x.py": building.code("d")})
    workspace = building.Workspace(tmp_path / "w", one, other).build("decide")
    for name, places in (
        ("my:proj:b:c.py", [("my:proj", "b:c.py")]),
        ("my:proj:a.py", [("my", "proj:a.py"), ("my:proj", "a.py")]),
        ("my:x.py", [("my", "x.py")]),
        ("my:proj", [("my:proj", "a.py"), ("my:proj", "b:c.py")]),
        (("my:proj", "a.py"), [("my:proj", "a.py")]),
        (("my", "proj:a.py"), [("my", "proj:a.py")]),
    ):
        assert [(row["repo_name"], row["path"]) for row in workspace.why(name).files] == places
    for nothing in ("my:proj:", "my:a.py", ("my", "a.py"), ("my:proj:b", "c.py")):
        with pytest.raises(UserError, match="nothing is listed as"):
            workspace.why(nothing)
