"""A fine-tuning from its data to a model: it learns what it is to, is what it says, and refuses what it cannot do."""

import json
import shutil

import numpy as np
import pytest
import safetensors.torch
import torch

from starloom.completion.local import LocalCompleter
from starloom.completion.request import Request
from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
from starloom.errors import UserError
from starloom.starcoder2 import adapter, interchange
from starloom.starcoder2.open import open_model
from starloom.the_stack import opt_outs
from starloom.the_stack.opt_out_log import Entry
from starloom.tokens.pack_settings import PackSettings
from starloom.tokens.tokenizer import Tokenizer
from starloom.training import runs
from starloom.training.finetune import run as running
from starloom.training.finetune.base import terms_of
from starloom.training.finetune.chat import template_of
from starloom.training.finetune.settings import FinetuneSettings
from starloom.training.impact import impact
from starloom.training.reading import samples_of
from starloom.training.trace import trace
from starloom.workspace.manifest import read_manifest, verify
from training.finetune import models

# PEFT asks transformers by a name that this is about to lose.
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")

ANSWERS = {"red": "rot", "blue": "blau", "green": "gruen", "black": "schwarz"}
PAIRS = [{"prompt": f">{word}=", "completion": answer} for word, answer in ANSWERS.items()]
TALKS = [
    {"messages": [{"role": "user", "content": word}, {"role": "assistant", "content": answer}]}
    for word, answer in ANSWERS.items()
]
FEW = {"sequence": 64, "batch": 1, "steps": 4, "threads": 1, "device": "cpu", "precision": "float32", "keep": 9}
MANY = FEW | {"steps": 50, "rate": 0.02}


@pytest.fixture
def here(tmp_path):
    """A workspace: `here.tune(settings, lines)` runs a fine-tuning in it."""

    class Here:
        root = tmp_path / "workspace"
        base = tmp_path / "base"

        def lines(self, lines, name="data.jsonl"):
            path = tmp_path / name
            path.write_text("".join(json.dumps(one) + "\n" for one in lines))
            return str(path)

        def tune(self, lines=None, name="tuned", restart=False, pack=None, **changes):
            data = (self.lines(lines),) if lines else ()
            settings = FinetuneSettings(**{"base": str(self.base), "data": data} | FEW | changes)
            return running.finetune(self.root, settings, pack or PackSettings(), name, restart=restart, command="test")

        def refused(self, *arguments, **options):
            with pytest.raises(UserError) as problem:
                self.tune(*arguments, **options)
            assert problem.value.hint
            return f"{problem.value.problem}; {problem.value.hint}"

    Here.root.mkdir()
    (Here.root / "starloom.toml").write_text("")
    return Here()


def answers(folder, asked=">{}="):
    completer = LocalCompleter.open(folder)
    return {
        word: completer.complete(Request(asked.format(word), max_tokens=12, temperature=0.0)).text for word in ANSWERS
    }


def test_all_weights_of_ours(here):
    models.starcoder2(here.base)
    done = here.tune(PAIRS, **MANY)
    model = done.run.model
    assert done.loss < 0.1
    assert answers(model) == ANSWERS
    assert verify(model) == []
    assert interchange.read_config(model) == interchange.read_config(here.base)
    for name in ("config.json", "tokenizer.json", "LICENSE"):
        assert (model / name).read_bytes() == (here.base / name).read_bytes()
    assert (done.run.record.settings["base"], done.run.record.settings["data"]) == ("base", ["data.jsonl"])
    assert done.run.record.initial.keys() == {"model.safetensors"}
    told = read_manifest(model).facts["base"]
    assert (told["name"], told["license"], told["license_name"]) == ("base", "openrail++", "ours")
    card = (model / "README.md").read_text()
    assert 'license: "openrail++"' in card
    assert 'base_model: "base"' in card
    assert terms_of(model).to_json() == terms_of(here.base).to_json()  # and so on, whatever is made of it


