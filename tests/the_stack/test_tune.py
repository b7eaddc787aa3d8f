"""What other limits would keep: of rules, near-duplicates and budgets; what is refused; what a person sees."""

import contextlib
import json
from dataclasses import replace

import pytest

from starloom.errors import UserError
from starloom.stages import load_settings
from starloom.the_stack.tune import tune
from starloom.the_stack.tune_words import words
from starloom.workspace.run import engine
from the_stack import building

RECIPE = """
[pair]
floor = 0.6
[decide]
near_duplicates = 0.7
[[rules]]
name = "text"
drop = "language = 'Text'"
[[rules]]
name = "tall"
drop = "num_lines > 50 OR max_line_length > 1000"
source = "this test"
[[rules]]
name = "broad"
drop = "starts_with(file_name, 'broad')"
[[budgets]]
name = "data"
where = "language = 'JSON'"
bytes = 2500
"""


def _changed(data, every):
    """Another function name on each `every`th line: less alike, the smaller `every` is."""
    lines = data.decode().splitlines()
    return "\n".join(f"{line} + renamed_{n}" if n % every == 0 else line for n, line in enumerate(lines)).encode()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Files of 10, 20, … 100 lines; four that resemble one, more and less; three of data; one that two rules drop."""
    base = tmp_path_factory.mktemp("tune")
    files = {"LICENSE": building.MIT}
    for tens in range(1, 11):
        lines = [line for line in building.code(f"tens {tens}", 50).decode().splitlines() if line]
        files[f"n{tens * 10}.py"] = "\n".join(lines[: tens * 10]).encode()
    files["broad80.py"] = building.code("broad", 27)
    twin = building.code("twin", 16)
    files |= {"twin.py": twin} | {f"twin_{every}.py": _changed(twin, every) for every in (5, 10, 23)}
    for letter in "abc":
        found = building.code(f"data {letter}", 14).decode().split()
        rows = [found[start : start + 9] for start in range(0, len(found), 9)]
        files[f"{letter}.json"] = json.dumps(rows).replace("],", "],\n").encode()
    building.put(base / "w", {"of-this-test.toml": RECIPE.encode()})
    return building.Workspace(base / "w", building.folder(base / "code", files), recipe="of-this-test.toml").build()


@pytest.fixture(scope="module")
def local(workspace):
    with engine(workspace.root, load_settings(workspace.root).engine) as found:
        yield found


@pytest.fixture
def ask(workspace, local):
    return lambda name, **options: tune(workspace.root, local, load_settings(workspace.root), name, **options)


@pytest.fixture
def recipe(workspace):
    """`with recipe(old, new): …`: another recipe for as long."""
    path = workspace.root / "of-this-test.toml"

    @contextlib.contextmanager
    def change(old, new):
        assert old in RECIPE
        path.write_text(RECIPE.replace(old, new))
        yield
        path.write_text(RECIPE)

    yield change
    path.write_text(RECIPE)


def dataset(workspace):
    return [row for row in workspace.ledger().values() if row["verdict"] in ("kept", "changed")]


def now(one):
    (found,) = (kept for kept in one.kept if kept.limit == one.limit)
    return found


def test_a_rule(ask, workspace):
    found = ask("tall")
    assert (found.name, found.source, found.exact, found.stale) == ("tall", "this test", False, False)
    tall, wide = found.limits
    assert (tall.left, tall.operator, tall.limit, wide.left) == ("num_lines", ">", 50.0, "max_line_length")
    rows = dataset(workspace)
    assert now(tall)[1:] == (len(rows), sum(row["length_bytes"] for row in rows))
    assert [one.path for one in tall.dropped_near] == ["n60.py", "n70.py", "n80.py", "n90.py", "n100.py"]
    assert [one.value for one in tall.dropped_near] == [60, 70, 80, 90, 100]
    assert tall.kept_near[0].path == "n50.py"
    kept = {one.limit: one.files for one in tall.kept}
    assert kept[75.0] == kept[50.0] + 2
    assert list(kept) == sorted(kept)
    assert sum(tall.distribution.dropped) == 5
    assert wide.dropped_near == ()


def test_a_rule_at_limits_and_of_one_column(ask):
    (tall,) = ask("tall", column="num_lines", at=(95.0, 65.0, 95.0), samples=1).limits
    kept = {one.limit: one.files for one in tall.kept}
    assert list(kept) == [50.0, 65.0, 95.0]
    assert [kept[65.0] - kept[50.0], kept[95.0] - kept[50.0]] == [1, 4]
    assert len(tall.dropped_near) == len(tall.kept_near) == 1


def test_exact_is_what_a_build_makes(ask, workspace, recipe):
    (tall,) = ask("tall", column="num_lines", at=(75.0,), exact=True).limits
    kept = {one.limit: one for one in tall.kept}
    with recipe("num_lines > 50", "num_lines > 75"):
        rows = dataset(workspace.build("decide"))
    workspace.build("decide")
    assert kept[75.0][1:] == (len(rows), sum(row["length_bytes"] for row in rows))
    rows = dataset(workspace)
    assert kept[50.0][1:] == (len(rows), sum(row["length_bytes"] for row in rows))


def test_near_duplicates(ask, workspace):
    found = ask("near-duplicate", at=(0.6, 1.0))
    assert found.exact
    (one,) = found.limits
    assert (one.left, one.operator, one.limit) == ("jaccard", ">=", 0.7)
    assert [kept.limit for kept in one.kept] == [0.6, 0.7, 1.0]
    files = [kept.files for kept in one.kept]
    assert files == sorted(files)
    assert files[0] < files[-1]
    dropped = {row["path"]: row for row in workspace.ledger().values() if row["rule"] == "near-duplicate"}
    assert {near.path for near in one.dropped_near} == set(dropped)
    for near in one.dropped_near:
        assert near.value == pytest.approx(dropped[near.path]["jaccard"])
        assert near.twin == "code:" + dropped[near.path]["twin_path"]
    assert [near.value for near in one.dropped_near] == sorted(near.value for near in one.dropped_near)
    assert sum(one.distribution.dropped) == len(dropped)
    pairs = workspace.pairs()
    ids = {row["content_id"]: row["path"] for row in dataset(workspace)}
    best = {}
    for (left, right), jaccard in pairs.items():
        for a, b in ((left, right), (right, left)):
            if a in ids and b in ids:
                best[ids[a]] = max(best.get(ids[a], 0), jaccard)
    assert {near.path: pytest.approx(near.value) for near in one.kept_near} == best
    assert all(near.value < 0.7 for near in one.kept_near)


def test_near_duplicates_switched_off(ask, recipe):
    with recipe("near_duplicates = 0.7", "near_duplicates = 0"):
        found = ask("near-duplicate", at=(0.7,))
    (one,) = found.limits
    kept = {kept.limit: kept.files for kept in one.kept}
    assert kept[0.0] > kept[0.7]
    text = words(found)
    assert "near-duplicate: off" in text
    assert "  off" in text


def test_chains_of_pairs(ask, recipe):
    with recipe("near_duplicates = 0.7", 'near_duplicates = 0.7\nclusters = "components"'):
        found = ask("near-duplicate")
    assert found.condition == "linked by a chain of pairs: jaccard >= 0.7"
    (one,) = found.limits
    kept = [kept.files for kept in one.kept]
    assert kept == sorted(kept)
    assert "similarity to the file that stays" not in words(found)
    linked = replace(one, distribution=one.distribution._replace(unknown=2))
    assert "2 files whose similarity to the file that stays is not known: a chain of pairs links them" in words(
        replace(found, limits=(linked,))
    )


def test_pairs_that_are_not_verified_have_no_limit_to_move(ask, recipe):
    unverified = 'floor = 0.6\nverify = false\n[decide]\nclusters = "components"'
    with recipe("floor = 0.6\n[decide]", unverified), pytest.raises(UserError) as caught:
        ask("near-duplicate")
    assert "pairs are not verified" in caught.value.problem
    assert "`verify = true`" in caught.value.hint


def test_a_budget(ask, workspace):
    found = ask("data", at=(0, 1e9))
    (one,) = found.limits
    sizes = [row["length_bytes"] for row in workspace.ledger().values() if row["path"].endswith(".json")]
    kept = {kept.limit: kept for kept in one.kept}
    assert list(kept) == [0.0, 2500.0, 1e9]
    assert kept[1e9].files - kept[0.0].files == 3
    assert kept[1e9].bytes - kept[0.0].bytes == sum(sizes)
    assert now(one).files == len(dataset(workspace))
    beyond = [row for row in workspace.ledger().values() if row["rule"] == "data"]
    assert beyond
    assert {near.path: near.value for near in one.dropped_near} == {row["path"]: int(row["value"]) for row in beyond}
    assert one.distribution is None
    (one,) = ask("data", samples=0).limits  # of the bytes there are, whatever the budget
    assert {2500.0} < {kept.limit for kept in one.kept}
    assert all(kept.limit <= sum(sizes) for kept in one.kept)


def test_other_rules_than_those_of_the_ledger_are_said(ask, recipe):
    with recipe("num_lines > 50", "num_lines > 60"):  # of the rule itself: seen as it is set now
        found = ask("tall", column="num_lines")
        assert (found.stale, found.limits[0].limit) == (False, 60.0)
    with recipe("language = 'Text'", "language IN ('Text', 'Python')"):
        found = ask("tall", column="num_lines")
        assert found.stale
        assert "`starloom build`, then ask again" in words(found)
        found = ask("tall", column="num_lines", exact=True, at=(1000,))
        assert [kept.files for kept in found.limits[0].kept] == [1, 1]  # what the budget allows of JSON


@pytest.mark.parametrize(
    ("name", "options", "problem", "hint"),
    [
        ("tal", {}, "no rule `tal`", "did you mean `tall`?"),
        ("near-duplicates", {}, "no rule `near-duplicates`", "did you mean `near-duplicate`?"),
        ("broad", {}, "rule `broad` compares no number: starts_with(file_name, 'broad')", "starloom ledger"),
        (
            "tall",
            {"column": "num_line"},
            "rule `tall` compares no `num_line` with a number",
            "did you mean `num_lines`?",
        ),
        ("near-duplicate", {"column": "jaccard"}, "`near-duplicate` has no columns", "leave out --column"),
        ("near-duplicate", {"at": (0.3,)}, "--at 0.3 is out of range", "from 0.6 to 1"),
        ("near-duplicate", {"at": (1.5,)}, "--at 1.5 is out of range", "from 0.6 to 1"),
        ("data", {"at": (1.5,)}, "whole number of bytes, not 1.5", "mend --at"),
        ("data", {"at": (-1,)}, "whole number of bytes, not -1", "mend --at"),
        ("tall", {"at": (1e19,)}, "the number is too large", "1e+18"),
    ],
)
def test_refused(ask, name, options, problem, hint):
    with pytest.raises(UserError) as caught:
        ask(name, **options)
    assert problem in caught.value.problem
    assert hint in caught.value.hint


def test_words(ask):
    text = words(ask("tall", column="num_lines", at=(75.0, 20.0), samples=1)).splitlines()
    assert text[:3] == ["tall: num_lines > 50 OR max_line_length > 1000", "source: this test", ""]
    assert text[3] == "num_lines > 50"
    assert text[4].split() == ["dropped", "if", "files", "kept", "bytes", "kept"]
    table = [line.split() for line in text[5:8]]
    assert [row[:2] for row in table] == [[">", "20"], [">", "50"], [">", "75"]]
    assert table[1][-1] == "now"
    assert table[2][-4:-2] == ["+2", "files"]
    bars = [line for line in text if "█" in line or "░" in line][1:]
    assert all(("█" in line) != ("░" in line) for line in bars)
    assert "  60  code:n60.py" in "\n".join(text)
    assert text[-1].startswith("Near-duplicates and budgets are taken as they are now")


def test_json(ask):
    found = ask("tall", column="num_lines", at=(75.0,), samples=1).to_json()
    (one,) = found["limits"]
    assert set(found) == {"name", "condition", "source", "exact", "stale", "limits"}
    assert [set(kept) for kept in one["kept"]] == [{"limit", "files", "bytes"}] * 2
    assert len(one["distribution"]["edges"]) == len(one["distribution"]["kept"]) + 1
    assert one["dropped_nearest"][0]["path"] == "n60.py"
