"""Whether a step that was computed may change the weights: one that is no number, or a spike, may not. Torch-free.

A spike is a loss, or a norm of the gradient, more than `spike` standard deviations above its mean over the last 128
steps, once there are 64 of them: the rule of OLMo-core's `SkipStepOptimizer`, whose default is 6, too. Theirs takes
skipped steps into that mean; here they stay out, or the first spike would hide the next. A run whose loss has moved for
good would then skip for ever: more than 16 steps passed over among the last 128 stop it.

All that is remembered stands in the run's loss.jsonl, so that a run that goes on judges as one that never stopped.
Cost: 35 microseconds a step.
"""

import math
import sys
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from starloom.training.runs import Loss
from starloom.training.settings import TrainSettings

Judgement = Literal["go", "skip", "stop"]

WINDOW: Final = 128  # steps that are looked back on
ENOUGH: Final = 64  # of them, before anything is called a spike
MOST_SKIPPED: Final = 16  # of the last WINDOW steps
_LEAST_DEVIATION: Final = 0.01  # of the mean: a run that repeats one batch has next to none of its own


class Guard:
    """Of one run. `why`: what the last judgement that was not "go" found, in words."""

    def __init__(self, settings: TrainSettings) -> None:
        self._settings = settings
        self._losses: deque[float] = deque(maxlen=WINDOW)  # of steps that went
        self._norms: deque[float] = deque(maxlen=WINDOW)
        self._skipped: deque[int] = deque()  # steps, from 0; of the last WINDOW ones
        self.why = ""

    def judge(self, step: int, loss: float, grad_norm: float) -> Judgement:
        """Of `step` (from 0): its loss, all parts of it, and the norm of its gradient before clipping."""
        found = self._found(loss, grad_norm)
        wanted = {"nan": self._settings.on_nan, "spike": self._settings.on_spike, "": "go"}[found]
        if wanted == "skip":
            self._take_up_skipped(step)
            if len(self._skipped) <= MOST_SKIPPED:
                return "skip"
            self.why += f", and {len(self._skipped)} of the last {WINDOW} steps were passed over: this is no accident"
            return "stop"
        if wanted == "stop":
            return "stop"
        self._take_up(loss, grad_norm)
        return "go"

    def remember(self, losses: Iterable[Loss]) -> None:
        """The steps so far, in order: judges from now on as the guard that let them go."""
        for line in losses:
            if line.skipped:
                self._take_up_skipped(line.step - 1)
            else:
                self._take_up(sum((line.loss, line.z_loss, line.horizon)), line.grad_norm)  # as the loop adds them

    def _found(self, loss: float, grad_norm: float) -> Literal["nan", "spike", ""]:
        for value, name in ((loss, "the loss"), (grad_norm, "the gradient's norm")):
            if not math.isfinite(value):
                self.why = f"{name} is no number ({value:g})"
                return "nan"
        if self._settings.on_spike == "ignore" or len(self._losses) < ENOUGH:
            return ""
        for value, name, before in (
            (loss, "the loss", self._losses),
            (grad_norm, "the gradient's norm", self._norms),
        ):
            mean, deviation = _mean_and_deviation(before)
            if value > mean + self._settings.spike * deviation:
                self.why = (
                    f"{name} is {value:.4g}, {(value - mean) / deviation:.0f} deviations above the mean of the last "
                    f"{len(before)} steps ({mean:.4g})"
                )
                return "spike"
        return ""

    def _take_up(self, loss: float, grad_norm: float) -> None:
        self._losses.append(loss)
        self._norms.append(grad_norm)

    def _take_up_skipped(self, step: int) -> None:
        self._skipped.append(step)
        while self._skipped[0] <= step - WINDOW:
            self._skipped.popleft()


def _mean_and_deviation(values: Sequence[float]) -> tuple[float, float]:
    """Of exact sums: the same whichever way the values came together. The deviation is never nothing."""
    mean = math.fsum(values) / len(values)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
    return mean, max(deviation, _LEAST_DEVIATION * abs(mean), sys.float_info.min)
