"""The section `[train]`: a model's shape, how it is trained and on what, with the demo's model as defaults. Torch-free.

The defaults are 3.2 million parameters at a vocabulary of 8,192, for two minutes on two cores: they prove the loop, not
quality. `preset` gives a published shape, every field of which may be set by itself. `[[train.stages]]` go on from the
model before, with other settings: base, then long context, as in arXiv 2402.19173, section 6.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any, Final, Literal

from starloom.errors import UserError
from starloom.starcoder2.config import StarCoder2Config, Wanted
from starloom.starcoder2.presets import PRESETS
from starloom.tokens.packing import Method
from starloom.training.stage import TrainStage

Precision = Literal["auto", "float32", "bfloat16"]
Device = Literal["auto", "cpu", "cuda"]
Preset = Literal["tiny", "100m", "1b", "3b", "7b", "15b"]
Verdict = Literal["stop", "skip", "ignore"]
Sink = Literal["tensorboard", "wandb"]

# By the clock, the step count is fixed after so many steps. The first ones are slow, and say nothing of the rest.
UNTIMED: Final = 2
TIMED: Final = 10
FIXED_AFTER: Final = UNTIMED + TIMED
LEAST_BY_CLOCK: Final = 40  # steps, however slow the machine is

# May change between two halves of a run. The weights do not depend on them, but for the order of sums, and what a
# person changes because a run stopped: memory that did not suffice, a step that was no number.
FREE: Final = (
    *("checkpoint_seconds", "keep", "stages", "evaluate_every", "evaluate_bytes", "infill", "sinks"),
    *("micro_batch", "activation_checkpointing", "compile", "attention", "sharding", "replicas"),
    *("on_nan", "on_spike", "spike"),
)
_SHAPE: Final = {  # of ours -> the configuration's
    "layers": "num_hidden_layers",
    "hidden": "hidden_size",
    "heads": "num_attention_heads",
    "kv_heads": "num_key_value_heads",
    "feed_forward": "intermediate_size",
    "window": "sliding_window",
    "context": "max_position_embeddings",
    "rope_theta": "rope_theta",
    "tied": "tie_word_embeddings",
}


@dataclass(frozen=True)
class TrainSettings:
    """Raises UserError for values that no run can have."""

    preset: Preset = "tiny"  # the network's shape; what is set below stands over it
    layers: int | None = None  # of the network
    hidden: int | None = None  # width of the network, a multiple of `heads`
    heads: int | None = None  # of attention
    kv_heads: int | None = None  # heads of keys and values, shared by groups of `heads`
    feed_forward: int | None = None  # width inside the feed-forward layers
    window: int | None = None  # tokens that a token sees, itself included (sliding window attention)
    context: int | None = None  # most tokens that the model takes at once
    rope_theta: float | None = None  # base of the rotary positions; larger for longer contexts
    tied: bool | None = None  # whether the vocabulary's head is the embedding
    initial: str = ""  # a run, or the folder of a StarCoder2 model, whose weights it starts from; empty: fresh ones
    sequence: int = 512  # tokens of one training sample
    batch: int = 4  # samples in one step, of all processes together
    micro_batch: int = 0  # samples that a device computes at once, fewer for less memory; 0: all of its share
    packing: Method = "best-fit"  # how samples are cut; "concatenate": as Megatron, documents cut wherever a row ends
    block: int = 1  # rows that lie side by side are read in blocks of so many: for tokens in a far store
    steps: int = 0  # of the whole run; 0: as many as `seconds` allow
    seconds: float = 120.0  # by the clock, where `steps` is 0: fixed by the first ten timed steps and recorded
    optimizer: Literal["muon", "adamw"] = "muon"  # of the hidden matrices; everything else has AdamW
    muon_rate: float = 4e-3  # highest learning rate of Muon
    adamw_rate: float = 4e-3  # highest learning rate of AdamW
    beta1: float = 0.9  # of AdamW: decay of the gradient's mean
    beta2: float = 0.95  # of AdamW: decay of its square's mean
    epsilon: float = 1e-8  # of AdamW
    schedule: Literal["wsd", "cosine"] = "wsd"  # rates rise, stay and fall; or rise and fall as a cosine
    warm_up: int = 40  # steps in which the rates rise to their highest
    decay: float = 0.3  # of "wsd": share of the steps, at the end, in which the rates fall
    least_rate: float = 0.0  # where they fall to, as a share of the highest
    weight_decay: float = 0.1  # of matrices and embeddings, not of norms and biases
    clip: float = 1.0  # largest norm of the gradient; 0: any
    ema: float = 0.98  # the finished model's weights are averaged with this decay a step; 0: they are the last ones
    z_loss: float = 0.0  # weight of the squared log of softmax's sum (PaLM had 1e-4), which keeps logits small
    horizon: float = 0.0  # weight of horizon-length prediction in middles of fill-in-the-middle (arXiv 2410.03103)
    document_mask: bool = True  # a token sees only its own document
    seed: int = 0  # of the first weights and of the samples' order
    precision: Precision = "auto"  # bfloat16 where the machine computes in it, else float32
    device: Device = "auto"  # a CUDA device where there is one, else the CPU
    threads: int = 0  # of the CPU; 0: one per core. A run goes on with the number that it began with
    attention: Wanted = "auto"  # which implementation computes it
    activation_checkpointing: Literal["none", "layers"] = "none"  # layers: computed again going back, for less memory
    compile: bool = False  # layers are compiled (torch.compile): a slow start, then faster on a GPU
    sharding: Literal["auto", "none", "full", "hybrid"] = "auto"  # of weights over processes; hybrid: within a node
    replicas: int = 0  # of "hybrid": groups that hold all weights; 0: one a node
    on_nan: Literal["stop", "skip"] = "stop"  # a loss or gradient that is no number: the batch is named either way
    on_spike: Verdict = "ignore"  # a loss or a gradient far above those before
    spike: float = 6.0  # how far: so many of their deviations above the mean of the last steps
    evaluate_every: int = 0  # steps between two evaluations on held-out repositories; 0: none
    evaluate_bytes: int = 200_000  # of held-out text, whole files
    infill: int = 50  # gaps that an evaluation has the model fill
    sinks: tuple[Sink, ...] = ()  # where metrics go besides loss.jsonl
    checkpoint_seconds: float = 60.0  # the most work that is lost when the run is killed; 0: a checkpoint at every step
    keep: int = 2  # checkpoints
    stages: tuple[TrainStage, ...] = ()  # runs that go on from the model before: RUN.NAME, with other settings

    def __post_init__(self) -> None:
        for name in ("layers", "hidden", "heads", "kv_heads", "feed_forward", "window", "context"):
            if (value := getattr(self, name)) is not None:
                _within(name, value, 1, 1 << 24)
        for name in ("sequence", "batch", "block"):
            _within(name, getattr(self, name), 1, 1 << 24)
        for name in ("steps", "warm_up", "threads", "micro_batch", "replicas", "evaluate_every", "infill"):
            _within(name, getattr(self, name), 0, 1 << 40)
        _within("evaluate_bytes", self.evaluate_bytes, 1, 1 << 40)
        _within("keep", self.keep, 1, 1 << 20)
        _within("seconds", self.seconds, 1.0, 1e9)
        for name in ("checkpoint_seconds", "muon_rate", "adamw_rate", "weight_decay", "clip", "z_loss", "horizon"):
            _within(name, getattr(self, name), 0.0, 1e9)
        for name in ("decay", "least_rate"):
            _within(name, getattr(self, name), 0.0, 1.0)
        for name in ("beta1", "beta2", "ema"):
            _within(name, getattr(self, name), 0.0, 0.999999)
        _within("epsilon", self.epsilon, 1e-20, 1.0)
        _within("spike", self.spike, 1.0, 1e9)
        _within("seed", self.seed, 0, (1 << 63) - 1)
        shape = self._shape()
        _divides("heads", shape["heads"], "hidden", shape["hidden"])
        if shape["hidden"] // shape["heads"] % 2:
            raise UserError(
                f"[train] hidden = {shape['hidden']} and heads = {shape['heads']} make heads of odd width "
                f"{shape['hidden'] // shape['heads']}, which cannot be rotated",
                "choose hidden as an even multiple of heads; 64 per head is usual",
            )
        _divides("kv_heads", shape["kv_heads"], "heads", shape["heads"])
        if self.sequence > shape["context"]:
            raise UserError(
                f"[train] sequence = {self.sequence} is longer than context = {shape['context']}",
                f"raise context to {self.sequence}, or shorten sequence",
            )
        if self.schedule == "cosine" and self.by_clock and self.warm_up < FIXED_AFTER:
            raise UserError(
                f'[train] schedule = "cosine" with warm_up = {self.warm_up} and no steps: how fast rates fall '
                "depends on how many steps there are, which the clock has not told yet",
                f"set steps, or a warm_up of {FIXED_AFTER} or more",
            )
        names = [one.name for one in self.stages]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise UserError(f"[[train.stages]] has {twice!r} twice", "give each stage a name of its own")
        if self.stages:
            self.staged("run")  # refuses what no stage can have

    @property
    def by_clock(self) -> bool:
        """Whether the step count comes from `seconds`."""
        return self.steps == 0

    def model(self, vocabulary: int) -> StarCoder2Config:
        """The network's shape over `vocabulary` tokens."""
        shape = {theirs: self._shape()[ours] for ours, theirs in _SHAPE.items()}
        return dataclasses.replace(PRESETS[self.preset], vocab_size=vocabulary, **shape)

    def outcome(self) -> dict[str, Any]:
        """The settings that the weights depend on, those of the shape resolved."""
        found = {name: value for name, value in dataclasses.asdict(self).items() if name not in FREE}
        return found | self._shape()

    def staged(self, run: str) -> list[tuple[str, "TrainSettings"]]:
        """(name of its run, settings) of this run and of each of its stages, in order."""
        found = [(run, dataclasses.replace(self, stages=()))]
        for stage in self.stages:
            before, settings = found[-1]
            changes = {name: value for name, value in stage.changes().items() if value is not None}
            found.append((f"{run}.{stage.name}", dataclasses.replace(settings, **changes, initial=before)))
        return found

    def _shape(self) -> dict[str, Any]:
        """Of the preset, with what is set by itself."""
        preset = PRESETS[self.preset]
        return {
            ours: getattr(preset, theirs) if (own := getattr(self, ours)) is None else own
            for ours, theirs in _SHAPE.items()
        }


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise UserError(f"[train] {name} = {value} is out of range", f"use {least:g} to {most:g}")


def _divides(name: str, value: int, whole: str, of: int) -> None:
    if of % value:
        raise UserError(
            f"[train] {name} = {value} does not divide {whole} = {of}", f"choose {whole} as a multiple of {name}"
        )
