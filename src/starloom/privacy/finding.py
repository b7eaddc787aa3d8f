"""What the detectors find: a stretch of a text that is somebody's, or a secret."""

from typing import Final, Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["EMAIL", "IP_ADDRESS", "KEY", "PASSWORD", "NAME", "USERNAME"]
KINDS: Final[tuple[Kind, ...]] = ("EMAIL", "IP_ADDRESS", "KEY", "PASSWORD", "NAME", "USERNAME")


class Finding(NamedTuple):
    """Characters `start` to `end` (exclusive) of a text. `kind` as the paper has it (arXiv 2402.19173, section 4);
    `detector`: what found it; `confidence`: 0 to 1, of what was checked by more than its looks 1."""

    start: int
    end: int
    kind: Kind
    detector: str
    confidence: float
