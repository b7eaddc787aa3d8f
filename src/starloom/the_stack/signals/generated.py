"""Whether the first five lines say that a program wrote the file (see languages/generated)."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from starloom.the_stack.signal import Batch, Signal


def _measure(batch: Batch, _settings: Any) -> Sequence[pa.Array]:
    from starloom.languages.at_once import markers

    found = markers(batch.texts, batch.offsets, batch.data)
    return [
        pa.array([one[0] if one else None for one in found], pa.string()),
        pa.array([one[1] if one else None for one in found], pa.int32()),
    ]


SIGNAL = Signal(
    name="generated",
    version=1,
    columns=pa.schema([("generated_marker", pa.string()), ("generated_line", pa.int32())]),
    measure=_measure,
)
