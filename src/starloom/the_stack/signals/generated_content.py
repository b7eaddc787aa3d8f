"""Whether a content under a file name has the form or the header of what a program writes (see languages/generated)."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from starloom.languages.generated import generated_content
from starloom.the_stack.signal import Batch, Signal


def _measure(batch: Batch, _settings: Any) -> Sequence[pa.Array]:
    return [pa.array(map(generated_content, batch.file_names or (), batch.texts), pa.string())]


SIGNAL = Signal(
    name="generated_content",
    version=1,
    columns=pa.schema([("generated_content", pa.string())]),
    measure=_measure,
    needs_name=True,
)
