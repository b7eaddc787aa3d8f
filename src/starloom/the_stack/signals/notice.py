"""A file's own licence notice in its first lines: SPDX tag, GNU header, common headers (see licenses/notices).

What speaks of a licence there and could not be read is kept, for ScanCode (see the_stack/scan).
"""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from starloom.licenses.canonical import Canonical, canonical, text_id
from starloom.licenses.comments import Comments
from starloom.the_stack.signal import Batch, Signal

_NOTHING = (None,) * 7


def _measure(batch: Batch, _settings: Any) -> Sequence[pa.Array]:
    from starloom.licenses.at_once import read_notices

    read = read_notices(batch.texts, batch.offsets, batch.data)
    rows: list[tuple[Any, ...]] = [_NOTHING] * len(batch.contents)
    for row, (notice, comments) in read.items():
        if notice:
            rows[row] = (notice.expression, notice.line, notice.end, notice.kind, None, None, None)
        elif comments and (unread := _canonical(comments)):
            rows[row] = (None, None, None, None, text_id(unread.text), unread.text, unread.lines)
    columns = zip(*rows) if rows else [()] * len(_NOTHING)
    return [pa.array(column, field.type) for column, field in zip(columns, SIGNAL.columns, strict=True)]


def _canonical(comments: Comments) -> Canonical | None:
    """What the comments at the top say of a licence nobody could read, with the lines of the file."""
    plain = canonical(comments.text)
    numbers = comments.numbers
    return (
        Canonical(plain.text, tuple(numbers[min(one, len(numbers)) - 1] for one in plain.lines)) if plain.text else None
    )


SIGNAL = Signal(
    name="notice",
    version=6,
    columns=pa.schema(
        [
            ("notice_license", pa.string()),
            ("notice_line", pa.int32()),
            ("notice_end", pa.int32()),
            ("notice_kind", pa.string()),
            ("text_id", pa.string()),
            ("text", pa.string()),  # canonical (licenses/canonical)
            ("text_lines", pa.list_(pa.int32())),  # the line of the file for each of its lines
        ]
    ),
    measure=_measure,
)
