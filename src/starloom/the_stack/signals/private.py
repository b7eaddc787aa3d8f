"""Personal data and secrets: where they are, and how many of each kind (see privacy/find; with `[names]` also what its
model finds, see privacy/names_model).

Spans in characters of the text; what they hold is not written down.
"""

from collections.abc import Sequence

import pyarrow as pa

from starloom.privacy import model_folder
from starloom.privacy.find import disjoint, find
from starloom.privacy.finding import KINDS
from starloom.privacy.names_model import NamesModelSettings, open_names_model
from starloom.the_stack.redactions import COUNTS, FINDINGS
from starloom.the_stack.signal import Batch, Signal


def _measure(batch: Batch, settings: NamesModelSettings) -> Sequence[pa.Array]:
    found = find(batch.texts, batch.offsets, batch.data)
    if settings.model:
        told = open_names_model(settings.model, settings).find(batch.texts)
        found = [disjoint([*one, *other]) for one, other in zip(found, told, strict=True)]
    counts = [pa.array([sum(one.kind == kind for one in some) for some in found], pa.int32()) for kind in KINDS]
    return [*counts, pa.array([[one._asdict() for one in some] for some in found], FINDINGS)]


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
