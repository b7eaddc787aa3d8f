"""Adapters in PEFT's format: beside our network and others', read by PEFT, added to the weights as PEFT adds them."""

import json

import pytest
import safetensors.torch
import torch
import transformers

from starloom.errors import UserError
from starloom.starcoder2 import adapter, interchange, safetensors_files
from starloom.training.finetune import adapters
from starloom.training.finetune.settings import FinetuneSettings
from training.finetune import models

pytest.importorskip("peft", reason="fine-tuning by adapters needs PEFT")
# PEFT asks transformers by a name that this is about to lose.
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")

CPU = torch.device("cpu")
IDS = torch.arange(20)[None] * 11 % 294


def adapted(network, head=None, **changes):
    """The network with adapters that are not the zeros that they begin as; and PEFT's configuration."""
    config = adapters.adapt(
        network, head, FinetuneSettings(**{"method": "lora", "rank": 4} | changes), torch.float32, CPU
    )
    random = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for one in adapters.published(network).values():
            one.normal_(0, 0.1, generator=random)
    return config


def written(folder, network, config, base):
    folder.mkdir()
    (folder / adapter.CONFIG).write_bytes(adapters.config_file(config, str(base)))
    tensors = {name: one.detach() for name, one in adapters.published(network).items()}
    safetensors.torch.save_file(tensors, folder / adapter.WEIGHTS, metadata={"format": "pt"})
    return folder


def tensors_of(folder):
    return safetensors_files.load(safetensors_files.find(folder), torch.float32, torch.device("cpu"))


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """(folder of a StarCoder2, folder of an adapter of it, what the adapted network says)."""
    folder = tmp_path_factory.mktemp("adapters")
    base = models.starcoder2(folder / "base")
    network = interchange.read(base)
    config = adapted(network)
    return base, written(folder / "adapter", network, config, base), network.logits(network(IDS)).detach()


def test_only_adapters_are_trained_and_begin_as_nothing(tmp_path):
    network = interchange.read(models.starcoder2(tmp_path / "base"))
    before = network.logits(network(IDS))
    config = adapters.adapt(network, None, FinetuneSettings(method="lora", rank=4), torch.float32, CPU)
    assert torch.equal(network.logits(network(IDS)), before)
    assert sorted(config.target_modules) == ["c_fc", "c_proj", "k_proj", "o_proj", "q_proj", "v_proj"]
    trained = {name for name, one in network.named_parameters() if one.requires_grad}
    assert len(trained) == len(adapters.published(network)) == 2 * 6 * 2
    network.logits(network(IDS)).sum().backward()
    assert all((one.grad is not None) == (name in trained) for name, one in network.named_parameters())


def test_the_same_seed_gives_the_same_adapters(tmp_path):
    base = models.starcoder2(tmp_path / "base")
    found = []
    for seed in (1, 1, 2):
        network = interchange.read(base)
        adapters.adapt(network, None, FinetuneSettings(method="lora", seed=seed), torch.bfloat16, CPU)
        assert network.head.dtype == torch.bfloat16
        found.append(adapters.published(network))
        assert {one.dtype for one in found[-1].values()} == {torch.float32}
    one, same, other = found
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_peft_opens_it_over_transformers_own_network(ours):
    from peft import PeftModel

    base, folder, logits = ours
    model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    with torch.no_grad():
        plain = model(IDS).logits
        found = PeftModel.from_pretrained(model, folder).eval()(IDS).logits
    assert (plain - logits).abs().max() > 0.01
    torch.testing.assert_close(found, logits, rtol=1e-5, atol=1e-5)


def test_merged_as_peft_merges(ours):
    from peft import PeftModel

    base, folder, logits = ours
    merged = dict(adapter.read(folder).merged(tensors_of(base)))
    model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    theirs = PeftModel.from_pretrained(model, folder).merge_and_unload().state_dict()
    for name, tensor in merged.items():
        torch.testing.assert_close(tensor, theirs[name], rtol=0, atol=1e-6)
    network = interchange.read(base)
    network.load_state_dict(merged)
    torch.testing.assert_close(network.logits(network(IDS)), logits, rtol=1e-5, atol=1e-5)


