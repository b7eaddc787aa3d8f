"""Opens any causal language model in a Hugging Face folder: StarCoder2 as our own network, others by transformers.

Strangers' folders run no code: safetensors only, no remote code, nothing is fetched. The weights become float32 on a
CPU, bfloat16 on a GPU; a GPU is taken when there is one.
"""

import inspect
from pathlib import Path
from typing import Any, Final, Protocol

import torch
from torch import Tensor

from starloom.errors import UserError
from starloom.outside.hub_models import quiet
from starloom.starcoder2 import safetensors_files
from starloom.starcoder2.cache import Cache
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

    def step(self, ids: Tensor, cache: Any | None) -> tuple[Tensor, Any]:
        """int64 [1, T], the next T tokens after those in `cache` -> logits [V] after the last, and the cache grown.

        None starts afresh. The cache that was given must not be used again.
        """


def open_model(folder: Path, device: str | None = None, dtype: torch.dtype | None = None) -> CausalModel:
    """The model in `folder`. Raises UserError: no config.json, torn or missing weights, a family nobody knows."""
    place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    wanted = dtype or (torch.float32 if place.type == "cpu" else torch.bfloat16)
    config = safetensors_files.read_json(folder / CONFIG)
    if config.get("model_type") == MODEL_TYPE:
        return Own(read(folder, wanted, place))
    return _open_foreign(folder, config, place, wanted)


class Own:
    """Our StarCoder2 as a CausalModel."""

    def __init__(self, model: StarCoder2) -> None:
        self.network = model.eval()
        self.vocabulary = model.config.vocab_size
        self.context = model.config.max_position_embeddings
        self.model_type = MODEL_TYPE

    @torch.inference_mode()
    def logits(self, ids: Tensor) -> Tensor:
        return self.network.logits(self.network(ids.to(self.network.head.device)))

    @torch.inference_mode()
    def step(self, ids: Tensor, cache: Any | None) -> tuple[Tensor, Any]:
        cache = cache or Cache(self.network.config)
        hidden = self.network(ids.to(self.network.head.device), cache=cache)  # [1, T, d]
        return self.network.logits(hidden[0, -1]), cache


class Foreign:
    """A model of transformers' as a CausalModel. It makes its own kind of cache."""

    def __init__(self, model: Any) -> None:
        self._model = model.eval()
        config = model.config.get_text_config()
        head = model.get_output_embeddings()
        self.vocabulary = int(config.vocab_size if head is None else head.weight.shape[0])
        self.context = next((int(getattr(config, name)) for name in _CONTEXTS if _size(config, name)), _UNSAID_CONTEXT)
        self.model_type = str(model.config.model_type)
        takes = inspect.signature(model.forward).parameters
        self._last_only = {"logits_to_keep": 1} if "logits_to_keep" in takes else {}

    @torch.inference_mode()
    def logits(self, ids: Tensor) -> Tensor:
        found: Tensor = self._model(input_ids=ids.to(self._model.device), use_cache=False).logits
        return found

    @torch.inference_mode()
    def step(self, ids: Tensor, cache: Any | None) -> tuple[Tensor, Any]:
        ids = ids.to(self._model.device)
        made = self._model(input_ids=ids, past_key_values=cache, use_cache=True, **self._last_only)
        return made.logits[0, -1], made.past_key_values


def _size(config: Any, name: str) -> bool:
    value = getattr(config, name, None)
    return isinstance(value, int) and value > 0


def _open_foreign(folder: Path, config: dict[str, Any], device: torch.device, dtype: torch.dtype) -> CausalModel:
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
