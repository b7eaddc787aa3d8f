"""The shape of a StarCoder2 model, with the field names of Hugging Face's `config.json`.

Published shapes: arXiv 2402.19173, section 6.1, and the released configuration files. Fields of a `config.json` that do
not change what the network computes are dropped; those that would change it, and that this network does not have, are
refused by name. Dropout is read over: the network has none, so evaluation is equal and training is not.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from starloom.errors import UserError

MODEL_TYPE: Final = "starcoder2"
Backend = Literal["sdpa", "banded", "varlen", "flex"]  # what computes attention; the weights do not depend on it
Wanted = Literal["auto", "sdpa", "banded", "varlen", "flex"]
_MOST: Final = 1 << 24  # of any size: what a torn or hostile file may make us allocate on the meta device stays small
_MOST_LAYERS: Final = 1024
_REMEDY: Final = "take the model's original config.json, or a StarCoder2 model"

# What the network is, where Hugging Face lets a configuration choose.
_FIXED: Final[dict[str, object]] = {"hidden_act": "gelu_pytorch_tanh", "mlp_type": "default", "norm_type": "layer_norm"}


@dataclass(frozen=True)
class StarCoder2Config:
    """One model's shape. Raises UserError for a shape that no network can have."""

    vocab_size: int = 49_152
    hidden_size: int = 3072
    intermediate_size: int = 12_288  # of the feed-forward layer
    num_hidden_layers: int = 30
    num_attention_heads: int = 24
    num_key_value_heads: int = 2  # grouped-query attention: query heads share a key and a value
    max_position_embeddings: int = 16_384  # tokens of context
    sliding_window: int | None = 4096  # keys that a query sees, itself included; None: all before it
    rope_theta: float = 999_999.4420358813
    norm_epsilon: float = 1e-5
    initializer_range: float = 0.018042  # standard deviation of fresh weights
    use_bias: bool = True
    tie_word_embeddings: bool = True  # the head's weight is the embedding's
    bos_token_id: int = 0  # <|endoftext|>; Hugging Face's default of 50256 lies outside the vocabulary
    eos_token_id: int = 0

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            _check_field(field.name, getattr(self, field.name))
        if self.num_hidden_layers > _MOST_LAYERS:
            raise UserError(f"num_hidden_layers is {self.num_hidden_layers:,}: more than {_MOST_LAYERS:,}", _REMEDY)
        if self.hidden_size % self.num_attention_heads or self.head_dim % 2:
            raise UserError(
                f"hidden_size {self.hidden_size} is no even multiple of num_attention_heads {self.num_attention_heads}",
                "choose a hidden_size that is the number of heads times an even number",
            )
        if self.num_attention_heads % self.num_key_value_heads:
            raise UserError(
                f"num_attention_heads {self.num_attention_heads} is no multiple of "
                f"num_key_value_heads {self.num_key_value_heads}",
                "choose a number of key and value heads that divides the number of heads",
            )

    @property
    def head_dim(self) -> int:
        """Width of one head."""
        return self.hidden_size // self.num_attention_heads

    def parameters(self) -> int:
        """Number of trained values; a tied head counts once."""
        wide, narrow, inner = self.hidden_size, self.num_key_value_heads * self.head_dim, self.intermediate_size
        biases = 2 * wide + 2 * narrow + inner + wide if self.use_bias else 0
        weights = 2 * wide * wide + 2 * wide * narrow + 2 * wide * inner
        layer = weights + biases + 4 * wide  # two layer norms, each with weight and bias
        embeddings = self.vocab_size * wide * (1 if self.tie_word_embeddings else 2)
        return embeddings + self.num_hidden_layers * layer + 2 * wide

    def to_json(self) -> dict[str, Any]:
        """What `config.json` holds, for transformers 4 (rope_theta) and 5 (rope_parameters)."""
        return {
            "architectures": ["Starcoder2ForCausalLM"],
            "model_type": MODEL_TYPE,
            **dataclasses.asdict(self),
            "hidden_act": "gelu_pytorch_tanh",
            "rope_parameters": {"rope_type": "default", "rope_theta": self.rope_theta},
            "attention_dropout": 0.0,
            "residual_dropout": 0.0,
            "embedding_dropout": 0.0,
            "use_cache": True,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The shape that a parsed `config.json` describes. Raises UserError, which names the field."""
        if (kind := values.get("model_type")) != MODEL_TYPE:
            raise UserError(f"model_type is {kind!r}, not {MODEL_TYPE!r}", "give the folder of a StarCoder2 model")
        for name, ours in _FIXED.items():
            if values.get(name, ours) != ours:
                raise UserError(f"{name} is {values[name]!r}: only {ours!r} is supported", _REMEDY)
        if values.get("quantization_config"):
            raise UserError("the weights are quantized (quantization_config)", "take the model's unquantized weights")
        taken = {field.name: values[field.name] for field in dataclasses.fields(cls) if field.name in values}
        taken["rope_theta"] = _rope_theta(values)
        # Absent means what it means to Hugging Face, where that is not what a new model of ours has.
        taken.setdefault("sliding_window", None)
        taken.setdefault("max_position_embeddings", 4096)
        for name in ("bos_token_id", "eos_token_id"):
            if isinstance(taken.get(name), list) and taken[name]:
                taken[name] = taken[name][0]
            if taken.get(name) is None:
                taken.pop(name, None)
        made = cls(**taken)
        if values.get("head_dim") not in (None, made.head_dim):
            raise UserError(f"head_dim is {values['head_dim']!r}: only hidden_size / heads is supported", _REMEDY)
        return made


def _rope_theta(values: dict[str, Any]) -> float:
    """The base of the rotary embedding. Raises UserError for a scaled one, which this network does not have."""
    rope = values.get("rope_parameters") or values.get("rope_scaling") or {}
    if not isinstance(rope, dict) or rope.get("rope_type", rope.get("type", "default")) != "default":
        raise UserError(f"rotary embedding {rope!r}: only the default, unscaled one is supported", _REMEDY)
    theta = rope.get("rope_theta", values.get("rope_theta", 10_000.0))
    return float(theta) if isinstance(theta, int) and not isinstance(theta, bool) else theta


def _check_field(name: str, value: object) -> None:
    """Raises UserError unless `value` is of the field's type and within bounds."""
    if name == "sliding_window" and value is None:
        return
    if name in ("use_bias", "tie_word_embeddings"):
        good, wanted = isinstance(value, bool), "true or false"
    elif name in ("bos_token_id", "eos_token_id"):
        good, wanted = type(value) is int and 0 <= value < _MOST, "a token id"
    elif name in ("rope_theta", "norm_epsilon", "initializer_range"):
        good = isinstance(value, float) and 0.0 <= value < float("inf") and (name == "initializer_range" or value > 0)
        wanted = "a positive number"
    else:
        good, wanted = type(value) is int and 0 < value <= _MOST, f"a whole number between 1 and {_MOST:,}"
    if not good:
        raise UserError(f"{name} is {value!r}: it must be {wanted}", _REMEDY)
