"""Names, and whatever else a model tells: any Hugging Face token classifier whose labels are kinds of ours (StarPII's).

A folder with config.json, safetensors weights and a fast tokenizer, here or on the Hub (see model_folder). No code of
the folder is run, no pickle is opened.

A text of any length is seen in windows that overlap; each token's label is taken from the window in which it stands
farther from the edge, where BigCode's pipeline averages over both. Windows go through the model by length, so that
there is little padding. Memory beside the model: that of ~1,000 windows, whatever the texts.

Cost: some KB of text a second on a CPU core for a model of 100 million weights: for small datasets, or a GPU.
"""

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from starloom.errors import UserError
from starloom.outside.hub_models import open_classifier
from starloom.privacy import model_folder
from starloom.privacy.finding import Finding
from starloom.privacy.labelled_tokens import Label, Token, findings, label_of

PIECE: Final = 1 << 15  # characters that are made tokens at once
_BOTH: Final = 512  # characters that two neighbouring pieces share
_ROUND: Final = 1024  # windows that are gathered before they are sorted by length
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class NamesModelSettings:
    """The model and how it is asked."""

    model: str = ""  # a folder, or hub:OWNER/NAME[@REVISION]; none by default
    window: int = 512  # tokens that it sees at once
    overlap: int = 64  # of them that the next window sees again
    batch: int = 16  # windows at once
    least: float = 0.5  # confidence, below which nothing is found
    device: str = "cpu"  # as PyTorch names it


class _Window(NamedTuple):
    ids: list[int]
    first: int  # the tokens of the window whose labels count …
    last: int  # … up to here
    at: int  # the number of its first token in its piece


@dataclass
class _Piece:
    row: int
    bounds: list[tuple[int, int]]  # of each token, in characters of the text
    labelled: list[tuple[int, int, float]]  # token of the piece, label, probability


