"""A learned linear scorer over token n-grams (`kernels/ngrams`): its folder, read and written.

`scorer.json` holds the settings, the languages, the calibration and how well it did on held-out labels; a file
`weights-HASH.f32` beside it the weights as little-endian float32: one a bucket, one a language, the bias. Nothing is
executed on opening, sizes and hash are checked. A replaced scorer is the old one or the new one at any moment:
scorer.json is renamed into place after the weights are there.

Score = 1 / (1 + exp(-(slope * margin + shift))): by the calibration, the chance that a labeller would call the file
good, as long as files are mixed as the labelled ones were.
"""

import contextlib
import hashlib
import json
import math
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from starloom.errors import UserError

if TYPE_CHECKING:
    from starloom.quality.scorer.files import Files

NAME: Final = "scorer.json"
FORMAT: Final = "starloom-scorer"
VERSION: Final = 1  # of the format and of what a feature is
MOST_JSON: Final = 16 << 20  # bytes
_WEIGHTS = re.compile(r"weights-[0-9a-f]{16}\.f32")
_AGAIN = "make it again with `starloom scorer train LABELS.jsonl --out DIR`"


@dataclass(eq=False)
class LinearScorer:
    """Weights float32[2**bits], one weight a language, the bias; `facts`: how it was made and how well it does."""

    orders: int
    weights: NDArray[np.float32]
    languages: dict[str, float]
    bias: float
    slope: float = 1.0
    shift: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)
    name: str = "token n-grams"

    def margins(self, files: "Files") -> NDArray[np.float64]:
        """float64[n], before calibration."""
        from starloom.kernels.ngrams import margins

        found = margins(files.offsets, files.data, self.weights, self.orders)
        languages = np.array([self.languages.get(one or "", 0.0) for one in files.languages])
        return np.asarray(found + self.bias + languages)

    def score(self, files: "Files") -> NDArray[np.float32]:
        margin = np.clip(self.slope * self.margins(files) + self.shift, -80, 80)
        return np.asarray(1.0 / (1.0 + np.exp(-margin))).astype(np.float32)


def write(folder: Path, scorer: LinearScorer) -> None:
    """Into `folder`, made where it is missing; a scorer there before is replaced. Raises UserError."""
    tail = np.array([*scorer.languages.values(), scorer.bias], dtype=np.float32)
    data = np.concatenate([scorer.weights, tail]).astype("<f4").tobytes()
    digest = hashlib.sha256(data).hexdigest()
    weights = f"weights-{digest[:16]}.f32"
    table = {
        "format": FORMAT,
        "version": VERSION,
        "kind": scorer.name,
        "orders": scorer.orders,
        "buckets": len(scorer.weights),
        "languages": list(scorer.languages),
        "calibration": {"slope": scorer.slope, "shift": scorer.shift},
        "weights": {"file": weights, "sha256": digest, "bytes": len(data)},
        **scorer.facts,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _put(folder / weights, data)
        _put(folder / NAME, (json.dumps(table, ensure_ascii=False, indent=1) + "\n").encode())
        for path in folder.iterdir():
            if _WEIGHTS.fullmatch(path.name) and path.name != weights:
                path.unlink()
    except OSError as problem:
        raise UserError(f"cannot write the scorer to {folder}: {problem.strerror}", "choose another folder") from None


def _put(path: Path, data: bytes) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}.aside")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        with contextlib.suppress(OSError):
            aside.unlink()


def weights_name(folder: Path) -> str:
    """The file of weights beside scorer.json. Raises UserError where that is damaged."""
    name = _dictionary(_table(folder), "weights", folder).get("file")
    if not isinstance(name, str) or not _WEIGHTS.fullmatch(name):
        raise UserError(f"{folder / NAME} is damaged: it names no weights", _AGAIN)
    return name


def read(folder: Path) -> LinearScorer:
    """The scorer in `folder`. Raises UserError where it is damaged, or of another version."""
    from starloom.kernels.ngrams import BITS, ORDERS

    table = _table(folder)
    orders, buckets, languages = table.get("orders"), table.get("buckets"), table.get("languages")
    calibration, weights = _dictionary(table, "calibration", folder), _dictionary(table, "weights", folder)
    slope, shift = calibration.get("slope"), calibration.get("shift")
    if (
        type(orders) is not int
        or orders not in ORDERS
        or type(buckets) is not int
        or buckets not in {1 << bits for bits in BITS}
        or not isinstance(languages, list)
        or not all(isinstance(one, str) for one in languages)
        or len(set(languages)) != len(languages)
        or not all(isinstance(one, float | int) and math.isfinite(one) for one in (slope, shift))
    ):
        raise UserError(f"{folder / NAME} is damaged: a value is missing or out of its range", _AGAIN)
    path = folder / weights_name(folder)
    size = 4 * (buckets + len(languages) + 1)
    try:
        if path.stat().st_size != size:
            raise UserError(f"{path} has {path.stat().st_size:,} bytes, not {size:,}", _AGAIN)
        data = path.read_bytes()
    except OSError as problem:
        raise UserError(f"cannot read {path}: {problem.strerror}", _AGAIN) from None
    if hashlib.sha256(data).hexdigest() != weights.get("sha256"):
        raise UserError(f"{path} is damaged: its hash is not the one in {NAME}", _AGAIN)
    values = np.frombuffer(data, dtype="<f4").astype(np.float32)
    if not np.isfinite(values).all():
        raise UserError(f"{path} is damaged: a weight is no number", _AGAIN)
    by_language = dict(zip(languages, values[buckets:-1].tolist(), strict=True))
    facts: dict[str, Any] = {key: table[key] for key in ("training", "held_out") if key in table}
    return LinearScorer(
        orders, values[:buckets], by_language, float(values[-1]), float(slope or 0), float(shift or 0), facts
    )


def _table(folder: Path) -> dict[str, Any]:
    path = folder / NAME
    try:
        if path.stat().st_size > MOST_JSON:
            raise UserError(f"{path} is larger than {MOST_JSON >> 20} MB: it is no {NAME}", _AGAIN)
        table = json.loads(path.read_bytes())
    except OSError as problem:
        raise UserError(f"cannot read {path}: {problem.strerror}", _AGAIN) from None
    except (ValueError, RecursionError):
        raise UserError(f"{path} is not JSON", _AGAIN) from None
    if not isinstance(table, dict) or table.get("format") != FORMAT:
        raise UserError(f"{path} is no scorer of Starloom's", _AGAIN)
    if table.get("version") != VERSION:
        raise UserError(f"{path} is of version {table.get('version')!r}; this Starloom reads {VERSION}", _AGAIN)
    return table


def _dictionary(table: dict[str, Any], key: str, folder: Path) -> dict[str, Any]:
    found = table.get(key)
    if not isinstance(found, dict):
        raise UserError(f"{folder / NAME} is damaged: `{key}` is missing", _AGAIN)
    return found
