"""The licence that a licence file is: its text recognised as a whole, among files named like one (see licenses/).

A file that is by its name a licence, and whose text is not recognised, is an unknown licence: nobody may take it for
none.
"""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from starloom.licenses.candidates import is_license_candidate, is_license_text
from starloom.licenses.categories import UNKNOWN
from starloom.licenses.texts import recognise
from starloom.the_stack.signal import Batch, Signal


def _measure(batch: Batch, _settings: Any) -> Sequence[pa.Array]:
    return [pa.array(map(_license, batch.file_names or (), batch.texts), pa.string())]


def _license(file_name: str, text: str) -> str | None:
    found = recognise(text)
    if found is not None:
        return found.expression
    return UNKNOWN if is_license_text(file_name) and text.strip() else None


SIGNAL = Signal(
    name="license_file",
    version=1,
    columns=pa.schema([("file_license", pa.string())]),
    measure=_measure,
    needs_name=True,
    wants_name=is_license_candidate,
)
