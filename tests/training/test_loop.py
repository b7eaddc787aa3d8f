"""A run from tokens to a model: it learns, is what it says, and refuses what it cannot do."""

import dataclasses
import itertools
import json
import random
import re
import shutil

import numpy as np
import pytest
import torch

from starloom.errors import UserError
from starloom.starcoder2 import interchange
from starloom.starcoder2.network import StarCoder2
from starloom.tokens.mixture import MixtureSource
from starloom.tokens.tokenizer import Tokenizer
from starloom.training import loop, pretraining, reading, runs
from starloom.training.reading import samples_of
from starloom.training.settings import LEAST_BY_CLOCK
from starloom.training.trace import trace
from starloom.workspace.manifest import read_manifest, verify
from training import packing
from training.packing import tiny


def train(root, settings=None, name="small", **options):
    return pretraining.train(root, settings or tiny(), name, command="test", **options)


def weights(root, name="small"):
    return (root / "models" / name / "model" / "model.safetensors").read_bytes()


def refused(root, *arguments, **options):
    with pytest.raises(UserError) as problem:
        train(root, *arguments, **options)
    assert problem.value.hint
    return f"{problem.value.problem}; {problem.value.hint}"


def test_a_run(packed):
    root = packed()
    done = train(root, tiny(steps=150, muon_rate=0.02, adamw_rate=0.01, checkpoint_seconds=60.0))
    folder = root / "models" / "small"
    assert done.anew
    assert done.run.model == folder / "model"
    losses = runs.losses(folder)
    assert done.tokens == losses[-1].tokens
    assert 0.9 * 150 * 2 * 32 < done.tokens < 150 * 2 * 32  # a row's rest is padding
    assert [one.step for one in losses] == list(range(1, 151))
    assert all(0 < after.tokens - one.tokens <= 64 for one, after in itertools.pairwise(losses))
    assert losses[0].loss == pytest.approx(5.68, abs=0.05)  # ln 294: it knows nothing yet
    assert done.loss < 1.5  # of the words' ln 20 / 6 = 0.5 nats a token
    assert all(one.seconds > 0 and one.tokens_per_second > 0 and one.grad_norm > 0 for one in losses)
    assert [path.name for path in (folder / "checkpoints").iterdir()] == ["step-000150"]
    assert (folder / "loss.svg").read_text().startswith("<svg")
    assert runs.resolve(root) == folder / "model"


def test_the_model_is_a_hugging_face_folder(packed):
    root = packed()
    done = train(root)
    assert verify(done.run.model) == []
    manifest = read_manifest(done.run.model)
    assert manifest.kind == "model"
    assert manifest.inputs == {"tokens": done.run.record.tokens, "tokenizer": done.run.record.tokenizer}
    assert manifest.settings["layers"] == 2
    assert manifest.settings["threads"] == 1
    assert manifest.facts["steps"] == 12
    assert manifest.facts["weights"] == "averaged over the last steps (decay 0.98)"
    assert interchange.read(done.run.model).config == tiny().model(294)
    assert Tokenizer.open(done.run.model).sha256 == Tokenizer.open(root / "tokenizer").sha256


def test_averaged_or_last_weights(packed):
    root = packed()
    train(root)
    train(root, tiny(ema=0.0), "last")
    read = [interchange.read(root / "models" / name / "model") for name in ("small", "last")]
    checkpoint = interchange.read(root / "models" / "small" / "checkpoints" / "step-000012")
    averaged, last, raw = (list(one.parameters()) for one in (*read, checkpoint))
    assert all(map(torch.equal, last, raw))  # the average only looks on
    assert not all(map(torch.equal, averaged, raw))
    assert read_manifest(root / "models" / "last" / "model").facts["weights"] == "of the last step"


def test_the_same_again(packed):
    root = packed()
    train(root, name="one")
    train(root, name="two")
    train(root, tiny(seed=1), "three")
    assert weights(root, "one") == weights(root, "two") != weights(root, "three")


