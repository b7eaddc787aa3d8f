"""`[quality]`: who gives each file its quality score."""

from dataclasses import dataclass

HEURISTICS = "heuristics"


@dataclass(frozen=True)
class QualitySettings:
    """`[quality]`: the scorer. A score alone drops nothing: a rule names its limit, as `quality_score < 0.3`."""

    scorer: str = HEURISTICS  # or a folder: of `starloom scorer train`, or of a Hugging Face text classifier
    # Of a text classifier only:
    label: str = ""  # the class whose probability is the score; needed where there are more than two
    least: float = 0.0  # of a classifier with one output (a regression): the output that is score 0 …
    most: float = 1.0  # … and the one that is score 1
    max_tokens: int = 512  # of each file that it sees
    batch: int = 16  # files at once
    device: str = "cpu"  # as PyTorch names it
