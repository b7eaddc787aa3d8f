"""A run's curves as pictures: SVGs without script or outside reference, for light and dark.

The loss: raw it is drawn thin, an exponential average of it on top. The evaluations: bits per byte of all held-out text
over those of its largest languages, each named at its end. A few hundred points whatever the length of the run: each
column of a picture shows the lowest and the highest value in it.
"""

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from starloom.training.evaluated import Evaluated
from starloom.training.runs import Loss

_WIDTH, _HEIGHT = 760, 420
_LEFT, _TOP, _BOTTOM = 64, 64, 52  # margins
_RIGHT, _NAMES_RIGHT = 20, 144  # the right one: without and with names of curves
_COLUMNS: Final = 340
_SPAN: Final = 25  # the average looks back over this part of the run
_LANGUAGES: Final = 6  # drawn at most, those with most text
_LINE: Final = 16  # between two names

# The colours of assets/style.css.
_STYLE: Final = """
svg { --paper: #fcfbf8; --ink: #1d2327; --quiet: #5c666d; --line: #e3e0d8; --raw: #6bb8ae; --smooth: #0b6b63; }
@media (prefers-color-scheme: dark) {
  svg { --paper: #14181a; --ink: #e4e6e5; --quiet: #9aa5aa; --line: #2d3437; --raw: #24695f; --smooth: #5cc4b6; }
}
.paper { fill: var(--paper); }
text { font: 13px system-ui, -apple-system, "Segoe UI", "Liberation Sans", Arial, sans-serif; fill: var(--quiet); }
.title { font: 600 17px Charter, "Source Serif 4", Georgia, "Liberation Serif", serif; fill: var(--ink); }
.all { font-weight: 600; fill: var(--ink); }
.grid { stroke: var(--line); stroke-width: 1; }
.raw, .smooth { fill: none; stroke-linejoin: round; stroke-linecap: round; }
.raw { stroke: var(--raw); stroke-width: 1; opacity: .75; }
.smooth { stroke: var(--smooth); stroke-width: 2.2; }
"""


def svg(losses: Sequence[Loss], title: str) -> str:
    """The loss over steps; without a loss, its frame and the words that there is none."""
    shown = [one for one in losses if math.isfinite(one.loss)]
    values = [one.loss for one in shown]
    steps = losses[-1].step if losses else 1
    said = "no step yet"
    if values:
        said = f"{steps:,} steps, {losses[-1].tokens:,} tokens, now {_smoothed(values)[-1]:.3f} nats per token"
    frame = _Frame(title, said, "loss, nats per token", steps, values, _RIGHT)
    if values:
        numbers = [one.step for one in shown]
        frame.draw("raw", numbers, values)
        frame.draw("smooth", numbers, _smoothed(values))
    return frame.svg()


def evaluations(found: Sequence[Evaluated], title: str) -> str:
    """Bits per byte over steps, of all text and by language; without an evaluation, the frame and words that say so."""
    last = found[-1] if found else None
    said = "no evaluation yet"
    if last:
        filled = f", {last.filled} of {last.gaps} gaps filled exactly" if last.gaps else ""
        said = f"{last.step:,} steps, now {last.bits_per_byte:.3f} bits per byte on held-out repositories{filled}"
    curves = {
        name: [(one.step, one.languages[name]) for one in found if math.isfinite(one.languages.get(name, math.nan))]
        for name in (list(last.languages)[:_LANGUAGES] if last else ())
    }
    total = [(one.step, one.bits_per_byte) for one in found if math.isfinite(one.bits_per_byte)]
    values = [value for points in (*curves.values(), total) for _, value in points]
    frame = _Frame(title, said, "bits per byte", last.step if last else 1, values, _NAMES_RIGHT)
    for kind, points in (*(("raw", one) for one in curves.values()), ("smooth", total)):
        if points:
            frame.draw(kind, *zip(*points, strict=True))
    ends = [(points[-1][1], name, "") for name, points in curves.items() if points]
    ends += [(total[-1][1], "all", "all")] if total else []
    frame.name(ends)
    return frame.svg()


