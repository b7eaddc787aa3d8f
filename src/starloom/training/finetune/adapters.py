"""What is trained of a model whose own weights stay as they are: pairs of low rank beside its matrices (PEFT's LoRA).

With "qlora" (arXiv 2305.14314) the matrices of the layers are held in 4 bits (NF4, its scales quantised too), by
bitsandbytes; products are computed in the machine's precision. Both libraries are imported here and nowhere else.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import torch
from torch import Tensor, nn

from starloom.errors import UserError
from starloom.starcoder2 import adapter
from starloom.training.finetune.settings import FinetuneSettings

_NAME: Final = "default"  # PEFT's own, of the first adapter


def installed(library: str, extra: str) -> Any:
    """`peft` or `bitsandbytes`. Raises UserError, which names the extra, where it is not there."""
    try:
        if library == "peft":
            import peft

            return peft
        import bitsandbytes
    except ImportError as problem:
        raise UserError(
            f"this needs {library}, which is not installed ({problem})", f"pip install 'starloom[{extra}]'"
        ) from None
    return bitsandbytes


def check_installed(settings: FinetuneSettings) -> None:
    """That the libraries of the method are there, before any weight is read. Raises UserError."""
    if settings.method != "full":
        installed("peft", "finetune")
    if settings.method == "qlora":
        installed("bitsandbytes", "qlora")


def adapt(
    network: nn.Module, head: nn.Module | None, settings: FinetuneSettings, dtype: torch.dtype, device: torch.device
) -> Any:
    """Freezes `network` and puts adapters into it, in place; theirs are float32, the rest becomes `dtype`, or 4 bits
    once it is moved to its `device`. Returns PEFT's LoraConfig. head: is left as it is.

    Raises UserError for targets that the network does not have.
    """
    peft = installed("peft", "finetune")
    names = _targets(network, head, settings)
    network.requires_grad_(False).to(dtype)
    if settings.method == "qlora":
        _quantize(network, head, dtype)
    config = peft.LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=0.0,  # what a step draws would not be drawn again when a run goes on
        target_modules=names,
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(settings.seed)
        peft.inject_adapter_in_model(config, network, adapter_name=_NAME)
    for parameter in network.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return config


def published(network: nn.Module) -> dict[str, Tensor]:
    """The adapters' parameters, by the names that their file has."""
    return adapter.named({name: one for name, one in network.named_parameters() if one.requires_grad})


def config_file(config: Any, base: str) -> bytes:
    """adapter_config.json of a finished adapter. base: what PEFT opens under it."""
    values = {name: _plain(value) for name, value in config.to_dict().items()}
    values |= {"base_model_name_or_path": base, "inference_mode": True}
    return (json.dumps(values, indent=2, sort_keys=True) + "\n").encode()


def _targets(network: nn.Module, head: nn.Module | None, settings: FinetuneSettings) -> list[str]:
    there = sorted({name.rpartition(".")[2] for name, _ in _matrices(network, head)})
    if missing := sorted(set(settings.targets) - set(there)):
        raise UserError(
            f"[finetune] targets has {missing[0]!r}, and the model's layers have {', '.join(there)}",
            "choose among these, or leave `targets` out: all of them",
        )
    return sorted(settings.targets) or there


def _matrices(network: nn.Module, head: nn.Module | None) -> Iterator[tuple[str, nn.Linear]]:
    """The linear layers, by name, but the vocabulary's head."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear) and module is not head:
            yield name, module


def _quantize(network: nn.Module, head: nn.Module | None, dtype: torch.dtype) -> None:
    """Linear layers become ones of 4 bits, in place."""
    bnb = installed("bitsandbytes", "qlora").nn
    form: Mapping[str, Any] = {"quant_type": "nf4", "compress_statistics": True}
    for name, module in list(_matrices(network, head)):
        bias = module.bias is not None
        made = bnb.Linear4bit(
            module.in_features, module.out_features, bias=bias, compute_dtype=dtype, device="meta", **form
        )
        made.weight = bnb.Params4bit(module.weight.data, requires_grad=False, **form)
        made.bias = module.bias
        made.support_avx512bf16_for_cpu = False  # else some CPUs lay its weight out anew, for inference alone
        above, _, own = name.rpartition(".")
        setattr(network.get_submodule(above), own, made)
    vars(network)["is_loaded_in_4bit"] = True  # by this PEFT knows which layers to put beside them


def _plain(value: Any) -> Any:
    """A setting of PEFT's as JSON has it."""
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    return value if value is None or isinstance(value, bool | int | float | str | list) else str(value)
