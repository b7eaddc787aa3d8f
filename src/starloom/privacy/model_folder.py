"""Where a Hugging Face model lies: in a folder, or on the Hub as `hub:OWNER/NAME[@REVISION]`.

A model of the Hub is fetched once and verified (see outside/hub), below `starloom/models` in the user's cache unless
the caller names another folder; it stays until that folder is deleted. Cost: that of fetching, and one reading for the
mark, again only when a file's size or time changes.
"""

import os
import re
from pathlib import Path
from typing import Final

from starloom.errors import UserError
from starloom.outside import file_marks

CONFIG: Final = "config.json"
PATTERNS: Final = (  # of the files that have a say
    *("config.json", "model.safetensors", "model-*-of-*.safetensors", "model.safetensors.index.json"),
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("vocab.json", "vocab.txt", "merges.txt", "spiece.model", "tokenizer.model", "sentencepiece.bpe.model"),
)
_HUB = re.compile(
    r"hub:([A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95})(?:@([A-Za-z0-9][\w./-]{0,199}))?"
)


def fetch(place: str, fetched: Path | None = None) -> None:
    """Has the model there, from the Hub where it is named so. Raises UserError."""
    folder_of(place, fetched)


def mark(place: str | Path, fetched: Path | None = None) -> str:
    """Sixteen hex digits over the model's files that have a say, for fingerprints; "" for none, and for one of the Hub
    that is not fetched yet: nothing is fetched here. Raises UserError."""
    if not place:
        return ""
    if isinstance(place, str) and place.startswith("hub:"):
        from starloom.outside import hub

        if hub.fetched(_place_of(place, fetched)[1]) is None:
            return ""
    return _mark(folder_of(place, fetched))


def folder_of(place: str | Path, fetched: Path | None = None) -> Path:
    """The model's folder, after fetching it where it is on the Hub. Raises UserError: nothing there, no model, the
    Hub's refusals, huggingface_hub not installed."""
    if isinstance(place, str) and place.startswith("hub:"):
        return _from_hub(place, fetched)
    folder = Path(place).expanduser()
    if not folder.is_dir():
        hint = "give the folder of a Hugging Face token classifier, or hub:OWNER/NAME"
        if re.fullmatch(r"[\w.-]+/[\w.-]+", str(place)):
            hint = f"give the folder of a Hugging Face token classifier; from the Hub: hub:{place}"
        raise UserError(f"{place} is no folder", hint)
    if not (folder / CONFIG).is_file():
        raise UserError(f"{folder} holds no model: it has no {CONFIG}", "give the folder of a Hugging Face model")
    return folder


def _place_of(place: str, fetched: Path | None) -> tuple[re.Match[str], Path]:
    """Name and revision on the Hub, and the folder for it."""
    named = _HUB.fullmatch(place)
    if not named:
        raise UserError(f"{place!r} names no model on the Hub", "write it as hub:OWNER/NAME or hub:OWNER/NAME@REVISION")
    if fetched is None:
        fetched = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "starloom" / "models"
    return named, fetched / f"{named[1].replace('/', '--')}@{(named[2] or 'main').replace('/', '--')}"


def _from_hub(place: str, fetched: Path | None) -> Path:
    from starloom.outside import hub

    named, folder = _place_of(place, fetched)
    if hub.fetched(folder) is None:
        try:
            hub.snapshot(named[1], folder, named[2], PATTERNS, kind="model")
        except ModuleNotFoundError:
            raise UserError(f"{place}: the Hub needs huggingface_hub", "pip install 'starloom[hub]'") from None
        except hub.HubError as problem:
            raise UserError(str(problem), problem.hint) from None
    if not (folder / CONFIG).is_file():
        raise UserError(f"{place} is no model: it has no {CONFIG}", "name a token classifier")
    return folder


def _mark(folder: Path) -> str:
    try:
        return file_marks.mark(sorted({one for pattern in PATTERNS for one in folder.glob(pattern) if one.is_file()}))
    except OSError as problem:
        raise UserError(f"cannot read the model {folder}: {problem.strerror}", "make its files readable") from None
