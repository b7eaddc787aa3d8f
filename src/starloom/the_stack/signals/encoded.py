"""Encoded data: the longest match of each of The Stack v2's three patterns, and the share of the file in any of them.

Patterns, the guard for lists of words behind encoded_data_*, and cost: kernels/runs. Source: arXiv 2402.19173, section
2.1.
"""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from starloom.the_stack.signal import Batch, Signal


def _measure(batch: Batch, _settings: Any) -> Sequence[pa.Array]:
    from starloom.kernels.runs import encoded_runs

    return [pa.array(column) for column in encoded_runs(batch.offsets, batch.data)]


SIGNAL = Signal(
    name="encoded",
    version=1,
    columns=pa.schema(
        [
            ("base64_longest", pa.int32()),  # characters; 0: no match
            ("hex_longest", pa.int32()),
            ("unicode_longest", pa.int32()),
            ("encoded_longest", pa.int32()),  # of the three
            ("encoded_fraction", pa.float32()),  # of characters, in a match of any
            ("encoded_data_longest", pa.int32()),  # the same two, without base64 matches that are words and not data
            ("encoded_data_fraction", pa.float32()),
        ]
    ),
    measure=_measure,
)
