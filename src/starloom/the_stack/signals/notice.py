"""A file's own licence notice in its first lines: SPDX tag, GNU header, common headers (see licenses/notices).

What speaks of a licence there and could not be read is kept, for ScanCode (see the_stack/scan).
"""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from starloom.licenses.canonical import canonical, text_id
from starloom.licenses.notices import own_notice, unrecognised
from starloom.the_stack.signal import Batch, Signal


def _measure(batch: Batch, _settings: Any) -> Sequence[pa.Array]:
    found = [own_notice(text) for text in batch.texts]
    unread = [
        canonical(head).text if one is None and (head := unrecognised(text)) else None
        for one, text in zip(found, batch.texts, strict=True)
    ]
    return [
        pa.array([one.expression if one else None for one in found], pa.string()),
        pa.array([one.line if one else None for one in found], pa.int32()),
        pa.array([one.end if one else None for one in found], pa.int32()),
        pa.array([one.kind if one else None for one in found], pa.string()),
        pa.array([text_id(one) if one else None for one in unread], pa.string()),
        pa.array([one or None for one in unread], pa.string()),
    ]


SIGNAL = Signal(
    name="notice",
    version=3,
    columns=pa.schema(
        [
            ("notice_license", pa.string()),
            ("notice_line", pa.int32()),
            ("notice_end", pa.int32()),
            ("notice_kind", pa.string()),
            ("text_id", pa.string()),
            ("text", pa.string()),  # canonical (licenses/canonical)
        ]
    ),
    measure=_measure,
)
