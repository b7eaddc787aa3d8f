"""`[pack]` of starloom.toml."""

from dataclasses import dataclass
from typing import Literal

from starloom.errors import UserError
from starloom.tokens.fill_in_the_middle import FimSettings

_MOST = 1000  # variants


@dataclass(frozen=True)
class PackSettings:
    """How documents are laid out. A variant draws all of it anew."""

    seed: int = 0  # draws the order of files, which repositories tell their names, and what is cut where
    variants: int = 1  # of every document; epoch e of a training reads variant e modulo their number
    file_order: Literal["random", "dependencies"] = "random"  # of a repository; or what is imported first
    repository_rate: float = 0.5  # share of repositories that have any file cut for fill-in-the-middle; 0: none
    file_rate: float = 0.5  # share of those repositories' files that are cut
    spm_rate: float = 0.5  # share of the cut files that show the suffix first
    syntax_rate: float = 0.0  # share of the cut files whose middle is a piece of syntax, where their language is parsed

    def __post_init__(self) -> None:
        self.fim()  # refuses what is no share
        if not 1 <= self.variants <= _MOST:
            raise UserError(f"[pack] variants = {self.variants} is no number of variants", f"from 1 to {_MOST}")

    def fim(self) -> FimSettings:
        return FimSettings(self.repository_rate, self.file_rate, self.spm_rate, self.syntax_rate)