def test_the_base_is_kept_in_its_own_number_format(ours):
    base, folder, _ = ours
    halves = ((name, tensor.bfloat16()) for name, tensor in tensors_of(base))
    merged = dict(adapter.read(folder).merged(halves))
    assert {one.dtype for one in merged.values()} == {torch.bfloat16}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"peft_type": "IA3"}, "is of a 'IA3'"),
        ({"use_dora": True}, "has use_dora = True"),
        ({"rank_pattern": {"q_proj": 2}}, "rank_pattern"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"r": "4"}, "does not say of which rank"),
        ({"r": 5}, "has no pair of rank 5"),
        ({"base_model_name_or_path": None}, "does not say of which rank, scale or base"),
    ],
)
def test_adapters_of_another_kind(ours, tmp_path, changes, said):
    _, folder, _ = ours
    config = json.loads((folder / adapter.CONFIG).read_text()) | changes
    (tmp_path / adapter.CONFIG).write_text(json.dumps(config))
    (tmp_path / adapter.WEIGHTS).write_bytes((folder / adapter.WEIGHTS).read_bytes())
    with pytest.raises(UserError, match=said):
        adapter.read(tmp_path)


def test_an_adapter_of_another_base(ours, tmp_path):
    base, folder, _ = ours
    read = adapter.read(folder)
    with pytest.raises(UserError, match="and the base's has"):
        dict(read.merged((name, tensor[:1]) for name, tensor in tensors_of(base)))
    with pytest.raises(UserError, match="which the base does not have"):
        dict(read.merged(iter(())))


def test_targets(tmp_path):
    base = models.starcoder2(tmp_path / "base")
    config = adapted(interchange.read(base), targets=("q_proj", "v_proj"))
    assert sorted(config.target_modules) == ["q_proj", "v_proj"]
    with pytest.raises(UserError, match="targets has 'gate_proj', and the model's layers have c_fc, c_proj"):
        adapted(interchange.read(base), targets=("gate_proj",))


def test_the_head_is_left_alone():
    network = transformers.LlamaForCausalLM(transformers.LlamaConfig(**models.SHAPE | {"vocab_size": 61}))
    config = adapted(network, network.get_output_embeddings())
    assert "lm_head" not in config.target_modules
    assert {"q_proj", "gate_proj", "down_proj"} < set(config.target_modules)


def test_missing_libraries_name_their_extras(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(UserError, match="needs peft") as problem:
        adapters.check_installed(FinetuneSettings(method="lora"))
    assert problem.value.hint == "pip install 'starloom[finetune]'"
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(UserError, match="needs bitsandbytes") as problem:
        adapters.check_installed(FinetuneSettings(method="qlora"))
    assert problem.value.hint == "pip install 'starloom[qlora]'"
    adapters.check_installed(FinetuneSettings(method="full"))


@pytest.mark.slow
def test_four_bits():
    bnb = pytest.importorskip("bitsandbytes", reason="4-bit weights need bitsandbytes")
    shape = models.SHAPE | {"vocab_size": 61, "hidden_size": 64, "intermediate_size": 128}
    torch.manual_seed(0)
    whole = transformers.LlamaForCausalLM(transformers.LlamaConfig(**shape)).eval()
    network = transformers.LlamaForCausalLM(whole.config).eval()
    network.load_state_dict(whole.state_dict())
    settings = FinetuneSettings(method="qlora", rank=4)
    adapters.adapt(network, network.get_output_embeddings(), settings, torch.float32, CPU)
    network.to("cpu")
    packed = network.model.layers[0].mlp.up_proj.base_layer.weight
    assert (packed.dtype, packed.numel()) == (torch.uint8, 64 * 128 // 2)
    near, exact = bnb.functional.dequantize_4bit(packed, packed.quant_state), whole.model.layers[0].mlp.up_proj.weight
    assert 0.05 < (near - exact).norm() / exact.norm() < 0.15  # of normal numbers NF4 keeps so much
    ids = torch.arange(20)[None] * 7 % 61
    before = packed.clone()
    network.eval()  # as foreign models are while they are trained
    with torch.no_grad():
        network(ids)
    optimizer = torch.optim.AdamW(adapters.published(network).values(), lr=0.02)
    losses = []
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(network(ids).logits[0, :-1], ids[0, 1:])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    assert torch.equal(packed, before)
