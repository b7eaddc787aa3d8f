"""How the learning rates, and the average of the weights, go over the steps of a run. Pure functions; torch-free.

"wsd": warm-up, stable, decay (arXiv 2404.06395, section 4): up, flat, down in a straight line; a run can be ended, or
continued, at any time of the flat part. "cosine": up, then down as half a wave, as StarCoder2's (arXiv 2402.19173,
section 6). Both fall to `least_rate` of the highest rate. Steps count from 0; the first one already moves.
"""

import math

from starloom.training.settings import FIXED_AFTER, LEAST_BY_CLOCK, TrainSettings


def rate_factor(step: int, steps: int, settings: TrainSettings) -> float:
    """The share of the highest learning rates at `step` (from 0) of `steps`.

    The first `warm_up` steps do not depend on `steps`; nor do those in which a count by the clock may not be known yet,
    when `steps` is 0.

    >>> shape = TrainSettings(warm_up=20, decay=0.5)
    >>> [rate_factor(step, 100, shape) for step in (0, 9, 19, 49, 50, 75, 99)]
    [0.05, 0.5, 1.0, 1.0, 1.0, 0.5, 0.02]
    >>> wave = TrainSettings(schedule="cosine", steps=100, warm_up=20, least_rate=0.1)
    >>> [round(rate_factor(step, 100, wave), 3) for step in (0, 19, 20, 40, 60, 80, 99)]
    [0.05, 1.0, 1.0, 0.868, 0.55, 0.232, 0.1]
    """
    rising = min(1.0, (step + 1) / settings.warm_up) if settings.warm_up else 1.0
    falls_from = _falls_from(steps, settings)
    if step <= falls_from or steps <= falls_from:
        return rising
    left = max(steps - step, 0) / (steps - falls_from)  # 1 where it begins to fall, 0 after the last step
    if settings.schedule == "cosine":
        left = (1 - math.cos(math.pi * left)) / 2
    return settings.least_rate + (1 - settings.least_rate) * left


def average_factor(step: int, settings: TrainSettings) -> float:
    """How much of the averaged weights stays at `step` (from 0): little at first, so that the fresh weights are soon
    forgotten; `ema` in the end."""
    return min(settings.ema, (step + 1) / (step + 10))


def steps_for(seconds: float, step_seconds: float, settings: TrainSettings) -> int:
    """How many steps fit into `seconds`, at least enough for a schedule to be one."""
    return max(int(seconds / max(step_seconds, 1e-9)), LEAST_BY_CLOCK, settings.warm_up + FIXED_AFTER)


def _falls_from(steps: int, settings: TrainSettings) -> int:
    """The last step at the highest rate."""
    if settings.schedule == "cosine":
        return settings.warm_up  # by the clock it is FIXED_AFTER at least: settings see to it
    return max(settings.warm_up, FIXED_AFTER, steps - round(settings.decay * steps))
