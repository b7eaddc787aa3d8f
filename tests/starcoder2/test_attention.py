"""Every layout against a dense mask written down from the definition."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from starcoder2 import building
from starloom.starcoder2 import attention
from starloom.starcoder2.attention import Layout, attend


def tensors(batch, heads, groups, queries, keys, seed=0):
    random = torch.Generator().manual_seed(seed)
    return [
        torch.randn(batch, number, length, 8, generator=random, dtype=torch.float64)
        for number, length in ((heads, queries), (groups, keys), (groups, keys))
    ]


def dense(q, k, v, window, documents=None):
    seen = building.mask(k.shape[2], window, documents)[:, :, k.shape[2] - q.shape[2] :]
    share = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(share, dim=1), v.repeat_interleave(share, dim=1)
    return functional.scaled_dot_product_attention(q, k, v, attn_mask=seen)


@given(
    keys=st.integers(1, 40),
    late=st.integers(0, 39),
    window=st.none() | st.integers(1, 45),
    chunk=st.integers(1, 45),
    heads=st.sampled_from([(1, 1), (4, 2), (3, 1)]),
    seed=st.none() | st.integers(0, 5),
)
def test_every_layout_is_a_dense_mask(keys, late, window, chunk, heads, seed):
    queries = max(1, keys - late)
    documents = None if seed is None else building.documents(2, keys, seed)
    q, k, v = tensors(2, *heads, queries, keys)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention, "CHUNK", chunk)
        layout = Layout.make(queries, keys, window, documents, q.device)
    torch.testing.assert_close(attend(q, k, v, layout), dense(q, k, v, window, documents), rtol=0, atol=1e-13)


@pytest.mark.parametrize("window", [1, 7, 64])
def test_a_query_sees_exactly_its_window(window):
    """The gradient of one output reaches `window` keys, itself included."""
    q, k, v = tensors(1, 2, 1, 200, 200)
    v.requires_grad_()
    attend(q, k, v, Layout.make(200, 200, window, None, q.device))[0, 0, 150].sum().backward()
    reached = v.grad[0, 0].abs().sum(dim=1).nonzero().flatten().tolist()
    assert reached == list(range(150 - window + 1, 151))


def test_masks_are_shared_between_chunks():
    """Memory stays that of a few chunks, however long the sequence."""
    layout = Layout.make(8192, 8192, 512, None, torch.device("cpu"))
    assert len({id(band.mask) for band in layout.bands}) <= 3
    assert max(band.last_key - band.first_key for band in layout.bands) < 512 + attention.CHUNK


def test_documents_must_cover_the_keys():
    with pytest.raises(ValueError, match="documents of 3 positions for 4 keys"):
        Layout.make(4, 4, None, torch.zeros(1, 3, dtype=torch.int32), torch.device("cpu"))