class NamesModel:
    """`name`: for people. `labels`: by output of the model; None: nothing to hide."""

    def __init__(self, folder: Path, settings: NamesModelSettings) -> None:
        _check(settings)
        self.name = f"names model {folder.name}"
        self.settings = settings
        self._tokenizer, self._model = _opened(folder, settings)
        names = {int(place): str(name) for place, name in self._model.config.id2label.items()}
        self.labels: list[Label | None] = [label_of(names.get(place, "")) for place in range(len(names))]
        if not any(self.labels):
            raise UserError(
                f"{folder} tells nothing that is private: its labels are {', '.join(list(names.values())[:10])}",
                "give a token classifier with labels as NAME, EMAIL, KEY, PASSWORD, IP_ADDRESS, USERNAME (B-NAME …)",
            )
        # What a text stands between: found by looking, as tokenizers differ.
        sample = self._tokenizer("a", return_special_tokens_mask=True)
        mask = sample["special_tokens_mask"]
        text = [place for place, special in enumerate(mask) if not special] or [len(mask)]
        self._before: list[int] = sample["input_ids"][: text[0]]
        self._after: list[int] = sample["input_ids"][text[-1] + 1 :]
        most = min(settings.window, int(min(self._tokenizer.model_max_length, 1 << 30)))
        positions = getattr(self._model.config, "max_position_embeddings", None)
        if isinstance(positions, int) and positions > 2:
            most = min(most, positions - 2)  # RoBERTa and its kin keep two positions to themselves
        self._most = max(most - len(self._before) - len(self._after), 1)
        self._overlap = min(settings.overlap, self._most // 2)
        self._pad = self._tokenizer.pad_token_id or 0

    def find(self, texts: Sequence[str]) -> list[list[Finding]]:
        """Of each text what the model finds private in it, in characters, in order, none overlapping."""
        tokens: list[list[Token]] = [[] for _ in texts]
        numbers = [0] * len(texts)
        waiting: list[tuple[_Piece, list[_Window]]] = []

        def run() -> None:
            self._label([(piece, window) for piece, windows in waiting for window in windows])
            for piece, _ in waiting:
                for place, label, probability in sorted(piece.labelled):
                    told = self.labels[label]
                    if told is not None:
                        tokens[piece.row].append(
                            Token(numbers[piece.row] + place, *piece.bounds[place], told, probability)
                        )
                numbers[piece.row] += len(piece.bounds)
            waiting.clear()

        gathered = 0
        for row, text in enumerate(texts):
            for piece, windows in self._pieces(row, text):
                waiting.append((piece, windows))
                gathered += len(windows)
                if gathered >= _ROUND:
                    run()
                    gathered = 0
        run()
        return [findings(text, some, self.settings.least) for text, some in zip(texts, tokens)]

    def _pieces(self, row: int, text: str) -> Iterator[tuple[_Piece, list[_Window]]]:
        """The text's tokens, each in one piece: the one in which it begins farther from an edge."""
        start = 0
        while start < len(text):
            end = min(start + PIECE, len(text))
            first = start + _BOTH // 2 if start else 0
            last = end - _BOTH // 2 if end < len(text) else end
            made = self._tokenizer(
                _SURROGATE.sub("\ufffd", text[start:end]),
                add_special_tokens=False,
                return_offsets_mapping=True,
                return_attention_mask=False,
                split_special_tokens=True,  # a `[SEP]` in a text is text
                verbose=False,
            )
            bounds = [(a + start, b + start) for a, b in made["offset_mapping"]]
            owned = [place for place, (a, b) in enumerate(bounds) if first <= a < last and a < b]
            if owned:
                kept = _Piece(row, bounds[owned[0] : owned[-1] + 1], [])
                yield kept, list(self._windows(made["input_ids"], owned[0], owned[-1] + 1))
            start = end - _BOTH if end < len(text) else end

    def _windows(self, ids: list[int], first: int, last: int) -> Iterator[_Window]:
        """Windows over a piece; of its tokens `first` to `last` each is told by one of them. Numbered from `first`."""
        half = self._overlap // 2
        for at in range(0, len(ids), self._most - self._overlap):
            end = min(at + self._most, len(ids))
            low = max(first, at + half if at else 0)
            high = min(last, end if end == len(ids) else at + self._most - self._overlap + half)
            if low < high:
                yield _Window(ids[at:end], low - at, high - at, at - first)
            if end == len(ids):
                break

    def _label(self, windows: list[tuple[_Piece, _Window]]) -> None:
        """Asks the model; every token with a label of ours is noted in its piece."""
        import torch

        windows.sort(key=lambda one: len(one[1].ids))
        for begin in range(0, len(windows), self.settings.batch):
            batch = windows[begin : begin + self.settings.batch]
            with torch.inference_mode():
                probabilities, labels = self._ask([window.ids for _, window in batch])
            for (piece, window), surest, label in zip(batch, probabilities.tolist(), labels.tolist()):
                for place in range(window.first, window.last):
                    if self.labels[label[place]] is not None:
                        piece.labelled.append((window.at + place, label[place], surest[place]))

    def _ask(self, ids: list[list[int]]) -> tuple[Any, Any]:
        """Tensors float32[windows, tokens], int64[windows, tokens]: each token's probability and label."""
        import torch

        longest = max(map(len, ids)) + len(self._before) + len(self._after)
        rows = torch.full((len(ids), longest), self._pad, dtype=torch.long)
        seen = torch.zeros((len(ids), longest), dtype=torch.long)
        for row, one in enumerate(ids):
            whole = [*self._before, *one, *self._after]
            rows[row, : len(whole)] = torch.tensor(whole, dtype=torch.long)
            seen[row, : len(whole)] = 1
        device = self._model.device
        logits = self._model(input_ids=rows.to(device), attention_mask=seen.to(device)).logits
        most = logits[:, len(self._before) :].float().softmax(-1).max(-1)
        return most.values.cpu(), most.indices.cpu()


def open_names_model(
    place: str | Path, settings: NamesModelSettings | None = None, fetched: Path | None = None
) -> NamesModel:
    """The model in a folder, or on the Hub as `hub:OWNER/NAME[@REVISION]`, kept while its files stay the same.

    `fetched`: the folder below which models from the Hub lie; by default `starloom/models` in the user's cache. Raises
    UserError: nothing there, no token classifier, no label of ours, transformers not installed, the Hub's refusals.
    """
    folder = model_folder.folder_of(place, fetched)
    return _kept(folder, settings or NamesModelSettings(), model_folder.mark(folder))


@functools.lru_cache(maxsize=2)
def _kept(folder: Path, settings: NamesModelSettings, _mark: str) -> NamesModel:
    return NamesModel(folder, settings)


def _check(settings: NamesModelSettings) -> None:
    for wrong, key in (
        (settings.window < 8, "window"),
        (settings.overlap < 0, "overlap"),
        (settings.batch < 1, "batch"),
        (not 0 <= settings.least <= 1, "least"),
    ):
        if wrong:
            raise UserError(
                f"{key} = {getattr(settings, key)} is out of range",
                "window is at least 8, overlap at least 0, batch at least 1, least from 0 to 1",
            )


def _opened(folder: Path, settings: NamesModelSettings) -> tuple[Any, Any]:
    """Tokenizer and model."""
    tokenizer, model = open_classifier(folder, "token", settings.device)
    if not tokenizer.is_fast:
        raise UserError(f"{folder} has no fast tokenizer: where its tokens stand is not known", "add tokenizer.json")
    return tokenizer, model
