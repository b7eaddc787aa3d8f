"""A fine-tuning from its settings to `models/RUN/`: examples packed, record written, the loop over both.

Killed and started again it goes on as pretraining does: on a CPU it ends with the same bits.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from math import ceil, prod
from pathlib import Path
from typing import Any, Final

from starloom.errors import UserError
from starloom.progress import say
from starloom.starcoder2 import adapter, safetensors_files
from starloom.tokens.pack_settings import PackSettings
from starloom.training import machine as machines
from starloom.training import memory, reading, runs
from starloom.training.finetune import adapters
from starloom.training.finetune.base import CARD, Base
from starloom.training.finetune.card import About, card
from starloom.training.finetune.settings import USUAL_SEQUENCE, FinetuneSettings
from starloom.training.finetune.tokens import FOLDER as EXAMPLES
from starloom.training.finetune.tokens import Data, Examples, mixture, prepared
from starloom.training.finetune.work import Finetuning, tensors, write_whole
from starloom.training.loop import Sitting, Trained, is_whole, refuse_strangers, trained
from starloom.training.runs import Record, Run
from starloom.training.world import World, join
from starloom.workspace import atomic
from starloom.workspace.lock import lock
from starloom.workspace.manifest import read_manifest
from starloom.workspace.operations import explained

ADAPTER: Final = "adapter"  # folder of a merged model's adapter


def finetune(
    root: Path, settings: FinetuneSettings, pack: PackSettings, name: str, *, restart: bool = False, command: str
) -> Trained:
    """Trains the run `name` to its end, from where it stopped. Under torchrun every process calls this.

    pack: how a workspace's dataset is laid out, where no files are named. restart: what the run has so far is removed
    first. command: as the user typed it, for the lock.

    Raises UserError: no base or data, a library that is missing, a base of another shape or vocabulary, a run that was
    begun otherwise. Raises KeyboardInterrupt on Ctrl-C, after a checkpoint.
    """
    adapters.check_installed(settings)
    with _in_our_words():
        base = Base.open(root, settings.base)
        sequence = _sequence(base, settings)
        kind = machines.device(settings.train(1, sequence))
        with join(kind) as world, lock(root, command) if world.first else nullcontext():
            if settings.method == "qlora" and world.size > 1:
                raise UserError(
                    'method = "qlora" works on one device: 4-bit weights are not sharded',
                    'use method = "lora" with several processes, or one process',
                )
            run, samples = _begun(root, settings, pack, name, base, sequence, restart, world)
            if run.finished and is_whole(run.model):
                done = trained(run, anew=False)
            else:
                done = _sat(root, run, settings, base, samples, world)
            if settings.merge and world.first:
                merge(run, base, settings)
            world.barrier()
            return done


def _sat(root: Path, run: Run, settings: FinetuneSettings, base: Base, samples: Examples, world: World) -> Trained:
    """What is left of the run, to its end."""
    about = About(
        read=tuple(Path(one).name for one in settings.data),
        documents=samples.documents,
        rows=samples.number,
        sequence=samples.recipe.sequence,
        talks=samples.talks,
    )
    work = Finetuning(root, run, settings, base, samples, about)
    used = machines.again(run.record)
    with used.in_use(), explained(run.folder), memory.explained(work.settings, world):
        return Sitting(run, work, used, world).train()


@contextmanager
def _in_our_words() -> Iterator[None]:
    """What the loop says of [train] and its command, said of [finetune] and ours."""
    try:
        yield
    except UserError as problem:
        said, hint = (
            text.replace("[train]", "[finetune]").replace("starloom train ", "starloom finetune ")
            for text in (problem.problem, problem.hint or "")
        )
        raise UserError(said, hint) from problem


def merge(run: Run, base: Base, settings: FinetuneSettings) -> None:
    """Makes the finished adapter a whole model, its part added to the base's weights; nothing where it is one.

    Raises UserError when the base is no longer the one that it was trained on.
    """
    manifest = read_manifest(run.model)
    if manifest is None or (run.model / ADAPTER).is_dir():
        return
    if base.hashes != run.record.initial:
        raise UserError(
            f"{base.folder} has other weights than run {run.name} was trained on", "put back the base of then"
        )
    about = About.of(manifest.facts["fine_tuning"])
    made: dict[str, Any] = {"kind": manifest.kind, "version": manifest.version, "fingerprint": manifest.fingerprint}
    with atomic.publish(run.model, **made, inputs=manifest.inputs, settings=manifest.settings, replace=True) as draft:
        for file in (adapter.CONFIG, adapter.WEIGHTS):
            draft.write(f"{ADAPTER}/{file}", (run.model / file).read_bytes())
        write_whole(draft, base, dict(adapter.read(run.model).merged(tensors(base))), about.talks)
        draft.write(CARD, card(run.name, base, settings, about, merged=True))
        draft.facts = manifest.facts | {"merged": True}
    say(f"  {run.name}: its adapter is added to the weights of {base.name}")


def _begun(
    root: Path,
    settings: FinetuneSettings,
    pack: PackSettings,
    name: str,
    base: Base,
    sequence: int,
    restart: bool,
    world: World,
) -> tuple[Run, Examples]:
    """The run, its examples packed and its record written. Raises UserError for one that was begun otherwise."""
    folder = runs.run_folder(root, name)
    files = tuple(root / Path(one).expanduser() for one in settings.data)
    data = Data(files, pack, settings.loss == "all", sequence)
    if world.first:
        atomic.recover(root)
        atomic.recover(folder)
        if restart:
            atomic.remove_folder(folder)
        begun = runs.find(root, name) is not None
        if not begun and folder.is_dir() and any(one.name != EXAMPLES for one in folder.iterdir()):
            refuse_strangers(folder)
        prepared(root, name, data, base.folder, base.tokenizer, base.chat, begun=begun)
    world.barrier()
    samples = Examples(root, name, sequence, settings.seed, base.padding)
    outcome = settings.outcome(sequence) | {"base": base.name, "data": [path.name for path in files]}
    if world.first and runs.find(root, name) is None:
        runs.write_record(folder, _record(settings, outcome, name, base, samples))
    world.barrier()
    run = runs.find(root, name)
    assert run is not None
    now = reading.recorded(mixture(name))
    different = runs.differences(run.record, outcome, now, samples.fingerprint, base.tokenizer.sha256)
    if run.record.initial != base.hashes:
        different.append(f"{base.folder}, whose weights it began with, has other weights now")
    if different:
        raise UserError(
            f"run {name} was begun otherwise: {'; '.join(different)}",
            f"fine-tune under another name, or begin anew: `starloom finetune {name} --restart`",
        )
    return run, samples


def _sequence(base: Base, settings: FinetuneSettings) -> int:
    """Tokens of a row. Raises UserError for more than the base takes."""
    most = base.context
    if not settings.sequence:
        return min(USUAL_SEQUENCE, most or USUAL_SEQUENCE)
    if most and settings.sequence > most:
        raise UserError(
            f"[finetune] sequence = {settings.sequence:,} is longer than {base.name} takes: {most:,}",
            f"set `sequence` to {most:,} or less",
        )
    return settings.sequence


def _record(settings: FinetuneSettings, outcome: dict[str, Any], name: str, base: Base, samples: Examples) -> Record:
    steps = settings.steps or ceil(settings.epochs * samples.number / settings.batch)
    used = machines.choose(settings.train(steps, samples.recipe.sequence))
    shapes = safetensors_files.find(base.folder).shapes
    return Record(
        settings=outcome,
        mixture=reading.recorded(mixture(name)),
        tokens=samples.fingerprint,
        tokenizer=base.tokenizer.sha256,
        vocabulary=base.tokenizer.vocabulary,
        parameters=sum(prod(shape) for shape in shapes.values()),
        steps=steps,
        threads=used.threads,
        precision=used.precision,
        device=used.device,
        versions=machines.versions(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        initial=base.hashes,
    )
