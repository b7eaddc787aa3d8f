"""When a run read something: the steps that had tokens of it, from where it lies. Torch-free.

The inverse of `trace`: stretches of a stream → rows of its packing → positions in the order → steps. Cost: a look-up a
row and epoch, whatever the length of the run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from starloom.tokens.packing import Packing
from starloom.tokens.samples import Samples
from starloom.training import runs
from starloom.training.runs import Run

Int64s: TypeAlias = NDArray[np.int64]

# By (number of the source, variant): first tokens and ends of stretches of that stream, ascending, without overlap.
Stretches: TypeAlias = Mapping[tuple[int, int], tuple[Int64s, Int64s]]


@dataclass(frozen=True)
class Sightings:
    """The samples that had tokens of something, in the order in which they were read.

    All arrays [n], n samples: its position in the whole training; its step, from 1; its number within the step, from 1;
    source (a number), epoch, row; the tokens of it in the sample.
    """

    positions: Int64s
    steps: Int64s
    samples: Int64s
    sources: Int64s
    epochs: Int64s
    rows: Int64s
    tokens: Int64s

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def distinct_steps(self) -> Int64s:
        """Ascending."""
        return np.unique(self.steps)

    def words(self) -> str:
        """Of a run's steps which had it, for a person."""
        steps = self.distinct_steps
        if not len(steps):
            return "in no step yet"
        if len(steps) == 1:
            return f"in step {steps[0]:,}"
        return f"in {len(steps):,} steps, the first {steps[0]:,}, the last {steps[-1]:,}"


def steps_done(run: Run) -> int:
    """How far a run is: its end, or the last step in its log."""
    if run.finished:
        return run.record.steps
    log = runs.losses(run.folder)
    return log[-1].step if log else 0


def seen(run: Run, samples: Samples, stretches: Stretches) -> Sightings:
    """Of stretches of the run's streams, up to where it stands."""
    batch = int(run.record.settings["batch"])
    until = steps_done(run) * batch
    found = []
    for (source, variant), (starts, ends) in stretches.items():
        if not len(starts):
            continue
        packing = samples.packing(source, variant)
        parts = [packing.rows_with(start, end) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        rows = np.unique(np.concatenate(parts))
        found.append(samples.positions(source, variant, rows, until))
    positions = np.sort(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
    where = samples.where(positions)
    tokens = np.zeros(len(positions), dtype=np.int64)
    for (source, variant), spans in stretches.items():
        variants = np.array([samples.variant(source, epoch) for epoch in where.epoch.tolist()], dtype=np.int64)
        here = (where.source == source) & (variants == variant)
        tokens[here] = _tokens_of(samples.packing(source, variant), where.row[here], spans)
    return Sightings(
        positions, positions // batch + 1, positions % batch + 1, where.source, where.epoch, where.row, tokens
    )


def _tokens_of(packing: Packing, rows: Int64s, spans: tuple[Int64s, Int64s]) -> Int64s:
    """How many tokens of the spans each of the rows has."""
    if not len(rows):
        return np.zeros(0, dtype=np.int64)
    distinct, back = np.unique(rows, return_inverse=True)
    found = packing.segments(distinct)
    covered = _before(spans, found.starts + found.lengths) - _before(spans, found.starts)
    total = np.concatenate([[0], np.cumsum(covered)])
    of_row: Int64s = total[found.first[1:]] - total[found.first[:-1]]
    return of_row[back]


def _before(spans: tuple[Int64s, Int64s], places: Int64s) -> Int64s:
    """How many tokens of the spans lie before each place."""
    starts, ends = spans
    whole = np.concatenate([[0], np.cumsum(ends - starts)])
    at = np.searchsorted(starts, places, side="right")  # spans that begin before the place, or at it
    found: Int64s = whole[at] - np.maximum(ends[at - 1] - places, 0) * (at > 0)
    return found
