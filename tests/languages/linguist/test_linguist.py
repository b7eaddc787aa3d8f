"""Detection with a Linguist's tables, on a small folder of that shape."""

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("yaml")
pytest.importorskip("regex")

sys.path.append(str(Path(__file__).parent))
import small

from starloom.errors import UserError
from starloom.languages.linguist import detector, open_linguist


@pytest.fixture(scope="module")
def linguist(tmp_path_factory):
    return open_linguist(small.make(tmp_path_factory.mktemp("linguist")))


@pytest.mark.parametrize(
    ("name", "text", "language", "by"),
    [
        ("a.al", "anything", "Alpha", "extension"),
        ("A.AL", "anything", "Alpha", "extension"),
        ("dir.al/a.two.x", "anything", "Alpha Two", "extension"),  # the longest extension
        ("a.x", "alphaF0\n", "Alpha", "rule"),
        ("a.x", "alphaF0\none\ntwo {", "Alpha Two", "rule"),  # the negative pattern, over lines
        ("a.x", "b\n\ttwo {", "Alpha Two", "rule"),
        ("a.x", "set set", "Alpha Two", "classifier"),
        ("a.x", "let let", "Alpha", "classifier"),
        ("a.x", "# set\n# set\n", "Alpha", "classifier"),  # comments count by their mark
        ("a.x", "nothing known", "Alpha", "classifier"),  # equals: the first of the table
        ("a.ab", "both\nget get", "Beta", "classifier"),  # a rule that leaves two
        ("a.ab", "either set", "Alpha", "classifier"),
        ("a.beta", "?", "Beta", "extension"),  # known from its samples
        ("a.w", "?", None, None),  # the end of a listed one: not taken
        ("Alphafile", "?", "Alpha Two", "filename"),
        ("alphafile", "?", None, None),
        ("x", "#!/usr/bin/alpha2\n", "Alpha Two", "shebang"),
        ("x", "#!/usr/bin/env -S A=b alpha2 -v\n", "Alpha Two", "shebang"),
        ("x", "#!/usr/bin/env betac", "Beta", "shebang"),
        ("a.ab", "#!/bin/alpha\nset", "Alpha Two", "classifier"),  # "#!" and extension share two
        ("a.al", "#!/bin/alpha2\n", "Alpha Two", "shebang"),  # "#!" comes first
        ("x", '#!/bin/sh\nexec betac -f "$0" "$@"\n', "Beta", "shebang"),
        ("a.al", "-*- Beta -*-\n", "Beta", "modeline"),
        ("a.al", "x -*- coding: a; mode: alpha2; b: c -*-\n", "Alpha Two", "modeline"),
        ("a.al", "x -*- mode: alpha-two -*-\n", "Alpha Two", "modeline"),
        ("a.al", "// vim: set ts=4 ft=beta:\n", "Beta", "modeline"),
        ("a.al", "// vim: set ts=4 ft=beta\n", "Alpha", "extension"),  # "set" must end in a colon
        ("a.al", "\n" * 20 + "# vim: ts=4 syntax=beta", "Beta", "modeline"),
        ("a.al", "\n" * 9 + "# vim: ft=beta\n" + "\n" * 9, "Alpha", "extension"),  # in the middle
        ("a.al", "-*- nonsense -*-", "Alpha", "extension"),
        ("x", '<?xml version="1.0"?>\n<a/>', "XML", "xml"),
        ("x", '<?xml version="1.0"?><a/>', None, None),  # the first line does not end
        ("x.3pm", "?", "Roff Manpage", "manpage"),
        ("x.33", "?", None, None),
        ("x.1", "?", "Roff", "rule"),  # a generic extension: Beta has it, and is not asked
        ("x", "?", None, None),
        ("", "?", None, None),
        ("a.al", "", None, None),
    ],
    ids=str,
)
def test_detect(linguist, name, text, language, by):
    found = linguist.detect(name, text)
    assert (found and found.language, found and found.by) == (language, by)


def test_paths(linguist):
    assert linguist.is_vendor("a/elsewhere/b.c")
    assert linguist.is_vendor("a.min.js")
    assert not linguist.is_vendor("a/elsewhere.c")
    assert linguist.is_documentation("docs/é.c")
    assert not linguist.is_documentation("a/docs/b.c")


def test_large_files_have_no_lines(linguist):
    text = "-*- beta -*-\n" + "x" * (1 << 20)
    assert linguist.detect("a.al", text).language == "Alpha"
    assert linguist.detect("a.al", text[: 1 << 20]).language == "Beta"


def test_only_the_head_is_looked_at(linguist):
    assert linguist.detect("a.x", "\n" * 51_199 + "two {").by == "classifier"
    assert linguist.detect("a.x", "\n" * 51_000 + "two {").by == "rule"


def test_hostile_files_end(linguist, monkeypatch):
    """The table has a pattern that takes exponential time; it counts as not matching."""
    monkeypatch.setattr(detector, "SECONDS", 0.05)
    found = linguist.detect("a.ab", "a" * 5_000 + "!")
    assert found.by == "classifier"
    assert linguist.detect("a.al", "vim:" + " :" * 20_000 + "\n").language == "Alpha"


