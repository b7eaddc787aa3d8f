"""Whether a content under a file name has the form or the header of what a program writes (see languages/generated)."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from starloom.the_stack.signal import Batch, Signal


def _measure(batch: Batch, _settings: Any) -> Sequence[pa.Array]:
    from starloom.languages.at_once import contents

    return [pa.array(contents(batch.file_names or (), batch.texts, batch.offsets, batch.data), pa.string())]


SIGNAL = Signal(
    name="generated_content",
    version=1,
    columns=pa.schema([("generated_content", pa.string())]),
    measure=_measure,
    needs_name=True,
)