class _Frame:
    """Title, axes and grid, and the curves drawn into it."""

    def __init__(self, title: str, said: str, unit: str, steps: int, values: Sequence[float], margin: float) -> None:
        """said: a line below the title. values: all that will be drawn, for the axis. margin: the right one."""
        self._steps, self._right = max(steps, 1), _WIDTH - margin
        self._low, self._high, y_ticks = _scale(min(values, default=0.0), max(values, default=1.0))
        bottom = _HEIGHT - _BOTTOM
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
            f'height="{_HEIGHT}" role="img" aria-label="{escape(title)}: {said}">',
            f"<style>{_STYLE}</style>",
            f'<rect class="paper" width="{_WIDTH}" height="{_HEIGHT}"/>',
            f'<text class="title" x="{_LEFT}" y="26">{escape(title)}</text>',
            f'<text x="{_LEFT}" y="46">{said}</text>',
        ]
        for tick in y_ticks:
            self._parts.append(f'<path class="grid" d="M{_LEFT} {self._y(tick):.1f}H{self._right}"/>')
            self._parts.append(f'<text x="{_LEFT - 8}" y="{self._y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
        for tick in (one for one in _scale(0, steps)[2] if one <= steps):
            x = f"{self._x(tick):.1f}"
            self._parts.append(f'<path class="grid" d="M{x} {bottom}v5"/>')
            self._parts.append(f'<text x="{x}" y="{bottom + 20}" text-anchor="middle">{tick:,.0f}</text>')
        middle, centre = (_TOP + bottom) / 2, (_LEFT + self._right) / 2
        self._parts += [
            f'<text x="{centre:.0f}" y="{_HEIGHT - 10}" text-anchor="middle">step</text>',
            f'<text x="18" y="{middle:.0f}" text-anchor="middle" transform="rotate(-90 18 {middle:.0f})">{unit}</text>',
        ]

    def draw(self, kind: str, steps: Sequence[int], values: Sequence[float]) -> None:
        """One curve; kind: its class, raw or smooth."""
        points = " ".join(f"{self._x(step):.1f},{self._y(value):.1f}" for step, value in _columns(steps, values))
        self._parts.append(f'<polyline class="{kind}" points="{points}"/>')

    def name(self, ends: Sequence[tuple[float, str, str]]) -> None:
        """Names of curves beside their last values: (value, name, class of the text). None lies over another."""
        lowest = _HEIGHT - _BOTTOM - _LINE * (len(ends) - 1)  # of the first one, so that all have room
        at = -math.inf
        for number, (value, name, kind) in enumerate(sorted(ends, reverse=True)):
            at = min(max(self._y(value) + 4, at + _LINE), lowest + _LINE * number)
            of = f' class="{kind}"' if kind else ""
            said = escape(name if len(name) <= 12 else name[:11] + "…")
            self._parts.append(f'<text{of} x="{self._right + 8}" y="{at:.1f}">{said} {value:.3f}</text>')

    def svg(self) -> str:
        return "\n".join([*self._parts, "</svg>", ""])

    def _x(self, step: float) -> float:
        return _LEFT + (self._right - _LEFT) * step / self._steps

    def _y(self, value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (self._high - value) / (self._high - self._low)


def _smoothed(values: Sequence[float]) -> list[float]:
    """The exponential average, started without a bias (as in Adam)."""
    stays = 1 - 1 / max(len(values) / _SPAN, 1.0)
    mean, weight, found = 0.0, 0.0, []
    for value in values:
        mean, weight = stays * mean + (1 - stays) * value, stays * weight + 1 - stays
        found.append(mean / weight)
    return found


def _columns(steps: Sequence[int], values: Sequence[float]) -> Iterator[tuple[int, float]]:
    """At most two points a column: its lowest and its highest, in their order."""
    wide = max(1, math.ceil(len(steps) / _COLUMNS))
    for start in range(0, len(steps), wide):
        column = range(start, min(start + wide, len(steps)))
        low, high = min(column, key=lambda i: values[i]), max(column, key=lambda i: values[i])
        for i in sorted({low, high}):
            yield steps[i], values[i]


def _scale(low: float, high: float) -> tuple[float, float, list[float]]:
    """(bottom, top, ticks) of an axis that holds both, with ticks at 1, 2 or 5 times a power of ten."""
    span = max(high - low, abs(high) * 1e-3, 1e-6)
    power = 10 ** math.floor(math.log10(span / 4))
    distance = next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= 6)
    first, last = math.floor(low / distance + 1e-9), math.ceil(high / distance - 1e-9)
    last = max(last, first + 1)
    return first * distance, last * distance, [number * distance for number in range(first, last + 1)]
