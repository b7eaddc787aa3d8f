"""Every layout against a dense mask written down from the definition."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from starcoder2 import building
from starloom.errors import UserError
from starloom.starcoder2 import attention
from starloom.starcoder2.attention import Whole, choose, layout_for, layout_of
from starloom.starcoder2.network import StarCoder2

CPU = torch.device("cpu")
HEADS = st.sampled_from([(1, 1), (4, 2), (3, 1)])


def tensors(batch, heads, groups, queries, keys, seed=0, dtype=torch.float64):
    random = torch.Generator().manual_seed(seed)
    return [
        torch.randn(batch, number, length, 8, generator=random, dtype=dtype)
        for number, length in ((heads, queries), (groups, keys), (groups, keys))
    ]


def masked(q, k, v, seen):
    share = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(share, dim=1), v.repeat_interleave(share, dim=1)
    return functional.scaled_dot_product_attention(q, k, v, attn_mask=seen)


def dense(q, k, v, window, documents=None):
    return masked(q, k, v, building.mask(k.shape[2], window, documents)[:, :, k.shape[2] - q.shape[2] :])


@given(
    keys=st.integers(1, 40),
    late=st.integers(0, 39),
    window=st.none() | st.integers(1, 45),
    chunk=st.integers(1, 45),
    heads=HEADS,
    seed=st.none() | st.integers(0, 5),
    backend=st.sampled_from(["auto", "sdpa", "banded"]),
)
def test_every_layout_is_a_dense_mask(keys, late, window, chunk, heads, seed, backend):
    queries = max(1, keys - late)
    documents = None if seed is None else building.documents(2, keys, seed)
    q, k, v = tensors(2, *heads, queries, keys)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention, "CHUNK", chunk)
        layout = layout_for(queries, keys, window, documents, q.device, backend)
    assert backend == "auto" or queries < keys or layout.backend == backend
    torch.testing.assert_close(layout.attend(q, k, v), dense(q, k, v, window, documents), rtol=0, atol=1e-13)


@given(queries=st.integers(1, 20), more=st.integers(0, 30), heads=HEADS, seed=st.integers(0, 9))
def test_any_mask(queries, more, heads, seed):
    """As of a cache whose rows have different lengths."""
    q, k, v = tensors(2, *heads, queries, queries + more)
    seen = torch.rand(2, 1, queries, queries + more, generator=torch.Generator().manual_seed(seed)) < 0.5
    seen[..., 0] = True  # a query that sees nothing has no answer
    torch.testing.assert_close(layout_of(seen).attend(q, k, v), masked(q, k, v, seen), rtol=0, atol=1e-13)


@pytest.mark.parametrize("window", [1, 7, 64])
def test_a_query_sees_exactly_its_window(window):
    """The gradient of one output reaches `window` keys, itself included."""
    q, k, v = tensors(1, 2, 1, 200, 200)
    v.requires_grad_()
    layout_for(200, 200, window, None, q.device).attend(q, k, v)[0, 0, 150].sum().backward()
    reached = v.grad[0, 0].abs().sum(dim=1).nonzero().flatten().tolist()
    assert reached == list(range(150 - window + 1, 151))


def test_masks_are_shared_between_chunks():
    """Memory stays that of a few chunks, however long the sequence."""
    layout = layout_for(8192, 8192, 512, None, CPU)
    assert len({id(band.mask) for band in layout.bands}) <= 1 + -(-512 // attention.CHUNK)
    assert max(band.keys.stop - band.keys.start for band in layout.bands) < 512 + attention.CHUNK


def test_documents_must_cover_the_keys():
    with pytest.raises(ValueError, match="documents of 3 positions for 4 keys"):
        layout_for(4, 4, None, torch.zeros(1, 3, dtype=torch.int32), CPU)


@pytest.mark.parametrize(
    ("device", "dtype", "window", "documents", "backend"),
    [
        ("cpu", torch.float32, None, False, "sdpa"),
        ("cpu", torch.float32, 100, False, "sdpa"),  # the window is a no-op
        ("cpu", torch.float32, 99, False, "banded"),
        ("cpu", torch.bfloat16, None, True, "banded"),
        ("cuda", torch.bfloat16, None, False, "sdpa"),
        ("cuda", torch.bfloat16, 99, False, "varlen"),
        ("cuda", torch.bfloat16, None, True, "varlen"),
        ("cuda", torch.float32, 99, True, "banded"),  # flash attention has no float32
    ],
)
def test_what_is_chosen(device, dtype, window, documents, backend):
    device = torch.device(device)
    assert choose("auto", device, dtype, 100, window, documents) == backend
    for wanted in ("sdpa", "banded"):
        assert choose(wanted, device, dtype, 100, window, documents) == wanted


def test_what_cannot_compute_is_refused():
    with pytest.raises(UserError, match=r'attention = "varlen" cannot compute in float32 on cuda') as caught:
        choose("varlen", torch.device("cuda"), torch.float32, 100, None, True)
    assert "bfloat16" in caught.value.hint
    with pytest.raises(UserError, match=r'attention = "varlen" cannot compute in bfloat16 on cpu'):
        choose("varlen", CPU, torch.bfloat16, 100, None, True)
    with pytest.raises(UserError, match=r'attention = "flex" cannot train on cpu') as caught:
        layout_for(8, 8, None, None, CPU, "flex")
    assert "banded" in caught.value.hint
    with torch.no_grad():
        assert layout_for(8, 8, None, None, CPU, "flex").backend == "flex"


@pytest.mark.parametrize("cudnn_first", [False, True])
def test_an_order_of_kernels_changes_nothing_where_they_are_not(cudnn_first):
    q, k, v = tensors(2, 4, 2, 50, 50, dtype=torch.float32)
    before = torch.backends.cuda.flash_sdp_enabled(), torch.backends.cuda.cudnn_sdp_enabled()
    found = Whole(None, cudnn_first).attend(q, k, v)
    torch.testing.assert_close(found, dense(q, k, v, None), rtol=0, atol=1e-6)
    assert (torch.backends.cuda.flash_sdp_enabled(), torch.backends.cuda.cudnn_sdp_enabled()) == before


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # dynamo looks, and hides the warning
@pytest.mark.parametrize("backend", ["banded", "sdpa"])
def test_compiled_layers_compile_once(backend, monkeypatch):
    """Layers are compiled one by one: neither another layer nor a batch with other documents compiles anew."""
    monkeypatch.setattr(attention, "CHUNK", 32)
    network = StarCoder2(building.config(), backend)
    building.randomize(network)
    plain = StarCoder2(network.config, backend)
    plain.load_state_dict(network.state_dict())
    torch.compiler.reset()
    for layer in network.model.layers:
        layer.compile(backend="aot_eager", fullgraph=True)
    with torch._dynamo.config.patch(error_on_recompile=True):
        for seed in range(3):
            ids, documents = building.ids(2, 90, seed=seed), building.documents(2, 90, seed)
            found = network(ids, documents)
            found.sum().backward()
            assert torch.equal(found, plain(ids, documents))
