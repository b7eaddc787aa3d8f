"""Which steps of a model read what is opted out: against what `trace` says of every step."""

import dataclasses

import pytest

from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
from starloom.identity import content_id
from starloom.the_stack import opt_outs
from starloom.the_stack.opt_out_log import Entry, Wish
from starloom.tokens.mixture import MixtureSource
from starloom.training import impact, reading, runs, trace
from training import packing
from training.packing import tiny

VOCABULARY, STEPS = 294, 80
MIXTURE = (MixtureSource("one", languages=("C",), weight=1.0), MixtureSource("two", weight=2.0))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Two sources in two variants, and the rest; no dataset."""
    root = packing.workspace(tmp_path_factory.mktemp("impact") / "w")
    streams = {
        (source, variant): packing.words(tokens + 50 * variant, VOCABULARY, tokens)
        for source, tokens in {"one": 700, "two": 900, "rest": 300}.items()
        for variant in (0, 1)
    }
    packing.pack_streams(root, streams, VOCABULARY, document=70, file=25)
    return root


@pytest.fixture
def engine(tmp_path):
    return LocalEngine(EngineSettings(workers=1), tmp_path / "engine")


@pytest.fixture
def begun(root):
    """`begun(steps=…, done=…, finished=…)`: a run in the workspace, without any training."""
    made = []

    def make(name="small", done=STEPS, finished=False, **settings):
        chosen = tiny(**({"steps": STEPS} | settings))
        samples = reading.samples(root, chosen, MIXTURE)
        record = runs.Record(
            settings=chosen.outcome(),
            mixture=reading.recorded(MIXTURE),
            tokens=samples.fingerprint,
            tokenizer=samples.sources[0].packed.tokenizer,
            **{"vocabulary": VOCABULARY, "parameters": 1, "steps": STEPS, "threads": 1, "precision": "float32"},
            **{"device": "cpu", "versions": {}, "started": f"2026-01-0{1 + len(made)}T00:00:00+00:00"},
        )
        folder = root / "models" / name
        runs.write_record(folder, record)
        lines = (runs.Loss(step, 1.0, 1.0, step, step, 1.0, 1.0).to_line() for step in range(1, done + 1))
        (folder / runs.LOSSES).write_text("".join(lines))
        if finished:
            packing.publish(folder / "model", "model", lambda draft: draft.write("config.json", b"{}"), {})
        made.append(folder)
        return runs.find(root, name)

    yield make
    for folder in made:
        for path in sorted(folder.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        folder.rmdir()


def entry(number, subject, scope, *contents, models=()):
    return Entry(number, "", "add", subject, scope, "opt-out", contents, models=models)


def held(root, engine, *entries):
    found = impact.impact(root, engine, opt_outs.of_entries(entries), entries)
    return {(one.where, one.name, one.entry): one for one in found.holdings}, found.unknown


def read_at(run, samples, matches):
    """The steps in which a file that `matches` was read, by `trace`."""
    files = {
        step: [file for one in trace.trace(run, samples, step) for part in one.stretches for file in part.files]
        for step in range(1, STEPS + 1)
    }
    return [step for step, found in files.items() if any(map(matches, found))]


def file_of(source):
    """(content id, path) of the first file of that source's second document, which is of the repository `two`."""
    path = "src/1-0.py"
    return content_id(f"{source} {path}".encode()), path


SUBJECTS = {
    "content": (entry(1, "it", "content", file_of("one")[0]), lambda file: file.content_id == file_of("one")[0]),
    "file": (entry(1, "two:src/1-0.py", "file"), lambda file: file.path == "src/1-0.py"),
    "repository": (entry(1, "two", "repository"), lambda file: file.repo_name == "two"),
}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_steps_are_those_that_trace_tells(root, engine, begun, subject):
    run = begun()
    samples = reading.samples_of(root, run)
    one, matches = SUBJECTS[subject]
    found, unknown = held(root, engine, one)
    steps = read_at(run, samples, matches)
    assert len(steps) > 1
    model = found["model", "small", f"{one.subject} (entry 1)"]
    assert (model.steps, model.first_step, model.last_step) == (len(steps), steps[0], steps[-1])
    assert model.note == (
        f"read in {len(steps):,} steps, the first {steps[0]:,}, the last {steps[-1]:,} of 80 steps, not finished"
    )
    tokens = found["tokens", "tokens", model.entry]
    # The tokens hold what no step reads too: the rest.
    for name in ("files", "documents", "tokens"):
        assert getattr(tokens, name) >= getattr(model, name)
    assert not unknown
    wish = Wish("add", one.subject, one.scope, "opt-out", one.contents)
    assert impact.models_holding(root, engine, [wish]) == [("small",)]


def test_what_lies_in_the_tokens_is_counted_by_source(root, engine, begun):
    """Documents of two sources have the same numbers."""
    begun()
    one = entry(1, "two:src/1-0.py", "file")
    found, _ = held(root, engine, one)
    name = "two:src/1-0.py (entry 1)"
    tokens, model = found["tokens", "tokens", name], found["model", "small", name]
    assert (tokens.files, tokens.documents, tokens.tokens) == (3, 3, 75)
    assert (model.files, model.documents, model.tokens) == (2, 2, 50)


def test_two_entries(root, engine, begun):
    run = begun()
    samples = reading.samples_of(root, run)
    contents = [file_of(source)[0] for source in ("one", "two")]
    entries = [entry(number, f"e{number}", "content", one) for number, one in enumerate(contents, 1)]
    found, _ = held(root, engine, *entries)
    for number, content in enumerate(contents, 1):
        steps = read_at(run, samples, lambda file, content=content: file.content_id == content)
        assert found["model", "small", f"e{number} (entry {number})"].steps == len(steps)


def test_a_run_up_to_where_it_stands(root, engine, begun):
    run = begun(done=7)
    one, matches = SUBJECTS["repository"]
    found, _ = held(root, engine, one)
    steps = [step for step in read_at(run, reading.samples_of(root, run), matches) if step <= 7]
    assert found["model", "small", "two (entry 1)"].steps == len(steps)


def test_nothing_was_read_yet(root, engine, begun):
    begun(done=0)
    found, _ = held(root, engine, SUBJECTS["content"][0])
    model = found["model", "small", "it (entry 1)"]
    assert (model.steps, model.first_step, model.last_step) == (0, None, None)
    assert model.note == "read in no step yet of 80 steps, not finished"


def test_a_finished_run_that_never_read_it(root, engine, begun):
    one = entry(1, "it", "content", file_of("rest")[0])
    begun(finished=True)
    found, unknown = held(root, engine, one)
    assert [where for where, _, _ in found] == ["tokens"]
    assert not unknown
    assert impact.models_holding(root, engine, [Wish("add", "it", "content", "opt-out", one.contents)]) == [()]


def test_runs_of_tokens_that_are_gone(root, engine, begun):
    run = begun("gone")
    runs.write_record(run.folder, dataclasses.replace(run.record, tokens="0" * 64))
    one = SUBJECTS["content"][0]
    assert held(root, engine, one)[1] == ("gone",)
    said, unknown = held(root, engine, dataclasses.replace(one, models=("gone",)))
    assert said["model", "gone", "it (entry 1)"].note.startswith("held it when the entry was written")
    assert not unknown
