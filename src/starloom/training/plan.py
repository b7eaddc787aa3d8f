"""What a run will need: memory on each GPU, arithmetic, days and money, and with which settings it fits. Torch-free.

Memory is reckoned tensor by tensor (`footprint`), arithmetic exactly (`starcoder2.flops`), with the window and every
row as one document: boundaries between documents only make it less. Time is the arithmetic over what the GPUs do at a
utilisation (MFU) that nobody knows before the run: it is assumed, and said so. No time is reckoned for reading,
checkpoints, evaluation, waiting for other machines or machines that break.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from starloom.errors import UserError
from starloom.starcoder2 import flops
from starloom.training.footprint import Footprint, Setup, footprint
from starloom.training.schedule import steps_for
from starloom.training.settings import TrainSettings

# Of the peak, that products which are computed once reach: StarCoder2-3B is said to have had 65 % of an A100, others of
# its kind 33 to 58 % of an H100 or H200. Layers that are computed again (activation checkpointing) do not count in it.
ASSUMED: Final = 0.40
_MOST_DEVICES: Final = 1 << 16


@dataclass(frozen=True)
class Hardware:
    """memory: bytes of one device, peak: FLOP/s, price: US dollars an hour of one; None: not known. kind: "cuda" or
    "cpu". half: products in bfloat16."""

    name: str
    devices: int = 1
    kind: str = "cuda"
    half: bool = True
    memory: int | None = None
    peak: float | None = None
    price: float | None = None
    priced: str = ""
    mfu: float | None = None  # None: as ASSUMED


@dataclass(frozen=True)
class StagePlan:
    """One run: as it is set, what must change for it to fit, and what it takes then. Amounts are of the whole run, over
    all devices; None where steps, or the peak, are not known."""

    run: str
    settings: TrainSettings
    parameters: int
    samples: int  # that a device computes at once
    as_set: Footprint
    fits: bool | None
    changes: dict[str, Any]  # in [train], that make it fit; empty where it does, or nothing helps
    changed: Footprint  # with them
    least_devices: int | None  # where nothing helps on these: on so many it would fit
    step_flops: int
    standard: float  # how many times as many the usual formula says
    mfu: float
    step_seconds: float | None
    steps: int | None

    @property
    def tokens(self) -> int | None:
        return None if self.steps is None else self.steps * self.settings.batch * self.settings.sequence

    @property
    def flops(self) -> int | None:
        return None if self.steps is None else self.steps * self.step_flops

    @property
    def seconds(self) -> float | None:
        if self.steps is None:
            return self.settings.seconds  # by the clock
        return None if self.step_seconds is None else self.steps * self.step_seconds


@dataclass(frozen=True)
class Plan:
    """Of a run and its stages, in order."""

    hardware: Hardware
    stages: tuple[StagePlan, ...]

    @property
    def seconds(self) -> float | None:
        found = [one.seconds for one in self.stages]
        return None if None in found else sum(one for one in found if one is not None)

    @property
    def device_hours(self) -> float | None:
        return None if self.seconds is None else self.seconds * self.hardware.devices / 3600

    @property
    def cost(self) -> float | None:
        hours, price = self.device_hours, self.hardware.price
        return None if hours is None or price is None else hours * price

    def to_json(self) -> dict[str, Any]:
        """Of plain values, bytes and seconds; parts of the memory are those with the changes that are named."""
        hardware = self.hardware
        return {
            "gpu": hardware.name,
            "gpus": hardware.devices,
            "memory": hardware.memory,
            "peak_flops": hardware.peak,
            "price_per_hour": hardware.price,
            "price_source": hardware.priced,
            "stages": [_stage_json(one) for one in self.stages],
            "seconds": self.seconds,
            "gpu_hours": self.device_hours,
            "cost": self.cost,
        }


def plan(settings: TrainSettings, vocabulary: int, hardware: Hardware, run: str) -> Plan:
    """Of a run and its stages. Raises UserError for a batch, or replicas, that the devices cannot share."""
    return Plan(hardware, tuple(_stage(name, one, vocabulary, hardware) for name, one in settings.staged(run)))


def _stage(run: str, settings: TrainSettings, vocabulary: int, hardware: Hardware) -> StagePlan:
    config = settings.model(vocabulary)
    setup = Setup(settings, config, hardware.devices, hardware.kind, hardware.half)
    _check_shares(setup)
    changes: dict[str, Any] = {}
    fits, least = None, None
    if hardware.memory is not None and not (fits := setup.has_room(hardware.memory)):
        changes, least = _remedy(setup, hardware.memory)
    changed = replace(setup, settings=replace(settings, **changes))
    rows = (settings.batch, settings.sequence)
    step_flops = flops.training_step(config, rows)
    mfu = hardware.mfu or _assumed(changed)
    seconds = None if hardware.peak is None else step_flops / (hardware.peak * mfu * hardware.devices)
    steps: int | None = settings.steps
    if settings.by_clock:
        steps = None if seconds is None else steps_for(settings.seconds, seconds, settings)
    return StagePlan(
        run=run,
        settings=settings,
        parameters=config.parameters(),
        samples=changed.samples,
        as_set=footprint(setup),
        fits=fits,
        changes=changes,
        changed=footprint(changed),
        least_devices=least,
        step_flops=step_flops,
        standard=flops.standard(config, rows) / step_flops,
        mfu=mfu,
        step_seconds=seconds,
        steps=steps,
    )


def _check_shares(setup: Setup) -> None:
    batch, devices = setup.settings.batch, setup.devices
    if batch % devices:
        raise UserError(
            f"a batch of {batch:,} samples cannot be shared by {devices:,} GPUs",
            f"choose a number that divides {batch:,}, or another `batch` in [train]",
        )
    if setup.settings.sharding == "hybrid" and devices % setup.groups:
        raise UserError(
            f"[train] replicas = {setup.groups} does not divide {devices:,} GPUs",
            "choose replicas, the groups that hold all weights, as a divisor of the number of GPUs",
        )


def _assumed(setup: Setup) -> float:
    """The utilisation with what is computed twice taken off."""
    if setup.settings.activation_checkpointing == "none":
        return ASSUMED
    rows = (setup.samples, setup.settings.sequence)
    return ASSUMED / (1 + flops.layers_share(setup.config, rows) / 3)  # a third pass forward, of three passes' worth


def _remedy(setup: Setup, memory: int) -> tuple[dict[str, Any], int | None]:
    """The settings that make it fit, those first that cost least time; or the fewest devices on which they would, of
    twice as many, and twice as many again, as long as they can share a batch."""
    for changes in _candidates(setup):
        if replace(setup, settings=replace(setup.settings, **changes)).has_room(memory):
            return changes, None
    smallest = replace(setup.settings, micro_batch=1, activation_checkpointing="layers", sharding="full")
    devices = setup.devices
    while (devices := devices * 2) <= _MOST_DEVICES and not setup.settings.batch % devices:
        if replace(setup, settings=smallest, devices=devices).has_room(memory):
            return {}, devices
    return {}, None


def _candidates(setup: Setup) -> list[dict[str, Any]]:
    """Fewer samples at once; then layers computed again, with as many samples as fit; then weights in shards."""
    sizes = [setup.samples]
    while sizes[-1] > 1:
        sizes.append(sizes[-1] // 2)
    found: list[dict[str, Any]] = []
    shardings = [setup.settings.sharding]
    if setup.devices > 1 and setup.shards < setup.devices:
        shardings.append("full")
    for sharding in shardings:
        for again in dict.fromkeys((setup.settings.activation_checkpointing, "layers")):
            found += [{"micro_batch": size, "activation_checkpointing": again, "sharding": sharding} for size in sizes]
    # Only what is other than now, so that it can be written into [train] as it is.
    now = setup.settings
    return [
        {
            name: value
            for name, value in one.items()
            if value != getattr(now, name) and (name, value) != ("micro_batch", setup.samples)
        }
        for one in found
    ]


def _stage_json(stage: StagePlan) -> dict[str, Any]:
    memory = stage.changed
    return {
        "run": stage.run,
        "parameters": stage.parameters,
        "sequence": stage.settings.sequence,
        "batch": stage.settings.batch,
        "micro_batch": stage.samples,
        "steps": stage.steps,
        "tokens": stage.tokens,
        "step_flops": stage.step_flops,
        "flops": stage.flops,
        "usual_formula": round(stage.standard, 4),
        "fits": stage.fits,
        "changes": stage.changes,
        "least_gpus": stage.least_devices,
        "memory": {
            "as_set": stage.as_set.most,
            "most": memory.most,
            "when": memory.when,
            "weights": memory.weights,
            "gradients": memory.gradients,
            "moments": memory.moments,
            "average": memory.average,
            "gathered": memory.gathered,
            "activations": memory.activations,
            "head": memory.head,
            "host": memory.host,
        },
        "mfu": round(stage.mfu, 4),
        "seconds": stage.seconds,
    }
