"""Documents of a workspace: what is collected, under which licence, and that they go through what files go through."""

import json
import shutil
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest

from starloom.documents.steps import KINDS
from starloom.engine.verbs import EngineSettings
from starloom.errors import UserError
from starloom.identity import content_id
from starloom.kernels.random import keyed_units
from starloom.the_stack import tables
from starloom.tokens import pack, tokenizer_stage
from starloom.tokens.mixture import MixtureSource
from starloom.tokens.pack_settings import PackSettings
from starloom.tokens.packed import Packed
from starloom.tokens.redacted import markers
from starloom.tokens.templates.notebook import DOCUMENTS
from starloom.tokens.templates.repository import File
from starloom.workspace.manifest import verify
from starloom.workspace.run import build
from the_stack.building import MIT, Workspace, code, folder, gpl, starloom
from tokens.learning import ours


def notebook(seed, *, language="python", text="Some *words*", output="42"):
    cells = [
        {"cell_type": "markdown", "source": [text]},
        {
            "cell_type": "code",
            "source": code(seed, 8).decode().splitlines(keepends=True),
            "outputs": [{"output_type": "stream", "text": [output]}] if output else [],
        },
    ]
    return json.dumps({"nbformat": 4, "metadata": {"kernelspec": {"language": language}}, "cells": cells}).encode()


MAIL = "Written by kai.olsen@norsk-regnesentral.no"
SECOND = "Written by ada.lund@tall-og-tabeller.no"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    base = tmp_path_factory.mktemp("documents")
    one = {
        "LICENSE": MIT,
        "a.py": code("a"),
        "docs/sums.ipynb": notebook("sums", text=MAIL),
        "docs/empty.ipynb": notebook("sums", text=MAIL, output=""),  # the same script
        "stats.ipynb": notebook("stats", language="R", text=SECOND),
        "odd.ipynb": notebook("odd", language="klingon"),
        "torn.ipynb": notebook("torn")[:-40],
    }
    two = {"LICENSE": gpl(), "mine.ipynb": notebook("mine")}
    three = {"LICENSE": MIT, "b.py": code("b")}
    sources = [folder(base / name, files) for name, files in (("one", one), ("two", two), ("three", three))]
    return Workspace(base / "w", *sources, recipe="stack-v2").build()


def ledger(made, kind):
    rows = pq.read_table(tables.ledger(made.root / "documents" / kind)[0]).to_pylist()
    return {(row["repo_name"], row["path"]): row for row in rows}


def dataset(made, kind):
    root = made.root / "documents" / kind
    return {
        row["path"]: row for path in tables.dataset(root, "files", "train") for row in pq.read_table(path).to_pylist()
    }


def test_every_notebook_has_a_row_in_the_ledger(made):
    rows = {key: (row["verdict"], row["rule"]) for key, row in ledger(made, "notebook-scripts").items()}
    assert rows == {
        ("one", "docs/empty.ipynb"): ("changed", "redaction"),
        ("one", "docs/sums.ipynb"): ("dropped", "exact-duplicate"),
        ("one", "stats.ipynb"): ("changed", "redaction"),
        ("one", "torn.ipynb"): ("quarantined", "unlisted"),
        ("two", "mine.ipynb"): ("dropped", "license"),
    }
    rows = {key: (row["verdict"], row["rule"]) for key, row in ledger(made, "notebook-structured").items()}
    assert rows == {
        ("one", "docs/empty.ipynb"): ("changed", "redaction"),
        ("one", "docs/sums.ipynb"): ("dropped", "near-duplicate"),
        ("one", "torn.ipynb"): ("quarantined", "unlisted"),
        ("two", "mine.ipynb"): ("dropped", "license"),
    }


def test_why_a_notebook_is_none(made):
    assert ledger(made, "notebook-scripts")["one", "torn.ipynb"]["value"].startswith("no JSON: ")


def test_licences_are_those_of_the_files(made):
    files = made.ledger()
    columns = [name for name in tables.DECIDED.names if name in tables.LEDGER_ROWS.names]
    for kind in ("notebook-scripts", "notebook-structured"):
        for key, row in ledger(made, kind).items():
            if row["content_id"]:
                assert {name: row[name] for name in columns} == {name: files[key][name] for name in columns}


