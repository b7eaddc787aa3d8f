"""Opens any causal language model in a Hugging Face folder: StarCoder2 as our own network, others by transformers.

Strangers' folders run no code: safetensors only, no remote code, nothing is fetched. The weights become float32 on a
CPU, bfloat16 on a GPU, or what is asked for; a GPU is taken when there is one.
"""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import torch
from torch import Tensor

from starloom.errors import UserError
from starloom.outside.hub_models import quiet
from starloom.starcoder2 import adapter, packed, safetensors_files
from starloom.starcoder2.cache import SPARE, Cache
from starloom.starcoder2.config import MODEL_TYPE
from starloom.starcoder2.interchange import CONFIG, read
from starloom.starcoder2.network import StarCoder2

# Where families say how many tokens they can take.
_CONTEXTS: Final = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
_UNSAID_CONTEXT: Final = 2048  # of models whose positions have no end (ALiBi) and that name no length


class CausalModel(Protocol):
    """A language model, whoever made it, in evaluation mode. Nothing it returns carries gradients."""

    @property
    def vocabulary(self) -> int:
        """V: rows of the head. A tokenizer may have fewer tokens."""

    @property
    def context(self) -> int:
        """Most tokens that prompt and answer may have together."""

    @property
    def model_type(self) -> str:
        """The family, as `config.json` spells it."""

    def logits(self, ids: Tensor) -> Tensor:
        """int64 [B, T] -> [B, T, V]."""

    @property
    def guesses(self) -> bool:
        """Whether a step of several tokens costs hardly more than one of 1, so that it pays to guess them."""

    def step(self, ids: Tensor, cache: Any | None, last: int = 1) -> tuple[Tensor, Any]:
        """int64 [1, T], the next T tokens after those in `cache` -> logits [last, V] after the last tokens, and the
        cache grown.

        None starts afresh. The cache that was given must not be used again. `last` up to T.
        """

    def cut(self, cache: Any, length: int) -> bool:
        """Takes `cache` back to its first `length` tokens, up to all. False, and it is as it was, where that cannot
        be done."""


def open_model(folder: Path, device: str | None = None, dtype: torch.dtype | None = None) -> CausalModel:
    """The model in `folder`, or what its adapter makes of the base that it names, a folder too.

    Raises UserError: no config.json, torn or missing weights, a family nobody knows, a base that is not here.
    """
    place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    wanted = dtype or (torch.float32 if place.type == "cpu" else torch.bfloat16)
    whole = whole_model(folder)
    added = None if whole == folder else adapter.read(folder)
    config = safetensors_files.read_json(whole / CONFIG)
    if config.get("model_type") == MODEL_TYPE:
        return Own(read(whole, wanted, place, change=added.merged if added else None), pack=True)
    model = _open_foreign(whole, config, place, wanted)
    if added:
        with torch.no_grad():
            for name, tensor in added.merged(iter(model.model.named_parameters())):
                model.model.get_parameter(name).copy_(tensor)
    return model


def whole_model(folder: Path) -> Path:
    """`folder` itself, or that of the base where it holds no more than an adapter. Raises UserError."""
    if (folder / CONFIG).exists() or not (folder / adapter.CONFIG).exists():
        return folder
    base = safetensors_files.read_json(folder / adapter.CONFIG).get("base_model_name_or_path")
    if not isinstance(base, str) or not (Path(base) / CONFIG).is_file():
        raise UserError(
            f"{folder} is an adapter of {base}, which is no folder with a model here",
            f"download that model, and name its folder as base_model_name_or_path in {folder / adapter.CONFIG}",
        )
    return Path(base)


