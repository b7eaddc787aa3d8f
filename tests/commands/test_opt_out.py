"""`starloom opt-out`, on a workspace with everything built from it: dataset, search, membership, tokens, a model."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sources.conftest import Git
from starloom import commands
from starloom.commands import opt_out
from starloom.commands._opt_out_words import impact as impact_words
from starloom.errors import UserError
from starloom.identity import content_id, content_swhid
from starloom.membership.check import Index
from starloom.search.index import SearchIndex
from starloom.the_stack import opt_out_log
from starloom.the_stack.texts import cached_texts
from starloom.training import runs
from starloom.workspace import erase, manifest
from the_stack import building
from training import packing

SECRET = building.code("secret", 40)
NEAR = SECRET.replace(b"return", b"yield", 1)
WORD = SECRET.split(b"(")[0].removeprefix(b"def ").decode()
SHARED = building.code("shared", 20)
STEPS = 50  # of a model: more than an epoch
WHO = "A. Person, a.person@" + "mail.example"


@pytest.fixture
def run(capsys):
    """`run(workspace, "opt-out", "list", …)`: what the command says; with `--json` as an object."""

    def call(workspace, *arguments):
        capsys.readouterr()
        commands.group.main([*map(str, arguments), "-w", str(workspace.root)], standalone_mode=False)
        said = capsys.readouterr().out
        return json.loads(said) if "--json" in arguments else said

    return call


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Three repositories; `one` has the secret, `two` a near-twin of it, `three` the same under another name."""
    base = tmp_path_factory.mktemp("opt-out")
    own = {"LICENSE": building.MIT, "src/secret.py": SECRET, "src/one.py": building.code("one", 20), "s.py": SHARED}
    two = {"LICENSE": building.MIT, "near.py": NEAR, "two.py": building.code("two", 20), "vendor/s.py": SHARED}
    three = {"LICENSE": building.MIT, "lib/other_name.py": SECRET, "three.py": building.code("three", 20)}
    made = [
        building.git_repository(base / name, files, hours=number)
        for number, (name, files) in enumerate({"one": own, "two": two, "three": three}.items())
    ]
    extra = building.ENGINE + "\n[tokenizer]\nvocabulary = 400\n[decide]\nheld_out = 0.0\n"
    workspace = building.Workspace(base / "w", *made, extra=extra)
    for command in ("build", "index", "tokenizer", "pack"):
        commands.group.main([command, "-w", str(workspace.root)], standalone_mode=False)
    settings = packing.tiny(sequence=128, window=64, context=128, steps=STEPS).outcome()
    record = {"settings": settings, "tokenizer": "", "vocabulary": 400, "parameters": 1, "steps": STEPS, "threads": 1}
    record |= {"precision": "", "device": "cpu", "versions": {}, "started": "2026-01-01T00:00:00+00:00"}
    mark = manifest.read_manifest(workspace.root / "tokens").content
    for name, tokens in (("first", mark), ("older", "0" * 64)):
        folder = workspace.root / "models" / name
        runs.write_record(folder, runs.Record(**record, tokens=tokens))
        lines = (runs.Loss(step, 1.0, 1.0, step, step, 1.0, 1.0).to_line() for step in range(1, STEPS + 1))
        (folder / runs.LOSSES).write_text("".join(lines))
    return workspace


@pytest.fixture
def workspace(finished, tmp_path):
    """A copy of it."""
    shutil.copytree(finished.root, tmp_path / "w")
    copy = object.__new__(building.Workspace)
    copy.root = tmp_path / "w"
    return copy


def holders(found):
    return {(one["where"], one["name"]) for one in found["holdings"]}


def stored(root, content):
    """The folders below which any Parquet or Arrow file still names the content."""
    name, found = content_id(content), set()
    for path in sorted([*root.rglob("*.parquet"), *root.rglob("*.arrow")]):
        table = pq.read_table(path) if path.suffix == ".parquet" else pa.ipc.open_file(path.read_bytes()).read_all()
        if "content_id" in table.schema.names and name in table.column("content_id").to_pylist():
            found.add(path.relative_to(root).parts[0])
    return found