@given(st.text(max_size=200), st.sampled_from(["a.x", "a.ab", "x", "a.1", ".", "..x", "a\n.x"]), st.binary(max_size=20))
def test_any_text_has_an_answer(tmp_path_factory, text, name, more):
    global _ANY
    if _ANY is None:
        _ANY = open_linguist(small.make(tmp_path_factory.mktemp("any")))
    for one in (text, "#!" + text, "-*-" + text + "-*-", "vim:" + text, text + more.decode("latin-1")):
        found = _ANY.detect(name, one)
        assert found is None or found.language
    _ANY.is_vendor(text)


_ANY = None


def test_without_samples_the_first_candidate_stands(tmp_path):
    linguist = open_linguist(small.make(tmp_path, samples=None))
    assert linguist.detect("a.x", "set").language == "Alpha"


def test_centroids(tmp_path):
    samples = {
        "vocabulary": {"let": 0, "set": 1, "a": 2},
        "icf": [2.0, 2.0, 1.0],
        "centroids": {"Alpha": {"0": 1.0}, "Alpha Two": {"1": 0.8, "2": 0.6}},
    }
    linguist = open_linguist(small.make(tmp_path, samples=json.dumps(samples)))
    assert linguist.detect("a.x", "let a").language == "Alpha"
    assert linguist.detect("a.x", "set a let").language == "Alpha Two"
    assert linguist.detect("a.x", "unknown words").language == "Alpha"  # none: as the step before left them


def test_found_below_and_named_apart(tmp_path):
    small.make(tmp_path / "gems" / "github-linguist-1")
    fingerprint = open_linguist(tmp_path).fingerprint
    assert open_linguist(tmp_path / "gems" / "github-linguist-1" / "lib" / "linguist").fingerprint == fingerprint
    small.make(tmp_path / "gems" / "github-linguist-2", vendor="- other\n")
    assert open_linguist(tmp_path / "gems" / "github-linguist-2").fingerprint != fingerprint
    with pytest.raises(UserError, match="more than one Linguist"):
        open_linguist(tmp_path)


def test_languages_json_wins_over_yml(tmp_path):
    small.make(tmp_path)
    (tmp_path / "lib/linguist/languages.json").write_text('{"Gamma": {"extensions": [".al"]}}')
    assert open_linguist(tmp_path).detect("a.al", "x").language == "Gamma"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"vendor": None}, "vendor.yml is missing"),
        ({"vendor": "- ["}, "vendor.yml cannot be read"),
        ({"vendor": "a: b"}, "should be a list of texts"),
        ({"vendor": "- (a"}, "cannot be read"),
        ({"languages": "- a"}, "not shaped as Linguist's"),
        ({"languages": "A: 3"}, "A is no language"),
        ({"languages": "A: {extensions: [3]}"}, "should be a list of texts"),
        ({"languages": "A: !!python/object/apply:os.getcwd []"}, "cannot be read"),
        ({"heuristics": "a: b"}, "heuristics.yml is not shaped"),
        ({"heuristics": "disambiguations: [{extensions: ['.x'], rules: [{named_pattern: no}]}]"}, "not shaped"),
        ({"heuristics": "disambiguations: [{extensions: ['.x'], rules: [{pattern: '(?~a)'}]}]"}, "cannot be read"),
        ({"samples": "{"}, "samples.json cannot be read"),
        ({"samples": '{"language_tokens": 3, "tokens": 4}'}, "samples.json is not shaped"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_what_is_wrong_is_said(tmp_path, changed, problem):
    with pytest.raises(UserError) as raised:
        open_linguist(small.make(tmp_path, **changed))
    assert problem in raised.value.problem


def test_no_linguist(tmp_path):
    with pytest.raises(UserError, match=r"holds no lib/linguist"):
        open_linguist(tmp_path)
    with pytest.raises(UserError, match="is no folder"):
        open_linguist(tmp_path / "no")


@pytest.mark.parametrize("code", ["# naive bayes", "# centroids"])
def test_samples_of_a_checkout(tmp_path, code):
    folder = small.make(tmp_path, samples=None)
    (folder / "lib/linguist/classifier.rb").write_text(code)
    for language, texts in {"Alpha": ["let a", "let b a"], "Alpha Two": ["set a", "set b"], "Beta": ["get"]}.items():
        (folder / "samples" / language / "filenames").mkdir(parents=True)
        for number, text in enumerate(texts):
            (folder / "samples" / language / f"{number}.smp").write_text(text)
    (folder / "samples/Beta/program").write_text("#!/bin/betac\n")
    (folder / "samples/Beta/filenames/.named").write_text("get")
    linguist = open_linguist(folder)
    assert linguist.detect("a.x", "let q") == ("Alpha", "classifier", "")
    assert linguist.detect("a.x", "set q") == ("Alpha Two", "classifier", "")
    assert linguist.detect("a.ab", "both\nget") == ("Beta", "classifier", "")
    assert linguist.detect("a", "#!/usr/bin/betac") == ("Beta", "shebang", "")
    assert linguist.detect("a.named", "?") is None
    (folder / "samples/Alpha/0.smp").write_text("other")
    assert open_linguist(folder).fingerprint != linguist.fingerprint


@pytest.mark.parametrize("library", ["regex", "yaml"])
def test_without_the_extra(tmp_path, monkeypatch, library):
    for module in list(sys.modules):
        if module.startswith("starloom.languages.linguist."):
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UserError, match=f"{library}, which is not installed"):
        open_linguist(small.make(tmp_path))
