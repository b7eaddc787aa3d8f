"""Causal attention with a sliding window and document boundaries, behind one interface.

A query sees exactly `window` keys, itself included (Hugging Face, nanotron and Fast-LLM agree), all of its own
document. A `Layout` says who sees whom, is made once for all layers, and computes attention with one of four backends:

- sdpa: PyTorch's kernel over all keys. Plain causal attention, or a dense mask: T * S memory.
- banded: the same kernel over chunks of queries, each with the keys that any of them sees. O(T * window) time and
  memory on every device, and the result of a dense mask.
- varlen: flash attention over documents laid end to end. CUDA, in bfloat16 or float16.
- flex: FlexAttention with a block mask. CUDA; forward only on a CPU, where PyTorch has no backward pass for it.

Shapes: B batch, H query heads, K key and value heads (H a multiple of K, groups of G = H / K), T queries, S keys, D
width of a head.
"""

import contextlib
import functools
from dataclasses import dataclass
from typing import ClassVar, Final

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from starloom.errors import UserError
from starloom.starcoder2.config import Backend, Wanted
from starloom.starcoder2.layout import Layout

# Queries in one chunk of a band. A chunk of C queries reads up to C + window - 1 keys, so long chunks waste work and
# short ones waste calls.
CHUNK: Final = 256
# So few queries against many keys, as in decoding: the heads of a group go in as if they were positions, 2 to 3 times
# as fast on a CPU, where the kernel would copy keys and values for each head.
_FEW: Final = 16
# On Hopper cuDNN's kernel is 1.7 to 2.3 times as fast as the flash attention that PyTorch takes by itself
# (huggingface/transformers#48163).
_HOPPER: Final = (9, 0)
_CUDNN_FIRST: Final = [
    SDPBackend.CUDNN_ATTENTION,
    SDPBackend.FLASH_ATTENTION,
    SDPBackend.EFFICIENT_ATTENTION,
    SDPBackend.MATH,
]


def layout_for(
    queries: int,
    keys: int,
    window: int | None,
    documents: Tensor | None,
    device: torch.device,
    backend: Wanted = "auto",
    dtype: torch.dtype = torch.float32,
) -> Layout:
    """For the last `queries` of `keys` positions; fewer queries than keys (a cache) are banded always.

    documents: the document's number of each position, int [B, S], equal numbers side by side; None: all of one.
    dtype: of q, k and v. Raises ValueError when `documents` do not cover the keys, UserError for a `backend` that
    cannot compute this here.
    """
    if documents is not None and documents.shape[-1] != keys:
        raise ValueError(f"documents of {documents.shape[-1]} positions for {keys} keys")
    reach = keys if window is None else min(window, keys)
    if queries < keys:
        return Bands.over(queries, keys, reach, documents, device)
    found = choose(backend, device, dtype, keys, window, documents is not None, torch.is_grad_enabled())
    if found == "sdpa":
        plain = reach == keys and documents is None
        mask = None if plain else seen(slice(0, keys), slice(0, keys), reach, documents, device)
        return Whole(mask, device.type == "cuda" and torch.cuda.get_device_capability(device) >= _HOPPER)
    if found == "banded":
        return Bands.over(queries, keys, reach, documents, device)
    from starloom.starcoder2 import attention_cuda  # when wanted: it takes two seconds

    if found == "varlen":
        return attention_cuda.Varlen.over(keys, reach, documents)
    return attention_cuda.Flex.over(keys, reach, documents, device)


def layout_of(mask: Tensor) -> Layout:
    """Of a mask bool [1 or B, 1, T, S], True where a query sees a key."""
    return Bands((Band(slice(0, mask.shape[2]), slice(0, mask.shape[3]), mask),))


