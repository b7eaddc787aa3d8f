"""What a run reads: its samples, opened when it begins and, from its record, ever after. Torch-free.

A step's samples are a function of (tokens, recipe, step), and the record has all three; so nothing is logged while a
run runs, and what any step read can be told as long as its tokens are there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from starloom.errors import UserError
from starloom.settings import load
from starloom.tokens.mixture import MixtureSource
from starloom.tokens.samples import Recipe, Samples, open_sources
from starloom.training import runs
from starloom.training.runs import Record, Run
from starloom.training.settings import TrainSettings


def samples(root: Path, settings: TrainSettings, mixture: Sequence[MixtureSource], padding: int = 0) -> Samples:
    """Of a run that begins, or goes on. padding: the token that fills rows; who asks where something is needs none.

    Raises UserError: no tokens, damaged ones, of another mixture.
    """
    return _samples(root, settings.outcome(), mixture, padding)


def samples_of(root: Path, run: Run) -> Samples:
    """Of a run that was recorded. Raises UserError where its tokens are no longer those that it read, and for a run
    of an older Starloom."""
    if run.record.format < runs.FORMAT:
        raise UserError(
            f"run {run.name} was begun by an older Starloom, which did not record what it reads",
            f"begin it anew: `starloom train {run.name} --restart`",
        )
    path = run.folder / runs.RECORD
    mixture = tuple(load(one, MixtureSource, f"{path}, mixture") for one in run.record.mixture)
    try:
        found = _samples(root, run.record.settings, mixture, padding=0)
    except (KeyError, TypeError, ValueError) as problem:
        raise UserError(
            f"{path} is damaged ({problem})", f"begin the run anew: `starloom train {run.name} --restart`"
        ) from None
    if found.fingerprint != run.record.tokens:
        raise UserError(
            f"run {run.name} read tokens ({run.record.tokens[:12]}) that are no longer here: {root / 'tokens'} was "
            f"packed again ({found.fingerprint[:12]})",
            "put back the dataset and settings of then and run `starloom pack`: the same inputs give the same bytes",
        )
    return found


def differences(
    record: Record, settings: TrainSettings, mixture: Sequence[MixtureSource], samples: Samples
) -> list[str]:
    """In words, how a run that was recorded differs from what it would be now; empty when it would be the same.

    A setting that was not there yet when the run began had its default.
    """
    tokenizer = samples.sources[0].packed.tokenizer
    record = replace(record, settings=TrainSettings().outcome() | record.settings)
    return runs.differences(record, settings.outcome(), recorded(mixture), samples.fingerprint, tokenizer)


def recorded(mixture: Sequence[MixtureSource]) -> list[dict[str, Any]]:
    """The mixture as a run's record has it."""
    rows = (asdict(one) for one in mixture)
    return [{name: list(value) if isinstance(value, tuple) else value for name, value in row.items()} for row in rows]


def _samples(root: Path, settings: Mapping[str, Any], mixture: Sequence[MixtureSource], padding: int) -> Samples:
    weights = tuple((one.name, one.weight) for one in mixture if one.weight)
    recipe = Recipe(
        sequence=settings["sequence"],
        seed=settings["seed"],
        packing=settings["packing"],
        weights=weights,
        block=settings["block"],
    )
    return Samples(open_sources(root, mixture), recipe, padding)