def test_a_content_goes_from_everything_and_stays_gone(workspace, run):
    found = run(workspace, "opt-out", "add", "one:src/secret.py", "--by", WHO, "--json")
    assert found["added"][0]["contents"] == [content_id(SECRET)]
    assert found["added"][0]["models"] == ["first"]
    everything = {("dataset", "dataset"), ("search", "search"), ("membership", "membership"), ("tokens", "tokens")}
    first = run(workspace, "opt-out", "impact", "--json")
    assert holders(first) == everything | {("model", "first")}
    assert first["unknown_runs"] == ["older"]
    (tokens,) = [one for one in first["holdings"] if one["where"] == "tokens"]
    assert (tokens["files"], tokens["documents"]) == (1, 1)
    assert tokens["tokens"] > 500
    (model,) = [one for one in first["holdings"] if one["where"] == "model"]
    assert {name: model[name] for name in ("files", "documents", "tokens")} == {
        name: tokens[name] for name in ("files", "documents", "tokens")
    }
    seen = run(workspace, "trace", "first", "--file", "one:src/secret.py", "--json")
    assert (model["steps"], model["first_step"], model["last_step"]) == (seen["steps"], seen["first"], seen["last"])
    assert seen["tokens"] == tokens["tokens"]
    assert 1 <= model["first_step"] < model["last_step"] <= STEPS
    said = f"read in {model['steps']} steps, the first {model['first_step']}, the last {model['last_step']} of 50 steps"
    assert f"model first: 1 content, 1 document, {tokens['tokens']:,} tokens, {said}" in run(
        workspace, "opt-out", "impact"
    )
    assert not first["near_twins"]  # it stands for its twin still

    for command in ("build", "index", "pack"):
        run(workspace, command)
    after = run(workspace, "opt-out", "impact", "--json")
    assert holders(after) == {("model", "first")}  # written down, and its tokens are gone
    assert [(one["repo_name"], one["path"]) for one in after["near_twins"]] == [("two", "near.py")]
    assert after["near_twins"][0]["jaccard"] > 0.9
    assert SearchIndex.open(workspace.root).search(f"repo:one {WORD}").total == 0
    assert SearchIndex.open(workspace.root).search("repo:one").total > 0
    matches = Index.open(workspace.root).check(SECRET.decode())
    assert {file.repo_name for match in matches.matches for file in match.files} <= {"two"}
    assert stored(workspace.root, SECRET) == {"files", "signals", "ledger", "listing", "pairs"}
    assert (first["left"], after["left"]) == ({}, {"search": 1, "membership": 1})
    said = "gone: 1 file of search, 1 file of membership; no answer names them, but"
    assert said in run(workspace, "opt-out", "impact")
    assert said in run(workspace, "opt-out", "purge", "--dry-run")
    assert WHO not in run(workspace, "why", "one:src/secret.py")

    workspace.add(
        building.git_repository(workspace.root.parent / "four", {"back.py": SECRET, "f.py": building.code(4)})
    )
    for command in ("build", "index", "pack"):
        run(workspace, command)
    assert holders(run(workspace, "opt-out", "impact", "--json")) == {("model", "first")}
    assert workspace.row("four", "back.py")["rule"] == "opt-out"
    assert workspace.row("four", "f.py")["verdict"] == "kept"


def test_purge_erases_what_is_stored_and_nothing_else(workspace, run):
    before = dict(_texts(workspace))
    run(workspace, "opt-out", "add", content_swhid(content_id(SECRET)))
    told = run(workspace, "opt-out", "purge", "--dry-run", "--json")
    assert told["dry_run"]
    assert stored(workspace.root, SECRET) >= {"files", "signals", "dataset", "search", "tokens", "membership"}
    done = run(workspace, "opt-out", "purge", "--json")
    assert done["erased"] == told["erased"]
    assert {one["name"] for one in done["erased"] if one["what"] == "output"} == {
        *("dataset", "documents", "search", "membership", "tokens")
    }
    assert done["models"] == ["first"]
    assert {one["repo_name"] for one in done["stays"]} == {"one", "three"}
    assert done["left"] == {}  # the indexes went
    assert done["cache_bytes_less"] > 0
    assert stored(workspace.root, SECRET) == {"ledger", "listing", "pairs"}  # names, no texts
    assert manifest.verify(workspace.root / "files") == []
    assert manifest.verify(workspace.root / "signals") == []
    ran = workspace.build_again()
    assert set(ran) == {"decide", "write", "collect"}
    assert dict(_texts(workspace)) == {path: text for path, text in before.items() if text != SECRET.decode()}
    assert "nothing to erase" in run(workspace, "opt-out", "purge")
    run(workspace, "opt-out", "withdraw", "1")
    workspace.build()
    assert dict(cached_texts(workspace.root, {content_id(SECRET)})) == {content_id(SECRET): SECRET.decode()}
    assert content_id(SECRET) in {row["content_id"] for row in workspace.dataset()}
    assert workspace.build_again() == {}