def test_a_finished_run_is_left_alone(packed):
    root = packed()
    train(root)
    before = {path: path.read_bytes() for path in (root / "models").rglob("*") if path.is_file()}
    assert not train(root).anew
    assert not train(root, tiny(keep=5)).anew
    assert before == {path: path.read_bytes() for path in (root / "models").rglob("*") if path.is_file()}


def test_a_model_that_lost_a_file_is_made_again(packed, capsys):
    root = packed()
    train(root)
    before = weights(root)
    (root / "models" / "small" / "model" / "model.safetensors").unlink()
    assert train(root).anew
    assert weights(root) == before
    assert "damaged and made again" in capsys.readouterr().err


def test_restart(packed):
    root = packed()
    train(root)
    before = weights(root)
    assert train(root, tiny(seed=3), restart=True).anew
    assert weights(root) != before
    assert runs.find(root, "small").record.settings["seed"] == 3


def test_a_run_that_was_begun_otherwise(packed):
    root = packed()
    train(root)
    said = refused(root, tiny(layers=3, steps=20))
    assert "run small was begun otherwise: layers was 2 and is 3; steps was 12 and is 20" in said
    assert "`starloom train small --restart`" in said
    assert "packing was 'best-fit' and is 'concatenate'" in refused(root, tiny(packing="concatenate"))
    packing.pack(root, packing.words(4000, 294, seed=1), 294)
    assert "tokens/ was" in refused(root)
    assert train(root, restart=True).anew


def test_tokens_of_another_tokenizer(packed):
    root = packed()
    packing.put_tokenizer(root, packing.byte_tokenizer(merges=[("a", "b")]))
    assert "packed with another tokenizer" in refused(root)
    assert not (root / "models").exists()


@pytest.mark.parametrize("folder", ["tokens", "tokenizer"])
def test_nothing_to_read(packed, folder):
    root = packed()
    shutil.rmtree(root / folder)
    assert str(root / folder) in refused(root)


def test_too_few_tokens(packed):
    root = packed(tokens=20)
    assert "20 tokens" in refused(root, tiny(packing="concatenate"))
    assert not (root / "models").exists()
    assert train(root).tokens == 12 * 2 * 20  # with padding


def test_few_tokens_are_read_again(packed):
    root = packed(tokens=40)  # one sample
    assert train(root, tiny(packing="concatenate")).tokens == 12 * 64


def test_files_of_somebody_else(packed):
    root = packed()
    folder = root / "models" / "small"
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    assert "holds files but no run.json" in refused(root)
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_loss_that_is_no_number(packed):
    root = packed(document=40)
    wild = tiny(muon_rate=1e9, adamw_rate=1e9, warm_up=0, steps=40)
    said = refused(root, wild)
    assert "run small, step " in said
    assert re.search("; the samples are of (one|two|three)(, (one|two|three))*; ", said)
    assert "checkpoints/ has the last good state" in said
    losses = runs.losses(root / "models" / "small")
    steps = sorted(path.name for path in (root / "models" / "small" / "checkpoints").iterdir())
    assert steps[-1] == f"step-{len(losses):06}"
    again = interchange.read(root / "models" / "small" / "checkpoints" / steps[-1])
    assert all(one.isfinite().all() for one in again.parameters())


def test_by_the_clock(packed, capsys):
    root = packed()
    settings = tiny(steps=0, seconds=1.0, checkpoint_seconds=60.0)
    done = train(root, settings)
    steps = done.run.record.steps
    assert steps >= LEAST_BY_CLOCK
    assert done.run.record.tokens_per_second > 0
    assert f"{steps:,} steps in about" in capsys.readouterr().err
    assert runs.losses(root / "models" / "small")[-1].step == steps
    train(root, tiny(steps=steps, checkpoint_seconds=60.0), "counted")
    assert weights(root) == weights(root, "counted")  # the clock decides the count and nothing else


