"""A model as a folder to give away: weights in shards, its configuration, tokenizer, card and licence.

Any Hugging Face folder goes in, ours or not; an adapter is added to its base on the way. Tensors are read, changed and
written one at a time, so memory is that of the largest; without another precision they keep their bytes. The folder is
there whole or not at all, and has a manifest, so that `starloom verify` can check it.
"""

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from starloom.errors import UserError
from starloom.outside.paths import printable
from starloom.starcoder2 import adapter, interchange, safetensors_files
from starloom.starcoder2.config import MODEL_TYPE
from starloom.starcoder2.interchange import CONFIG, GENERATION
from starloom.starcoder2.open import whole_model
from starloom.starcoder2.safetensors_files import INDEX, SINGLE, Kind, Tensors
from starloom.tokens.tokenizer import Tokenizer
from starloom.workspace import atomic, manifest

CARD: Final = "README.md"
SHARD: Final = 5_000_000_000  # bytes of a file, as the Hub likes them
DTYPES: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_VERSION: Final = 1  # of what is made here
# What goes along as it is, where it is there; licence texts besides.
_COMPANIONS: Final = (
    *("special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "tokenizer.model"),
    *("chat_template.jinja", "chat_template.json"),
)
_MOST: Final = 1 << 28  # bytes of one of these
_LICENSE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,63}")  # SPDX's or the Hub's spelling


@dataclass(frozen=True)
class Terms:
    """Under what the model is given: `license` as the Hub spells it, empty where nobody said; texts: name -> bytes."""

    license: str
    texts: Mapping[str, bytes]


@dataclass(frozen=True)
class Exported:
    """What was written."""

    folder: Path
    parameters: int
    shards: int
    bytes: int  # of the weights
    dtype: str  # of all, or of most


def export(
    source: Path, target: Path, terms: Terms, *, dtype: torch.dtype | None = None, shard_bytes: int = SHARD
) -> Exported:
    """Writes the model in `source` as the folder `target`; an equal one that is there already is left.

    dtype: of all floating-point weights; None: each as it is. shard_bytes: of a file, unless one tensor has more.
    Raises UserError: no or a damaged model, a licence that is no name, another folder in the way, a full disk.
    """
    if terms.license and not _LICENSE.fullmatch(terms.license):
        raise UserError(
            f"{printable(terms.license)} names no licence",
            "use a name of https://spdx.org/licenses, such as apache-2.0",
        )
    if shard_bytes < 1:
        raise UserError(f"shards of {shard_bytes} bytes", "give 1 or more; 5GB is usual")
    whole = whole_model(source)
    config = safetensors_files.read_json(whole / CONFIG)
    tensors = interchange.find(whole) if config.get("model_type") == MODEL_TYPE else safetensors_files.find(whole)
    kinds = {
        name: Kind(dtype if dtype and kept.is_floating_point else kept, tensors.shapes[name])
        for name, kept in sorted(tensors.dtypes.items())
    }
    files = _files(source, whole, config, dtype)
    shards = _shards(kinds, shard_bytes)
    bytes_of = {name: kind.bytes for name, kind in kinds.items()}
    made = Exported(
        target,
        parameters=sum(torch.Size(kind.shape).numel() for kind in kinds.values()),
        shards=len(shards),
        bytes=sum(bytes_of.values()),
        dtype=_mostly(kinds),
    )
    if len(shards) > 1:
        places = {name: file for file, names in shards.items() for name in names}
        total = {"total_size": made.bytes, "total_parameters": made.parameters}
        files[INDEX] = interchange.to_bytes({"metadata": total, "weight_map": places})
    files |= terms.texts
    own_card = _read(source / CARD)
    files[CARD] = own_card if own_card is not None and whole == source else _card(target.name, config, made, terms)
    told = manifest.read_manifest(source)
    settings = {"dtype": made.dtype, "shard_bytes": shard_bytes, "license": terms.license}
    with atomic.publish(
        target,
        kind="export",
        version=_VERSION,
        fingerprint=manifest.fingerprint(settings, told.content if told else str(source)),
        inputs={"model": told.content} if told else {},
        settings=settings,
        replace=False,
    ) as draft:
        for name, data in sorted(files.items()):
            draft.write(name, data)
        with ExitStack() as stack:
            weights = _weights(stack, tensors, kinds, adapter.read(source) if whole != source else None)
            for file, names in shards.items():
                with draft.create(file) as output:
                    part = {name: kinds[name] for name in names}
                    safetensors_files.stream(output, part, itertools.islice(weights, len(part)))
        draft.facts = {"parameters": made.parameters, "model": told.facts if told else {}}
    return made


