"""Which levels stand above a folder."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from starloom.the_stack.spoken import _Chains

PLACES = st.tuples(st.sampled_from("ab"), st.lists(st.sampled_from("xy"), max_size=4).map("/".join))


@given(st.lists(st.tuples(PLACES, st.integers(1, 3)), max_size=9, unique_by=lambda one: one[0]), st.lists(PLACES))
def test_from_the_top_down(said, asked):
    columns = [[place[0] for place, _ in said], [place[1] for place, _ in said], [level for _, level in said]]
    arrays = [pa.array(values, kind) for values, kind in zip(columns, (pa.string(), pa.string(), pa.int64()))]
    chains = _Chains(pa.table(arrays, ["repo_name", "base", "level_id"]))
    for repository, folder in asked:
        names = folder.split("/") if folder else []
        above = [(repository, "/".join(names[:count])) for count in range(len(names) + 1)]
        rows = [row for one in above for row, (place, _) in enumerate(said) if place == one]
        chain, nearest = chains.of(repository, folder)
        assert chains.levels[chain] == [said[row][1] for row in rows]
        assert nearest == (rows[-1] if rows else -1)


def test_a_folder_far_down():
    levels = pa.table({"repo_name": ["a"], "base": [""], "level_id": [7]})
    chains = _Chains(levels)
    assert chains.of("a", "/".join("x" * 3_000)) == (1, 0)
    assert chains.of("b", "x") == (0, -1)
    assert chains.levels == [[], [7]]
