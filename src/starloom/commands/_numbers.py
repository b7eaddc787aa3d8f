"""Numbers given as options: click takes `nan` and `inf` for some, and no range refuses the former."""

import math
from typing import Any

import click


class NumberRange(click.FloatRange):
    """One between two, or beyond one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number to go by: give one such as 0.5 or 20.", param, ctx)
        return number
