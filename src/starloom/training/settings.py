"""The section `[train]`: a model's shape and how it is trained, with the demo's model as defaults. Torch-free.

The defaults are 3.2 million parameters at a vocabulary of 8,192, for two minutes on two cores: they prove the loop, not
quality. Learning rates go up over `warm_up` steps, stay, and fall to zero over the last `decay` of all steps.
"""

import dataclasses
from dataclasses import dataclass
from typing import Final, Literal

from starloom.errors import UserError
from starloom.starcoder2.config import StarCoder2Config
from starloom.tokens.packing import Method

Precision = Literal["auto", "float32", "bfloat16"]
Device = Literal["auto", "cpu", "cuda"]

# By the clock, the step count is fixed after so many steps. The first ones are slow, and say nothing of the rest.
UNTIMED: Final = 2
TIMED: Final = 10
FIXED_AFTER: Final = UNTIMED + TIMED
LEAST_BY_CLOCK: Final = 40  # steps, however slow the machine is

_FREE: Final = ("checkpoint_seconds", "keep")  # may change between two halves of a run: they do not touch its weights


@dataclass(frozen=True)
class TrainSettings:
    """Raises UserError for values that no run can have."""

    layers: int = 4  # of the network
    hidden: int = 192  # width of the network, a multiple of `heads`
    heads: int = 3  # of attention
    kv_heads: int = 1  # heads of keys and values, shared by groups of `heads`
    feed_forward: int = 768  # width inside the feed-forward layers
    window: int = 512  # tokens that a token sees, itself included (sliding window attention)
    context: int = 2048  # most tokens that the model takes at once
    rope_theta: float = 10_000.0  # base of the rotary positions; larger for longer contexts
    sequence: int = 512  # tokens of one training sample
    batch: int = 4  # samples in one step
    packing: Method = "best-fit"  # how samples are cut; "concatenate": as Megatron, documents cut wherever a row ends
    block: int = 1  # rows that lie side by side are read in blocks of so many: for tokens in a far store
    steps: int = 0  # of the whole run; 0: as many as `seconds` allow
    seconds: float = 120.0  # by the clock, where `steps` is 0: fixed by the first ten timed steps and recorded
    muon_rate: float = 4e-3  # highest learning rate of the hidden matrices (Muon)
    adamw_rate: float = 4e-3  # highest learning rate of everything else (AdamW)
    warm_up: int = 40  # steps in which the rates rise to their highest
    decay: float = 0.3  # share of the steps, at the end, in which the rates fall to zero
    weight_decay: float = 0.1  # of matrices and embeddings, not of norms and biases
    clip: float = 1.0  # largest norm of the gradient; 0: any
    ema: float = 0.98  # the finished model's weights are averaged with this decay a step; 0: they are the last ones
    document_mask: bool = True  # a token sees only its own document
    seed: int = 0  # of the first weights and of the samples' order
    precision: Precision = "auto"  # bfloat16 where the machine computes in it, else float32
    device: Device = "auto"  # a CUDA device where there is one, else the CPU
    threads: int = 0  # of the CPU; 0: one per core. A run goes on with the number that it began with
    checkpoint_seconds: float = 60.0  # the most work that is lost when the run is killed; 0: a checkpoint at every step
    keep: int = 2  # checkpoints

    def __post_init__(self) -> None:
        for name in (
            "layers",
            "hidden",
            "heads",
            "kv_heads",
            "feed_forward",
            "window",
            "context",
            "sequence",
            "batch",
            "block",
        ):
            _within(name, getattr(self, name), 1, 1 << 24)
        for name in ("steps", "warm_up", "threads"):
            _within(name, getattr(self, name), 0, 1 << 40)
        _within("keep", self.keep, 1, 1 << 20)
        _within("seconds", self.seconds, 1.0, 1e9)
        _within("checkpoint_seconds", self.checkpoint_seconds, 0.0, 1e9)
        for name in ("muon_rate", "adamw_rate", "weight_decay", "clip"):
            _within(name, getattr(self, name), 0.0, 1e9)
        _within("decay", self.decay, 0.0, 1.0)
        _within("ema", self.ema, 0.0, 0.999999)
        _within("seed", self.seed, 0, (1 << 63) - 1)
        _divides("heads", self.heads, "hidden", self.hidden)
        if self.hidden // self.heads % 2:
            raise UserError(
                f"[train] hidden = {self.hidden} and heads = {self.heads} make heads of odd width "
                f"{self.hidden // self.heads}, which cannot be rotated",
                "choose hidden as an even multiple of heads; 64 per head is usual",
            )
        _divides("kv_heads", self.kv_heads, "heads", self.heads)
        if self.sequence > self.context:
            raise UserError(
                f"[train] sequence = {self.sequence} is longer than context = {self.context}",
                f"raise context to {self.sequence}, or shorten sequence",
            )

    @property
    def by_clock(self) -> bool:
        """Whether the step count comes from `seconds`."""
        return self.steps == 0

    def model(self, vocabulary: int) -> StarCoder2Config:
        """The network's shape over `vocabulary` tokens."""
        return StarCoder2Config(
            vocab_size=vocabulary,
            hidden_size=self.hidden,
            intermediate_size=self.feed_forward,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.kv_heads,
            max_position_embeddings=self.context,
            sliding_window=self.window,
            rope_theta=self.rope_theta,
        )

    def outcome(self) -> dict[str, int | float | str | bool]:
        """The settings that the weights depend on."""
        return {name: value for name, value in dataclasses.asdict(self).items() if name not in _FREE}


def steps_for(seconds: float, step_seconds: float, settings: TrainSettings) -> int:
    """How many steps fit into `seconds`, at least enough for a schedule to be one."""
    return max(int(seconds / max(step_seconds, 1e-9)), LEAST_BY_CLOCK, settings.warm_up + FIXED_AFTER)


def rate_factor(step: int, steps: int, settings: TrainSettings) -> float:
    """The share of the highest learning rate at `step` (from 0) of `steps`: linear up, flat, linear down to zero.

    The first `warm_up` steps, and those in which the count by the clock may not be known yet, never fall: they do not
    depend on `steps`.

    >>> shape = TrainSettings(warm_up=20, decay=0.5)
    >>> [rate_factor(step, 100, shape) for step in (0, 9, 19, 49, 50, 75, 99)]
    [0.05, 0.5, 1.0, 1.0, 1.0, 0.5, 0.02]
    """
    rising = min(1.0, (step + 1) / settings.warm_up) if settings.warm_up else 1.0
    falls_from = max(settings.warm_up, FIXED_AFTER, steps - round(settings.decay * steps))
    return rising if step <= falls_from else (steps - step) / (steps - falls_from)


def average_factor(step: int, settings: TrainSettings) -> float:
    """How much of the averaged weights stays at `step` (from 0): little at first, so that the fresh weights are soon
    forgotten; `ema` in the end."""
    return min(settings.ema, (step + 1) / (step + 10))


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise UserError(f"[train] {name} = {value} is out of range", f"use {least:g} to {most:g}")


def _divides(name: str, value: int, whole: str, of: int) -> None:
    if of % value:
        raise UserError(
            f"[train] {name} = {value} does not divide {whole} = {of}", f"choose {whole} as a multiple of {name}"
        )
