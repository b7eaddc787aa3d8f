"""What a run reads, trains and leaves behind: the seam between the loop and whatever it is used for.

Pretraining (`pretraining.py`) and fine-tuning are two of these. The loop knows steps, schedules, checkpoints and
processes, and none of their names.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

import torch
from torch import Tensor, nn

from starloom.tokens.samples import Batch
from starloom.training.evaluation import Evaluator
from starloom.training.settings import TrainSettings
from starloom.training.world import World
from starloom.workspace.atomic import Draft

# All of the parts of a loss that an objective may give, in this order; each a share of the step's mean.
PARTS: Final = ("cross_entropy", "z_loss", "horizon")


class Batches(Protocol):
    """This process's rows of every batch, one batch after the other, without end."""

    def __iter__(self) -> Iterator[Batch]: ...

    def __next__(self) -> Batch: ...

    def state(self) -> Any:
        """Where it is, a dataclass of plain values: `Work.loader` goes on from it."""

    def close(self) -> None: ...


class Work(Protocol):
    """One run's."""

    @property
    def settings(self) -> TrainSettings: ...

    def loader(self, state: Mapping[str, Any] | None, world: World) -> Batches:
        """From the first batch on, or from where a loader's `state` says. Raises UserError when that is of something
        else."""

    def objective(self, device: torch.device) -> nn.Module:
        """What is minimised, with the weights before the first step.

        forward(ids, targets, documents, count) -> (loss, parts): the share of these rows in the mean over `count`
        targets, to go backward from, and what it is made of (`PARTS`), detached. forward(ids) -> logits [B, T, V].
        """

    def weights(self, objective: nn.Module) -> dict[str, Tensor]:
        """What is trained and published, by the published names: the module's own parameters."""

    def extras(self, objective: nn.Module) -> dict[str, Tensor]:
        """What is trained and not published."""

    def files(self) -> dict[str, bytes]:
        """What stands beside the weights in a checkpoint: configuration, tokenizer."""

    def named(self, step: int) -> list[str]:
        """What `step` (from 1) reads, in words: the repositories, or lines of a file."""

    def flops(self, batch: Batch) -> int:
        """Floating-point operations of one step over these rows, forward and backward, only those that the mask
        leaves."""

    def evaluator(self, world: World) -> Evaluator | None:
        """What measures the model while it is trained; None: nothing does."""

    def write(self, draft: Draft, weights: dict[str, Tensor]) -> None:
        """The finished model, of whole weights on the CPU."""