def test_what_is_in_the_dataset(made):
    scripts, structured = dataset(made, "notebook-scripts"), dataset(made, "notebook-structured")
    assert {path: row["language"] for path, row in scripts.items()} == {
        "docs/empty.ipynb": "Python",
        "stats.ipynb": "R",
    }
    assert scripts["docs/empty.ipynb"]["content"].startswith("# Written by <EMAIL>\n\ndef ")
    assert structured["docs/empty.ipynb"]["content"].startswith("\x1dWritten by <EMAIL>\n\x1edef ")
    assert structured["docs/empty.ipynb"]["content"].endswith("\n\x1f\n")
    assert [one["kind"] for one in structured["docs/empty.ipynb"]["redactions"]] == ["EMAIL"]


def test_why_of_a_notebook_names_its_documents(made):
    """Its own row says only that a notebook is no source file."""
    done = starloom("why", "docs/sums.ipynb", "-w", made.root, cwd=made.root)
    assert done.returncode == 0, done.stderr
    _, _, told = done.stdout.partition("`starloom why docs/sums.ipynb -w documents/notebook-scripts` explains:\n")
    assert told.splitlines() == [
        "  documents/notebook-scripts: 1 dropped by exact-duplicate",
        "  documents/notebook-structured: 1 dropped by near-duplicate",
    ]
    as_json = json.loads(starloom("why", "docs/sums.ipynb", "-w", made.root, "--json").stdout)
    assert [list(as_json["documents"]), as_json["documents"]["documents/notebook-structured"]] == [
        ["documents/notebook-scripts", "documents/notebook-structured"],
        [{"verdict": "dropped", "rule": "near-duplicate", "files": 1}],
    ]
    for what in ("a.py", "three"):
        done = starloom("why", what, "-w", made.root)
        assert done.returncode == 0, done.stderr
        assert "documents" not in done.stdout
    done = starloom("why", "docs/sums.ipynb", "-w", made.root / "documents" / "notebook-scripts")
    assert "documents made" not in done.stdout


def test_why_says_that_a_ledger_of_documents_is_damaged(made, tmp_path):
    root = tmp_path / "w"
    shutil.copytree(made.root, root)
    ledger = root / "documents" / "notebook-scripts" / "ledger"
    (ledger / "ledger.parquet").write_bytes(b"PAR1")
    for what in ("docs/sums.ipynb", "a.py"):
        done = starloom("why", what, "-w", root, cwd=root)
        assert done.returncode == 0, done.stderr
        assert "documents/notebook-scripts cannot be asked: " in done.stdout
        assert str(ledger / "ledger.parquet") in done.stdout
        assert "starloom build" in done.stdout.splitlines()[-1]
        assert ("  documents/notebook-structured: 1 dropped" in done.stdout) == (what != "a.py")
        as_json = json.loads(starloom("why", what, "-w", root, "--json").stdout)
        assert "documents/notebook-scripts" not in as_json["documents"]
        (problem,) = as_json["problems"]
        assert problem.startswith("documents/notebook-scripts cannot be asked: ")
    shutil.rmtree(ledger)  # none was made
    assert "cannot be asked" not in starloom("why", "docs/sums.ipynb", "-w", root).stdout


def test_asked_as_a_workspace(made):
    root = made.root / "documents" / "notebook-scripts"
    done = starloom("why", "torn.ipynb", "-w", root)
    assert done.returncode == 0, done.stderr
    assert "QUARANTINED by rule unlisted" in done.stdout
    assert "no JSON" in done.stdout
    assert not verify(made.root / "documents")


