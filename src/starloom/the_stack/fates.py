"""What becomes of the files that no rule drops: kept for others, gone for a better one, beyond a budget; and the split.

By numbers: joins by the ids, texts of 40 characters, take several times as long.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa

from starloom.engine.verbs import Engine, Table
from starloom.the_stack import tables
from starloom.the_stack.budgets import cut
from starloom.the_stack.id_places import places
from starloom.the_stack.licensing import LicenseSettings
from starloom.the_stack.placed import Placed, with_numbers
from starloom.the_stack.twins import held_out, near_duplicates, streams, within

# The published pipeline keeps the copy under the most permissive licence; careful verdicts are one for all copies.
_PERMISSIVE_FIRST = "CASE license_type WHEN 'permissive' THEN 0 WHEN 'no_license' THEN 1 ELSE 2 END"


def _best_first(engine: Engine, copies: pa.Table, licenses: LicenseSettings) -> pa.Array:
    """The numbers of the copies that no rule drops."""
    better = f"{_PERMISSIVE_FIRST}, {tables.BETTER}" if licenses.order == "paper" else tables.BETTER
    copies = with_numbers(copies)  # they are by repository and path
    sql = f"SELECT number FROM copies WHERE refusal IS NULL AND rule IS NULL ORDER BY {better}, number"
    return engine.table(sql, {"copies": copies}).column("number").combine_chunks()


def fates(
    engine: Engine,
    listing: Placed,
    copies: pa.Table,
    pairs: Table,
    stream_rows: pa.Table,
    settings: Any,
    drawn: Collection[str] | None,
) -> dict[str, pa.Array]:
    """`copies`: the answer of copies.Question; `pairs`, `stream_rows`: PAIR_ROWS and STREAM_ROWS; `drawn`: see
    twins.held_out. For each of them: whether a better copy is kept, `twin` (the number of the copy that is kept for
    it), the budget it is beyond, and the split of those that stay."""
    passed = _best_first(engine, copies, settings.licenses)
    numbers = passed.to_numpy()
    content = listing.place().take(passed).dictionary_encode().indices.to_numpy()
    first = np.diff(np.maximum.accumulate(content), prepend=-1) > 0  # contents are numbered as they come: best first
    keeper_numbers = numbers[first]
    listed = listing.files.select(["repo_name", "content_id", "length_bytes"]).take(pa.array(keeper_numbers))
    said = copies.select(["language", "budget", "budget_each"]).take(pa.array(keeper_numbers))
    content_ids = listed.column("content_id").combine_chunks()
    streamed = places(content_ids, stream_rows.column("content_id"))
    stream_ids = stream_rows.column("stream_id").combine_chunks().take(streamed)
    threshold, seed = settings.decide.near_duplicates, settings.decide.seed
    found = streams(engine, content_ids, stream_ids, pairs)
    compared = found
    if settings.decide.near_duplicates_within == "language":
        compared = within(found, said.column("language").combine_chunks())
    twins = near_duplicates(compared, threshold, settings.decide.clusters) if threshold else None
    keeper = twins.keeper if twins else np.arange(len(listed))
    alone = keeper == np.arange(len(listed))
    budgeted = pa.table([*listed.columns, *said.columns], [*listed.column_names, *said.column_names])
    beyond = cut(settings.budgets, budgeted.filter(pa.array(alone)), seed)
    out = np.flatnonzero(alone)[beyond.rows]
    stays = alone.copy()
    stays[out] = False
    kept = np.flatnonzero(stays)
    repositories = listed.column("repo_name").combine_chunks().take(pa.array(kept))
    held = held_out(repositories.cast(pa.string()), kept, found, settings.decide.held_out, seed, drawn)

    is_copy, twin, jaccard = np.zeros(len(copies), bool), np.full(len(copies), -1), np.ones(len(copies))
    is_copy[numbers[~first]] = True
    twin[numbers] = keeper_numbers[content]
    twin[keeper_numbers] = np.where(alone, -1, keeper_numbers[keeper])
    if twins:
        jaccard[keeper_numbers] = twins.similarity  # NaN: not verified

    def column(rows: Any, codes: Any, values: list[str]) -> pa.Array:
        """`values` by their `codes` for the keepers `rows`, else null."""
        which = np.full(len(copies), -1)
        which[keeper_numbers[rows]] = codes
        return pa.array(values, pa.string()).take(pa.array(which, mask=which < 0))

    each = np.arange(len(out))
    return {
        "is_copy": pa.array(is_copy),
        "twin": pa.array(twin, mask=twin < 0),
        "jaccard": pa.array(jaccard, mask=(twin < 0) | np.isnan(jaccard)),
        "split": column(kept, held.astype(np.int64), ["train", "held_out"]),
        "over": column(out, each, beyond.names),
        "over_value": column(out, each, beyond.values),
        "over_limit": column(out, each, beyond.limits),
    }
