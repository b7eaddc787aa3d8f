"""What each step dropped and nearly dropped: counted by hand from the ledger, and marked in the files."""

import re
from collections import Counter

import pytest

from starloom.report import dropped, figures
from starloom.report.samples import Near, samples
from starloom.the_stack.rules import Rule
from the_stack import building

LONG = "y = '" + "word " * 60 + "'\n"  # 307 characters
MORE = "this line is only here\n"

# A rule of our own, with files on both sides of its limit.
RULE = '[[rules]]\nname = "wide"\ndrop = "max_line_length > 200 OR num_lines > 500"\nunless = "language = \'C\'"\n'


def line(length):
    return b"z = '" + b"w " * (length // 2)


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A built workspace: Python files with lines of 150 to 249 characters in two repositories, some near-duplicates."""
    path = tmp_path_factory.mktemp("wide")
    files = {
        f"{name}/{n}.py": building.code(f"{name}{n}") + b"q = '" + b"w" * (n - 6) + b"'\n"
        for name in ("a", "b")
        for n in range(170, 231, 5)
    }
    files["c.c"] = b'char *q = "' + b"w" * 400 + b'";\nint main(void) { return 0; }\n' + building.code("c")
    near = building.code("near", 60)
    files |= {"near.py": near, "near2.py": near + MORE.encode()}
    cut = near.splitlines(keepends=True)
    files["like.py"] = b"".join(cut[:130]) + building.code("other", 12)
    one = building.folder(path / "sources" / "one", files)
    two = building.folder(path / "sources" / "two", {f"{n}.py": building.code(f"t{n}") + b"q = '" + b"w" * n + b"'\n"
                                                     for n in (191, 192, 193)})  # fmt: skip
    extra = building.ENGINE + "\n[decide]\nheld_out = 0.0\n\n" + RULE
    return building.Workspace(path / "workspace", one, two, extra=extra).build()


@pytest.fixture
def ledger(wide):
    return wide.ledger()


def test_by_language(toured, local):
    rows = [row for row in toured.ledger().values() if not row["split"]]
    by_hand = Counter((row["rule"], row["language"]) for row in rows)
    listed = Counter(row["language"] for row in toured.ledger().values())
    with local(toured) as engine:
        found = dropped.by_language(toured.root, engine)
    assert {(rule, one.language): one.files for rule, some in found.items() for one in some} == by_hand
    for rule, some in found.items():
        assert [one.files for one in some] == sorted((one.files for one in some), reverse=True)
        for one in some:
            assert one.listed == listed[one.language]
            assert one.bytes == sum(
                row["length_bytes"] or 0 for row in rows if (row["rule"], row["language"]) == (rule, one.language)
            )


def test_matches(toured, local):
    by_hand, alone = Counter(), Counter()
    for row in toured.ledger().values():
        if row["rule"] in figures.REFUSALS:
            continue
        by_hand.update(row["matched_rules"])
        if len(row["matched_rules"]) == 1:
            alone.update(row["matched_rules"])
    with local(toured) as engine:
        found = dropped.matches(toured.root, engine)
    assert {name: (one.files, one.alone) for name, one in found.items()} == {
        name: (files, alone[name]) for name, files in by_hand.items()
    }
    assert any(one.alone for one in found.values())
    assert any(one.alone < one.files for one in found.values())


def test_the_first_languages_and_the_rest():
    rows = [dropped.InLanguage(name, 1, 10, 100) for name in "abcd"]
    assert dropped.fewest(rows, 4) == (rows, None)
    assert dropped.fewest(rows, 3) == (rows, None)  # one row more says more than "1 others"
    assert dropped.fewest(rows, 2) == (rows[:2], dropped.InLanguage("2 others", 2, 20, 200))


def test_limits_has_each_comparison_and_the_nearest_kept_files_of_several_repositories(wide, ledger, local):
    rule = next(one for one in figures.ledger_rules(wide.root) if one.name == "wide")
    with local(wide) as engine:
        found = dropped.limits(wide.root, engine, rule, 5)
    columns = [one.column for one in found.distributions]
    assert columns[0] == "max_line_length"
    assert sum(found.distributions[0].dropped) == sum(row["rule"] == "wide" for row in ledger.values()) > 0
    # 200 itself is kept; of each repository two files at most, as long as others come near too.
    assert [(one.repo_name, one.path, one.value) for one in found.nearly] == [
        ("one", "a/200.py", "200"), ("one", "b/200.py", "200"),
        ("two", "193.py", "199"), ("two", "192.py", "198"), ("two", "191.py", "197"),
    ]  # fmt: skip
    assert {one.limit for one in found.nearly} == {"max_line_length > 200"}


def test_limits_of_a_rule_without_a_number(wide, local):
    with local(wide) as engine:
        assert dropped.limits(wide.root, engine, Rule("x", "language IS NULL"), 5) == dropped.Limits((), ())


def test_near_duplicates(wide, ledger, local):
    gone = [row["jaccard"] for row in ledger.values() if row["rule"] == "near-duplicate"]
    with local(wide) as engine:
        found = dropped.near_duplicates(wide.root, engine, 0.7, 10)
        nothing = dropped.near_duplicates(wide.root, engine, 0.7, 0)
    (shape,) = found.distributions
    assert shape.limit in shape.edges
    for low, high, bin in zip(shape.edges, shape.edges[1:], shape.dropped, strict=False):
        assert bin == sum(low <= one < high or one == high == shape.edges[-1] for one in gone)
    # Two files are kept although they are alike, and each of them is the other's most alike one.
    assert sum(shape.kept) == 2
    assert {(one.path, one.twin_path) for one in found.nearly} == {
        ("like.py", kept_twin(ledger)), (kept_twin(ledger), "like.py"),
    }  # fmt: skip
    assert all(0.6 <= float(one.value) < 0.7 and one.limit == "jaccard >= 0.7" for one in found.nearly)
    assert nothing == dropped.Limits((shape,), ())


def kept_twin(ledger):
    return next(path for (_, path), row in ledger.items() if path in ("near.py", "near2.py") and row["split"])


def text(rows):
    return "\n".join("".join(piece.text for piece in row.pieces) for row in rows)


def marked(rows):
    return [piece.text for row in rows for piece in row.pieces if piece.kind == "marked"]


def test_samples_show_the_part_that_the_rule_is_about(wide, ledger, local):
    gone = sorted(path for (_, path), row in ledger.items() if row["rule"] == "wide")
    near = Near("one", "a/200.py", "200", "max_line_length > 200")
    with local(wide) as engine:
        found = samples(wide.root, engine, {"wide": [near]}, per_rule=4)
        assert found == samples(wide.root, engine, {"wide": [near]}, per_rule=4)
        fewer = samples(wide.root, engine, {}, per_rule=1)
    assert len(found["wide"].dropped) == 4
    assert fewer["wide"].dropped == found["wide"].dropped[:1]
    assert fewer["wide"].nearly == ()
    for one in found["wide"].dropped:
        assert one.path in gone
        length = int(one.path.split("/")[1].removesuffix(".py"))
        assert (one.value, one.limit) == (str(length), "max_line_length > 200")
        assert one.found == f"the longest line: {length} characters"
        assert "".join(marked(one.rows)).startswith("q = 'www")
    (one,) = found["wide"].nearly
    assert (one.path, one.value, one.limit) == ("a/200.py", "200", "max_line_length > 200")
    assert len("".join(marked(one.rows))) == 200
    assert one.language == "Python"


def test_a_near_duplicate_shows_what_the_other_has_not(wide, ledger, local):
    with local(wide) as engine:
        found = samples(wide.root, engine, {})
    (one,) = found["near-duplicate"].dropped
    assert one.twin_path == kept_twin(ledger) != one.path
    assert (marked(one.rows) == [MORE.strip()]) == (one.path == "near2.py")


def test_samples_of_the_tour(toured, local):
    ledger = toured.ledger().values()
    with local(toured) as engine:
        found = samples(toured.root, engine, {})
    counts = Counter(row["rule"] for row in ledger if row["verdict"] == "dropped")
    assert {rule: len(some.dropped) for rule, some in found.items()} == {rule: min(n, 10) for rule, n in counts.items()}
    gpl = next(one for one in found["license"].dropped if one.path == "src/gpl.py")
    assert "free software" in text(gpl.rows)
    assert gpl.found == "what told the licence"
    assert "GNU General Public License" in " ".join(marked(gpl.rows))
    assert gpl.told_by is None
    assert [one.rows for rule in ("binary", "too-large", "not-a-file") for one in found[rule].dropped] == [None] * 3
    (empty,) = [one for some in found.values() for one in some.dropped if one.path == "src/empty.py"]
    assert (empty.rows, empty.found) == ((), None)
    (made,) = found["autogenerated"].dropped
    assert marked(made.rows)[0].startswith("Automatically generated")
    (wordy,) = found["long-line"].dropped
    assert all(one.startswith("x = 'word") or one.endswith("word '") for one in marked(wordy.rows))


def test_the_page(report, wide, ledger):
    page = report(wide)
    gone = sum(row["rule"] == "wide" for row in ledger.values())
    assert "max_line_length > 200 OR num_lines > 500" in page.text
    assert re.search(rf"wide ?{gone} files", page.text)
    assert "Nearly dropped: kept, and nearest to the limit" in page.text
    assert f"{gone} dropped by this rule alone" in page.text
    marks = [tag for tag, _ in page.tags if tag == "mark"]
    assert len(marks) > 2 * gone
    assert "q = 'wwww" in page.text
    labels = [attributes["aria-label"] for tag, attributes in page.tags if tag == "svg"]
    assert "By max_line_length: what is > 200 is dropped" in labels
