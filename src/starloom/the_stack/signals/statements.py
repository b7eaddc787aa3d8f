"""What package metadata, machine-readable copyright files and READMEs say about licences (see licenses/statements)."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from starloom.licenses.statements import may_be_metadata, statements
from starloom.the_stack.signal import Batch, Signal

_STATEMENT = pa.struct(
    [
        ("scope", pa.string()),  # folder, files
        ("pattern", pa.string()),  # of whole paths below the base (RE2)
        ("expression", pa.string()),
        ("line", pa.int32()),
        ("rule", pa.string()),
        ("priority", pa.int32()),
    ]
)


def _measure(batch: Batch, _settings: Any) -> Sequence[pa.Array]:
    found = [statements(name, text) for name, text in zip(batch.file_names or (), batch.texts, strict=True)]
    rows = [[{name: getattr(one, name) for name in _STATEMENT.names} for one in some] for some in found]
    return [pa.array(rows, SIGNAL.columns.field(0).type)]


SIGNAL = Signal(
    name="statements",
    version=2,
    columns=pa.schema([("statements", pa.list_(_STATEMENT))]),
    measure=_measure,
    needs_name=True,
    wants_name=may_be_metadata,  # in which folder, `list` sees to (`metadata_base`)
)