def test_only_answers_are_learnt_unless_all_is_asked_for(here):
    models.starcoder2(here.base)
    answered = here.tune(PAIRS, name="answers", **MANY)
    everything = here.tune(PAIRS, name="all", loss="all", **MANY)
    assert answered.loss < 0.03
    assert everything.loss > 0.08  # which of four colours is asked for cannot be known
    assert answers(everything.run.model) == ANSWERS


def test_killed_at_any_step_it_ends_with_the_same_bits(here, monkeypatch):
    models.starcoder2(here.base)
    whole = here.tune(PAIRS, name="whole", checkpoint_seconds=0.0)
    from starloom.training.loop import Sitting

    save, left = Sitting._save, [2]

    def dies(self):
        save(self)
        left[0] -= 1
        if not left[0]:
            raise RuntimeError("killed")

    monkeypatch.setattr(Sitting, "_save", dies)
    with pytest.raises(RuntimeError, match="killed"):
        here.tune(PAIRS, name="killed", checkpoint_seconds=0.0)
    again = here.tune(PAIRS, name="killed", checkpoint_seconds=0.0)
    weights = [(one.run.model / "model.safetensors").read_bytes() for one in (whole, again)]
    assert weights[0] == weights[1]
    assert [one.loss for one in runs.losses(whole.run.folder)] == [one.loss for one in runs.losses(again.run.folder)]


def test_adapters_of_ours(here):
    pytest.importorskip("peft")
    models.starcoder2(here.base)
    lora = {"method": "lora", "rank": 8}
    done = here.tune(PAIRS, **MANY | lora)
    model = done.run.model
    assert done.loss < 1.0  # of 5.7; its head, which stays as it is, cannot be surer
    assert {path.name for path in model.iterdir()} == {
        *("adapter_config.json", "adapter_model.safetensors", "tokenizer.json", "LICENSE", "README.md"),
        "manifest.json",
    }
    assert answers(model) == ANSWERS  # over the base
    checkpoint = done.run.folder / "checkpoints" / "step-000050"
    assert (checkpoint / "model.safetensors").stat().st_size < (here.base / "model.safetensors").stat().st_size / 2
    assert not here.tune(PAIRS, merge=True, **MANY | lora).anew
    assert answers(model) == ANSWERS
    assert (model / "adapter" / adapter.WEIGHTS).is_file()
    assert read_manifest(model).facts["merged"]
    assert verify(model) == []
    merged = safetensors.torch.load_file(model / "model.safetensors")
    base = safetensors.torch.load_file(here.base / "model.safetensors")
    changed = {name for name in base if not torch.equal(base[name], merged[name])}
    assert changed == {name for name in base if name.endswith("proj.weight") or name.endswith("c_fc.weight")}
    before = (model / "manifest.json").read_bytes()
    here.tune(PAIRS, merge=True, **MANY | lora)
    assert (model / "manifest.json").read_bytes() == before


def test_a_foreign_model_learns_conversations(here):
    models.foreign(here.base)
    done = here.tune(TALKS, **MANY | {"sequence": 128, "batch": 2})
    chats = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
    tokenizer = Tokenizer.open(done.run.model)
    model = open_model(done.run.model)
    ids = {text: number for number, text in enumerate(models.QWEN)}
    for word, answer in ANSWERS.items():
        given = [ids["<|im_start|>"], *tokenizer.encode(f"user\n{word}"), ids["<|im_end|>"], *tokenizer.encode("\n")]
        given += [ids["<|im_start|>"], *tokenizer.encode("assistant\n")]
        assert tokenizer.decode(given) == chats.format(word)
        for wanted in [*tokenizer.encode(answer), ids["<|im_end|>"]]:
            assert int(model.logits(torch.tensor([given]))[0, -1].argmax()) == wanted
            given.append(wanted)
    assert template_of(done.run.model) == models.CHATML
    assert safetensors.torch.load_file(done.run.model / "model.safetensors").keys() == (
        safetensors.torch.load_file(here.base / "model.safetensors").keys()
    )
    assert read_manifest(done.run.model).facts["base"]["license"] == "unknown"
    assert "does not tell its licence" in (done.run.model / "README.md").read_text()


