"""StarCoder2 in plain PyTorch (arXiv 2402.19173, section 6.1), on one device, under Hugging Face's parameter names.

Grouped-query attention with rotary positions and a sliding window, a feed-forward layer with GELU (tanh), pre-norm,
biases everywhere, no dropout. Parallelism, precision and compilation are applied from outside. The vocabulary's head is
apart (`head`, `logits`), since the loss computes it in chunks. Logits are those of transformers' SDPA path.

Shapes: B batch, T positions, d hidden size, H query heads, K key and value heads, D width of a head, V vocabulary.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from starloom.starcoder2.attention import layout_for
from starloom.starcoder2.cache import Cache
from starloom.starcoder2.config import StarCoder2Config, Wanted
from starloom.starcoder2.layout import Layout


class StarCoder2(nn.Module):
    """The language model. `StarCoder2(config)` has fresh weights: normal(0, initializer_range), biases zero.

    attention: the backend that computes it (see `attention`); it may be set at any time.
    """

    def __init__(self, config: StarCoder2Config, attention: Wanted = "auto") -> None:
        super().__init__()
        self.config = config
        self.attention: Wanted = attention
        self.model = Decoder(config)
        self.lm_head = (
            None if config.tie_word_embeddings else nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        )
        self.apply(self._initialize)

    @property
    def head(self) -> Tensor:
        """[V, d]: weight of the vocabulary's head; the embedding's own when tied."""
        return self.model.embed_tokens.weight if self.lm_head is None else self.lm_head.weight

    def forward(self, ids: Tensor, documents: Tensor | None = None, cache: Cache | None = None) -> Tensor:
        """Hidden states [B, T, d] after the last norm.

        ids: int64 [B, T]. documents: int [B, T], the number of each token's, equal ones side by side; a token sees only
        its own; None: all of one.
        cache: keys and values of the positions before these; it takes up the new ones. Not with documents (ValueError).
        """
        hidden: Tensor = self.model(ids, documents, cache, self.attention)
        return hidden

    def logits(self, hidden: Tensor) -> Tensor:
        """[..., d] -> [..., V]."""
        return functional.linear(hidden, self.head)

    def _initialize(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, mean=0.0, std=self.config.initializer_range)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)


class Decoder(nn.Module):
    """Embedding, layers, last norm."""

    def __init__(self, config: StarCoder2Config) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Layer(config, number) for number in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.norm_epsilon)

    def forward(self, ids: Tensor, documents: Tensor | None, cache: Cache | None, attention: Wanted) -> Tensor:
        if cache is not None and documents is not None:
            raise ValueError("documents and a cache together: a row of a cache holds one document")
        queries = ids.shape[1]
        x = self.embed_tokens(ids)  # [B, T, d]
        if cache is None:
            kind = ids.device.type
            dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype
            window = self.config.sliding_window
            layout = layout_for(queries, queries, window, documents, ids.device, attention, dtype)
            positions = torch.arange(queries, device=ids.device)
        else:
            positions, layout = cache.prepare(ids)
        rotation = rotations(self.config, positions, x)
        for layer in self.layers:
            x = layer(x, rotation, layout, cache)
        if cache is not None:
            cache.advance(queries)
        normed: Tensor = self.norm(x)
        return normed


class Layer(nn.Module):
    """x + attention(norm(x)), then x + feed-forward(norm(x))."""

    def __init__(self, config: StarCoder2Config, number: int) -> None:
        super().__init__()
        self.self_attn = Attention(config, number)
        self.mlp = FeedForward(config)
        self.input_layernorm = nn.LayerNorm(config.hidden_size, eps=config.norm_epsilon)
        self.post_attention_layernorm = nn.LayerNorm(config.hidden_size, eps=config.norm_epsilon)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor], layout: Layout, cache: Cache | None) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), rotation, layout, cache)
        fed: Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return fed


class Attention(nn.Module):
    """Grouped-query attention: H query heads over K heads of keys and values."""

    def __init__(self, config: StarCoder2Config, number: int) -> None:
        super().__init__()
        self.number = number  # of the layer: the cache's key
        self.head_dim = config.head_dim
        narrow = config.num_key_value_heads * config.head_dim
        self.q_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=config.use_bias)
        self.k_proj = nn.Linear(config.hidden_size, narrow, bias=config.use_bias)
        self.v_proj = nn.Linear(config.hidden_size, narrow, bias=config.use_bias)
        self.o_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=config.use_bias)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor], layout: Layout, cache: Cache | None) -> Tensor:
        batch, queries, _ = x.shape
        q = self._heads(self.q_proj(x))  # [B, H, T, D]
        k = self._heads(self.k_proj(x))  # [B, K, T, D]
        v = self._heads(self.v_proj(x))
        # Under autocast the projections are bfloat16, what is rotated becomes float32: one dtype for all three.
        q, k = rotate(q, rotation).to(v.dtype), rotate(k, rotation).to(v.dtype)
        if cache is not None:
            k, v = cache.extend(self.number, k, v)  # [B, K, S, D]
        seen = layout.attend(q, k, v).transpose(1, 2).reshape(batch, queries, -1)  # [B, T, H * D]
        mixed: Tensor = self.o_proj(seen)
        return mixed

    def _heads(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], -1, self.head_dim).transpose(1, 2)


class FeedForward(nn.Module):
    """Two linear layers with GELU (tanh approximation) between them."""

    def __init__(self, config: StarCoder2Config) -> None:
        super().__init__()
        self.c_fc = nn.Linear(config.hidden_size, config.intermediate_size, bias=config.use_bias)
        self.c_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=config.use_bias)

    def forward(self, x: Tensor) -> Tensor:
        fed: Tensor = self.c_proj(functional.gelu(self.c_fc(x), approximate="tanh"))
        return fed


def rotations(config: StarCoder2Config, positions: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
    """cos and sin of the rotary angles, in the dtype of `like`; computed in float32 as upstream.

    positions: of tokens in their documents, int [T], or [B, 1, T] where rows differ. Each result [..., T, D].
    """
    exponents = torch.arange(0, config.head_dim, 2, dtype=torch.float32, device=positions.device) / config.head_dim
    frequencies = 1.0 / (config.rope_theta**exponents)  # [D / 2]
    angles = positions.float()[..., None] * frequencies
    angles = torch.cat((angles, angles), dim=-1)  # [..., T, D]: the halves of a head turn together
    return angles.cos().to(like.dtype), angles.sin().to(like.dtype)


def rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """x [B, heads, T, D] with the halves of each head turned (arXiv 2104.09864, in GPT-NeoX's layout)."""
    cos, sin = rotation
    left, right = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-right, left), dim=-1) * sin
