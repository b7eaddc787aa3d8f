"""A stage of training: a run that goes on from the model of the run before. Torch-free.

arXiv 2402.19173, section 6.2 has two: the base at 4,096 tokens, then 16,384 with a larger base of the rotary positions.
"""

import dataclasses
import re
from dataclasses import dataclass
from typing import Any, Final, Literal

from starloom.errors import UserError

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,23}")


@dataclass(frozen=True)
class TrainStage:
    """What is other than in the stage before; what is not set stays. Raises UserError for what is no name."""

    name: str  # the stage's run is RUN.NAME
    sequence: int | None = None
    batch: int | None = None
    micro_batch: int | None = None
    window: int | None = None
    context: int | None = None
    rope_theta: float | None = None
    steps: int | None = None
    seconds: float | None = None
    muon_rate: float | None = None
    adamw_rate: float | None = None
    schedule: Literal["wsd", "cosine"] | None = None
    warm_up: int | None = None
    decay: float | None = None
    least_rate: float | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UserError(
                f"[[train.stages]] name = {self.name!r} is no name for a stage",
                "use up to 24 letters, digits, `-` and `_`, a letter or digit first",
            )

    def changes(self) -> dict[str, Any]:
        """The settings by name, None where the stage before has them."""
        return {name: value for name, value in dataclasses.asdict(self).items() if name != "name"}
