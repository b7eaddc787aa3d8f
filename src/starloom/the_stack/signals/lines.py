"""Lines and character classes: num_lines, max_line_length, avg_line_length, alpha_fraction, alphanum_fraction.

Definitions and cost: kernels/lines. Column names and types: The Stack v2's train sets.
"""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from starloom.the_stack.signal import Batch, Signal


def _measure(batch: Batch, _settings: Any) -> Sequence[pa.Array]:
    from starloom.kernels.lines import line_statistics

    found = line_statistics(batch.offsets, batch.data)
    return [pa.array(getattr(found, name)) for name in SIGNAL.columns.names]


SIGNAL = Signal(
    name="lines",
    version=1,
    columns=pa.schema(
        [
            ("num_lines", pa.int32()),
            ("max_line_length", pa.int32()),  # characters
            ("avg_line_length", pa.float32()),  # characters
            ("characters", pa.int64()),
            ("alpha_fraction", pa.float32()),  # of characters
            ("alphanum_fraction", pa.float32()),
        ]
    ),
    measure=_measure,
)
