"""Charts without a script: bars of HTML and CSS, coloured by class in style.css, numbers written beside them.

Widths are rounded to a hundredth of a percent, so that a page does not depend on a platform's last digits.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Part:
    """A stretch of a bar: `color` is a class of style.css (`kept`, `gone`, `held`, …)."""

    label: str
    amount: int
    color: str


def bar(parts: Sequence[Part], total: int, title: str = "") -> Markup:
    """A bar as wide as `total`, its parts one after the other; what is left of it stays empty."""
    pieces = [
        Markup('<i class="{}" style="width:{}%"></i>').format(part.color, width)
        for part in parts
        if (width := _percent(part.amount, total)) != "0"
    ]
    return Markup('<span class="bar" role="img" aria-label="{}" title="{}">{}</span>').format(
        title, title, Markup("").join(pieces)
    )


def two(kept: int, listed: int, widest: int, title: str = "") -> Markup:
    """Kept out of listed, on a scale where `widest` fills the bar."""
    return bar([Part("kept", kept, "kept"), Part("not kept", listed - kept, "rest")], widest, title)


def share(part: int, whole: int) -> str:
    """A share for people: `12.3 %`, `<0.1 %`, `0 %`; a dash where there is no whole.

    >>> share(1, 3), share(1, 100_000), share(0, 5), share(5, 5), share(99_999, 100_000), share(0, 0)
    ('33.3 %', '<0.1 %', '0 %', '100 %', '>99.9 %', '–')
    """
    if whole <= 0:
        return "–"
    if part <= 0 or part >= whole:
        return "0 %" if part <= 0 else "100 %"
    percent = 100 * part / whole
    if percent < 0.1:
        return "<0.1 %"
    return f"{percent:.1f} %" if percent < 99.95 else ">99.9 %"


def _percent(amount: int, total: int) -> str:
    """A CSS width: of something that is there, never nothing."""
    if amount <= 0 or total <= 0:
        return "0"
    return f"{max(100 * min(amount, total) / total, 0.15):.2f}"
