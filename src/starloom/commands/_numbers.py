"""Numbers given as options: click takes `nan` and `inf` for some, and no range refuses the former."""

import math
from typing import Any

import click


class _Finite(click.ParamType):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number to go by: give one such as 0.5 or 20.", param, ctx)
        return number


class Number(_Finite, click.types.FloatParamType):
    """Any."""


class NumberRange(_Finite, click.FloatRange):
    """One between two, or beyond one."""
