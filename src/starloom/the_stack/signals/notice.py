"""A file's own licence notice in its first lines: SPDX tag, GNU header, common headers (see licenses/notices)."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from starloom.licenses.notices import own_notice
from starloom.the_stack.signal import Batch, Signal


def _measure(batch: Batch, _settings: Any) -> Sequence[pa.Array]:
    found = [own_notice(text) for text in batch.texts]
    return [
        pa.array([one.expression if one else None for one in found], pa.string()),
        pa.array([one.line if one else None for one in found], pa.int32()),
        pa.array([one.kind if one else None for one in found], pa.string()),
    ]


SIGNAL = Signal(
    name="notice",
    version=1,
    columns=pa.schema([("notice_license", pa.string()), ("notice_line", pa.int32()), ("notice_kind", pa.string())]),
    measure=_measure,
)