@pytest.mark.parametrize("method", ["best-fit", "concatenate"])
def test_the_loss_is_that_of_every_stretch_by_itself(packed, method):
    root = packed(document=50)
    settings = tiny(packing=method, steps=6, precision="float32", window=64, checkpoint_seconds=60.0)
    train(root, settings)
    samples = reading.samples(root, settings, ())
    first = batch_of(samples, 0)
    torch.manual_seed(settings.seed)
    network = StarCoder2(settings.model(294))
    losses = []
    for ids, targets, documents in zip(first.ids, first.targets, first.documents, strict=True):
        for number in range(documents.max() + 1):
            logits = network(torch.from_numpy(ids[documents == number])[None])[0] @ network.head.T
            wanted = torch.from_numpy(targets[documents == number])
            losses += torch.nn.functional.cross_entropy(logits, wanted, ignore_index=-1, reduction="none")[wanted >= 0]
    assert len(losses) == (first.targets >= 0).sum() > 40
    logged = runs.losses(root / "models" / "small")[0]
    assert logged.loss == pytest.approx(torch.stack(losses).mean().item(), rel=1e-5)
    assert logged.tokens == (first.documents >= 0).sum()


GOLDEN = {
    "best-fit": [5.70203, 5.64234, 5.63023, 5.54876, 5.41584, 5.25584],
    "concatenate": [5.69399, 5.6769, 5.59684, 5.47247, 5.43688, 5.28723],
}


@pytest.mark.parametrize("method", GOLDEN)
def test_the_losses_of_a_run(packed, method):
    """As they were when this was written: other samples, first weights or arithmetic show here. Rounding is left."""
    fast = tiny(packing=method, steps=6, precision="float32", muon_rate=0.02, adamw_rate=0.01, checkpoint_seconds=60.0)
    root = packed()
    train(root, fast)
    found = [one.loss for one in runs.losses(root / "models" / "small")]
    assert found == pytest.approx(GOLDEN[method], rel=1e-4)


def batch_of(samples, step):
    return samples.batch(np.arange(step * 2, step * 2 + 2, dtype=np.int64))


def test_a_mixture(packed):
    root = packed()
    streams = {("one", 0): packing.words(900, 294, 1), ("two", 0): packing.words(2000, 294, 2)}
    packing.pack_streams(root, streams | {("rest", 0): packing.words(300, 294, 3)}, 294)
    mixture = (MixtureSource("one", languages=("C",), weight=3.0), MixtureSource("two", weight=1.0))
    done = train(root, tiny(steps=20), mixture=mixture)
    sources = [one.source for step in range(1, 21) for one in trace(done.run, samples_of(root, done.run), step)]
    assert (sources.count("one"), sources.count("two")) == (30, 10)
    assert not train(root, tiny(steps=20), mixture=mixture).anew
    other = (mixture[0], dataclasses.replace(mixture[1], weight=2.0))
    assert "the mixture was one 3, two 1 and is one 3, two 2" in refused(root, tiny(steps=20), mixture=other)


def test_a_document_sees_itself_alone(packed):
    root = packed(document=10)
    train(root, tiny(document_mask=True), "masked")
    train(root, tiny(document_mask=False), "open")
    assert weights(root, "masked") != weights(root, "open")
    whole = packed(document=10**6, name="whole")
    train(whole, tiny(document_mask=True), "masked")
    train(whole, tiny(document_mask=False), "open")
    assert weights(whole, "masked") == weights(whole, "open")


def test_bfloat16(packed):
    root = packed()
    done = train(root, tiny(precision="bfloat16"))
    assert done.run.record.precision == "bfloat16"
    assert all(one.dtype is torch.float32 for one in interchange.read(done.run.model).parameters())
    train(root, tiny(precision="float32"), "exact")
    assert weights(root) != weights(root, "exact")
    losses = [runs.losses(root / "models" / name)[-1].loss for name in ("small", "exact")]
    assert losses[0] == pytest.approx(losses[1], rel=0.01)


