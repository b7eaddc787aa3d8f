"""How well scores fit labels: accuracy, area under the ROC curve, log loss, calibration; all of it by language too."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BINS = 10
_MOST_LANGUAGES = 30


def figures(
    scores: NDArray[np.float64], targets: NDArray[np.float64], languages: Sequence[str | None] = ()
) -> dict[str, Any]:
    """Of scores and targets from 0 to 1; a target of 0.5 or more counts as good where a yes or no is asked.

    `accuracy` at 0.5 with its standard error; `majority`: what calling all files the commoner side would give; `auc`:
    chance that a good file scores above a bad one (None where a side is missing); `calibration_error`: mean distance of
    score and label over ten bins of scores, weighted by files.
    """
    good = targets >= 0.5
    right = (scores >= 0.5) == good
    accuracy = float(right.mean()) if len(right) else 0.0
    clipped = np.clip(scores, 1e-7, 1 - 1e-7)
    losses = -(targets * np.log(clipped) + (1 - targets) * np.log(1 - clipped))
    bins = _calibration(scores, targets)
    found: dict[str, Any] = {
        "files": len(scores),
        "good": int(good.sum()),
        "accuracy": _round(accuracy),
        "accuracy_error": _round(float(np.sqrt(accuracy * (1 - accuracy) / max(len(right), 1)))),
        "majority": _round(float(max(good.mean(), 1 - good.mean())) if len(good) else 0.0),
        "auc": area(scores, good),
        "log_loss": _round(float(losses.mean()) if len(losses) else 0.0),
        "calibration_error": _round(
            sum(one["files"] * abs(one["score"] - one["label"]) for one in bins) / max(len(scores), 1)
        ),
        "calibration": bins,
    }
    names = np.array([one or "" for one in languages], dtype=object)
    counts = sorted(((int((names == one).sum()), one) for one in set(names.tolist()) - {""}), reverse=True)
    found["languages"] = {
        one: {
            "files": count,
            "good": int(good[names == one].sum()),
            "accuracy": _round(float(right[names == one].mean())),
            "auc": area(scores[names == one], good[names == one]),
        }
        for count, one in counts[:_MOST_LANGUAGES]
    }
    return found


def area(scores: NDArray[np.float64], good: NDArray[np.bool_]) -> float | None:
    """Under the ROC curve; equal scores count half."""
    positive = int(good.sum())
    negative = len(good) - positive
    if not positive or not negative:
        return None
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]  # from 1, the mean of equal ones
    return _round(float((ranks[good].sum() - positive * (positive + 1) / 2) / (positive * negative)))


def _calibration(scores: NDArray[np.float64], targets: NDArray[np.float64]) -> list[dict[str, Any]]:
    """By tenths of the score: how many files, their mean score, their mean label."""
    places = np.minimum((scores * _BINS).astype(np.int64), _BINS - 1)
    return [
        {
            "from": place / _BINS,
            "files": int(inside.sum()),
            "score": _round(float(scores[inside].mean())),
            "label": _round(float(targets[inside].mean())),
        }
        for place in range(_BINS)
        if (inside := places == place).any()
    ]


def _round(value: float) -> float:
    return round(value, 4)
