"""How near-duplicates are clustered: stars, components, within a language; and that nothing else moves the ledger."""

import random

import pyarrow.parquet as pq
import pytest

from starloom.errors import UserError
from starloom.stages import load_settings
from starloom.the_stack import read, tables
from the_stack import building


def words(seed, count):
    dice = random.Random(f"words {seed}")
    return ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(count)]


def python(names):
    return "".join(f"{name} = 1\n" for name in names).encode()


def chain(length=4, size=200, step=24):
    """Files each of which resembles the next (Jaccard about 0.76), and hardly the one after that (0.59)."""
    names = words("chain", size + length * step)
    return {f"link{number}.py": python(names[number * step : number * step + size]) for number in range(length)}


@pytest.fixture
def linked(tmp_path):
    return building.Workspace(
        tmp_path / "w", building.folder(tmp_path / "code", chain() | {"other.py": python(words("o", 90))})
    )


def near(workspace):
    return {
        path: (row["twin_path"], row["jaccard"], row["value"], row["limit"])
        for (_, path), row in workspace.ledger().items()
        if row["rule"] == "near-duplicate"
    }


def test_stars_keep_what_only_a_chain_links(linked):
    found = near(linked.build())
    assert set(found) == {"link1.py", "link3.py"}
    assert found["link1.py"][0] == "link0.py"
    assert found["link3.py"][0] == "link2.py"
    assert all(0.7 <= jaccard < 0.8 and limit == "jaccard >= 0.7" for _, jaccard, _, limit in found.values())


def test_components_of_verified_pairs(linked):
    linked.configure('[decide]\nclusters = "components"\n')
    found = near(linked.build())
    assert {path: twin for path, (twin, *_) in found.items()} == {f"link{n}.py": "link0.py" for n in (1, 2, 3)}
    assert found["link1.py"][1] == pytest.approx(0.76, abs=0.04)
    assert found["link3.py"][1:] == (None, None, "linked by a chain of pairs: jaccard >= 0.7")


def test_what_the_published_code_does(linked):
    linked.replace('recipe = "small"', 'recipe = "stack-v2-paper-compat"')
    found = near(linked.build())
    assert {twin for twin, *_ in found.values()} == {"link0.py"}
    assert all(
        (jaccard, value, limit) == (None, None, "linked by a chain of pairs: a MinHash band in common")
        for _, jaccard, value, limit in found.values()
    )
    assert "not verified" in building.words(linked.why("link1.py"))


def test_stars_want_verified_pairs(linked):
    linked.configure("[pair]\nverify = false\n")
    with pytest.raises(UserError, match="needs pairs that are verified"):
        load_settings(linked.root)


def test_within_a_language(tmp_path):
    text = python(words("both", 100))
    files = {"a.py": text, "b.py": text + b"last = 2\n", "c.rb": text + b"end = 3\n"}
    workspace = building.Workspace(tmp_path / "w", building.folder(tmp_path / "code", files))
    assert set(near(workspace.build())) == {"b.py", "c.rb"}
    workspace.configure('[decide]\nnear_duplicates_within = "language"\n')
    assert set(near(workspace.build())) == {"b.py"}


def test_equal_words_in_two_languages_are_two_within_a_language(tmp_path):
    text = python(words("both", 100))
    files = {"a.py": text, "b.rb": text + b"\n", "c.rb": text + b"\n\n"}
    workspace = building.Workspace(
        tmp_path / "w",
        building.folder(tmp_path / "code", files),
        extra=building.ENGINE + '\n[decide]\nnear_duplicates_within = "language"\n',
    )
    assert near(workspace.build()) == {"c.rb": ("b.rb", 1.0, "1.0000", "jaccard >= 0.7")}


@pytest.fixture(scope="module")
def families(tmp_path_factory):
    """Three repositories whose files are alike within and across them."""
    base = tmp_path_factory.mktemp("families")
    dice = random.Random(7)
    folders = [base / name for name in ("one", "two", "three")]
    for number in range(60):
        text = words(f"family {number}", 80)
        for copy in range(4):
            changed = [f"x{dice.random()}" if dice.random() < 0.02 * copy else word for word in text]
            building.put(dice.choice(folders), {f"f{number}-{copy}.py": python(changed)})
    return folders


def rows(workspace):
    return {
        name: pq.read_table(paths[0]).to_pylist()
        for name, paths in (("ledger", tables.ledger(workspace.root)), ("pairs", tables.pairs(workspace.root)))
    }


@pytest.mark.slow
def test_neither_shards_nor_workers_nor_the_order_of_sources_move_the_ledger(families, tmp_path, monkeypatch):
    plain = rows(building.Workspace(tmp_path / "plain", *families).build())
    assert sum(row["rule"] == "near-duplicate" for row in plain["ledger"]) > 60
    seen = set()
    for shards, workers, order in ((1, 2, (2, 0, 1)), (2, 1, (1, 2, 0)), (7, 2, (0, 2, 1))):
        size = sum(path.stat().st_size for one in families for path in one.iterdir())
        monkeypatch.setattr(read, "PART_BYTES", size // shards + 1)
        workspace = building.Workspace(
            tmp_path / f"{shards}", *(families[k] for k in order), extra=f"\n[engine]\nworkers = {workers}\n"
        ).build()
        seen.add(len(tables.contents(workspace.root)))
        assert rows(workspace) == plain
    assert len(seen) == 3