@pytest.mark.parametrize("family", ["seed-coder", "mellum"])
def test_adapters_of_foreign_models_fill_gaps(here, family):
    pytest.importorskip("peft")
    models.foreign(here.base, family)
    gaps = [{"prefix": f"{word}(", "suffix": ")", "middle": answer} for word, answer in ANSWERS.items()]
    done = here.tune(gaps, **MANY | {"method": "lora", "rate": 0.02, "merge": True})
    completer = LocalCompleter.open(done.run.model)
    for word, answer in ANSWERS.items():
        request = Request(f"{word}(", suffix=")", max_tokens=12, temperature=0.0)
        assert completer.complete(request).text == answer


def test_number_formats_of_the_base_are_kept(here):
    models.starcoder2(here.base)
    tensors = safetensors.torch.load_file(here.base / "model.safetensors")
    halves = {name: one.bfloat16() for name, one in tensors.items()}
    safetensors.torch.save_file(halves, here.base / "model.safetensors", metadata={"format": "pt"})
    done = here.tune(PAIRS, rate=0.01)
    found = safetensors.torch.load_file(done.run.model / "model.safetensors")
    assert {one.dtype for one in found.values()} == {torch.bfloat16}
    assert not torch.equal(found["model.norm.weight"], halves["model.norm.weight"])


def test_the_default_template_is_stored_with_the_model(here):
    models.starcoder2(here.base)
    assert "### Response" in template_of(here.tune(TALKS).run.model)
    assert template_of(here.tune(PAIRS, name="pairs").run.model) is None


def test_a_finished_run_is_left_alone_and_another_refused(here):
    models.starcoder2(here.base)
    done = here.tune(PAIRS)
    before = {path: path.stat().st_mtime_ns for path in done.run.folder.rglob("*") if path.is_file()}
    assert not here.tune(PAIRS).anew
    assert before == {path: path.stat().st_mtime_ns for path in before}
    assert "rate was 1e-05 and is 0.1" in here.refused(PAIRS, rate=0.1)
    said = here.refused(PAIRS[1:])
    assert "on other data" in said
    assert "starloom finetune tuned --restart" in said
    assert before == {path: path.stat().st_mtime_ns for path in before}  # its examples, too: `trace` reads them
    assert here.tune(PAIRS[1:], restart=True).anew


def test_killed_before_it_began(here, monkeypatch):
    models.starcoder2(here.base)

    def dies(folder, record):
        raise RuntimeError("killed")

    monkeypatch.setattr(runs, "write_record", dies)
    with pytest.raises(RuntimeError, match="killed"):
        here.tune(PAIRS)
    monkeypatch.undo()
    assert [path.name for path in (here.root / "models" / "tuned").iterdir()] == ["examples"]
    assert here.tune(PAIRS[1:]).anew
    (here.root / "models" / "strange").mkdir()
    (here.root / "models" / "strange" / "mine.txt").write_text("")
    assert "it is no run" in here.refused(PAIRS, name="strange")


def test_examples_that_are_gone_are_made_again(here):
    models.starcoder2(here.base)
    done = here.tune(PAIRS)
    shutil.rmtree(done.run.folder / "examples")
    assert not here.tune(PAIRS).anew
    shutil.rmtree(done.run.folder / "examples")
    assert "tokens/ was" in here.refused(PAIRS[1:])


def test_another_base_under_the_same_name(here):
    models.starcoder2(here.base)
    here.tune(PAIRS)
    shutil.rmtree(here.base)
    shutil.rmtree(here.base.parent / "base-tokenizer", ignore_errors=True)
    models.starcoder2(here.base, seed=1)
    assert "has other weights now" in here.refused(PAIRS)