def test_purge_of_a_repository_leaves_what_others_have(workspace, run):
    run(workspace, "opt-out", "add", "one")
    run(workspace, "build")
    done = run(workspace, "opt-out", "purge", "--json")
    assert [(one["repo_name"], one["location"].rpartition("/")[2]) for one in done["stays"]] == [("one", "one")]
    (contents,) = [one for one in done["erased"] if one["what"] == "contents"]
    assert contents["bytes"] == len(building.code("one", 20))  # its secret stands in `three`, the other file in `two`
    assert "files" in stored(workspace.root, SECRET)
    assert content_id(SHARED) in {row["content_id"] for row in workspace.dataset()}
    assert not stored(workspace.root, building.code("one", 20)) & {"files", "signals", "dataset"}
    source = Path(done["stays"][0]["location"])
    aside = source.rename(source.with_name("aside"))  # it is other tests' too
    try:
        source.symlink_to(source)  # there, perhaps: who can tell
        assert [one["repo_name"] for one in run(workspace, "opt-out", "purge", "--json")["stays"]] == ["one"]
        source.unlink()
        assert run(workspace, "opt-out", "purge", "--json")["stays"] == []
    finally:
        source.unlink(missing_ok=True)
        aside.rename(source)


def _texts(workspace):
    for path in sorted((workspace.root / "files").glob("*/contents.parquet")):
        rows = pq.read_table(path)
        yield from zip(rows.column("content_id").to_pylist(), rows.column("content").to_pylist())


