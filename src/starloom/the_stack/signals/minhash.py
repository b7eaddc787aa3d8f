"""MinHash bands and the token stream, for near-deduplication: see dedup/signature."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from starloom.dedup.signature import MinHashSettings, measure
from starloom.the_stack.signal import Batch, Signal


def _measure(batch: Batch, settings: MinHashSettings) -> Sequence[Any]:
    found = measure(batch.offsets, batch.data, settings)
    streams = np.ascontiguousarray(found.stream).view(np.uint8)
    bands = np.ascontiguousarray(found.bands).view(np.uint8)
    return [
        pa.array(found.tokens),
        pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(found.tokens), [None, pa.py_buffer(streams)]),
        pa.array([one.tobytes() for one in bands], pa.binary()),
    ]


SIGNAL = Signal(
    name="minhash",
    version=1,
    columns=pa.schema(
        [
            ("tokens", pa.int32()),
            ("stream", pa.binary(16)),  # equal for files of the same tokens
            ("bands", pa.binary()),  # little-endian uint64, one a band
        ]
    ),
    measure=_measure,
    section="minhash",
)
