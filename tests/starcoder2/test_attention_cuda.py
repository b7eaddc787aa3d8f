"""What the CUDA backends are given, on a CPU, against the definition; what they compute, where there is a CUDA device.

Flash attention is played by the loop that defines it. FlexAttention computes on a CPU too, uncompiled, forward only.
"""

import doctest

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional
from torch.nn.attention.flex_attention import create_mask

from starcoder2 import building
from starcoder2.test_attention import CPU, HEADS, dense, tensors
from starloom.starcoder2 import attention_cuda
from starloom.starcoder2.attention import layout_for
from starloom.starcoder2.attention_cuda import Flex, Varlen, borders, mask_of

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is here")
DOCUMENTS = st.none() | st.integers(0, 5)
WINDOW = st.none() | st.integers(1, 60)


def numbered(positions, seed):
    return None if seed is None else building.documents(2, positions, seed)


def varlen_attn(q, k, v, ends, key_ends, longest, longest_key, window_size=(-1, -1), enable_gqa=False):
    """PyTorch's, from its documentation: each sequence by itself. q [tokens, heads, D]."""
    assert torch.equal(ends, key_ends)
    assert ends.dtype == torch.int32
    assert longest == longest_key >= ends.diff().max()
    assert window_size[1] == 0  # causal
    assert enable_gqa == (q.shape[1] != k.shape[1])
    parts = []
    for first, last in ends.unfold(0, 2, 1).tolist():
        own = [one[first:last].transpose(0, 1)[None] for one in (q, k, v)]
        reach = None if window_size[0] < 0 else window_size[0] + 1
        if first < last:
            parts.append(dense(*own, reach)[0].transpose(0, 1))
    return torch.cat(parts)


@given(positions=st.integers(1, 60), window=WINDOW, heads=HEADS, seed=DOCUMENTS)
def test_varlen_gets_each_document_by_itself(positions, window, heads, seed):
    documents = numbered(positions, seed)
    q, k, v = tensors(2, *heads, positions, positions)
    layout = Varlen.over(positions, positions if window is None else min(window, positions), documents)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention_cuda, "varlen_attn", varlen_attn)
        found = layout.attend(q, k, v)
    torch.testing.assert_close(found, dense(q, k, v, window, documents), rtol=0, atol=1e-13)


def test_varlen_without_groups_of_its_own(monkeypatch):
    """An older PyTorch's flash attention, which wants as many heads of keys as of queries."""
    monkeypatch.setattr(attention_cuda, "_VARLEN_TAKES_GROUPS", False)
    monkeypatch.setattr(attention_cuda, "varlen_attn", varlen_attn)
    q, k, v = tensors(2, 4, 2, 30, 30)
    torch.testing.assert_close(Varlen.over(30, 7, None).attend(q, k, v), dense(q, k, v, 7), rtol=0, atol=1e-13)


@pytest.mark.parametrize("seed", [None, 1])
def test_varlen_calls_the_real_one(seed):
    """Shapes and dtypes alone, forward and backward, through PyTorch's own checks: nothing is computed."""
    documents = numbered(96, seed)
    made = Varlen.over(96, 20, documents)
    layout = Varlen(None if made.borders is None else made.borders.to("meta"), made.longest, made.reach)
    q, k, v = (
        torch.empty(2, heads, 96, 16, dtype=torch.bfloat16, device="meta", requires_grad=True) for heads in (4, 2, 2)
    )
    found = layout.attend(q, k, v)
    found.sum().backward()
    assert (found.shape, found.dtype) == (q.shape, q.dtype)
    assert [one.grad.shape for one in (q, k, v)] == [one.shape for one in (q, k, v)]


@given(rows=st.integers(1, 4), positions=st.integers(1, 100), seed=st.integers(0, 20))
def test_borders(rows, positions, seed):
    documents = building.documents(rows, positions, seed)
    flat = [(row, number) for row, numbers in enumerate(documents.tolist()) for number in numbers]
    begins = [place for place, one in enumerate(flat) if place == 0 or flat[place - 1] != one]
    found = borders(documents)
    assert len(found) % 64 == 0
    assert found[: len(begins)].tolist() == begins
    assert set(found[len(begins) :].tolist()) == {rows * positions}  # at least once: the end


def test_borders_in_the_documentation():
    assert doctest.testmod(attention_cuda).failed == 0


@given(positions=st.integers(1, 60), window=WINDOW, seed=DOCUMENTS)
def test_flex_has_the_mask(positions, window, seed):
    documents = numbered(positions, seed)
    reach = positions if window is None else window
    rows = 1 if documents is None else 2
    found = create_mask(mask_of(reach, documents), rows, 1, positions, positions, device="cpu")
    assert torch.equal(found, building.mask(positions, window, documents).expand_as(found))


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
@pytest.mark.parametrize("seed", [None, 1])
@pytest.mark.parametrize("window", [None, 7, 200])
def test_flex_forward_on_a_cpu(window, seed, monkeypatch):
    monkeypatch.setattr(attention_cuda, "_compiled", lambda function: function)
    documents = numbered(300, seed)  # three blocks of 128
    q, k, v = tensors(2, 4, 2, 300, 300, dtype=torch.float32)
    with torch.no_grad():
        layout = layout_for(300, 300, window, documents, CPU, "flex")
        found = layout.attend(q, k, v)
    assert isinstance(layout, Flex)
    torch.testing.assert_close(found, dense(q, k, v, window, documents), rtol=0, atol=2e-6)


def test_flex_leaves_blocks_out():
    with torch.no_grad():
        layout = layout_for(1024, 1024, 128, None, CPU, "flex")
    assert layout.blocks.sparsity() > 70  # percent: 15 of 64 blocks


@needs_cuda
@pytest.mark.parametrize("seed", [None, 1])
@pytest.mark.parametrize("window", [None, 100])
@pytest.mark.parametrize("backend", ["sdpa", "banded", "varlen", "flex"])
def test_backends_agree_on_cuda(backend, window, seed):
    """Forward and backward in bfloat16, no further from float64 than 1.1 times a dense mask in bfloat16."""
    documents = numbered(512, seed)
    random = torch.Generator().manual_seed(0)
    exact = [torch.randn(2, heads, 512, 64, generator=random, dtype=torch.float64) for heads in (4, 2, 2)]
    weights = torch.randn(2, 4, 512, 64, generator=random, dtype=torch.float64)

    def outcome(dtype, attend):
        given = [one.to("cuda", dtype).requires_grad_() for one in exact]
        found = attend(*given)
        (found * weights.to("cuda", dtype)).sum().backward()
        return [one.double().cpu() for one in (found.detach(), *(one.grad for one in given))]

    device = torch.device("cuda")
    on_device = None if documents is None else documents.to(device)
    layout = layout_for(512, 512, window, on_device, device, backend, torch.bfloat16)
    assert layout.backend == backend
    seen = building.mask(512, window, documents).to(device)

    def plain(q, k, v):
        return functional.scaled_dot_product_attention(q, k, v, attn_mask=seen, enable_gqa=True)

    right, torchs = outcome(torch.float64, plain), outcome(torch.bfloat16, plain)
    for one, other, best in zip(outcome(torch.bfloat16, layout.attend), torchs, right, strict=True):
        assert (one - best).abs().mean() <= 1.1 * (other - best).abs().mean()
