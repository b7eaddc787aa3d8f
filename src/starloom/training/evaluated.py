"""What a run measured of itself while it was trained: `models/RUN/evaluations.jsonl`, a line an evaluation. Torch-free.

`evaluation` makes these lines, `metrics` writes them, `curve` draws them; `starloom status` tells of the last one.
"""

import contextlib
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

FILE: Final = "evaluations.jsonl"
PICTURE: Final = "evaluations.svg"


@dataclass(frozen=True)
class Evaluated:
    """One evaluation, of the weights as they are after `step` (not of their average).

    bits_per_byte: over all held-out text drawn; NaN of a model that has diverged. languages: the same by language, the
    one with most text first. filled, gaps: lines that were filled in exactly, of how many. bytes: of that text.
    seconds: that it took.
    """

    step: int
    bits_per_byte: float
    languages: dict[str, float]
    filled: int
    gaps: int
    bytes: int
    seconds: float

    def values(self) -> dict[str, Any]:
        """As JSON has it: what is no number as null."""
        languages = {name: _written(value) for name, value in self.languages.items()}
        return asdict(self) | {"bits_per_byte": _written(self.bits_per_byte), "languages": languages}

    def to_line(self) -> str:
        return json.dumps(self.values(), ensure_ascii=False, allow_nan=False) + "\n"

    def words(self) -> str:
        """For the terminal."""
        filled = f", {self.filled} of {self.gaps} gaps filled exactly" if self.gaps else ""
        return f"step {self.step:,}: {self.bits_per_byte:.3f} bits per byte on held-out repositories{filled}"


def read(folder: Path) -> list[Evaluated]:
    """What the evaluations.jsonl of a run's folder says, in order; lines that are not whole are passed over. Empty
    where there is none."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    found = []
    for line in text.splitlines():
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
            values = json.loads(line)
            values["bits_per_byte"] = _read(values["bits_per_byte"])
            values["languages"] = {str(name): _read(value) for name, value in values["languages"].items()}
            whole = {name: int(values[name]) for name in ("step", "filled", "gaps", "bytes")}
            found.append(Evaluated(**(values | whole | {"seconds": float(values["seconds"])})))
    return found


def last(folder: Path) -> Evaluated | None:
    """The newest of them; None where there is none."""
    found = read(folder)
    return found[-1] if found else None


def _written(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _read(value: Any) -> float:
    return math.nan if value is None else float(value)
