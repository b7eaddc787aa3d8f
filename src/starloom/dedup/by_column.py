"""What columns of an input decide: which of two near-duplicates stays, and which texts are compared at all."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from starloom.dedup.inputs import Input
from starloom.errors import UserError

_HINT = "name a column of texts, numbers, times or truth values"


def preferred(source: Input, columns: Sequence[str]) -> NDArray[np.int64]:
    """int64[rows]: the place of each row in the order of `columns`, each `NAME` (the least first) or `NAME:desc` (the
    greatest first), the first before the others. Null comes last; of equal rows the earlier comes first. Raises
    UserError for a column that is not there or has no order."""
    import pyarrow.compute as pc

    table, keys, kinds = {}, [], []
    for number, one in enumerate(columns):
        column = source.column(one.removesuffix(":desc").removesuffix(":asc"))
        table[str(number)] = column
        keys.append((str(number), "descending" if one.endswith(":desc") else "ascending"))
        kinds.append(str(column.type))
    table["row"] = pa.array(np.arange(source.rows))
    try:
        order = pc.sort_indices(pa.table(table), sort_keys=[*keys, ("row", "ascending")])  # null at the end
    except pa.ArrowException:
        raise UserError(f"{', '.join(columns)}: {', '.join(kinds)} cannot be put in order", _HINT) from None
    rank = np.empty(source.rows, dtype=np.int64)
    rank[order.to_numpy()] = np.arange(source.rows)
    return rank


def groups(source: Input, column: str) -> Any:
    """The values of a column, one a row: only texts of equal ones are compared. Raises UserError."""
    values = source.column(column)
    if pa.types.is_nested(values.type) or isinstance(values.type, pa.BaseExtensionType):
        raise UserError(f"{column}: {values.type} cannot be compared", _HINT)
    return values
