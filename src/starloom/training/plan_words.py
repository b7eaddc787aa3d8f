"""The answer of `starloom plan` for a person: a column for each stage, and what it all costs."""

from collections.abc import Callable
from typing import Any, Final

from starloom.progress import counted
from starloom.training.footprint import GIB
from starloom.training.plan import Plan, StagePlan

_DAY: Final = 86_400
_UNKNOWN: Final = "?"
_NOT_IN_IT: Final = (
    "Not in it: reading, checkpoints, evaluation, waiting, failures. Padding and boundaries of documents make it less."
)
_SCALES: Final = ((1e12, "T"), (1e9, "B"), (1e6, "M"))


def words(found: Plan) -> str:
    """All of it."""
    lines = [_title(found), "", *_table(found), ""]
    for stage in found.stages:
        lines += _fit(stage)
    if lines[-1]:
        lines.append("")
    lines += _sums(found)
    return "\n".join(lines)


def _title(found: Plan) -> str:
    hardware, first = found.hardware, found.stages[0]
    has = []
    if hardware.memory is not None:
        has.append(f"{hardware.memory / GIB:,.0f} GiB")
    if hardware.peak is not None:
        has.append(f"{hardware.peak / 1e12:,.0f} TFLOP/s at most")
    many = f"{hardware.devices:,} x " if hardware.devices > 1 else ""
    precision = "bfloat16" if hardware.half else "float32"
    shown = f" ({', '.join(has)})" if has else ""
    return f"{first.run}: {first.parameters:,} parameters, in {precision} on {many}{hardware.name}{shown}"


def _table(found: Plan) -> list[str]:
    """One column a stage."""
    rows: list[tuple[str, Callable[[StagePlan], str]]] = [
        ("", lambda one: one.run),
        ("samples x tokens of a step", lambda one: f"{one.settings.batch:,} x {one.settings.sequence:,}"),
        ("at once on one device", lambda one: counted(one.samples, "samples")),
        ("steps", lambda one: _UNKNOWN if one.steps is None else f"{one.steps:,}"),
        ("tokens", lambda one: _UNKNOWN if one.tokens is None else scaled(one.tokens)),
        ("FLOPs of a step", lambda one: f"{one.step_flops:.3g}"),
        ("FLOPs", lambda one: _UNKNOWN if one.flops is None else f"{one.flops:.3g}"),
        ("  by the usual formula", lambda one: f"{one.standard:.2f} times as many"),
        ("", lambda _: ""),
        ("memory of one device", lambda _: ""),
        ("  weights", lambda one: _size(one.changed.weights)),
        ("  gradients", lambda one: _size(one.changed.gradients)),
        ("  moments of the optimizer", lambda one: _size(one.changed.moments)),
        ("  average of the weights", lambda one: _size(one.changed.average)),
        ("  whole layers, or copies", lambda one: _size(one.changed.gathered)),
        ("  activations", lambda one: _size(one.changed.activations)),
        ("  vocabulary's head", lambda one: _size(one.changed.head)),
        ("  at once at most", lambda one: _size(one.changed.most)),
        ("memory beside it, for checkpoints", lambda one: _size(one.changed.host)),
        ("", lambda _: ""),
        ("utilisation (MFU)", lambda one: _utilisation(found, one)),
        ("time", lambda one: _UNKNOWN if one.seconds is None else lasting(one.seconds)),
    ]
    cells = [[name, *(cell(stage) for stage in found.stages)] for name, cell in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    shown = []
    for name, *values in cells:
        aligned = (value.rjust(width) for value, width in zip(values, widths[1:], strict=True))
        shown.append("  ".join([name.ljust(widths[0]), *aligned]).rstrip())
    return shown


def _fit(stage: StagePlan) -> list[str]:
    """Whether a stage fits, or what makes it."""
    if stage.fits is None:
        return []
    if stage.fits:
        return [f"{stage.run} fits; it is fullest {stage.changed.when}"]
    wanted = f"{stage.run} does not fit as it is set: {_size(stage.as_set.most)} {stage.as_set.when}"
    if stage.changes:
        changes = ", ".join(f"{name} = {_toml(value)}" for name, value in stage.changes.items())
        return [wanted, f"  it does with, in [train]: {changes}; the figures above are with that"]
    if stage.least_devices:
        return [wanted, f"  no setting helps on so few; on {stage.least_devices:,} devices it would fit"]
    return [wanted, "  no setting helps, nor do more devices that a batch could be shared by"]


def _sums(found: Plan) -> list[str]:
    hardware, lines = found.hardware, []
    if found.seconds is not None and found.device_hours is not None:
        hours = f"{found.device_hours:,.0f}" if found.device_hours >= 10 else f"{found.device_hours:.1f}"
        lines.append(f"{lasting(found.seconds)} in all, {hours} hours of one device")
        if found.cost is not None:
            source = f" ({hardware.priced})" if hardware.priced else ""
            cost = f"{found.cost:,.0f}" if found.cost >= 10 else f"{found.cost:.2f}"
            lines.append(f"about ${cost} at ${hardware.price:g} an hour{source}")
        else:
            lines.append("no price is known: --price")
    else:
        lines.append("no time: --peak tells what the device computes, in TFLOP/s")
    return [*lines, _NOT_IN_IT]


def scaled(number: int) -> str:
    """A large number for people.

    >>> scaled(3_100_000_000_000), scaled(524_288)
    ('3.10T', '524,288')
    """
    for scale, letter in _SCALES:
        if number >= scale:
            return f"{number / scale:.2f}{letter}"
    return f"{number:,}"


def lasting(seconds: float) -> str:
    """A span of time for people.

    >>> lasting(90), lasting(7_200), lasting(864_000)
    ('90 seconds', '2.0 hours', '10.0 days')
    """
    if seconds < 600:
        return f"{seconds:.0f} seconds"
    if seconds < 2 * _DAY:
        return f"{seconds / 3600:.1f} hours"
    return f"{seconds / _DAY:,.1f} days"


def _utilisation(found: Plan, stage: StagePlan) -> str:
    if found.hardware.peak is None:
        return _UNKNOWN
    return f"{stage.mfu:.0%}" if found.hardware.mfu else f"{stage.mfu:.0%} assumed"


def _size(size: int) -> str:
    if size >= GIB:
        return f"{size / GIB:,.1f} GiB"
    return f"{size / (GIB >> 10):,.0f} MiB"


def _toml(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
