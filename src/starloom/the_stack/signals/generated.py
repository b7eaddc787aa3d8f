"""Whether the first five lines say that a program wrote the file (see languages/generated)."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from starloom.languages.generated import generated_marker
from starloom.the_stack.signal import Batch, Signal


def _measure(batch: Batch, _settings: Any) -> Sequence[pa.Array]:
    found = [generated_marker(text) for text in batch.texts]
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
