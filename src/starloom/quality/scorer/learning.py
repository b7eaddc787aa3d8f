"""Learning a linear scorer from labelled files, and telling how well it does on files that it has not seen.

Logistic regression over token n-grams by AdaGrad, single-threaded: the same labels, settings and seed give the same
weights on one kind of machine (the last bits of exp and sqrt may differ between kinds). Held-out files are chosen by a
keyed hash of their repository (or content), so a copy is never on both sides. Half of them fit the calibration (Platt's
two numbers), the other half alone gives the figures reported. Cost: see `bench/quality.py`.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.kernels.random import keyed_uint64s
from starloom.quality.scorer.files import Files
from starloom.quality.scorer.judging import figures
from starloom.quality.scorer.labels import Labelled
from starloom.quality.scorer.linear import LinearScorer

FEWEST: Final = 10  # labelled files of each side, good and bad
_CALIBRATION: Final = 40  # files, below which two numbers are not fitted
_MORE = "label more files: some hundreds of each side make a scorer worth having"


@dataclass(frozen=True)
class LearningSettings:
    """How a scorer is learned."""

    bits: int = 18  # 2**bits buckets of n-grams
    orders: int = 2  # tokens of the longest n-gram
    passes: int = 5
    rate: float = 0.3  # of AdaGrad
    decay: float = 1e-5
    held_out: float = 0.2  # share of the files
    languages: bool = True  # whether a language has a weight of its own
    seed: int = 0


def check(settings: LearningSettings) -> None:
    """Raises UserError for a value out of its range."""
    from starloom.kernels.ngrams import BITS, ORDERS

    for name, fits, range_ in (
        ("bits", settings.bits in BITS, f"{BITS[0]} to {BITS[-1]}"),
        ("orders", settings.orders in ORDERS, f"{ORDERS[0]} to {ORDERS[-1]}"),
        ("passes", settings.passes in range(1, 1001), "1 to 1000"),
        ("held_out", 0 < settings.held_out < 1, "between 0 and 1"),
        ("rate", 0 < settings.rate <= 10, "above 0, at most 10"),
        ("decay", 0 <= settings.decay < 1, "0 or more, below 1"),
    ):
        if not fits:
            raise UserError(f"{name.replace('_', '-')} = {getattr(settings, name)} is out of range", f"give {range_}")


def learn(
    labelled: Labelled, settings: LearningSettings, advance: Callable[[float, str], None] = lambda _bytes, _note: None
) -> LinearScorer:
    """A scorer with its figures in `facts`; `advance(bytes gone through, loss)` after each pass.

    Raises UserError where there are too few labels of a side, to learn or to judge.
    """
    from starloom.kernels import ngrams

    check(settings)
    files, targets = labelled.files, labelled.targets
    training, calibrating, judging = _split(labelled, settings)
    for what, rows, least in (("to learn from", training, FEWEST // 2), ("held out", judging, 1)):
        good = int((targets[rows] >= 0.5).sum())
        if min(good, len(rows) - good) < least:
            raise UserError(f"too few labels: {good:,} good and {len(rows) - good:,} bad files {what}", _MORE)
    languages = sorted({files.languages[row] or "" for row in training.tolist()} - {""}) if settings.languages else []
    places = {language: place for place, language in enumerate(languages)}
    groups = np.array([places.get(one or "", -1) for one in files.languages], dtype=np.int64)
    weights, squares = np.zeros((2, 1 << settings.bits), dtype=np.float32)
    group_weights, group_squares = np.zeros((2, len(languages) + 1), dtype=np.float32)
    size = float(np.diff(files.offsets)[training].sum())
    loss = 0.0
    for number in range(settings.passes):
        keys = keyed_uint64s(settings.seed, f"scorer pass {number}", map(str, training.tolist()))
        order = training[np.argsort(keys, kind="stable")]
        loss = ngrams.learn(
            *(files.offsets, files.data, targets, groups, order, weights, squares, group_weights, group_squares),
            *(settings.orders, settings.rate, settings.decay),
        )
        advance(size, f"loss {loss:.3f}")
    raw = LinearScorer(
        settings.orders,
        weights,
        dict(zip(languages, group_weights[:-1].tolist(), strict=True)),
        float(group_weights[-1]),
    )
    slope, shift = _calibrated(raw.margins(rows_of(files, calibrating)), targets[calibrating])
    scorer = LinearScorer(raw.orders, raw.weights, raw.languages, raw.bias, slope, shift)
    held_out = rows_of(files, judging)
    scorer.facts.update(
        {
            "training": {
                **asdict(settings),
                "files": len(training),
                "good": int((targets[training] >= 0.5).sum()),
                "bytes": int(size),
                "loss": round(loss, 4),
            },
            "held_out": {
                "calibrated_on": len(calibrating) if (slope, shift) != (1.0, 0.0) else 0,
                **figures(scorer.score(held_out).astype(np.float64), targets[judging], held_out.languages),
            },
        }
    )
    return scorer


def rows_of(files: Files, rows: NDArray[np.int64]) -> Files:
    """Some of the files, in the order of `rows`."""
    pieces = [files.data[files.offsets[row] : files.offsets[row + 1]] for row in rows.tolist()]
    offsets = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum([len(one) for one in pieces], out=offsets[1:])
    data = np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.uint8)
    return Files(offsets, data, [files.languages[row] for row in rows], [files.kinds[row] for row in rows])


def _split(
    labelled: Labelled, settings: LearningSettings
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """(to learn from, to calibrate with, to judge by): rows, groups whole, by a keyed hash of the group."""
    groups = sorted(set(labelled.groups))
    keys = keyed_uint64s(settings.seed, "scorer held out", groups)
    members: dict[str, list[int]] = {}
    for row, group in enumerate(labelled.groups):
        members.setdefault(group, []).append(row)
    wanted = settings.held_out * len(labelled.groups)
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for place in np.argsort(keys, kind="stable").tolist():
        rows = members[groups[place]]
        held = len(parts[1]) + len(parts[2])
        if held < wanted:  # the smaller half first: both sides of few repositories get some
            parts[1 if len(parts[1]) < len(parts[2]) else 2].extend(rows)
        else:
            parts[0].extend(rows)
    training, calibrating, judging = (np.array(sorted(rows), dtype=np.int64) for rows in parts)
    good = int((labelled.targets[calibrating] >= 0.5).sum())
    if len(calibrating) < _CALIBRATION or not 0 < good < len(calibrating):  # better more to judge by
        return training, np.zeros(0, dtype=np.int64), np.sort(np.concatenate([calibrating, judging]))
    return training, calibrating, judging


def _calibrated(margins: NDArray[np.float64], targets: NDArray[np.float64]) -> tuple[float, float]:
    """(slope, shift) of the least log loss, by Newton's method, drawn a little to (1, 0). (1, 0) without margins, or
    where more margin does not mean better."""
    if not len(margins):
        return 1.0, 0.0
    start = np.array([1.0, 0.0])
    found = start.copy()
    columns = np.stack([margins, np.ones(len(margins))])
    for _ in range(50):
        chance = 1.0 / (1.0 + np.exp(-np.clip(found @ columns, -80, 80)))
        slope = columns @ (chance - targets) + (found - start)
        curve = (columns * (chance * (1 - chance))) @ columns.T + np.eye(2)
        step = np.linalg.solve(curve, slope)
        found -= np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-9:
            break
    return (float(found[0]), float(found[1])) if found[0] > 0 and np.isfinite(found).all() else (1.0, 0.0)