class Own:
    """Our StarCoder2 as a CausalModel."""

    def __init__(self, model: StarCoder2, *, pack: bool = False) -> None:
        """`pack`: the network is ours alone, and its weights may be laid out for this machine (`packed.py`)."""
        self.network = model.eval()
        self.vocabulary = model.config.vocab_size
        self.context = model.config.max_position_embeddings
        self.model_type = MODEL_TYPE
        self._device, dtype = model.head.device, model.head.dtype
        packs = pack and packed.packs(model.head)
        self.guesses = packs or _guesses(self._device, dtype)
        self._head: Callable[[Tensor], Tensor] = model.logits
        if packs:
            packed.pack(model)
            self._head = model.lm_head or packed.TiedHead(model.model.embed_tokens)

    @torch.inference_mode()
    def logits(self, ids: Tensor) -> Tensor:
        return self._head(self.network(ids.to(self._device)))

    @torch.inference_mode()
    def step(self, ids: Tensor, cache: Any | None, last: int = 1) -> tuple[Tensor, Any]:
        cache = cache or Cache(self.network.config)
        for piece in torch.split(ids.to(self._device), SPARE, dim=1):  # more at once, and the cache had to hold more
            hidden = self.network(piece, cache=cache)  # [1, T, d]
        return self._head(hidden[0, -last:]), cache

    @torch.inference_mode()
    def step_rows(self, ids: Sequence[int], cache: Cache) -> Tensor:
        """The next token of every row of a joined cache, which grows -> logits [B, V]."""
        hidden = self.network(torch.tensor(ids, device=self._device)[:, None], cache=cache)  # [B, 1, d]
        return self._head(hidden[:, -1])

    def cut(self, cache: Any, length: int) -> bool:
        done: bool = cache.cut(length)
        return done


class Foreign:
    """A model of transformers' as a CausalModel. It makes its own kind of cache."""

    def __init__(self, model: Any) -> None:
        self.model = model.eval()
        config = model.config.get_text_config()
        head = model.get_output_embeddings()
        self.vocabulary = int(config.vocab_size if head is None else head.weight.shape[0])
        self.context = next((int(getattr(config, name)) for name in _CONTEXTS if _size(config, name)), _UNSAID_CONTEXT)
        self.model_type = str(model.config.model_type)
        takes = inspect.signature(model.forward).parameters
        self._keeps = "logits_to_keep" in takes
        self.guesses = _guesses(model.device, model.dtype)

    @torch.inference_mode()
    def logits(self, ids: Tensor) -> Tensor:
        found: Tensor = self.model(input_ids=ids.to(self.model.device), use_cache=False).logits
        return found

    @torch.inference_mode()
    def step(self, ids: Tensor, cache: Any | None, last: int = 1) -> tuple[Tensor, Any]:
        ids = ids.to(self.model.device)
        only = {"logits_to_keep": last} if self._keeps else {}
        made = self.model(input_ids=ids, past_key_values=cache, use_cache=True, **only)
        return made.logits[0, -last:], made.past_key_values

    def cut(self, cache: Any, length: int) -> bool:
        from transformers.cache_utils import DynamicCache, DynamicLayer

        # Windows and recurrent states forget what would be needed again.
        if type(cache) is not DynamicCache or any(type(layer) is not DynamicLayer for layer in cache.layers):
            return False
        if more := cache.get_seq_length() - length:
            cache.crop(-more)
        return True


def _guesses(device: torch.device, dtype: torch.dtype) -> bool:
    """Of a BLAS's float32 on a CPU, two rows take twice as long as one; everywhere else it is memory that is slow."""
    return device.type != "cpu" or dtype != torch.float32


def _size(config: Any, name: str) -> bool:
    value = getattr(config, name, None)
    return isinstance(value, int) and value > 0


def _open_foreign(folder: Path, config: dict[str, Any], device: torch.device, dtype: torch.dtype) -> Foreign:
    family = config.get("model_type")
    if not isinstance(family, str) or not family:
        raise UserError(f"{folder / CONFIG} names no model_type", "give the folder of a Hugging Face model")
    safetensors_files.find(folder)  # names the torn or dangerous file; transformers would say less
    try:
        import transformers
    except ImportError:
        raise UserError(
            f"{folder} is a model of type {family}: opening it needs transformers", "pip install 'starloom[models]'"
        ) from None
    with quiet():
        try:
            model, report = transformers.AutoModelForCausalLM.from_pretrained(
                folder,
                dtype=dtype,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                output_loading_info=True,
            )
        except Exception as problem:  # whatever transformers makes of a folder that a stranger wrote
            cause = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
            raise UserError(
                f"transformers cannot open {folder} (model type {family}): {cause}",
                "check the folder, or update transformers: `pip install -U transformers`",
            ) from problem
    if missing := sorted(report["missing_keys"]):
        raise UserError(
            f"{folder} lacks {missing[0]} ({len(missing):,} missing)",
            f"check that {CONFIG} and the weights are of one model",
        )
    return Foreign(model.to(device))