def packed(made, tmp_path, mixture):
    """The tokens of a workspace that has these datasets, and the tokenizer."""
    root, tokenizer = tmp_path / "packed", ours()
    base = root / "base"
    base.mkdir(parents=True)
    for name in ("dataset", "documents"):
        (root / name).symlink_to(made.root / name)
    for name, data in tokenizer.files().items():
        (base / name).write_bytes(data)
    settings = SimpleNamespace(
        tokenizer=tokenizer_stage.TokenizerSettings(base="base"),
        mixture=tuple(MixtureSource(**one) for one in mixture),
        pack=PackSettings(variants=2, repository_rate=1.0),
    )
    build(root, [tokenizer_stage.STAGE, pack.STAGE], settings, EngineSettings(workers=1), "test")
    return Packed.open(root / "tokens"), tokenizer


def test_documents_are_sources_of_the_mixture(made, tmp_path):
    mixture = [{"name": "code"}, *({"name": kind, "documents": kind} for kind in KINDS)]
    found, tokenizer = packed(made, tmp_path, mixture)
    assert found.sources == ("code", *KINDS)
    for kind in KINDS:
        expected = []
        for row in dataset(made, kind).values():
            marked = markers(row["content"], row["redactions"], tokenizer.marked)
            pieces = DOCUMENTS[kind](File(row["path"], row["content_id"], row["content"], marked), tokenizer.special)
            expected += [
                one
                for piece in pieces
                for one in ([piece.special] if piece.text is None else tokenizer.encode(piece.text))
            ]
        for variant in range(2):
            stream = found.stream(kind, variant)
            assert stream.read(0, stream.tokens).tolist() == expected
        assert tokenizer.special["<EMAIL>"] in expected
        pieces = pq.read_table(found.stream(kind, 0).folder / "pieces.parquet", columns=["path", "content_id"])
        assert {one["path"]: one["content_id"] for one in pieces.to_pylist()} == {
            path: content_id((made.root.parent / "one" / path).read_bytes()) for path in dataset(made, kind)
        }


def test_a_mixture_that_cannot_be():
    with pytest.raises(UserError, match="is no kind"):
        MixtureSource("a", documents="notebook")
    with pytest.raises(UserError, match="are one source"):
        MixtureSource("a", documents=KINDS[0], languages=("R",))


def test_a_change_of_a_kind_runs_nothing_else(made):
    before = made.outputs()
    made.configure("[documents.notebook-scripts]\nrules = [{name = 'all', drop = 'num_lines > 0'}]\n")
    assert list(made.build_again()) == ["collect"]
    assert not dataset(made, "notebook-scripts")
    made.replace("rules = [{name = 'all', drop = 'num_lines > 0'}]", "")
    made.build()
    assert made.outputs() == before
    assert len(dataset(made, "notebook-scripts")) == 2


def test_documents_are_held_out_where_files_are(made):
    """Even where no other repository has any."""
    drawn = (keyed_units(seed, "split", ["one", "three"]).tolist() for seed in range(100))
    seed = next(seed for seed, (one, three) in enumerate(drawn) if one < 0.5 <= three)
    before = made.settings_file.read_text()
    made.configure(f"[decide]\nheld_out = 0.5\nseed = {seed}\n")
    made.build()
    assert {row["repo_name"] for row in made.dataset() if row["split"] == "held_out"} == {"one"}
    assert not dataset(made, "notebook-scripts")
    made.settings_file.write_text(before)


def test_an_opted_out_notebook_goes_with_all_that_was_made_of_it(made):
    out = made.root / "opt-outs.txt"
    out.write_text(f"swh:1:cnt:{content_id(notebook('stats', language='R', text=SECOND))}\n")
    made.build()
    root = made.root / "documents"
    assert ("one", "stats.ipynb") not in ledger(made, "notebook-scripts")
    for path in (*root.rglob("*.parquet"), *root.rglob("*.arrow")):
        table = pq.read_table(path)
        if "content" in table.column_names:
            assert not any("tabeller" in one for one in table.column("content").to_pylist()), path
    done = starloom("opt-out", "purge", cwd=made.root)
    assert done.returncode == 0, done.stderr
    assert not root.exists()


def test_no_notebooks_no_documents(tmp_path):
    workspace = Workspace(tmp_path / "w", folder(tmp_path / "a", {"a.py": code("a")})).build()
    assert [path.name for path in (workspace.root / "documents").iterdir()] == ["manifest.json"]
    assert workspace.build_again() == {}
