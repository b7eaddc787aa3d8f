"""The funnel as a Sankey diagram: a band that narrows downwards, and what leaves it at each step. Static SVG.

Drawn 420 units wide, so that its letters stay readable at 400 pixels; colours are classes of style.css. Numbers are
rounded to a tenth of a unit, so that a page does not depend on a platform's last digits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from starloom.outside.paths import printable
from starloom.report.charts import share

WIDTH = 420
_BAND = 150  # of the whole at the top
_LEAVES = 186  # where branches end
_TEXT = _LEAVES + 16
_HEAD, _FOOT = 30, 20  # above the first step, below the last
_TURN = 14  # from the start of a row down to its branch's end
_ROW = 42  # the least height of a row: two lines of text
_LEAST = 0.8  # of what is there, so that it is seen
_NAME = 28  # characters that fit beside the leaves


@dataclass(frozen=True)
class Branch:
    """What leaves the band: `color` is a class of style.css; `link`: where its name leads to, or empty."""

    label: str
    amount: int
    color: str
    link: str = ""


def sankey(title: str, start: Branch, branches: Sequence[Branch], end: Branch, shown: Callable[[int], str]) -> Markup:
    """`start` is the whole, `branches` leave it in order (those of nothing are not drawn), `end` is what is left of it.
    `shown` words an amount. Nothing where the whole is nothing."""
    if start.amount <= 0:
        return Markup("")
    drawn: list[Markup] = []
    right, top = float(_BAND), float(_HEAD)
    edge = [f"M0 {top - 8:.1f}H{right:.1f}"]  # of the band, down its right side
    for branch in branches:
        if branch.amount <= 0:
            continue
        wide = min(_BAND * branch.amount / start.amount, right)
        drawn.append(_branch(branch, right, top, wide, start.amount, shown))
        right -= wide
        edge.append(f"V{top:.1f}H{right:.1f}")
        top += max(_ROW, _TURN + wide + 12)
    bottom = top + _FOOT
    band = f"{''.join(edge)}V{bottom:.1f}H0Z"
    wide = max(right, _LEAST) if end.amount else 0.0
    return Markup(
        '<svg class="sankey" viewBox="0 0 {} {:.0f}" role="group" aria-label="{}">'
        '<text class="name" x="0" y="14">{} <tspan class="amount">{}</tspan></text>'
        '<path class="band" d="{}"/>{}'
        '<rect class="{}" x="0" y="{:.1f}" width="{:.1f}" height="7"/>{}</svg>'
    ).format(
        *(WIDTH, bottom + 16, printable(title)),
        *(printable(start.label), shown(start.amount)),
        *(band, Markup("").join(drawn)),
        *(end.color, bottom, wide, _words(end, _TEXT, bottom - 6, start.amount, shown)),
    )


def _branch(branch: Branch, right: float, top: float, wide: float, whole: int, shown: Callable[[int], str]) -> Markup:
    """A quarter turn out of the band's right side, and its name."""
    thick = max(wide, _LEAST)
    left, upper = right - thick, top + _TURN
    lower = upper + thick
    path = (
        f"M{right:.1f} {top:.1f}Q{right:.1f} {upper:.1f} {_LEAVES} {upper:.1f}V{lower:.1f}"
        f"Q{left:.1f} {lower:.1f} {left:.1f} {top:.1f}Z"
    )
    return Markup(
        '<g class="{}"><title>{}: {}</title><path class="branch" d="{}"/>'
        '<rect x="{}" y="{:.1f}" width="6" height="{:.1f}"/></g>{}'
    ).format(
        *(branch.color, printable(branch.label), shown(branch.amount), path, _LEAVES, upper, thick),
        _words(branch, _TEXT, (upper + lower) / 2 - 2, whole, shown),
    )


def _words(branch: Branch, x: float, y: float, whole: int, shown: Callable[[int], str]) -> Markup:
    label = printable(branch.label)
    if len(label) > _NAME:
        label = label[: _NAME - 1] + "…"
    name = Markup('<text class="name" x="{}" y="{:.1f}">{}</text>').format(x, y, label)
    if branch.link:
        name = Markup('<a href="#{}">{}</a>').format(branch.link, name)
    return name + Markup('<text class="amount" x="{}" y="{:.1f}">{}, {}</text>').format(
        x, y + 16, shown(branch.amount), share(branch.amount, whole)
    )
