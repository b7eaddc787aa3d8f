"""The licence that a licence file is: its text recognised as a whole, among files named like one (see licenses/)."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from starloom.licenses.candidates import is_license_candidate
from starloom.licenses.texts import recognise
from starloom.the_stack.signal import Batch, Signal


def _measure(batch: Batch, _settings: Any) -> Sequence[pa.Array]:
    found = [recognise(text) for text in batch.texts]
    return [pa.array([one.expression if one else None for one in found], pa.string())]


SIGNAL = Signal(
    name="license_file",
    version=1,
    columns=pa.schema([("file_license", pa.string())]),
    measure=_measure,
    needs_name=True,
    wants_name=is_license_candidate,
)
