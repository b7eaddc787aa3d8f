"""Which benchmarks' problems stand in each content, where `[contamination]` names any (see tasks/contamination).

Of the first match its benchmark, problem, part and lines; of all of them the list. Without benchmarks every column is
null, and nothing is looked at.
"""

from collections.abc import Sequence

import pyarrow as pa

from starloom.tasks.contamination import ContaminationSettings, Match, complaint, mark, prepare
from starloom.the_stack.signal import Batch, Signal

_MATCH = pa.struct(
    [
        pa.field("benchmark", pa.string(), nullable=False),
        pa.field("problem", pa.string(), nullable=False),
        pa.field("part", pa.string(), nullable=False),
        pa.field("start", pa.int32(), nullable=False),  # characters
        pa.field("end", pa.int32(), nullable=False),
        pa.field("line", pa.int32(), nullable=False),  # from 1
        pa.field("end_line", pa.int32(), nullable=False),
        pa.field("share", pa.float32(), nullable=False),  # 1: the part stands there whole
    ]
)
_COLUMNS = pa.schema(
    [
        ("benchmark", pa.string()),
        ("benchmark_problem", pa.string()),
        ("benchmark_part", pa.string()),
        ("benchmark_line", pa.int32()),
        ("benchmark_end", pa.int32()),
        ("benchmark_hits", pa.int32()),  # problems found; null: nothing was looked for
        ("benchmark_match", pa.string()),  # all of the above in words
        ("benchmark_matches", pa.list_(_MATCH)),
        ("benchmarks", pa.string()),  # what was looked for
    ]
)


def _measure(batch: Batch, settings: ContaminationSettings) -> Sequence[pa.Array]:
    if not settings.benchmarks:
        return [pa.nulls(len(batch), field.type) for field in _COLUMNS]
    from starloom.tasks.contamination import open_search

    search = open_search(settings)
    found = search.find(batch.offsets, batch.data)
    rows = [_row(some) | {"benchmarks": search.names} for some in found]
    return [pa.array([row.get(field.name) for row in rows], field.type) for field in _COLUMNS]


def _row(matches: Sequence[Match]) -> dict[str, object]:
    problems = {(one.benchmark, one.problem) for one in matches}
    if not matches:
        return {"benchmark_hits": 0}
    first = matches[0]
    lines = f"line {first.line}" if first.line == first.end_line else f"lines {first.line} to {first.end_line}"
    more = f", and {len(problems) - 1:,} more" if len(problems) > 1 else ""
    nearly = f", {first.share:.0%} of it" if first.share < 1 else ""
    return {
        "benchmark": first.benchmark,
        "benchmark_problem": first.problem,
        "benchmark_part": first.part,
        "benchmark_line": first.line,
        "benchmark_end": first.end_line,
        "benchmark_hits": len(problems),
        "benchmark_match": f"{first.benchmark} {first.problem}, {first.part}{nearly}: {lines}{more}",
        "benchmark_matches": [one._asdict() for one in matches],
    }


SIGNAL = Signal(
    name="contamination",
    version=1,
    columns=_COLUMNS,
    measure=_measure,
    section="contamination",
    prepare=prepare,
    mark=mark,
    complaint=complaint,
)
