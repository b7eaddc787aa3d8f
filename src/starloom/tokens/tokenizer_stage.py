"""`tokenizer`: a tokenizer learnt from the train split, or one taken as it is; and its report.

The sample has the shares of languages of what is trained on: of the mixture where there is one, else of the split
(sampling.py). The same dataset and settings give the same bytes. Cost for 49,152 tokens: 2.6 MB/s of the sample a core
to learn, 15 to count its tokens; 0.6 GB of memory for a sample of 50 MB, 1.05 GB for 200 MB.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from starloom import progress
from starloom.errors import UserError
from starloom.settings import as_json
from starloom.the_stack import tables
from starloom.tokens import byte_pairs, hub_format, sampling
from starloom.tokens.hub_format import FILE, FOLDER
from starloom.tokens.sampling import Files
from starloom.tokens.special_tokens import SPECIAL_IDS
from starloom.tokens.tokenizer import Tokenizer
from starloom.workspace.stage import Done, Job, Stage

VERSION: Final = 3
_TAKEN: Final = 50_000_000  # bytes of text on which the use of a tokenizer is counted that was not learnt from them


@dataclass(frozen=True)
class TokenizerSettings:
    """`[tokenizer]`."""

    vocabulary: int = 49_152  # tokens, special ones included; StarCoder2's
    base: str = ""  # a folder with a tokenizer.json, or such a file, to take instead of training one
    sample_bytes: int = 200_000_000  # of the train split, drawn at random in whole files
    shares: Literal["mixture", "dataset"] = "mixture"  # whose languages the sample has, in which shares
    seed: int = 0  # of that drawing

    def __post_init__(self) -> None:
        if self.vocabulary < byte_pairs.LEAST:
            raise UserError(
                f"[tokenizer] vocabulary = {self.vocabulary} is too small",
                f"at least {byte_pairs.LEAST}: the special tokens and the bytes",
            )
        if self.sample_bytes < 1:
            raise UserError(f"[tokenizer] sample_bytes = {self.sample_bytes} is no amount", "a number above 0")


@dataclass
class _Learnt:
    """What a tokenizer was trained on."""

    files: int = 0
    bytes: int = 0
    languages: Counter[str] = field(default_factory=Counter)  # bytes


def _run(job: Job) -> Done:
    from starloom.tokens import tokenizer_report

    settings: TokenizerSettings = job.settings.tokenizer
    hub_format.installed()
    learnt = _Learnt()
    base = _base(job) if settings.base else None
    sample = _sample(job, settings)
    made = _learn(settings, sample, learnt) if base is None else hub_format.read_files(base)
    tokenizer = Tokenizer(made, str(base or job.folder / FILE))
    report = tokenizer_report.measure(job.root, tokenizer, sample, settings.seed)
    with job.publish() as draft:
        for name, data in made.items():
            draft.write(name, data)
        draft.write(tokenizer_report.FILE, report.to_bytes())
        draft.facts = {
            "vocabulary": tokenizer.vocabulary,
            "tokenizer": tokenizer.sha256,
            "trained_files": learnt.files,
            "trained_bytes": learnt.bytes,
            "trained_languages": dict(sorted(learnt.languages.items(), key=lambda one: (-one[1], one[0]))),
            "measured_on": report.split if report.fit.bytes_per_token else "nothing",
            "bytes_per_token": report.fit.bytes_per_token,
            "hardly_used": report.hardly_used,
            "private": len(report.private),
        }
    note = f"{tokenizer.vocabulary:,} tokens, {report.fit.bytes_per_token:.2f} bytes each"
    return Done(learnt.bytes or report.sample_bytes, note)


def _sample(job: Job, settings: TokenizerSettings) -> tuple[Files, NDArray[np.bool_]]:
    """The files of the train split, and which of them are drawn."""
    mixture = job.settings.mixture if _mixed(job.settings) else ()
    files = sampling.files_of(tables.dataset(job.root, "files", "train"), settings.seed, mixture)
    size = min(settings.sample_bytes, _TAKEN) if settings.base else settings.sample_bytes
    chosen = sampling.draw(files, sampling.by_share(files, size), settings.seed)
    if len(files.sizes) and not chosen.any():
        names = ", ".join(one.name for one in mixture)
        raise UserError(
            f"no repository of the train split belongs to a source of the mixture ({names})",
            'mend the conditions under [[mixture]], or write `shares = "dataset"` under [tokenizer]',
        )
    return files, chosen


def _mixed(settings: Any) -> bool:
    """Whether the mixture has a say. What is taken as it is, is measured on the dataset's own shares: else weights that
    change would change its report, and what is made of it would be stale."""
    chosen: TokenizerSettings = settings.tokenizer
    return chosen.shares == "mixture" and not chosen.base and any(not one.tokens for one in settings.mixture)


def _learn(settings: TokenizerSettings, sample: tuple[Files, NDArray[np.bool_]], learnt: _Learnt) -> dict[str, bytes]:
    """The files of a new tokenizer; `learnt` is filled in."""
    files, chosen = sample
    with ExitStack() as bars:
        reading = bars.enter_context(progress.task("learning words", float(files.sizes[chosen].sum())))

        def texts() -> Iterator[list[str]]:
            for batch in sampling.read(files, chosen, SPECIAL_IDS):
                before = learnt.bytes
                for text in batch:
                    size = sum(len(one.encode()) for one in text.strings)  # a marker is no text to learn
                    learnt.files += 1
                    learnt.bytes += size
                    learnt.languages[text.language] += size
                reading.advance(learnt.bytes - before)
                yield [one for text in batch for one in text.strings]
            bars.close()
            bars.enter_context(progress.task("learning tokens from them", None))

        found = byte_pairs.learn(texts(), settings.vocabulary)
    came_out = found.get_vocab_size()
    if came_out < settings.vocabulary:
        raise UserError(
            f"[tokenizer] vocabulary = {settings.vocabulary}, but {progress.counted(learnt.files, 'files')} "
            f"({learnt.bytes:,} bytes) of the train split give only {came_out} tokens",
            f"set `vocabulary = {came_out}` or less in section [tokenizer] of starloom.toml, or run "
            f"`starloom tokenizer --vocabulary {came_out}`; or build a larger dataset",
        )
    data = str(found.to_str(pretty=True)).encode()
    return {FILE: data, **hub_format.companions()}


def _base(job: Job) -> Path:
    """What `base` names: relative to the workspace; the home folder's ~ is known."""
    given = Path(job.settings.tokenizer.base).expanduser()
    if not (job.root / given).exists():
        raise UserError(f"{given} is no folder", hub_format.remedy(given))
    return job.root / given


def _settings(settings: Any) -> Any:
    """Of a tokenizer that is taken, nothing but its files matters, which are looked at outside; and its report."""
    chosen: TokenizerSettings = settings.tokenizer
    if chosen.base:
        return {"base": True, "seed": chosen.seed, "sample_bytes": chosen.sample_bytes}
    mixture = [
        {"languages": one.languages, "repositories": one.repositories, "weight": one.weight}
        for one in settings.mixture
        if not one.tokens
    ]
    return {**as_json(chosen), **({"mixture": as_json(mixture)} if _mixed(settings) else {})}


def _outside(job: Job) -> Mapping[str, str]:
    if not job.settings.tokenizer.base:
        return {}
    files = hub_format.read_files(_base(job))
    return {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}


STAGE = Stage(
    name="tokenizer",
    folder=FOLDER,
    version=VERSION,
    reads=(tables.DATASET,),
    settings=_settings,
    run=_run,
    outside=_outside,
)
