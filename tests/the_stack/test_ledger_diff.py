"""Two ledgers compared: held against a comparison by hand, of synthetic ledgers and of workspaces."""

from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
from starloom.the_stack import tables
from starloom.the_stack.ledger_diff import ABSENT, difference, words

ROW = st.fixed_dictionaries(
    {
        "verdict": st.sampled_from(["kept", "changed", "dropped", "quarantined"]),
        "rule": st.sampled_from([None, "license", "long-line"]),
        "value": st.sampled_from([None, "7"]),
        "limit": st.sampled_from([None, "n > 5"]),
        "split": st.sampled_from([None, "train", "held_out"]),
        "language": st.sampled_from([None, "C", "Python"]),
        "length_bytes": st.sampled_from([None, 0, 10, 70]),
        "content_id": st.sampled_from([None, "c1", "c2"]),
    }
)
LEDGER = st.dictionaries(st.tuples(st.sampled_from("ab"), st.sampled_from(["", "x", "y", "z"])), ROW)


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with LocalEngine(EngineSettings(workers=1), tmp_path_factory.mktemp("spill")) as found:
        yield found


def table(ledger):
    rows = [
        dict.fromkeys(tables.LEDGER_ROWS.names)
        | {"repo_name": repo, "path": path, "rights": "public", "is_vendor": False, "matched_rules": []}
        | row
        for (repo, path), row in ledger.items()
    ]
    return pa.Table.from_pylist(rows, tables.LEDGER_ROWS)


@given(LEDGER, LEDGER)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_against_counting_by_hand(local, a, b):
    found = difference(local, ("one", table(a)), ("two", table(b)), 99)
    keys = sorted(a.keys() | b.keys())
    judged = {
        key: tuple((row[key]["verdict"], row[key]["rule"]) if key in row else (ABSENT, None) for row in (a, b))
        for key in keys
    }
    changed = [key for key in keys if judged[key][0] != judged[key][1]]
    assert found.total == len(changed)
    assert {(row["repo_name"], row["path"]) for row in found.files} == set(changed)
    for row in found.files:
        key = row["repo_name"], row["path"]
        assert ((row["verdict_a"], row["rule_a"]), (row["verdict_b"], row["rule_b"])) == judged[key]
        for side, ledger in (("a", a), ("b", b)):
            there = ledger.get(key, {})
            assert (row[f"value_{side}"], row[f"limit_{side}"]) == (there.get("value"), there.get("limit"))
    assert {
        ((row["verdict_a"], row["rule_a"]), (row["verdict_b"], row["rule_b"])): row["files"] for row in found.changes
    } == Counter(judged[key] for key in changed)
    stays = [{key for key, row in one.items() if row["verdict"] in ("kept", "changed")} for one in (a, b)]
    for side, ledger, here in (("a", a, stays[0]), ("b", b, stays[1])):
        assert found.kept[side] == {"files": len(here), "bytes": sum(ledger[key]["length_bytes"] or 0 for key in here)}
    assert found.kept["both"] == {"files": len(stays[0] & stays[1])}

    def languages(these):
        return Counter(b.get(key, {}).get("language") or a.get(key, {}).get("language") for key in these)

    comes, goes = languages(stays[1] - stays[0]), languages(stays[0] - stays[1])
    assert {row["language"]: row["files_in"] for row in found.languages if row["files_in"]} == comes
    assert {row["language"]: row["files_out"] for row in found.languages if row["files_out"]} == goes
    both = a.keys() & b.keys()
    assert found.same_verdict_other_split == sum(
        a[key]["verdict"] == b[key]["verdict"]
        and None not in (a[key]["split"], b[key]["split"])
        and a[key]["split"] != b[key]["split"]
        for key in both
    )
    assert found.other_content == sum(
        None not in (a[key]["content_id"], b[key]["content_id"]) and a[key]["content_id"] != b[key]["content_id"]
        for key in both
    )
    text = words(found)
    assert ("no file is judged differently" in text) == (not changed)


def test_words(local):
    row = {"verdict": "kept", "rule": None, "value": None, "limit": None, "split": "train", "language": "C"}
    row |= {"length_bytes": 1000, "content_id": "c"}
    gone = row | {"verdict": "dropped", "rule": "long-line", "value": "7", "limit": "n > 5", "split": None}
    a = {("r", "stays.c"): row, ("r", "goes.c"): row, ("r", "odd \x1b[31m.c"): row, ("r", "splits.c"): row}
    b = a | {("r", "goes.c"): gone, ("r", "splits.c"): row | {"split": "held_out"}}
    del b["r", "odd \x1b[31m.c"]
    text = words(difference(local, ("one", table(a)), ("two", table(b)), 1))
    assert text.splitlines() == [
        "A  one: 4 files in the dataset, 4.0 kB",
        "B  two: 2 files in the dataset, 2.0 kB",
        "   2 files in both",
        "",
        "2 files judged differently",
        "  1  kept → absent  (1.0 kB)",
        "  1  kept → dropped by long-line  (1.0 kB)",
        "1 file stay, and move between train and held_out",
        "",
        "in the dataset, by language",
        "  C  -2 files (2.0 kB)",
        "",
        "r:goes.c",
        "  A  kept",
        "  B  dropped by long-line: 7  (limit: n > 5)",
        "",
        "… and 1 more file; --limit shows more",
    ]
    assert "\x1b" not in words(difference(local, ("one", table(a)), ("two", table(b)), 9))