def test_the_threads_of_the_beginning(packed, monkeypatch):
    root = packed()
    train(root, tiny(steps=3), "one")
    assert runs.find(root, "one").record.threads == 1
    before = torch.get_num_threads()
    seen = []
    own = loop.rate_factor
    monkeypatch.setattr(loop, "rate_factor", lambda *given: seen.append(torch.get_num_threads()) or own(*given))
    record = runs.find(root, "one").record
    runs.write_record(root / "models" / "two", dataclasses.replace(record, threads=2, finished=""))
    train(root, tiny(steps=3), "two")
    assert set(seen) == {2}
    assert torch.get_num_threads() == before
    assert not torch.are_deterministic_algorithms_enabled()


def test_other_versions_are_told(packed, capsys):
    root = packed()
    record = dataclasses.replace(loop_record(root), versions={"torch": "1.0"})
    runs.write_record(root / "models" / "small", record)
    train(root)
    assert "note: the run began with torch 1.0" in capsys.readouterr().err


def loop_record(root):
    train(root, name="other")
    return dataclasses.replace(runs.find(root, "other").record, finished="")


def test_a_device_that_is_not_there(packed):
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    root = packed()
    assert "no CUDA device" in refused(root, tiny(device="cuda"))
    assert not (root / "models").exists()


# Killed and started again


def interrupted_and_again(faults, prepared, number, undisturbed):
    """A run whose process is gone at file operation `number`, and the same command once more."""
    root = faults.folder() / "w"
    shutil.copytree(prepared, root)
    fault = faults.Fault("halt", number)
    with pytest.raises(BaseException, match="at ") as gone, faults.injected(fault):
        train(root, tiny(steps=4))
    assert type(gone.value).__name__ == "Halted"
    train(root, tiny(steps=4))
    folder = root / "models" / "small"
    assert weights(root) == undisturbed, f"operation {number}"
    assert [one.step for one in runs.losses(folder)] == [1, 2, 3, 4], f"operation {number}"
    assert not faults.leftovers(root)
    shutil.rmtree(root)


def test_gone_at_any_file_operation(packed, faults):
    prepared = packed()
    counted = faults.folder() / "w"
    shutil.copytree(prepared, counted)
    operations = faults.operations(lambda root: train(root, tiny(steps=4)), counted)
    undisturbed = weights(counted)
    numbers = random.Random(0).sample(range(len(operations)), 24)
    for number in sorted({*numbers, 0, len(operations) - 1}):
        interrupted_and_again(faults, prepared, number, undisturbed)


def test_gone_before_the_count_by_the_clock_is_known(packed, faults):
    root = packed()
    settings = tiny(steps=0, seconds=1.0, checkpoint_seconds=60.0)
    with pytest.raises(BaseException, match="at "), faults.injected(faults.Fault("halt", 30)):
        train(root, settings)
    record = runs.find(root, "small").record
    assert record.steps == 0 or record.steps >= LEAST_BY_CLOCK
    assert train(root, settings).run.record.steps >= LEAST_BY_CLOCK


def test_a_full_disk(packed, faults):
    root = packed()
    for number in (5, 25, 60):
        with faults.injected(faults.Fault("ENOSPC", number)):
            said = refused(root)
        assert "No space left" in said
        assert str(root) in said
    train(root)
    other = packed(name="other")
    train(other)
    assert weights(root) == weights(other)


def test_the_losses_are_the_checkpoints(packed):
    root = packed()
    train(root)
    folder = root / "models" / "small"
    shutil.rmtree(folder / "model")
    shutil.rmtree(folder / "checkpoints" / "step-000012")
    lines = (folder / "loss.jsonl").read_text().splitlines(keepends=True)
    (folder / "loss.jsonl").write_text("".join(lines[:5]) + '{"step": 6, "lo')  # as after a power cut
    train(root)
    again = (folder / "loss.jsonl").read_text().splitlines(keepends=True)
    assert again[:11] == lines[:11]
    assert [json.loads(line)["step"] for line in again] == list(range(1, 13))