class Stopped(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("share", [0.05, pytest.param(0.4, marks=pytest.mark.slow), 0.95])
def test_a_purge_that_is_stopped_is_finished_by_the_next_build(workspace, run, monkeypatch, share):
    run(workspace, "opt-out", "add", content_swhid(content_id(SECRET)))
    run(workspace, "build")
    calls = []
    real = erase._erase_part
    monkeypatch.setattr(erase, "_erase_part", lambda *args: calls.append(args) or real(*args))
    shutil.copytree(workspace.root, workspace.root.parent / "other")
    other = object.__new__(building.Workspace)
    other.root = workspace.root.parent / "other"
    run(other, "opt-out", "purge")
    seen, limit = 0, max(1, int(share * len(calls)))

    def stopping(*args):
        nonlocal seen
        seen += 1
        if seen == limit:
            monkeypatch.setattr("starloom.workspace.parts.Parts.commit", _stop)  # between the part and its index
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(erase, "_erase_part", stopping)
        with pytest.raises(Stopped):
            run(workspace, "opt-out", "purge")
    monkeypatch.undo()
    assert (workspace.root / ".starloom" / erase.JOURNAL).exists()
    run(workspace, "build")
    assert not (workspace.root / ".starloom" / erase.JOURNAL).exists()
    assert "files" not in stored(workspace.root, SECRET)
    assert "signals" not in stored(workspace.root, SECRET)
    for name in ("files", "signals"):
        assert manifest.verify(workspace.root / name) == []
        ours, theirs = (manifest.read_manifest(root / name) for root in (workspace.root, other.root))
        assert ours.facts == theirs.facts
        assert ours.files == theirs.files
    assert "nothing to erase" in run(workspace, "opt-out", "purge")


def _stop(*_):
    raise Stopped


def test_what_was_fetched_for_it_goes(workspace, run, tmp_path):
    from starloom.sources.git.remote import fetched_folder
    from starloom.sources.git.url import parse_remote
    from starloom.sources.repository import Place

    url = "https://git.example/somebody/project"
    place = Place(workspace.root / ".starloom" / "fetched", None)
    clone = fetched_folder(parse_remote(url), place)
    clone.parent.mkdir(parents=True)
    other = fetched_folder(parse_remote("https://git.example/other/project"), place)
    for folder in (clone, other):
        repository = building.git_repository(tmp_path / folder.name, {"a.py": building.code(folder.name)})
        Git(repository)("clone", "-q", "--bare", "--no-local", str(repository), str(folder))
    for address in (url, "https://git.example/other/project"):
        workspace.add(address)
    run(workspace, "build")
    assert content_id(building.code(clone.name)) in {row["content_id"] for row in workspace.dataset()}
    run(workspace, "opt-out", "add", url)
    run(workspace, "build")
    done = run(workspace, "opt-out", "purge", "--json")
    (gone,) = [one for one in done["erased"] if one["what"] == "fetched"]
    assert gone["name"].endswith(clone.name)
    assert gone["bytes"] > 0
    assert not clone.exists()
    assert other.exists()
    run(workspace, "build")  # refused by its name: nobody asks the network
    assert workspace.row("somebody/project", "")["rule"] == "opt-out"


def test_words_for_a_person(workspace, run):
    assert "not opted out" in run(workspace, "opt-out", "check", "one")
    said = run(workspace, "opt-out", "add", "one", "nobody/here", "--by", WHO, "--proof", "https://example.com/1")
    assert "    1  " in said
    assert "no repository here is called nobody/here" in said
    assert "4 files of other repositories have the same contents: they stay" in said
    assert "model first" in said
    listed = run(workspace, "opt-out", "list")
    assert "2 opt-outs hold, of 2 entries" in listed
    assert WHO not in listed
    assert WHO in run(workspace, "opt-out", "list", "--personal")
    assert WHO not in json.dumps(run(workspace, "opt-out", "list", "--json"))
    assert "ONE (owner): opted out by one (entry 1)" in run(workspace, "opt-out", "check", "ONE")
    assert "erased" in run(workspace, "opt-out", "forget", "1")
    assert WHO in run(workspace, "opt-out", "list", "--personal")  # of the other entry
    assert "erased" in run(workspace, "opt-out", "forget", "2")
    assert WHO not in run(workspace, "opt-out", "list", "--personal")
    assert "4 entries, all as they were written" in run(workspace, "opt-out", "verify")
    assert "entry 1 is withdrawn" in run(workspace, "opt-out", "withdraw", "one")
    assert "1 opt-out holds, of 5 entries" in run(workspace, "opt-out", "list")


def test_check_of_a_file_on_this_machine(workspace, run, tmp_path):
    path = tmp_path / "mine.py"
    path.write_bytes(SECRET)
    found = run(workspace, "opt-out", "check", str(path), "--json")
    assert (found["covered"], found["total"]) == (False, 1)
    assert found["in_dataset"][0]["path"] == "src/secret.py"
    run(workspace, "opt-out", "add", content_id(SECRET))
    found = run(workspace, "opt-out", "check", str(path), "--json")
    assert found["entry"] == f"{content_swhid(content_id(SECRET))} (entry 1)"
    assert run(workspace, "opt-out", "check", "three:lib/other_name.py", "--json")["covered"]


def test_import_is_all_or_nothing_and_passes_over_what_is_there(workspace, run, tmp_path):
    table = tmp_path / "list.csv"
    table.write_text("subject,kind,by\none,takedown,X\ntwo:near.py,,\ntwo:none.py,,\n")
    with pytest.raises(UserError, match=r"list.csv:4: no file is listed"):
        run(workspace, "opt-out", "import", table)
    assert not (workspace.root / opt_out_log.FILE).exists()
    table.write_text("subject,kind,by\none,takedown,X\ntwo:near.py,,\n")
    assert len(run(workspace, "opt-out", "import", table, "--json")["added"]) == 2
    again = run(workspace, "opt-out", "import", table, "--json")
    assert (again["added"], [one["entry"] for one in again["before"]]) == ([], [1, 2])
    assert opt_out_log.read(workspace.root).entries[0].kind == "takedown"


def test_a_damaged_log_stops_a_build(workspace, run):
    run(workspace, "opt-out", "add", "one", "two")
    path = workspace.root / opt_out_log.FILE
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    for arguments in (
        ("build",),
        ("opt-out", "list"),
        ("opt-out", "impact"),
        ("opt-out", "purge"),
        ("opt-out", "verify"),
    ):
        with pytest.raises(UserError, match=r"opt-outs.jsonl:1: it ends here"):
            run(workspace, *arguments)


def test_nothing_is_needed_to_add_a_name(tmp_path, run):
    fresh = building.Workspace(tmp_path / "w", building.folder(tmp_path / "a", {"a.py": building.code(1)}))
    assert run(fresh, "opt-out", "add", "somebody", "--json")["total"] == 0
    assert "nothing is built" in run(fresh, "opt-out", "check", "somebody")
    assert "nothing here holds" in run(fresh, "opt-out", "impact")
    assert "nothing to erase" in run(fresh, "opt-out", "purge")
    with pytest.raises(UserError, match="is missing"):
        run(fresh, "opt-out", "add", "a:a.py")


def test_the_report_says_what_is_out_and_not_who_asked(workspace, run):
    run(workspace, "report")
    page = workspace.root / "report" / "index.html"
    assert "Nothing is opted out" in page.read_text()
    run(workspace, "opt-out", "add", "three", "one:src/secret.py", "--by", WHO)
    run(workspace, "build")
    run(workspace, "report")
    text = page.read_text()
    assert "one:src/secret.py (entry 2)" in text
    assert "three (entry 1)" in text
    assert "near.py" in text
    assert WHO.split(",")[0] not in text


def test_kinds_are_those_of_the_log():
    assert opt_out._KINDS == opt_out_log.KINDS


def test_two_sets_of_tokens_are_told_apart():
    """The workspace's, and those that a model was trained further on."""
    row = {"entry": "a/b (entry 1)", "files": 1, "documents": 1, "tokens": 9, "note": ""}
    named = [("tokens", "tokens"), ("tokens", "models/tuned/examples"), ("model", "tuned")]
    holdings = [{"where": where, "name": name} | row for where, name in named]
    lines = impact_words(
        {"holdings": holdings, "unknown_runs": [], "near_twins": [], "near_twins_total": 0, "left": {}}
    )
    said = ": 1 content, 1 document, 9 tokens; a/b (entry 1)"
    assert lines[:3] == [f"tokens{said}", f"tokens models/tuned/examples{said}", f"model tuned{said}"]
