"""The shape of the text in any language: white space, digits, minified code, data as runs of numbers, repeated lines.

Definitions and cost: kernels/shape.
"""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from starloom.the_stack.signal import Batch, Signal


def _measure(batch: Batch, _settings: Any) -> Sequence[pa.Array]:
    from starloom.kernels.shape import shape

    found = shape(batch.offsets, batch.data)
    return [pa.array(getattr(found, name)) for name in SIGNAL.columns.names]


SIGNAL = Signal(
    name="shape",
    version=1,
    columns=pa.schema(
        [
            ("whitespace_fraction", pa.float32()),  # of characters
            ("digit_fraction", pa.float32()),
            ("is_minified", pa.bool_()),
            ("number_run_longest", pa.int32()),  # characters; 0: no run of 256 or more
            ("number_run_fraction", pa.float32()),  # of characters, in such runs
            ("duplicate_line_fraction", pa.float32()),  # of lines that are not blank
        ]
    ),
    measure=_measure,
)
