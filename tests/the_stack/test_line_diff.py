"""Which lines stay: against the classic table, and on texts made to be hard."""

import doctest
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.the_stack import line_diff
from starloom.the_stack.line_diff import common_blocks

few = st.lists(st.sampled_from("abcd"), max_size=24)
many = st.lists(st.sampled_from([f"line {n}" for n in range(40)]), max_size=40)


def longest(old, new):
    """The length of a longest common subsequence."""
    table = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i, one in enumerate(old):
        for j, other in enumerate(new):
            table[i + 1][j + 1] = table[i][j] + 1 if one == other else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


def check(old, new, blocks):
    """Blocks are alike, in order, apart, and as long as they can be."""
    a = b = 0
    for number, (old_start, new_start, size) in enumerate(blocks):
        assert size > 0
        assert old_start >= a
        assert new_start >= b
        assert number == 0 or (old_start, new_start) != (a, b)
        assert old[old_start : old_start + size] == new[new_start : new_start + size]
        a, b = old_start + size, new_start + size
    assert a <= len(old)
    assert b <= len(new)
    return sum(size for *_, size in blocks)


@given(few, few)
def test_between_anchors_nothing_more_could_stay(old, new):
    # Twice in each: no line is an anchor, so the whole is one table.
    old, new = old + [*"abcd"] * 2, [*"abcd"] * 2 + new
    assert check(old, new, common_blocks(old, new)) == longest(old, new)


@given(many, many)
def test_blocks_are_alike_and_in_order(old, new):
    assert check(old, new, common_blocks(old, new)) <= longest(old, new)
    assert check(old, old, common_blocks(old, old)) == len(old)


@given(many, st.data())
def test_lines_put_in_and_taken_out_are_all_that_changes(old, data):
    new = list(old)
    for _ in range(data.draw(st.integers(0, 3))):
        new.insert(data.draw(st.integers(0, len(new))), f"new {data.draw(st.integers())}")
    assert check(old, new, common_blocks(old, new)) == len(old)
    assert check(new, old, common_blocks(new, old)) == len(old)


@given(few, few)
def test_without_room_for_a_table_it_is_a_diff_all_the_same(old, new):
    blocks = common_blocks(old, new, most_pairs=0)
    assert check(old, new, blocks) <= longest(old, new)
    ends = next((k for k, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    assert ends == 0 or blocks[0].size >= ends


def hard():
    dice = random.Random(7)
    size = 30_000
    numbered = [str(n) for n in range(size)]
    return {
        "reversed": (numbered, numbered[::-1]),
        "one line": (["x"] * size, ["x"] * (size // 2)),
        "few lines": tuple([dice.choice("abcdefgh") for _ in range(size)] for _ in "12"),
        "pairs": ([str(n // 2) for n in range(size)], [str((n + 1) // 2) for n in range(size)]),
        "thin": ([dice.choice("ab") for _ in range(400)], [dice.choice("ab") for _ in range(size)]),
        "shuffled": (numbered, dice.sample(numbered, size)),
    }


@pytest.mark.parametrize("name", hard())
def test_hard_texts_are_answered(name):
    """In seconds: difflib takes minutes for some of these."""
    old, new = hard()[name]
    check(old, new, common_blocks(old, new))


def test_anchors_tell_what_moved():
    old = ["def a", "{", "}", "def b", "{", "}", "def c", "{", "}"]
    new = ["def a", "{", "}", "def c", "{", "}"]
    assert common_blocks(old, new) == [(0, 0, 3), (6, 3, 3)]


def test_documented():
    assert doctest.testmod(line_diff).failed == 0
