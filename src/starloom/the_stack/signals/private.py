"""Personal data and secrets: where they are, and how many of each kind (see privacy/find; with `[names]` also what its
model finds, see privacy/names_model).

Spans in characters of the text; what they hold is not written down.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

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
    counts = {kind: [0] * len(found) for kind in KINDS}
    for row, some in enumerate(found):
        for one in some:
            counts[one.kind][row] += 1
    return [*(pa.array(one, pa.int32()) for one in counts.values()), _listed(found)]


def _listed(found: Sequence[Sequence[Finding]]) -> pa.Array:
    """FINDINGS, column by column: a dictionary for each finding would take three times as long."""
    members: Any = list(FINDINGS.value_type)
    columns = list(zip(*itertools.chain.from_iterable(found), strict=True)) or [()] * len(members)
    rows = pa.StructArray.from_arrays(
        [pa.array(column, one.type) for column, one in zip(columns, members, strict=True)], fields=members
    )
    ends = itertools.accumulate(map(len, found), initial=0)
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
