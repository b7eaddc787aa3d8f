"""The parameters of near-deduplication, by name, and the measuring of a batch with them.

"5-gram Jaccard 0.7" is not one definition: the tokenisation is named here and goes into the dataset's card.
Bands of 50 x 5 with exact verification: a pair at Jaccard 0.7 is a candidate with probability .9999, and
recall was 1.000 on real code (2026); the usual 25 x 10 without verification finds .51 at 0.7 and removes
files that have no twin.

Cost: about 165 MB/s on one core with AVX2 (bench/kernels.py).
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.kernels.seed import FROZEN_SEED

Tokenisation = Literal["words"]


@dataclass(frozen=True)
class MinHashSettings:
    """How files are compared. All of it moves which pairs are found; the first two define Jaccard."""

    tokenisation: Tokenisation = "words"  # lower case, split at \W, empties dropped
    shingle: int = 5  # tokens
    permutations: int = 256
    bands: int = 50
    rows: int = 5  # values of the signature in a band
    seed: int = FROZEN_SEED

    def __post_init__(self) -> None:
        if self.tokenisation not in get_args(Tokenisation):
            raise UserError(
                f"tokenisation {self.tokenisation!r} is not known",
                f"one of: {', '.join(get_args(Tokenisation))}",
            )
        if self.shingle != 5:
            raise UserError(f"shingle = {self.shingle} is not available", "write `shingle = 5`, or leave it out")
        if not 1 <= self.permutations <= 4096:
            raise UserError(f"permutations = {self.permutations} is out of range", "use 1 to 4096; 256 is usual")
        if self.bands < 1 or self.rows < 1:
            raise UserError(
                f"bands = {self.bands} and rows = {self.rows}: both must be at least 1", "50 and 5 are usual"
            )
        if self.bands * self.rows > self.permutations:
            raise UserError(
                f"{self.bands} bands of {self.rows} rows need {self.bands * self.rows} permutations, "
                f"there are {self.permutations}",
                f"lower bands to {max(self.permutations // self.rows, 1)}, or raise permutations",
            )
        if not 0 <= self.seed < 1 << 63:
            raise UserError(f"seed = {self.seed} is out of range", "use 0 to 9223372036854775807")


class Measured(NamedTuple):
    """One row a file. Of a file with fewer than `shingle` tokens the bands mean nothing: skip it."""

    tokens: NDArray[np.int32]
    stream: NDArray[np.uint64]  # [n, 2]: equal for files that differ in case, white space and punctuation only
    bands: NDArray[np.uint64]  # [n, bands]


def measure(offsets: NDArray[np.int64], data: NDArray[np.uint8], settings: MinHashSettings) -> Measured:
    """Tokens, stream hash and band hashes of each file `data[offsets[i]:offsets[i + 1]]`, valid UTF-8."""
    from starloom.kernels import minhash

    signatures, tokens, stream = minhash.signatures(offsets, data, settings.seed, settings.permutations)
    return Measured(tokens, stream, minhash.band_hashes(signatures, settings.bands, settings.rows))
