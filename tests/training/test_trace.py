"""What a step read, and when something was read: against a table made token by token, and each against the other."""

import dataclasses
import json
from collections import Counter

import numpy as np
import pytest

from starloom import commands
from starloom.errors import UserError
from starloom.identity import content_id, content_swhid
from starloom.tokens.mixture import MixtureSource
from starloom.training import locate, pretraining, reading, runs, seen, trace
from training import packing
from training.packing import MARK, tiny

VOCABULARY = 294
MIXTURE = (
    MixtureSource("one", languages=("Python",), weight=3.0),
    MixtureSource("two", repositories=("t*",), weight=1.0),
)
PACKINGS = pytest.mark.parametrize("method", ["best-fit", "concatenate"])


def mixed(root, **options):
    """tokens/ of two sources in two variants, some files longer than a sequence."""
    streams = {
        ("one", 0): packing.words(900, VOCABULARY, 1),
        ("one", 1): packing.words(950, VOCABULARY, 2),
        ("two", 0): packing.words(400, VOCABULARY, 3),
        ("two", 1): packing.words(380, VOCABULARY, 4),
        ("rest", 0): packing.words(200, VOCABULARY, 5),
        ("rest", 1): packing.words(200, VOCABULARY, 6),
    }
    packing.pack_streams(root, streams, VOCABULARY, **({"document": 70, "file": 25} | options))


@pytest.fixture
def begun(packed):
    """`begun(mixture, steps=…, …)`: (run, samples) of a run that stands at `done` steps, without any training."""

    def make(mixture=(), done=None, name="small", **settings):
        root = packed(name=name)
        if mixture:
            mixed(root)
        chosen = tiny(**({"steps": 40} | settings))
        samples = reading.samples(root, chosen, mixture)
        record = runs.Record(
            settings=chosen.outcome(),
            mixture=reading.recorded(mixture),
            tokens=samples.fingerprint,
            tokenizer=samples.sources[0].packed.tokenizer,
            **{"vocabulary": VOCABULARY, "parameters": 1, "steps": chosen.steps, "threads": 1, "precision": "float32"},
            **{"device": "cpu", "versions": {}, "started": "2026-01-01T00:00:00+00:00"},
        )
        run = runs.Run("small", root / "models" / "small", record)
        runs.write_record(run.folder, record)
        stand_at(run, chosen.steps if done is None else done)
        return run, reading.samples_of(root, run)

    return make


def stand_at(run, steps):
    lines = (runs.Loss(step, 1.0, 1.0, step, step, 1.0, 1.0).to_line() for step in range(1, steps + 1))
    (run.folder / runs.LOSSES).write_text("".join(lines))


def read_of(run, samples, steps):
    """{step: {sample: tokens by (source, variant, first token)}} by what `trace` says."""
    return {step: trace.trace(run, samples, step) for step in range(1, steps + 1)}


def owners(samples):
    """{(source, variant): [(repository, content id or None) of each token]}, from the tables, row by row."""
    found = {}
    for number, variant, shards in locate.streams(samples):
        names = shards.repo_names(range(shards.documents))
        own = [None] * shards.tokens
        for name, first, last in zip(names, shards.starts[:-1].tolist(), shards.starts[1:].tolist(), strict=True):
            own[first:last] = [(name, None)] * (last - first)
        for row in shards.pieces(0, shards.tokens).to_pylist():
            span = slice(row["first_token"], row["first_token"] + row["tokens"])
            own[span] = [(one[0], row["content_id"]) for one in own[span]]
        found[samples.sources[number].name, variant] = own
    return found


@PACKINGS
def test_a_step_is_what_the_batch_holds(begun, method):
    run, samples = begun(MIXTURE, packing=method)
    known = owners(samples)
    for step in range(1, 41):
        traced = trace.trace(run, samples, step)
        batch = samples.batch(np.arange((step - 1) * 2, step * 2, dtype=np.int64))
        for row, one in enumerate(traced):
            assert (one.number, one.position) == (row + 1, (step - 1) * 2 + row)
            ids = [token for part in trace.ids(samples, one) for token in part]
            assert ids == batch.ids[row, : one.tokens].tolist()
            assert one.padding == (batch.documents[row] < 0).sum() == 32 - one.tokens
            own = known[one.source, one.variant]
            for stretch in one.stretches:
                here = own[stretch.first_token : stretch.first_token + stretch.tokens]
                counted = Counter(content for _, content in here if content)
                assert {repo for repo, _ in here} == {stretch.repo_name}
                assert {file.content_id: file.tokens for file in stretch.files} == counted
                assert all(file.whole == (own.count((file.repo_name, file.content_id)) == file.tokens)
                           for file in stretch.files)  # fmt: skip
    assert {one.source for step in range(1, 41) for one in trace.trace(run, samples, step)} == {"one", "two"}


