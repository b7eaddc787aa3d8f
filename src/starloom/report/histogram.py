"""A histogram of what a rule asks about, kept and dropped, with the rule's limit drawn. Static SVG.

The scale along is the one on which the bins are most alike (linear, or logarithmic); the heights are logarithmic where
one bin would hide the others. Both are said. Drawn 420 units wide, so that its letters stay readable at 400 pixels.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from markupsafe import Markup

from starloom.outside.paths import printable

WIDTH, HEIGHT = 420, 172
_TOP, _BOTTOM = 26, 138  # of the bars
_EDGE = 8  # left and right of them
_HIDDEN = 40  # times the median: from there on a bin would hide the others
_LEAST = 1.5  # the height of what is there, so that it is seen
_LETTER, _WIDE = 6.6, 7.4  # a letter's width, more or less; of a letter of fixed width


def histogram(
    title: str,
    edges: Sequence[float],
    kept: Sequence[int],
    dropped: Sequence[int],
    limit: float,
    above: bool,
    words: str,
) -> Markup:
    """Bin k holds kept[k] and dropped[k] of the values from edges[k] to edges[k + 1].
    `above`: whether what is above `limit` is dropped; `words`: the limit as text. Nothing where there is no bin or
    no value."""
    sums = [one + two for one, two in zip(kept, dropped, strict=True)]
    if len(edges) != len(sums) + 1 or not any(sums) or edges[-1] <= edges[0]:
        return Markup("")
    place, logarithmic = _scale(edges)
    low, high = place(edges[0]), place(edges[-1])

    def along(value: float) -> float:
        share = (place(min(max(value, edges[0]), edges[-1])) - low) / (high - low)
        return _EDGE + share * (WIDTH - 2 * _EDGE)

    some = sorted(one for one in sums if one)
    steep = some[-1] > _HIDDEN * some[len(some) // 2]
    height = _heights(some[-1], steep)
    bars: list[Markup] = []
    for k, (stays, goes) in enumerate(zip(kept, dropped, strict=True)):
        left, right = along(edges[k]), along(edges[k + 1])
        below = float(_BOTTOM)
        tall = height(stays + goes)
        for amount, color, fate in ((stays, "kept", "kept"), (goes, "gone", "dropped")):
            if not amount:
                continue
            part = tall * amount / (stays + goes)
            below -= part
            label = f"{short(edges[k])} to {short(edges[k + 1])}: {amount:,} {fate}"
            bars.append(
                Markup(
                    '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
                ).format(color, left, below, max(right - left - 0.6, 0.6), part, label)
            )
    line = along(limit)
    side = (line, WIDTH - _EDGE - line) if above else (_EDGE, line - _EDGE)
    anchor = "end" if line + len(words) * _WIDE + 4 > WIDTH and line > WIDTH / 2 else "start"
    scales = [*(["log scale along"] if logarithmic else []), *(["heights logarithmic"] if steep else [])]
    return Markup(
        '<svg class="histogram" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<rect class="side" x="{:.1f}" y="{}" width="{:.1f}" height="{}"/>{}'
        '<path class="axis" d="M{} {}H{}"/><path class="limit" d="M{:.1f} {}V{}"/>'
        '<text class="limit" x="{:.1f}" y="12" text-anchor="{}">{}</text>{}'
        '<text class="amount" x="{}" y="{}" text-anchor="end">{}</text></svg>'
    ).format(
        *(WIDTH, HEIGHT, printable(title)),
        *(side[0], _TOP - 6, max(side[1], 0.0), _BOTTOM - _TOP + 6, Markup("").join(bars)),
        *(_EDGE, _BOTTOM, WIDTH - _EDGE, line, _TOP - 10, _BOTTOM),
        *(line - 3 if anchor == "end" else line + 3, anchor, printable(words)),
        _ticks(edges, along, logarithmic),
        *(WIDTH - _EDGE, HEIGHT - 5, f"{some[-1]:,} files at most in a bar{''.join(f'; {one}' for one in scales)}"),
    )


def _scale(edges: Sequence[float]) -> tuple[Callable[[float], float], bool]:
    """Where a value stands, and whether that is by its logarithm: whichever makes the bins more alike."""

    def unlike(place: Callable[[float], float]) -> float:
        widths = [place(high) - place(low) for low, high in pairwise(edges)]
        return max(widths) / max(min(widths), 1e-12)

    if edges[0] < 0:
        return float, False
    # Counts begin with 0: the logarithm of one more. Shares: of the value itself, where none is 0.
    logarithm: Callable[[float], float] = math.log if 0 < edges[0] < 1 else math.log1p
    return (logarithm, True) if unlike(logarithm) < unlike(float) / 2 else (float, False)


def _heights(most: int, steep: bool) -> Callable[[int], float]:
    room = _BOTTOM - _TOP
    if steep:
        return lambda amount: max(room * math.log1p(amount) / math.log1p(most), _LEAST) if amount else 0.0
    return lambda amount: max(room * amount / most, _LEAST) if amount else 0.0


def _ticks(edges: Sequence[float], along: Callable[[float], float], logarithmic: bool) -> Markup:
    """Values under the axis: powers of ten, or quarters; none into another."""
    low, high = edges[0], edges[-1]
    if logarithmic:
        least = math.floor(math.log10(low)) if low > 0 else 0
        values = [10.0**power for power in range(least, math.ceil(math.log10(high)) + 1)]
        values = [low, *(one for one in values if low < one < high), high]
    else:
        values = [low + (high - low) * k / 4 for k in range(5)]
    found: list[Markup] = []
    free = -math.inf
    room = WIDTH - _EDGE - len(short(high)) * _LETTER - 6  # the last value is always shown
    for value in values:
        text = short(value)
        x = along(value)
        anchor, left = "middle", x - len(text) * _LETTER / 2
        if value == low:
            anchor, left = "start", x
        elif value == high:
            anchor, left = "end", x - len(text) * _LETTER
        if left < free or (value != high and left + len(text) * _LETTER > room):
            continue
        free = left + len(text) * _LETTER + 6
        found.append(
            Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(
                x, _BOTTOM + 14, anchor, text
            )
        )
    return Markup("").join(found)


def short(value: float) -> str:
    """A value on an axis.

    >>> short(0.25), short(1000), short(1234567), short(0.0), short(12.5), short(2500000)
    ('0.25', '1,000', '1.23M', '0', '12.5', '2.5M')
    """
    if abs(value) >= 1e6:
        return f"{value / 1e6:.3g}M".replace("e+03", ",000") if abs(value) < 1e9 else f"{value:.2g}"
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
