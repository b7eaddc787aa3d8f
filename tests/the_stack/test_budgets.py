"""Budgets: what fits is kept lowest hash first, growth never swaps a file, and the ledger says what was too much."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.the_stack.budgets import Budget, check_budgets, cut
from the_stack.building import code

IDS = st.integers(0, 10**6).map(lambda number: f"{number:040x}")
FILES = st.dictionaries(IDS, st.tuples(st.integers(0, 1_000), st.sampled_from(["C", "D", ""])), max_size=40)


def files(some):
    """`some`: content id → (bytes, value of `each`)."""
    return pa.table(
        {
            "content_id": pa.array(some, pa.string()),
            "length_bytes": pa.array([size for size, _ in some.values()], pa.int64()),
            "budget": pa.array([0] * len(some), pa.int32()),
            "budget_each": pa.array([each for _, each in some.values()], pa.string()),
        }
    )


def kept(some, limit, seed=0):
    ids = list(some)
    beyond = cut((Budget("b", "true", limit, "language"),), files(some), seed)
    return set(ids) - {ids[row] for row in beyond.rows}


@given(FILES, FILES, st.integers(0, 5_000))
def test_growth_never_swaps(some, more, limit):
    before, after = kept(some, limit), kept(some | {key: one for key, one in more.items() if key not in some}, limit)
    assert after & set(some) <= before
    for each in ("C", "D", ""):
        assert sum(some[one][0] for one in before if some[one][1] == each) <= limit


@given(FILES, st.integers(0, 5_000))
def test_nothing_is_cut_without_need(some, limit):
    """The first that is cut is too much, by the total that is told of it."""
    beyond = cut((Budget("b", "true", limit, "language"),), files(some), 0)
    cut_ids = [list(some)[row] for row in beyond.rows]
    for each in {some[one][1] for one in cut_ids}:
        fitting = sum(some[one][0] for one in kept(some, limit) if some[one][1] == each)
        totals = {one: int(value) for one, value in zip(cut_ids, beyond.values) if some[one][1] == each}
        first = min(totals, key=lambda one: (totals[one], -some[one][0]))
        assert totals[first] == fitting + some[first][0] > limit


def test_another_seed_draws_others():
    some = {f"{number:040x}": (10, "") for number in range(100)}
    assert len(kept(some, 500)) == len(kept(some, 500, seed=1)) == 50
    assert kept(some, 500) != kept(some, 500, seed=1)


def test_of_two_budgets_the_first_takes_a_file(workspace, folder):
    made = workspace(
        folder("a", {f"{number}.py": code(number) for number in range(8)} | {"x.js": b"let answer = 42\n" * 9}),
        extra="\n[engine]\nworkers = 1\n[decide]\nheld_out = 0.0\n"
        '[[budgets]]\nname = "few"\nwhere = "language = \'Python\'"\nbytes = 2000\n'
        '[[budgets]]\nname = "rest"\nwhere = "true"\neach = "language"\nbytes = 1\n',
    )
    rows = made.build().ledger()
    python = [row for (_, path), row in rows.items() if path.endswith(".py")]
    taken = [row for row in python if row["verdict"] == "kept"]
    assert 0 < len(taken) < 8
    assert sum(row["length_bytes"] for row in taken) <= 2000
    for row in python:
        if row["verdict"] == "dropped":
            assert (row["rule"], row["limit"], row["split"]) == ("few", "2000 bytes, lowest hash first", None)
            assert int(row["value"]) > 2000
    row = rows["a", "x.js"]
    assert (row["rule"], row["value"]) == ("rest", str(row["length_bytes"]))
    assert row["limit"] == "1 bytes of language JavaScript, lowest hash first"


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (Budget("b", "lines > 3", 1), "unknown column"),
        (Budget("b", "true", -1), "negative"),
        (Budget("b", "true", 1, "num_lines"), "no column of texts"),
        (Budget("b", "true", 1, "content"), "no column of texts"),
        (Budget("long-line", "true", 1), "name is taken"),
    ],
    ids=lambda value: value.name if isinstance(value, Budget) else value,
)
def test_refused(budget, words):
    with pytest.raises(UserError) as caught:
        check_budgets((budget,), ("long-line",))
    assert words in caught.value.problem
    assert caught.value.hint
