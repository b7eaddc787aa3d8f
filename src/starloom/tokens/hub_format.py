"""What a Hugging Face model folder says of its tokenizer: three JSON files, read without trust."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from starloom.errors import UserError
from starloom.tokens import vocabulary_files
from starloom.tokens.special_tokens import END_OF_TEXT, SPECIAL_TOKENS

FOLDER: Final = "tokenizer"  # of a workspace
FILE: Final = "tokenizer.json"
CONFIG: Final = "tokenizer_config.json"
SENTENCEPIECE: Final = "tokenizer.model"
MAP: Final = "special_tokens_map.json"
_LARGEST: Final = 1 << 28  # bytes of one of these files; the largest known has 35 million


def read_files(folder: Path) -> dict[str, bytes]:
    """tokenizer.json and its companions in `folder`, by name; `folder` may be the file itself, whatever its name, and
    then stands alone. Where there are only vocab.json and merges.txt, a tokenizer.json is made of them. Raises
    UserError when there is none."""
    if folder.is_file():
        return {FILE: _read(folder) or b""}
    found = {name: data for name in (FILE, CONFIG, MAP) if (data := _read(folder / name)) is not None}
    if FILE not in found:
        vocabulary, merges = (_read(folder / name) for name in (vocabulary_files.VOCABULARY, vocabulary_files.MERGES))
        if vocabulary is None or merges is None:
            raise UserError(f"{folder} holds no {FILE}", remedy(folder))
        added = _read(folder / vocabulary_files.ADDED)
        companions = found if added is None else {**found, vocabulary_files.ADDED: added}
        found[FILE] = vocabulary_files.tokenizer_json(vocabulary, merges, companions, str(folder))
    return found


def _read(path: Path) -> bytes | None:
    """None: there is no such file."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as problem:
        raise UserError(f"{path}: {problem.strerror}", "make it readable") from None
    if len(data) > _LARGEST:
        raise UserError(f"{path} has more than {_LARGEST:,} bytes", "name the folder of a tokenizer")
    return data


def remedy(folder: Path) -> str:
    """What to do when `folder` is missing or has no tokenizer."""
    if folder.name == FOLDER:
        return "make a tokenizer with `starloom tokenizer`, or take one: `starloom tokenizer --from DIR`"
    if (folder / SENTENCEPIECE).is_file():
        return (
            f"it has a {SENTENCEPIECE}: let transformers write its {FILE}: "
            "AutoTokenizer.from_pretrained(DIR).save_pretrained(OTHER), then `starloom tokenizer --from OTHER`"
        )
    if not folder.is_absolute() and len(folder.parts) == 2:
        return f"a tokenizer of the Hub is downloaded first: `hf download {folder} {FILE} {CONFIG} --local-dir DIR`"
    return f"name a folder with a {FILE}: a model of the Hub, or a workspace's tokenizer/"


def parsed(data: bytes, where: str) -> dict[str, Any]:
    """tokenizer.json with nothing in it that would cut, pad or vary what is encoded, and with every token that looks
    like a marker marked as special: some models' (Qwen's) are not, and text would become one."""
    try:
        table = json.loads(data)
        for one in table.get("added_tokens") or ():
            text = str(one["content"])
            one["special"] = bool(one["special"]) or (len(text) > 2 and text[0] == "<" and text[-1] == ">")
        table |= {"truncation": None, "padding": None}
        if "dropout" in table["model"]:
            table["model"]["dropout"] = None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UserError(f"{where} is no tokenizer of Hugging Face's", "download it again, whole") from None
    return dict(table)


def installed() -> Any:
    """The library `tokenizers`. Raises UserError when it is not installed."""
    try:
        import tokenizers
    except ImportError:
        raise UserError("the library `tokenizers` is not installed", "pip install 'starloom[train]'") from None
    return tokenizers


def library(table: dict[str, Any], where: str) -> Any:
    """A `tokenizers.Tokenizer` of a parsed tokenizer.json. Raises UserError when the library refuses it."""
    tokenizers = installed()
    try:
        found = tokenizers.Tokenizer.from_str(json.dumps(table, ensure_ascii=False))
    except BaseException as problem:
        # The library raises no class of its own; its panics are no Exception.
        if not isinstance(problem, Exception) and type(problem).__name__ != "PanicException":
            raise
        raise UserError(f"{where}: {problem}", "download it again, or update `tokenizers`") from None
    found.encode_special_tokens = True  # which means: special tokens in a text are encoded as text
    return found


def named_end(files: Mapping[str, bytes]) -> str:
    """The `eos_token` that a companion of tokenizer.json names, "" when none does."""
    for name in (CONFIG, MAP):
        try:
            named = json.loads(files.get(name, b"{}")).get("eos_token")
        except (ValueError, AttributeError):
            continue
        if isinstance(named, dict):
            named = named.get("content")
        if isinstance(named, str):
            return named
    return ""


def is_byte_level(table: Mapping[str, Any]) -> bool:
    decoder = table.get("decoder") or {}
    steps = decoder.get("decoders") or [decoder]
    return any(step.get("type") == "ByteLevel" for step in steps)


def spelled(token: str) -> bytes:
    """The bytes of a token of a SentencePiece vocabulary."""
    if len(token) == 6 and token.startswith("<0x") and token.endswith(">"):
        return bytes.fromhex(token[3:5])
    return token.replace("▁", " ").encode()


def companions() -> dict[str, bytes]:
    """What stands beside a tokenizer.json of ours, so that transformers reads it as it is."""
    names = {"bos_token": END_OF_TEXT, "eos_token": END_OF_TEXT, "unk_token": END_OF_TEXT}
    others = [token for token in SPECIAL_TOKENS if token != END_OF_TEXT]
    config = names | {
        "additional_special_tokens": others,
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        # Not GPT2Tokenizer, as StarCoder2 has it: that class sets up GPT-2's own pre-tokenizer, without the digits.
        "tokenizer_class": "PreTrainedTokenizerFast",
    }
    return {CONFIG: _pretty(config), MAP: _pretty(names | {"additional_special_tokens": others})}


def _pretty(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
