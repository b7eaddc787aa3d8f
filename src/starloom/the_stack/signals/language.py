"""The language of a content under a file name: by modeline, name, extension, shebang (see languages/detect)."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from starloom.languages.detect import detect, first_line
from starloom.the_stack.signal import Batch, Signal


def _measure(batch: Batch, _settings: Any) -> Sequence[pa.Array]:
    found = [detect(name, first_line(text)) for name, text in zip(batch.file_names or (), batch.texts, strict=True)]
    return [
        pa.array([one.language if one else None for one in found], pa.string()),
        pa.array([one.by if one else None for one in found], pa.string()),
    ]


SIGNAL = Signal(
    name="language",
    version=1,
    columns=pa.schema([("language", pa.string()), ("language_by", pa.string())]),
    measure=_measure,
    needs_name=True,
)