def choose(
    wanted: Wanted,
    device: torch.device,
    dtype: torch.dtype,
    sequence: int,
    window: int | None,
    documents: bool,
    training: bool = True,
) -> Backend:
    """The backend for whole rows of `sequence` tokens, q, k and v of `dtype`, `documents`: with boundaries of them.

    Raises UserError when `wanted` cannot compute that on `device`.
    """
    cuda = device.type == "cuda"
    packed = cuda and dtype in (torch.bfloat16, torch.float16) and _varlen_takes_windows()
    if wanted == "auto":
        if not documents and (window is None or window >= sequence):
            return "sdpa"
        return "varlen" if packed else "banded"
    if wanted == "varlen" and not packed:
        raise UserError(
            f'attention = "varlen" cannot compute in {str(dtype).removeprefix("torch.")} on {device.type}',
            'it needs a CUDA device, bfloat16 and PyTorch 2.13; attention = "auto" takes what fits',
        )
    if wanted == "flex" and training and not cuda:
        raise UserError(
            f'attention = "flex" cannot train on {device.type}: PyTorch has no backward pass for it there',
            'write attention = "auto" or "banded"',
        )
    return wanted


@functools.cache
def _varlen_takes_windows() -> bool:
    from starloom.starcoder2 import attention_cuda

    return attention_cuda.VARLEN_TAKES_WINDOWS


def seen(queries: slice, keys: slice, reach: int, documents: Tensor | None, device: torch.device) -> Tensor:
    """bool [1 or B, 1, T, S]: which `keys` the positions `queries` see, of the last `reach` up to their own."""
    q = torch.arange(queries.start, queries.stop, device=device)[:, None]  # [T, 1]
    k = torch.arange(keys.start, keys.stop, device=device)[None, :]  # [1, S]
    mask = ((k <= q) & (k > q - reach))[None, None]
    if documents is None:
        return mask
    return mask & (documents[:, None, queries, None] == documents[:, None, None, keys])


@dataclass(frozen=True)
class Whole(Layout):
    """All keys at once, T = S."""

    backend: ClassVar[Backend] = "sdpa"
    mask: Tensor | None  # bool [1 or B, 1, T, S], True where seen; None: plain causal attention
    cudnn_first: bool = False

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        with sdpa_kernel(_CUDNN_FIRST, set_priority=True) if self.cudnn_first else contextlib.nullcontext():
            return functional.scaled_dot_product_attention(
                q, k, v, attn_mask=self.mask, is_causal=self.mask is None, enable_gqa=q.shape[1] != k.shape[1]
            )


@dataclass(frozen=True)
class Band:
    """A run of queries and the run of keys that they see together."""

    queries: slice
    keys: slice
    mask: Tensor | None  # bool [1 or B, 1, T, S] of these, True where seen; None: all of them


@dataclass(frozen=True)
class Bands(Layout):
    """Chunks of queries, in order, each with the keys that any of them sees."""

    backend: ClassVar[Backend] = "banded"
    bands: tuple[Band, ...]

    @classmethod
    def over(cls, queries: int, keys: int, reach: int, documents: Tensor | None, device: torch.device) -> "Bands":
        """For the last `queries` of `keys` positions, each of which sees the last `reach` up to itself."""
        if queries == 1 and documents is None:
            return cls((Band(slice(0, 1), slice(keys - reach, keys), None),))
        before = keys - queries  # positions of queries are `before` + their number
        masks: dict[tuple[int, int, int], Tensor] = {}  # without documents, most chunks look alike
        bands = []
        for first in range(before, keys, CHUNK):
            own = slice(first, min(first + CHUNK, keys))
            read = slice(max(0, first - reach + 1), own.stop)
            alike = (own.stop - first, own.stop - read.start, first - read.start)
            if documents is not None or (mask := masks.get(alike)) is None:
                mask = masks[alike] = seen(own, read, reach, documents, device)
            bands.append(Band(slice(first - before, own.stop - before), read, mask))
        return cls(tuple(bands))

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        parts = [
            _attend(q[:, :, band.queries], k[:, :, band.keys], v[:, :, band.keys], band.mask) for band in self.bands
        ]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)


def _attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """One band. q [B, H, T, D]; k, v [B, K, S, D]; mask bool [1 or B, 1, T, S]."""
    batch, heads, queries, width = q.shape
    groups = k.shape[1]
    if heads == groups or queries > _FEW or queries == k.shape[2]:
        return functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=heads != groups)
    shared = heads // groups
    folded = q.reshape(batch, groups, shared * queries, width)
    mask = None if mask is None else mask.repeat(1, 1, shared, 1)
    return functional.scaled_dot_product_attention(folded, k, v, attn_mask=mask).reshape(q.shape)
