"""A tokenizer.json for the folders that have none: `vocab.json` and `merges.txt`, as GPT-2 and its family came.

Those two files do not say how a text is split before it is merged. GPT-2's own way is taken for the classes that have
it, or where no class is named; other classes (Qwen2's) split otherwise, and are refused.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from starloom.errors import UserError

VOCABULARY: Final = "vocab.json"
MERGES: Final = "merges.txt"
ADDED: Final = "added_tokens.json"

_GPT2: Final = ("GPT2Tokenizer", "CodeGenTokenizer", "RobertaTokenizer", "BartTokenizer", "LongformerTokenizer")
_END: Final = "<|endoftext|>"
_NAMED: Final = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


def tokenizer_json(vocabulary: bytes, merges: bytes, companions: Mapping[str, bytes], where: str) -> bytes:
    """The tokenizer.json of a byte-level BPE. `companions`: what there is of tokenizer_config.json,
    special_tokens_map.json, added_tokens.json, by name; `where`: the folder, for errors. Raises UserError."""
    tables = [_table(data, f"{where}/{name}") for name, data in companions.items()]
    _check_class(tables, where)
    numbers = _vocabulary(vocabulary, where)
    added = _added(numbers, {name: _table(data, where) for name, data in companions.items()})
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    table = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": number, "content": token, **flags} for number, token in sorted(added.items())],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": numbers,
            "merges": _merges(merges, where),
        },
    }
    return json.dumps(table, ensure_ascii=False, indent=1).encode()


def _check_class(tables: list[dict[str, Any]], where: str) -> None:
    for table in tables:
        name = table.get("tokenizer_class")
        if name is not None and str(name).removesuffix("Fast") not in _GPT2:
            raise UserError(
                f"{where} has a {VOCABULARY} and the tokenizer class {name}, which splits texts in a way of its own",
                "let transformers write its tokenizer.json: "
                "AutoTokenizer.from_pretrained(DIR).save_pretrained(OTHER), then `starloom tokenizer --from OTHER`",
            )


def _vocabulary(data: bytes, where: str) -> dict[str, int]:
    numbers = _table(data, f"{where}/{VOCABULARY}")
    if not numbers or any(type(number) is not int or number < 0 for number in numbers.values()):
        raise _broken(f"{where}/{VOCABULARY}")
    return numbers


def _merges(data: bytes, where: str) -> list[list[str]]:
    try:
        lines = data.decode().splitlines()
    except UnicodeDecodeError:
        raise _broken(f"{where}/{MERGES}") from None
    pairs = [line.split(" ") for number, line in enumerate(lines) if line and not (number == 0 and line[0] == "#")]
    if any(len(pair) != 2 for pair in pairs):
        raise _broken(f"{where}/{MERGES}")
    return pairs


def _added(numbers: Mapping[str, int], companions: Mapping[str, dict[str, Any]]) -> dict[int, str]:
    """The tokens that are no text, by number."""
    found = {numbers[_END]: _END} if _END in numbers else {}
    for name, table in companions.items():
        if name == ADDED:
            found |= {number: token for token, number in table.items() if type(number) is int}
            continue
        listed = table.get("added_tokens_decoder")
        for number, one in listed.items() if isinstance(listed, dict) else ():
            if number.isdecimal() and isinstance(one, dict) and isinstance(one.get("content"), str):
                found[int(number)] = one["content"]
        for key in _NAMED:
            token = table.get(key)
            token = token.get("content") if isinstance(token, dict) else token
            if isinstance(token, str) and token in numbers:
                found[numbers[token]] = token
    return found


def _table(data: bytes, where: str) -> dict[str, Any]:
    try:
        table = json.loads(data)
    except (ValueError, RecursionError):
        raise _broken(where) from None
    if not isinstance(table, dict):
        raise _broken(where)
    return table


def _broken(where: str) -> UserError:
    return UserError(f"{where} is no file of a tokenizer", "download it again, whole")
