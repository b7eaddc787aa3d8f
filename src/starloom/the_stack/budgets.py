"""`[[budgets]]`: how much there may be of some files; those beyond it are left out, by a keyed hash of their contents.

    [[budgets]]
    name  = "data"
    where = "language_kind = 'data'"
    each  = "language"               # a budget for every language by itself
    bytes = 1_000_000_000
    source = "arXiv 2402.19173, section 2.1"

Files that passed every rule and have no better twin are taken lowest hash first, as long as their bytes stay within the
budget. So a dataset that grows may lower the cut, but never swaps one file for another. A file belongs to the first
budget whose condition holds. Memory: 24 bytes a file.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.kernels.random import keyed_uint64s
from starloom.settings import nearest
from starloom.the_stack import conditions
from starloom.the_stack.columns import COLUMNS


@dataclass(frozen=True)
class Budget:
    """One `[[budgets]]` of a recipe."""

    name: str
    where: str  # SQL condition: which files share it
    bytes: int  # of their contents, as stored in the repositories
    each: str = ""  # a column: every value of it has a budget by itself
    source: str = ""  # where the number comes from


def check_budgets(budgets: tuple[Budget, ...], rule_names: tuple[str, ...]) -> None:
    """Raises UserError for a budget that is refused, and for a name that stands twice or is a rule's."""
    seen = set(rule_names)
    for one in budgets:
        if one.name in seen:
            raise UserError(f"budget `{one.name}`: the name is taken", "give each rule and budget a name of its own")
        seen.add(one.name)
        if one.bytes < 0:
            raise UserError(f"budget `{one.name}`: bytes = {one.bytes} is negative", "write a number of bytes")
        if one.each and (one.each not in COLUMNS or COLUMNS[one.each].kind != "text"):
            texts = [name for name, column in COLUMNS.items() if column.kind == "text"]
            raise UserError(
                f"budget `{one.name}`, `each`: {one.each!r} is no column of texts", nearest(one.each, texts)
            )
        _where(one)


def asked(budgets: tuple[Budget, ...]) -> set[str]:
    """The columns that budgets ask."""
    return {name for one in budgets for name in conditions.columns(_where(one))} | {
        one.each for one in budgets if one.each
    }


def choice(budgets: tuple[Budget, ...]) -> tuple[str, str]:
    """SQL over columns: the number of a file's budget, or null; and its value of `each`, or ''."""
    if not budgets:
        return "CAST(NULL AS INTEGER)", "''"
    whens = [f"WHEN coalesce({conditions.sql(_where(one))}, false) THEN" for one in budgets]
    number = " ".join(f"{when} {n}" for n, when in enumerate(whens))
    values = " ".join(
        f"{when} {f'coalesce({one.each}, {chr(39) * 2})' if one.each else chr(39) * 2}"
        for when, one in zip(whens, budgets, strict=True)
    )
    return f"CASE {number} END", f"CASE {values} ELSE '' END"


def _where(budget: Budget) -> Any:
    return conditions.parse(f"budget `{budget.name}`, `where`", budget.where)


class Beyond(NamedTuple):
    """Files beyond their budgets: rows of the table given, and for each the budget, what there would be with it, and
    what there may be."""

    rows: NDArray[np.int64]
    names: list[str]
    values: list[str]
    limits: list[str]


def cut(budgets: tuple[Budget, ...], files: pa.Table, seed: int) -> Beyond:
    """What of `files` (content_id, length_bytes, and budget, budget_each as `choice` gives them) is beyond a budget."""
    rows = np.flatnonzero(files.column("budget").is_valid().to_numpy())
    some = files.take(pa.array(rows))
    number = some.column("budget").to_numpy().astype(np.int64)
    each = np.array(some.column("budget_each").to_pylist(), dtype=str)
    sizes = some.column("length_bytes").to_numpy().astype(np.int64)
    total = _totals(number, each, some.column("content_id").to_pylist(), sizes, seed)
    over = np.flatnonzero(total > np.array([one.bytes for one in budgets], dtype=np.int64)[number])
    taken = [budgets[one] for one in number[over]]
    return Beyond(
        rows[over],
        [one.name for one in taken],
        [str(one) for one in total[over].tolist()],
        [
            f"{one.bytes} bytes" + (f" of {one.each} {value}" if one.each else "") + ", lowest hash first"
            for one, value in zip(taken, each[over].tolist(), strict=True)
        ],
    )


def _totals(
    budget: NDArray[np.int64], each: NDArray[Any], content_ids: list[str], sizes: NDArray[np.int64], seed: int
) -> NDArray[np.int64]:
    """For every file its bytes and those of all before it in its budget, lowest hash first."""
    keys = keyed_uint64s(seed, "budget", content_ids)
    order = np.lexsort((np.array(content_ids, dtype=str), keys, each, budget))
    running = np.cumsum(sizes[order])
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(budget[order]) != 0) | (each[order][1:] != each[order][:-1])
    before = (running - sizes[order])[first]
    found = np.empty(len(order), dtype=np.int64)
    found[order] = running - before[np.cumsum(first) - 1]
    return found


def merged_budgets(recipe: tuple[Budget, ...], own: tuple[Budget, ...]) -> tuple[Budget, ...]:
    """The workspace's budgets, then the recipe's: of a name that both have, the workspace's in the recipe's place, else
    before all of them, since a file belongs to the first that it meets."""
    by_name = {one.name: one for one in own}
    known = {one.name for one in recipe}
    return tuple(one for one in own if one.name not in known) + tuple(by_name.get(one.name, one) for one in recipe)