@PACKINGS
@pytest.mark.parametrize("mixture", [(), MIXTURE], ids=["one-source", "mixture"])
def test_when_a_file_was_read_is_what_the_steps_say(begun, method, mixture):
    run, samples = begun(mixture, packing=method, done=33)
    wanted = Counter()
    for step in range(1, 34):
        for one in trace.trace(run, samples, step):
            for stretch in one.stretches:
                for file in stretch.files:
                    wanted[file.content_id, step, one.number, one.source, one.epoch, one.row] += file.tokens
    contents = sorted({key[0] for key in wanted})
    assert len(contents) > 5
    for content in contents:
        found = seen.seen(run, samples, locate.file_in(run, samples, content).stretches)
        names = [samples.sources[number].name for number in found.sources.tolist()]
        columns = (found.steps, found.samples, names, found.epochs, found.rows)
        told = zip(*(map(list, columns)), found.tokens.tolist(), strict=True)
        expected = {key[1:]: tokens for key, tokens in wanted.items() if key[0] == content}
        assert {tuple(key): tokens for *key, tokens in told} == expected
        assert found.positions.tolist() == sorted(found.positions.tolist())


@PACKINGS
def test_when_a_repository_was_read_is_what_the_steps_say(begun, method):
    run, samples = begun(MIXTURE, packing=method)
    for name in ("one", "two", "three"):
        found = seen.seen(run, samples, locate.repository_in(run, samples, name).stretches)
        wanted = Counter()
        for step, traced in read_of(run, samples, 40).items():
            for one in traced:
                tokens = sum(stretch.tokens for stretch in one.stretches if stretch.repo_name == name)
                if tokens:
                    wanted[step, one.number] = tokens
        told = dict(zip(zip(found.steps.tolist(), found.samples.tolist()), found.tokens.tolist(), strict=True))
        assert told == wanted
        assert found.distinct_steps.tolist() == sorted({step for step, _ in wanted})


def test_an_epoch_reads_every_token_of_a_file_once(begun):
    run, samples = begun(steps=400)
    lying = locate.file_in(run, samples, content_id(b"code src/1-0.py"))
    assert lying.tokens == 120
    found = seen.seen(run, samples, lying.stretches)
    whole_epochs = 400 * 2 // samples.packing(0, 0).rows
    assert whole_epochs > 2
    for epoch in range(whole_epochs):
        assert found.tokens[found.epochs == epoch].sum() == 120


def test_what_was_not_read_yet(begun):
    run, samples = begun(done=0)
    found = seen.seen(run, samples, locate.file_in(run, samples, content_id(b"code src/1-0.py")).stretches)
    assert (len(found), found.words(), found.tokens.tolist()) == (0, "in no step yet", [])


def test_the_files_of_a_step_have_their_licences(begun):
    run, samples = begun()
    files = [file for one in trace.trace(run, samples, 3) for part in one.stretches for file in part.files]
    assert {file.license for file in files} <= {"MIT", "MIT and Zlib", "no_license"}
    total = trace.totals(trace.trace(run, samples, 3))
    assert total.tokens + total.padding == 64
    assert sum(total.licenses.values()) == sum(file.tokens for file in files) <= total.tokens
    assert list(total.licenses.values()) == sorted(total.licenses.values(), reverse=True)


def test_a_run_that_trained_is_traced_alike(packed):
    root = packed()
    done = pretraining.train(root, tiny(), "small", command="test")
    samples = reading.samples_of(root, done.run)
    tokens = [sum(one.tokens for one in trace.trace(done.run, samples, step)) for step in range(1, 13)]
    assert np.cumsum(tokens).tolist() == [one.tokens for one in runs.losses(done.run.folder)]
    lying = locate.repository_in(done.run, samples, "two")
    first = seen.seen(done.run, samples, lying.stretches).steps[0]
    assert any(part.repo_name == "two" for one in trace.trace(done.run, samples, first) for part in one.stretches)


# What is refused


def refused(call, *arguments):
    with pytest.raises(UserError) as problem:
        call(*arguments)
    assert problem.value.hint
    return f"{problem.value.problem}; {problem.value.hint}"


def test_steps_and_samples_that_there_are_not(begun):
    run, samples = begun()
    assert "has no step 41; its steps are 1 to 40" in refused(trace.trace, run, samples, 41)
    assert "has no step 0" in refused(trace.trace, run, samples, 0)
    assert "has no sample 3; its samples are 1 to 2" in refused(trace.trace, run, samples, 1, 3)
    by_clock = dataclasses.replace(run, record=dataclasses.replace(run.record, steps=0))
    assert trace.trace(by_clock, samples, 41)


def test_tokens_that_are_no_longer_those(begun, tmp_path):
    run, _ = begun()
    root = tmp_path / "small"
    packing.pack(root, packing.words(4000, VOCABULARY, seed=1), VOCABULARY)
    said = refused(reading.samples_of, root, run)
    assert f"run small read tokens ({run.record.tokens[:12]}) that are no longer here" in said


def test_a_run_of_an_older_starloom(begun, tmp_path):
    run, _ = begun()
    old = dataclasses.replace(run, record=dataclasses.replace(run.record, format=1))
    assert "begun by an older Starloom" in refused(reading.samples_of, tmp_path / "small", old)


