"""How the table of licence texts is made (scripts/license_texts.py): what goes in, and what does not."""

import importlib
from collections import Counter
from pathlib import Path

import pytest

from starloom.licenses.canonical import canonical, text_id
from starloom.licenses.scancode import Match, Scan
from starloom.licenses.texts import digest, normalise

SCRIPTS = Path(__file__).parents[2] / "scripts"
LONG = "A licence of enough words to be one, which says what may be done and what may not be."


@pytest.fixture
def script(monkeypatch):
    if not SCRIPTS.is_dir():
        pytest.skip("no scripts beside the tests: not a checkout")
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module("license_texts")


class Scanner:
    """Says of a text what it was given for it, or MIT throughout, from the first line to the last."""

    def __init__(self, **answers):
        self._answers = answers

    def scan(self, texts):
        for key, text in texts:
            expression, score, start = ("MIT", 100.0, 1)
            for word, answer in self._answers.items():
                if word in text:
                    expression, score, start = answer
            found = (expression,) if expression else ()
            match = Match(expression, "a.RULE", score, start, text.count("\n") + 1)
            yield Scan(key, found, (match,) if found else ())


def _key(text):
    return digest(normalise(text))


def test_one_id_is_picked(script):
    texts = [("ISC", LONG), ("MIT", LONG), ("AFL-2.1", LONG), ("GPL-2.0-or-later", LONG + " More.")]
    told = Counter()
    rows = script.standard(texts, Scanner(More=("GPL-2.0-or-later", 100.0, 1)), told)
    assert rows == {_key(LONG): "ISC", _key(LONG + " More."): "GPL-2.0-only"}
    assert told == {"standard texts": 2}
    headed = f"Beerware\n\n{LONG}"
    rows = script.standard([("Beerware", headed), ("AFL-2.1", LONG)], Scanner(), told)
    assert rows[_key(LONG)] == "AFL-2.1"  # a whole text first
    assert rows[_key(headed)] == "Beerware"


@pytest.mark.parametrize("answer", ["GPL-2.0-only", "", "LicenseRef-scancode-dco-1.1"])
def test_a_standard_text_of_which_scancode_says_otherwise_is_left_out(script, answer, capsys):
    assert script.standard([("MIT", LONG)], Scanner(licence=(answer, 100.0, 1)), Counter()) == {}
    assert "left out: MIT" in capsys.readouterr().out


def test_variants(script):
    body = "This is the text itself, which has more than twelve words and thus is no heading."
    assert list(script.variants(f"Foo License\n\nVersion 1\n\n{body}\n")) == [
        f"Foo License\n\nVersion 1\n\n{body}",
        f"Version 1\n\n{body}",
        body,
    ]
    notice = "Licensed under the Apache License, Version 2.0 (the x)\n\nsee the\n\nlimitations under the License"
    assert list(script.variants(f"{body}\n\n{notice}."))[-1] == notice


@pytest.mark.parametrize(
    "answers",
    [
        {"licence": ("MIT", 99.0, 1)},  # not every word of the rule
        {"licence": ("MIT", 100.0, 3)},  # not every line of the text
        {"licence": ("MIT AND LicenseRef-scancode-unknown-license-reference", 100.0, 1)},
        {"licence": ("LicenseRef-scancode-other-permissive", 100.0, 1)},
        {"licence": ("LicenseRef-nobody-knows", 100.0, 1)},
        {"licence": ("", 100.0, 1)},
        {"LICENCE": ("GPL-2.0-only", 100.0, 1)},  # the original, which is in capitals
    ],
    ids=["score", "lines", "reference", "vague", "unnamed", "none", "original"],
)
def test_a_text_that_is_met_and_of_which_scancode_is_not_sure_is_left_out(script, answers):
    text = "COPYRIGHT (C) 2020 SOMEBODY\n\nA LICENCE OF ENOUGH WORDS\nTO BE ONE,\nWHICH SAYS WHAT MAY BE DONE."
    assert canonical(text).text.count("\n") == 2
    told = Counter()
    assert script.met([text], {}, Scanner(), told) == {_key(text): "MIT"}
    assert script.met([text], {}, Scanner(**answers), told) == {}
    assert script.met([text], {_key(text): "ISC"}, Scanner(), told) == {}  # known
    assert told == {"texts that were met": 1, "texts that were met, of which ScanCode is not sure": 1}


def test_one_normalised_text_of_two_minds_is_left_out(script):
    texts = [f"{LONG}\n\nCopyright 2020 Somebody", f"Copyright 2020 Else\n{LONG.upper()}"]
    assert len({_key(text) for text in texts}) == 1
    assert script.met(texts, {}, Scanner(), Counter()) == {_key(LONG): "MIT"}
    assert script.met(texts, {}, Scanner(Else=("ISC", 100.0, 1)), Counter()) == {}


def test_too_short_to_be_a_licence(script):
    assert script.met(["In the public domain."], {}, Scanner(), Counter()) == {}


def test_table(script):
    text = script.table({"b" * 16: "MIT", "a" * 16: "mit-x", "c" * 16: "ISC AND MIT"}, "32.5.0")
    rows = [line for line in text.splitlines() if line[0] != "#"]
    assert rows == [f"{'c' * 16}\tISC AND MIT", f"{'b' * 16}\tMIT", f"{'a' * 16}\tmit-x"]
    assert "ScanCode 32.5.0" in text


def test_corpus(script, tmp_path):
    corpus = importlib.import_module("license_corpus")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "LICENSE").write_text("MIT license text")
    (tmp_path / "a" / "code.py").write_text("license")
    (tmp_path / "LICENSE.txt").write_text("MIT license text")
    (tmp_path / "README").write_text("nothing to see")
    (tmp_path / "README.md").write_text("Public domain.")
    (tmp_path / "copyright").write_text(
        "Format: x\n\nFiles: *\nLicense: Foo\n\nLicense: Foo\n A license\n .\n  of two parts\n\nLicense: Bar\n"
    )
    found = corpus.distinct([str(tmp_path)])
    assert sorted((one.kind, one.text) for one in found if one.kind != "copyright") == [
        ("license", "MIT license text"),
        ("paragraph", "A license\n\n of two parts\n"),
        ("readme", "Public domain."),
    ]
    assert len({text_id(one.text) for one in found}) == len(found) == 4
