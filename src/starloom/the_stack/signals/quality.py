"""A quality score of each file, 0 to 1, by the scorer of `[quality]` (see quality/)."""

from collections.abc import Sequence

import pyarrow as pa

from starloom.quality.settings import QualitySettings
from starloom.the_stack.signal import Batch, Signal


def _measure(batch: Batch, settings: QualitySettings) -> Sequence[pa.Array]:
    from starloom.languages.table import by_name
    from starloom.quality.scorer.files import Files
    from starloom.quality.scorer.open import open_scorer

    languages = list(batch.languages or ())
    known = {one: by_name(one) for one in set(languages)}
    kinds = [found.kind if (found := known[one]) else None for one in languages]
    return [pa.array(open_scorer(settings).score(Files(batch.offsets, batch.data, languages, kinds)))]


def _mark(settings: QualitySettings) -> str:
    from starloom.quality.scorer.open import mark

    return mark(settings)


SIGNAL = Signal(
    name="quality",
    version=1,
    columns=pa.schema([("quality_score", pa.float32())]),
    measure=_measure,
    section="quality",
    needs_language=True,
    mark=_mark,
)
