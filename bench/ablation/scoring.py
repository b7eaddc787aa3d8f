"""What a model is worth on held-out text: bits of every file, and of lines that are to be filled in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from ablation.arms import Text
from starloom.kernels.random import keyed_uint64
from starloom.starcoder2.likelihood import bits
from starloom.starcoder2.open import CausalModel, open_model
from starloom.tokens import redacted
from starloom.tokens.tokenizer import Tokenizer

WINDOW: Final = 512  # tokens: as long as the rows that are trained on
_PREFIX, _SUFFIX, _MIDDLE = 256, 128, 64  # tokens of a problem, at most
_SHORTEST, _LONGEST = 4, 100  # characters of a line that is asked for

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """A line to be filled in: ids of the whole row, where its middle begins, and of which text it is."""

    text: int
    ids: list[int]
    middle: int
    bytes: int


@dataclass(frozen=True)
class Scores:
    """Of one model on one held-out text."""

    bits: Floats  # [files]
    middle_bits: Floats  # [problems], of the line alone
    right: Floats  # [problems]: tokens of the line that are the likeliest ones where they stand
    exact: NDArray[np.bool_]  # [problems]: all of them are: greedy decoding gives that line


def documents(tokenizer: Tokenizer, texts: list[Text]) -> list[list[int]]:
    """Each text as a document of its own, as `starloom eval` gives it."""
    markers = tokenizer.markers
    assert markers
    assert markers.file_sep is not None
    parts = [
        redacted.parts(one.content, redacted.markers(one.content, one.redactions, tokenizer.marked)) for one in texts
    ]
    return [[markers.file_sep, *ids] for ids in tokenizer.encode_parts(parts)]


def problems(tokenizer: Tokenizer, texts: list[Text], seed: int) -> list[Problem]:
    """One line of every file that has one: not blank, of 4 to 100 characters, drawn by `seed`; what stands before and
    after it, as far as it fits, in the order prefix, suffix, middle."""
    markers = tokenizer.markers
    assert markers
    assert markers.file_sep is not None
    found = []
    for number, text in enumerate(texts):
        lines = text.content.splitlines(keepends=True)
        fit = [at for at, line in enumerate(lines) if _SHORTEST <= len(line.strip()) <= _LONGEST]
        if len(lines) < 3 or not fit:
            continue
        at = fit[keyed_uint64(seed, "ablation line", f"{text.repo_name}\0{text.path}") % len(fit)]
        middle = lines[at].strip()
        before, after = lines[at].split(middle, 1)
        ids = tokenizer.encode(middle)
        if len(ids) > _MIDDLE:
            continue
        prefix = tokenizer.encode("".join(lines[:at]) + before)[-_PREFIX:]
        suffix = tokenizer.encode(after + "".join(lines[at + 1 :]))[:_SUFFIX]
        head = [markers.file_sep, markers.prefix, *prefix, markers.suffix, *suffix, markers.middle]
        found.append(Problem(number, head + ids, len(head), len(middle.encode())))
    return found


def score(folder: Path, texts: list[list[int]], asked: list[Problem]) -> Scores:
    """What the model in `folder` is worth, on one thread."""
    torch.set_num_threads(1)
    model = open_model(folder)
    found = [_filled(model, one) for one in asked]
    return Scores(
        np.array([bits(model, ids, WINDOW).sum() for ids in texts]),
        np.array([one for one, _ in found]),
        np.array([right for _, right in found], np.float64),
        np.array([right == len(one.ids) - one.middle for one, (_, right) in zip(asked, found)]),
    )


@torch.inference_mode()
def _filled(model: CausalModel, problem: Problem) -> tuple[float, int]:
    """(bits of the middle, how many of its tokens are the likeliest ones)."""
    ids = torch.tensor(problem.ids)
    logits = model.logits(ids[None, :-1])[0, problem.middle - 1 :].double()  # [tokens of the middle, V]
    wanted = ids[problem.middle :]
    nats = logits.logsumexp(1) - logits.gather(1, wanted[:, None])[:, 0]
    return float(nats.sum() / np.log(2)), int((logits.argmax(1) == wanted).sum())
