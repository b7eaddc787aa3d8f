"""What a run's step read: the files, repositories and licences of its batch. Torch-free.

The batch of a step is a function of the run's record and its tokens, and the tokens say which file lies where: so any
step of any run can be asked, before and after it was done. Cost: what is said of the files in the streams it reads.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from starloom.errors import UserError
from starloom.identity import content_swhid
from starloom.tokens.packed import Shards
from starloom.tokens.samples import Samples
from starloom.tokens.tokenizer import Tokenizer
from starloom.training.runs import Run

NO_LICENSE = "no licence recorded"  # of a file


@dataclass(frozen=True)
class TracedFile:
    """A file in a sample. tokens: of it in there, its marker included; it may have more elsewhere (`whole`: it has
    not). license_type, detected_licenses: as the dataset had them when it was packed; None, (): not known."""

    repo_name: str
    path: str
    content_id: str  # empty where the tokens were imported
    license_type: str | None
    detected_licenses: tuple[str, ...]
    tokens: int
    whole: bool

    @property
    def license(self) -> str:
        """In a word or two."""
        return " and ".join(self.detected_licenses) or self.license_type or NO_LICENSE

    def to_json(self) -> dict[str, Any]:
        return {
            "repo_name": self.repo_name,
            "path": self.path,
            "content_id": self.content_id,
            "swhid": content_swhid(self.content_id) if self.content_id else None,
            "license_type": self.license_type,
            "detected_licenses": list(self.detected_licenses),
            "tokens": self.tokens,
            "whole": self.whole,
        }


@dataclass(frozen=True)
class TracedStretch:
    """A part of a document in a sample: `tokens` of the stream from `first_token` on."""

    repo_name: str
    first_token: int
    tokens: int
    files: tuple[TracedFile, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "repo_name": self.repo_name,
            "first_token": self.first_token,
            "tokens": self.tokens,
            "files": [one.to_json() for one in self.files],
        }


@dataclass(frozen=True)
class TracedSample:
    """A sample of a step. number: within the step, from 1. position: in the whole training, from 0. row: of the
    packing of this variant of the source. padding: tokens without text behind the stretches."""

    number: int
    position: int
    source: str
    epoch: int
    variant: int
    row: int
    padding: int
    stretches: tuple[TracedStretch, ...]

    @property
    def tokens(self) -> int:
        return sum(one.tokens for one in self.stretches)

    def to_json(self) -> dict[str, Any]:
        names = ("number", "position", "source", "epoch", "variant", "row", "tokens", "padding")
        return {name: getattr(self, name) for name in names} | {"stretches": [one.to_json() for one in self.stretches]}


@dataclass(frozen=True)
class Totals:
    """Of some samples. files: distinct ones; licenses: tokens by licence, the most first (of tokens in files)."""

    tokens: int
    padding: int
    files: int
    repositories: int
    licenses: Mapping[str, int]


def trace(run: Run, samples: Samples, step: int, sample: int | None = None) -> tuple[TracedSample, ...]:
    """The samples of `step` (from 1), or the one of that number in it. Raises UserError where the run has no such step
    or sample, or what its tokens say of themselves is damaged."""
    batch, steps = int(run.record.settings["batch"]), run.record.steps
    if step < 1 or (steps and step > steps):
        raise UserError(
            f"run {run.name} has no step {step:,}",
            f"its steps are 1 to {steps:,}" if steps else "its steps count from 1",
        )
    if sample is not None and not 1 <= sample <= batch:
        raise UserError(f"a step of run {run.name} has no sample {sample:,}", f"its samples are 1 to {batch:,}")
    numbers = range(1, batch + 1) if sample is None else [sample]
    positions = np.array([(step - 1) * batch + number - 1 for number in numbers], dtype=np.int64)
    where = samples.where(positions)
    found = []
    for at, (number, position) in enumerate(zip(numbers, positions.tolist(), strict=True)):
        source, epoch, row = int(where.source[at]), int(where.epoch[at]), int(where.row[at])
        variant = samples.variant(source, epoch)
        stretches = _stretches(samples, source, variant, row)
        padding = samples.recipe.sequence - sum(one.tokens for one in stretches)
        name = samples.sources[source].name
        found.append(TracedSample(number, position, name, epoch, variant, row, padding, stretches))
    return tuple(found)


def totals(samples: Sequence[TracedSample]) -> Totals:
    stretches = [stretch for one in samples for stretch in one.stretches]
    files = [file for stretch in stretches for file in stretch.files]
    licenses = Counter[str]()
    for file in files:
        licenses[file.license] += file.tokens
    return Totals(
        tokens=sum(one.tokens for one in stretches),
        padding=sum(one.padding for one in samples),
        files=len({(one.repo_name, one.path, one.content_id) for one in files}),
        repositories=len({one.repo_name for one in stretches}),
        licenses=dict(sorted(licenses.items(), key=lambda one: (-one[1], one[0]))),
    )


def ids(samples: Samples, sample: TracedSample) -> list[list[int]]:
    """The tokens of each of its stretches. Raises UserError for a damaged shard."""
    shards = samples.stream(samples.names.index(sample.source), sample.variant)
    return [shards.read(one.first_token, one.first_token + one.tokens).tolist() for one in sample.stretches]


def tokenizer_of(root: Path, run: Run) -> Tokenizer:
    """The one that the run's tokens are of: the workspace's, or the copy beside its model. Raises UserError."""
    for folder in (root / "tokenizer", run.model):
        try:
            found = Tokenizer.open(folder)
        except UserError:
            continue
        if found.sha256 == run.record.tokenizer:
            return found
    raise UserError(
        f"the tokenizer of run {run.name} ({run.record.tokenizer[:12]}) is no longer here",
        "leave --text away: files, repositories and licences are told without it",
    )


def _stretches(samples: Samples, source: int, variant: int, row: int) -> tuple[TracedStretch, ...]:
    shards = samples.stream(source, variant)
    segments = samples.packing(source, variant).segments(np.array([row], dtype=np.int64))
    found = []
    for start, length in zip(segments.starts.tolist(), segments.lengths.tolist(), strict=True):
        (document,) = shards.documents_between(start, start + 1)
        (repo_name,) = shards.repo_names([document])
        files = _files(shards, repo_name, start, start + length)
        found.append(TracedStretch(repo_name, start, length, files))
    return tuple(found)


def _files(shards: Shards, repo_name: str, start: int, stop: int) -> tuple[TracedFile, ...]:
    """Of one document's stretch; the parts of a file that is cut for fill-in-the-middle are one."""
    found: dict[tuple[str, str], TracedFile] = {}
    for row in shards.pieces(start, stop).to_pylist():
        first, end = row["first_token"], row["first_token"] + row["tokens"]
        key = (row["path"], row["content_id"])
        before = found.get(key)
        inside = min(end, stop) - max(first, start)
        found[key] = TracedFile(
            repo_name,
            *key,
            row["license_type"],
            tuple(row["detected_licenses"] or ()),
            inside + (before.tokens if before else 0),
            start <= first and end <= stop and (before is None or before.whole),
        )
    return tuple(found.values())
