"""The parameters of near-deduplication, by name, and the measuring of a batch with them.

"5-gram Jaccard 0.7" is not one definition: the tokenisation is named here and goes into the dataset's card.
Bands of 50 x 5 with exact verification: a pair at Jaccard 0.7 is a candidate with probability .9999, and
recall was 1.000 on real code (2026); the usual 25 x 10 without verification finds .51 at 0.7 and removes
files that have no twin.

Cost: about 310 MB/s on one core with AVX-512 (bench/kernels.py), by "bigcode-v2" about 155; 400 bytes a file, and
16 MB of signatures that are not kept.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from starloom.dedup.bands import candidate_probability
from starloom.errors import UserError
from starloom.kernels.seed import FROZEN_SEED

Tokenisation = Literal["words", "bigcode-v2", "text-dedup"]  # see kernels.shingles

_LOST = 1e-6  # of the pairs at the threshold, by `least_agreement`
_FILES, _BYTES = 1 << 14, 1 << 25  # measured at a time


@dataclass(frozen=True)
class MinHashSettings:
    """How files are compared. All of it moves which pairs are found; the first two define Jaccard."""

    # "words": lower case, split at \W, empties dropped; "bigcode-v2", "text-dedup": the 5-grams of those scripts
    tokenisation: Tokenisation = "words"
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


def tuned(
    threshold: float,
    permutations: int = 256,
    tokenisation: Tokenisation = "words",
    seed: int = FROZEN_SEED,
    recall: float = 0.999,
) -> MinHashSettings:
    """Bands for a threshold: as many rows (the more, the fewer candidates that are none) as leave a pair at `threshold`
    a candidate with a probability of at least `recall`; one row where none does (see `explain`).

    >>> tuned(0.7).bands, tuned(0.7).rows
    (51, 5)
    """
    if not 0.0 < threshold <= 1.0:
        raise UserError(f"threshold = {threshold} is out of range", "use a Jaccard similarity above 0, up to 1")
    if not 0.0 < recall < 1.0:
        raise UserError(f"recall = {recall} is out of range", "use a probability above 0 and below 1; 0.999 is usual")
    one_row = MinHashSettings(tokenisation, permutations=permutations, bands=1, rows=1, seed=seed)  # checks the rest
    for rows in range(permutations, 1, -1):
        if candidate_probability(threshold, permutations // rows, rows) >= recall:
            return replace(one_row, bands=permutations // rows, rows=rows)
    return replace(one_row, bands=permutations)


class Measured(NamedTuple):
    """One row a file. Of a file with fewer than `shingle` tokens the bands mean nothing: skip it."""

    tokens: NDArray[np.int32]
    stream: NDArray[np.uint64]  # [n, 2]: equal for files of the same tokens
    bands: NDArray[np.uint64]  # [n, bands]
    sketch: NDArray[np.uint8]  # [n, permutations]: the last byte of each value of the signature


def together(parts: Sequence[Measured]) -> Measured:
    """What was measured of some files and then of others, as one; at least one part."""
    return parts[0] if len(parts) == 1 else Measured(*map(np.concatenate, zip(*parts, strict=True)))


def least_agreement(threshold: float, permutations: int) -> int:
    """The places in which sketches agree at least: fewer are so unlikely for two files at `threshold`, below one in a
    million, that their pair need not be compared. (Where values differ, one last byte in 256 is equal by chance, which
    errs on the safe side.)

    >>> least_agreement(0.7, 256)
    143
    """
    if threshold == 1.0:
        return permutations
    below = 0.0
    for places in range(permutations):  # of a binomial distribution, by logarithms: its terms leave what a float holds
        ways = math.lgamma(permutations + 1) - math.lgamma(places + 1) - math.lgamma(permutations - places + 1)
        below += math.exp(ways + places * math.log(threshold) + (permutations - places) * math.log1p(-threshold))
        if below > _LOST:
            return places
    return permutations


def measure(
    offsets: NDArray[np.int64],
    data: NDArray[np.uint8],
    settings: MinHashSettings,
    advance: Callable[[int], object] | None = None,
) -> Measured:
    """Tokens, stream hash and band hashes of each file `data[offsets[i]:offsets[i + 1]]`, valid UTF-8. `advance` is
    told of the bytes that are done."""
    from starloom.kernels import minhash

    n = len(offsets) - 1
    tokens, stream = np.empty(n, dtype=np.int32), np.empty((n, 2), dtype=np.uint64)
    bands = np.empty((n, settings.bands), dtype=np.uint64)
    sketch = np.empty((n, settings.permutations), dtype=np.uint8)
    start = 0
    while start < n:
        some = int(np.searchsorted(offsets, offsets[start] + _BYTES, side="right")) - 1
        end = min(max(some, start + 1), start + _FILES, n)
        signatures, tokens[start:end], stream[start:end] = minhash.signatures(
            offsets[start : end + 1], data, settings.seed, settings.permutations, settings.tokenisation
        )
        bands[start:end] = minhash.band_hashes(signatures, settings.bands, settings.rows)
        sketch[start:end] = signatures & np.uint32(0xFF)
        if advance:
            advance(int(offsets[end] - offsets[start]))
        start = end
    return Measured(tokens, stream, bands, sketch)
