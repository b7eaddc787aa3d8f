"""Personal data and secrets: where they are, and how many of each kind (see privacy/find; with `[names]` also what its
model finds, see privacy/names_model).

Spans in characters of the text; what they hold is not written down.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from starloom.privacy import model_folder
from starloom.privacy.find import disjoint, find
from starloom.privacy.finding import KINDS, Finding
from starloom.privacy.names_model import NamesModelSettings, open_names_model
from starloom.the_stack.redactions import COUNTS, FINDINGS
from starloom.the_stack.signal import Batch, Signal


def _measure(batch: Batch, settings: NamesModelSettings) -> Sequence[pa.Array]:
    found = find(batch.texts, batch.offsets, batch.data)
    if settings.model:
        told = open_names_model(settings.model, settings).find(batch.texts)
        found = [disjoint([*one, *other]) for one, other in zip(found, told, strict=True)]
    sizes = np.fromiter(map(len, found), np.int64, len(found))
    columns = list(zip(*itertools.chain.from_iterable(found), strict=True)) or [()] * len(Finding._fields)
    kinds = np.fromiter(map(KINDS.index, columns[Finding._fields.index("kind")]), np.int64)
    cells = np.repeat(np.arange(len(found)), sizes) * len(KINDS) + kinds
    counts = np.bincount(cells, minlength=len(found) * len(KINDS)).reshape(-1, len(KINDS))
    return [*(pa.array(one, pa.int32()) for one in counts.astype(np.int32).T), _listed(columns, sizes)]


def _listed(columns: Sequence[Sequence[Any]], sizes: NDArray[np.int64]) -> pa.Array:
    """FINDINGS, column by column: a dictionary for each finding would take three times as long."""
    members: Any = list(FINDINGS.value_type)
    rows = pa.StructArray.from_arrays(
        [pa.array(column, one.type) for column, one in zip(columns, members, strict=True)], fields=members
    )
    ends = np.concatenate([[0], np.cumsum(sizes)])
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), rows, type=FINDINGS)


def _prepare(settings: NamesModelSettings) -> None:
    if settings.model:
        model_folder.fetch(settings.model)


def _mark(settings: NamesModelSettings) -> str:
    return model_folder.mark(settings.model)


SIGNAL = Signal(
    name="private",
    version=1,
    columns=pa.schema([*((COUNTS[kind], pa.int32()) for kind in KINDS), ("findings", FINDINGS)]),
    measure=_measure,
    section="names",
    prepare=_prepare,
    mark=_mark,
)
