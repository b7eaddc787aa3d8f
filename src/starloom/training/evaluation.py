"""Evaluation while a model is trained: bits per byte by language and lines filled in, on held-out repositories.

The same files and gaps each time, so the figures of a run compare with each other; the files are those that `starloom
eval run` draws with seed 0, scored in the same way. A gap is the rest of a line, and it is filled if greedy decoding
gives just that and stops: one pass over prompt and answer tells.

Every process computes all of it: under sharding a forward pass needs all of them.
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from torch import Tensor, nn

from starloom.errors import UserError
from starloom.kernels.random import keyed_uint64s
from starloom.progress import task
from starloom.starcoder2.likelihood import WINDOW, bits, is_greedy
from starloom.tokens import held_out, prompt
from starloom.tokens.held_out import HeldOutFile
from starloom.tokens.packed import Shards
from starloom.tokens.tokenizer import Tokenizer
from starloom.training.evaluated import Evaluated
from starloom.training.settings import TrainSettings
from starloom.training.world import World

_SEED: Final = 0
_LEAST_GAP: Final = 8  # characters, blanks at the ends aside
_MOST_GAP: Final = 80


@dataclass(frozen=True)
class Gap:
    """A line's rest to be filled in: token ids."""

    prompt: list[int]
    answer: list[int]


class Evaluator:
    """Measures a model that is trained on what `root` holds out. read: what it is trained on, where that is known.

    Raises UserError where nothing is held out, or is trained on.
    """

    def __init__(
        self,
        root: Path,
        settings: TrainSettings,
        tokenizer: Tokenizer,
        world: World,
        read: Sequence[Shards] = (),
    ) -> None:
        files = [one for one in held_out.sample(root, settings.evaluate_bytes, _SEED) if one.content]
        if not files:
            raise UserError(
                f"all files drawn from what {root} holds out are empty: nothing to evaluate on",
                "raise evaluate_bytes in [train], or set evaluate_every = 0",
            )
        held_out.refuse_read(files, read)
        self._every, self._world = settings.evaluate_every, world
        self._window = min(settings.model(tokenizer.vocabulary).max_position_embeddings, WINDOW)
        self._files = files
        self._documents = held_out.documents(tokenizer, files)
        self._gaps = gaps(tokenizer, files, settings.infill, self._window) if tokenizer.markers else []
        self._stops = tokenizer.stops
        self._vocabulary = tokenizer.vocabulary

    def due(self, step: int, last: int) -> bool:
        """Whether `step` of `last` is followed by one."""
        return step % self._every == 0 or step == last

    def evaluate(self, objective: nn.Module, step: int) -> Evaluated:
        """The objective's model as it is after `step`: its own weights, not their average. All processes call it, and
        get the same."""
        started = time.monotonic()
        model = _Trained(objective, self._window, self._vocabulary)
        spent: dict[str, float] = defaultdict(float)
        size: dict[str, int] = defaultdict(int)
        training = objective.training
        objective.eval()
        try:
            with task("evaluating", sum(map(len, self._documents)), "tokens") as bar:
                for file, ids in zip(self._files, self._documents, strict=True):
                    language = file.language or "other"
                    spent[language] += float(bits(model, ids, self._window).sum())
                    size[language] += len(file.content.encode())
                    bar.advance(len(ids))
                filled = sum(is_greedy(model, one.prompt, one.answer, self._stops) for one in self._gaps)
        finally:
            objective.train(training)
        # Devices may round otherwise; what all of them tell is the first one's.
        own = [*spent.values(), filled, time.monotonic() - started]
        *totals, filled_there, seconds = self._world.sums(own if self._world.first else [0.0] * len(own))
        spent = dict(zip(spent, totals, strict=True))
        return Evaluated(
            step=step,
            bits_per_byte=round(sum(spent.values()) / sum(size.values()), 5),
            languages={name: round(spent[name] / size[name], 5) for name in sorted(size, key=lambda one: -size[one])},
            filled=int(filled_there),
            gaps=len(self._gaps),
            bytes=sum(size.values()),
            seconds=round(seconds, 2),
        )


def gaps(tokenizer: Tokenizer, files: list[HeldOutFile], most: int, window: int) -> list[Gap]:
    """At most `most` gaps, one a file at most: in which files, lines and columns is a function of their names."""
    order = keyed_uint64s(_SEED, "gap", (f"{one.repo_name}\0{one.path}" for one in files))
    found: list[Gap] = []
    for number in order.argsort().tolist():
        if len(found) == most:
            break
        cut = _cut(files[number].content, int(order[number]))
        if cut is None:
            continue
        before, rest, after = cut
        answer = list(tokenizer.encode(rest))
        room = window - len(answer)
        if room < window // 2:
            continue
        asked = prompt.build(tokenizer, before, after, path=files[number].path, room=room, fit=True)
        found.append(Gap(asked.ids, answer))
    return found


def _cut(text: str, drawn: int) -> tuple[str, str, str] | None:
    """(before, the rest of a line, after): which line, and from which of its characters on, `drawn` tells. None where
    no line will do: the first and the last never do, and others by the length of their text."""
    lines = text.split("\n")
    able = [number for number, line in enumerate(lines[1:-1], 1) if _LEAST_GAP <= len(line.strip()) <= _MOST_GAP]
    if not able:
        return None
    number = able[drawn % len(able)]
    line = lines[number]
    start = len(line) - len(line.lstrip())
    column = start + (drawn // len(able)) % (len(line.strip()) - _LEAST_GAP + 1)
    before, after = "\n".join([*lines[:number], line[:column]]), "\n".join(["", *lines[number + 1 :]])
    return before, line[column:], after


class _Trained:
    """The objective as a Predictor."""

    def __init__(self, objective: nn.Module, context: int, vocabulary: int) -> None:
        self._objective, self.context, self.vocabulary = objective, context, vocabulary
        self._device = next(objective.parameters()).device

    def logits(self, ids: Tensor) -> Tensor:
        found: Tensor = self._objective(ids.to(self._device))
        return found
