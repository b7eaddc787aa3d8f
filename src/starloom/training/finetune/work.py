"""The Work of `starloom finetune`: what of a base is trained, on which rows, and what is written in the end.

A whole model has the files, names and number formats of its base; adapters are a PEFT folder.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from starloom.errors import UserError
from starloom.progress import say
from starloom.starcoder2 import adapter, flops, interchange, safetensors_files
from starloom.starcoder2.config import StarCoder2Config
from starloom.starcoder2.open import Foreign, open_model
from starloom.starcoder2.safetensors_files import SINGLE
from starloom.tokens.loader import Loader, State
from starloom.tokens.samples import Batch
from starloom.training.evaluation import Evaluator
from starloom.training.finetune import adapters
from starloom.training.finetune.base import CARD, Base
from starloom.training.finetune.card import About, card, facts
from starloom.training.finetune.foreign import ForeignObjective, step_flops
from starloom.training.finetune.settings import FinetuneSettings
from starloom.training.finetune.tokens import Examples
from starloom.training.objective import Objective
from starloom.training.runs import Run
from starloom.training.trace import trace
from starloom.training.world import World
from starloom.workspace.atomic import Draft


class Finetuning:
    """One run's. Use `objective` before what it says of what is trained."""

    def __init__(
        self, root: Path, run: Run, chosen: FinetuneSettings, base: Base, samples: Examples, about: About
    ) -> None:
        self.settings = chosen.train(run.record.steps, samples.recipe.sequence)
        self._root, self._run, self._chosen, self._base = root, run, chosen, base
        self._samples, self._about = samples, about
        self._adapted = chosen.method != "full"
        self._config: Any = None  # PEFT's, of the adapters
        self._aliases: dict[str, str] = {}  # a tensor of the base's files -> the parameter that it is
        self._matrices = 0  # numbers in all matrices that a token is multiplied with

    def loader(self, state: Mapping[str, Any] | None, world: World) -> Loader:
        batch = self.settings.batch
        if state is None:
            return Loader(self._samples, batch, rank=world.rank, world=world.size)
        return Loader.resume(self._samples, batch, State(**state), rank=world.rank, world=world.size)

    def objective(self, device: torch.device) -> nn.Module:
        network, head = self._opened(device)
        linear = [one.weight for one in network.modules() if isinstance(one, nn.Linear)]
        embedding = [network.head] if head is None else []  # which is the head, too
        self._matrices = sum(one.numel() for one in (*linear, *embedding))
        if self._adapted:
            self._config = adapters.adapt(network, head, self._chosen, self._dtype, device)
            trained = sum(one.numel() for one in network.parameters() if one.requires_grad)
            say(f"  {trained:,} parameters of adapters beside {', '.join(self._targets)}")
        else:
            network.requires_grad_(True)
            self._aliases = _aliases(network, self._base.folder)
        made: nn.Module
        if self._base.own:
            made = Objective(network, self.settings, self._base.tokenizer.markers).to(device)
        else:
            made = ForeignObjective(network, self.settings).to(device).tried()
        return made

    def weights(self, objective: nn.Module) -> dict[str, Tensor]:
        network: Any = objective.network
        return adapters.published(network) if self._adapted else dict(network.named_parameters())

    def extras(self, objective: nn.Module) -> dict[str, Tensor]:
        del objective
        return {}

    def files(self) -> dict[str, bytes]:
        return {} if self._adapted else self._base.companions(self._about.talks)

    def named(self, step: int) -> list[str]:
        traced = trace(self._run, self._samples, step)
        files = [one for sample in traced for stretch in sample.stretches for one in stretch.files]
        return sorted({f"{one.repo_name} {one.path}" for one in files})

    def flops(self, batch: Batch) -> int:
        documents = batch.documents if self.settings.document_mask else (batch.documents >= 0) - 1
        if not self._base.own:
            return step_flops(self._base.config, self._matrices, documents, not self._adapted)
        found = flops.training_step(self._shape, documents.astype("int32"))
        return found * 2 // 3 if self._adapted else found  # a frozen matrix has no gradient of its own

    def evaluator(self, world: World) -> Evaluator | None:
        if not self.settings.evaluate_every:
            return None
        return Evaluator(self._root, self.settings, self._base.tokenizer, world)

    def write(self, draft: Draft, weights: dict[str, Tensor]) -> None:
        about = self._about.ended(self._run.record.steps, self._targets)
        draft.facts |= facts(self._base, about)
        draft.write(CARD, card(self._run.name, self._base, self._chosen, about, merged=False))
        if not self._adapted:
            write_whole(draft, self._base, dict(self._changed(weights)), about.talks)
            return
        with draft.create(adapter.WEIGHTS) as output:
            safetensors_files.write(output, weights)
        draft.write(adapter.CONFIG, adapters.config_file(self._config, str(self._base.folder)))
        for file, data in self._base.companions(about.talks).items():
            if file not in (interchange.CONFIG, interchange.GENERATION):  # by these it would be taken for a model
                draft.write(file, data)

    def _opened(self, device: torch.device) -> tuple[Any, nn.Module | None]:
        """(network, the layer that is its head; None: its embedding is). What becomes 4 bits is on the CPU until then:
        the device never holds more."""
        place = torch.device("cpu") if self._chosen.method == "qlora" else device
        if self._base.own:
            network = interchange.read(self._base.folder, self._dtype, place)
            network.attention = self.settings.attention
            return network, network.lm_head
        opened = open_model(self._base.folder, str(place), self._dtype)
        assert isinstance(opened, Foreign)
        return opened.model, opened.model.get_output_embeddings()

    @property
    def _dtype(self) -> torch.dtype:
        """Of the network's own weights: float32 where they are trained, else as products are computed."""
        low = self._adapted and self._run.record.precision == "bfloat16"
        return torch.bfloat16 if low else torch.float32

    @property
    def _targets(self) -> tuple[str, ...]:
        return tuple(sorted(self._config.target_modules)) if self._config else ()

    @cached_property
    def _shape(self) -> StarCoder2Config:
        return interchange.read_config(self._base.folder)

    def _changed(self, weights: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
        """The base's tensors with what was trained in their place, each in its own number format."""
        for name, tensor in tensors(self._base):
            now = weights.get(self._aliases.get(name, name))
            yield name, tensor if now is None else now.detach().to(tensor.dtype)


def tensors(base: Base) -> Iterator[tuple[str, Tensor]]:
    """Of the base's files, one after the other, as they are. Raises UserError for a torn one."""
    files = safetensors_files.find(base.folder).files
    for path in sorted(set(files.values())):
        with safetensors_files.opened(path) as file:
            for name in sorted(name for name, place in files.items() if place == path):
                yield name, file.get_tensor(name)


def write_whole(draft: Draft, base: Base, changed: Mapping[str, Tensor], talks: bool) -> None:
    """A model of these tensors and the base's other files."""
    with draft.create(SINGLE) as output:
        safetensors_files.write(output, changed)
    for file, data in base.companions(talks).items():
        draft.write(file, data)


def _aliases(network: nn.Module, folder: Path) -> dict[str, str]:
    """A tensor of the files in `folder` -> the parameter that it is: its own, or the one that it is tied to.

    Raises UserError where a parameter is none of the files': the result could not be written as the base is.
    """
    names = {id(one): name for name, one in network.named_parameters()}
    every = {name: names.get(id(one)) for name, one in network.state_dict(keep_vars=True).items()}
    found = {name: own for name in safetensors_files.find(folder).files if (own := every.get(name)) is not None}
    if missing := sorted(set(names.values()) - set(found.values())):
        raise UserError(
            f"{folder} has its weights under other names than transformers trains them ({missing[0]})",
            'train adapters instead: `method = "lora"` under [finetune]',
        )
    return found
