"""Texts that nothing recognises go to ScanCode once, and its answers become verdicts with their evidence."""

import pytest

from starloom.licenses import scancode
from starloom.licenses.scancode import Match, Scan
from starloom.the_stack.why import words
from the_stack.building import MIT, code

ODD = b"Do as the tables of the house say, and redistribute this under the licence of the house.\n"
HEADER = (
    b"#!/usr/bin/python\n\n# This file may be copied under the licence of the house, by all who have its permission.\n"
)


class Asked(list):
    failing = False


@pytest.fixture
def asked(monkeypatch):
    """ScanCode's place is taken by one that knows the licence of the house; gives what it was asked."""
    texts = Asked()

    class House:
        def __init__(self, **_):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def scan(self, pairs):
            for text_id, text in pairs:
                texts.append(text)
                if texts.failing:
                    yield Scan(text_id, (), (), "timed out")
                    continue
                known = "house" in text
                last = text.count("\n") + 1
                match = Match("ISC", "house_1.RULE", 88.5, last, last)
                yield Scan(text_id, ("ISC",), (match,)) if known else Scan(text_id, (), (), None)

    monkeypatch.setattr(scancode, "version", lambda: "1.0-house")
    monkeypatch.setattr(scancode, "Scanner", House)
    return texts


def sources(repository):
    return (
        repository("a", {"LICENSE": ODD, "x.py": code("x")}),
        repository("b", {"sub/LICENSE": ODD.upper(), "sub/y.py": code("y"), "z.py": HEADER + code("z")}),
        repository("c", {"LICENSE": b"Nobody has permission to copy.\n", "w.py": code("w")}),
        repository("d", {"LICENSE": MIT, "v.py": code("v")}),
    )


def test_each_text_is_asked_once_and_answers_are_evidence(asked, repository, workspace):
    made = workspace(*sources(repository))
    assert len(asked) == len(set(asked)) == 3  # the two LICENSE files in one canonical form, the header, c's
    row = made.row("a", "x.py")
    assert (row["license_type"], row["detected_licenses"]) == ("permissive", ["ISC"])
    assert (row["license_source"], row["license_rule"], row["license_score"]) == (
        "a:LICENSE:1", "ScanCode house_1.RULE", 88.5
    )  # fmt: skip
    assert made.row("b", "sub/y.py")["detected_licenses"] == ["ISC"]
    assert made.row("b", "z.py")["license_evidence"] == "notice"
    assert made.row("b", "z.py")["license_source"] == "b:z.py:3"
    assert made.row("c", "w.py")["detected_licenses"] == ["LicenseRef-scancode-unknown"]
    assert "ScanCode house_1.RULE, score 88" in words(made.why("x.py"))


def test_a_second_build_asks_nothing_and_another_version_asks_again(asked, repository, workspace, monkeypatch):
    made = workspace(*sources(repository))
    asked.clear()
    made.build()
    assert asked == []
    monkeypatch.setattr(scancode, "version", lambda: "2.0-house")
    made.build()
    assert len(asked) == 3


def test_where_scancode_failed_the_next_build_asks_again(asked, repository, workspace, capsys):
    asked.failing = True
    made = workspace(*sources(repository))
    assert "ScanCode failed on 3, and the next build asks again" in capsys.readouterr().err
    assert made.row("a", "x.py")["license_type"] == "non_permissive"
    asked.failing = False
    assert made.build().row("a", "x.py")["license_type"] == "permissive"
    asked.clear()
    made.build()
    assert asked == []


def test_without_scancode_the_build_says_so(repository, workspace, monkeypatch, capsys):
    monkeypatch.setattr(scancode, "version", lambda: None)
    made = workspace(*sources(repository))
    assert "3 licence texts unknown: pip install 'starloom[licenses]' names them" in capsys.readouterr().err
    assert made.row("a", "x.py")["license_type"] == "non_permissive"


def test_required_and_missing_is_an_error(repository, workspace, monkeypatch):
    monkeypatch.setattr(scancode, "version", lambda: None)
    with pytest.raises(Exception, match="ScanCode is not installed"):
        workspace(*sources(repository), extra='\n[scan]\nscancode = "required"\n')