def _files(source: Path, whole: Path, config: dict[str, Any], dtype: torch.dtype | None) -> dict[str, bytes]:
    """All but weights, index, card and licence: name -> bytes."""
    changed = dict(config)
    if dtype:
        changed.pop("dtype", None)  # transformers 5 writes it, 4 and 5 read the other
        changed["torch_dtype"] = str(dtype).removeprefix("torch.")
    found = {CONFIG: interchange.to_bytes(changed)}
    if (own := _read(whole / GENERATION)) is not None:
        found[GENERATION] = own
    else:
        ends = {name: config[name] for name in ("bos_token_id", "eos_token_id") if config.get(name) is not None}
        found[GENERATION] = interchange.to_bytes(ends)
    for folder in {whole: None, source: None}:  # what stands beside an adapter goes before
        found |= {name: data for name in _COMPANIONS if (data := _read(folder / name)) is not None}
    tokenizer = source if (source / "tokenizer.json").is_file() else whole
    return found | Tokenizer.open(tokenizer).files()


def _weights(
    stack: ExitStack, tensors: Tensors, kinds: Mapping[str, Kind], added: adapter.Adapter | None
) -> Iterator[Tensor]:
    """Every tensor in order of the names, in its new precision."""
    opened = {path: stack.enter_context(safetensors_files.opened(path)) for path in set(tensors.files.values())}
    read = ((name, opened[tensors.files[name]].get_tensor(name).to(kinds[name].dtype)) for name in sorted(kinds))
    return (tensor for _, tensor in (added.merged(read) if added else read))


def _shards(kinds: Mapping[str, Kind], most: int) -> dict[str, list[str]]:
    """file -> the tensors in it, in order of their names. A file has up to `most` bytes of them, or one tensor."""
    groups: list[list[str]] = []
    size = 0
    for name, kind in sorted(kinds.items()):
        if not groups or size + kind.bytes > most:
            groups.append([])
            size = 0
        groups[-1].append(name)
        size += kind.bytes
    if len(groups) == 1:
        return {SINGLE: groups[0]}
    return {f"model-{at:05}-of-{len(groups):05}.safetensors": names for at, names in enumerate(groups, 1)}


def _mostly(kinds: Mapping[str, Kind]) -> str:
    counts: dict[torch.dtype, int] = {}
    for kind in kinds.values():
        counts[kind.dtype] = counts.get(kind.dtype, 0) + kind.bytes
    return str(max(counts, key=counts.__getitem__)).removeprefix("torch.")


def _card(name: str, config: dict[str, Any], made: Exported, terms: Terms) -> bytes:
    """A README for a model that has none, as the Hub reads them."""
    head = {"library_name": "transformers", "pipeline_tag": "text-generation", "tags": ["starloom", "code"]}
    if terms.license:
        head["license"] = terms.license.lower()
    shape = [
        f"{said} {config[field]:,}"
        for field, said in (
            ("vocab_size", "vocabulary"),
            ("max_position_embeddings", "context"),
            ("sliding_window", "attention window"),
        )
        if isinstance(config.get(field), int)
    ]
    licence = (
        f"`{terms.license}`." + (f" Its text: {', '.join(f'`{one}`' for one in terms.texts)}." if terms.texts else "")
        if terms.license
        else "Nobody has said under which licence this model is given: name one before you give it to others."
    )
    lines = [
        *card_opening(name, head),
        f"A {printable(str(config.get('model_type')))} of {made.parameters:,} parameters in {made.dtype}; "
        f"{', '.join(shape)}. Exported by Starloom.",
        "",
        "```python",
        "from transformers import AutoModelForCausalLM, AutoTokenizer",
        "",
        'tokenizer = AutoTokenizer.from_pretrained("FOLDER")',
        'model = AutoModelForCausalLM.from_pretrained("FOLDER", dtype="auto")',
        "```",
        "",
        "## Licence",
        "",
        licence,
        "",
    ]
    return "\n".join(lines).encode()


def card_opening(name: str, head: Mapping[str, Any]) -> list[str]:
    """The first lines of a model's card: what the Hub reads, as YAML (JSON's values are), and the title."""
    values = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in sorted(head.items())]
    return ["---", *values, "---", "", f"# {name}", ""]


def _read(path: Path) -> bytes | None:
    """A small file, None where there is none. Raises UserError."""
    try:
        if path.stat().st_size > _MOST:
            raise UserError(f"{path} has more than {_MOST >> 20} MB", f"it is no {path.name}: remove it")
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise UserError(f"cannot read {path}: {problem.strerror}", "make it readable for you") from None
