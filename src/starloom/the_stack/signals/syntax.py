"""What a tree-sitter grammar cannot make sense of, where `[syntax]` is enabled (see languages/syntax)."""

from collections.abc import Sequence
from itertools import pairwise

import pyarrow as pa

from starloom.languages.syntax import SyntaxSettings, parse_errors, version
from starloom.the_stack.signal import Batch, Signal


def _measure(batch: Batch, settings: SyntaxSettings) -> Sequence[pa.Array]:
    data = batch.data.data
    bounds = batch.offsets.tolist()
    texts = [(language, data[begin:end]) for (begin, end), language in zip(pairwise(bounds), batch.languages or ())]
    found = parse_errors(texts, settings.max_bytes)
    return [
        pa.array([one.fraction if one else None for one in found], pa.float32()),
        pa.array([one.number if one else None for one in found], pa.int32()),
    ]


SIGNAL = Signal(
    name="syntax",
    version=1,
    columns=pa.schema(
        [
            ("parse_error_fraction", pa.float32()),  # of bytes
            ("parse_errors", pa.int32()),
        ]
    ),
    measure=_measure,
    section="syntax",
    needs_language=True,
    wants_language=lambda language, settings: settings.wants(language),
    mark=lambda settings: version() if settings.enabled else "",
)
