"""The language of a content under a file name, and what told it (see languages/detect)."""

from collections.abc import Sequence

import pyarrow as pa

from starloom.languages.choice import LanguageSettings, judge
from starloom.the_stack.signal import Batch, Signal


def _measure(batch: Batch, settings: LanguageSettings) -> Sequence[pa.Array]:
    from starloom.languages.at_once import languages

    names = batch.file_names or ()
    if judge(settings).is_own:
        found = languages(names, batch.texts, batch.offsets, batch.data)
    else:
        found = list(map(judge(settings).language, names, batch.texts))
    return [
        pa.array([one.language if one else None for one in found], pa.string()),
        pa.array([one.by if one else None for one in found], pa.string()),
        pa.array([one.reason or None if one else None for one in found], pa.string()),
    ]


SIGNAL = Signal(
    name="language",
    version=2,
    columns=pa.schema([("language", pa.string()), ("language_by", pa.string()), ("language_reason", pa.string())]),
    measure=_measure,
    section="languages",
    needs_name=True,
    mark=lambda settings: judge(settings).mark,
)
