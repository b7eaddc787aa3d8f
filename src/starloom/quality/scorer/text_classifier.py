"""A Hugging Face text classifier as a scorer: a local folder with config.json, safetensors weights and a tokenizer.

Two classes: the score is the probability of the second, or of `[quality] label`. More: that of `label`, which must be
given. One output (a regression, as of educational value from 0 to 5): (output - least) / (most - least), cut to 0..1.
No code of the folder is run, no pickle is opened, nothing is downloaded. It sees the first `max_tokens` tokens.

Cost: some KB of text a second on a CPU core for a model of 100 million weights: for small datasets, or a GPU.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.outside.hub_models import open_classifier
from starloom.settings import nearest

if TYPE_CHECKING:
    from starloom.quality.scorer.files import Files
    from starloom.quality.settings import QualitySettings

CONFIG: Final = "config.json"
SUFFIXES: Final = (".json", ".safetensors", ".txt", ".model")  # of the files that have a say in a score
_CHARACTERS = 32  # of a text, for each token that the model may see: more cannot matter


class TextClassifier:
    """Raises UserError on making where transformers is missing, or the folder holds no such model."""

    def __init__(self, folder: Path, settings: "QualitySettings") -> None:
        for wrong, key in (
            (settings.max_tokens < 1, "max_tokens"),
            (settings.batch < 1, "batch"),
            (not settings.most > settings.least, "most"),
        ):
            if wrong:
                raise UserError(
                    f"[quality] {key} = {getattr(settings, key)} is out of range",
                    "max_tokens and batch are at least 1, most is above least",
                )
        self.name = f"text classifier {folder.name}"
        self.settings = settings
        self.tokenizer, self.model = open_classifier(folder, "text", settings.device)
        if self.tokenizer.pad_token_id is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token or self.tokenizer.unk_token
        if self.model.config.pad_token_id is None:  # without it some models take but one text at a time
            self.model.config.pad_token_id = self.tokenizer.pad_token_id
        self.place = self._place(folder)

    def _place(self, folder: Path) -> int | None:
        """Of the good class among the outputs; None for a regression."""
        names = [str(self.model.config.id2label[place]) for place in range(self.model.config.num_labels)]
        wanted = self.settings.label
        if wanted:
            if wanted not in names:
                raise UserError(f"[quality] label: {folder} has no class `{wanted}`", nearest(wanted, names))
            return names.index(wanted) if len(names) > 1 else None
        if len(names) > 2:
            raise UserError(
                f"{folder} tells {len(names)} classes: {', '.join(names[:10])}",
                "say which one is good: `label = …` in section [quality]",
            )
        return 1 if len(names) == 2 else None

    def score(self, files: "Files") -> NDArray[np.float32]:
        import torch

        settings = self.settings
        most = min(settings.max_tokens, self.tokenizer.model_max_length)
        positions = getattr(self.model.config, "max_position_embeddings", None) or most + 2
        most = max(min(most, positions - 2), 1)  # RoBERTa and its kin keep two positions to themselves
        head = most * _CHARACTERS
        bounds = zip(files.offsets[:-1].tolist(), files.offsets[1:].tolist())
        texts = [
            files.data[start : min(stop, start + 4 * head)].tobytes().decode("utf-8", "ignore")[:head]
            for start, stop in bounds
        ]
        found = np.zeros(len(texts), dtype=np.float32)
        by_length = sorted(range(len(texts)), key=lambda row: (len(texts[row]), row))  # little padding
        with torch.inference_mode():
            for start in range(0, len(texts), settings.batch):
                rows = by_length[start : start + settings.batch]
                # An empty text has no token for some tokenizers, and no model takes none.
                tokens = self.tokenizer(
                    [texts[row] or " \n" for row in rows],
                    truncation=True,
                    max_length=most,
                    padding=True,
                    return_tensors="pt",
                ).to(settings.device)
                outputs = self.model(**tokens).logits.float().cpu()
                if self.place is None:
                    scores = (outputs[:, 0] - settings.least) / (settings.most - settings.least)
                else:
                    scores = outputs.softmax(-1)[:, self.place]
                found[rows] = np.nan_to_num(scores.clamp(0, 1).numpy())
        return found
