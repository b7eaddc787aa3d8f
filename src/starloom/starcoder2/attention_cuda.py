"""Attention by kernels that are made for CUDA devices, windows and documents: flash attention and FlexAttention.

What they are given (borders of documents, block masks) is the same on every device, and is tested on a CPU. See
`attention` for what a layout is, and for the shapes.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention
from torch.nn.attention.varlen import varlen_attn

from starloom.starcoder2.config import Backend
from starloom.starcoder2.layout import Layout

# Borders come in lots of so many, the last repeated, so that compiled layers meet few shapes.
_BORDERS: Final = 64
_VARLEN: Final = inspect.signature(varlen_attn).parameters  # they grew from one PyTorch to the next
VARLEN_TAKES_WINDOWS: Final = "window_size" in _VARLEN
_VARLEN_TAKES_GROUPS: Final = "enable_gqa" in _VARLEN


@dataclass(frozen=True)
class Varlen(Layout):
    """Rows and their documents as sequences of their own, end to end."""

    backend: ClassVar[Backend] = "varlen"
    borders: Tensor | None  # int32 [n + 1], see `borders`; None: of whole rows, whose number q tells
    longest: int  # no sequence is longer: T, always, since each other number would compile anew
    reach: int  # keys that a query sees, itself included

    @classmethod
    def over(cls, positions: int, reach: int, documents: Tensor | None) -> "Varlen":
        """documents: int [B, T], equal numbers side by side; None: each row is one."""
        return cls(None if documents is None else borders(documents), positions, reach)

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        batch, heads, positions, width = q.shape
        options: dict[str, Any] = {"window_size": (-1 if self.reach >= positions else self.reach - 1, 0)}
        if heads != k.shape[1]:
            if _VARLEN_TAKES_GROUPS:
                options["enable_gqa"] = True
            else:
                k, v = (one.repeat_interleave(heads // k.shape[1], dim=1) for one in (k, v))
        ends = self.borders
        if ends is None:
            ends = torch.arange(0, (batch + 1) * positions, positions, dtype=torch.int32, device=q.device)
        q, k, v = (one.transpose(1, 2).flatten(0, 1) for one in (q, k, v))  # [B * T, heads, D]
        found = varlen_attn(q, k, v, ends, ends, self.longest, self.longest, **options)
        assert isinstance(found, Tensor)
        return found.view(batch, positions, heads, width).transpose(1, 2)


def borders(documents: Tensor) -> Tensor:
    """int32 [n + 1]: where, in rows laid end to end, a document or a row begins, and the end, repeated to fill a lot.

    documents: int [B, T], equal numbers side by side.

    >>> borders(torch.tensor([[3, 3, 4], [4, 4, 4]]))[:5]
    tensor([0, 2, 3, 6, 6], dtype=torch.int32)
    """
    begins = torch.ones_like(documents, dtype=torch.bool)
    begins[:, 1:] = documents[:, 1:] != documents[:, :-1]
    places = begins.flatten().nonzero()[:, 0]
    lots = -(-(len(places) + 1) // _BORDERS) * _BORDERS
    return functional.pad(places, (0, lots - len(places)), value=documents.numel()).int()


@dataclass(frozen=True)
class Flex(Layout):
    """Blocks of the mask in which nobody sees anybody are left out."""

    backend: ClassVar[Backend] = "flex"
    blocks: BlockMask

    @classmethod
    def over(cls, positions: int, reach: int, documents: Tensor | None, device: torch.device) -> "Flex":
        """documents: int [B, T]; None: all of one."""
        rows = None if documents is None else len(documents)
        # Uncompiled, it holds all of the mask for a moment.
        make = _compiled(create_block_mask) if device.type == "cuda" else create_block_mask
        return cls(make(mask_of(reach, documents), rows, None, positions, positions, device=device))

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        # Uncompiled, it holds all of q k^T. Within a compiled layer, it is compiled with the layer.
        attention: Any = flex_attention if torch.compiler.is_compiling() else _compiled(flex_attention)
        found: Tensor = attention(q, k, v, block_mask=self.blocks, enable_gqa=q.shape[1] != k.shape[1])
        return found


def mask_of(reach: int, documents: Tensor | None) -> Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]:
    """FlexAttention's mask: (row, head, query, key) -> whether it is seen, of the last `reach` keys up to the query."""

    def seen(_row: Tensor, _head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (key <= query) & (key > query - reach)

    def seen_in_document(row: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        assert documents is not None
        return seen(row, head, query, key) & (documents[row, query] == documents[row, key])

    return seen if documents is None else seen_in_document


@functools.cache
def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled when first called, for each shape anew."""
    return torch.compile(function, dynamic=False)
