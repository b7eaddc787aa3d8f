"""What a fine-tuned model says of itself: README.md as the Hub's model cards are, and the same for its manifest.

The licence is the base's: what is made of a model goes under its terms, and names it.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from starloom.progress import counted
from starloom.starcoder2.export import card_opening
from starloom.training.finetune.base import UNKNOWN, Base
from starloom.training.finetune.settings import FinetuneSettings

_WAYS = {
    "full": "All of its weights were trained.",
    "lora": "Low-rank adapters (LoRA) of rank {rank} were trained beside {targets}.",
    "qlora": "Low-rank adapters of rank {rank} were trained beside {targets}, the base in 4 bits (QLoRA).",
}


@dataclass(frozen=True)
class About:
    """What a run read and did. read: the files, for people. documents: examples, or repositories. rows: of `sequence`
    tokens. talks: conversations were among them. targets: the modules that have adapters."""

    read: tuple[str, ...]
    documents: int
    rows: int
    sequence: int
    talks: bool
    steps: int = 0
    targets: tuple[str, ...] = ()

    def ended(self, steps: int, targets: tuple[str, ...]) -> Self:
        return replace(self, steps=steps, targets=targets)

    @classmethod
    def of(cls, told: dict[str, Any]) -> Self:
        """What `facts` put into a manifest."""
        values: dict[str, Any] = {}
        for name, value in told.items():
            values[name] = tuple(value) if isinstance(value, list) else value
        return cls(**values)


def facts(base: Base, about: About) -> dict[str, Any]:
    """For the manifest: which model it was made of, under what terms that is given, and what was done."""
    told = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(about).items()}
    origin = {"name": base.name, "family": base.family, "weights": base.hashes, **base.terms.to_json()}
    return {"base": origin, "fine_tuning": told}


def card(name: str, base: Base, settings: FinetuneSettings, about: About, *, merged: bool) -> bytes:
    """README.md of the run `name`. merged: adapters are added to the weights."""
    adapted = settings.method != "full"
    head = base.terms.to_json() | {"base_model": base.name, "pipeline_tag": "text-generation"}
    head["library_name"] = "peft" if adapted and not merged else "transformers"
    way = _WAYS[settings.method].format(rank=settings.rank, targets=", ".join(f"`{one}`" for one in about.targets))
    read = ", ".join(f"`{one}`" for one in about.read) or "a workspace's dataset, as `[pack]` lays it out"
    learnt = "prompts and answers" if settings.loss == "all" else "answers alone, where prompts are told apart"
    rows = f"{counted(about.documents, 'documents')} in {counted(about.rows, 'rows')}"
    lines = [
        *card_opening(name, head),
        f"`{base.name}` ({base.family}), fine-tuned with Starloom. {way}",
        "",
        f"- Read: {read}; {rows} of {about.sequence:,} tokens.",
        f"- Learnt: {learnt}.",
        f"- {about.steps:,} steps of {settings.batch:,} rows; highest learning rate {settings.highest_rate:g}.",
        *([_where(merged)] if adapted else []),
        "",
        "## Licence",
        "",
        *_licence(base),
        "",
    ]
    return "\n".join(lines).encode()


def _where(merged: bool) -> str:
    if merged:
        return "- The adapter is in `adapter/`, in PEFT's format, and added to the weights beside this card."
    return "- This is an adapter in PEFT's format: `PeftModel.from_pretrained(base, folder)`."


def _licence(base: Base) -> list[str]:
    terms = base.terms
    if terms.license == UNKNOWN:
        return [
            "The base model does not tell its licence, neither in a card nor in a licence file. Its terms go for what "
            "is made of it: ask who made it before you give this to others."
        ]
    name = f" ({terms.license_name})" if terms.license_name else ""
    found = [f"The base model's licence goes for what is made of it: `{terms.license}`{name}."]
    if terms.license_link:
        found.append(f"<{terms.license_link}>")
    if terms.files:
        found.append(f"Its texts are beside this card: {', '.join(f'`{one}`' for one in terms.files)}.")
    return found