def test_what_a_step_read(here):
    models.starcoder2(here.base)
    done = here.tune(PAIRS)
    (sample,) = trace(done.run, samples_of(here.root, done.run), 1)
    files = [(file.repo_name, file.path) for stretch in sample.stretches for file in stretch.files]
    assert files == [("data.jsonl", f"line {number}") for number in (1, 2, 3, 4)]


def test_epochs(here):
    models.starcoder2(here.base)
    done = here.tune([{"text": "abcdefg" * 9}] * 6, steps=0, epochs=1.5, batch=2)  # six rows of 64 tokens
    assert done.run.record.steps == 5


def test_what_cannot_be_a_base(here, tmp_path):
    assert "no model is named" in here.refused(PAIRS, base="")
    assert "no run and no folder is called nobody" in here.refused(PAIRS, base="nobody")
    models.starcoder2(here.base)
    assert "longer than base takes: 128" in here.refused(PAIRS, sequence=256)
    (here.base / "tokenizer.json").write_bytes(models.bytes_and(models.QWEN, ["<more>"] * 0 + list("äöü") * 20))
    small = tmp_path / "small"
    models.starcoder2(small)
    config = json.loads((small / "config.json").read_text())
    (small / "config.json").write_text(json.dumps(config | {"vocab_size": 200}))
    assert "another vocabulary than its tokenizer: the model has 200 tokens" in here.refused(PAIRS, base=str(small))
    (small / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    assert "lacks model.layers.2" in here.refused(PAIRS, base=str(small))
    whole = (small / "model.safetensors").read_bytes()
    (small / "config.json").write_text(json.dumps(config))
    (small / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    assert "torn" in here.refused(PAIRS, base=str(small))


def test_an_adapter_is_no_base(here):
    pytest.importorskip("peft")
    models.starcoder2(here.base)
    here.tune(PAIRS, method="lora", name="first")
    assert "is an adapter, no whole model" in here.refused(PAIRS, base="first", name="second")
    here.tune(PAIRS, method="lora", name="first", merge=True)
    assert here.tune(PAIRS, base="first", name="second").anew


def test_a_workspace_s_dataset(here):
    text = "".join(f"def f{line}(a):\n    return a + {line}\n" for line in range(20))
    models.dataset(
        here.root, [(f"owner/{one}", f"{two}.py", f"# {one}{two}\n{text}") for one in "abc" for two in "xyz"]
    )
    models.foreign(here.base)
    fim = PackSettings(repository_rate=1.0, file_rate=1.0)
    done = here.tune(pack=fim, batch=2, evaluate_every=2, evaluate_bytes=400, infill=3)
    samples = samples_of(here.root, done.run)
    batch = samples.batch(np.arange(samples.rows(0, 0)))
    markers = Tokenizer.open(done.run.model).markers
    assert {markers.prefix, markers.middle, markers.suffix} & set(batch.ids.flatten().tolist())
    assert (batch.targets[batch.documents >= 0] >= 0).mean() > 0.9  # everything is learnt
    files = [file for one in trace(done.run, samples, 1) for part in one.stretches for file in part.files]
    assert {file.repo_name for file in files} <= {"owner/a", "owner/b"}  # the last is held out
    assert {file.license for file in files} == {"MIT"}
    engine = LocalEngine(EngineSettings(workers=1), here.root / "engine")
    wish = Entry(1, "", "add", "owner/a", "repository", "opt-out", ())
    held = impact(here.root, engine, opt_outs.of_entries([wish]), [wish])
    assert {(one.where, one.name) for one in held.holdings} == {
        *(("dataset", "dataset"), ("tokens", "models/tuned/examples"), ("model", "tuned"))
    }
    lines = (done.run.folder / "evaluations.jsonl").read_text().splitlines()
    assert [json.loads(one)["step"] for one in lines] == [2, 4]


def test_no_dataset(here):
    models.starcoder2(here.base)
    assert "starloom build" in here.refused()
