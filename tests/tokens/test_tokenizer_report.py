"""The report: what it says is what encoding the same text by hand says; others are measured on that very text."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from starloom.commands.tokenizer import command
from starloom.errors import UserError
from starloom.tokens import tokenizer_report
from starloom.tokens.tokenizer import Tokenizer
from starloom.tokens.tokenizer_report import read_report, spelled
from tokens.datasets import publish_dataset, row
from tokens.learning import OTHER, SOURCES, family, opened, ours, table

NAME = "Ada Lovelaceski"
NOTICE = f"# Copyright (c) 1843 {NAME}\n"
MARKED = {"redactions": [{"start": 5, "end": 12, "kind": "EMAIL"}]}


def rows():
    """Train: two repositories, in one of them somebody's name again and again. Held out: three languages."""
    text = [Path(path).read_text(encoding="utf-8") for path in SOURCES]
    train = [row(one, repo_name="a/a") for one in text[:2]]
    train += [row(f"{NOTICE}value = {number}\n" + text[2][number * 60 :], repo_name="b/b") for number in range(30)]
    held_out = [
        row(text[3], "Python"),
        row("int main(void) { return 12345; }\n" * 20, "C"),
        row("mail <EMAIL> of " + OTHER, None, **MARKED),
    ]
    return train, held_out


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A workspace with such a dataset and a tokenizer of it."""
    root = tmp_path_factory.mktemp("report")
    (root / "starloom.toml").write_text("[tokenizer]\nvocabulary = 700\n[engine]\nworkers = 1\n")
    publish_dataset(root, *rows())
    assert run(root)["vocabulary"] == 700
    return root


def invoke(root, *arguments):
    result = CliRunner().invoke(command, ["-w", str(root), *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def run(root, *arguments):
    return json.loads(invoke(root, "--json", *arguments))


def fails(root, *arguments):
    with pytest.raises(UserError) as raised:
        invoke(root, *arguments)
    return raised.value


def model(folder, tokenizer):
    folder.mkdir(parents=True)
    for name, data in tokenizer.files().items():
        (folder / name).write_bytes(data)
    return folder


def strings(one):
    """The text of a row without its markers."""
    text = one["content"]
    return [text[:5], text[12:]] if one["redactions"] else [text]


def test_bytes_per_token(made):
    report, tokenizer = read_report(made), Tokenizer.open(made / "tokenizer")
    assert (report.split, report.files, report.vocabulary) == ("held_out", 3, 700)
    assert [one.language for one in report.fit.languages] == ["Python", "C", ""]  # the largest first
    size = tokens = 0
    for one, held_out in zip(report.fit.languages, rows()[1], strict=True):
        text = strings(held_out)
        assert one.bytes == held_out["length_bytes"]
        assert one.measured == sum(len(some.encode()) for some in text)
        assert one.tokens == sum(len(tokenizer.encode(some)) for some in text)
        size += one.bytes
        tokens += one.tokens * one.bytes / one.measured
    assert report.fit.bytes_per_token == pytest.approx(size / tokens, abs=1e-4)
    assert report.fit.lossy_files == 0


def test_the_whole_is_as_if_all_were_measured(made, monkeypatch):
    """Of each language about the same is encoded, however much there is of it."""
    monkeypatch.setattr(tokenizer_report, "_MEASURED", 3_000)
    root = made.parent / "uneven"
    root.mkdir()
    lines = {"Python": "def f(x):\n    return x\n", "C": "int main(void) { return 12345; }\n"}
    held_out = [row(lines["Python"] * n, "Python") for n in range(1, 60)] + [row(lines["C"] * 30, "C")]
    (root / "starloom.toml").write_text((made / "starloom.toml").read_text())
    publish_dataset(root, rows()[0], held_out)
    run(root)
    fit, tokenizer = read_report(root).fit, Tokenizer.open(root / "tokenizer")
    assert {one.language: one.measured == one.bytes for one in fit.languages} == {"Python": False, "C": True}
    tokens = sum(len(tokenizer.encode(one["content"])) for one in held_out)
    assert fit.bytes_per_token == pytest.approx(sum(one["length_bytes"] for one in held_out) / tokens, rel=0.01)


def test_use(made):
    report, tokenizer = read_report(made), Tokenizer.open(made / "tokenizer")
    uses, repositories = Counter(), Counter()
    for name in ("a/a", "b/b"):
        ids = [number for one in rows()[0] if one["repo_name"] == name for number in tokenizer.encode(one["content"])]
        uses.update(ids)
        repositories.update(set(ids))
    learnt = [number for number in range(38, 700) if len(tokenizer.token_bytes(number)) > 1]
    assert (report.sample_files, report.sample_repositories) == (32, 2)
    assert (report.sample_tokens, report.learnt) == (uses.total(), len(learnt))
    assert report.never_used == sum(uses[number] == 0 for number in learnt)
    assert report.hardly_used == sum(uses[number] < 10 for number in learnt)
    alone = [number for number in learnt if uses[number] >= 10 and repositories[number] == 1]
    assert report.one_repository == len(alone)
    assert [one.id for one in report.of_one_repository] == sorted(alone, key=lambda one: (-uses[one], one))[:20]
    assert [one.id for one in report.rarest] == sorted(learnt, key=lambda one: (uses[one], one))[:20]
    by_length = sorted(learnt, key=lambda one: (-len(tokenizer.token_bytes(one)), one))
    assert [one.id for one in report.longest] == by_length[:20]
    words = [one for one in by_length if tokenizer.token_bytes(one).decode("utf-8", "replace").strip().isalpha()]
    assert [one.id for one in report.longest_words] == words[:20]
    for one in report.rarest + report.longest:
        assert (one.uses, one.repositories) == (uses[one.id], repositories[one.id])
        assert one.bytes == len(tokenizer.token_bytes(one.id))


def test_what_looks_private_is_masked(made):
    report, tokenizer = read_report(made), Tokenizer.open(made / "tokenizer")
    assert report.private
    assert {one.private for one in report.private} == {"NAME"}
    found = {tokenizer.token_bytes(one.id).decode().strip() for one in report.private}
    assert any(len(one) > 2 and one in NAME for one in found)
    assert {one.text for one in report.private} == {"<NAME>"}
    page, raw = invoke(made, "--report"), invoke(made, "--report", "--raw")
    longest = max(found, key=len)
    assert f"|{longest}" not in page.replace("| ", "|")
    assert f"|{longest}" in raw.replace("| ", "|")
    assert "(masked; --raw shows them)" in page
    assert longest not in (made / "tokenizer/report.json").read_text()
    assert longest in json.dumps([one["text"] for one in run(made, "--report", "--raw")["private"]])


def test_the_page(made):
    page = invoke(made, "--report")
    assert page.startswith(f"{made / 'tokenizer'}: 700 tokens\n\nBytes per token on held-out text (3 files, ")
    assert re.search(r"^  all +100\.0 % +\d\.\d\d$", page, re.M)
    assert re.search(r"^  \(none told\) +\d\.\d % +\d\.\d\d$", page, re.M)
    assert "Every file comes back from its tokens, byte by byte" in page
    assert re.search(r"^ +\d+ +\d+\.\d %  are never used$", page, re.M)
    for title in ("Longest", "Longest of letters", "Rarest", "Looks private: a secret, an address, a name"):
        assert f"\n\n{title}" in page
    assert max(map(len, page.splitlines())) < 140
    assert page == invoke(made, "--report")


def test_many_languages(made, monkeypatch):
    root = made.parent / "many"
    root.mkdir()
    (root / "starloom.toml").write_text((made / "starloom.toml").read_text())
    publish_dataset(root, rows()[0], [row("x = 1\n" * (40 - n), f"Language {n:02d}") for n in range(30)])
    run(root)
    page = invoke(root, "--report")
    assert "  Language 19  " in page
    assert "Language 20" not in page
    assert re.search(r"^  10 more +\d+\.\d % +\d\.\d\d$", page, re.M)


# Comparison


def test_itself_is_the_same(made):
    (other,) = run(made, "--report", "--compare", made / "tokenizer")["compared"]
    report = run(made, "--report")
    assert other["fit"] == report["fit"]
    assert (other["shared"], other["vocabulary"], other["tokenizer"]) == (700, 700, report["tokenizer"])
    assert report["compared"] == []


def test_others_on_the_same_text(made, tmp_path):
    bytewise = model(tmp_path / "bytewise", family("<|endoftext|>"))
    larger = model(tmp_path / "larger", ours())
    found = run(made, "--report", "--compare", bytewise, "--compare", larger)
    one, two = found["compared"]
    assert (one["name"], one["fit"]["bytes_per_token"], one["shared"]) == ("bytewise", 1.0, 257)
    for other in (one, two):
        measured = [(language["language"], language["measured"]) for language in other["fit"]["languages"]]
        assert measured == [(language["language"], language["measured"]) for language in found["fit"]["languages"]]
    page = invoke(made, "--report", "--compare", bytewise, "--compare", larger)
    assert re.search(r"^ +text +this one +bytewise +larger$", page, re.M)
    assert f"bytewise: {one['vocabulary']} tokens, 257 of them the same as here" in page


def test_one_that_loses_text(made, tmp_path):
    changed = table()
    changed["normalizer"] = {"type": "Lowercase"}
    folder = model(tmp_path / "lower", opened(changed))
    (other,) = run(made, "--report", "--compare", folder)["compared"]
    assert other["fit"]["lossy_files"] == 2  # the third is in small letters
    assert "lower: 2 files do not come back from their tokens" in invoke(made, "--report", "--compare", folder)


def test_one_without_an_end_can_be_compared(made, tmp_path):
    folder = model(tmp_path / "chat", family("<|endoftext|>"))
    text = (folder / "tokenizer.json").read_text().replace("<|endoftext|>", "<EOT>")
    (folder / "tokenizer.json").write_text(text)
    assert "has no token that ends a text" in fails(made, "--from", folder).problem
    assert run(made, "--report", "--compare", folder)["compared"][0]["vocabulary"] == 257


def test_what_cannot_be_compared(made, tmp_path):
    assert "holds no tokenizer.json" in fails(made, "--report", "--compare", tmp_path).problem
    assert "add --report" in fails(made, "--compare", tmp_path).hint
    assert "add --report" in fails(made, "--raw").hint
    assert "without --report" in fails(made, "--report", "--vocabulary", 500).hint
    assert "without --report" in fails(made, "--report", "--from", tmp_path).hint


def test_a_dataset_that_has_changed(tmp_path):
    train, held_out = rows()
    (tmp_path / "starloom.toml").write_text("[tokenizer]\nvocabulary = 400\n")
    assert "is missing" in fails(tmp_path, "--report").problem
    publish_dataset(tmp_path, train, held_out)
    run(tmp_path)
    publish_dataset(tmp_path, train, held_out[:2])
    assert run(tmp_path, "--report")["files"] == 3  # it is what it was
    error = fails(tmp_path, "--report", "--compare", tmp_path / "tokenizer")
    assert "has changed since" in error.problem
    assert "run `starloom tokenizer`" in error.hint
    publish_dataset(tmp_path, train)
    run(tmp_path)
    assert read_report(tmp_path).split == "train"


@pytest.mark.parametrize("data", [b"", b"[]", b'{"format": 99}', b'{"format": 1}', b"[" * 100_000], ids=range(5))
def test_a_damaged_report(made, tmp_path, data, monkeypatch):
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    (folder / "report.json").write_bytes(data)
    monkeypatch.setattr(tokenizer_report, "open_folder", lambda _: True)
    with pytest.raises(UserError, match="is no report of this Starloom's") as raised:
        read_report(tmp_path)
    assert "run `starloom tokenizer`" in raised.value.hint
    (folder / "report.json").unlink()
    with pytest.raises(UserError, match="an older Starloom made it"):
        read_report(tmp_path)


def test_spellings():
    assert spelled(b"\x1b[2J") == "\\x1b[2J"
    assert spelled("\u202e".encode()) == "\\u202e"
    assert spelled("é".encode()[1:]) == "\\xa9"
    assert spelled(b"\r\n\t x") == "\\r\\n\\t x"
