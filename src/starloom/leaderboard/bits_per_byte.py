"""Bits per byte on held-out repositories, beside an n-gram's on the same text.

A file is scored as a document of its own: its tokens after `<file_sep>` (or the end of a text, for models without one),
in windows of at most WINDOW tokens; bits are those of the text's tokens, bytes those of the text in UTF-8, so models of
different tokenizers compare. The n-gram (Kneser-Ney, order 7) is trained on tokens of the workspace and sees a file as
one piece. The interval is a percentile bootstrap over files: how much another sample of files would have moved it. What
the workspace's tokens hold is refused: it was held out only after they were packed, and learnt by heart.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from starloom import progress
from starloom.errors import UserError
from starloom.starcoder2.likelihood import WINDOW, bits
from starloom.starcoder2.open import open_model
from starloom.tokens import held_out
from starloom.tokens.held_out import HeldOutFile
from starloom.tokens.mixture import REST
from starloom.tokens.n_gram import NGram
from starloom.tokens.packed import Packed, Shards
from starloom.tokens.tokenizer import Tokenizer
from starloom.training import runs
from starloom.workspace import atomic
from starloom.workspace.manifest import fingerprint, hash_file

VERSION = 1
FOLDER = "evaluations"
N_GRAM_TOKENS = 8_000_000  # at most: 10 s on one core, 1 GB
_STRETCH = 1 << 16
_RESAMPLES = 1000
Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]


@dataclass(frozen=True)
class Score:
    """Bits per byte, and the interval in which 95 % of the resampled ones lie. `tokens_seen`: what it was trained on,
    where that is known."""

    name: str
    value: float
    low: float
    high: float
    tokens: int  # that the text came to
    tokens_seen: int | None


@dataclass(frozen=True)
class Evaluation:
    """What was scored, and how well."""

    task: str
    folder: Path  # where it stands
    files: int
    repositories: int
    bytes: int
    window: int
    model: Score
    n_gram: Score | None  # None where the workspace has no tokens

    def rows(self) -> list[dict[str, Any]]:
        """A row a model, as `--json` gives them."""
        shared = {"task": self.task, "metric": "bits per byte", "problems": self.files, "bytes": self.bytes}
        return [shared | asdict(one) for one in (self.model, self.n_gram) if one]

    def words(self) -> str:
        """For the terminal."""
        scores = [one for one in (self.model, self.n_gram) if one]
        width = max(len(one.name) for one in scores)
        head = (
            f"bits per byte (less is better) on {progress.counted(self.files, 'files')} of "
            f"{progress.counted(self.repositories, 'repositories')} held out ({progress.human(self.bytes, 'bytes')}):"
        )
        lines = [
            f"  {one.name:<{width}}  {one.value:.3f}  ({one.low:.3f} to {one.high:.3f})"
            + (f"  after {one.tokens_seen:,} tokens" if one.tokens_seen else "")
            for one in scores
        ]
        return "\n".join([head, *lines])


def evaluate(root: Path, model_name: str, most_bytes: int, seed: int) -> Evaluation:
    """Scores a run's model, or that of any Hugging Face folder, and writes evaluations/NAME/. Raises UserError."""
    folder = runs.resolve(root, model_name)
    run = next((one for one in runs.every(root) if one.model == folder), None)
    name = run.name if run else folder.resolve().name
    log = runs.losses(run.folder) if run else []
    files = [one for one in held_out.sample(root, most_bytes, seed) if one.content]  # nothing is no text to score
    if not files:
        raise UserError(
            f"all files drawn from what {root} holds out are empty", "draw more with `--bytes`, or others with `--seed`"
        )
    packed = Packed.open(root / "tokens") if (root / "tokens").is_dir() else None
    held_out.refuse_read(files, _trained(packed) if packed else ())
    sizes = np.array([len(one.content.encode()) for one in files], np.float64)
    model = open_model(folder)
    window = min(model.context, WINDOW)
    own = held_out.documents(Tokenizer.open(folder), files)
    with progress.task("model", sum(map(len, own)), "tokens") as bar:
        scored = np.zeros(len(own))
        for number, ids in enumerate(own):
            scored[number] = bits(model, ids, window).sum()
            bar.advance(len(ids))
    found = Evaluation(
        task="bits-per-byte",
        folder=root / FOLDER / name,
        files=len(files),
        repositories=len({one.repo_name for one in files}),
        bytes=int(sizes.sum()),
        window=window,
        model=_score(name, scored, sizes, own, log[-1].tokens if log else None, seed),
        n_gram=_n_gram(root, packed, files, sizes, seed) if packed else None,
    )
    _publish(found, {"most_bytes": most_bytes, "seed": seed}, folder)
    return found


def _trained(packed: Packed) -> list[Shards]:
    """What is trained on, in its first variant: the others hold the same files."""
    return [packed.stream(source, 0) for source in packed.sources if source != REST]


def _n_gram(root: Path, packed: Packed, files: Sequence[HeldOutFile], sizes: Floats, seed: int) -> Score:
    tokenizer = Tokenizer.open(root / "tokenizer")
    if tokenizer.sha256 != packed.tokenizer:
        raise UserError(
            f"{root / 'tokens'} was packed with another tokenizer than {root / 'tokenizer'}", "run `starloom pack`"
        )
    trained = _spread(_trained(packed))
    model = NGram.train(trained, packed.vocabulary)
    ids = held_out.documents(tokenizer, files)
    scored = np.array([model.bits(np.array(one))[1:].sum() for one in ids])
    return _score(f"{len(model.levels)}-gram", scored, sizes, ids, len(trained), seed)


def _spread(streams: Sequence[Shards]) -> Int64s:
    """All tokens; of more than N_GRAM_TOKENS, stretches at equal distances: streams are in the order of
    repositories."""
    total = sum(one.tokens for one in streams)
    if total <= N_GRAM_TOKENS:
        return np.concatenate([one.read(0, one.tokens) for one in streams])
    found = []
    for one in streams:
        stretches = -(-N_GRAM_TOKENS // _STRETCH * one.tokens // total)
        starts = np.linspace(0, max(one.tokens - _STRETCH, 0), stretches).astype(np.int64).tolist()
        found += [one.read(start, min(start + _STRETCH, one.tokens)) for start in starts]
    return np.concatenate(found)


def _score(
    name: str, scored: Floats, sizes: Floats, ids: Sequence[Sequence[int]], seen: int | None, seed: int
) -> Score:
    drawn = np.random.default_rng(seed).integers(0, len(sizes), (_RESAMPLES, len(sizes)))
    resampled = scored[drawn].sum(1) / sizes[drawn].sum(1)
    low, high = np.percentile(resampled, [2.5, 97.5])
    value = scored.sum() / sizes.sum()
    return Score(name, float(value), float(low), float(high), sum(map(len, ids)) - len(ids), seen)


def _publish(found: Evaluation, settings: dict[str, Any], model: Path) -> None:
    weights = sorted(model.glob("*.safetensors"))
    inputs = {path.name: hash_file(path) for path in (model / "config.json", *weights)}
    with atomic.publish(
        found.folder,
        kind="evaluation",
        version=VERSION,
        fingerprint=fingerprint(found.task, VERSION, settings, inputs),
        inputs=inputs,
        settings=settings,
        replace=True,
    ) as draft:
        draft.write(
            "scores.json", json.dumps({"scores": found.rows(), "window": found.window}, indent=1).encode() + b"\n"
        )
