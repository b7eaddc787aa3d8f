"""The section `[finetune]`: from which model, on what, and how it is trained further. Torch-free.

The rates are those that are usual: 1e-5 for whole models, 2e-4 for adapters (arXiv 2106.09685, 2305.14314).
"""

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from starloom.errors import UserError
from starloom.training.settings import FREE, Device, Precision, Sink, TrainSettings, Verdict

Method = Literal["full", "lora", "qlora"]

USUAL_SEQUENCE: Final = 2048  # tokens, where the model takes as many
_USUAL_RATE: Final = {"full": 1e-5, "lora": 2e-4, "qlora": 2e-4}
_MOST_RANK: Final = 4096

_FREE: Final = (*FREE, "merge")  # may change between two halves of a run, as of [train]
_OWN: Final = ("base", "data", "method", "loss", "rank", "alpha", "targets", "merge", "epochs", "rate", "warm_up")


@dataclass(frozen=True)
class FinetuneSettings:
    """Raises UserError for values that no run can have."""

    base: str = ""  # a run, or the folder of a Hugging Face model
    data: tuple[str, ...] = ()  # files of JSON Lines; none: the workspace's dataset, laid out as [pack] says
    method: Method = "full"  # all weights; or low-rank adapters, the model itself left as it is; or 4 bits of it
    loss: Literal["completion", "all"] = "completion"  # what is learnt: answers, or prompts too
    rank: int = 16  # of the adapters
    alpha: float = 32.0  # the adapters' part is scaled by alpha / rank
    targets: tuple[str, ...] = ()  # names of the modules that get adapters; none: all matrices of all layers
    merge: bool = False  # the finished model has the adapters added to its weights
    sequence: int = 0  # tokens of a row; 0: 2,048, or what the model takes
    batch: int = 8  # rows in one step, of all processes together
    micro_batch: int = 0  # rows that a device computes at once, fewer for less memory; 0: all of its share
    epochs: float = 1.0  # how often all examples are seen, where `steps` is 0
    steps: int = 0  # of the whole run; 0: as `epochs` say
    rate: float = 0.0  # highest learning rate; 0: 1e-5 for all weights, 2e-4 for adapters
    beta1: float = 0.9  # of AdamW: decay of the gradient's mean
    beta2: float = 0.999  # of AdamW: decay of its square's mean
    schedule: Literal["wsd", "cosine"] = "cosine"  # rates rise, stay and fall; or rise and fall as a cosine
    warm_up: float = 0.03  # share of the steps in which the rates rise to their highest
    decay: float = 0.3  # of "wsd": share of the steps, at the end, in which the rates fall
    least_rate: float = 0.1  # where they fall to, as a share of the highest
    weight_decay: float = 0.0  # of matrices and embeddings, not of norms and biases
    clip: float = 1.0  # largest norm of the gradient; 0: any
    ema: float = 0.0  # the finished weights are averaged with this decay a step; 0: they are the last ones
    document_mask: bool = True  # examples that share a row do not see one another
    seed: int = 0  # of the adapters' first weights and of the rows' order
    precision: Precision = "auto"  # bfloat16 where the machine computes in it, else float32
    device: Device = "auto"  # a CUDA device where there is one, else the CPU
    threads: int = 0  # of the CPU; 0: one per core. A run goes on with the number that it began with
    activation_checkpointing: Literal["none", "layers"] = "none"  # layers: computed again going back, for less memory
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

    def __post_init__(self) -> None:
        if not 1 <= self.rank <= _MOST_RANK:
            raise UserError(f"[finetune] rank = {self.rank} is out of range", f"use 1 to {_MOST_RANK}")
        bounds = (("alpha", 1e-6, 1e9), ("epochs", 1e-6, 1e6), ("rate", 0.0, 1.0), ("warm_up", 0, 1), ("steps", 0, 1e9))
        for name, least, most in bounds:
            if not least <= (value := getattr(self, name)) <= most:
                raise UserError(f"[finetune] {name} = {value} is out of range", f"use {least:g} to {most:g}")
        if self.method == "full" and (self.merge or self.targets):
            what = "merge" if self.merge else "targets"
            raise UserError(
                f'[finetune] {what} is of adapters, and method = "full" has none',
                f'set method = "lora", or leave `{what}` out',
            )
        if self.sequence < 0:
            raise UserError(f"[finetune] sequence = {self.sequence} is out of range", "use 0 or more")
        self.train(steps=max(self.steps, 1), sequence=self.sequence or USUAL_SEQUENCE)

    @property
    def highest_rate(self) -> float:
        """Of AdamW."""
        return self.rate or _USUAL_RATE[self.method]

    def train(self, steps: int, sequence: int) -> TrainSettings:
        """What the loop goes by. Of the network's shape it says nothing: that is the base's. Raises UserError."""
        shared = {name: value for name, value in asdict(self).items() if name not in _OWN}
        shared |= {"steps": steps, "sequence": sequence, "context": sequence}
        try:
            return TrainSettings(
                optimizer="adamw",
                adamw_rate=self.highest_rate,
                muon_rate=0.0,
                warm_up=round(self.warm_up * steps),
                **shared,
            )
        except UserError as problem:
            raise UserError(problem.problem.replace("[train]", "[finetune]"), problem.hint) from None

    def outcome(self, sequence: int) -> dict[str, Any]:
        """The settings that the weights depend on, and how rows are cut, as a run's record has them."""
        found = {name: value for name, value in asdict(self).items() if name not in _FREE}
        found |= {"rate": self.highest_rate, "sequence": sequence, "packing": "best-fit", "block": 1}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}
