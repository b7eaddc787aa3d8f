"""`starloom corpus`: what it prints, as text and as JSON, and how it fails."""

import json

import pytest
from click.testing import CliRunner

from sources.registries import Index, registries, sdist, sha256
from starloom.commands.corpus import command
from starloom.errors import UserError
from starloom.sources import corpus as module


@pytest.fixture
def run(monkeypatch, tmp_path):
    """`run("list")`: the result of the command, on a corpus of one package that a server of this machine has."""
    with registries(monkeypatch) as web:
        data = sdist("demo", "1.0")
        Index(web).add("demo", "demo-1.0.tar.gz", data)
        (tmp_path / "lists").mkdir()
        (tmp_path / "lists" / "tiny.toml").write_text(
            f'title = "for tests"\n[[packages]]\nregistry = "pypi"\nname = "demo"\nversion = "1.0"\n'
            f'sha256 = "{sha256(data)}"\nbytes = {len(data)}\nunpacked = 9000\n'
            'languages = ["Python"]\nlicense = "MIT"\n'
        )
        monkeypatch.setattr(module, "_LISTS", tmp_path / "lists")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        run = lambda *arguments: CliRunner().invoke(command, arguments)  # noqa: E731
        run.web = web
        yield run


def test_list(run, tmp_path):
    shown = run("list")
    assert shown.exit_code == 0
    assert shown.stdout.startswith("tiny: for tests\n    1 package in 1 language")
    assert f"fetched: 0 of 1, in {tmp_path / 'cache' / 'starloom' / 'corpora' / 'tiny'}" in shown.stdout
    run("fetch", "tiny")
    (row,) = json.loads(run("list", "--json").stdout)["corpora"]
    assert row["fetched"] == row["packages"] == 1
    assert row["languages"] == ["Python"]
    assert row["unpacked_bytes"] == 9000


def test_fetch(run, tmp_path):
    shown = run("fetch", "tiny")
    assert shown.exit_code == 0, shown.output
    assert "1 of 1 package, " in shown.stdout
    assert "(1 downloaded now)" in shown.stdout
    assert shown.stdout.endswith("next: starloom init my-stack --from corpus:tiny\n")
    assert "(0 downloaded now)" in run("fetch", "tiny").stdout


def test_fetch_elsewhere_as_json(run, tmp_path):
    folder = tmp_path / "a folder"
    done = json.loads(run("fetch", "tiny", "--dir", str(folder), "--json").stdout)
    assert done["source"] == f"corpus:tiny@{folder}"
    assert (done["packages"], done["fetched"], done["downloaded"]) == (1, 1, 1)
    assert (done["problems"], done["deviating"]) == ([], [])
    assert done["folder"] == str(folder)


def test_what_cannot_be_fetched_is_told_and_fails(run):
    run.web.routes.clear()
    shown = run("fetch", "tiny", "--json")
    assert isinstance(shown.exception, UserError)
    assert "1 of 1 package of tiny" in shown.exception.problem
    assert shown.exception.hint
    (problem,) = json.loads(shown.stdout)["problems"]
    assert problem["package"] == "pypi:demo==1.0"
    assert "404" in problem["reason"]
    assert "pypi:demo==1.0: not in the registry" in shown.stderr


def test_newest(run):
    index = Index(run.web)
    index.add("demo", "demo-1.1.tar.gz", sdist("demo", "1.1"))
    shown = run("fetch", "tiny", "--newest", "--json")
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["deviating"] == ["pypi:demo==1.1"]
    assert "not the pinned version: pypi:demo==1.1" in shown.stderr


def test_unknown(run):
    shown = run("fetch", "tyni")
    assert isinstance(shown.exception, UserError)
    assert "tiny" in shown.exception.hint


def test_through_the_program(cli, refused):
    shown = cli("corpus", "list", "--json")
    assert shown.returncode == 0, shown.stderr
    assert [row["name"] for row in json.loads(shown.stdout)["corpora"]] == ["standard", "large"]
    refused(cli("corpus", "fetch", "standart"), "there is no corpus `standart`", "standard")
    refused(cli("corpus", "fetch"), "Missing argument 'NAME'", code=2)
