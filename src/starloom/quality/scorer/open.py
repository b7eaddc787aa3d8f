"""One way to any scorer: the heuristics, token n-grams learned by `learning`, or a Hugging Face text classifier."""

import functools
import json
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.outside import file_marks
from starloom.quality import heuristics
from starloom.quality.scorer import linear, text_classifier
from starloom.quality.scorer.files import Files
from starloom.quality.settings import HEURISTICS, QualitySettings


class Scorer(Protocol):
    """`name`: for people. `score`: float32[n], 0 to 1, more is better."""

    name: str

    def score(self, files: Files) -> NDArray[np.float32]: ...


class HeuristicScorer:
    """`heuristics.score`."""

    name = HEURISTICS

    def score(self, files: Files) -> NDArray[np.float32]:
        return heuristics.score(files.offsets, files.data, files.kinds).score


def open_scorer(settings: QualitySettings) -> Scorer:
    """The scorer of `settings`, kept while its files stay the same. Raises UserError where it cannot be opened."""
    return _opened(settings, mark(settings))


@functools.lru_cache(maxsize=4)
def _opened(settings: QualitySettings, _mark: str) -> Scorer:
    if settings.scorer == HEURISTICS:
        return HeuristicScorer()
    folder = _folder(settings.scorer)
    if (folder / linear.NAME).is_file():
        return linear.read(folder)
    return text_classifier.TextClassifier(folder, settings)


def mark(settings: QualitySettings) -> str:
    """Sixteen hex digits over the files of the scorer's folder that have a say, for fingerprints; "" for the
    heuristics. Raises UserError where they cannot be read."""
    if settings.scorer == HEURISTICS:
        return ""
    folder = _folder(settings.scorer)
    try:
        if (folder / linear.NAME).is_file():
            paths = [folder / linear.NAME, folder / linear.weights_name(folder)]
        else:
            paths = sorted(one for one in folder.iterdir() if one.suffix in text_classifier.SUFFIXES and one.is_file())
        return file_marks.mark(paths)
    except OSError as problem:
        raise UserError(f"cannot read the scorer {folder}: {problem.strerror}", "make its files readable") from None


def _folder(scorer: str) -> Path:
    folder = Path(scorer).expanduser()
    if not folder.is_dir():
        raise UserError(
            f"[quality] scorer = {json.dumps(scorer, ensure_ascii=False)} is no folder",
            f'"{HEURISTICS}", a folder made by `starloom scorer train LABELS.jsonl --out DIR`, or the folder of a '
            "Hugging Face text classifier",
        )
    if not (folder / linear.NAME).is_file() and not (folder / text_classifier.CONFIG).is_file():
        raise UserError(
            f"{folder} is no scorer: it has neither {linear.NAME} nor {text_classifier.CONFIG}",
            "make one with `starloom scorer train LABELS.jsonl --out DIR`",
        )
    return folder
