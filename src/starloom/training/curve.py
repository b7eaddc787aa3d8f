"""The loss curve as a picture: an SVG without script or outside reference, for light and dark.

The raw loss is drawn thin, an exponential average of it on top. A few hundred points whatever the length of the run:
each column of the picture shows the lowest and the highest loss in it.
"""

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from starloom.training.runs import Loss

_WIDTH, _HEIGHT = 760, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 20, 64, 52  # margins
_COLUMNS: Final = 340
_SPAN: Final = 25  # the average looks back over this part of the run

# The colours of assets/style.css.
_STYLE: Final = """
svg { --paper: #fcfbf8; --ink: #1d2327; --quiet: #5c666d; --line: #e3e0d8; --raw: #6bb8ae; --smooth: #0b6b63; }
@media (prefers-color-scheme: dark) {
  svg { --paper: #14181a; --ink: #e4e6e5; --quiet: #9aa5aa; --line: #2d3437; --raw: #24695f; --smooth: #5cc4b6; }
}
.paper { fill: var(--paper); }
text { font: 13px system-ui, -apple-system, "Segoe UI", "Liberation Sans", Arial, sans-serif; fill: var(--quiet); }
.title { font: 600 17px Charter, "Source Serif 4", Georgia, "Liberation Serif", serif; fill: var(--ink); }
.grid { stroke: var(--line); stroke-width: 1; }
.raw, .smooth { fill: none; stroke-linejoin: round; stroke-linecap: round; }
.raw { stroke: var(--raw); stroke-width: 1; opacity: .75; }
.smooth { stroke: var(--smooth); stroke-width: 2.2; }
"""


def svg(losses: Sequence[Loss], title: str) -> str:
    """The picture; without a loss, its frame and the words that there is none."""
    values = [one.loss for one in losses if math.isfinite(one.loss)]
    steps = losses[-1].step if losses else 1
    low, high, y_ticks = _scale(min(values, default=0.0), max(values, default=1.0))
    x_ticks = [tick for tick in _scale(0, steps)[2] if tick <= steps]

    def x(step: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * step / max(steps, 1)

    def y(loss: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - loss) / (high - low)

    said = "no step yet"
    if values:
        said = f"{steps:,} steps, {losses[-1].tokens:,} tokens, now {_smoothed(values)[-1]:.3f} nats per token"
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" role="img" aria-label="{escape(title)}: {said}">',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{_WIDTH}" height="{_HEIGHT}"/>',
        f'<text class="title" x="{_LEFT}" y="26">{escape(title)}</text>',
        f'<text x="{_LEFT}" y="46">{said}</text>',
    ]
    for tick in y_ticks:
        parts.append(f'<path class="grid" d="M{_LEFT} {y(tick):.1f}H{right}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for tick in x_ticks:
        parts.append(f'<path class="grid" d="M{x(tick):.1f} {bottom}v5"/>')
        parts.append(f'<text x="{x(tick):.1f}" y="{bottom + 20}" text-anchor="middle">{tick:,.0f}</text>')
    parts.append(f'<text x="{(_LEFT + right) / 2:.0f}" y="{_HEIGHT - 10}" text-anchor="middle">step</text>')
    middle = (_TOP + bottom) / 2
    parts.append(
        f'<text x="18" y="{middle:.0f}" text-anchor="middle" transform="rotate(-90 18 {middle:.0f})">'
        "loss, nats per token</text>"
    )
    if values:
        shown = [one.step for one in losses if math.isfinite(one.loss)]
        for kind, curve in (("raw", values), ("smooth", _smoothed(values))):
            points = " ".join(f"{x(step):.1f},{y(loss):.1f}" for step, loss in _columns(shown, curve))
            parts.append(f'<polyline class="{kind}" points="{points}"/>')
    return "\n".join([*parts, "</svg>", ""])


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
