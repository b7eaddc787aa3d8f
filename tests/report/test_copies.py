"""Where copies come from and how large their groups are: counted by hand from the ledger."""

import re
from collections import Counter

import pytest

from starloom.report import copies
from starloom.report.clusters import clusters
from starloom.report.copies import Size
from starloom.stages import load_settings
from starloom.workspace.run import engine
from the_stack import building

RULES = ("exact-duplicate", "near-duplicate")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Groups of 2, 3, 4 and 9 exact copies and of 2 near-duplicates, within and between three repositories."""
    base = tmp_path_factory.mktemp("copies")
    first, second, third = {}, {}, {}
    for name, size in (("two", 2), ("three", 3), ("four", 4), ("nine", 9)):
        for number in range(size):
            first[f"{name}/{number}.py"] = building.code(name)
    second = {"two.py": building.code("two"), "vendor/four.py": building.code("four"), "own.py": building.code("own")}
    near = building.code("near", 40)
    first["near.py"] = near
    third = {"near.py": near.replace(b"return", b"yield", 2), "two.py": building.code("two")}
    sources = [
        building.git_repository(base / name, files, hours=hours)
        for hours, (name, files) in enumerate((("first", first), ("second", second), ("third", third)))
    ]
    return building.Workspace(base / "w", *sources).build()


@pytest.fixture
def ask(made):
    def about(function, *arguments, **options):
        with engine(made.root, load_settings(made.root).engine) as local:
            return function(made.root, local, *arguments, **options)

    return about


def gone(made, rule):
    return [row for row in made.ledger().values() if row["rule"] == rule]


def test_sizes(ask):
    # Of `two` there are four, of `four` five: copies in other repositories count.
    three, four, five, nine = (len(building.code(name)) for name in ("three", "two", "four", "nine"))
    assert ask(copies.sizes, "exact-duplicate") == [
        Size(2, 2, 0, 0, 0),
        Size(3, 4, 2, 2 + 3, 2 * three + 3 * four),
        Size(5, 8, 1, 4, 4 * five),
        Size(9, 16, 1, 8, 8 * nine),
    ]
    (pair,) = ask(copies.sizes, "near-duplicate")
    assert (pair.least, pair.most, pair.groups, pair.files) == (2, 2, 1, 1)
    assert ask(copies.sizes, "nothing") == []


@pytest.mark.parametrize("rule", RULES)
def test_sizes_places_and_flows_count_the_same_files(ask, made, rule):
    rows = gone(made, rule)
    assert rows
    sums = len(rows), sum(row["length_bytes"] for row in rows)
    flows, pairs = ask(copies.flows, rule)
    for found in (ask(copies.sizes, rule), ask(copies.places, rule), flows):
        assert (sum(one.files for one in found), sum(one.bytes for one in found)) == sums
    by_hand = Counter((row["repo_name"], row["twin_repo_name"]) for row in rows)
    assert {(one.repo_name, one.twin_repo_name): one.files for one in flows} == by_hand
    assert pairs == len(by_hand)
    assert [one.files for one in flows] == sorted((one.files for one in flows), reverse=True)


def test_places_and_flows(ask, made):
    assert {one.kind: one.files for one in ask(copies.places, "exact-duplicate")} == {
        copies.WITHIN: 1 + 2 + 3 + 8,
        copies.VENDORED: 1,
        copies.ELSEWHERE: 2,
    }
    flows, pairs = ask(copies.flows, "exact-duplicate")
    assert [(one.repo_name, one.twin_repo_name, one.kind, one.files, one.vendored) for one in flows] == [
        ("first", "first", copies.WITHIN, 14, 0),
        ("second", "first", copies.ELSEWHERE, 2, 1),
        ("third", "first", copies.ELSEWHERE, 1, 0),
    ]
    assert ask(copies.flows, "exact-duplicate", limit=1) == (flows[:1], pairs)
    assert ask(copies.places, "nothing") == []
    assert ask(copies.flows, "nothing") == ([], 0)


def rows(html):
    """The cells of every table row as text."""
    return [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", html, re.DOTALL)
    ]


def test_the_page(report, made):
    page = report(made)
    exact, near = (rows(part) for part in page.html.split(">Exact duplicates<")[1].split(">Near-duplicates<")[:2])
    assert "17 files went, " in page.text
    assert ["3 to 4", "2", "5"] in [row[:3] for row in exact]
    assert ["in its own repository", "14", "82.4 %"] in [row[:3] for row in exact]
    assert ["vendored in another repository", "1", "5.9 %"] in [row[:3] for row in exact]
    assert ["second", "first 1 vendored", "2"] in [row[:3] for row in exact]
    assert ["first", "itself", "14"] in [row[:3] for row in exact]
    assert ["third", "first", "1"] in [row[:3] for row in near]
    assert "Not verified" not in page.text


def test_pairs_that_were_not_verified_are_said_so(report, tmp_path):
    code = building.code("a", 40)
    files = {"a.py": code, "b.py": code.replace(b"return", b"yield", 2), "c.py": building.code("c")}
    extra = building.ENGINE + '[pair]\nverify = false\n[decide]\nclusters = "components"\n'
    made = building.Workspace(tmp_path / "w", building.folder(tmp_path / "one", files), extra=extra).build()
    with engine(made.root, load_settings(made.root).engine) as local:
        assert copies.unverified(made.root, local, "near-duplicate") == 1
        (cluster,) = clusters(made.root, local, "near-duplicate")
    assert [(member.path, member.jaccard) for member in cluster.members] == [("b.py", None)]
    page = report(made)
    assert "Not verified: the similarity of 1 of them to the file that stays." in page.text
    assert (
        "files that a chain of pairs with a MinHash band in common, their similarity not verified, links" in page.text
    )
    assert "the similarity is counted, not estimated" not in page.text
    assert "0 kept, 0 dropped; of 1 it was not verified" not in page.text  # without a value there is no picture


@pytest.fixture(scope="module")
def kin(tmp_path_factory):
    """A repository, its mirror, a fork that went on, and one that vendors it."""
    base = tmp_path_factory.mktemp("kin")
    files = {f"src/{n}.py": building.code(f"kin {n}") for n in range(12)}
    some = {path: data for path, data in files.items() if path != "src/0.py"}
    own = {f"own/{n}.py": building.code(f"own {n}") for n in range(3)}
    held = {f"third_party/kin/{path}": data for path, data in files.items()} | {"app.py": building.code("app")}
    held |= {f"app/{n}.py": building.code(f"app {n}") for n in range(12)}
    sources = [
        building.git_repository(base / name, data, hours=hours)
        for hours, (name, data) in enumerate(
            (("origin", files), ("mirror", files), ("fork", some | own), ("holder", held))
        )
    ]
    return building.Workspace(base / "w", *sources).build()


def test_forks_and_mirrors(kin, report):
    with engine(kin.root, load_settings(kin.root).engine) as local:
        places = copies.places(kin.root, local, "exact-duplicate")
        flows, _ = copies.flows(kin.root, local, "exact-duplicate")
        found, total = copies.relations(kin.root, local)
        assert copies.relations(kin.root, local, limit=1) == (found[:1], total)
    assert {one.kind: one.files for one in places} == {copies.MIRROR: 12, copies.FORK: 11, copies.VENDORED: 12}
    assert {(one.repo_name, one.kind, one.vendored) for one in flows} == {
        ("mirror", copies.MIRROR, 0), ("fork", copies.FORK, 0), ("holder", copies.ELSEWHERE, 12),
    }  # fmt: skip
    assert {(one.repo_name, one.kind, one.origin_repo_name, one.files) for one in found} == {
        ("mirror", "mirror", "origin", 12), ("fork", "fork", "origin", 11), ("holder", "vendored", "origin", 12),
    }  # fmt: skip
    assert total == 3
    page = report(kin)
    cells = [row[:3] for row in rows(page.html)]
    assert ["fork fork", "origin", "11"] in cells
    assert ["in a mirror of its repository", "12", "34.3 %"] in cells
    assert "Forks, mirrors, vendored folders" in page.text
