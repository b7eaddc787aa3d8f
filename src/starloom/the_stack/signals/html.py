"""How much of an HTML page a person would see (see quality/visible_text)."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from starloom.quality.visible_text import visible_characters, visible_fractions
from starloom.the_stack.signal import Batch, Signal


def _measure(batch: Batch, _settings: Any) -> Sequence[pa.Array]:
    characters = visible_characters(batch.offsets, batch.data)
    return [pa.array(characters), pa.array(visible_fractions(characters, batch.texts))]


SIGNAL = Signal(
    name="html",
    version=1,
    columns=pa.schema(
        [
            ("visible_characters", pa.int32()),  # white space folded
            ("visible_fraction", pa.float32()),  # of all characters
        ]
    ),
    measure=_measure,
    needs_language=True,
    wants_language=lambda language, _settings: language == "HTML",
)