@pytest.mark.parametrize(
    "changes",
    [{"settings": {}}, {"mixture": [{"name": "a b", "weight": 1.0, "tokens": ""}]}, {"settings": {"sequence": "x"}}],
    ids=["no-settings", "no-name", "no-number"],
)
def test_a_record_that_says_nonsense(begun, tmp_path, changes):
    run, _ = begun()
    strange = dataclasses.replace(run, record=dataclasses.replace(run.record, **changes))
    assert refused(reading.samples_of, tmp_path / "small", strange)


@pytest.mark.parametrize("what", ["", "x", "one:", "swh:1:rev:" + "0" * 40, "one:src/none.py", "0" * 40, "a\0b"])
def test_no_file(begun, what):
    run, samples = begun()
    assert refused(locate.file_in, run, samples, what)


def test_no_repository(begun):
    run, samples = begun()
    assert "have no repository four" in refused(locate.repository_in, run, samples, "four")


def test_a_file_by_all_its_names(begun, tmp_path):
    run, samples = begun()
    content = content_id(b"code src/1-0.py")
    wanted = locate.file_in(run, samples, content)
    assert wanted.places == ("two:src/1-0.py",)
    (tmp_path / "own.py").write_bytes(b"code src/1-0.py")
    for what in (content.upper(), content_swhid(content), "two:src/1-0.py", str(tmp_path / "own.py")):
        found = locate.file_in(run, samples, what)
        assert found.places == wanted.places
        assert [one.tolist() for one in found.stretches[0, 0]] == [[300 + MARK], [420 + MARK]]
    assert "have no file one:src/1-0.py" in refused(locate.file_in, run, samples, "one:src/1-0.py")


def test_names_may_have_colons(begun, packed):
    root = packed(name="colons")
    mixed(root, repositories=("my:two", "two"))
    run, _ = begun(MIXTURE)
    samples = reading.samples(root, tiny(steps=40), MIXTURE)
    assert locate.file_in(run, samples, "my:two:src/0-0.py").places == ("my:two:src/0-0.py",)
    assert "have no file two:src/0-0.py" in refused(locate.file_in, run, samples, "two:src/0-0.py")


# The command


@pytest.fixture
def said(capsys):
    """`said(root, …)`: what `starloom trace` prints; with --json as an object."""

    def call(root, *words):
        capsys.readouterr()
        commands.group.main(["trace", *map(str, words), "-w", str(root)], standalone_mode=False)
        out = capsys.readouterr().out
        return json.loads(out) if "--json" in words else out

    return call


def test_trace_a_step(begun, tmp_path, said):
    begun(done=5)
    root = tmp_path / "small"
    found = said(root, "small", "--step", 3, "--text", "--json")
    assert (found["run"], found["step"], found["read"]) == ("small", 3, True)
    assert [one["number"] for one in found["samples"]] == [1, 2]
    assert found["totals"]["tokens"] == sum(one["tokens"] for one in found["samples"])
    stretches = [part for one in found["samples"] for part in one["stretches"]]
    assert all(one["text"] for one in stretches)
    files = [file for one in stretches for file in one["files"]]
    assert files
    assert all(one["swhid"] == f"swh:1:cnt:{one['content_id']}" for one in files)
    words = said(root, "small", "--step", 3)
    assert words.startswith(f"sample 1: code, epoch 0, variant 0, row {found['samples'][0]['row']}: ")
    assert "licences, by tokens: " in words
    assert said(root, "small", "--step", 3, "--sample", 2).startswith("sample 2: code")
    assert "stands at step 5: this is what step 6 will read" in said(root, "small", "--step", 6)
    assert not said(root, "small", "--step", 6, "--json")["read"]


def test_trace_a_file_and_a_repository(begun, tmp_path, said):
    begun(steps=200)
    root = tmp_path / "small"
    found = said(root, "small", "--file", "two:src/1-0.py", "--json", "--limit", 3)
    assert found["places"] == ["two:src/1-0.py"]
    assert (found["tokens"], found["steps_done"], len(found["sightings"])) == (120, 200, 3)
    assert found["first"] == found["sightings"][0]["step"] <= found["last"] <= 200
    words = said(root, "small", "--file", "two:src/1-0.py", "--limit", 3)
    assert f"step {found['first']:,}, sample " in words
    assert f"… and {found['samples'] - 3} more samples" in words
    assert f"in {found['steps']} steps, the first {found['first']}, the last {found['last']}" in words
    whole = said(root, "small", "--repository", "two", "--json")
    assert whole["tokens"] > found["tokens"]
    assert whole["steps"] >= found["steps"]


@pytest.mark.parametrize(
    "words",
    [[], ["--step", "1", "--file", "x"], ["--sample", "1", "--file", "x"], ["--step", "1", "--raw"], ["--step", "0"]],
    ids=" ".join,
)
def test_wrong_use(begun, tmp_path, words):
    begun()
    with pytest.raises(commands.click.UsageError):
        commands.group.main(["trace", "small", *words, "-w", str(tmp_path / "small")], standalone_mode=False)


def test_no_run_of_that_name(begun, tmp_path, said):
    begun()
    assert "runs here: small" in refused(said, tmp_path / "small", "other", "--step", "1")
