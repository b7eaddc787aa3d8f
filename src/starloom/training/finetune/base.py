"""The model that a fine-tuning begins with: ours, any StarCoder2, or any causal language model of Hugging Face's.

What is needed of it before any weight is read, and what goes along with whatever is made of it: tokenizer, files of its
configuration, and its licence, as its card (README.md, which Hugging Face's models have) and its licence files say.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from starloom.errors import UserError
from starloom.licenses.texts import recognise
from starloom.starcoder2 import safetensors_files
from starloom.starcoder2.adapter import CONFIG as ADAPTER
from starloom.starcoder2.config import MODEL_TYPE
from starloom.starcoder2.interchange import CONFIG, GENERATION
from starloom.tokens.hub_format import CONFIG as TOKENIZER_CONFIG
from starloom.tokens.tokenizer import Tokenizer
from starloom.training import runs
from starloom.training.finetune.chat import TEMPLATE_FILE, Chat, template_of, with_template

CARD: Final = "README.md"
UNKNOWN: Final = "unknown"  # as the Hub spells a licence that nobody tells

# What stands beside the weights and goes along as it is.
_COMPANIONS: Final = (
    *(CONFIG, GENERATION, "tokenizer.json", TOKENIZER_CONFIG, "special_tokens_map.json", "added_tokens.json"),
    *("vocab.json", "merges.txt", "tokenizer.model", TEMPLATE_FILE),
)
_LICENSE_FILE: Final = re.compile(r"(licen[cs]e|copying|notice|use[_-]?policy)[\w.-]{0,40}", re.IGNORECASE)
_FIELD: Final = re.compile(r"(license|license_name|license_link)\s*:\s*(.*)")
_MOST_CARD: Final = 1 << 20  # bytes that are read of a card, or a licence file
_MOST_COMPANION: Final = 1 << 28
_CONTEXTS: Final = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")


@dataclass(frozen=True)
class Terms:
    """Under what a model is given: `license` as the Hub spells it; name and link of one that the Hub has no word for;
    files: texts that go along, name -> bytes."""

    license: str
    license_name: str = ""
    license_link: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)

    def to_json(self) -> dict[str, str]:
        """Without the texts; what is not known is left out."""
        found = {name: getattr(self, name) for name in ("license", "license_name", "license_link")}
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True)
class Base:
    """name: of the model, for people. family: `model_type`. config: its config.json. vocabulary: rows of its head."""

    folder: Path
    name: str
    config: Mapping[str, Any]
    tokenizer: Tokenizer
    terms: Terms

    @classmethod
    def open(cls, root: Path, named: str) -> "Base":
        """named: a run of the workspace `root`, or a folder. Raises UserError: no model, an adapter, another
        vocabulary than its tokenizer's, weights that are missing or torn."""
        if not named:
            raise UserError(
                "no model is named to begin with",
                "name a run or the folder of a Hugging Face model: `--base MODEL`, or `base` under [finetune]",
            )
        folder = runs.resolve(root, named).absolute()
        if (folder / ADAPTER).is_file() and not (folder / CONFIG).is_file():
            raise UserError(
                f"{folder} is an adapter, no whole model",
                "begin with its base, or merge it first: `starloom finetune RUN --merge`",
            )
        config = safetensors_files.read_json(folder / CONFIG)
        tokenizer = Tokenizer.open(folder)
        safetensors_files.find(folder)  # names what is torn or missing
        run = next((one for one in runs.every(root) if one.model == folder), None)
        found = cls(folder, run.name if run else folder.name, config, tokenizer, terms_of(folder))
        rows = found.vocabulary
        if rows is not None and tokenizer.vocabulary > rows:
            raise UserError(
                f"{folder} is of another vocabulary than its tokenizer: the model has {rows:,} tokens, "
                f"tokenizer.json {tokenizer.vocabulary:,}",
                "put the model's own tokenizer beside it",
            )
        return found

    @property
    def family(self) -> str:
        return str(self.config.get("model_type"))

    @property
    def own(self) -> bool:
        """Whether it is a StarCoder2, which our own network is."""
        return self.family == MODEL_TYPE

    @property
    def vocabulary(self) -> int | None:
        found = self.config.get("vocab_size")
        return found if type(found) is int else None

    @property
    def context(self) -> int | None:
        """The most tokens that it takes, where its configuration says so."""
        found = (self.config.get(name) for name in _CONTEXTS)
        return next((value for value in found if type(value) is int and value > 0), None)

    @property
    def padding(self) -> int:
        """The token that fills rows."""
        markers = self.tokenizer.markers
        return markers.pad if markers and markers.pad is not None else self.tokenizer.end_of_text

    @cached_property
    def chat(self) -> Chat:
        """Its own chat template, or the default one."""
        return Chat(self.tokenizer, template_of(self.folder), str(self.folder))

    @cached_property
    def hashes(self) -> dict[str, str]:
        """Of its weights, by file."""
        return safetensors_files.hashes(self.folder)

    def companions(self, talks: bool) -> dict[str, bytes]:
        """What goes along with its weights as it is, licence texts among it. talks: it learns conversations: where it
        has no chat template, the default one is put into its tokenizer_config.json."""
        found = {name: data for name in _COMPANIONS if (data := _read(self.folder / name)) is not None}
        if "tokenizer.json" not in found:
            found |= self.tokenizer.files()
        if talks and not self.chat.own:
            found[TOKENIZER_CONFIG] = with_template(found.get(TOKENIZER_CONFIG, b""), self.chat.source)
        return dict(sorted((found | dict(self.terms.files)).items()))


def terms_of(folder: Path) -> Terms:
    """What the model in `folder` says of its licence; UNKNOWN where it says nothing."""
    files = {}
    for path in sorted(folder.iterdir()):
        if _LICENSE_FILE.fullmatch(path.name) and path.is_file() and path.stat().st_size <= _MOST_CARD:
            files[path.name] = _read(path) or b""
    told = dict(_told((_read(folder / CARD) or b"")[:_MOST_CARD].decode("utf-8", "replace")))
    if not told.get("license"):
        texts = (data.decode("utf-8", "replace") for data in files.values())
        known = [found.expression for text in texts if (found := recognise(text))]
        told["license"] = known[0].lower() if known else UNKNOWN
    return Terms(told["license"], told.get("license_name", ""), told.get("license_link", ""), files)


def _told(card: str) -> Iterator[tuple[str, str]]:
    """(field, value) of the head of a model card, which is simple YAML between two lines of dashes."""
    lines = card.splitlines()
    if not lines or lines[0].strip() != "---":
        return
    name = ""
    for line in lines[1:200]:
        if line.strip() == "---":
            return
        if found := _FIELD.fullmatch(line):
            name, value = found[1], _plain(found[2])
            if value:
                yield name, value
        elif name and line.lstrip().startswith("- "):  # a list: its first
            yield name, _plain(line.lstrip()[2:])
            name = ""
        else:
            name = ""


def _plain(value: str) -> str:
    """A value without quotes or brackets, if it is a short line that can be printed."""
    value = value.strip().strip("[]").strip().strip("'\"")
    return value if value.isprintable() and len(value) <= 200 else ""


def _read(path: Path) -> bytes | None:
    """None: there is no such file. Raises UserError."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_COMPANION + 1)
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise UserError(f"{path} cannot be read: {problem.strerror}", "make it readable") from None
    if len(data) > _MOST_COMPANION:
        raise UserError(f"{path} has more than {_MOST_COMPANION:,} bytes", "take the model's original")
    return data
